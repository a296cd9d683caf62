//! Adjustments: what the operator takes from a merchant's available money or gives to it, outside of payments and refunds. One person
//! proposes, another books.

use refundry_ledger::Money;
use serde::{Deserialize, Serialize};

use crate::command::{DecideAdjustment, ProposeAdjustment};
use crate::draft::{About, Draft};
use crate::event::EventKind;
use crate::idempotency::{ComparedFields, Remembered, RememberedDecision, first_difference};
use crate::notify::fact;
use crate::payment::{Payment, PaymentKey};
use crate::payout::NOTE_LENGTH_MAX;
use crate::{
    Actor, AdjustmentId, MerchantId, Mode, Outcome, PaymentId, Refusal, Snapshot, Stamp, Timestamp, Verdict, Write, posting_rules,
};

/// What it is for. The ledger accounts that it moves follow from it; no adjustment names accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdjustmentKind {
    /// The operator takes a fee for exchange or transfer.
    SettlementFee,
    /// The operator takes another fee.
    Deduction,
    /// Another item that the merchant owes.
    OtherCharge,
    /// Another item that is owed to the merchant.
    OtherCredit,
    /// The operator gives a fee back.
    GivenBack,
    /// The operator bears what the merchant owes for a payment.
    ExposureWrittenOff,
}

impl AdjustmentKind {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::SettlementFee, Self::Deduction, Self::OtherCharge, Self::OtherCredit, Self::GivenBack, Self::ExposureWrittenOff];

    /// The stored word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::SettlementFee => "settlement_fee",
            Self::Deduction => "deduction",
            Self::OtherCharge => "other_charge",
            Self::OtherCredit => "other_credit",
            Self::GivenBack => "given_back",
            Self::ExposureWrittenOff => "exposure_written_off",
        }
    }

    /// Reads the stored word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// What its postings are booked as.
    const fn cause(self) -> &'static str {
        match self {
            Self::SettlementFee => "settlement_fee",
            Self::Deduction => "deduction",
            Self::OtherCharge | Self::OtherCredit => "other_item",
            Self::GivenBack => "given_back",
            Self::ExposureWrittenOff => "exposure_written_off",
        }
    }
}

/// Where an adjustment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdjustmentState {
    /// Somebody asked for it; nothing is booked.
    Proposed,
    /// Another person booked it.
    Booked,
    /// It will not be booked.
    Rejected,
}

impl AdjustmentState {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Proposed, Self::Booked, Self::Rejected];

    /// The stored word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Booked => "booked",
            Self::Rejected => "rejected",
        }
    }

    /// Reads the stored word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }
}

/// One adjustment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adjustment {
    /// Ours.
    pub id: AdjustmentId,
    /// Whose.
    pub merchant_id: MerchantId,
    /// Sandbox or live, as the merchant.
    pub mode: Mode,
    /// What for.
    pub kind: AdjustmentKind,
    /// How much; above zero.
    #[serde(with = "crate::money_text")]
    pub amount: Money,
    /// Why, in words that the merchant reads.
    pub reason: String,
    /// The payment that it is about, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_id: Option<PaymentId>,
    /// Where it stands.
    pub state: AdjustmentState,
    /// Who proposed it.
    pub proposed_by: Actor,
    /// When.
    pub proposed_at: Timestamp,
    /// Who booked or rejected it.
    pub decided_by: Option<Actor>,
    /// When.
    pub decided_at: Option<Timestamp>,
}

/// Writes a proposal down, once per key.
pub(crate) fn propose(snapshot: &Snapshot, stamp: &Stamp, act: &ProposeAdjustment) -> Verdict {
    let merchant = snapshot.merchants.get(&act.merchant_id).filter(|merchant| act.mode.is_none_or(|mode| mode == merchant.mode));
    let Some(merchant) = merchant else { return Verdict::refused(Refusal::UnknownMerchant) };
    let compared = compared(act);
    if let Some(known) = snapshot.remembered.get(&act.key) {
        return repeat(known, &compared);
    }
    if !act.amount.is_positive() {
        return Verdict::refused(Refusal::AmountNotPositive);
    }
    if !(1..=NOTE_LENGTH_MAX).contains(&act.reason.chars().count()) || act.reason.chars().any(char::is_control) {
        let rule = format!("1 to {NOTE_LENGTH_MAX} letters without control characters");
        return Verdict::refused(Refusal::FieldInvalid { field: "reason".to_owned(), rule });
    }
    let payment = match check_payment(snapshot, act) {
        Ok(payment) => payment,
        Err(refusal) => return Verdict::refused(refusal),
    };
    let adjustment = Adjustment {
        id: act.adjustment_id,
        merchant_id: act.merchant_id,
        mode: merchant.mode,
        kind: act.kind,
        amount: act.amount,
        reason: act.reason.clone(),
        payment_id: payment.map(|payment| payment.id),
        state: AdjustmentState::Proposed,
        proposed_by: stamp.actor.clone(),
        proposed_at: stamp.now,
        decided_by: None,
        decided_at: None,
    };
    let mut draft = Draft::new(snapshot, stamp);
    draft.audit("adjustment.propose", about(&adjustment), facts(&adjustment));
    let decision = RememberedDecision::Proposed(adjustment.id);
    draft.changes().remembered.push(Remembered { key: act.key.clone(), compared, decision, at: stamp.now });
    draft.changes().adjustments.insert((act.merchant_id, adjustment.id), Write::Insert(adjustment.clone()));
    draft.finish(Outcome::Adjustment { adjustment: Box::new(adjustment) })
}

/// The same key proposes once: who asks again is told which adjustment it was.
fn repeat(known: &Remembered, compared: &ComparedFields) -> Verdict {
    match (first_difference(&known.compared, compared), &known.decision) {
        (Some((field, first, now)), _) => Verdict::refused(Refusal::RepeatInconsistent { field, first, now }),
        (None, RememberedDecision::Proposed(id)) => Verdict::unchanged(Outcome::AdjustmentIsKnown { adjustment_id: *id }),
        (
            None,
            RememberedDecision::Accepted(_)
            | RememberedDecision::Shared(_)
            | RememberedDecision::Recovered
            | RememberedDecision::ToppedUp
            | RememberedDecision::Refused(_),
        ) => Verdict::refused(Refusal::AlreadyExists { field: "idempotency_key".to_owned() }),
    }
}

fn compared(act: &ProposeAdjustment) -> ComparedFields {
    let payment = act.payment.as_ref().map(|payment| match payment {
        PaymentKey::Id(id) => id.to_string(),
        PaymentKey::Reference(reference) => reference.clone(),
    });
    vec![
        fact("type", "adjustment"),
        fact("kind", act.kind.word()),
        fact("amount", act.amount),
        fact("reason", &act.reason),
        fact("payment", payment.unwrap_or_default()),
    ]
}

/// The payment that is named. What is written off is owed for a payment, and is not more than that.
fn check_payment<'a>(snapshot: &'a Snapshot, act: &ProposeAdjustment) -> Result<Option<&'a Payment>, Refusal> {
    let payment = act.payment.as_ref().map(|key| snapshot.payment(act.merchant_id, key).ok_or(Refusal::UnknownPayment));
    let payment = payment.transpose()?;
    match (act.kind, payment) {
        (AdjustmentKind::ExposureWrittenOff, None) => {
            Err(Refusal::FieldInvalid { field: "payment".to_owned(), rule: "the payment for which the merchant owes something".to_owned() })
        }
        (AdjustmentKind::ExposureWrittenOff, Some(payment)) => check_owed(payment, act.amount).map(|()| Some(payment)),
        (
            AdjustmentKind::SettlementFee
            | AdjustmentKind::Deduction
            | AdjustmentKind::OtherCharge
            | AdjustmentKind::OtherCredit
            | AdjustmentKind::GivenBack,
            payment,
        ) => Ok(payment),
    }
}

fn check_owed(payment: &Payment, amount: Money) -> Result<(), Refusal> {
    let expected = payment.currency();
    if amount.currency() != expected {
        return Err(Refusal::CurrencyMismatch { expected });
    }
    let owed = Money::new(payment.exposure(), expected);
    if amount.minor() > owed.minor() {
        let rule = format!("at most {owed}, what is owed for the payment");
        return Err(Refusal::FieldInvalid { field: "amount".to_owned(), rule });
    }
    Ok(())
}

/// Another person books a proposal, or anybody rejects it.
pub(crate) fn decide(snapshot: &Snapshot, stamp: &Stamp, act: &DecideAdjustment) -> Verdict {
    book_or_reject(Draft::new(snapshot, stamp), act).unwrap_or_else(Verdict::refused)
}

fn book_or_reject(mut draft: Draft<'_>, act: &DecideAdjustment) -> Result<Verdict, Refusal> {
    let key = (act.merchant_id, act.adjustment_id);
    let found = draft.snapshot().adjustments.get(&key).filter(|found| act.mode.is_none_or(|mode| mode == found.mode));
    let mut adjustment = found.cloned().ok_or_else(|| Refusal::Unknown { what: "adjustment".to_owned() })?;
    let end = if act.book { AdjustmentState::Booked } else { AdjustmentState::Rejected };
    if adjustment.state == end {
        return Ok(Verdict::unchanged(Outcome::Adjustment { adjustment: Box::new(adjustment) }));
    }
    if adjustment.state != AdjustmentState::Proposed {
        return Err(Refusal::AdjustmentIsDecided { state: adjustment.state });
    }
    if act.book && !draft.actor().is_second_person_to(&adjustment.proposed_by) {
        return Err(Refusal::SecondPersonNeeded);
    }
    adjustment.state = end;
    adjustment.decided_by = Some(draft.actor().clone());
    adjustment.decided_at = Some(draft.now());
    let about = about(&adjustment);
    if act.book {
        let postings = book(&mut draft, &adjustment)?;
        draft.book(adjustment.kind.cause(), about, postings)?;
        draft.serve_waiting(act.merchant_id, adjustment.amount.currency());
        draft.tell(EventKind::FundsAdjusted, about, facts(&adjustment));
    }
    draft.audit(if act.book { "adjustment.book" } else { "adjustment.reject" }, about, facts(&adjustment));
    draft.changes().adjustments.insert(key, Write::Update(adjustment.clone()));
    Ok(draft.finish(Outcome::Adjustment { adjustment: Box::new(adjustment) }))
}

/// What is moved; a payment whose debt is written off remembers it.
fn book(draft: &mut Draft<'_>, adjustment: &Adjustment) -> Result<posting_rules::Postings, Refusal> {
    match adjustment.kind {
        AdjustmentKind::ExposureWrittenOff => {
            let payment = adjustment.payment_id.and_then(|id| draft.snapshot().payments.get(&(adjustment.merchant_id, id)));
            let mut payment = payment.cloned().ok_or(Refusal::UnknownPayment)?;
            check_owed(&payment, adjustment.amount)?;
            let postings = posting_rules::exposure_written_off(&mut payment, adjustment.amount.minor());
            payment.updated_at = draft.now();
            draft.changes().payments.insert((payment.merchant_id, payment.id), Write::Update(payment));
            Ok(postings)
        }
        AdjustmentKind::SettlementFee
        | AdjustmentKind::Deduction
        | AdjustmentKind::OtherCharge
        | AdjustmentKind::OtherCredit
        | AdjustmentKind::GivenBack => Ok(posting_rules::adjusted(adjustment.merchant_id, adjustment.kind, adjustment.amount)),
    }
}

fn about(adjustment: &Adjustment) -> About {
    About { merchant_id: adjustment.merchant_id, payment_id: adjustment.payment_id, refund_id: None }
}

fn facts(adjustment: &Adjustment) -> Vec<(String, String)> {
    vec![
        fact("adjustment_id", adjustment.id),
        fact("kind", adjustment.kind.word()),
        fact("amount", adjustment.amount),
        fact("reason", &adjustment.reason),
        fact("state", adjustment.state.word()),
    ]
}
