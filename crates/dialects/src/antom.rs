//! Antom (AMS): refund, inquiryRefund and notifyRefund, for the in-store and the online product. The page `docs/dialects/antom.md` is for
//! its users. Absent: payments, the second version of the API (omnichannel), and the pull interface for notifications.

mod auth;
pub mod client;
pub mod codes;
mod notification;
mod refund_id;
mod request;
mod response;

use refundry_engine::policy::{FundsRule, PolicyPatch};

use crate::{Announcement, Answer, Claimed, Context, Dialect, DialectEntry, Incoming, KeyScope, Keys};
use crate::{NotificationRequest, Reach, WireError, WireRequest, WireResponse, scheme};

/// Antom, for [`ALL`](crate::ALL).
pub static ENTRY: DialectEntry = DialectEntry {
    name: NAME,
    paths: &PATHS,
    prefixes: &["/ams/"],
    policy,
    resend_seconds: &[0, 120, 600, 600, 3_600, 7_200, 21_600, 54_000],
    resends_in_sandbox: false,
    remembers_refusals: true,
    key_scope: KeyScope::Terminal,
    schemes: &[scheme::RSA, scheme::API_KEY],
    reach: Reach::Refunds,
    agents: false,
    forcible: &[("refund", codes::OF_REFUND), ("inquiryRefund", codes::OF_INQUIRY)],
    dialect: &Antom,
};

/// The name in storage and configuration.
pub const NAME: &str = "antom";

/// Letters of an id.
const ID_LENGTH_MAX: usize = 64;
/// Milliseconds that an answer of a synchronous terminal waits for the acquirer: callers give up on an answer after three seconds.
const SYNCHRONOUS_WAIT_MS: u32 = 2_000;

const PATHS: [&str; 6] = [
    "/ams/api/v1/payments/refund",
    "/ams/api/v1/payments/inquiryRefund",
    "/ams/sandbox/api/v1/payments/refund",
    "/ams/sandbox/api/v1/payments/inquiryRefund",
    "/v1/payments/refund",
    "/v1/payments/inquiryRefund",
];

/// In-store products are wallets, and wallets answer at once; a merchant without the money is refused.
fn policy() -> PolicyPatch {
    PolicyPatch { funds: Some(FundsRule::Refuse), synchronous_wait_ms: Some(SYNCHRONOUS_WAIT_MS), ..PolicyPatch::default() }
}

struct Antom;

impl Dialect for Antom {
    fn identify(&self, request: &WireRequest<'_>) -> Result<Claimed, WireError> {
        auth::identify(request)
    }

    fn authenticate(&self, request: &WireRequest<'_>, claimed: &Claimed, keys: &dyn Keys) -> Result<(), WireError> {
        auth::authenticate(request, claimed, keys)
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
