//! Who gets something of which payment, as far as a lane has seen. Their locks are taken in one order with all others, so they must be known before
//! the payment is read; what is not known here is found out by reading it once in vain.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use refundry_engine::payment::{Payment, PaymentKey};
use refundry_engine::share::ShareKey;
use refundry_engine::{Changes, MerchantId, RefundId, Scope, Snapshot, Write};

use crate::rows::share::receivers_of;

/// Names that are kept; more are forgotten all at once.
const NAMES_KEPT_MAX: usize = 50_000;

/// What payments, their refunds and their shares bring along, by every name that a scope may have for them. It may be out of date: then one lock too
/// many is taken, or the payment is read once in vain.
#[derive(Default)]
pub struct Receivers(BTreeMap<Name, Arc<BTreeSet<MerchantId>>>);

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Name {
    Payment(MerchantId, PaymentKey),
    Refund(MerchantId, RefundId),
    Share(MerchantId, ShareKey),
}

impl Receivers {
    /// Adds those of everything that a scope names.
    pub fn add_to(&self, scope: &mut Scope) {
        if self.0.is_empty() {
            return;
        }
        let payments = scope.payments.iter().map(|(merchant_id, key)| Name::Payment(*merchant_id, key.clone()));
        let refunds = scope.refunds.iter().map(|(merchant_id, id)| Name::Refund(*merchant_id, *id));
        let shares = scope.shares.iter().map(|(merchant_id, key)| Name::Share(*merchant_id, key.clone()));
        let known: Vec<&Arc<BTreeSet<MerchantId>>> = payments.chain(refunds).chain(shares).filter_map(|name| self.0.get(&name)).collect();
        scope.merchants.extend(known.into_iter().flat_map(|receivers| receivers.iter().copied()));
    }

    /// Keeps what a batch loaded.
    pub fn learn(&mut self, snapshot: &Snapshot) {
        snapshot.payments.values().for_each(|payment| self.learn_payment(payment));
        for refund in snapshot.refunds.values() {
            self.learn_refund((refund.merchant_id, refund.id), PaymentKey::Id(refund.payment_id));
        }
        for share in snapshot.shares.values() {
            let receivers = share.lines.iter().map(|line| line.receiver_id);
            self.learn_share((share.merchant_id, ShareKey::Id(share.id)), PaymentKey::Id(share.payment_id), receivers);
        }
    }

    /// Keeps what a batch wrote: the next one will name it.
    pub fn learn_changes(&mut self, changes: &Changes) {
        changes.payments.values().map(Write::row).for_each(|payment| self.learn_payment(payment));
        for refund in changes.refunds.values().map(Write::row) {
            self.learn_refund((refund.merchant_id, refund.id), PaymentKey::Id(refund.payment_id));
        }
        for share in changes.shares.values().map(Write::row) {
            let receivers = share.lines.iter().map(|line| line.receiver_id);
            self.learn_share((share.merchant_id, ShareKey::Id(share.id)), PaymentKey::Id(share.payment_id), receivers);
        }
    }

    fn learn_payment(&mut self, payment: &Payment) {
        let receivers: BTreeSet<MerchantId> = receivers_of(payment).collect();
        if receivers.is_empty() {
            return;
        }
        let receivers = Arc::new(receivers);
        self.keep(Name::Payment(payment.merchant_id, PaymentKey::Id(payment.id)), Arc::clone(&receivers));
        self.keep(Name::Payment(payment.merchant_id, PaymentKey::Reference(payment.payment_reference.clone())), receivers);
    }

    fn learn_refund(&mut self, (merchant_id, id): (MerchantId, RefundId), payment: PaymentKey) {
        if let Some(receivers) = self.of_payment(merchant_id, payment) {
            self.keep(Name::Refund(merchant_id, id), receivers);
        }
    }

    fn learn_share(&mut self, (merchant_id, key): (MerchantId, ShareKey), payment: PaymentKey, lines: impl Iterator<Item = MerchantId>) {
        let of_payment = self.of_payment(merchant_id, payment).unwrap_or_default();
        let receivers = lines.chain(of_payment.iter().copied()).collect();
        self.keep(Name::Share(merchant_id, key), Arc::new(receivers));
    }

    fn of_payment(&self, merchant_id: MerchantId, payment: PaymentKey) -> Option<Arc<BTreeSet<MerchantId>>> {
        if self.0.is_empty() { None } else { self.0.get(&Name::Payment(merchant_id, payment)).map(Arc::clone) }
    }

    fn keep(&mut self, name: Name, receivers: Arc<BTreeSet<MerchantId>>) {
        if self.0.len() >= NAMES_KEPT_MAX {
            self.0.clear();
        }
        self.0.insert(name, receivers);
    }
}
