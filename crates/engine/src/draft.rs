//! A verdict in the making: every row that one command writes, and what the snapshot looks like with them. A decision that ends in a
//! refusal drops its draft, so nothing of it remains.

use std::collections::BTreeMap;

use refundry_ledger::{Currency, Entry, LedgerAccount, Posting};

use crate::event::{Event, EventFacts, EventKind};
use crate::ids::IdBlock;
use crate::notification::{Notification, NotificationState, Recipient};
use crate::notify;
use crate::payment::Payment;
use crate::payout::{self, FIRST_PERIOD, Pots};
use crate::policy::Policy;
use crate::posting_rules::SPENDABLE;
use crate::refund::{Refund, RefundInPlay};
use crate::review_rule::RecentRefunds;
use crate::settlement::SettlementTerms;
use crate::share::Share;
use crate::task::Task;
use crate::verdict::{AuditLine, BookedEntry, Changes};
use crate::{
    Actor, AuditId, EntryId, MerchantId, Mode, NotificationId, Outcome, PaymentId, RefundId, Refusal, Snapshot, Stamp, TaskId, TerminalId,
    Timestamp, Verdict, Write,
};

/// What one command writes, and the snapshot as it looks behind it.
pub(crate) struct Draft<'a> {
    snapshot: &'a Snapshot,
    stamp: &'a Stamp,
    ids: IdBlock,
    changes: Changes,
    balances: BTreeMap<(MerchantId, Currency, LedgerAccount), i64>,
}

/// What an event, an entry or a line of the audit log is about.
#[derive(Clone, Copy)]
pub(crate) struct About {
    pub(crate) merchant_id: MerchantId,
    pub(crate) payment_id: Option<PaymentId>,
    pub(crate) refund_id: Option<RefundId>,
}

impl About {
    pub(crate) fn refund(refund: &Refund) -> Self {
        Self { merchant_id: refund.merchant_id, payment_id: Some(refund.payment_id), refund_id: Some(refund.id) }
    }

    pub(crate) fn payment(payment: &Payment) -> Self {
        Self { merchant_id: payment.merchant_id, payment_id: Some(payment.id), refund_id: None }
    }

    pub(crate) fn merchant(merchant_id: MerchantId) -> Self {
        Self { merchant_id, payment_id: None, refund_id: None }
    }
}

impl<'a> Draft<'a> {
    /// An empty draft.
    pub(crate) fn new(snapshot: &'a Snapshot, stamp: &'a Stamp) -> Self {
        Self { snapshot, stamp, ids: stamp.ids.clone(), changes: Changes::default(), balances: BTreeMap::new() }
    }

    /// The instant of the decision.
    pub(crate) fn now(&self) -> Timestamp {
        self.stamp.now
    }

    /// Who asks.
    pub(crate) fn actor(&self) -> &'a Actor {
        &self.stamp.actor
    }

    /// The recent refunds of the merchants whose rules count them.
    pub(crate) fn recent(&self) -> &'a RecentRefunds {
        &self.snapshot.recent
    }

    /// An id to name a row with.
    pub(crate) fn take_id(&mut self) -> i64 {
        self.ids.take()
    }

    /// How many ids are left to name rows with.
    pub(crate) fn ids_left(&self) -> u16 {
        self.ids.left()
    }

    /// A refund and its payment, as earlier steps of this draft left them. A caller of the other mode learns nothing of it.
    pub(crate) fn find(&self, merchant_id: MerchantId, refund_id: RefundId, mode: Option<Mode>) -> Result<RefundInPlay, Refusal> {
        let key = (merchant_id, refund_id);
        let refund = self.changes.refunds.get(&key).map(Write::row).or_else(|| self.snapshot.refunds.get(&key));
        let refund = refund.filter(|refund| mode.is_none_or(|mode| mode == refund.mode)).ok_or(Refusal::UnknownRefund)?;
        let key = (merchant_id, refund.payment_id);
        let payment = self.changes.payments.get(&key).map(Write::row).or_else(|| self.snapshot.payments.get(&key));
        let payment = payment.ok_or(Refusal::UnknownPayment)?;
        Ok(RefundInPlay { refund: refund.clone(), payment: payment.clone() })
    }

    /// The rules for a refund: those of the terminal that asked for it and of the method that the payment was made by.
    pub(crate) fn policy(&self, in_play: &RefundInPlay) -> Policy {
        self.policy_of(in_play.refund.terminal_id, &in_play.payment)
    }

    /// The rules of the terminal that took a payment, for its method.
    pub(crate) fn payment_policy(&self, payment: &Payment) -> Policy {
        self.policy_of(payment.terminal_id, payment)
    }

    fn policy_of(&self, terminal_id: TerminalId, payment: &Payment) -> Policy {
        let terminal = self.snapshot.terminals.get(&(payment.merchant_id, terminal_id));
        match (self.snapshot.merchants.get(&payment.merchant_id), terminal) {
            (Some(merchant), Some(terminal)) => terminal.policy_for(merchant, &payment.method),
            (Some(merchant), None) => Policy::default().patched(&merchant.policy),
            (None, _) => Policy::default(),
        }
    }

    /// The terms on which a payment is settled.
    pub(crate) fn settlement_terms(&self, payment: &Payment) -> SettlementTerms {
        let terminal = self.snapshot.terminals.get(&(payment.merchant_id, payment.terminal_id));
        match (self.snapshot.merchants.get(&payment.merchant_id), terminal) {
            (Some(merchant), Some(terminal)) => terminal.settlement_terms_for(merchant, &payment.method),
            (Some(merchant), None) => SettlementTerms::default().patched(&merchant.policy.settlement),
            (None, _) => SettlementTerms::default(),
        }
    }

    /// What stands on an account, entries of this draft included.
    pub(crate) fn balance(&self, merchant_id: MerchantId, account: LedgerAccount, currency: Currency) -> i64 {
        let drafted = self.balances.get(&(merchant_id, currency, account)).copied();
        drafted.unwrap_or_else(|| self.snapshot.balances.of(merchant_id, account, currency))
    }

    /// What was loaded.
    pub(crate) fn snapshot(&self) -> &'a Snapshot {
        self.snapshot
    }

    /// The pots of a merchant's available money, entries of this draft included.
    pub(crate) fn pots(&self, merchant_id: MerchantId, currency: Currency) -> Pots {
        let key = (merchant_id, currency);
        let mut pots = self.snapshot.pots.get(&key).map(|pots| BTreeMap::from([(key, pots.clone())])).unwrap_or_default();
        let opened = |merchant_id, currency| self.snapshot.balances.of(merchant_id, SPENDABLE, currency);
        self.changes.entries.iter().for_each(|booked| payout::record(&mut pots, booked.cause, &booked.entry, opened));
        pots.remove(&key).unwrap_or_else(|| Pots::opened_with(opened(merchant_id, currency)))
    }

    /// How many refunds of a merchant and currency wait for money, this draft included.
    pub(crate) fn waiting(&self, merchant_id: MerchantId, currency: Currency) -> i64 {
        let key = (merchant_id, currency);
        let drafted = self.changes.waiting.get(&key).or_else(|| self.snapshot.waiting.get(&key));
        drafted.copied().unwrap_or(0)
    }

    /// One more refund waits for money, or one less.
    pub(crate) fn change_waiting(&mut self, merchant_id: MerchantId, currency: Currency, by: i64) {
        let waiting = self.waiting(merchant_id, currency).saturating_add(by).max(0);
        self.changes.waiting.insert((merchant_id, currency), waiting);
    }

    /// A task of a queue, as it stands.
    pub(crate) fn task(&self, merchant_id: MerchantId, id: TaskId) -> Option<&'a Task> {
        self.snapshot.tasks.get(&(merchant_id, id))
    }

    /// Money came, or the first in the queue left it: who waits is looked at again.
    pub(crate) fn serve_waiting(&mut self, merchant_id: MerchantId, currency: Currency) {
        if self.waiting(merchant_id, currency) > 0 {
            self.put_task(Task::release_waiting(merchant_id, currency, self.now()));
        }
    }

    /// Books an entry; no postings are no entry.
    pub(crate) fn book(&mut self, cause: &'static str, about: About, postings: Vec<Posting<MerchantId>>) -> Result<(), Refusal> {
        if postings.is_empty() {
            return Ok(());
        }
        let entry = Entry::new(postings).expect("the posting rules leave parts of nothing out and never name one account twice");
        for posting in entry.postings() {
            for (account, sign) in [(posting.debit, -1), (posting.credit, 1)] {
                let before = self.balance(posting.book, account, posting.amount.currency());
                let after = before.checked_add(sign * posting.amount.minor()).ok_or(Refusal::OutOfRange)?;
                self.balances.insert((posting.book, posting.amount.currency(), account), after);
            }
        }
        let mut periods: Vec<(Currency, i64)> = Vec::new();
        for posting in entry.postings() {
            let currency = posting.amount.currency();
            let period = self.snapshot.pots.get(&(posting.book, currency)).map_or(FIRST_PERIOD, |pots| pots.period);
            if period != FIRST_PERIOD && !periods.iter().any(|(of, _)| *of == currency) {
                periods.push((currency, period));
            }
        }
        self.changes.entries.push(BookedEntry {
            id: EntryId::new(self.ids.take()),
            at: self.now(),
            cause,
            payment_id: about.payment_id,
            refund_id: about.refund_id,
            periods,
            entry,
        });
        Ok(())
    }

    /// Numbers an event and writes a notification, with its task, for everybody who hears of it.
    pub(crate) fn tell(&mut self, kind: EventKind, about: About, facts: EventFacts) {
        self.tell_of(kind, about, facts, None);
    }

    /// Tells of a refund, with the facts that every event of a refund has and those that only this one has.
    pub(crate) fn tell_of_refund(&mut self, kind: EventKind, in_play: &RefundInPlay, extra: EventFacts) {
        let mut facts = notify::refund_facts(&in_play.refund);
        facts.extend(extra);
        self.tell_of(kind, About::refund(&in_play.refund), facts, Some(in_play));
    }

    /// Tells of a share, and of its end the address that it was asked for with.
    pub(crate) fn tell_of_share(&mut self, kind: EventKind, share: &Share, extra: EventFacts) {
        let mut facts = notify::share_facts(share);
        facts.extend(extra);
        let about = About { merchant_id: share.merchant_id, payment_id: Some(share.payment_id), refund_id: None };
        self.tell_everybody(kind, about, facts, notify::share_address(share));
    }

    /// Tells of a dispute, also the address of the payment or its terminal, in its dialect.
    pub(crate) fn tell_of_dispute(&mut self, kind: EventKind, payment: &Payment, facts: EventFacts) {
        let address = notify::payment_address(self.snapshot, payment);
        self.tell_everybody(kind, About::payment(payment), facts, address);
    }

    /// Tells how an order ended, also the address that was named with it, in its dialect.
    pub(crate) fn tell_of_order(&mut self, kind: EventKind, payment: &Payment, facts: EventFacts) {
        let address = notify::order_address(payment);
        self.tell_everybody(kind, About::payment(payment), facts, address);
    }

    fn tell_of(&mut self, kind: EventKind, about: About, facts: EventFacts, in_play: Option<&RefundInPlay>) {
        let address = in_play.and_then(|in_play| notify::refund_address(self.snapshot, kind, in_play));
        self.tell_everybody(kind, about, facts, address);
    }

    fn tell_everybody(&mut self, kind: EventKind, about: About, facts: EventFacts, address: Option<Recipient>) {
        let merchant_id = about.merchant_id;
        let drafted = self.changes.events.iter().rev().find(|event| event.merchant_id == merchant_id).map(|event| event.sequence);
        let last = drafted.unwrap_or_else(|| self.snapshot.last_sequence.get(&merchant_id).copied().unwrap_or(0));
        let sequence = last + 1;
        for recipient in notify::recipients(self.snapshot, kind, merchant_id, address) {
            let notification = Notification {
                id: NotificationId::new(self.ids.take()),
                merchant_id,
                recipient,
                event_sequence: sequence,
                refund_id: about.refund_id,
                state: NotificationState::Due,
                tries: 0,
                created_at: self.now(),
                tried_at: None,
            };
            self.put_task(Task::of_notification(merchant_id, notification.id, self.now()));
            self.changes.notifications.insert((merchant_id, notification.id), Write::Insert(notification));
        }
        self.changes.events.push(Event {
            merchant_id,
            sequence,
            at: self.now(),
            actor: self.actor().clone(),
            payment_id: about.payment_id,
            refund_id: about.refund_id,
            kind,
            facts,
        });
    }

    /// A line of the audit log, when a person or a credential did it.
    pub(crate) fn audit(&mut self, action: &'static str, about: About, facts: EventFacts) {
        match self.actor() {
            Actor::Merchant(_) | Actor::Operator(_) => self.audit_always(action, about, facts),
            Actor::System | Actor::Acquirer | Actor::Network => {}
        }
    }

    /// A line of the audit log, whoever did it.
    pub(crate) fn audit_always(&mut self, action: &'static str, about: About, facts: EventFacts) {
        let payment = about.payment_id.map(|id| id.to_string());
        let subject = about.refund_id.map(|id| id.to_string()).or(payment).unwrap_or_else(|| about.merchant_id.to_string());
        self.changes.audit.push(AuditLine {
            id: AuditId::new(self.ids.take()),
            merchant_id: Some(about.merchant_id),
            at: self.now(),
            actor: self.actor().clone(),
            action,
            subject,
            facts,
        });
    }

    /// Puts a task in the place of the one of the same id.
    pub(crate) fn put_task(&mut self, task: Task) {
        self.changes.tasks.insert((task.merchant_id, task.id), Some(task));
    }

    /// Removes the task of that id.
    pub(crate) fn remove_task(&mut self, merchant_id: MerchantId, id: TaskId) {
        self.changes.tasks.insert((merchant_id, id), None);
    }

    /// The rows that no verb of the draft writes.
    pub(crate) fn changes(&mut self) -> &mut Changes {
        &mut self.changes
    }

    /// Writes a known refund and its payment.
    pub(crate) fn put(&mut self, in_play: RefundInPlay) {
        let RefundInPlay { mut refund, mut payment } = in_play;
        refund.updated_at = self.now();
        payment.updated_at = self.now();
        self.changes.payments.insert((payment.merchant_id, payment.id), Write::Update(payment));
        self.changes.refunds.insert((refund.merchant_id, refund.id), Write::Update(refund));
    }

    /// Writes a known refund, and its payment where that counts the refunds that are open.
    pub(crate) fn put_ended(&mut self, in_play: RefundInPlay) {
        match in_play.refund.sharing.is_some() {
            true => self.put(in_play),
            false => self.put_refund(in_play.refund),
        }
    }

    /// Writes a known refund whose payment did not change.
    pub(crate) fn put_refund(&mut self, refund: Refund) {
        self.changes.refunds.insert((refund.merchant_id, refund.id), Write::Update(refund));
    }

    /// The verdict: the refund as it stands now.
    pub(crate) fn finish_with(mut self, mut in_play: RefundInPlay) -> Verdict {
        in_play.refund.updated_at = self.now();
        let outcome = in_play.outcome(false);
        self.put(in_play);
        self.finish(outcome)
    }

    /// The verdict.
    pub(crate) fn finish(self, outcome: Outcome) -> Verdict {
        if let Some(wanted) = self.ids.overdrawn(&self.stamp.ids) {
            return Verdict::unchanged(Outcome::MoreIds { wanted });
        }
        Verdict { outcome, changes: self.changes }
    }
}
