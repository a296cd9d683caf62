//! Which refunds a person looks at before they go out, and how a refund is measured against that.

use std::collections::BTreeMap;

use refundry_ledger::Money;
use serde::{Deserialize, Serialize};

use crate::merchant::Terminal;
use crate::payment::Payment;
use crate::policy::{DAYS_MAX, PolicyPatch};
use crate::refund::REASON_LENGTH_MAX;
use crate::{MerchantId, RefundId, Scope, Snapshot, TerminalId, Timestamp};

/// Rules of one kind of review at most.
pub const REVIEW_RULES_MAX: usize = 16;
/// Reasons that one rule may list.
pub const REVIEW_REASONS_MAX: usize = 50;
/// Hours that a rule about velocity looks back at most.
pub const VELOCITY_HOURS_MAX: u32 = 72;
/// Refunds that a rule about velocity may allow at most.
pub const VELOCITY_REFUNDS_MAX: u32 = 1_000;
/// Recent refunds of one merchant that are looked at; when there are more, every rule about velocity catches.
pub const RECENT_REFUNDS_MAX: u32 = 2_000;

/// Which refunds a person looks at before they go out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum ReviewRule {
    /// None.
    None,
    /// Every refund.
    All,
    /// Those above so many minor units of the payment's currency.
    Above {
        /// The largest amount that needs no review, in minor units.
        minor: i64,
    },
    /// Those that any of these catches.
    AnyOf {
        /// The rules; the refund says which of them caught it.
        rules: Vec<ReviewTrigger>,
    },
}

/// What can catch a refund for review.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum ReviewTrigger {
    /// It is above so many minor units of the payment's currency.
    Above {
        /// The largest amount that needs no review.
        minor: i64,
    },
    /// Its payment is older than so many days.
    PaymentAge {
        /// The greatest age that needs no review.
        days: u32,
    },
    /// Its reason is one of these, whatever the case of the letters.
    Reason {
        /// The reasons; of a refund that was caught, the one that it gave.
        one_of: Vec<String>,
    },
    /// It is more than so many hundredths of what was captured.
    Share {
        /// The largest share that needs no review.
        percent: u32,
    },
    /// With it, more refunds or more money than this were asked for within so many hours.
    Velocity {
        /// How far it looks back.
        hours: u32,
        /// Refunds that need no review.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refunds: Option<u32>,
        /// Money that needs no review, in minor units of the payment's currency.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        minor: Option<i64>,
        /// Whose refunds are counted.
        #[serde(default)]
        of: VelocityOf,
    },
}

/// Whose refunds a rule about velocity counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VelocityOf {
    /// Those of the whole merchant.
    #[default]
    Merchant,
    /// Those of the terminal that asks.
    Terminal,
}

/// What a rule about velocity looks at of an earlier refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecentRefund {
    /// The channel that asked.
    pub terminal_id: TerminalId,
    /// When.
    pub created_at: Timestamp,
    /// How much.
    pub amount: Money,
    /// Whether it is still meant to be paid, or was: refunds that failed or were cancelled are not counted.
    pub counts: bool,
}

/// The recent refunds of the merchants that have a rule about velocity; of no others.
#[derive(Clone, Debug, Default)]
pub struct RecentRefunds {
    /// For each merchant its recent refunds; there is an entry for merchants without any, too.
    pub of: BTreeMap<MerchantId, BTreeMap<RefundId, RecentRefund>>,
}

/// A refund as the rules see it.
#[derive(Clone, Copy)]
pub(crate) struct Measured<'a> {
    pub(crate) id: RefundId,
    pub(crate) terminal_id: TerminalId,
    pub(crate) amount: Money,
    pub(crate) reason: Option<&'a str>,
    pub(crate) payment: &'a Payment,
    pub(crate) now: Timestamp,
}

/// Since when the recent refunds of which merchants are needed to decide what `scope` names; nothing for merchants without such a rule.
pub fn recent_wanted(snapshot: &Snapshot, scope: &Scope) -> BTreeMap<MerchantId, Timestamp> {
    let since = |(id, at): (&MerchantId, &Timestamp)| {
        let merchant = snapshot.merchants.get(id)?;
        let terminals = snapshot.terminals.values().filter(|terminal| terminal.merchant_id == *id);
        let hours = terminals.filter_map(|terminal| hours_of_terminal(terminal)).chain(hours_of(&merchant.policy)).max()?;
        Some((*id, at.plus_seconds(-i64::from(hours) * 3_600)))
    };
    scope.creations.iter().filter_map(since).collect()
}

fn hours_of_terminal(terminal: &Terminal) -> Option<u32> {
    terminal.method_policies.values().chain([&terminal.policy]).filter_map(hours_of).max()
}

fn hours_of(policy: &PolicyPatch) -> Option<u32> {
    let Some(ReviewRule::AnyOf { rules }) = &policy.review else { return None };
    let hours = |rule: &ReviewTrigger| match rule {
        ReviewTrigger::Velocity { hours, .. } => Some(*hours),
        ReviewTrigger::Above { .. } | ReviewTrigger::PaymentAge { .. } | ReviewTrigger::Reason { .. } | ReviewTrigger::Share { .. } => None,
    };
    rules.iter().filter_map(hours).max()
}

impl RecentRefunds {
    /// A merchant whose refunds are counted.
    pub fn open(&mut self, merchant_id: MerchantId) -> &mut BTreeMap<RefundId, RecentRefund> {
        self.of.entry(merchant_id).or_default()
    }

    /// Takes a written refund over, when its merchant's refunds are counted.
    pub(crate) fn absorb(&mut self, refund: &crate::refund::Refund) {
        if let Some(known) = self.of.get_mut(&refund.merchant_id) {
            let (terminal_id, created_at, amount) = (refund.terminal_id, refund.created_at, refund.amount);
            known.insert(refund.id, RecentRefund { terminal_id, created_at, amount, counts: refund.state.counts() });
        }
    }
}

impl ReviewRule {
    /// Whether a person looks at it, and if so, which rules caught it; none are named where every refund is looked at.
    pub(crate) fn catches(&self, recent: &RecentRefunds, refund: Measured<'_>) -> Option<Vec<ReviewTrigger>> {
        match self {
            Self::None => None,
            Self::All => Some(Vec::new()),
            Self::Above { minor } => (refund.amount.minor() > *minor).then(|| vec![ReviewTrigger::Above { minor: *minor }]),
            Self::AnyOf { rules } => {
                let caught: Vec<ReviewTrigger> = rules.iter().filter_map(|rule| rule.catches(recent, refund)).collect();
                (!caught.is_empty()).then_some(caught)
            }
        }
    }

    /// What is wrong with it: the field and the rule that it breaks.
    pub fn fault(&self) -> Option<(&'static str, String)> {
        match self {
            Self::None | Self::All => None,
            Self::Above { minor } => at_least_zero("review.minor", *minor),
            Self::AnyOf { rules } if !(1..=REVIEW_RULES_MAX).contains(&rules.len()) => {
                Some(("review.rules", format!("1 to {REVIEW_RULES_MAX} rules")))
            }
            Self::AnyOf { rules } => rules.iter().find_map(ReviewTrigger::fault),
        }
    }
}

impl ReviewTrigger {
    /// The stable word.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Above { .. } => "above",
            Self::PaymentAge { .. } => "payment_age",
            Self::Reason { .. } => "reason",
            Self::Share { .. } => "share",
            Self::Velocity { .. } => "velocity",
        }
    }

    fn catches(&self, recent: &RecentRefunds, refund: Measured<'_>) -> Option<Self> {
        let is_caught = match self {
            Self::Above { minor } => refund.amount.minor() > *minor,
            // A payment of exactly that age still passes.
            Self::PaymentAge { days } => refund.now > refund.payment.paid_at.plus_days(i64::from(*days)),
            Self::Reason { one_of } => {
                let given = refund.reason.map(plain).unwrap_or_default();
                return one_of.iter().find(|listed| plain(listed) == given).map(|listed| Self::Reason { one_of: vec![listed.clone()] });
            }
            Self::Share { percent } => {
                let captured = i128::from(refund.payment.captured.minor());
                i128::from(refund.amount.minor()) * 100 > captured * i128::from(*percent)
            }
            Self::Velocity { hours, refunds, minor, of } => {
                let since = refund.now.plus_seconds(-i64::from(*hours) * 3_600);
                let known = recent.of.get(&refund.payment.merchant_id);
                // More than are looked at is more than any rule allows.
                known.is_some_and(|known| known.len() >= RECENT_REFUNDS_MAX as usize)
                    || is_too_fast(known.into_iter().flatten(), refund, (since, *of), (*refunds, *minor))
            }
        };
        is_caught.then(|| self.clone())
    }

    fn fault(&self) -> Option<(&'static str, String)> {
        let range =
            |field, number: u32, least: u32, most: u32| (!(least..=most).contains(&number)).then(|| (field, format!("{least} to {most}")));
        match self {
            Self::Above { minor } => at_least_zero("review.rules.minor", *minor),
            Self::PaymentAge { days } => range("review.rules.days", *days, 0, DAYS_MAX),
            Self::Reason { one_of } => {
                let fits = |text: &String| !plain(text).is_empty() && text.chars().count() <= REASON_LENGTH_MAX;
                let is_wrong = !(1..=REVIEW_REASONS_MAX).contains(&one_of.len()) || !one_of.iter().all(fits);
                is_wrong.then(|| ("review.rules.one_of", format!("1 to {REVIEW_REASONS_MAX} reasons of 1 to {REASON_LENGTH_MAX} letters")))
            }
            Self::Share { percent } => range("review.rules.percent", *percent, 0, 99),
            Self::Velocity { refunds: None, minor: None, .. } => {
                Some(("review.rules.refunds", "say how many refunds or how much money need no review".to_owned()))
            }
            Self::Velocity { hours, refunds, minor, .. } => range("review.rules.hours", *hours, 1, VELOCITY_HOURS_MAX)
                .or_else(|| range("review.rules.refunds", (*refunds)?, 0, VELOCITY_REFUNDS_MAX))
                .or_else(|| at_least_zero("review.rules.minor", (*minor)?)),
        }
    }
}

/// Whether the refund is one too many, or its money too much, beside those before it.
fn is_too_fast<'a>(
    known: impl Iterator<Item = (&'a RefundId, &'a RecentRefund)>,
    refund: Measured<'_>,
    (since, of): (Timestamp, VelocityOf),
    (refunds, minor): (Option<u32>, Option<i64>),
) -> bool {
    let (mut count, mut sum) = (1_u32, i128::from(refund.amount.minor()));
    for (_, before) in known.filter(|(id, before)| **id != refund.id && before.counts && before.created_at > since) {
        if of == VelocityOf::Merchant || before.terminal_id == refund.terminal_id {
            count = count.saturating_add(1);
            if before.amount.currency() == refund.amount.currency() {
                sum += i128::from(before.amount.minor());
            }
        }
    }
    refunds.is_some_and(|most| count > most) || minor.is_some_and(|most| sum > i128::from(most))
}

fn plain(reason: &str) -> String {
    reason.trim().to_lowercase()
}

fn at_least_zero(field: &'static str, minor: i64) -> Option<(&'static str, String)> {
    (minor < 0).then(|| (field, "0 or more minor units".to_owned()))
}
