//! How the rules of refunds look in JSON. The engine's own [`Policy`](refundry_engine::policy::Policy) and `PolicyPatch` are read and written
//! as they are; these types only describe them.

use refundry_engine::merchant::Standing;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What one level says; what it leaves out comes from the level above: method, terminal, merchant, defaults.
#[derive(ToSchema)]
#[schema(as = Policy)]
#[expect(dead_code, reason = "describes the engine's PolicyPatch, which knows nothing of OpenAPI")]
pub struct PolicyView {
    /// Days after the payment in which it can be refunded.
    refund_window_days: Option<u32>,
    /// Whether less than the captured amount may be refunded.
    partial_allowed: Option<bool>,
    /// Whether one payment may have more than one refund.
    several_allowed: Option<bool>,
    /// How many refunds one payment may have.
    refund_count_max: Option<u32>,
    /// Which refunds a person looks at first.
    review: Option<ReviewRuleView>,
    /// Whether the reviewer must be another person than the applicant.
    second_person: Option<bool>,
    /// Above so many minor units a refund is reviewed by two people.
    second_reviewer_above_minor: Option<i64>,
    /// What happens when the money is not there.
    funds: Option<FundsRuleView>,
    /// Days that a refund waits for money.
    funds_wait_days: Option<u32>,
    /// What a refund that waits does to those behind it while its money is not there.
    funds_order: Option<FundsOrderView>,
    /// When a refund that waits is looked at.
    funds_check: Option<FundsCheckView>,
    /// Whether the payment's own unsettled money may be drawn.
    draw_unsettled: Option<bool>,
    /// Whether the payment's own reserve may be drawn.
    draw_reserve: Option<bool>,
    /// Whether the merchant's available money may be drawn.
    draw_available: Option<bool>,
    /// What happens to the fee of the payment.
    original_fee: Option<FeeRuleView>,
    /// Whether what a refund gives back of a fee that is taken from the payment may differ by one minor unit from the cumulative rounding.
    fee_rounding_tolerance: Option<bool>,
    /// Fee for a refund, in minor units of the payment's currency.
    refund_fee_minor: Option<i64>,
    /// Fee for a chargeback, in minor units of the payment's currency, taken from the available money.
    chargeback_fee_minor: Option<i64>,
    /// What happens to that fee when the chargeback is won or taken back.
    chargeback_fee: Option<FeeRuleView>,
    /// Days after which an authorisation that nobody captured is voided.
    authorisation_days: Option<u32>,
    /// Seconds in which a refund can be undone before it is sent.
    undo_seconds: Option<u32>,
    /// Milliseconds that an answer of a dialect waits for the acquirer.
    synchronous_wait_ms: Option<u32>,
    /// Whether a payment can be refunded only once it is reconciled with the bank.
    reconciled_only: Option<bool>,
    /// Whether a payment is not refunded while a payout of its money is prepared and not sent.
    refuse_in_payout: Option<bool>,
    /// When money is settled, what is kept of it, and what it costs.
    settlement: Option<SettlementTermsView>,
}

/// The terms of settlement that one level says; what it leaves out comes from the level above. They hold for payments that are captured from then
/// on; the fixed reserve holds at once.
#[derive(ToSchema)]
#[schema(as = SettlementTerms)]
#[expect(dead_code, reason = "describes the engine's SettlementPatch, which knows nothing of OpenAPI")]
pub struct SettlementTermsView {
    /// Whether a person of the operator looks at a payment before it is settled.
    reviewed: Option<bool>,
    /// Days after the day of the payment at whose beginning its money is settled: the N of T+N. Without it, payments are settled by hand.
    trade_days: Option<u32>,
    /// Days after the day of the payment at whose beginning the rolling reserve is released. Without it, it is released by hand.
    reserve_days: Option<u32>,
    /// Minutes by which the merchant's day begins before that of UTC; 480 when nothing is said.
    utc_offset_minutes: Option<i32>,
    /// The currency that payments, their refunds and chargebacks are booked in, by the rates of their days; the one that they settle in when nothing is
    /// said.
    accounting_currency: Option<String>,
    /// What must have happened to the goods.
    condition: Option<SettlementConditionView>,
    /// The part of a capture that is kept as rolling reserve, in basis points.
    rolling_reserve_bps: Option<u32>,
    /// What is kept of settled money until so much is there, in minor units by currency.
    #[schema(example = json!({ "EUR": 500000 }))]
    fixed_reserve_minor: Option<std::collections::BTreeMap<String, i64>>,
    /// The part of a capture that is the operator's fee, in basis points.
    fee_bps: Option<u32>,
    /// The operator's fee for a capture beside that part, in minor units of the payment's currency.
    fee_fixed_minor: Option<i64>,
}

/// What must have happened to the goods before their money is settled.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SettlementCondition)]
pub enum SettlementConditionView {
    /// Nothing.
    None,
    /// A tracking number is there.
    TrackingUploaded,
    /// The goods have arrived.
    Delivered,
}

/// Which refunds a person looks at first.
#[derive(ToSchema)]
#[serde(rename_all = "snake_case", tag = "kind")]
#[schema(as = ReviewRule)]
pub enum ReviewRuleView {
    /// None.
    None,
    /// Every refund.
    All,
    /// Those above an amount.
    Above {
        /// The largest amount that needs no review, in minor units.
        minor: i64,
    },
    /// Those that any of these catches.
    AnyOf {
        /// 1 to 16 rules; the refund says which of them caught it.
        rules: Vec<ReviewTriggerView>,
    },
}

/// What can catch a refund for review.
#[derive(ToSchema)]
#[serde(rename_all = "snake_case", tag = "kind")]
#[schema(as = ReviewTrigger)]
pub enum ReviewTriggerView {
    /// It is above an amount.
    Above {
        /// The largest amount that needs no review, in minor units.
        minor: i64,
    },
    /// Its payment is older than so many days.
    PaymentAge {
        /// The greatest age that needs no review.
        days: u32,
    },
    /// Its reason is on a list, whatever the case of the letters.
    Reason {
        /// 1 to 50 reasons.
        one_of: Vec<String>,
    },
    /// It is more than so many hundredths of what was captured.
    Share {
        /// The largest share that needs no review, 0 to 99.
        percent: u32,
    },
    /// With it, more refunds or more money than this were asked for within some hours.
    Velocity {
        /// How far it looks back, 1 to 72.
        hours: u32,
        /// Refunds that need no review, 0 to 1,000.
        refunds: Option<u32>,
        /// Money that needs no review, in minor units of the payment's currency.
        minor: Option<i64>,
        /// `merchant`, which is usual, or `terminal`: whose refunds are counted.
        of: Option<VelocityOfView>,
    },
}

/// Whose refunds a rule about velocity counts.
#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = VelocityOf)]
pub enum VelocityOfView {
    /// Those of the whole merchant.
    Merchant,
    /// Those of the terminal that asks.
    Terminal,
}

/// What happens to a refund whose money is not there.
#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = FundsRule)]
pub enum FundsRuleView {
    /// It waits.
    Wait,
    /// It is refused at once.
    Refuse,
    /// It is accepted and fails afterwards.
    FailLater,
}

/// What a refund that waits for money does to those behind it while its own money is not there.
#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = FundsOrder)]
pub enum FundsOrderView {
    /// It holds them up: oldest first, strictly.
    Strict,
    /// It lets those pass that fit, and keeps its place and its deadline.
    Skip,
}

/// When a refund that waits for money is looked at.
#[derive(ToSchema)]
#[serde(rename_all = "snake_case", tag = "kind")]
#[schema(as = FundsCheck)]
pub enum FundsCheckView {
    /// The moment money comes in.
    OnCredit,
    /// At full hours of a clock, and only then.
    AtHours {
        /// Hours of the day, 0 to 23, in their order.
        #[schema(example = json!([8, 12, 17, 22]))]
        hours: Vec<u8>,
        /// How far that clock is ahead of UTC, in minutes; no summer time.
        #[schema(example = 480)]
        utc_offset_minutes: i32,
    },
}

/// What happens to a fee when what it was taken for is undone.
#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = FeeRule)]
pub enum FeeRuleView {
    /// The operator keeps it.
    Keep,
    /// It is given back; that of a payment in proportion.
    GiveBack,
}

/// Whether somebody may act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Standing)]
pub enum StandingView {
    /// May act.
    Active,
    /// May read, may not refund.
    Suspended,
}

impl From<Standing> for StandingView {
    fn from(standing: Standing) -> Self {
        match standing {
            Standing::Active => Self::Active,
            Standing::Suspended => Self::Suspended,
        }
    }
}

impl From<StandingView> for Standing {
    fn from(view: StandingView) -> Self {
        match view {
            StandingView::Active => Self::Active,
            StandingView::Suspended => Self::Suspended,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use refundry_engine::policy::{FeeRule, FundsCheck, FundsOrder, FundsRule, Policy, PolicyPatch, ReviewRule};
    use refundry_engine::settlement::{SettlementCondition, SettlementTerms};

    #[test]
    fn every_rule_of_the_engine_is_described() {
        let policy = Policy {
            refund_count_max: Some(1),
            second_reviewer_above_minor: Some(1),
            review: ReviewRule::Above { minor: 1 },
            ..Policy::default()
        };
        let policy = serde_json::to_value(policy).unwrap();
        let schema = serde_json::to_value(<PolicyView as utoipa::PartialSchema>::schema()).unwrap();
        let described: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
        let settlement = "settlement".to_owned();
        let known: Vec<&String> = policy.as_object().unwrap().keys().chain([&settlement]).collect();
        assert_eq!(described, known);
        let terms = serde_json::to_value(SettlementTerms::default()).unwrap();
        let schema = serde_json::to_value(<SettlementTermsView as utoipa::PartialSchema>::schema()).unwrap();
        let described: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
        assert_eq!(described, terms.as_object().unwrap().keys().collect::<Vec<_>>());
        for condition in SettlementCondition::ALL {
            assert!(serde_json::from_value::<SettlementCondition>(condition.word().into()).is_ok());
        }
        for word in ["wait", "refuse", "fail_later"] {
            assert!(serde_json::from_value::<FundsRule>(word.into()).is_ok(), "{word}");
        }
        for word in ["strict", "skip"] {
            assert!(serde_json::from_value::<FundsOrder>(word.into()).is_ok(), "{word}");
        }
        let hours = r#"{"funds_check":{"kind":"at_hours","hours":[8,12,17,22],"utc_offset_minutes":480}}"#;
        assert_eq!(serde_json::from_str::<PolicyPatch>(hours).unwrap().funds_check, Some(FundsCheck::oceanpayment()));
        assert!(serde_json::from_str::<PolicyPatch>(r#"{"funds_check":{"kind":"on_credit"}}"#).is_ok());
        for word in ["keep", "give_back"] {
            assert!(serde_json::from_value::<FeeRule>(word.into()).is_ok(), "{word}");
        }
        assert!(serde_json::from_str::<PolicyPatch>(r#"{"review":{"kind":"all"}}"#).is_ok());
    }
}
