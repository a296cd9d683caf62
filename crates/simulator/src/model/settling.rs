//! When money becomes available: never before its day, never before what the contract waits for, never twice, and not much later either.

use std::collections::{BTreeMap, BTreeSet};

use refundry_engine::PaymentId;
use refundry_engine::event::{Event, EventKind};
use refundry_engine::payment::{Payment, PaymentStatus};
use refundry_engine::settlement::{SettlementCondition, SettlementTerms};

use super::{Model, Reader, Violation, must};
use crate::plan::Goods;

const DAY_US: i64 = 86_400_000_000;
/// A day after which whatever was due must be done, when nothing goes wrong any more.
const SLACK_US: i64 = DAY_US;

impl Model {
    /// Something is about to be told of a payment's goods.
    pub fn goods(&mut self, merchant: usize, reference: &str, goods: Goods) {
        self.told_of_goods.entry((merchant, reference.to_owned())).or_default().insert(goods);
    }

    /// A settlement is about to be asked for.
    pub fn wants_to_settle(&mut self, merchant: usize, reference: &str) {
        self.asked_to_settle.insert((merchant, reference.to_owned()));
    }

    /// The release of a payment's reserve is about to be asked for.
    pub fn wants_reserve(&mut self, merchant: usize, reference: &str) {
        self.asked_for_reserve.insert((merchant, reference.to_owned()));
    }

    /// Every settlement and every release of a reserve had its reason; `now_us` names the end of a run, when nothing may be left over.
    pub fn audit_settlements(&self, reader: &Reader<'_>, now_us: Option<i64>) -> Result<(), Violation> {
        for (merchant, ids) in self.cast.iter().enumerate() {
            let payments = reader.payments(ids.merchant)?;
            let by_id: BTreeMap<PaymentId, &Payment> = payments.iter().map(|payment| (payment.id, payment)).collect();
            let (mut settled, mut released) = (BTreeSet::new(), BTreeSet::new());
            for event in reader.events_after(ids.merchant, 0)? {
                let Some(payment) = event.payment_id.and_then(|id| by_id.get(&id)) else { continue };
                match event.kind {
                    EventKind::PaymentSettled => {
                        must(settled.insert(payment.id), "no_payment_is_settled_twice", || payment.payment_reference.clone())?;
                        self.must_be_due(merchant, payment, &event)?;
                    }
                    EventKind::ReserveReleased => {
                        must(released.insert(payment.id), "no_reserve_is_released_twice", || payment.payment_reference.clone())?;
                        let due_us = self.terms(merchant, payment).reserve_days.map(|days| self.day_us(merchant, payment, days));
                        let asked = self.asked_for_reserve.contains(&(merchant, payment.payment_reference.clone()));
                        must(asked || due_us.is_some_and(|due_us| due_us <= event.at.us()), "no_reserve_is_released_early", || {
                            format!("{} at {}", payment.payment_reference, event.at.us())
                        })?;
                    }
                    _ => {}
                }
            }
            for payment in payments.iter().filter(|payment| payment.status == PaymentStatus::Captured) {
                must(payment.settled == settled.contains(&payment.id), "a_settlement_is_told", || payment.payment_reference.clone())?;
                if let Some(now_us) = now_us {
                    self.must_not_be_late(merchant, payment, now_us)?;
                }
            }
        }
        Ok(())
    }

    fn must_be_due(&self, merchant: usize, payment: &Payment, event: &Event) -> Result<(), Violation> {
        let key = (merchant, payment.payment_reference.clone());
        if self.asked_to_settle.contains(&key) {
            return Ok(());
        }
        let due_us = self.terms(merchant, payment).trade_days.map(|days| self.day_us(merchant, payment, days));
        must(due_us.is_some_and(|due_us| due_us <= event.at.us()), "nothing_settles_before_its_day", || {
            format!("{} of {:?} at {}, due at {due_us:?}", payment.payment_reference, payment.paid_at, event.at.us())
        })?;
        must(self.is_free(merchant, payment), "nothing_settles_before_its_condition", || {
            format!("{}: told was {:?}", payment.payment_reference, self.told_of_goods.get(&key))
        })
    }

    fn must_not_be_late(&self, merchant: usize, payment: &Payment, now_us: i64) -> Result<(), Violation> {
        // What was told and refused, or told before the payment was there, does not count: only contracts that wait for nothing are sure.
        let terms = self.terms(merchant, payment);
        let waits = terms.reviewed || terms.condition != SettlementCondition::None;
        let due_us = terms.trade_days.filter(|_| !waits).map(|days| self.day_us(merchant, payment, days));
        let is_late = due_us.is_some_and(|due_us| due_us + SLACK_US < now_us);
        must(payment.settled || !is_late, "what_is_due_is_settled", || format!("{} was due at {due_us:?}", payment.payment_reference))
    }

    /// Whether everything that the contract waits for was told.
    fn is_free(&self, merchant: usize, payment: &Payment) -> bool {
        let terms = self.terms(merchant, payment);
        let told = self.told_of_goods.get(&(merchant, payment.payment_reference.clone()));
        let was_told = |goods: Goods| told.is_some_and(|told| told.contains(&goods));
        let goods = match terms.condition {
            SettlementCondition::None => true,
            SettlementCondition::TrackingUploaded => was_told(Goods::Tracked),
            SettlementCondition::Delivered => was_told(Goods::Delivered),
        };
        goods && (!terms.reviewed || was_told(Goods::Reviewed))
    }

    pub(super) fn terms(&self, merchant: usize, payment: &Payment) -> &SettlementTerms {
        &self.cast[merchant].terms[&payment.terminal_id]
    }

    /// The beginning of the day that is so many days after that of the payment, where the merchant is.
    fn day_us(&self, merchant: usize, payment: &Payment, days: u32) -> i64 {
        let ahead_us = i64::from(self.terms(merchant, payment).utc_offset_minutes) * 60_000_000;
        let local_us = payment.paid_at.us() + ahead_us;
        local_us - local_us.rem_euclid(DAY_US) + i64::from(days) * DAY_US - ahead_us
    }
}
