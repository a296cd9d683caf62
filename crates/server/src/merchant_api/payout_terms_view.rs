//! How the terms of payouts look in JSON, both ways.

use refundry_engine::payout::{BankAccount, PayoutDays, PayoutTerms, ReservePayouts};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// When a merchant is paid out in one currency, and how much.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PayoutTerms)]
pub struct PayoutTermsView {
    /// On which days.
    pub days: PayoutDaysView,
    /// At which minute of the merchant's day; 0 when left out.
    #[serde(default)]
    pub at_minute: u16,
    /// How far the merchant's day is ahead of UTC, in minutes; 480 when left out.
    #[serde(default = "beijing")]
    pub utc_offset_minutes: i16,
    /// Less than this is carried into the next payout, in minor units.
    #[serde(default)]
    pub minimum_minor: i64,
    /// What always stays in the account, in minor units.
    #[serde(default)]
    pub keep_minor: i64,
    /// Nothing is paid out while this is set.
    #[serde(default)]
    pub on_hold: bool,
    /// Whether money that was released from the reserve is paid out with the trade, and not apart.
    #[serde(default)]
    pub reserve: ReservePayoutsView,
    /// To which bank account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bank: Option<BankView>,
}

/// The days of payouts.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
#[schema(as = PayoutDays)]
pub enum PayoutDaysView {
    /// None: people prepare payouts.
    None,
    /// Every day.
    Daily,
    /// On days of the week.
    Weekly {
        /// 1 for Monday to 7 for Sunday.
        weekdays: Vec<u8>,
    },
    /// On days of the month.
    Monthly {
        /// 1 to 31; a day that a month does not have is its last one.
        days: Vec<u8>,
    },
}

/// What becomes of money that was released from the reserve.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ReservePayouts)]
pub enum ReservePayoutsView {
    /// It has payouts of its own.
    #[default]
    Apart,
    /// It is paid out with the trade.
    WithTrade,
}

/// A bank account.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BankAccount)]
pub struct BankView {
    /// The bank's name.
    pub bank: String,
    /// Whose account.
    pub holder: String,
    /// The last four characters of its number.
    #[schema(example = "1234")]
    pub last4: String,
}

impl From<PayoutTermsView> for PayoutTerms {
    fn from(view: PayoutTermsView) -> Self {
        Self {
            days: match view.days {
                PayoutDaysView::None => PayoutDays::None,
                PayoutDaysView::Daily => PayoutDays::Daily,
                PayoutDaysView::Weekly { weekdays } => PayoutDays::Weekly { weekdays },
                PayoutDaysView::Monthly { days } => PayoutDays::Monthly { days },
            },
            at_minute: view.at_minute,
            utc_offset_minutes: view.utc_offset_minutes,
            minimum_minor: view.minimum_minor,
            keep_minor: view.keep_minor,
            on_hold: view.on_hold,
            reserve: match view.reserve {
                ReservePayoutsView::Apart => ReservePayouts::Apart,
                ReservePayoutsView::WithTrade => ReservePayouts::WithTrade,
            },
            bank: view.bank.map(|BankView { bank, holder, last4 }| BankAccount { bank, holder, last4 }),
        }
    }
}

impl From<PayoutTerms> for PayoutTermsView {
    fn from(terms: PayoutTerms) -> Self {
        Self {
            days: match terms.days {
                PayoutDays::None => PayoutDaysView::None,
                PayoutDays::Daily => PayoutDaysView::Daily,
                PayoutDays::Weekly { weekdays } => PayoutDaysView::Weekly { weekdays },
                PayoutDays::Monthly { days } => PayoutDaysView::Monthly { days },
            },
            at_minute: terms.at_minute,
            utc_offset_minutes: terms.utc_offset_minutes,
            minimum_minor: terms.minimum_minor,
            keep_minor: terms.keep_minor,
            on_hold: terms.on_hold,
            reserve: match terms.reserve {
                ReservePayouts::Apart => ReservePayoutsView::Apart,
                ReservePayouts::WithTrade => ReservePayoutsView::WithTrade,
            },
            bank: terms.bank.map(Into::into),
        }
    }
}

impl From<BankAccount> for BankView {
    fn from(BankAccount { bank, holder, last4 }: BankAccount) -> Self {
        Self { bank, holder, last4 }
    }
}

const fn beijing() -> i16 {
    480
}
