//! What was loaded for a batch, as the decisions see it. Each verdict is absorbed before the next command is decided.

use std::collections::BTreeMap;
use std::sync::Arc;

use refundry_ledger::{Balances, Currency};

use crate::adjustment::Adjustment;
use crate::credential::Credential;
use crate::dispute::Dispute;
use crate::idempotency::{IdempotencyKey, Remembered};
use crate::merchant::{Merchant, Terminal};
use crate::notification::Notification;
use crate::payment::{Payment, PaymentKey};
use crate::payout::{self, Payout, Pots};
use crate::person::{Person, PersonKey};
use crate::posting_rules::SPENDABLE;
use crate::refund::Refund;
use crate::review_rule::RecentRefunds;
use crate::share::Share;
use crate::task::{Task, TaskKind};
use crate::verdict::{Changes, Write};
use crate::{
    AdjustmentId, CredentialId, DisputeId, MerchantId, NotificationId, PaymentId, PayoutId, RefundId, ShareId, TaskId, TerminalId,
    Timestamp,
};

/// The state that a batch is decided against.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "each map holds what it is named after")]
pub struct Snapshot {
    pub merchants: BTreeMap<MerchantId, Arc<Merchant>>,
    pub terminals: BTreeMap<(MerchantId, TerminalId), Arc<Terminal>>,
    pub payments: BTreeMap<(MerchantId, PaymentId), Payment>,
    /// Which payment a reference names.
    pub references: BTreeMap<(MerchantId, String), PaymentId>,
    pub refunds: BTreeMap<(MerchantId, RefundId), Refund>,
    pub shares: BTreeMap<(MerchantId, ShareId), Share>,
    /// How many refunds are open of the payments that were asked about; of others nothing is said.
    pub open_refunds: BTreeMap<(MerchantId, PaymentId), u32>,
    pub disputes: BTreeMap<(MerchantId, DisputeId), Dispute>,
    /// Which dispute a number of the network names.
    pub dispute_references: BTreeMap<(MerchantId, String), DisputeId>,
    pub remembered: BTreeMap<IdempotencyKey, Remembered>,
    pub notifications: BTreeMap<(MerchantId, NotificationId), Notification>,
    pub credentials: BTreeMap<CredentialId, Credential>,
    pub payouts: BTreeMap<(MerchantId, PayoutId), Payout>,
    pub adjustments: BTreeMap<(MerchantId, AdjustmentId), Adjustment>,
    /// The tasks of queues that were asked for.
    pub tasks: BTreeMap<(MerchantId, TaskId), Task>,
    pub people: BTreeMap<PersonKey, Person>,
    pub balances: Balances<MerchantId>,
    /// What moved on the available money since the last payouts.
    pub pots: BTreeMap<(MerchantId, Currency), Pots>,
    /// The number of the last event in each merchant's feed.
    pub last_sequence: BTreeMap<MerchantId, i64>,
    /// What rules about velocity count.
    pub recent: RecentRefunds,
    /// How many refunds of a merchant and currency wait for money.
    pub waiting: BTreeMap<(MerchantId, Currency), i64>,
    /// Since when something of a merchant's settlements and reserves is due, when something is; only for those that a scope asks for.
    pub next_settlement: BTreeMap<MerchantId, Timestamp>,
}

impl Snapshot {
    /// The payment that a key names.
    pub fn payment(&self, merchant_id: MerchantId, key: &PaymentKey) -> Option<&Payment> {
        let id = match key {
            PaymentKey::Id(id) => *id,
            PaymentKey::Reference(reference) => *self.references.get(&(merchant_id, reference.clone()))?,
        };
        self.payments.get(&(merchant_id, id))
    }

    /// The refund of that id.
    pub fn refund(&self, merchant_id: MerchantId, id: RefundId) -> Option<&Refund> {
        self.refunds.get(&(merchant_id, id))
    }

    /// Takes a verdict's changes over, so that the next command of the batch sees them.
    ///
    /// # Panics
    /// When a balance overflows: a verdict checks that before it says so.
    pub fn absorb(&mut self, changes: &Changes) {
        for payment in changes.payments.values().map(Write::row) {
            self.references.insert((payment.merchant_id, payment.payment_reference.clone()), payment.id);
            self.payments.insert((payment.merchant_id, payment.id), payment.clone());
        }
        for refund in changes.refunds.values().map(Write::row) {
            self.recent.absorb(refund);
            self.count_open(refund);
            self.refunds.insert((refund.merchant_id, refund.id), refund.clone());
        }
        for share in changes.shares.values().map(Write::row) {
            self.shares.insert((share.merchant_id, share.id), share.clone());
        }
        for dispute in changes.disputes.values().map(Write::row) {
            self.dispute_references.insert((dispute.merchant_id, dispute.network_reference.clone()), dispute.id);
            self.disputes.insert((dispute.merchant_id, dispute.id), dispute.clone());
        }
        for merchant in changes.merchants.values() {
            self.merchants.insert(merchant.id, merchant.clone());
        }
        for terminal in changes.terminals.values() {
            self.terminals.insert((terminal.merchant_id, terminal.id), terminal.clone());
        }
        for notification in changes.notifications.values().map(Write::row) {
            self.notifications.insert((notification.merchant_id, notification.id), notification.clone());
        }
        for remembered in &changes.remembered {
            self.remembered.insert(remembered.key.clone(), remembered.clone());
        }
        for credential in changes.credentials.values() {
            self.credentials.insert(credential.id, credential.clone());
        }
        for payout in changes.payouts.values().map(Write::row) {
            self.payouts.insert((payout.merchant_id, payout.id), payout.clone());
        }
        for adjustment in changes.adjustments.values().map(Write::row) {
            self.adjustments.insert((adjustment.merchant_id, adjustment.id), adjustment.clone());
        }
        for person in changes.people.values() {
            self.people.insert(person.key(), person.clone());
        }
        for booked in &changes.entries {
            let balances = &self.balances;
            payout::record(&mut self.pots, booked.cause, &booked.entry, |merchant_id, currency| {
                balances.of(merchant_id, SPENDABLE, currency)
            });
            self.balances.post(&booked.entry).expect("a verdict never overflows a balance");
        }
        for (key, pots) in &changes.pots {
            self.pots.insert(*key, pots.clone());
        }
        for event in &changes.events {
            self.last_sequence.insert(event.merchant_id, event.sequence);
        }
        for (key, task) in &changes.tasks {
            match task {
                Some(task) if task.kind == TaskKind::ReleaseWaiting => drop(self.tasks.insert(*key, task.clone())),
                Some(_) => {}
                None => drop(self.tasks.remove(key)),
            }
        }
        for (key, waiting) in &changes.waiting {
            self.waiting.insert(*key, *waiting);
        }
    }
    /// An earlier command of the batch opened or ended a refund of a payment that somebody asks about.
    fn count_open(&mut self, refund: &Refund) {
        let was_open = self.refunds.get(&(refund.merchant_id, refund.id)).is_some_and(|before| !before.state.is_final());
        let Some(open) = self.open_refunds.get_mut(&(refund.merchant_id, refund.payment_id)) else { return };
        match (was_open, !refund.state.is_final()) {
            (false, true) => *open = open.saturating_add(1),
            (true, false) => *open = open.saturating_sub(1),
            (true, true) | (false, false) => {}
        }
    }
}
