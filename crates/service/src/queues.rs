//! Looking ahead over the refunds that wait for money: when each will have it, and what a merchant lacks in all.

use refundry_engine::funds::forecast::{self, Credit, Forecast, Queue};
use refundry_engine::funds::queue::{WaitingRefund, places};
use refundry_engine::merchant::Merchant;
use refundry_engine::policy::Policy;
use refundry_engine::posting_rules::SPENDABLE;
use refundry_engine::refund::{FundsHold, Holds, RefundState};
use refundry_engine::{Explanation, MerchantId, RefundId, Refusal, Text, Timestamp, explain};
use refundry_ledger::{Currency, Money};
use refundry_store::{QUEUE_SCAN_MAX, WaitingRefunds};

use crate::Service;
use crate::caller::Caller;
use crate::error::ServiceError;
use crate::permissions::Permission;
use crate::{merchants, refunds};

/// Why a refund stands where it stands, and when it will have its money.
#[derive(Clone, Debug, PartialEq)]
pub struct Outlook {
    /// As for every refund.
    pub explanation: Explanation,
    /// What is to be expected when nobody does anything; only of a refund that waits for money.
    pub forecast: Option<(Forecast, Text)>,
    /// What would happen if so much were paid in now.
    pub what_if: Option<(Forecast, Text)>,
}

/// What waits in one currency.
#[derive(Clone, Debug, PartialEq)]
pub struct WaitingLine {
    /// The currency.
    pub currency: Currency,
    /// How many wait.
    pub count: i64,
    /// What they were asked for in all; a part only when so many wait that not all were looked at.
    pub amount: Money,
    /// Whether all were looked at.
    pub is_whole: bool,
    /// The oldest.
    pub oldest: RefundId,
    /// Since when that one waits.
    pub oldest_since: Timestamp,
    /// What is available.
    pub available: Money,
    /// What must come in so that all are served.
    pub missing: Money,
    /// What is to be expected for the last of those that were looked at, and so for all.
    pub forecast: Option<Forecast>,
}

/// Explains a refund. So many minor units of its currency are paid in to try it out; nothing changes.
pub async fn outlook(
    service: &Service,
    caller: &Caller,
    merchant_id: Option<MerchantId>,
    refund_id: RefundId,
    top_up: Option<i64>,
) -> Result<Outlook, ServiceError> {
    let story = refunds::story(service, caller, merchant_id, refund_id).await?;
    let (refund, now) = (story.refund, service.world.now());
    let explanation = explain(&refund, story.next.as_ref(), now);
    let RefundState::Pending { holds: Holds { funds: Some(hold), .. } } = &refund.state else {
        return Ok(Outlook { explanation, forecast: None, what_if: None });
    };
    caller.must(Permission::FundsRead)?;
    let currency = refund.funding_currency();
    if top_up.is_some_and(|minor| minor <= 0) {
        return Err(Refusal::FieldInvalid {
            field: "top_up".to_owned(),
            rule: "at least 1, in minor units of the currency that it is paid from".to_owned(),
        }
        .into());
    }
    let merchant = merchants::read(service, caller, refund.merchant_id).await?;
    let (queue, _) = queue(service, &merchant, currency, hold.until).await?;
    let look = |more: i64| queue.forecast(refund_id, hold.until, now, more);
    let forecast = look(0).map(|expected| (expected, forecast::by_itself(&expected)));
    let what_if = top_up.and_then(|minor| {
        let expected = look(minor)?;
        Some((expected, forecast::with_more(&expected, Money::new(minor, currency), now)))
    });
    Ok(Outlook { explanation, forecast, what_if })
}

/// What waits for money, by currency. Nothing is summed up ahead: counters say in which currencies any wait, and of those the queue is read.
pub async fn waiting(service: &Service, caller: &Caller, merchant_id: Option<MerchantId>) -> Result<Vec<WaitingLine>, ServiceError> {
    caller.must(Permission::FundsRead)?;
    let merchant = merchants::read(service, caller, caller.merchant_id(merchant_id)?).await?;
    let (store, now) = (&service.world.store, service.world.now());
    let mut lines = Vec::new();
    for counted in store.waiting_counts(merchant.id).await? {
        let currency = counted.currency;
        let far = now.plus_days(i64::from(refundry_engine::policy::FUNDS_WAIT_DAYS));
        let (queue, rows) = queue(service, &merchant, currency, far).await?;
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else { continue };
        // While the queue is served the oldest may be gone already: the others wait all the same, and it was asked for when its id says.
        let oldest_since = hold_of(service, merchant.id, first.refund_id).await?.map_or(first.refund_id.instant(), |hold| hold.since);
        let until = hold_of(service, merchant.id, last.refund_id).await?.map_or(far, |hold| hold.until);
        let amount = rows.iter().fold(0_i64, |sum, row| sum.saturating_add(row.in_queue(row.amount)));
        lines.push(WaitingLine {
            currency,
            count: counted.count,
            amount: Money::new(amount, currency),
            is_whole: rows.len() < QUEUE_SCAN_MAX as usize,
            oldest: first.refund_id,
            oldest_since,
            available: Money::new(queue.available_minor, currency),
            missing: queue.missing(),
            forecast: queue.forecast(last.refund_id, until, now, 0),
        });
    }
    Ok(lines)
}

/// The queue of a currency, with what becomes available until an instant.
async fn queue(
    service: &Service,
    merchant: &Merchant,
    currency: Currency,
    until: Timestamp,
) -> Result<(Queue, Vec<WaitingRefund>), ServiceError> {
    let store = &service.world.store;
    let wanted = WaitingRefunds { merchant_id: merchant.id, currency, after: None, limit: QUEUE_SCAN_MAX };
    let rows = store.waiting_refunds(wanted).await?;
    let terminals = store.terminals(merchant.id).await?;
    let policy_of = |waiting: &WaitingRefund| match terminals.iter().find(|terminal| terminal.id == waiting.terminal_id) {
        Some(terminal) => terminal.policy_for(merchant, &waiting.method),
        None => Policy::default().patched(&merchant.policy),
    };
    let balances = store.balances(merchant.id).await?;
    let spendable = balances.iter().find(|row| row.account == SPENDABLE && row.currency == currency);
    let coming = store.coming_settlements(merchant.id, currency, until).await?;
    let credit =
        |line: refundry_store::ComingSettlement| Credit { at: line.at, minor: line.settled_minor.saturating_add(line.released_minor) };
    let queue = Queue {
        currency,
        places: places(&rows, policy_of),
        available_minor: spendable.map_or(0, |row| row.minor),
        credits: coming.into_iter().map(credit).collect(),
    };
    Ok((queue, rows))
}

async fn hold_of(service: &Service, merchant_id: MerchantId, refund_id: RefundId) -> Result<Option<FundsHold>, ServiceError> {
    let refund = service.world.store.refund(merchant_id, refund_id).await?;
    Ok(refund.and_then(|refund| match refund.state {
        RefundState::Pending { holds } => holds.funds,
        RefundState::Submitted { .. }
        | RefundState::Unresolved { .. }
        | RefundState::Succeeded { .. }
        | RefundState::Failed { .. }
        | RefundState::Cancelled { .. }
        | RefundState::Returned { .. } => None,
    }))
}
