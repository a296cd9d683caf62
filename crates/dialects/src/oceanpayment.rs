//! Oceanpayment: refunds, how they stand, lists of orders, captures and voids, parcels, and the pushes that tell of refunds and disputes. Forms
//! come in, XML goes out, both proved by SHA-256 with a shared secret. The page `docs/dialects/oceanpayment.md` is for its users. Absent:
//! payments, uploads to customs, the vendor's newer dispute API in JSON.

mod amount_text;
pub mod apply_codes;
mod auth;
mod authorisation_response;
mod call;
pub mod client;
pub mod codes;
mod notification;
mod orders_request;
mod orders_response;
pub mod query_codes;
mod refund_id;
pub mod remark;
mod request;
mod response;
mod xml;

use refundry_engine::policy::{FundsRule, PolicyPatch};

use crate::{Announcement, Answer, Claimed, Context, Dialect, DialectEntry, Incoming, KeyScope, Keys};
use crate::{NotificationRequest, Reach, WireError, WireRequest, WireResponse, scheme};

pub use auth::{SIGNED_TIME_HEADER, SIGNED_TIME_SECONDS_MAX};

/// Oceanpayment, for [`ALL`](crate::ALL).
pub static ENTRY: DialectEntry = DialectEntry {
    name: NAME,
    paths: &call::PATHS,
    prefixes: &["/service/", "/gateway/service/"],
    policy,
    resend_seconds: &[0, 120, 600, 3_600, 21_600],
    resends_in_sandbox: true,
    remembers_refusals: false,
    key_scope: KeyScope::Merchant,
    schemes: &[scheme::SECURE_CODE],
    reach: Reach::Orders,
    agents: false,
    forcible: &[("refund", apply_codes::FORCIBLE), ("inquiryRefund", query_codes::FORCIBLE)],
    dialect: &Oceanpayment,
};

/// The name in storage and configuration.
pub const NAME: &str = "oceanpayment";

/// Refunds without money wait for it; answers wait for nothing.
fn policy() -> PolicyPatch {
    PolicyPatch { funds: Some(FundsRule::Wait), synchronous_wait_ms: Some(0), ..PolicyPatch::default() }
}

struct Oceanpayment;

impl Dialect for Oceanpayment {
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
