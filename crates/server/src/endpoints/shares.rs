//! The rows of the table about shares and advances.

use refundry_service::permissions::Permission as May;

use crate::endpoint::Endpoint;
use crate::endpoint::Method::{Get, Post};
use crate::merchant_api::MerchantQuery;
use crate::merchant_api::payment_view::PaymentView;
use crate::merchant_api::refunds::IdempotencyHeader;
use crate::merchant_api::share_view::ShareView;
use crate::merchant_api::shares::{self, RecoveryRequest, ShareFinishRequest, ShareQuery, ShareRequest};
use crate::views::Listed;

/// Shares, and what is advanced for receivers.
pub fn rows() -> Vec<Endpoint> {
    let (of_payment, one) = ("/api/v1/payments/{payment_id}/shares", "/api/v1/shares/{share_id}");
    vec![
        Endpoint::new(Post, of_payment, May::SharesWrite, shares::create)
            .says(
                "Share a payment's money with other merchants, now or at a time. 201 for a new share; 200 and `Idempotency-Replayed: true` when the number \
                was used for it before.",
                "将一笔支付的款项分账给其他商户，立即或在指定时间。新分账答 201；单号已用于同一分账时答 200，并带 `Idempotency-Replayed: true`。",
            )
            .asks::<IdempotencyHeader>()
            .asks::<MerchantQuery>()
            .takes::<ShareRequest>()
            .gives::<ShareView>(201),
        Endpoint::new(Get, of_payment, May::SharesRead, shares::list)
            .says("List the shares of a payment, newest first.", "列出一笔支付的分账，最新的在前。")
            .asks::<ShareQuery>()
            .gives::<Listed<ShareView>>(200),
        Endpoint::new(Get, one, May::SharesRead, shares::find)
            .says("Read one share.", "查看一笔分账。")
            .asks::<MerchantQuery>()
            .gives::<ShareView>(200),
        Endpoint::new(Post, "/api/v1/shares/{share_id}/cancel", May::SharesWrite, shares::cancel)
            .says("Take a planned share back.", "撤回一笔尚未到时间的分账。")
            .asks::<MerchantQuery>()
            .gives::<ShareView>(200),
        Endpoint::new(Post, "/api/v1/shares/{share_id}/finish", May::SharesWrite, shares::finish)
            .says(
                "End a running share of the sandbox whose number asked to be left running.",
                "结束沙箱中一笔按单号要求保持处理中的分账。",
            )
            .asks::<MerchantQuery>()
            .takes::<ShareFinishRequest>()
            .gives::<ShareView>(200),
        Endpoint::new(Get, "/api/v1/advances", May::SharesRead, shares::advances)
            .says(
                "List the payments of whose advances receivers still owe something, newest first; `sharing.advanced` says how much.",
                "列出接收方尚欠垫资的支付，最新的在前；`sharing.advanced` 为所欠金额。",
            )
            .asks::<ShareQuery>()
            .gives::<Listed<PaymentView>>(200),
        Endpoint::new(Post, "/api/v1/payments/{payment_id}/advances/recover", May::AdvancesRecover, shares::recover)
            .operator()
            .says(
                "Take from a receiver what the giver advanced in its place, and give it to the giver, once per idempotency key.",
                "向接收方收回付款方代垫的款项并归还付款方，每个幂等键只执行一次。",
            )
            .asks::<IdempotencyHeader>()
            .asks::<MerchantQuery>()
            .takes::<RecoveryRequest>()
            .gives::<PaymentView>(200),
    ]
}
