//! What a command reads and may write: loaded and locked before it is decided.

use std::collections::{BTreeMap, BTreeSet};

use refundry_ledger::Currency;

use crate::command::{
    Act, Command, CreateRefund, CreateShare, DecideAdjustment, ProposeAdjustment, RecordDispute, RecordPayment, RecoverAdvance,
    ReleaseWaiting,
};
use crate::dispute::DisputeKey;
use crate::idempotency::IdempotencyKey;
use crate::payment::PaymentKey;
use crate::person::{Person, PersonKey};
use crate::share::ShareKey;
use crate::{
    AdjustmentId, CredentialId, MerchantId, NotificationId, PaymentId, PayoutId, RefundId, ShareId, TaskId, TerminalId, Timestamp,
};

/// The rows that a batch of commands needs. A refund brings its payment, terminal and merchant along; a payment its balances; a merchant its
/// counters; a key what is remembered of it, with the refund. So a scope names only the first thing of each chain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each set or map holds the keys of what it is named after")]
pub struct Scope {
    pub merchants: BTreeSet<MerchantId>,
    pub terminals: BTreeSet<(MerchantId, TerminalId)>,
    pub payments: BTreeSet<(MerchantId, PaymentKey)>,
    pub refunds: BTreeSet<(MerchantId, RefundId)>,
    /// A share brings its payment and the receivers of its lines along; a payment its planned and running shares and its receivers, each with its
    /// counters and its balances in the payment's currency.
    pub shares: BTreeSet<(MerchantId, ShareKey)>,
    /// Payments of whose refunds it is asked how many are open.
    pub open_refunds: BTreeSet<(MerchantId, PaymentKey)>,
    pub disputes: BTreeSet<(MerchantId, DisputeKey)>,
    pub keys: BTreeSet<IdempotencyKey>,
    pub notifications: BTreeSet<(MerchantId, NotificationId)>,
    pub payouts: BTreeSet<(MerchantId, PayoutId)>,
    pub adjustments: BTreeSet<(MerchantId, AdjustmentId)>,
    pub credentials: BTreeSet<CredentialId>,
    /// Tasks that the decision must know: those of queues, because others put them too.
    pub tasks: BTreeSet<(MerchantId, TaskId)>,
    pub people: BTreeSet<PersonKey>,
    /// Merchants for whom refunds are asked for, and the first instant: rules about velocity look back from there.
    pub creations: BTreeMap<MerchantId, Timestamp>,
    /// Currencies whose balances are needed beside those of the payments.
    pub currencies: BTreeSet<(MerchantId, Currency)>,
    /// Merchants of whom it is asked whether a settlement is due at an instant.
    pub settlements: BTreeMap<MerchantId, Timestamp>,
}

impl Scope {
    /// Adds what `command` needs. Every command touches one merchant; its counters number the events.
    pub fn include(&mut self, command: &Command) {
        match &command.act {
            Act::CreateRefund(act) => self.new_refund(act, command.stamp.now),
            Act::CancelRefund(act) => self.refund(act.merchant_id, act.refund_id),
            Act::ReviewRefund(act) => self.refund(act.merchant_id, act.refund_id),
            Act::EditRefund(act) => self.refund(act.merchant_id, act.refund_id),
            Act::SendNow(act) => self.refund(act.merchant_id, act.refund_id),
            Act::ReleaseRefund(act) => self.refund(act.merchant_id, act.refund_id),
            Act::ReleaseWaiting(act) => self.waiting(act),
            Act::StartSubmission(act) => self.refund(act.merchant_id, act.refund_id),
            Act::RecordResult(act) => self.refund(act.merchant_id, act.refund_id),
            Act::RecordArn(act) => self.refund(act.merchant_id, act.refund_id),
            Act::RecordReturn(act) => self.refund(act.merchant_id, act.refund_id),
            Act::CreateShare(act) => self.new_share(act),
            Act::StartShare(act) => self.share(act.merchant_id, act.share_id),
            Act::FinishShare(act) => self.share(act.merchant_id, act.share_id),
            Act::CancelShare(act) => self.share(act.merchant_id, act.share_id),
            Act::RecoverAdvance(act) => self.recovery(act),
            Act::RecordPayment(act) => self.told_payment(act),
            Act::CapturePayment(act) => self.payment(act.merchant_id, act.payment_id),
            Act::VoidPayment(act) => self.payment(act.merchant_id, act.payment_id),
            Act::RecordDispute(act) => self.told_dispute(act),
            Act::ChangeDispute(act) => {
                self.payment(act.merchant_id, act.payment_id);
                self.disputes.insert((act.merchant_id, DisputeKey::Id(act.dispute_id)));
            }
            Act::PutRates(_) => {}
            Act::SettlePayment(act) => self.payment(act.merchant_id, act.payment_id),
            Act::SettleDue(act) => self.payment(act.merchant_id, act.payment_id),
            Act::EndSettling(act) => {
                self.merchants.insert(act.merchant_id);
                let asked = self.settlements.entry(act.merchant_id).or_insert(command.stamp.now);
                *asked = command.stamp.now.max(*asked);
            }
            Act::ReleaseReserve(act) => self.payment(act.merchant_id, act.payment_id),
            Act::ReleaseFixedReserve(act) => self.currency(act.merchant_id, act.keep.currency()),
            Act::MarkPayment(act) => self.payment(act.merchant_id, act.payment_id),
            Act::RecordTracking(act) => self.payment(act.merchant_id, act.payment_id),
            Act::RecordShipmentState(act) => self.payment(act.merchant_id, act.payment_id),
            Act::TopUp(act) => self.paid_in(act.merchant_id, act.amount.currency(), &act.key),
            Act::RecordAcquirerSettlement(act) => self.paid_in(act.merchant_id, act.amount.currency(), &act.key),
            Act::PreparePayout(act) => self.currency(act.merchant_id, act.currency),
            Act::AdvancePayout(act) => {
                self.merchants.insert(act.merchant_id);
                self.payouts.insert((act.merchant_id, act.payout_id));
            }
            Act::ProposeAdjustment(act) => self.proposed(act),
            Act::CollectExposure(act) => self.payment(act.merchant_id, act.payment_id),
            Act::DecideAdjustment(act) => self.decided(act),
            Act::RecordDelivery(act) => {
                self.notifications.insert((act.merchant_id, act.attempt.notification_id));
            }
            Act::ReplayNotification(act) => {
                self.merchants.insert(act.merchant_id);
                self.notifications.insert((act.merchant_id, act.notification_id));
            }
            Act::PutMerchant(merchant) => self.merchant(merchant.id),
            Act::PutTerminal(terminal) => self.terminal(terminal.merchant_id, terminal.id),
            Act::ChangeMerchant(change) => self.merchant(change.after.id),
            Act::ChangeTerminal(change) => self.terminal(change.after.merchant_id, change.after.id),
            Act::PutEndpoint(act) => self.merchant(act.merchant_id),
            Act::RemoveEndpoint(act) => self.merchant(act.merchant_id),
            Act::PutPerson(person) => self.person(person),
            Act::ChangePerson(change) => self.person(&change.after),
            Act::PutCredential(credential) => self.credential(credential.id),
            Act::ChangeCredential(change) => self.credential(change.after.id),
            Act::RevokeCredential(act) => self.credential(act.credential_id),
        }
    }

    fn paid_in(&mut self, merchant_id: MerchantId, currency: Currency, key: &IdempotencyKey) {
        self.currency(merchant_id, currency);
        self.keys.insert(key.clone());
    }

    fn proposed(&mut self, act: &ProposeAdjustment) {
        self.merchants.insert(act.merchant_id);
        self.payments.extend(act.payment.clone().map(|payment| (act.merchant_id, payment)));
        self.keys.insert(act.key.clone());
    }

    fn decided(&mut self, act: &DecideAdjustment) {
        self.merchants.insert(act.merchant_id);
        self.payments.extend(act.payment_id.map(|id| (act.merchant_id, PaymentKey::Id(id))));
        self.adjustments.insert((act.merchant_id, act.adjustment_id));
    }

    fn recovery(&mut self, act: &RecoverAdvance) {
        self.payment(act.merchant_id, act.payment_id);
        self.keys.insert(act.key.clone());
    }

    fn waiting(&mut self, act: &ReleaseWaiting) {
        self.currency(act.merchant_id, act.currency);
        self.tasks.insert((act.merchant_id, act.task.id));
        self.refunds.extend(act.refund_ids.iter().map(|id| (act.merchant_id, *id)));
    }

    fn told_dispute(&mut self, act: &RecordDispute) {
        self.merchants.insert(act.merchant_id);
        self.payments.insert((act.merchant_id, act.payment.clone()));
        self.disputes.insert((act.merchant_id, DisputeKey::NetworkReference(act.network_reference.clone())));
    }

    fn currency(&mut self, merchant_id: MerchantId, currency: Currency) {
        self.merchants.insert(merchant_id);
        self.currencies.insert((merchant_id, currency));
    }

    fn new_refund(&mut self, act: &CreateRefund, now: Timestamp) {
        let at = self.creations.entry(act.merchant_id).or_insert(now);
        *at = now.min(*at);
        self.merchants.insert(act.merchant_id);
        self.terminals.extend(act.terminal_id.map(|id| (act.merchant_id, id)));
        self.payments.insert((act.merchant_id, act.payment.clone()));
        self.keys.insert(act.key.clone());
        self.disputes.extend(act.accepts_dispute.map(|id| (act.merchant_id, DisputeKey::Id(id))));
    }

    fn new_share(&mut self, act: &CreateShare) {
        self.merchants.insert(act.merchant_id);
        self.terminals.extend(act.terminal_id.map(|id| (act.merchant_id, id)));
        self.payments.insert((act.merchant_id, act.payment.clone()));
        self.open_refunds.insert((act.merchant_id, act.payment.clone()));
        self.keys.insert(act.key.clone());
        self.merchants.extend(act.lines.iter().filter_map(|line| line.receiver_id));
    }

    fn told_payment(&mut self, act: &RecordPayment) {
        let payment = &act.payment;
        self.keys.extend(act.plan.iter().map(|planned| planned.key.clone()));
        self.merchants.extend(act.plan.iter().flat_map(|planned| &planned.lines).filter_map(|line| line.receiver_id));
        self.merchants.insert(payment.merchant_id);
        self.terminals.insert((payment.merchant_id, payment.terminal_id));
        self.payments.insert((payment.merchant_id, PaymentKey::Reference(payment.payment_reference.clone())));
        self.payments.insert((payment.merchant_id, PaymentKey::Id(payment.id)));
        self.currencies.insert((payment.merchant_id, payment.currency()));
        self.currencies.insert((payment.merchant_id, payment.home_currency()));
    }

    /// Adds what another scope needs.
    pub fn extend(&mut self, other: Self) {
        // Every field by name, so that none that is added can be forgotten.
        let Self {
            merchants,
            terminals,
            payments,
            refunds,
            shares,
            open_refunds,
            disputes,
            keys,
            notifications,
            payouts,
            adjustments,
            credentials,
            tasks,
            people,
            creations,
            currencies,
            settlements,
        } = other;
        self.merchants.extend(merchants);
        self.terminals.extend(terminals);
        self.payments.extend(payments);
        self.refunds.extend(refunds);
        self.shares.extend(shares);
        self.open_refunds.extend(open_refunds);
        self.disputes.extend(disputes);
        self.keys.extend(keys);
        self.notifications.extend(notifications);
        self.payouts.extend(payouts);
        self.adjustments.extend(adjustments);
        self.credentials.extend(credentials);
        self.tasks.extend(tasks);
        self.people.extend(people);
        for (merchant_id, at) in creations {
            let first = self.creations.entry(merchant_id).or_insert(at);
            *first = at.min(*first);
        }
        self.currencies.extend(currencies);
        for (merchant_id, by) in settlements {
            let last = self.settlements.entry(merchant_id).or_insert(by);
            *last = by.max(*last);
        }
    }

    /// Every merchant whose rows it names, but for notifications, which are told apart one by one.
    pub fn all_merchants(&self) -> BTreeSet<MerchantId> {
        let mut merchants = self.merchants.clone();
        merchants.extend(self.terminals.iter().map(|(merchant_id, _)| *merchant_id));
        merchants.extend(self.refunds.iter().map(|(merchant_id, _)| *merchant_id));
        merchants.extend(self.payments.iter().map(|(merchant_id, _)| *merchant_id));
        merchants.extend(self.shares.iter().map(|(merchant_id, _)| *merchant_id));
        merchants
    }

    fn merchant(&mut self, id: MerchantId) {
        self.merchants.insert(id);
    }

    fn terminal(&mut self, merchant_id: MerchantId, id: TerminalId) {
        self.merchants.insert(merchant_id);
        self.terminals.insert((merchant_id, id));
    }

    fn person(&mut self, person: &Person) {
        self.people.insert(person.key());
    }

    fn credential(&mut self, id: CredentialId) {
        self.credentials.insert(id);
    }

    fn payment(&mut self, merchant_id: MerchantId, payment_id: PaymentId) {
        self.merchants.insert(merchant_id);
        self.payments.insert((merchant_id, PaymentKey::Id(payment_id)));
    }

    fn share(&mut self, merchant_id: MerchantId, share_id: ShareId) {
        self.merchants.insert(merchant_id);
        self.shares.insert((merchant_id, ShareKey::Id(share_id)));
    }

    fn refund(&mut self, merchant_id: MerchantId, refund_id: RefundId) {
        self.merchants.insert(merchant_id);
        self.refunds.insert((merchant_id, refund_id));
    }
}
