//! The auditor: a second, simple account of what must be true, made from what callers asked and were told. It shares no code with the engine
//! beyond ids and money, and believes nobody.

mod adjustments;
mod authorisations;
mod disputes;
mod feed;
mod final_audit;
mod fixed_reserve;
mod foreign;
mod freezes;
mod money;
mod payouts;
mod people;
mod queue;
mod reader;
mod refunds;
mod settling;
mod shares;
mod submissions;

use std::collections::{BTreeMap, BTreeSet};

use refundry_engine::adjustment::{AdjustmentKind, AdjustmentState};
use refundry_engine::policy::Policy;
use refundry_engine::settlement::SettlementTerms;
use refundry_engine::{AdjustmentId, MerchantId, PayoutId, RefundId, TerminalId};
use refundry_ledger::Money;

use crate::cast::Cast;
use crate::plan::{Goods, PaymentWish, RefundRequest};

pub use final_audit::audit_books;
pub use payouts::audit_statements;
pub use reader::Reader;

/// A rule that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub rule: &'static str,
    /// How.
    pub what: String,
}

/// What a caller was told about a refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// There is a refund.
    Accepted {
        /// Which.
        refund_id: RefundId,
        /// In which words.
        word: String,
        /// Whether this answer may never change.
        is_frozen: bool,
    },
    /// There is none.
    Refused {
        /// In which words.
        word: String,
        /// Whether this answer may never change.
        is_frozen: bool,
    },
}

/// One merchant's name for a refund.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    merchant: usize,
    dialect: String,
    number: String,
}

#[derive(Debug, Default)]
struct Request {
    asked: BTreeSet<(String, i64)>,
    /// Amounts to which it may have been changed while it waited for review.
    edited: BTreeSet<i64>,
    accepted: Option<(RefundId, String, i64)>,
    /// A caller was told that there is a refund, but not which.
    in_process: bool,
    /// Answers that may not change any more, by what was asked.
    frozen: BTreeMap<(String, i64), String>,
    /// The end that an inquiry told.
    inquired: Option<String>,
}

#[derive(Debug)]
struct TopUp {
    merchant: usize,
    amount: Money,
    acknowledged: bool,
}

#[derive(Debug)]
struct CastIds {
    merchant: MerchantId,
    antom: TerminalId,
    /// What each channel allows.
    rules: BTreeMap<TerminalId, Policy>,
    /// On which terms its payments are settled.
    terms: BTreeMap<TerminalId, SettlementTerms>,
    has_endpoint: bool,
    antom_url: String,
    oceanpayment_url: String,
}

/// Everything that the auditor knows.
#[derive(Debug)]
pub struct Model {
    cast: Vec<CastIds>,
    requests: BTreeMap<Key, Request>,
    payments: BTreeMap<(usize, String), PaymentWish>,
    settled: BTreeSet<(usize, String)>,
    /// Payments of which somebody wanted that they be settled, whenever their day is.
    asked_to_settle: BTreeSet<(usize, String)>,
    /// Payments of which somebody wanted the reserve, whenever its day is.
    asked_for_reserve: BTreeSet<(usize, String)>,
    authorisations: BTreeMap<(usize, String), authorisations::Authorisation>,
    adjustments_asked: BTreeMap<(usize, String), (AdjustmentKind, Money)>,
    adjustments_told: BTreeMap<(usize, AdjustmentId), AdjustmentState>,
    told_of_goods: BTreeMap<(usize, String), BTreeSet<Goods>>,
    /// Disputes that somebody was told of, and whether they were told to be over.
    disputes_told: BTreeMap<(usize, String), bool>,
    top_ups: BTreeMap<String, TopUp>,
    cancelled: BTreeSet<RefundId>,
    /// What people were about to let pass, with the amounts that they saw, and who.
    approvals: BTreeMap<RefundId, BTreeSet<(i64, String, &'static str)>>,
    /// Refunds of which somebody wanted that they go out before the end of their undo window.
    hurried: BTreeSet<RefundId>,
    queues: BTreeMap<usize, queue::Queue>,
    /// What people were told of payouts.
    payouts_told: BTreeSet<(MerchantId, PayoutId, String)>,
    shares_told: shares::SharesTold,
    seen: BTreeMap<RefundId, refunds::Seen>,
    feeds: BTreeMap<usize, Vec<u64>>,
    unfinished: BTreeSet<u32>,
    violation: Option<Violation>,
}

impl Model {
    /// Knows who takes part, and nothing else.
    pub fn new(cast: &Cast) -> Self {
        let ids = |one: &crate::cast::CastMerchant| CastIds {
            merchant: one.merchant.id,
            antom: one.antom.id,
            rules: one.terminals().map(|terminal| (terminal.id, terminal.policy_for(&one.merchant, ""))).into(),
            terms: one.terminals().map(|terminal| (terminal.id, terminal.settlement_terms_for(&one.merchant, ""))).into(),
            has_endpoint: !one.merchant.endpoints.is_empty(),
            antom_url: one.antom.notify_url.clone().unwrap_or_default(),
            oceanpayment_url: one.oceanpayment.notify_url.clone().unwrap_or_default(),
        };
        Self {
            cast: cast.merchants.iter().map(ids).collect(),
            requests: BTreeMap::new(),
            payments: BTreeMap::new(),
            settled: BTreeSet::new(),
            asked_to_settle: BTreeSet::new(),
            asked_for_reserve: BTreeSet::new(),
            authorisations: BTreeMap::new(),
            adjustments_asked: BTreeMap::new(),
            adjustments_told: BTreeMap::new(),
            told_of_goods: BTreeMap::new(),
            disputes_told: BTreeMap::new(),
            top_ups: BTreeMap::new(),
            cancelled: BTreeSet::new(),
            approvals: BTreeMap::new(),
            hurried: BTreeSet::new(),
            queues: BTreeMap::new(),
            payouts_told: BTreeSet::new(),
            shares_told: shares::SharesTold::default(),
            seen: BTreeMap::new(),
            feeds: BTreeMap::new(),
            unfinished: BTreeSet::new(),
            violation: None,
        }
    }

    /// A rule did not hold; the first one is kept.
    pub fn broke(&mut self, rule: &'static str, what: String) {
        self.violation.get_or_insert(Violation { rule, what });
    }

    /// The first rule that did not hold.
    pub fn violation(&self) -> Option<&Violation> {
        self.violation.as_ref()
    }

    /// Somebody begins to want something.
    pub fn begin(&mut self, wish: u32) {
        self.unfinished.insert(wish);
    }

    /// Somebody got a clear answer.
    pub fn finish(&mut self, wish: u32) {
        self.unfinished.remove(&wish);
    }

    /// Who still waits for an answer.
    pub fn unfinished(&self) -> Vec<u32> {
        self.unfinished.iter().copied().collect()
    }

    /// A payment was acknowledged.
    pub fn recorded(&mut self, wish: &PaymentWish) {
        self.payments.insert((wish.merchant, wish.reference.clone()), wish.clone());
    }

    /// A settlement was acknowledged.
    pub fn settled(&mut self, merchant: usize, reference: &str) {
        self.settled.insert((merchant, reference.to_owned()));
    }

    /// A payment-in was asked for, and may have been booked from now on.
    pub fn wants_to_top_up(&mut self, merchant: usize, number: &str, amount: Money) {
        self.top_ups.entry(number.to_owned()).or_insert(TopUp { merchant, amount, acknowledged: false });
    }

    /// A payment-in was acknowledged.
    pub fn topped_up(&mut self, number: &str) {
        if let Some(top_up) = self.top_ups.get_mut(number) {
            top_up.acknowledged = true;
        }
    }

    /// A refund is asked for, and may exist from now on.
    pub fn asks(&mut self, request: &RefundRequest) {
        let entry = self.requests.entry(key(request)).or_default();
        entry.asked.insert(content(request));
    }

    /// The refund that was accepted for a request.
    pub fn refund_of(&self, request: &RefundRequest) -> Option<RefundId> {
        self.requests.get(&key(request))?.accepted.as_ref().map(|(refund_id, ..)| *refund_id)
    }

    /// A caller was told that its refund is cancelled.
    pub fn cancelled(&mut self, refund_id: RefundId) {
        self.cancelled.insert(refund_id);
    }

    /// A caller was told that its refund is being worked on: it must be there.
    pub fn is_in_process(&mut self, request: &RefundRequest) {
        self.requests.entry(key(request)).or_default().in_process = true;
    }

    /// A caller got its answer: the same key must have the same answer for ever, and never a second refund.
    pub fn answered(&mut self, request: &RefundRequest, answer: Answer) {
        let content = content(request);
        let known = self.requests.entry(key(request)).or_default();
        let mut broken = None;
        let (word, is_frozen) = match answer {
            Answer::Accepted { refund_id, word, is_frozen } => {
                match &known.accepted {
                    Some((before, ..)) if *before != refund_id => {
                        broken = Some(("a_key_never_makes_a_second_refund", format!("first {before}, now {refund_id}")));
                    }
                    Some((_, reference, minor)) if (reference, minor) != (&content.0, &content.1) => {
                        broken = Some(("a_key_means_one_thing", format!("accepted for {minor}, and now for {}", content.1)));
                    }
                    Some(_) => {}
                    None => known.accepted = Some((refund_id, content.0.clone(), content.1)),
                }
                (word, is_frozen)
            }
            Answer::Refused { word, is_frozen } => {
                if let Some((before, reference, minor)) = &known.accepted
                    && (reference, minor) == (&content.0, &content.1)
                {
                    broken = Some(("a_replay_gives_the_same_answer", format!("{before} was accepted, and now it is {word}")));
                }
                (word, is_frozen)
            }
        };
        let frozen = known.frozen.get(&content).filter(|before| **before != word);
        if let Some(before) = frozen {
            broken = Some(("a_final_answer_is_frozen", format!("first {before}, now {word}")));
        } else if is_frozen {
            known.frozen.insert(content, word);
        }
        if let Some((rule, what)) = broken {
            self.broke(rule, format!("{} of merchant {}: {what}", request.number, request.merchant));
        }
    }

    /// A caller was told over its dialect how a refund stands.
    pub fn inquired(&mut self, request: &RefundRequest, status: &str) {
        let known = self.requests.entry(key(request)).or_default();
        let before = known.inquired.clone();
        if matches!(status, "SUCCESS" | "FAIL") {
            known.inquired = Some(status.to_owned());
        }
        if before.as_deref().is_some_and(|before| before != status) {
            self.broke("a_told_end_is_final", format!("{}: first {before:?}, now {status}", request.number));
        }
    }
}

fn key(request: &RefundRequest) -> Key {
    Key { merchant: request.merchant, dialect: request.door.dialect().to_owned(), number: request.number.clone() }
}

fn content(request: &RefundRequest) -> (String, i64) {
    (request.reference.clone(), request.minor)
}

fn violation(rule: &'static str, what: String) -> Violation {
    Violation { rule, what }
}

/// Fails with a violation unless something holds.
fn must(holds: bool, rule: &'static str, what: impl FnOnce() -> String) -> Result<(), Violation> {
    if holds { Ok(()) } else { Err(violation(rule, what())) }
}
