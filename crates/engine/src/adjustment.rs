//! Adjustments: what the operator takes from a merchant's available money or gives to it, outside of payments and refunds. One person
//! proposes, another books.

use refundry_ledger::Money;
use serde::{Deserialize, Serialize};

use crate::command::{DecideAdjustment, ProposeAdjustment};
use crate::draft::{About, Draft};
use crate::event::EventKind;
use crate::notify::fact;
use crate::payout::NOTE_LENGTH_MAX;
use crate::{Actor, AdjustmentId, MerchantId, Mode, Outcome, Refusal, Snapshot, Stamp, Timestamp, Verdict, Write, posting_rules};

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
}

impl AdjustmentKind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::SettlementFee, Self::Deduction, Self::OtherCharge, Self::OtherCredit, Self::GivenBack];

    /// The stored word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::SettlementFee => "settlement_fee",
            Self::Deduction => "deduction",
            Self::OtherCharge => "other_charge",
            Self::OtherCredit => "other_credit",
            Self::GivenBack => "given_back",
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

/// Writes a proposal down.
pub(crate) fn propose(snapshot: &Snapshot, stamp: &Stamp, act: &ProposeAdjustment) -> Verdict {
    let merchant = snapshot.merchants.get(&act.merchant_id).filter(|merchant| act.mode.is_none_or(|mode| mode == merchant.mode));
    let Some(merchant) = merchant else { return Verdict::refused(Refusal::UnknownMerchant) };
    if !act.amount.is_positive() {
        return Verdict::refused(Refusal::AmountNotPositive);
    }
    if !(1..=NOTE_LENGTH_MAX).contains(&act.reason.chars().count()) || act.reason.chars().any(char::is_control) {
        let rule = format!("1 to {NOTE_LENGTH_MAX} letters without control characters");
        return Verdict::refused(Refusal::FieldInvalid { field: "reason".to_owned(), rule });
    }
    let adjustment = Adjustment {
        id: act.adjustment_id,
        merchant_id: act.merchant_id,
        mode: merchant.mode,
        kind: act.kind,
        amount: act.amount,
        reason: act.reason.clone(),
        state: AdjustmentState::Proposed,
        proposed_by: stamp.actor.clone(),
        proposed_at: stamp.now,
        decided_by: None,
        decided_at: None,
    };
    let mut draft = Draft::new(snapshot, stamp);
    draft.audit("adjustment.propose", About::merchant(act.merchant_id), facts(&adjustment));
    draft.changes().adjustments.insert((act.merchant_id, adjustment.id), Write::Insert(adjustment.clone()));
    draft.finish(Outcome::Adjustment { adjustment: Box::new(adjustment) })
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
    let about = About::merchant(act.merchant_id);
    if act.book {
        draft.book(adjustment.kind.cause(), about, posting_rules::adjusted(adjustment.merchant_id, adjustment.kind, adjustment.amount))?;
        draft.serve_waiting(act.merchant_id, adjustment.amount.currency());
        draft.tell(EventKind::FundsAdjusted, about, facts(&adjustment));
    }
    draft.audit(if act.book { "adjustment.book" } else { "adjustment.reject" }, about, facts(&adjustment));
    draft.changes().adjustments.insert(key, Write::Update(adjustment.clone()));
    Ok(draft.finish(Outcome::Adjustment { adjustment: Box::new(adjustment) }))
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
