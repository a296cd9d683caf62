//! What came of a sentence, in words.

use refundry_engine::notification::Recipient;
use refundry_engine::payment::Payment;
use refundry_engine::refund::{ArnState, Refund, RefundState, Submission};
use refundry_engine::task::Task;
use refundry_engine::{Language, Outcome, RefundId, Timestamp, explain};
use refundry_ledger::Money;

use super::{payouts, shares};
use crate::desk::Desk;

const US_PER_SECOND: i64 = 1_000_000;
const US_PER_DAY: i64 = 86_400 * US_PER_SECOND;

pub fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Refund { refund, replayed, refundable, .. } => {
            let again = if *replayed { "again " } else { "" };
            format!("{again}{}, {refundable} left", state(refund))
        }
        Outcome::Refused { refusal, replayed } => {
            let again = if *replayed { "again " } else { "" };
            let facts: String =
                refusal.facts().into_iter().filter(|(name, _)| *name != "state_zh").map(|(_, value)| format!(" {value}")).collect();
            format!("{again}refused {}{facts}", refusal.code())
        }
        Outcome::Payment { payment, .. } => format!("{} {}", payment.status.word(), if payment.settled { "settled" } else { "unsettled" }),
        Outcome::Dispute { dispute, created } => {
            let again = if *created { "" } else { "now " };
            format!("{again}{} {} charges {}", dispute.kind.word(), dispute.state.word(), dispute.charged())
        }
        Outcome::CallAcquirer { refund, attempt } => format!("attempt {attempt} over {}", refund.user_part()),
        Outcome::Payout { payout } => payouts::payout(payout),
        Outcome::Adjustment { adjustment } => format!("{} {} {}", adjustment.kind.word(), adjustment.amount, adjustment.state.word()),
        Outcome::AdjustmentIsKnown { .. } => "known".to_owned(),
        Outcome::Share { share, replayed } => {
            let again = if *replayed { "again " } else { "" };
            format!("{again}{}", shares::state(share))
        }
        Outcome::MoreIds { wanted } => format!("wants {wanted} ids"),
        Outcome::Done => "done".to_owned(),
        Outcome::IdTaken => "id taken".to_owned(),
        Outcome::Stale => "stale".to_owned(),
    }
}

pub fn state(refund: &Refund) -> String {
    match &refund.state {
        RefundState::Pending { holds } => {
            let mut words = vec!["pending".to_owned()];
            words.extend(holds.review.as_ref().map(|_| "review".to_owned()));
            words.extend(holds.funds.as_ref().map(|funds| format!("funds {}", Money::new(funds.missing_minor, refund.funding_currency()))));
            words.extend(holds.delay_until.map(|_| "delay".to_owned()));
            words.join(" ")
        }
        RefundState::Submitted { attempt, submission, .. } => {
            let how_far = match submission {
                Submission::InFlight => "in flight",
                Submission::NeverSent => "never sent",
                Submission::Acknowledged => "acknowledged",
            };
            format!("submitted {attempt} {how_far}")
        }
        RefundState::Unresolved { attempt, asked, .. } => format!("unresolved {attempt} asked {asked}"),
        RefundState::Succeeded { arn, .. } => format!("succeeded{}", arn_words(arn)),
        RefundState::Failed { reason, paid_anyway_at, .. } => format!("failed {}{}", reason.code(), paid_anyway(*paid_anyway_at)),
        RefundState::Cancelled { by, paid_anyway_at, .. } => format!("cancelled by {by}{}", paid_anyway(*paid_anyway_at)),
        RefundState::Returned { reason, arn, .. } => format!("returned {reason}{}", arn_words(arn)),
    }
}

fn paid_anyway(at: Option<Timestamp>) -> &'static str {
    if at.is_some() { " but paid" } else { "" }
}

fn arn_words(arn: &ArnState) -> String {
    match arn {
        ArnState::Awaited => String::new(),
        ArnState::Known { arn, .. } => format!(" arn {arn}"),
    }
}

pub fn left(payment: &Payment) -> String {
    format!(
        "refundable {} marketing {} unsettled {} reserve {} fee_back {}",
        payment.refundable().major(),
        payment.refundable_marketing().major(),
        payment.unsettled_left.major(),
        payment.reserve_left.major(),
        payment.fee_given_back.major(),
    )
}

pub fn drawn(refund: &Refund) -> String {
    let major = |minor: i64| Money::new(minor, refund.amount.currency()).major();
    match &refund.drawn {
        Some(draw) => {
            let as_what = match draw.settlement_minor {
                0 => String::new(),
                minor => format!(" as {}", Money::new(minor, refund.funding_currency())),
            };
            format!(
                "unsettled {} reserve {} available {}{as_what}",
                major(draw.unsettled_minor),
                major(draw.reserve_minor),
                major(draw.available_minor)
            )
        }
        None => "nothing".to_owned(),
    }
}

pub fn gross(refund: &Refund) -> String {
    refund.gross_settlement.map_or("none".to_owned(), |gross| gross.to_string())
}

pub fn task(task: Option<&Task>, now: Timestamp) -> String {
    let Some(task) = task else {
        return "none".to_owned();
    };
    let until = task.due_at.us() - now.us();
    let when = match until {
        0 => "now".to_owned(),
        _ if until % US_PER_DAY == 0 => format!("in {} days", until / US_PER_DAY),
        _ => format!("in {} seconds", until / US_PER_SECOND),
    };
    format!("{} {when}", task.kind.word())
}

pub fn explained(desk: &Desk, id: RefundId) -> String {
    let explained = explain(desk.refund(id), desk.task(id), desk.now);
    let (why, next) = (explained.why.say(Language::En), explained.next.say(Language::En));
    format!("{why} | {} | {next}", explained.who.text(Language::En))
}

pub fn recipient(recipient: &Recipient) -> String {
    match recipient {
        Recipient::Dialect { url, .. } => url.clone(),
        Recipient::Endpoint(id) => format!("e{}", id.get()),
    }
}
