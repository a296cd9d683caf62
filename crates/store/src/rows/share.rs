//! How a share is stored, and who is locked for one.

use std::collections::BTreeSet;

use refundry_engine::idempotency::{Remembered, RememberedDecision};
use refundry_engine::payment::Payment;
use refundry_engine::share::Share;
use refundry_engine::{MerchantId, ShareId, Snapshot};

use super::columns::{ReadColumns, json_text};
use crate::StoreError;
use crate::words::mode_word;

/// The columns of a share, in the order in which [`read`] wants them; filters read the first four by place.
pub const COLUMNS: &str = "merchant_id, share_id, state, payment_id, body";

/// Reads a share.
pub fn read<'r>(columns: &mut impl ReadColumns<'r>) -> Result<Share, StoreError> {
    let (merchant_id, id) = (MerchantId::new(columns.int()?), ShareId::new(columns.int()?));
    let (state, payment_id) = (columns.string()?, columns.int()?);
    let share: Share = columns.json()?;
    let is_beside = (share.merchant_id, share.id, share.payment_id.get()) == (merchant_id, id, payment_id);
    if !is_beside || share.state.name().word() != state {
        return Err(columns.unreadable("it is not what stands beside it"));
    }
    Ok(share)
}

/// What is written of a share beside its ids and its body.
pub struct Stored {
    pub mode: &'static str,
    pub state: &'static str,
    pub currency: &'static str,
    pub amount_minor: i64,
    pub due_at: Option<i64>,
    pub body: String,
}

impl Stored {
    /// Of a share.
    pub fn of(share: &Share) -> Result<Self, StoreError> {
        let first = share.lines.first().ok_or_else(|| {
            let why = format!("{} gives nothing to anybody", share.id);
            StoreError::Unreadable { what: "share", why }
        })?;
        Ok(Self {
            mode: mode_word(share.mode),
            state: share.state.name().word(),
            currency: first.amount.currency().code(),
            amount_minor: share.sum_minor(),
            due_at: share.state.due_at().map(|at| at.us()),
            body: json_text(share)?,
        })
    }
}

/// The share that a key stands for.
pub fn remembered(remembered: &Remembered) -> Option<(MerchantId, ShareId)> {
    match remembered.decision {
        RememberedDecision::Shared(id) => Some((remembered.key.merchant_id, id)),
        RememberedDecision::Accepted(_)
        | RememberedDecision::Proposed(_)
        | RememberedDecision::ToppedUp
        | RememberedDecision::Recovered
        | RememberedDecision::Refused(_) => None,
    }
}

/// The shares that a payment brings along: those that are planned or running.
pub fn open_of(payment: &Payment) -> impl Iterator<Item = (MerchantId, ShareId)> {
    let sharing = payment.sharing.iter();
    let ids = sharing.flat_map(|sharing| sharing.running.iter().map(|(id, _)| id).chain(&sharing.planned));
    ids.map(|id| (payment.merchant_id, *id))
}

/// Who gets something of a payment.
pub fn receivers_of(payment: &Payment) -> impl Iterator<Item = MerchantId> {
    payment.sharing.iter().flat_map(|sharing| sharing.receivers.keys().copied())
}

/// Whose books the payments and shares of a snapshot touch beside those of the giver.
pub fn receivers(snapshot: &Snapshot) -> BTreeSet<MerchantId> {
    let of_shares = snapshot.shares.values().flat_map(|share| &share.lines).map(|line| line.receiver_id);
    snapshot.payments.values().flat_map(receivers_of).chain(of_shares).collect()
}

/// What is stored of a refund's or a payment's part in shares; most have none.
pub fn sharing_text<T: serde::Serialize>(sharing: Option<&T>) -> Result<Option<String>, StoreError> {
    sharing.map(json_text).transpose()
}
