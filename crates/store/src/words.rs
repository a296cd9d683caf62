//! The short words that states are stored as, where the engine's own types have none.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use refundry_engine::Mode;
use refundry_engine::payment::PaymentStatus;

const STATUSES: [PaymentStatus; 6] = [
    PaymentStatus::Pending,
    PaymentStatus::Authorised,
    PaymentStatus::Captured,
    PaymentStatus::Failed,
    PaymentStatus::Cancelled,
    PaymentStatus::Closed,
];

/// The stored word of a mode.
pub const fn mode_word(mode: Mode) -> &'static str {
    match mode {
        Mode::Sandbox => "sandbox",
        Mode::Live => "live",
    }
}

/// Reads the stored word of a mode.
pub fn mode_from(word: &str) -> Option<Mode> {
    [Mode::Sandbox, Mode::Live].into_iter().find(|mode| mode_word(*mode) == word)
}

/// The stored word of a payment's status.
pub const fn status_word(status: PaymentStatus) -> &'static str {
    match status {
        PaymentStatus::Pending => "pending",
        PaymentStatus::Authorised => "authorised",
        PaymentStatus::Captured => "captured",
        PaymentStatus::Failed => "failed",
        PaymentStatus::Cancelled => "cancelled",
        PaymentStatus::Closed => "closed",
    }
}

/// Reads the stored word of a payment's status.
pub fn status_from(word: &str) -> Option<PaymentStatus> {
    STATUSES.into_iter().find(|status| status_word(*status) == word)
}

/// The name of an action of the audit log as it stands in the program. Only names that this program wrote are stored, so the set is small.
pub fn action_name(stored: &str) -> &'static str {
    static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.get(stored) {
        return known;
    }
    let name: &'static str = Box::leak(stored.to_owned().into_boxed_str());
    names.insert(name);
    name
}
