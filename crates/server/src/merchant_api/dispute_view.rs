//! How disputes look in JSON.

use refundry_engine::booked::Booked;
use refundry_engine::dispute::{Dispute, DisputeCategory, DisputeKind, DisputeState};
use refundry_store::OpenDisputes;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::booked_view::BookedView;
use crate::views::{AmountView, ModeView, Rfc3339};

macro_rules! mirrors {
    ($(#[$doc:meta])* $view:ident as $name:ident of $engine:ident { $($(#[$word_doc:meta])* $word:ident,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        #[schema(as = $name)]
        pub enum $view {
            $($(#[$word_doc])* $word,)*
        }

        impl From<$engine> for $view {
            fn from(known: $engine) -> Self {
                match known { $($engine::$word => Self::$word),* }
            }
        }

        impl From<$view> for $engine {
            fn from(view: $view) -> Self {
                match view { $($view::$word => Self::$word),* }
            }
        }
    };
}

mirrors! {
    /// What the other side wants.
    KindView as DisputeKind of DisputeKind {
        /// The issuer took the money back.
        Chargeback,
        /// The shopper complains to the method's provider; no money moves.
        Dispute,
        /// The issuer wants documents; refunds are frozen, but for the one that accepts it.
        Retrieval,
        /// The issuer calls the payment fraudulent; no money moves.
        FraudReport,
    }
}

mirrors! {
    /// The type within its kind.
    CategoryView as DisputeCategory of DisputeCategory {
        /// A plain chargeback.
        Chargeback,
        /// The network refunded by itself.
        Rdr,
        /// A third party did so on the merchant's behalf.
        ThirdPartyRdr,
        /// Charged back by Klarna.
        KlarnaCt,
        /// A dispute of the method's provider.
        Dispute,
        /// An alert of Ethoca that was answered with money.
        Ethoca,
        /// By way of a gateway.
        Gateway,
        /// Before the dispute proper, with time to settle it.
        GracePeriod,
        /// A request for documents.
        Retrieval,
        /// A shopper's complaint.
        Complaint,
        /// A question.
        Inquiry,
        /// A report of fraud.
        Fraud,
        /// Anything else.
        Other,
    }
}

mirrors! {
    /// Where a dispute stands.
    DisputeStateView as DisputeState of DisputeState {
        /// Nobody answered yet.
        Open,
        /// The merchant's answer is with the other side.
        Represented,
        /// The merchant was right: the money is back.
        Won,
        /// The merchant was wrong: the money stays away.
        Lost,
        /// The merchant agrees.
        Accepted,
        /// The other side took it back.
        Withdrawn,
        /// Nothing is to be done.
        Closed,
    }
}

/// A chargeback, dispute, retrieval or report of fraud.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Dispute)]
pub struct DisputeView {
    /// Ours.
    #[schema(example = "dsp_0d3m4t2ykw000")]
    pub dispute_id: String,
    /// Whose.
    pub merchant_id: String,
    /// Sandbox or live.
    pub mode: ModeView,
    /// What it is.
    pub kind: KindView,
    /// The type within its kind.
    pub category: CategoryView,
    /// Where it stands.
    pub state: DisputeStateView,
    /// Of which payment.
    pub payment_id: String,
    /// The number that the merchant was given when it was paid.
    pub payment_reference: String,
    /// What the other side wants.
    pub amount: AmountView,
    /// What the merchant is charged: the amount without what was beyond the payment; nothing for what is no chargeback.
    pub charged: AmountView,
    /// What is charged, in another currency that it is booked in; only where it is read, not where it is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub booked: Option<BookedView>,
    /// The operator's fee for it, unless it was given back.
    pub fee: AmountView,
    /// The other side's number of it.
    pub network_reference: String,
    /// The other side's code for its reason.
    pub reason_code: String,
    /// The reason in words.
    pub reason: String,
    /// What was said with the last change.
    pub note: String,
    /// When the other side opened it.
    #[schema(value_type = String)]
    pub opened_at: Rfc3339,
    /// Until when it has to be answered.
    #[schema(value_type = Option<String>)]
    pub reply_by: Option<Rfc3339>,
    /// When the merchant answered.
    #[schema(value_type = Option<String>)]
    pub represented_at: Option<Rfc3339>,
    /// When it was over.
    #[schema(value_type = Option<String>)]
    pub ended_at: Option<Rfc3339>,
    /// The refund by which the merchant accepted it.
    pub refund_id: Option<String>,
}

impl DisputeView {
    /// With what is charged, in the currency that it is booked in.
    pub fn with_booked((dispute, booked): (Dispute, Option<Booked>)) -> Self {
        Self { booked: BookedView::of(booked), ..Self::from(dispute) }
    }
}

impl From<Dispute> for DisputeView {
    fn from(dispute: Dispute) -> Self {
        let (charged, fee) = (dispute.charged().into(), dispute.fee().into());
        let body = dispute.body;
        Self {
            dispute_id: dispute.id.to_string(),
            merchant_id: dispute.merchant_id.to_string(),
            mode: dispute.mode.into(),
            kind: dispute.kind.into(),
            category: body.category.into(),
            state: dispute.state.into(),
            payment_id: dispute.payment_id.to_string(),
            payment_reference: body.payment_reference,
            amount: dispute.amount.into(),
            charged,
            booked: None,
            fee,
            network_reference: dispute.network_reference,
            reason_code: body.reason_code,
            reason: body.reason,
            note: body.note,
            opened_at: Rfc3339(dispute.opened_at),
            reply_by: dispute.reply_by.map(Rfc3339),
            represented_at: body.represented_at.map(Rfc3339),
            ended_at: body.ended_at.map(Rfc3339),
            refund_id: body.refund_id.map(|id| id.to_string()),
        }
    }
}

/// How many disputes wait for somebody.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OpenDisputes)]
pub struct OpenDisputesView {
    /// What they are.
    pub kind: KindView,
    /// Open ones wait for the merchant, represented ones for the other side.
    pub state: DisputeStateView,
    /// How many.
    pub count: i64,
}

impl From<OpenDisputes> for OpenDisputesView {
    fn from(open: OpenDisputes) -> Self {
        Self { kind: open.kind.into(), state: open.state.into(), count: open.count }
    }
}
