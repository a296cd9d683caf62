//! What holds a pending refund, in JSON.

use refundry_engine::refund::{Approval, Holds, ReviewHold};
use refundry_ledger::{Currency, Money};
use serde::Serialize;
use utoipa::ToSchema;

use crate::views::{AmountView, Rfc3339};

/// What holds a pending refund.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case", tag = "kind")]
#[schema(as = Hold)]
pub enum HoldView {
    /// A person decides.
    Review {
        /// Since when.
        since: Rfc3339,
        /// Whether the applicant may not decide.
        second_person: bool,
        /// The rules that caught it: `above`, `payment_age`, `reason`, `share`, `velocity`; none where every refund is looked at.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        caught_by: Vec<&'static str>,
        /// How many people must still approve.
        approvals_missing: u32,
        /// Who approved it as it stands.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        approvals: Vec<ApprovalView>,
        /// Who edited it.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        edited_by: Vec<String>,
    },
    /// Money is missing.
    Funds {
        /// Since when.
        since: Rfc3339,
        /// When it fails for want of money.
        until: Rfc3339,
        /// What was missing when it was looked at last.
        missing: AmountView,
    },
    /// It can be undone until then.
    Delay {
        /// When it is sent.
        until: Rfc3339,
    },
}

/// Somebody let a refund pass, as it stood.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Approval)]
pub struct ApprovalView {
    /// Who.
    pub by: String,
    /// When.
    pub at: Rfc3339,
    /// Why.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub note: String,
}

impl From<Approval> for ApprovalView {
    fn from(approval: Approval) -> Self {
        Self { by: approval.by.to_string(), at: approval.at.into(), note: approval.note }
    }
}

/// Each hold that there is.
pub fn holds_of(holds: Holds, currency: Currency) -> Vec<HoldView> {
    let funds = holds.funds.map(|hold| HoldView::Funds {
        since: hold.since.into(),
        until: hold.until.into(),
        missing: Money::new(hold.missing_minor, currency).into(),
    });
    let delay = holds.delay_until.map(|until| HoldView::Delay { until: until.into() });
    [holds.review.map(review), funds, delay].into_iter().flatten().collect()
}

fn review(hold: ReviewHold) -> HoldView {
    let approvals_missing = hold.approvals_missing();
    HoldView::Review {
        since: hold.since.into(),
        second_person: hold.second_person,
        caught_by: hold.caught_by.iter().map(|rule| rule.word()).collect(),
        approvals_missing,
        approvals: hold.approvals.into_iter().map(ApprovalView::from).collect(),
        edited_by: hold.edited_by.iter().map(ToString::to_string).collect(),
    }
}
