//! The one table of the native API: where, who may, what goes in and out.

mod disputes;
mod payouts;
mod settlement;
mod shares;

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
use crate::merchant_api::people::{self, PersonChangeRequest, PersonQuery, PersonRequest, PersonView};
use crate::merchant_api::queues::{self, ExplainQuery, OutlookView, WaitingLineView};
use crate::merchant_api::refund_view::RefundView;
use crate::merchant_api::refunds::{self, IdempotencyHeader, RefundQuery, RefundRequest, RefundStory};
use crate::merchant_api::reviews::{self, BatchQuery, CancelledBatch, RefundEditRequest, ReviewQuery, ReviewRequest};
use crate::operator_api::audit::{self, AuditQuery, AuditView};
use crate::operator_api::merchants::{self, MerchantChangeRequest, MerchantRequest, MerchantView};
use crate::operator_api::terminals::{
    self, EffectivePolicy, ForcedAnswerRequest, PolicyQuery, TerminalChangeRequest, TerminalRequest, TerminalView,
};
use crate::views::{Listed, PageQuery};

/// Every endpoint, by heading.
pub fn all() -> Vec<Endpoint> {
    let headings = [
        (["Refunds", "退款"], refund_rows()),
        (["Refunds", "退款"], review_rows()),
        (["Payments", "支付"], payment_rows()),
        (["Shares", "分账"], shares::rows()),
        (["Settlement", "结算"], settlement::rows()),
        (["Settlement", "结算"], settlement::fund_rows()),
        (["Payments", "支付"], disputes::authorisation_rows()),
        (["Disputes", "争议"], disputes::dispute_rows()),
        (["Events and notifications", "事件与通知"], notification_rows()),
        (["Funds", "资金"], fund_rows()),
        (["Trade", "交易明细"], settlement::trade_rows()),
        (["Rates", "汇率"], disputes::rate_rows()),
        (["Payouts", "划款"], payouts::payout_rows()),
        (["Adjustments", "调账"], payouts::adjustment_rows()),
        (["Merchants and terminals", "商户与终端"], merchant_rows()),
        (["People", "人员"], people_rows()),
        (["Keys", "密钥"], key_rows()),
    ];
    headings.into_iter().flat_map(|(tag, rows)| rows.into_iter().map(move |row| Endpoint { tag, ..row })).collect()
}

/// Where payments are imported as a stream of lines.
pub const IMPORT_PATH: &str = "/api/v1/payments/import";

fn refund_rows() -> Vec<Endpoint> {
    let one = "/api/v1/refunds/{refund_id}";
    vec![
        Endpoint::new(Post, "/api/v1/refunds", May::RefundsWrite, refunds::create)
            .says(
                "Ask for a refund. 201 for a new one; 200 and `Idempotency-Replayed: true` when the number was used for it before.",
                "申请退款。新退款答 201；退款单号已用于同一笔退款时答 200，并带 `Idempotency-Replayed: true`。",
            )
            .asks::<IdempotencyHeader>()
            .takes::<RefundRequest>()
            .gives::<RefundView>(201),
        Endpoint::new(Post, "/api/v1/refunds/dry-run", May::RefundsWrite, refunds::dry_run)
            .says(
                "Say what would happen, with the same answers as the real request, and change nothing.",
                "试算：按真实请求的规则作答，不改变任何东西。",
            )
            .takes::<RefundRequest>()
            .gives::<RefundView>(200),
        Endpoint::new(Get, "/api/v1/refunds", May::RefundsRead, refunds::list)
            .says("List refunds, newest first.", "列出退款，最新的在前。")
            .asks::<RefundQuery>()
            .gives::<Listed<RefundView>>(200),
        Endpoint::new(Get, one, May::RefundsRead, refunds::find)
            .says(
                "Read one refund with its timeline, and why it stands where it stands.",
                "查看一笔退款、它的时间线，以及为何处于当前状态。",
            )
            .asks::<MerchantQuery>()
            .gives::<RefundStory>(200),
        Endpoint::new(Get, "/api/v1/refunds/{refund_id}/explain", May::RefundsRead, queues::explain)
            .says(
                "Read why one refund stands where it stands, when it will have its money, and what a payment-in would do. Of one that waits for \
                money the key needs `funds:read` too.",
                "查看一笔退款为何处于当前状态、何时会有资金，以及充值会带来什么变化。等待资金的退款还需要 `funds:read` 权限。",
            )
            .asks::<ExplainQuery>()
            .gives::<OutlookView>(200),
        Endpoint::new(Post, "/api/v1/refunds/{refund_id}/cancel", May::RefundsWrite, refunds::cancel)
            .says("Take a refund back while nothing has been sent.", "在尚未发出之前撤回退款。")
            .asks::<MerchantQuery>()
            .gives::<RefundView>(200),
        Endpoint::new(Get, "/api/v1/idempotency-keys/{number}", May::RefundsRead, idempotency_keys::find)
            .says("Read what is remembered of an idempotency key.", "查看一个幂等键所记录的内容。")
            .asks::<MerchantQuery>()
            .gives::<MemoryView>(200),
    ]
}

fn review_rows() -> Vec<Endpoint> {
    vec![
        Endpoint::new(Post, "/api/v1/refunds/{refund_id}/review", May::RefundsReview, reviews::review)
            .says(
                "Let a refund in review pass, or reject it. An approval names the content that was seen and holds for that alone.",
                "通过或驳回一笔审核中的退款。通过时须带上所见内容的摘要，且仅对该内容有效。",
            )
            .asks::<MerchantQuery>()
            .takes::<ReviewRequest>()
            .gives::<RefundView>(200),
        Endpoint::new(Post, "/api/v1/refunds/{refund_id}/edit", May::RefundsWrite, reviews::edit)
            .says(
                "Change what a refund in review asks for; whoever approved it before has to look again.",
                "修改一笔审核中的退款；此前的审核通过随之失效，须重新审核。",
            )
            .asks::<MerchantQuery>()
            .takes::<RefundEditRequest>()
            .gives::<RefundView>(200),
        Endpoint::new(Post, "/api/v1/refunds/{refund_id}/send-now", May::RefundsWrite, reviews::send_now)
            .says("End the undo window of a refund before its time.", "提前结束退款的可撤销时间，立即发出。")
            .asks::<MerchantQuery>()
            .gives::<RefundView>(200),
        Endpoint::new(Post, "/api/v1/refunds/batches/{batch}/cancel", May::RefundsWrite, reviews::cancel_batch)
            .says(
                "Take back what is still pending of the refunds that were asked for under one name, a page at a time.",
                "撤回同一批次中仍待处理的退款，逐页进行。",
            )
            .asks::<BatchQuery>()
            .gives::<CancelledBatch>(200),
        Endpoint::new(Get, "/api/v1/reviews", May::RefundsRead, reviews::list)
            .says("List refunds that wait for a reviewer, oldest first.", "列出等待审核的退款，最早的在前。")
            .asks::<ReviewQuery>()
            .gives::<Listed<RefundView>>(200),
    ]
}

fn payment_rows() -> Vec<Endpoint> {
    vec![
        Endpoint::new(Post, "/api/v1/payments", May::PaymentsWrite, payments::record)
            .says(
                "Record a payment, or a later status of a known one. 201 for a new one, 200 for a known one.",
                "登记一笔支付，或已知支付的后续状态。新支付答 201，已知支付答 200。",
            )
            .takes::<PaymentRequest>()
            .gives::<PaymentView>(201),
        Endpoint::new(Post, IMPORT_PATH, May::PaymentsWrite, import::import)
            .says(
                "Record many payments, one JSON object on each line; every line has a result of its own, the last line is the sum.",
                "批量登记支付，每行一个 JSON 对象；每行各有结果，最后一行是汇总。",
            )
            .takes_lines::<PaymentRequest>()
            .gives::<ImportLine>(200),
        Endpoint::new(Get, "/api/v1/payments", May::PaymentsRead, payments::list)
            .says("List payments, newest first.", "列出支付，最新的在前。")
            .asks::<PaymentQuery>()
            .gives::<Listed<PaymentView>>(200),
        Endpoint::new(Get, "/api/v1/payments/{payment_id}", May::PaymentsRead, payments::find)
            .says("Read one payment and what is left of it.", "查看一笔支付及其剩余可退金额。")
            .asks::<MerchantQuery>()
            .gives::<PaymentView>(200),
        Endpoint::new(Post, "/api/v1/payments/{payment_id}/settle", May::PaymentsWrite, payments::settle)
            .operator()
            .says("A payment's unsettled money becomes available.", "将一笔支付的未结算资金转为可用。")
            .asks::<MerchantQuery>()
            .gives::<PaymentView>(200),
    ]
}

fn notification_rows() -> Vec<Endpoint> {
    let endpoint = "/api/v1/notification-endpoints/{endpoint_id}";
    vec![
        Endpoint::new(Get, "/api/v1/events", May::EventsRead, events::after)
            .says(
                "Read the gap-free feed behind a number; with `wait_seconds` the answer waits for news.",
                "读取某个序号之后的事件，序号连续无缺；带 `wait_seconds` 时会等待新事件。",
            )
            .asks::<FeedQuery>()
            .gives::<Feed>(200),
        Endpoint::new(Post, "/api/v1/notification-endpoints", May::NotificationsWrite, endpoints::create)
            .says(
                "Add an address that hears of events. The secret of its signatures is shown this once.",
                "新增接收事件的通知地址。签名密钥仅显示这一次。",
            )
            .takes::<EndpointRequest>()
            .gives::<EndpointView>(201),
        Endpoint::new(Get, "/api/v1/notification-endpoints", May::NotificationsRead, endpoints::list)
            .says("List the addresses.", "列出通知地址。")
            .asks::<MerchantQuery>()
            .gives::<Listed<EndpointView>>(200),
        Endpoint::new(Put, endpoint, May::NotificationsWrite, endpoints::change)
            .says("Change an address, switch it off, or give it a new secret.", "修改或停用通知地址，或更换其签名密钥。")
            .asks::<MerchantQuery>()
            .takes::<EndpointChangeRequest>()
            .gives::<EndpointView>(200),
        Endpoint::new(Delete, endpoint, May::NotificationsWrite, endpoints::remove)
            .says("Remove an address; what is due to it is parked.", "删除通知地址；待发往该地址的通知将被搁置。")
            .asks::<MerchantQuery>()
            .gives_nothing(),
        Endpoint::new(Get, "/api/v1/notifications", May::NotificationsRead, notifications::list)
            .says("List notifications, newest first.", "列出通知，最新的在前。")
            .asks::<NotificationQuery>()
            .gives::<Listed<NotificationView>>(200),
        Endpoint::new(Get, "/api/v1/notifications/{notification_id}", May::NotificationsRead, notifications::find)
            .says("Read one notification with every try to deliver it.", "查看一条通知及其每次投递尝试。")
            .asks::<MerchantQuery>()
            .gives::<NotificationStory>(200),
        Endpoint::new(Post, "/api/v1/notifications/{notification_id}/replay", May::NotificationsWrite, notifications::replay)
            .says("Send one again, whatever became of it.", "重新发送一条通知，无论此前结果如何。")
            .asks::<MerchantQuery>()
            .gives::<NotificationView>(200),
        Endpoint::new(Post, "/api/v1/notifications/replay", May::NotificationsWrite, notifications::replay_range)
            .says("Send a range again, at most 1,000 at once.", "重新发送一段范围内的通知，一次最多 1,000 条。")
            .takes::<ReplayRequest>()
            .gives::<ReplayedRange>(200),
    ]
}

fn fund_rows() -> Vec<Endpoint> {
    vec![
        Endpoint::new(Get, "/api/v1/funds", May::FundsRead, funds::balances)
            .says("Read every balance of the merchant's book that is not zero.", "查看商户账簿中所有不为零的余额。")
            .asks::<MerchantQuery>()
            .gives::<Listed<BalanceView>>(200),
        Endpoint::new(Get, "/api/v1/funds/waiting", May::FundsRead, queues::waiting)
            .says(
                "Read what waits for money, by currency: how many refunds, since when, what is missing, and when it is expected.",
                "按币种查看等待资金的退款：笔数、最早等待时间、尚缺金额，以及预计何时足够。",
            )
            .asks::<MerchantQuery>()
            .gives::<Listed<WaitingLineView>>(200),
        Endpoint::new(Post, "/api/v1/funds/top-ups", May::FundsWrite, funds::top_up)
            .operator()
            .says("Pay money in, once per idempotency key.", "充值，每个幂等键只入账一次。")
            .asks::<IdempotencyHeader>()
            .takes::<TopUpRequest>()
            .gives::<Listed<BalanceView>>(200),
        Endpoint::new(Get, "/api/v1/audit-log", May::AuditRead, audit::list)
            .says("Read who did what, newest first.", "查看操作记录，最新的在前。")
            .asks::<AuditQuery>()
            .gives::<Listed<AuditView>>(200),
    ]
}

fn merchant_rows() -> Vec<Endpoint> {
    let (merchant, terminal) = ("/api/v1/merchants/{merchant_id}", "/api/v1/terminals/{terminal_id}");
    vec![
        Endpoint::new(Post, "/api/v1/merchants", May::MerchantsWrite, merchants::create)
            .operator()
            .says("Make a merchant in the mode of the key.", "新建商户，环境（沙箱或生产）与密钥相同。")
            .takes::<MerchantRequest>()
            .gives::<MerchantView>(201),
        Endpoint::new(Get, "/api/v1/merchants", May::MerchantsRead, merchants::list)
            .says("List the merchants that the key acts for.", "列出该密钥可代表的商户。")
            .asks::<PageQuery>()
            .gives::<Listed<MerchantView>>(200),
        Endpoint::new(Get, merchant, May::MerchantsRead, merchants::find)
            .says("Read one merchant.", "查看一个商户。")
            .gives::<MerchantView>(200),
        Endpoint::new(Put, merchant, May::MerchantsWrite, merchants::change)
            .operator()
            .says("Change a merchant's name, standing or rules.", "修改商户的名称、状态或规则。")
            .takes::<MerchantChangeRequest>()
            .gives::<MerchantView>(200),
        Endpoint::new(Post, "/api/v1/terminals", May::TerminalsWrite, terminals::create)
            .says("Make a terminal with the usual rules of its dialect.", "新建终端，采用其方言的常用规则。")
            .takes::<TerminalRequest>()
            .gives::<TerminalView>(201),
        Endpoint::new(Get, "/api/v1/terminals", May::MerchantsRead, terminals::list)
            .says("List the terminals of a merchant.", "列出商户的终端。")
            .asks::<MerchantQuery>()
            .gives::<Listed<TerminalView>>(200),
        Endpoint::new(Get, terminal, May::MerchantsRead, terminals::find)
            .says("Read one terminal.", "查看一个终端。")
            .asks::<MerchantQuery>()
            .gives::<TerminalView>(200),
        Endpoint::new(Put, terminal, May::TerminalsWrite, terminals::change)
            .says("Change a terminal's name, rules, address or acquirer.", "修改终端的名称、规则、通知地址或收单机构。")
            .asks::<MerchantQuery>()
            .takes::<TerminalChangeRequest>()
            .gives::<TerminalView>(200),
        Endpoint::new(Get, "/api/v1/terminals/{terminal_id}/policy", May::MerchantsRead, terminals::effective_policy)
            .says("Read the rules that hold for refunds of one payment method.", "查看某种支付方式的退款所适用的规则。")
            .asks::<PolicyQuery>()
            .gives::<EffectivePolicy>(200),
        Endpoint::new(Post, "/api/v1/terminals/{terminal_id}/forced-answers", May::TerminalsWrite, terminals::force_answer)
            .says(
                "Let one API of a sandbox terminal always answer one result code for a while.",
                "让沙箱终端的某个接口在一段时间内总是返回指定的结果码。",
            )
            .asks::<MerchantQuery>()
            .takes::<ForcedAnswerRequest>()
            .gives::<TerminalView>(200),
    ]
}

fn people_rows() -> Vec<Endpoint> {
    let (all, one) = ("/api/v1/people", "/api/v1/people/{person_id}");
    vec![
        Endpoint::new(Post, all, May::PeopleWrite, people::create)
            .says(
                "Add a person with a role. Keys that are issued to the person act in the person's name.",
                "新增人员并指定角色。签发给该人员的密钥均以其名义操作。",
            )
            .takes::<PersonRequest>()
            .gives::<PersonView>(201),
        Endpoint::new(Get, all, May::PeopleRead, people::list)
            .says("List people.", "列出人员。")
            .asks::<PersonQuery>()
            .gives::<Listed<PersonView>>(200),
        Endpoint::new(Get, one, May::PeopleRead, people::find)
            .says("Read one person.", "查看一名人员。")
            .asks::<MerchantQuery>()
            .gives::<PersonView>(200),
        Endpoint::new(Put, one, May::PeopleWrite, people::change)
            .says("Change a person's name, role or standing; it counts at once.", "修改人员的姓名、角色或状态，立即生效。")
            .asks::<MerchantQuery>()
            .takes::<PersonChangeRequest>()
            .gives::<PersonView>(200),
    ]
}

fn key_rows() -> Vec<Endpoint> {
    let (all, one) = ("/api/v1/credentials", "/api/v1/credentials/{credential_id}");
    vec![
        Endpoint::new(Post, all, May::KeysWrite, credentials::issue)
            .says("Issue an API key or a key pair. Secrets are shown this once.", "签发 API 密钥或密钥对。秘密内容仅显示这一次。")
            .takes::<CredentialRequest>()
            .gives::<CredentialView>(201),
        Endpoint::new(Get, all, May::KeysRead, credentials::list)
            .says("List credentials, without secrets.", "列出凭证，不含秘密内容。")
            .asks::<CredentialQuery>()
            .gives::<Listed<CredentialView>>(200),
        Endpoint::new(Get, one, May::KeysRead, credentials::find)
            .says("Read one credential.", "查看一个凭证。")
            .gives::<CredentialView>(200),
        Endpoint::new(Post, "/api/v1/credentials/{credential_id}/rotate", May::KeysWrite, credentials::rotate)
            .says("Issue the next version; the one before stays valid for the overlap.", "签发下一版本；上一版本在重叠期内仍然有效。")
            .takes::<RotationRequest>()
            .gives::<CredentialView>(201),
        Endpoint::new(Post, "/api/v1/credentials/{credential_id}/revoke", May::KeysWrite, credentials::revoke)
            .says("End a credential, at once or at a time.", "立即或在指定时间吊销凭证。")
            .takes::<RevocationRequest>()
            .gives::<CredentialView>(200),
    ]
}
