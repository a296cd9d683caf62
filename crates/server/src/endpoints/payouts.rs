use refundry_service::permissions::Permission as May;

use crate::endpoint::Endpoint;
use crate::endpoint::Method::{Get, Post, Put};
use crate::merchant_api::MerchantQuery;
use crate::merchant_api::adjustments::{self, AdjustmentQuery, AdjustmentRequest, AdjustmentView};
use crate::merchant_api::gross_view::GrossView;
use crate::merchant_api::payout_files::{self, FileQuery};
use crate::merchant_api::payout_terms_view::PayoutTermsView;
use crate::merchant_api::payout_view::{LineView, PaidOutView, PayoutView, TermsView};
use crate::merchant_api::payouts::{self, LineQuery, PayoutQuery, PayoutRequest, ReasonRequest, SendingRequest};
use crate::merchant_api::refunds::IdempotencyHeader;
use crate::views::Listed;

/// Payouts, their statements and terms.
pub fn payout_rows() -> Vec<Endpoint> {
    let (all, one) = ("/api/v1/payouts", "/api/v1/payouts/{payout_id}");
    let reads = vec![
        Endpoint::new(Post, all, May::PayoutsWrite, payouts::prepare)
            .operator()
            .says("Prepare a payout: its money is set aside. Another person sends it.", "制作划款批次：款项即被划出待付，由他人复核划出。")
            .takes::<PayoutRequest>()
            .gives::<PayoutView>(201),
        Endpoint::new(Get, all, May::PayoutsRead, payouts::list)
            .says("List payouts, newest first.", "列出划款批次，最新的在前。")
            .asks::<PayoutQuery>()
            .gives::<Listed<PayoutView>>(200),
        Endpoint::new(Get, "/api/v1/payouts/totals", May::PayoutsRead, payouts::totals)
            .says("Read what a merchant was paid out in all.", "查看商户的累计划款金额。")
            .asks::<MerchantQuery>()
            .gives::<Listed<PaidOutView>>(200),
        Endpoint::new(Get, one, May::PayoutsRead, payouts::find)
            .says("Read one payout with the statement of how it came about.", "查看一个划款批次及其对账单。")
            .asks::<MerchantQuery>()
            .gives::<PayoutView>(200),
        Endpoint::new(Get, "/api/v1/payouts/{payout_id}/lines", May::PayoutsRead, payouts::lines)
            .says("List the lines of a statement, oldest first.", "列出对账单明细，最早的在前。")
            .asks::<LineQuery>()
            .gives::<Listed<LineView>>(200),
        Endpoint::new(Get, "/api/v1/payouts/{payout_id}/gross", May::PayoutsRead, payouts::gross)
            .says("Read what a statement settles before fees, and what the fees are made of.", "查看对账单扣费前的金额及手续费构成。")
            .asks::<MerchantQuery>()
            .gives::<GrossView>(200),
        Endpoint::new(Get, "/api/v1/payouts/{payout_id}/summary.csv", May::PayoutsRead, payout_files::summary)
            .says("Download the summary of a statement as CSV.", "下载对账单小结（CSV）。")
            .asks::<FileQuery>(),
        Endpoint::new(Get, "/api/v1/payouts/{payout_id}/lines.csv", May::PayoutsRead, payout_files::lines)
            .says("Download the lines of a statement as CSV.", "下载对账单明细（CSV）。")
            .asks::<FileQuery>(),
        Endpoint::new(Get, "/api/v1/payout-terms", May::PayoutsRead, payouts::terms)
            .says("Read when a merchant is paid out, by currency.", "按币种查看商户的划款条款。")
            .asks::<MerchantQuery>()
            .gives::<Listed<TermsView>>(200),
        Endpoint::new(Put, "/api/v1/payout-terms/{currency}", May::PayoutsWrite, payouts::put_terms)
            .operator()
            .says("Say when a merchant is paid out in one currency, and how much.", "设置商户某一币种的划款条款。")
            .asks::<MerchantQuery>()
            .takes::<PayoutTermsView>()
            .gives::<Listed<TermsView>>(200),
    ];
    reads.into_iter().chain(payout_steps()).collect()
}

fn payout_steps() -> Vec<Endpoint> {
    vec![
        Endpoint::new(Post, "/api/v1/payouts/{payout_id}/send", May::PayoutsWrite, payouts::send)
            .operator()
            .says("Say that the bank was told. Whoever prepared a payout may not send it.", "记录已向银行划出。制表人不能自行划出。")
            .asks::<MerchantQuery>()
            .takes::<SendingRequest>()
            .gives::<PayoutView>(200),
        Endpoint::new(Post, "/api/v1/payouts/{payout_id}/confirm", May::PayoutsWrite, payouts::confirm)
            .operator()
            .says("Say that it arrived.", "记录款项已到账。")
            .asks::<MerchantQuery>()
            .gives::<PayoutView>(200),
        Endpoint::new(Post, "/api/v1/payouts/{payout_id}/fail", May::PayoutsWrite, payouts::fail)
            .operator()
            .says(
                "Say that the bank did not carry it out, or sent it back after it had arrived: its money is available again.",
                "记录银行划款失败，或到账后被退回：款项重新可用。",
            )
            .asks::<MerchantQuery>()
            .takes::<ReasonRequest>()
            .gives::<PayoutView>(200),
        Endpoint::new(Post, "/api/v1/payouts/{payout_id}/cancel", May::PayoutsWrite, payouts::cancel)
            .operator()
            .says("Take a payout back before it is sent.", "在划出之前取消划款批次。")
            .asks::<MerchantQuery>()
            .takes::<ReasonRequest>()
            .gives::<PayoutView>(200),
    ]
}

/// Adjustments.
pub fn adjustment_rows() -> Vec<Endpoint> {
    vec![
        Endpoint::new(Post, "/api/v1/adjustments", May::PayoutsWrite, adjustments::propose)
            .operator()
            .says(
                "Propose to take something from a merchant's available money, or to give something. Nothing is booked yet.",
                "提出调账：从商户可用余额扣除或补入。此时尚未入账。",
            )
            .asks::<IdempotencyHeader>()
            .takes::<AdjustmentRequest>()
            .gives::<AdjustmentView>(201),
        Endpoint::new(Get, "/api/v1/adjustments", May::PayoutsRead, adjustments::list)
            .says("List adjustments, newest first; merchants see those that are booked.", "列出调账，最新的在前；商户只能看到已入账的。")
            .asks::<AdjustmentQuery>()
            .gives::<Listed<AdjustmentView>>(200),
        Endpoint::new(Post, "/api/v1/adjustments/{adjustment_id}/book", May::PayoutsWrite, adjustments::book)
            .operator()
            .says("Book an adjustment that another person proposed.", "将他人提出的调账入账。")
            .asks::<MerchantQuery>()
            .gives::<AdjustmentView>(200),
        Endpoint::new(Post, "/api/v1/adjustments/{adjustment_id}/reject", May::PayoutsWrite, adjustments::reject)
            .operator()
            .says("Reject a proposed adjustment.", "驳回一笔调账。")
            .asks::<MerchantQuery>()
            .gives::<AdjustmentView>(200),
    ]
}
