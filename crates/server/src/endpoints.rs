//! The one table of the native API: where, who may, what goes in and out.

use refundry_service::permissions::Permission as May;

use crate::endpoint::Endpoint;
use crate::endpoint::Method::{Delete, Get, Post, Put};
use crate::merchant_api::MerchantQuery;
use crate::merchant_api::credentials::{self, CredentialQuery, CredentialRequest, CredentialView, RevocationRequest, RotationRequest};
use crate::merchant_api::endpoints::{self, EndpointChangeRequest, EndpointRequest, EndpointView};
use crate::merchant_api::events::{self, Feed, FeedQuery};
use crate::merchant_api::funds::{self, BalanceView, TopUpRequest};
use crate::merchant_api::idempotency_keys::{self, MemoryView};
use crate::merchant_api::import::{self, ImportLine};
use crate::merchant_api::notifications::{self, NotificationQuery, NotificationStory, NotificationView, ReplayRequest, ReplayedRange};
use crate::merchant_api::payment_view::{PaymentRequest, PaymentView};
use crate::merchant_api::payments::{self, PaymentQuery};
use crate::merchant_api::refund_view::RefundView;
use crate::merchant_api::refunds::{self, IdempotencyHeader, RefundQuery, RefundRequest, RefundStory, ReviewRequest};
use crate::operator_api::audit::{self, AuditQuery, AuditView};
use crate::operator_api::merchants::{self, MerchantChangeRequest, MerchantRequest, MerchantView};
use crate::operator_api::terminals::{
    self, EffectivePolicy, ForcedAnswerRequest, PolicyQuery, TerminalChangeRequest, TerminalRequest, TerminalView,
};
use crate::views::{Listed, PageQuery};

/// Every endpoint, by heading.
pub fn all() -> Vec<Endpoint> {
    let headings = [
        ("Refunds", refund_rows()),
        ("Payments", payment_rows()),
        ("Events and notifications", notification_rows()),
        ("Funds", fund_rows()),
        ("Merchants and terminals", merchant_rows()),
        ("Keys", key_rows()),
    ];
    headings.into_iter().flat_map(|(tag, rows)| rows.into_iter().map(move |row| Endpoint { tag, ..row })).collect()
}

/// Where payments are imported as a stream of lines.
pub const IMPORT_PATH: &str = "/api/v1/payments/import";

fn refund_rows() -> Vec<Endpoint> {
    let one = "/api/v1/refunds/{refund_id}";
    vec![
        Endpoint::new(Post, "/api/v1/refunds", May::RefundsWrite, refunds::create)
            .says("Ask for a refund. 201 for a new one; 200 and `Idempotency-Replayed: true` when the number was used for it before.")
            .asks::<IdempotencyHeader>()
            .takes::<RefundRequest>()
            .gives::<RefundView>(201),
        Endpoint::new(Post, "/api/v1/refunds/dry-run", May::RefundsWrite, refunds::dry_run)
            .says("Say what would happen, with the same answers as the real request, and change nothing.")
            .takes::<RefundRequest>()
            .gives::<RefundView>(200),
        Endpoint::new(Get, "/api/v1/refunds", May::RefundsRead, refunds::list)
            .says("List refunds, newest first.")
            .asks::<RefundQuery>()
            .gives::<Listed<RefundView>>(200),
        Endpoint::new(Get, one, May::RefundsRead, refunds::find)
            .says("Read one refund with its timeline, and why it stands where it stands.")
            .asks::<MerchantQuery>()
            .gives::<RefundStory>(200),
        Endpoint::new(Post, "/api/v1/refunds/{refund_id}/cancel", May::RefundsWrite, refunds::cancel)
            .says("Take a refund back while nothing has been sent.")
            .asks::<MerchantQuery>()
            .gives::<RefundView>(200),
        Endpoint::new(Post, "/api/v1/refunds/{refund_id}/review", May::RefundsReview, refunds::review)
            .says("Let a refund in review pass, or reject it.")
            .asks::<MerchantQuery>()
            .takes::<ReviewRequest>()
            .gives::<RefundView>(200),
        Endpoint::new(Get, "/api/v1/idempotency-keys/{number}", May::RefundsRead, idempotency_keys::find)
            .says("Read what is remembered of an idempotency key.")
            .asks::<MerchantQuery>()
            .gives::<MemoryView>(200),
    ]
}

fn payment_rows() -> Vec<Endpoint> {
    vec![
        Endpoint::new(Post, "/api/v1/payments", May::PaymentsWrite, payments::record)
            .says("Record a payment, or a later status of a known one. 201 for a new one, 200 for a known one.")
            .takes::<PaymentRequest>()
            .gives::<PaymentView>(201),
        Endpoint::new(Post, IMPORT_PATH, May::PaymentsWrite, import::import)
            .says("Record many payments, one JSON object on each line; every line has a result of its own, the last line is the sum.")
            .takes_lines::<PaymentRequest>()
            .gives::<ImportLine>(200),
        Endpoint::new(Get, "/api/v1/payments", May::PaymentsRead, payments::list)
            .says("List payments, newest first.")
            .asks::<PaymentQuery>()
            .gives::<Listed<PaymentView>>(200),
        Endpoint::new(Get, "/api/v1/payments/{payment_id}", May::PaymentsRead, payments::find)
            .says("Read one payment and what is left of it.")
            .asks::<MerchantQuery>()
            .gives::<PaymentView>(200),
        Endpoint::new(Post, "/api/v1/payments/{payment_id}/settle", May::PaymentsWrite, payments::settle)
            .says("A payment's unsettled money becomes available.")
            .asks::<MerchantQuery>()
            .gives::<PaymentView>(200),
    ]
}

fn notification_rows() -> Vec<Endpoint> {
    let endpoint = "/api/v1/notification-endpoints/{endpoint_id}";
    vec![
        Endpoint::new(Get, "/api/v1/events", May::EventsRead, events::after)
            .says("Read the gap-free feed behind a number; with `wait_seconds` the answer waits for news.")
            .asks::<FeedQuery>()
            .gives::<Feed>(200),
        Endpoint::new(Post, "/api/v1/notification-endpoints", May::NotificationsWrite, endpoints::create)
            .says("Add an address that hears of events. The secret of its signatures is shown this once.")
            .takes::<EndpointRequest>()
            .gives::<EndpointView>(201),
        Endpoint::new(Get, "/api/v1/notification-endpoints", May::NotificationsRead, endpoints::list)
            .says("List the addresses.")
            .asks::<MerchantQuery>()
            .gives::<Listed<EndpointView>>(200),
        Endpoint::new(Put, endpoint, May::NotificationsWrite, endpoints::change)
            .says("Change an address, switch it off, or give it a new secret.")
            .asks::<MerchantQuery>()
            .takes::<EndpointChangeRequest>()
            .gives::<EndpointView>(200),
        Endpoint::new(Delete, endpoint, May::NotificationsWrite, endpoints::remove)
            .says("Remove an address; what is due to it is parked.")
            .asks::<MerchantQuery>()
            .gives_nothing(),
        Endpoint::new(Get, "/api/v1/notifications", May::NotificationsRead, notifications::list)
            .says("List notifications, newest first.")
            .asks::<NotificationQuery>()
            .gives::<Listed<NotificationView>>(200),
        Endpoint::new(Get, "/api/v1/notifications/{notification_id}", May::NotificationsRead, notifications::find)
            .says("Read one notification with every try to deliver it.")
            .asks::<MerchantQuery>()
            .gives::<NotificationStory>(200),
        Endpoint::new(Post, "/api/v1/notifications/{notification_id}/replay", May::NotificationsWrite, notifications::replay)
            .says("Send one again, whatever became of it.")
            .asks::<MerchantQuery>()
            .gives::<NotificationView>(200),
        Endpoint::new(Post, "/api/v1/notifications/replay", May::NotificationsWrite, notifications::replay_range)
            .says("Send a range again, at most 1,000 at once.")
            .takes::<ReplayRequest>()
            .gives::<ReplayedRange>(200),
    ]
}

fn fund_rows() -> Vec<Endpoint> {
    vec![
        Endpoint::new(Get, "/api/v1/funds", May::FundsRead, funds::balances)
            .says("Read every balance of the merchant's book that is not zero.")
            .asks::<MerchantQuery>()
            .gives::<Listed<BalanceView>>(200),
        Endpoint::new(Post, "/api/v1/funds/top-ups", May::FundsWrite, funds::top_up)
            .says("Pay money in, once per idempotency key.")
            .asks::<IdempotencyHeader>()
            .takes::<TopUpRequest>()
            .gives::<Listed<BalanceView>>(200),
        Endpoint::new(Get, "/api/v1/audit-log", May::AuditRead, audit::list)
            .says("Read who did what, newest first.")
            .asks::<AuditQuery>()
            .gives::<Listed<AuditView>>(200),
    ]
}

fn merchant_rows() -> Vec<Endpoint> {
    let (merchant, terminal) = ("/api/v1/merchants/{merchant_id}", "/api/v1/terminals/{terminal_id}");
    vec![
        Endpoint::new(Post, "/api/v1/merchants", May::MerchantsWrite, merchants::create)
            .operator()
            .says("Make a merchant in the mode of the key.")
            .takes::<MerchantRequest>()
            .gives::<MerchantView>(201),
        Endpoint::new(Get, "/api/v1/merchants", May::MerchantsRead, merchants::list)
            .says("List the merchants that the key acts for.")
            .asks::<PageQuery>()
            .gives::<Listed<MerchantView>>(200),
        Endpoint::new(Get, merchant, May::MerchantsRead, merchants::find).says("Read one merchant.").gives::<MerchantView>(200),
        Endpoint::new(Put, merchant, May::MerchantsWrite, merchants::change)
            .operator()
            .says("Change a merchant's name, standing or rules.")
            .takes::<MerchantChangeRequest>()
            .gives::<MerchantView>(200),
        Endpoint::new(Post, "/api/v1/terminals", May::TerminalsWrite, terminals::create)
            .says("Make a terminal with the usual rules of its dialect.")
            .takes::<TerminalRequest>()
            .gives::<TerminalView>(201),
        Endpoint::new(Get, "/api/v1/terminals", May::MerchantsRead, terminals::list)
            .says("List the terminals of a merchant.")
            .asks::<MerchantQuery>()
            .gives::<Listed<TerminalView>>(200),
        Endpoint::new(Get, terminal, May::MerchantsRead, terminals::find)
            .says("Read one terminal.")
            .asks::<MerchantQuery>()
            .gives::<TerminalView>(200),
        Endpoint::new(Put, terminal, May::TerminalsWrite, terminals::change)
            .says("Change a terminal's name, rules, address or acquirer.")
            .asks::<MerchantQuery>()
            .takes::<TerminalChangeRequest>()
            .gives::<TerminalView>(200),
        Endpoint::new(Get, "/api/v1/terminals/{terminal_id}/policy", May::MerchantsRead, terminals::effective_policy)
            .says("Read the rules that hold for refunds of one payment method.")
            .asks::<PolicyQuery>()
            .gives::<EffectivePolicy>(200),
        Endpoint::new(Post, "/api/v1/terminals/{terminal_id}/forced-answers", May::TerminalsWrite, terminals::force_answer)
            .says("Let one API of a sandbox terminal always answer one result code for a while.")
            .asks::<MerchantQuery>()
            .takes::<ForcedAnswerRequest>()
            .gives::<TerminalView>(200),
    ]
}

fn key_rows() -> Vec<Endpoint> {
    let (all, one) = ("/api/v1/credentials", "/api/v1/credentials/{credential_id}");
    vec![
        Endpoint::new(Post, all, May::KeysWrite, credentials::issue)
            .says("Issue an API key or a key pair. Secrets are shown this once.")
            .takes::<CredentialRequest>()
            .gives::<CredentialView>(201),
        Endpoint::new(Get, all, May::KeysRead, credentials::list)
            .says("List credentials, without secrets.")
            .asks::<CredentialQuery>()
            .gives::<Listed<CredentialView>>(200),
        Endpoint::new(Get, one, May::KeysRead, credentials::find).says("Read one credential.").gives::<CredentialView>(200),
        Endpoint::new(Post, "/api/v1/credentials/{credential_id}/rotate", May::KeysWrite, credentials::rotate)
            .says("Issue the next version; the one before stays valid for the overlap.")
            .takes::<RotationRequest>()
            .gives::<CredentialView>(201),
        Endpoint::new(Post, "/api/v1/credentials/{credential_id}/revoke", May::KeysWrite, credentials::revoke)
            .says("End a credential, at once or at a time.")
            .takes::<RevocationRequest>()
            .gives::<CredentialView>(200),
    ]
}
