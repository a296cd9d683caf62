//! A store in memory for one merchant: decides commands one after the other, keeps what they write, and checks after each of them what
//! must always hold.

mod invariants;
mod payouts;
pub mod shares;

use std::collections::BTreeMap;
use std::sync::Arc;

use refundry_engine::asked::OrderClaim;
use refundry_engine::command::{
    CancelRefund, CreateRefund, EditRefund, LeftToTerms, RecordAcquirerSettlement, RecordArn, RecordPayment, RecordResult, RecordReturn,
    ReleaseRefund, ReleaseWaiting, ReviewRefund, SendNow, SettlePayment, StartSubmission, TopUp,
};
use refundry_engine::command::{CapturePayment, ChangeDispute, RecordDispute, VoidPayment, VoidWhat};
use refundry_engine::dispute::DisputeChange;
use refundry_engine::event::Event;
use refundry_engine::funds::queue::{Place, WaitingRefund, places};
use refundry_engine::idempotency::IdempotencyKey;
use refundry_engine::ids::{IDS_PER_BLOCK, IdBlock, compose};
use refundry_engine::merchant::{Merchant, Standing, Terminal};
use refundry_engine::payment::{Payment, PaymentDetails, PaymentKey, PaymentStatus};
use refundry_engine::policy::{Policy, PolicyPatch};
use refundry_engine::refund::{AcquirerAnswer, Refund, RefundState};
use refundry_engine::task::{Task, TaskKind};
use refundry_engine::verdict::{AuditLine, BookedEntry};
use refundry_engine::{
    Act, Actor, Command, CredentialId, DisputeId, MerchantId, Mode, Outcome, PaymentId, PersonId, Principal, PrincipalId, RefundId,
    Snapshot, Stamp, TaskId, TerminalId, Timestamp, decide,
};
use refundry_ledger::{Currency, Money};

/// The instant at which every run begins: 2026-01-01.
pub const BEGINNING_MS: i64 = 1_767_225_600_000;
/// Minutes after which an attempt is given up on.
const RESOLVE_AFTER_SECONDS: i64 = 60;

pub const MERCHANT: MerchantId = MerchantId::new(100);
pub const TERMINAL: TerminalId = TerminalId::new(200);

pub struct Desk {
    pub snapshot: Snapshot,
    pub tasks: BTreeMap<(MerchantId, TaskId), Task>,
    pub entries: Vec<BookedEntry>,
    pub events: Vec<Event>,
    pub audit: Vec<AuditLine>,
    pub now: Timestamp,
    ids_taken: i64,
}

impl Desk {
    /// A live merchant with one terminal and nothing else.
    pub fn new(policy: PolicyPatch) -> Self {
        let mut desk = Self {
            snapshot: Snapshot::default(),
            tasks: BTreeMap::new(),
            entries: Vec::new(),
            events: Vec::new(),
            audit: Vec::new(),
            now: Timestamp::from_ms(BEGINNING_MS),
            ids_taken: 0,
        };
        let merchant = Merchant {
            id: MERCHANT,
            mode: Mode::Live,
            name: "Acme".to_owned(),
            standing: Standing::Active,
            policy,
            payout_terms: BTreeMap::new(),
            account: None,
            endpoints: Vec::new(),
        };
        let terminal = Terminal {
            id: TERMINAL,
            merchant_id: MERCHANT,
            mode: Mode::Live,
            name: "Shop".to_owned(),
            dialect: "native".to_owned(),
            standing: Standing::Active,
            policy: PolicyPatch::default(),
            method_policies: BTreeMap::new(),
            notify_url: None,
            acquirer: "simulated".to_owned(),
            wire: Default::default(),
            forced_answers: Vec::new(),
        };
        desk.snapshot.recent.open(MERCHANT);
        desk.snapshot.merchants.insert(MERCHANT, Arc::new(merchant));
        desk.snapshot.terminals.insert((MERCHANT, TERMINAL), Arc::new(terminal));
        desk
    }

    pub fn merchant(&mut self) -> &mut Merchant {
        Arc::make_mut(self.snapshot.merchants.get_mut(&MERCHANT).unwrap())
    }

    pub fn terminal(&mut self) -> &mut Terminal {
        Arc::make_mut(self.snapshot.terminals.get_mut(&(MERCHANT, TERMINAL)).unwrap())
    }

    pub fn payment(&mut self, id: PaymentId) -> &mut Payment {
        self.snapshot.payments.get_mut(&(MERCHANT, id)).unwrap()
    }

    pub fn refund(&self, id: RefundId) -> &Refund {
        self.snapshot.refund(MERCHANT, id).unwrap()
    }

    pub fn task(&self, id: RefundId) -> Option<&Task> {
        self.tasks.get(&(MERCHANT, TaskId::new(id.get())))
    }

    /// Decides, keeps what is written, checks what must hold.
    pub fn carry_out(&mut self, actor: Actor, act: Act) -> Outcome {
        let first = compose(BEGINNING_MS, 1, 0) + self.ids_taken;
        self.ids_taken += i64::from(IDS_PER_BLOCK);
        let command = Command { stamp: Stamp { now: self.now, ids: IdBlock::new(first), actor }, act };
        let mut command = command;
        let mut verdict = decide(&self.snapshot, &command);
        if let Outcome::MoreIds { wanted } = verdict.outcome {
            self.ids_taken += i64::from(wanted);
            command.stamp.ids = IdBlock::of(first, wanted);
            verdict = decide(&self.snapshot, &command);
        }
        let again = decide(&self.snapshot, &command);
        assert_eq!((&verdict.outcome, &verdict.changes.events), (&again.outcome, &again.changes.events), "a decision is repeatable");
        self.snapshot.absorb(&verdict.changes);
        for (key, task) in verdict.changes.tasks {
            match task {
                Some(task) => self.tasks.insert(key, task),
                None => self.tasks.remove(&key),
            };
        }
        self.entries.extend(verdict.changes.entries);
        self.events.extend(verdict.changes.events);
        self.audit.extend(verdict.changes.audit);
        invariants::check(self);
        payouts::check(self);
        shares::check(self);
        verdict.outcome
    }

    /// A captured payment; `change` may say more about it.
    pub fn pay(&mut self, id: PaymentId, captured: Money, change: impl FnOnce(&mut Payment)) -> Outcome {
        self.pay_by(LeftToTerms::default(), id, captured, change)
    }

    /// As [`Desk::pay`]; what is left to the terms is counted by them.
    pub fn pay_by(&mut self, left_to_terms: LeftToTerms, id: PaymentId, captured: Money, change: impl FnOnce(&mut Payment)) -> Outcome {
        let zero = Money::zero(captured.currency());
        let mut payment = Payment {
            id,
            merchant_id: MERCHANT,
            terminal_id: TERMINAL,
            mode: Mode::Live,
            payment_reference: format!("P{}", id.get()),
            merchant_reference: format!("O{}", id.get()),
            method: "card".to_owned(),
            status: PaymentStatus::Captured,
            paid_at: self.now,
            authorised: captured,
            captured,
            marketing: zero,
            fee: zero,
            reserved: zero,
            refunded: zero,
            refunded_marketing: zero,
            refund_count: 0,
            fee_given_back: zero,
            unsettled_left: zero,
            reserve_left: zero,
            settled: false,
            settling: Default::default(),
            charged_back: zero,
            open_chargebacks: 0,
            open_retrievals: 0,
            sharing: None,
            converted: refundry_engine::payment::Converted::default(),
            quote: None,
            notify_url: None,
            details: Arc::new(PaymentDetails::default()),
            created_at: self.now,
            updated_at: self.now,
        };
        change(&mut payment);
        self.carry_out(operator(), Act::RecordPayment(Box::new(RecordPayment { payment, left_to_terms, order: None, plan: Vec::new() })))
    }

    pub fn ask_as(&mut self, name: &str, create: CreateRefund) -> Outcome {
        self.carry_out(one_of_the_merchant(name), Act::CreateRefund(Box::new(create)))
    }

    pub fn cancel(&mut self, refund_id: RefundId, mode: Mode) -> Outcome {
        self.carry_out(one_of_the_merchant("shop"), Act::CancelRefund(CancelRefund { merchant_id: MERCHANT, mode, refund_id }))
    }

    pub fn review(&mut self, refund_id: RefundId, by: &str, approve: bool, seen: String) -> Outcome {
        let note = "looked at".to_owned();
        let act = ReviewRefund { merchant_id: MERCHANT, mode: Mode::Live, refund_id, approve, note, seen: Some(seen) };
        self.carry_out(one_of_the_merchant(by), Act::ReviewRefund(act))
    }

    pub fn edit(&mut self, by: &str, edit: EditRefund) -> Outcome {
        self.carry_out(one_of_the_merchant(by), Act::EditRefund(Box::new(edit)))
    }

    pub fn send_now(&mut self, refund_id: RefundId) -> Outcome {
        let act = SendNow { merchant_id: MERCHANT, mode: Mode::Live, refund_id };
        self.carry_out(one_of_the_merchant("shop"), Act::SendNow(act))
    }

    pub fn release(&mut self, refund_id: RefundId) -> Outcome {
        self.carry_out(Actor::System, Act::ReleaseRefund(ReleaseRefund { merchant_id: MERCHANT, refund_id }))
    }

    /// What the worker of the task does that a credit put: reads a page of those who wait, oldest first.
    pub fn serve(&mut self, currency: Currency, page: usize) -> Outcome {
        let task = self.task_of_queue(currency);
        self.serve_task(task, page)
    }

    /// The same with a page that was read at another time.
    pub fn serve_page(&mut self, currency: Currency, refund_ids: Vec<RefundId>, more: bool) -> Outcome {
        let task = self.task_of_queue(currency);
        self.carry_out_page(task, refund_ids, more)
    }

    /// A page of a queue, for a task that may have been replaced meanwhile.
    pub fn serve_task(&mut self, task: Task, page: usize) -> Outcome {
        let (currency, after) = task.waiting_page().unwrap();
        let mut waiting = self.waiting(currency);
        waiting.retain(|id| after.is_none_or(|after| after < *id));
        let more = waiting.len() > page;
        waiting.truncate(page);
        self.carry_out_page(task, waiting, more)
    }

    /// Those who wait for money, oldest first.
    pub fn waiting(&self, currency: Currency) -> Vec<RefundId> {
        let waits = |refund: &&Refund| {
            matches!(&refund.state, RefundState::Pending { holds } if holds.funds.is_some()) && refund.funding_currency() == currency
        };
        self.snapshot.refunds.values().filter(waits).map(|refund| refund.id).collect()
    }

    /// What those who wait need of the available money, oldest first.
    pub fn places(&self, currency: Currency) -> Vec<Place> {
        let waiting = |id: &RefundId| {
            let refund = self.refund(*id);
            let payment = &self.snapshot.payments[&(MERCHANT, refund.payment_id)];
            WaitingRefund {
                refund_id: refund.id,
                terminal_id: refund.terminal_id,
                payment_id: payment.id,
                method: payment.method.clone(),
                captured: payment.captured,
                quote: payment.quote.clone(),
                converted: payment.converted,
                amount: refund.amount,
                returned_minor: refund.sharing.as_ref().map_or(0, |of| of.lines_minor()),
                advance_minor: refund.sharing.as_ref().map_or(0, |of| of.advance_minor),
                fee_mode: payment.fee_mode(),
                refund_fee: refund.refund_fee,
                fee_given_back: refund.fee_given_back,
                settled: payment.settled,
                unsettled_left: payment.unsettled_left,
                settle_at: None,
                reserve_left: payment.reserve_left,
                reserve_release_at: None,
            }
        };
        let waiting: Vec<WaitingRefund> = self.waiting(currency).iter().map(waiting).collect();
        places(&waiting, |waiting| self.policy(self.refund(waiting.refund_id)))
    }

    /// The rules that hold for a refund.
    pub fn policy(&self, refund: &Refund) -> Policy {
        let method = &self.snapshot.payments[&(MERCHANT, refund.payment_id)].method;
        self.snapshot.terminals[&(MERCHANT, TERMINAL)].policy_for(&self.snapshot.merchants[&MERCHANT], method)
    }

    /// The open tasks that look at a queue when an hour strikes, in the order of their hours.
    pub fn hours(&self, currency: Currency) -> Vec<Task> {
        let on_credit = Task::release_waiting(MERCHANT, currency, self.now).id;
        let at_hours = |task: &&Task| {
            task.kind == TaskKind::ReleaseWaiting && task.id != on_credit && task.waiting_page().is_some_and(|(of, _)| of == currency)
        };
        let mut tasks: Vec<Task> = self.tasks.values().filter(at_hours).cloned().collect();
        tasks.sort_by_key(|task| task.due_at);
        tasks
    }

    fn task_of_queue(&self, currency: Currency) -> Task {
        let task = Task::release_waiting(MERCHANT, currency, self.now);
        self.tasks.get(&(MERCHANT, task.id)).cloned().unwrap_or(task)
    }

    fn carry_out_page(&mut self, task: Task, refund_ids: Vec<RefundId>, more: bool) -> Outcome {
        let (currency, _) = task.waiting_page().unwrap();
        let act = ReleaseWaiting { merchant_id: MERCHANT, currency, task, refund_ids, more };
        self.carry_out(Actor::System, Act::ReleaseWaiting(act))
    }

    pub fn submit(&mut self, refund_id: RefundId) -> Outcome {
        let resolve_at = self.now.plus_seconds(RESOLVE_AFTER_SECONDS);
        self.carry_out(Actor::System, Act::StartSubmission(StartSubmission { merchant_id: MERCHANT, refund_id, resolve_at }))
    }

    pub fn answer(&mut self, refund_id: RefundId, attempt: u32, answer: AcquirerAnswer) -> Outcome {
        let next_at = self.now.plus_seconds(RESOLVE_AFTER_SECONDS);
        let act = RecordResult { merchant_id: MERCHANT, refund_id, attempt, answer, next_at };
        self.carry_out(Actor::Acquirer, Act::RecordResult(act))
    }

    pub fn arn(&mut self, refund_id: RefundId, arn: &str) -> Outcome {
        let act = RecordArn { merchant_id: MERCHANT, refund_id, arn: arn.parse().unwrap() };
        self.carry_out(Actor::Network, Act::RecordArn(act))
    }

    pub fn bounce(&mut self, refund_id: RefundId, reason: &str) -> Outcome {
        let act = RecordReturn { merchant_id: MERCHANT, refund_id, reason: reason.to_owned() };
        self.carry_out(Actor::Network, Act::RecordReturn(act))
    }

    pub fn record_dispute(&mut self, told: RecordDispute) -> Outcome {
        self.carry_out(operator(), Act::RecordDispute(Box::new(told)))
    }

    pub fn change_dispute(&mut self, dispute_id: DisputeId, change: DisputeChange, actor: Actor) -> Outcome {
        let known = self.snapshot.disputes.get(&(MERCHANT, dispute_id));
        let payment_id = known.map_or(PaymentId::new(0), |known| known.payment_id);
        let act = ChangeDispute { merchant_id: MERCHANT, mode: Mode::Live, dispute_id, payment_id, change, note: String::new() };
        self.carry_out(actor, Act::ChangeDispute(Box::new(act)))
    }

    pub fn capture(&mut self, payment_id: PaymentId, amount: Money) -> Outcome {
        let act = CapturePayment { merchant_id: MERCHANT, mode: Mode::Live, payment_id, amount };
        self.carry_out(one_of_the_merchant("shop"), Act::CapturePayment(act))
    }

    pub fn void(&mut self, payment_id: PaymentId, what: VoidWhat, actor: Actor) -> Outcome {
        self.carry_out(actor, Act::VoidPayment(VoidPayment { merchant_id: MERCHANT, mode: None, payment_id, what }))
    }

    pub fn settle(&mut self, payment_id: PaymentId) -> Outcome {
        self.carry_out(Actor::System, Act::SettlePayment(SettlePayment { merchant_id: MERCHANT, payment_id }))
    }

    pub fn acquirer_pays(&mut self, amount: Money, number: &str) -> Outcome {
        let act = RecordAcquirerSettlement { merchant_id: MERCHANT, mode: Mode::Live, amount, key: key("native", number) };
        self.carry_out(operator(), Act::RecordAcquirerSettlement(act))
    }

    pub fn top_up(&mut self, amount: Money, number: &str) -> Outcome {
        let act = TopUp { merchant_id: MERCHANT, mode: Mode::Live, amount, key: key("top_up", number) };
        self.carry_out(one_of_the_merchant("shop"), Act::TopUp(act))
    }
}

/// A person of the operator's.
pub fn one_of_the_operator(name: &str) -> Actor {
    let number = name.bytes().fold(0, |number, letter| number * 31 + i64::from(letter));
    Actor::Operator(Principal { name: name.to_owned(), id: Some(PrincipalId::Person(PersonId::new(number))) })
}

pub fn operator() -> Actor {
    Actor::operator("desk")
}

/// Somebody of the merchant: `shop` and what ends in `key` are machines, everybody else is a person.
pub fn one_of_the_merchant(name: &str) -> Actor {
    let number = name.bytes().fold(0, |number, letter| number * 31 + i64::from(letter));
    let id = match name {
        "shop" => PrincipalId::Credential(CredentialId::new(number)),
        name if name.ends_with("key") => PrincipalId::Credential(CredentialId::new(number)),
        _ => PrincipalId::Person(PersonId::new(number)),
    };
    Actor::Merchant(Principal { name: name.to_owned(), id: Some(id) })
}

fn key(dialect: &str, number: &str) -> IdempotencyKey {
    IdempotencyKey { merchant_id: MERCHANT, dialect: dialect.to_owned(), scope: String::new(), number: number.to_owned() }
}

/// A plain request for a refund.
pub fn request(refund_id: RefundId, payment_id: PaymentId, amount: Money, number: &str) -> CreateRefund {
    CreateRefund {
        refund_id,
        merchant_id: MERCHANT,
        terminal_id: Some(TERMINAL),
        mode: Mode::Live,
        key: key("native", number),
        key_seconds: None,
        compared: vec![("payment".to_owned(), payment_id.to_string()), ("amount".to_owned(), amount.to_string())],
        remember_refusals: false,
        payment: PaymentKey::Id(payment_id),
        amount: amount.into(),
        extent: None,
        order: OrderClaim::default(),
        marketing: None,
        sharing: None,
        expected_remaining: None,
        merchant_reference: None,
        reason: None,
        metadata: None,
        notify_url: None,
        accepts_dispute: None,
        batch: None,
        dry_run: false,
    }
}
