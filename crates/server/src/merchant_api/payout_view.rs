//! How payouts, their statements and terms look in JSON.

use refundry_engine::merchant::Merchant;
use refundry_engine::payout::{Origin, Part, Payout, PayoutKind, PayoutState, PayoutStateName, Statement, Sums};
use refundry_ledger::{Currency, Money};
use refundry_store::{PaidOut, PayoutLine};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::payout_terms_view::{BankView, PayoutTermsView};
use crate::views::{AmountView, ModeView, Rfc3339};

/// Which money is paid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PayoutKind)]
pub enum PayoutKindView {
    /// What was traded, less refunds, chargebacks and fees.
    Trade,
    /// What was released from the reserve.
    Reserve,
}

/// Where a payout stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PayoutState)]
pub enum PayoutStateView {
    /// Its money is set aside.
    Prepared,
    /// The bank has it.
    Sent,
    /// It arrived.
    Paid,
    /// The bank did not carry it out; its money is available again.
    Failed,
    /// It came back after it had arrived; its money is available again.
    Returned,
    /// Taken back before it was sent; its money is available again.
    Cancelled,
}

/// A payment to the merchant's bank.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Payout)]
pub struct PayoutView {
    /// The batch number.
    #[schema(example = "pyt_0d3m4t2ykw000")]
    pub payout_id: String,
    /// Whose.
    pub merchant_id: String,
    /// Sandbox or live.
    pub mode: ModeView,
    /// Out of which pot.
    pub kind: PayoutKindView,
    /// Where it stands.
    pub state: PayoutStateView,
    /// What was in the pot before the operator's fees and items.
    pub due: AmountView,
    /// Fees for exchange and transfer, below zero.
    pub settlement_fees: AmountView,
    /// Other fees that the operator took, below zero.
    pub deductions: AmountView,
    /// Other items.
    pub other_items: AmountView,
    /// What the operator gave back.
    pub given_back: AmountView,
    /// What is paid.
    pub amount: AmountView,
    /// How it came about.
    pub statement: StatementView,
    /// When its statement begins; absent at the beginning of the books.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opened_at: Option<Rfc3339>,
    /// When its money was set aside.
    pub prepared_at: Rfc3339,
    /// Who prepared it; absent when the terms did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prepared_by: Option<String>,
    /// To which bank account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bank: Option<BankView>,
    /// When the bank was told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<Rfc3339>,
    /// Who told it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent_by: Option<String>,
    /// The bank's number of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bank_reference: Option<String>,
    /// When it arrived.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paid_at: Option<Rfc3339>,
    /// Why it failed, came back or was taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What was written to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// When it changed last.
    pub updated_at: Rfc3339,
}

/// How a payout came about: `opening` and everything in `movements` make `closing`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PayoutStatement)]
pub struct StatementView {
    /// What was in the pot at the beginning; below zero when more went out than came in.
    pub opening: AmountView,
    /// What came and went, by cause.
    pub movements: Vec<MovementView>,
    /// What was in the pot at the end, before the payout.
    pub closing: AmountView,
    /// What the payout leaves in the pot: the next statement begins with it.
    pub left: AmountView,
}

/// What one cause moved.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PayoutMovement)]
pub struct MovementView {
    /// The part of the statement that it belongs to, such as `payments`, `refunds`, `chargebacks`, `reserve`, `fees`.
    #[schema(example = "refunds")]
    pub part: &'static str,
    /// What caused it, such as `payment_settled` or `refund_released`.
    #[schema(example = "refund_released")]
    pub cause: String,
    /// What came in.
    pub credit: AmountView,
    /// In how many postings.
    pub credit_count: i64,
    /// What went out.
    pub debit: AmountView,
    /// In how many postings.
    pub debit_count: i64,
    /// What came in less what went out.
    pub net: AmountView,
}

/// One posting of a statement.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PayoutLine)]
pub struct LineView {
    /// The entry of the books that it belongs to.
    pub entry_id: String,
    /// When it was booked.
    pub at: Rfc3339,
    /// The part of the statement.
    pub part: &'static str,
    /// What caused it.
    pub cause: String,
    /// What came in; below zero for what went out.
    pub amount: AmountView,
    /// The payment that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_id: Option<String>,
    /// The number that the merchant was given for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_reference: Option<String>,
    /// The merchant's order number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merchant_reference: Option<String>,
    /// The refund that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refund_id: Option<String>,
}

/// What a merchant was paid out in one currency: what arrived and did not come back.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PaidOut)]
pub struct PaidOutView {
    /// Out of which pot.
    pub kind: PayoutKindView,
    /// How much.
    pub amount: AmountView,
    /// In how many payouts.
    pub count: i64,
}

/// The terms of one currency.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PayoutTermsOfCurrency)]
pub struct TermsView {
    /// In which currency.
    #[schema(example = "EUR")]
    pub currency: String,
    /// The terms.
    #[serde(flatten)]
    pub terms: PayoutTermsView,
    /// When the next run is; absent without days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_run_at: Option<Rfc3339>,
}

impl From<PayoutKindView> for PayoutKind {
    fn from(kind: PayoutKindView) -> Self {
        match kind {
            PayoutKindView::Trade => Self::Trade,
            PayoutKindView::Reserve => Self::Reserve,
        }
    }
}

impl From<PayoutKind> for PayoutKindView {
    fn from(kind: PayoutKind) -> Self {
        match kind {
            PayoutKind::Trade => Self::Trade,
            PayoutKind::Reserve => Self::Reserve,
        }
    }
}

impl From<PayoutStateView> for PayoutStateName {
    fn from(state: PayoutStateView) -> Self {
        match state {
            PayoutStateView::Prepared => Self::Prepared,
            PayoutStateView::Sent => Self::Sent,
            PayoutStateView::Paid => Self::Paid,
            PayoutStateView::Failed => Self::Failed,
            PayoutStateView::Returned => Self::Returned,
            PayoutStateView::Cancelled => Self::Cancelled,
        }
    }
}

impl From<PayoutStateName> for PayoutStateView {
    fn from(state: PayoutStateName) -> Self {
        match state {
            PayoutStateName::Prepared => Self::Prepared,
            PayoutStateName::Sent => Self::Sent,
            PayoutStateName::Paid => Self::Paid,
            PayoutStateName::Failed => Self::Failed,
            PayoutStateName::Returned => Self::Returned,
            PayoutStateName::Cancelled => Self::Cancelled,
        }
    }
}

impl StatementView {
    fn of(statement: &Statement, amount: Money) -> Self {
        let currency = amount.currency();
        let movement = |(cause, sums): (&String, &Sums)| MovementView {
            part: Part::of(cause).word(),
            cause: cause.clone(),
            credit: view(sums.credit_minor, currency),
            credit_count: sums.credit_count,
            debit: view(sums.debit_minor, currency),
            debit_count: sums.debit_count,
            net: view(sums.net_minor(), currency),
        };
        let mut movements: Vec<(Part, MovementView)> =
            statement.movements.iter().map(|moved| (Part::of(moved.0), movement(moved))).collect();
        movements.sort_by_key(|(part, _)| *part);
        Self {
            opening: view(statement.opening_minor, currency),
            movements: movements.into_iter().map(|(_, movement)| movement).collect(),
            closing: view(statement.closing_minor, currency),
            left: view(statement.closing_minor.saturating_sub(amount.minor()), currency),
        }
    }
}

impl From<Payout> for PayoutView {
    fn from(payout: Payout) -> Self {
        let currency = payout.amount.currency();
        let parts = payout.statement.parts();
        let net = |part: Part| parts.get(&part).map_or(0, Sums::net_minor);
        let items = [Part::SettlementFees, Part::Deductions, Part::OtherItems, Part::GivenBack].map(net);
        let due = items.iter().fold(payout.statement.closing_minor, |due, item| due.saturating_sub(*item));
        let [settlement_fees, deductions, other_items, given_back] = items.map(|minor| view(minor, currency));
        let reason = match &payout.state {
            PayoutState::Failed { reason, .. } | PayoutState::Returned { reason, .. } | PayoutState::Cancelled { reason, .. } => {
                Some(reason.clone())
            }
            PayoutState::Prepared | PayoutState::Sent | PayoutState::Paid { .. } => None,
        };
        Self {
            payout_id: payout.id.to_string(),
            merchant_id: payout.merchant_id.to_string(),
            mode: payout.mode.into(),
            kind: payout.kind.into(),
            state: payout.state.name().into(),
            due: view(due, currency),
            settlement_fees,
            deductions,
            other_items,
            given_back,
            statement: StatementView::of(&payout.statement, payout.amount),
            amount: payout.amount.into(),
            opened_at: payout.opened_at.map(Into::into),
            prepared_at: payout.prepared_at.into(),
            prepared_by: match &payout.origin {
                Origin::Manual { by } => Some(by.to_string()),
                Origin::Scheduled => None,
            },
            bank: payout.bank.map(Into::into),
            sent_at: payout.sending.as_ref().map(|sending| sending.at.into()),
            sent_by: payout.sending.as_ref().map(|sending| sending.by.to_string()),
            bank_reference: payout.sending.and_then(|sending| sending.bank_reference),
            paid_at: payout.state.paid_at().map(Into::into),
            reason,
            note: payout.note,
            updated_at: payout.updated_at.into(),
        }
    }
}

impl LineView {
    /// A line of a payout in a currency.
    pub fn of(line: PayoutLine, currency: Currency) -> Self {
        Self {
            entry_id: line.entry_id.to_string(),
            at: line.at.into(),
            part: Part::of(&line.cause).word(),
            amount: view(line.minor, currency),
            cause: line.cause,
            payment_id: line.payment_id.map(|id| id.to_string()),
            payment_reference: line.payment_reference,
            merchant_reference: line.merchant_reference,
            refund_id: line.refund_id.map(|id| id.to_string()),
        }
    }
}

impl From<PaidOut> for PaidOutView {
    fn from(sum: PaidOut) -> Self {
        Self { kind: sum.kind.into(), amount: view(sum.minor, sum.currency), count: sum.count }
    }
}

impl TermsView {
    /// The terms of all currencies of a merchant.
    pub fn all(merchant: Merchant, now: refundry_engine::Timestamp) -> Vec<Self> {
        let terms = merchant.payout_terms.into_iter();
        terms.map(|(currency, terms)| Self { currency, next_run_at: terms.next_run(now).map(Into::into), terms: terms.into() }).collect()
    }
}

fn view(minor: i64, currency: Currency) -> AmountView {
    Money::new(minor, currency).into()
}
