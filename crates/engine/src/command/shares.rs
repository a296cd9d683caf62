//! What moves shares.

use refundry_ledger::Money;

use crate::idempotency::{ComparedFields, IdempotencyKey};
use crate::payment::PaymentKey;
use crate::share::AskedLine;
use crate::{MerchantId, Mode, PaymentId, ShareId, TerminalId, Timestamp};

/// Asks for a payment's money to be shared.
#[derive(Clone, Debug)]
pub struct CreateShare {
    /// The id that it gets when it is accepted.
    pub share_id: ShareId,
    /// The giver.
    pub merchant_id: MerchantId,
    /// The channel that asks; left out, it is the payment's.
    pub terminal_id: Option<TerminalId>,
    /// The mode of the credential that asks.
    pub mode: Mode,
    /// Which payment.
    pub payment: PaymentKey,
    /// Names the intent, with [`crate::share::SHARE_SCOPE`] as its scope.
    pub key: IdempotencyKey,
    /// What is compared when the key comes again.
    pub compared: ComparedFields,
    /// Who gets how much.
    pub lines: Vec<AskedLine>,
    /// When it begins; at once when it is left out.
    pub due_at: Option<Timestamp>,
    /// Where its end is announced.
    pub notify_url: Option<String>,
    /// When the giver says that it asked, as it was sent.
    pub asked_at_text: Option<String>,
}

/// The time of a planned share has come.
#[derive(Clone, Debug)]
pub struct StartShare {
    /// The giver.
    pub merchant_id: MerchantId,
    /// Which.
    pub share_id: ShareId,
}

/// A running share ends.
#[derive(Clone, Debug)]
pub struct FinishShare {
    /// The giver.
    pub merchant_id: MerchantId,
    /// The mode of the credential that asks; `None` for Refundry itself.
    pub mode: Option<Mode>,
    /// Which.
    pub share_id: ShareId,
    /// Whether the receivers get their money; it fails all the same when the giver's money is not there.
    pub succeeds: bool,
    /// Why it fails, in a person's words.
    pub note: String,
}

/// Takes a planned share back.
#[derive(Clone, Debug)]
pub struct CancelShare {
    /// The giver.
    pub merchant_id: MerchantId,
    /// The mode of the credential that asks.
    pub mode: Mode,
    /// Which.
    pub share_id: ShareId,
}

/// A receiver pays back what the giver advanced in its place.
#[derive(Clone, Debug)]
pub struct RecoverAdvance {
    /// The giver.
    pub merchant_id: MerchantId,
    /// The mode of the credential that asks.
    pub mode: Mode,
    /// Of which payment.
    pub payment_id: PaymentId,
    /// Who pays.
    pub receiver_id: MerchantId,
    /// How much.
    pub amount: Money,
    /// Names the intent, so that a repeat takes nothing more.
    pub key: IdempotencyKey,
}
