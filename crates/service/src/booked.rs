//! Booked amounts of what was read: rates of days are looked up for a whole page at once. Whoever calls has shown that the caller may see the rows.

use std::collections::{BTreeMap, BTreeSet};

use refundry_engine::booked::{Booked, BookedAt, Movement, RateKey, Rates};
use refundry_engine::dispute::{Dispute, DisputeKind};
use refundry_engine::payment::{Payment, PaymentKey};
use refundry_engine::rate::Day;
use refundry_engine::refund::{Refund, RefundState};
use refundry_engine::{DisputeId, MerchantId, PaymentId, RefundId};
use refundry_ledger::Currency;
use refundry_store::{DisputeFilter, PAGE_LIMIT_MAX, PageRequest, RATES_MAX, RateFilter, RefundFilter};

use crate::Service;
use crate::error::ServiceError;

/// Payments of a page, by merchant and id.
type Payments = BTreeMap<(MerchantId, PaymentId), Payment>;

/// What was captured of payments, booked, in their order; none of those of which nothing was captured.
pub async fn of_payments(service: &Service, payments: &[Payment]) -> Result<Vec<Option<Booked>>, ServiceError> {
    let wanted = payments.iter().map(|payment| payment.booked_at(payment.paid_at));
    let rates = rates(service, wanted).await?;
    Ok(payments.iter().map(|payment| payment.captured.is_positive().then(|| payment.booked(&rates))).collect())
}

/// Refunds, booked, in their order: each by the day on which its money was drawn. None of those whose money was not drawn, or came back because
/// they were never paid out.
pub async fn of_refunds(service: &Service, refunds: &[Refund]) -> Result<Vec<Option<Booked>>, ServiceError> {
    let keys = refunds.iter().map(|refund| (refund.merchant_id, refund.payment_id));
    let payments = payments(service, keys.collect()).await?;
    let (mut moved, mut wanted) = (Vec::new(), Vec::new());
    for payment in payments.values() {
        let movements = refunds_of(service, payment, refunds).await?;
        wanted.extend(movements.iter().map(|(_, movement)| payment.booked_at(movement.at)));
        moved.push((payment, movements));
    }
    let rates = rates(service, wanted.into_iter()).await?;
    let mut booked: BTreeMap<RefundId, Booked> = BTreeMap::new();
    for (payment, movements) in moved {
        let (ids, movements): (Vec<RefundId>, Vec<Movement>) = movements.into_iter().unzip();
        booked.extend(ids.into_iter().zip(payment.book(&movements, &rates)));
    }
    Ok(refunds.iter().map(|refund| booked.get(&refund.id).cloned()).collect())
}

/// Chargebacks, booked, in the order of what is given: each by the day on which it was told. None of what takes no money.
pub async fn of_disputes(service: &Service, disputes: &[Dispute]) -> Result<Vec<Option<Booked>>, ServiceError> {
    let keys = disputes.iter().filter(|dispute| dispute.kind.moves_money()).map(|dispute| (dispute.merchant_id, dispute.payment_id));
    let payments = payments(service, keys.collect()).await?;
    let (mut moved, mut wanted) = (Vec::new(), Vec::new());
    for payment in payments.values() {
        let movements = chargebacks_of(service, payment, disputes).await?;
        wanted.extend(movements.iter().map(|(_, movement)| payment.booked_at(movement.at)));
        moved.push((payment, movements));
    }
    let rates = rates(service, wanted.into_iter()).await?;
    let mut booked: BTreeMap<DisputeId, Booked> = BTreeMap::new();
    for (payment, movements) in moved {
        let (ids, movements): (Vec<DisputeId>, Vec<Movement>) = movements.into_iter().unzip();
        booked.extend(ids.into_iter().zip(payment.book(&movements, &rates)));
    }
    Ok(disputes.iter().map(|dispute| booked.get(&dispute.id).cloned()).collect())
}

/// Rates that amounts are booked at, as far as they are there.
async fn rates(service: &Service, wanted: impl Iterator<Item = BookedAt>) -> Result<Rates, ServiceError> {
    let mut days: BTreeMap<(Currency, Currency), BTreeSet<Day>> = BTreeMap::new();
    for RateKey { base, quoted, day } in wanted.filter_map(BookedAt::rate_key) {
        days.entry((base, quoted)).or_default().insert(day);
    }
    let mut rates = Rates::new();
    for ((base, quoted), days) in days {
        let mut days = days.into_iter().peekable();
        while let Some(from) = days.next() {
            let mut to = from;
            // As many days as one read gives rates for.
            while let Some(day) = days.next_if(|day| day.get().saturating_sub(from.get()) < RATES_MAX as i32) {
                to = day;
            }
            let filter = RateFilter { base: Some(base), quoted: Some(quoted), from: Some(from), to: Some(to), limit: RATES_MAX };
            let found = service.world.store.rates(filter).await?;
            rates.extend(found.into_iter().map(|rate| (RateKey { base, quoted, day: rate.day }, rate)));
        }
    }
    Ok(rates)
}

/// The payments of a page.
async fn payments(service: &Service, keys: BTreeSet<(MerchantId, PaymentId)>) -> Result<Payments, ServiceError> {
    let mut payments = Payments::new();
    for (merchant_id, id) in keys {
        let found = service.world.store.payment(merchant_id, &PaymentKey::Id(id)).await?;
        payments.extend(found.map(|payment| ((merchant_id, id), payment)));
    }
    Ok(payments)
}

/// What refunds of a payment moved, in the order in which it did. Of a payment that is booked as it is, only the refunds of the page: nothing of it is
/// rounded.
async fn refunds_of(service: &Service, payment: &Payment, page: &[Refund]) -> Result<Vec<(RefundId, Movement)>, ServiceError> {
    let mut moved: Vec<(RefundId, Movement)> = match payment.booked_at(payment.paid_at) {
        BookedAt::Itself => page.iter().filter(|refund| refund.payment_id == payment.id).filter_map(refunded).collect(),
        BookedAt::Quote | BookedAt::Rate(_) => {
            let filter = RefundFilter { merchant_id: Some(payment.merchant_id), payment_id: Some(payment.id), ..RefundFilter::default() };
            let (mut moved, mut request) = (Vec::new(), PageRequest { after: None, limit: PAGE_LIMIT_MAX });
            loop {
                let found = service.world.store.refunds(&filter, request).await?;
                moved.extend(found.rows.iter().filter_map(refunded));
                let Some(next) = found.next else { break };
                request.after = Some(next);
            }
            moved
        }
    };
    moved.sort_by_key(|(id, movement)| (movement.at, *id));
    Ok(moved)
}

/// What a refund moved: one that came back later had moved.
fn refunded(refund: &Refund) -> Option<(RefundId, Movement)> {
    let is_booked = match refund.state {
        RefundState::Pending { .. }
        | RefundState::Submitted { .. }
        | RefundState::Unresolved { .. }
        | RefundState::Succeeded { .. }
        | RefundState::Returned { .. } => true,
        RefundState::Failed { .. } | RefundState::Cancelled { .. } => false,
    };
    let draw = refund.drawn.filter(|_| is_booked)?;
    let at = draw.at.unwrap_or(refund.created_at);
    Some((refund.id, Movement { at, amount: refund.amount, gross: refund.gross_settlement }))
}

async fn chargebacks_of(service: &Service, payment: &Payment, page: &[Dispute]) -> Result<Vec<(DisputeId, Movement)>, ServiceError> {
    let charged = |dispute: &Dispute| {
        let movement = Movement { at: dispute.body.told_at, amount: dispute.charged(), gross: None };
        dispute.kind.moves_money().then_some((dispute.id, movement))
    };
    let mut moved: Vec<(DisputeId, Movement)> = match payment.booked_at(payment.paid_at) {
        BookedAt::Itself => page.iter().filter(|dispute| dispute.payment_id == payment.id).filter_map(charged).collect(),
        BookedAt::Quote | BookedAt::Rate(_) => {
            let filter = DisputeFilter {
                merchant_id: Some(payment.merchant_id),
                payment_id: Some(payment.id),
                kind: Some(DisputeKind::Chargeback),
                ..DisputeFilter::default()
            };
            let (mut moved, mut request) = (Vec::new(), PageRequest { after: None, limit: PAGE_LIMIT_MAX });
            loop {
                let found = service.world.store.disputes(&filter, request).await?;
                moved.extend(found.rows.iter().filter_map(charged));
                let Some(next) = found.next else { break };
                request.after = Some(next);
            }
            moved
        }
    };
    moved.sort_by_key(|(id, movement)| (movement.at, *id));
    Ok(moved)
}
