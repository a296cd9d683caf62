//! How shares look in JSON: a share, what a payment remembers of its shares, what a refund takes back of them.

use refundry_engine::payment::Payment;
use refundry_engine::refund::Refund;
use refundry_engine::share::{FeeMode, LineState, Share, ShareCancelReason, ShareFailReason, ShareLine, ShareState, ShareStateName};
use refundry_ledger::Money;
use refundry_service::receivers::NamedLine;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::views::{Amount, AmountView, ModeView, Rfc3339};

/// What one receiver gets or gives back.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ShareLineRequest)]
pub struct LineRequest {
    /// The receiver's account number, or our id of it.
    #[schema(example = "100001")]
    pub receiver: String,
    /// How much.
    pub amount: Amount,
}

/// One order to share a payment's money.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Share)]
pub struct ShareView {
    /// Ours.
    #[schema(example = "sha_0d3m4t2ykw000")]
    pub share_id: String,
    /// The giver: whose payment it is.
    pub merchant_id: String,
    /// Of which payment.
    pub payment_id: String,
    /// The number that the merchant was given when it was paid.
    pub payment_reference: String,
    /// The channel that asked.
    pub terminal_id: String,
    /// Sandbox or live.
    pub mode: ModeView,
    /// The dialect in which it was asked for; `native` is this API.
    pub dialect: String,
    /// The giver's number for it: here, the idempotency key.
    pub number: String,
    /// Where it stands.
    pub state: ShareStateView,
    /// What all receivers get.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<AmountView>,
    /// Who gets how much.
    pub lines: Vec<ShareLineView>,
    /// When it begins, while it is planned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Rfc3339>,
    /// Why it will not be carried out, or was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<ShareEndView>,
    /// Where its end is announced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notify_url: Option<String>,
    /// Who asked.
    pub applicant: String,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Rfc3339>,
    /// When it was asked for.
    pub created_at: Rfc3339,
    /// When it changed last.
    pub updated_at: Rfc3339,
}

/// Where a share stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ShareState)]
pub enum ShareStateView {
    /// It begins by itself at its time, unless a refund of the payment comes before.
    Planned,
    /// Being carried out; refunds of the payment have to wait.
    Running,
    /// The receivers have their money.
    Succeeded,
    /// It was only planned, and will not be carried out.
    Cancelled,
    /// It was not carried out.
    Failed,
}

/// What one receiver gets.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ShareLine)]
pub struct ShareLineView {
    /// Who.
    pub receiver_id: String,
    /// By which name the giver named it.
    pub receiver: String,
    /// How much.
    pub amount: AmountView,
}

/// Why a share will not be carried out, or was not.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ShareEnd)]
pub struct ShareEndView {
    /// `refunded`, `cancelled`, `not_enough_funds`, `not_possible` or `declined`.
    pub kind: &'static str,
    /// The refund that came before its time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refund_id: Option<String>,
    /// Who took it back, or let it fail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// What was missing of the giver's money.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<AmountView>,
    /// The code of the rule that forbade it, or what was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// Who the operator's fee is taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = FeeMode)]
pub enum FeeModeView {
    /// From the merchant's available money: all of the payment can be shared.
    FromAccount,
    /// From the payment's own money: what can be shared is less.
    FromPayment,
}

/// What a payment remembers of its shares.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PaymentSharing)]
pub struct SharingView {
    /// Who the operator's fee is taken from.
    pub fee_mode: FeeModeView,
    /// What of the payment can be shared at all.
    pub pool: AmountView,
    /// What of it is neither shared, nor being shared, nor refunded.
    pub unshared: AmountView,
    /// What is being shared.
    pub running: AmountView,
    /// Shares whose time has not come.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub planned: Vec<String>,
    /// Everybody who got something of it.
    pub receivers: Vec<ReceiverView>,
    /// What the giver advanced for receivers, and they owe.
    pub advanced: AmountView,
}

/// What one receiver got of a payment.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PaymentReceiver)]
pub struct ReceiverView {
    /// Who.
    pub receiver_id: String,
    /// By which name the giver named it last.
    pub receiver: String,
    /// What it got.
    pub shared: AmountView,
    /// What it gave back.
    pub returned: AmountView,
    /// What it can still give back.
    pub returnable: AmountView,
}

/// What a refund takes back of its payment's shares.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RefundSharing)]
pub struct RefundSharingView {
    /// What receivers give back, and what the giver pays in their place.
    pub lines: Vec<ReturnLineView>,
    /// What comes out of the money that was never shared.
    pub from_unshared: AmountView,
}

/// One part of a refund of a shared payment.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReturnLine)]
pub struct ReturnLineView {
    /// Who gives it back; left out for what the giver advances.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receiver_id: Option<String>,
    /// By which name the giver named it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receiver: Option<String>,
    /// How much.
    pub amount: AmountView,
    /// `waiting`: not taken yet; `returned`: the receiver gave it back; `advanced`: the giver paid it; `failed`: nothing is taken.
    pub state: &'static str,
}

impl LineRequest {
    /// As the service takes it.
    pub fn named(self) -> NamedLine {
        NamedLine { receiver: self.receiver, amount: self.amount.into() }
    }
}

impl From<Share> for ShareView {
    fn from(share: Share) -> Self {
        let currency = share.lines.first().map(|line| line.amount.currency());
        Self {
            share_id: share.id.to_string(),
            merchant_id: share.merchant_id.to_string(),
            payment_id: share.payment_id.to_string(),
            terminal_id: share.terminal_id.to_string(),
            mode: share.mode.into(),
            state: share.state.name().into(),
            amount: currency.map(|currency| Money::new(share.sum_minor(), currency).into()),
            due_at: share.state.due_at().map(Rfc3339),
            ended_at: share.state.ended_at().map(Rfc3339),
            why: ShareEndView::of(share.state),
            applicant: share.applicant.to_string(),
            created_at: share.created_at.into(),
            updated_at: share.updated_at.into(),
            payment_reference: share.payment_reference,
            dialect: share.dialect,
            number: share.number,
            lines: share.lines.into_iter().map(ShareLineView::from).collect(),
            notify_url: share.notify_url,
        }
    }
}

impl From<ShareLine> for ShareLineView {
    fn from(line: ShareLine) -> Self {
        Self { receiver_id: line.receiver_id.to_string(), receiver: line.account, amount: line.amount.into() }
    }
}

impl ShareEndView {
    fn of(state: ShareState) -> Option<Self> {
        let bare = |kind| Self { kind, refund_id: None, by: None, missing: None, text: None };
        Some(match state {
            ShareState::Planned { .. } | ShareState::Running | ShareState::Succeeded { .. } => return None,
            ShareState::Cancelled { why: ShareCancelReason::ByRefund { refund_id }, .. } => {
                Self { refund_id: Some(refund_id.to_string()), ..bare("refunded") }
            }
            ShareState::Cancelled { why: ShareCancelReason::ByPerson { by }, .. } => Self { by: Some(by.to_string()), ..bare("cancelled") },
            ShareState::Failed { reason: ShareFailReason::NotEnoughFunds { missing }, .. } => {
                Self { missing: Some(missing.into()), ..bare("not_enough_funds") }
            }
            ShareState::Failed { reason: ShareFailReason::NotPossible { code }, .. } => Self { text: Some(code), ..bare("not_possible") },
            ShareState::Failed { reason: ShareFailReason::Declined { by, note }, .. } => {
                Self { by: Some(by.to_string()), text: Some(note), ..bare("declined") }
            }
        })
    }
}

impl SharingView {
    /// What a payment remembers of its shares; nothing of an ordinary one.
    pub fn of(payment: &Payment) -> Option<Self> {
        let sharing = payment.sharing.as_ref()?;
        let money = |minor: i64| AmountView::from(Money::new(minor, payment.currency()));
        let receivers = sharing.receivers.iter().map(|(receiver_id, part)| ReceiverView {
            receiver_id: receiver_id.to_string(),
            receiver: part.account.clone(),
            shared: money(part.shared_minor),
            returned: money(part.returned_minor),
            returnable: money(part.left_minor()),
        });
        Some(Self {
            fee_mode: sharing.fee_mode.into(),
            pool: payment.pool().into(),
            unshared: payment.unshared().into(),
            running: money(sharing.running_minor()),
            planned: sharing.planned.iter().map(ToString::to_string).collect(),
            receivers: receivers.collect(),
            advanced: money(sharing.advanced_minor),
        })
    }
}

impl RefundSharingView {
    /// What a refund takes back of its payment's shares; nothing of an ordinary payment's.
    pub fn of(refund: &Refund) -> Option<Self> {
        let sharing = refund.sharing.as_ref()?;
        let money = |minor: i64| AmountView::from(Money::new(minor, refund.amount.currency()));
        let mut lines: Vec<ReturnLineView> = Vec::with_capacity(sharing.lines.len() + 1);
        for line in &sharing.lines {
            lines.push(ReturnLineView {
                receiver_id: Some(line.receiver_id.to_string()),
                receiver: Some(line.account.clone()),
                amount: money(line.amount_minor),
                state: line.state(&refund.state).word(),
            });
        }
        if sharing.advance_minor > 0 {
            let state = match (refund.state.counts(), refund.drawn) {
                (false, _) => LineState::Failed,
                (true, Some(_)) => LineState::Advanced,
                (true, None) => LineState::Waiting,
            };
            lines.push(ReturnLineView { receiver_id: None, receiver: None, amount: money(sharing.advance_minor), state: state.word() });
        }
        Some(Self { lines, from_unshared: money(sharing.from_unshared_minor) })
    }
}

impl From<FeeMode> for FeeModeView {
    fn from(mode: FeeMode) -> Self {
        match mode {
            FeeMode::FromAccount => Self::FromAccount,
            FeeMode::FromPayment => Self::FromPayment,
        }
    }
}

impl From<FeeModeView> for FeeMode {
    fn from(view: FeeModeView) -> Self {
        match view {
            FeeModeView::FromAccount => Self::FromAccount,
            FeeModeView::FromPayment => Self::FromPayment,
        }
    }
}

impl From<ShareStateName> for ShareStateView {
    fn from(name: ShareStateName) -> Self {
        match name {
            ShareStateName::Planned => Self::Planned,
            ShareStateName::Running => Self::Running,
            ShareStateName::Succeeded => Self::Succeeded,
            ShareStateName::Cancelled => Self::Cancelled,
            ShareStateName::Failed => Self::Failed,
        }
    }
}
