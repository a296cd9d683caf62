//! Baofoo (宝付) aggregate payments: refunds with shares, marketing money and advances, shares, what is left of a payment, and the orders that
//! the sandbox pays. A form comes in, a JSON object goes out; what is signed is a JSON text within them. The page `docs/dialects/baofoo.md` is
//! for its users. Absent: digital envelopes, because nothing of these calls is encrypted.

mod auth;
mod biz;
pub mod client;
pub mod codes;
mod content;
mod envelope;
mod gateway_texts;
mod kept;
mod message;
mod method;
mod notification;
mod request;
mod response;
mod share_request;
pub mod trade_no;

use refundry_engine::policy::{FeeRule, FundsRule, PolicyPatch};

use crate::{Announcement, Answer, Claimed, Context, Dialect, DialectEntry, Incoming, KeyScope, Keys};
use crate::{NotificationRequest, Reach, WireError, WireRequest, WireResponse, scheme};

pub use auth::TIMESTAMP_SECONDS_MAX;
pub use method::Method;

/// Baofoo, for [`ALL`](crate::ALL).
pub static ENTRY: DialectEntry = DialectEntry {
    name: NAME,
    paths: &["/api"],
    prefixes: &[],
    policy,
    resend_seconds: &[0, 10, 10, 10, 10, 15, 60, 180, 600, 1_800, 3_600, 10_800, 21_600, 21_600],
    resends_in_sandbox: true,
    remembers_refusals: false,
    key_scope: KeyScope::Merchant,
    schemes: &[scheme::RSA, scheme::SM2],
    reach: Reach::Shares,
    agents: true,
    forcible: &[
        ("refund", codes::FORCIBLE),
        ("inquiryRefund", codes::FORCIBLE),
        ("share", codes::FORCIBLE),
        ("inquiryShare", codes::FORCIBLE),
        ("order", codes::FORCIBLE),
        ("inquiryOrder", codes::FORCIBLE),
        ("closeOrder", codes::FORCIBLE),
        ("inquiryBalance", codes::FORCIBLE),
    ],
    dialect: &Baofoo,
};

/// The name in storage and configuration.
pub const NAME: &str = "baofoo";

/// How the credentials of a terminal are found: `merId/terId`.
pub fn lookup(account: &str, terminal: &str) -> String {
    format!("{account}/{terminal}")
}

/// Refunds without money are accepted and fail; answers wait for nothing; fees are given back with refunds.
fn policy() -> PolicyPatch {
    PolicyPatch {
        funds: Some(FundsRule::FailLater),
        original_fee: Some(FeeRule::GiveBack),
        synchronous_wait_ms: Some(0),
        ..PolicyPatch::default()
    }
}

struct Baofoo;

impl Dialect for Baofoo {
    fn identify(&self, request: &WireRequest<'_>) -> Result<Claimed, WireError> {
        auth::identify(request)
    }

    fn authenticate(&self, request: &WireRequest<'_>, _claimed: &Claimed, keys: &dyn Keys) -> Result<(), WireError> {
        auth::authenticate(request, keys)
    }

    fn read(&self, request: &WireRequest<'_>) -> Result<Incoming, WireError> {
        request::read(request)
    }

    fn render(&self, outcome: &Answer<'_>, context: &Context<'_>) -> WireResponse {
        response::render(outcome, context)
    }

    fn notify(&self, announcement: &Announcement<'_>, context: &Context<'_>) -> Option<NotificationRequest> {
        notification::notify(announcement, context)
    }

    fn acknowledged(&self, status: u16, body: &[u8]) -> bool {
        notification::acknowledged(status, body)
    }
}
