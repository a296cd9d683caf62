//! "Why is it still pending?", answered from stored facts alone, in English and Chinese.

mod review;
#[cfg(test)]
mod tests;
mod words;

use refundry_ledger::Money;

use crate::Timestamp;
use crate::refund::{ArnState, FailReason, FundsHold, Holds, Refund, RefundState, Submission};
use crate::task::Task;

/// A language that people read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Language {
    /// English.
    En,
    /// Simplified Chinese.
    Zh,
}

impl Language {
    /// Both.
    pub const ALL: [Self; 2] = [Self::En, Self::Zh];
}

/// One statement in every language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// In English.
    pub en: String,
    /// In Chinese.
    pub zh: String,
}

impl Text {
    /// The statement in one language.
    pub fn say(&self, language: Language) -> &str {
        match language {
            Language::En => &self.en,
            Language::Zh => &self.zh,
        }
    }

    pub(crate) fn and(self, other: Self) -> Self {
        Self { en: format!("{} {}", self.en, other.en), zh: format!("{}{}", self.zh, other.zh) }
    }
}

pub(crate) fn text(en: impl Into<String>, zh: impl Into<String>) -> Text {
    Text { en: en.into(), zh: zh.into() }
}

/// Whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// A person who reviews refunds.
    Reviewer,
    /// The merchant.
    Merchant,
    /// Refundry itself.
    Refundry,
    /// The acquirer.
    Acquirer,
    /// The card network and the issuer behind it.
    Network,
    /// The operator of this installation.
    Operator,
    /// Nobody: it is over.
    Nobody,
}

/// The four lines of the explain card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Why it stands where it stands.
    pub why: Text,
    /// Whose turn it is.
    pub who: Who,
    /// What happens next.
    pub next: Text,
    /// When that is due, if a time is set.
    pub when: Option<Timestamp>,
}

/// Explains where a refund stands. `next` is its open task; without it (lists do not load tasks) the times come from the refund alone.
pub fn explain(refund: &Refund, next: Option<&Task>, now: Timestamp) -> Explanation {
    let due = next.map(|task| task.due_at);
    match &refund.state {
        RefundState::Pending { holds } => pending(refund, holds, due, now),
        RefundState::Submitted { attempt, submission, .. } => submitted(*attempt, *submission, due),
        RefundState::Unresolved { attempt, asked, .. } => unresolved(*attempt, *asked, due),
        RefundState::Succeeded { arn, .. } => succeeded(arn),
        RefundState::Failed { reason, paid_anyway_at, .. } => ended_unpaid(failed(reason), paid_anyway_at.is_some()),
        RefundState::Cancelled { by, paid_anyway_at, .. } => {
            let why = text(format!("It was taken back before it was sent, by {by}."), format!("该退款在发出之前已被撤回，操作者：{by}。"));
            ended_unpaid(Explanation { why, who: Who::Nobody, next: may_ask_again(), when: None }, paid_anyway_at.is_some())
        }
        RefundState::Returned { reason, .. } => Explanation {
            why: text(
                format!("It had been paid out, but the money came back: {reason}."),
                format!("该退款曾经成功，但款项后来被退回：{reason}。"),
            ),
            who: Who::Merchant,
            next: text(
                "The money is credited again. Agree another way with the shopper, or ask for a new refund.",
                "款项已重新入账。请与消费者商定其他方式，或重新申请退款。",
            ),
            when: None,
        },
    }
}

/// Several holds are named together; the first that a person or a credit must end says whose turn it is.
fn pending(refund: &Refund, holds: &Holds, due: Option<Timestamp>, now: Timestamp) -> Explanation {
    let delay = holds.delay_until.filter(|until| now < *until);
    let why_delay = delay.map(|_| text("It can still be undone.", "该退款仍在可撤销时间内。"));
    let why_funds = holds.funds.as_ref().map(|funds| missing_money(refund, funds));
    let why_review = holds.review.as_ref().map(|hold| review::why(hold, refund.amount.currency()));
    let why = [why_review, why_funds, why_delay].into_iter().flatten().reduce(Text::and);
    let why = why.unwrap_or_else(|| text("It is accepted and about to be sent to the acquirer.", "该退款已受理，即将发送给收单机构。"));
    let (who, next, when) = match (&holds.review, &holds.funds, delay) {
        (Some(_), _, until) => {
            let decision = text("A reviewer lets it pass or rejects it.", "等待审核人通过或驳回。");
            let then = text("When it passes, it goes out as soon as its undo time is over.", "通过后，待可撤销时间结束即发出。");
            (Who::Reviewer, if until.is_some() { decision.and(then) } else { decision }, None)
        }
        (None, Some(funds), _) if now < funds.until => (Who::Merchant, served_or_failed(), Some(funds.until)),
        (None, Some(funds), _) => (Who::Refundry, last_look(), due.or(Some(funds.until))),
        (None, None, Some(until)) => (
            Who::Refundry,
            text(
                "It goes out by itself when its undo time is over, unless it is cancelled before.",
                "可撤销时间结束后自动发出，此前可以撤回。",
            ),
            Some(until),
        ),
        (None, None, None) => (Who::Refundry, text("It is sent to the acquirer.", "系统将把它发送给收单机构。"), due.or(holds.delay_until)),
    };
    Explanation { why, who, next, when }
}

fn missing_money(refund: &Refund, funds: &FundsHold) -> Text {
    if funds.missing_minor == 0 {
        return text(
            "A receiver has not the money that it is to give back, and nobody waits for that.",
            "有分账接收方可用资金不足，无法退回其分账金额，系统不会为此等待。",
        );
    }
    let missing = Money::new(funds.missing_minor, refund.funding_currency());
    text(
        format!("Its money is not there: {missing} was missing when it was looked at last, counting the refunds that waited before it."),
        format!("资金不足：上次检查时（含排在它之前的退款）尚缺 {missing}。"),
    )
}

fn served_or_failed() -> Text {
    text(
        "It goes out as soon as enough money comes in, oldest first. Pay money in, or cancel it; when the time is over it fails.",
        "一旦有足够资金入账即按先后顺序放行。可充值，也可撤回；到期仍不足则失败。",
    )
}

fn last_look() -> Text {
    text("The money is looked for once more; if it is still missing, the refund fails.", "系统将最后检查一次资金；若仍不足，该退款失败。")
}

fn submitted(attempt: u32, submission: Submission, due: Option<Timestamp>) -> Explanation {
    let (why, who, next) = match submission {
        Submission::InFlight => (
            text(
                format!("It was given to the acquirer (attempt {attempt}); the answer is not there yet."),
                format!("已提交给收单机构（第 {attempt} 次），尚未收到答复。"),
            ),
            Who::Acquirer,
            text("The acquirer answers; if it does not, it is asked.", "等待收单机构答复；若无答复，系统会去查询。"),
        ),
        Submission::NeverSent => (
            text(
                format!("Attempt {attempt} certainly did not reach the acquirer, so it is safe to send it again."),
                format!("第 {attempt} 次提交确定未到达收单机构，可以安全地重新发送。"),
            ),
            Who::Refundry,
            text("It is sent again.", "系统将重新发送。"),
        ),
        Submission::Acknowledged => (
            text("The acquirer took it and will say later how it ended.", "收单机构已接收，稍后告知结果。"),
            Who::Acquirer,
            text("The acquirer tells of the end; if it does not, it is asked.", "等待收单机构告知结果；若未告知，系统会去查询。"),
        ),
    };
    Explanation { why, who, next, when: due }
}

fn unresolved(attempt: u32, asked: u32, due: Option<Timestamp>) -> Explanation {
    Explanation {
        why: text(
            format!(
                "The acquirer's answer to attempt {attempt} is missing, so nobody knows yet whether it was paid out. Asked so far: {asked}."
            ),
            format!("第 {attempt} 次提交没有得到明确答复，目前无法确定是否已出款。已查询 {asked} 次。"),
        ),
        who: Who::Acquirer,
        next: text(
            "The acquirer is asked until it knows. Until then it is not sent again, so that it cannot be paid twice.",
            "系统会持续查询收单机构直至有明确结果；在此之前不会再次发送，以免重复出款。",
        ),
        when: due,
    }
}

fn succeeded(arn: &ArnState) -> Explanation {
    let why = text("The acquirer paid it out.", "收单机构已出款。");
    let (who, next) = match arn {
        ArnState::Awaited => (
            Who::Network,
            text(
                "Nothing is to be done. The network's tracing number (ARN) may follow within days, for some cards never.",
                "无需任何操作。退款查询号（ARN）可能在数日后返回，部分卡种不会返回。",
            ),
        ),
        ArnState::Known { arn, .. } => (
            Who::Nobody,
            text(
                format!("Nothing is to be done. The shopper's bank can trace it by its ARN {arn}."),
                format!("无需任何操作。消费者的发卡行可凭退款查询号（ARN）{arn} 查询。"),
            ),
        ),
    };
    Explanation { why, who, next, when: None }
}

fn failed(reason: &FailReason) -> Explanation {
    let (who, next) = match reason {
        FailReason::DeclinedByAcquirer { .. } => (
            Who::Merchant,
            text(
                "The money is credited again. Clear the cause with the acquirer's code, then ask for a new refund.",
                "款项已退回余额。请根据收单机构的代码排除原因后重新申请。",
            ),
        ),
        FailReason::RejectedByReviewer { .. } => (Who::Merchant, may_ask_again()),
        FailReason::ChargedBack => (
            Who::Merchant,
            text(
                "The money goes back by way of the chargeback. If it is won, a new refund of the payment can be asked for.",
                "款项将通过拒付退回。若申诉成功，可对该笔支付重新申请退款。",
            ),
        ),
        FailReason::ReceiverNotEnoughFunds { .. } => (
            Who::Merchant,
            text(
                "Nothing was taken. Ask for a new refund when the receiver has the money, or advance its part.",
                "未发生任何扣款。请待该接收方资金充足后重新申请，或为其垫资。",
            ),
        ),
        FailReason::FundsExpired | FailReason::NotEnoughFunds => {
            (Who::Merchant, text("Pay money in, then ask for a new refund.", "请充值后重新申请退款。"))
        }
    };
    Explanation { why: reason.explained(), who, next, when: None }
}

fn may_ask_again() -> Text {
    text("Nothing more happens. A new refund of the payment can be asked for.", "不会再有后续动作。可对该笔支付重新申请退款。")
}

/// An end without payment that the acquirer contradicted is somebody's work.
fn ended_unpaid(end: Explanation, paid_anyway: bool) -> Explanation {
    if !paid_anyway {
        return end;
    }
    Explanation {
        why: end.why.and(text(
            "Later the acquirer said that it had paid it out all the same; the books hold a claim over the amount.",
            "此后收单机构又称已经出款；账簿中已记录该金额的敞口。",
        )),
        who: Who::Operator,
        next: text("The operator clears the claim with the acquirer and the merchant.", "由运营方与收单机构及商户核实并处理该敞口。"),
        when: None,
    }
}
