//! Why a refund is looked at by a person, in words.

use refundry_ledger::{Currency, Money};

use super::{Text, text};
use crate::policy::{ReviewTrigger, VelocityOf};
use crate::refund::ReviewHold;

/// Who has to look at it, and which rules caught it.
pub(super) fn why(review: &ReviewHold, currency: Currency) -> Text {
    let asked = match (review.approvals_wanted, review.second_person) {
        (0 | 1, true) => text(
            "By policy a person other than the applicant looks at it before it goes out.",
            "按照策略，须由申请人以外的人员审核后才能发出。",
        ),
        (0 | 1, false) => text("By policy a person looks at it before it goes out.", "按照策略，须经人工审核后才能发出。"),
        (wanted, true) => text(
            format!("By policy {wanted} people other than the applicant approve it before it goes out."),
            format!("按照策略，须由申请人以外的 {wanted} 人审核通过后才能发出。"),
        ),
        (wanted, false) => text(
            format!("By policy {wanted} people approve it before it goes out."),
            format!("按照策略，须由 {wanted} 人审核通过后才能发出。"),
        ),
    };
    let caught = review.caught_by.iter().map(|rule| caught(rule, currency)).reduce(Text::and);
    let approved =
        review.approvals.iter().map(|approval| text(format!("{} approved it.", approval.by), format!("{} 已通过。", approval.by)));
    let edited = (!review.edited_by.is_empty())
        .then(|| text("It was edited, so it has to be approved as it stands now.", "退款内容已修改，须按当前内容重新审核。"));
    caught.into_iter().chain(edited).chain(approved).fold(asked, Text::and)
}

fn caught(rule: &ReviewTrigger, currency: Currency) -> Text {
    let money = |minor: i64| Money::new(minor, currency);
    match rule {
        ReviewTrigger::Above { minor } => text(format!("It is above {}.", money(*minor)), format!("金额超过 {}。", money(*minor))),
        ReviewTrigger::PaymentAge { days } => {
            text(format!("Its payment is more than {days} days old."), format!("原支付已超过 {days} 天。"))
        }
        ReviewTrigger::Reason { one_of } => {
            let reason = one_of.join(", ");
            text(
                format!("The reason \"{reason}\" is on the list of reasons that are reviewed."),
                format!("退款原因“{reason}”在须审核的原因列表中。"),
            )
        }
        ReviewTrigger::Share { percent } => {
            text(format!("It is more than {percent} % of the payment."), format!("金额超过该笔支付的 {percent}%。"))
        }
        ReviewTrigger::Velocity { hours, refunds, minor, of } => {
            let (whose_en, whose_zh) = match of {
                VelocityOf::Merchant => ("of the merchant", "该商户"),
                VelocityOf::Terminal => ("of the terminal", "该终端"),
            };
            let count = refunds.map(|count| (format!("more than {count} refunds"), format!("退款超过 {count} 笔")));
            let sum = minor.map(|minor| (format!("more than {}", money(minor)), format!("退款金额超过 {}", money(minor))));
            let (en, zh): (Vec<String>, Vec<String>) = count.into_iter().chain(sum).unzip();
            text(
                format!("With it, {} {whose_en} were asked for within {hours} h.", en.join(" or ")),
                format!("计入本笔后，{whose_zh} {hours} 小时内{}。", zh.join("或")),
            )
        }
    }
}
