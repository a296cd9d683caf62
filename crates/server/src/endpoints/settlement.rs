use refundry_service::permissions::Permission as May;

use crate::endpoint::Endpoint;
use crate::endpoint::Method::{Get, Post};
use crate::merchant_api::MerchantQuery;
use crate::merchant_api::funds::{self, AcquirerSettlementRequest, BalanceView, TopUpQuery, TopUpView};
use crate::merchant_api::payment_view::PaymentView;
use crate::merchant_api::refunds::IdempotencyHeader;
use crate::merchant_api::settlement::{self, CollectRequest, ComingQuery, ComingView, FixedReserveRequest, FundsOverviewView, MarkRequest};
use crate::merchant_api::shipments::{self, BatchResult, ShipmentStateRequest, TrackingBatchRequest, TrackingRequest};
use crate::merchant_api::trade_files;
use crate::merchant_api::trade_lines::{self, TradeLineView, TradeQuery, TradeTotalsView};
use crate::views::Listed;

/// What happens to a payment behind its capture: goods, settlement, reconciliation.
pub fn rows() -> Vec<Endpoint> {
    vec![
        Endpoint::new(Post, "/api/v1/payments/{payment_id}/tracking", May::ShipmentsWrite, shipments::track)
            .says("Tell the tracking numbers of a payment's parcels.", "上传一笔支付的物流跟踪单号。")
            .asks::<MerchantQuery>()
            .takes::<TrackingRequest>()
            .gives::<PaymentView>(200),
        Endpoint::new(Post, "/api/v1/tracking-numbers", May::ShipmentsWrite, shipments::track_many)
            .says(
                "Tell the tracking numbers of at most 10,000 payments; says how many rows were taken, and of the others why not.",
                "批量上传物流跟踪单号，一次最多 10,000 行；答复成功行数及每一被拒行的原因。",
            )
            .takes::<TrackingBatchRequest>()
            .gives::<BatchResult>(200),
        Endpoint::new(Post, "/api/v1/payments/{payment_id}/shipment-state", May::PaymentsWrite, shipments::change_state)
            .operator()
            .says("Tell where the goods of a payment are.", "登记一笔支付的货物妥投状态。")
            .asks::<MerchantQuery>()
            .takes::<ShipmentStateRequest>()
            .gives::<PaymentView>(200),
        Endpoint::new(Post, "/api/v1/payments/mark", May::PaymentsWrite, settlement::mark)
            .operator()
            .says(
                "Mark at most 10,000 payments as reviewed (so that they can be settled) or reconciled (so that they can be refunded).",
                "将最多 10,000 笔支付标记为已审单（可结算）或已对账（可退款）。",
            )
            .takes::<MarkRequest>()
            .gives::<BatchResult>(200),
        Endpoint::new(Post, "/api/v1/payments/{payment_id}/release-reserve", May::FundsWrite, settlement::release_reserve)
            .operator()
            .says("Release what is left of a payment's rolling reserve before its time.", "提前释放一笔支付剩余的循环保证金。")
            .asks::<MerchantQuery>()
            .gives::<PaymentView>(200),
        Endpoint::new(Post, "/api/v1/payments/{payment_id}/collect-exposure", May::FundsWrite, settlement::collect_exposure)
            .operator()
            .says(
                "Take what the merchant owes for a payment out of its available money. What is written off instead is an adjustment.",
                "从商户可用余额中收回其在一笔支付上的欠款。核销欠款请使用调账。",
            )
            .asks::<MerchantQuery>()
            .takes::<CollectRequest>()
            .gives::<PaymentView>(200),
    ]
}

/// The merchant's money as a whole.
pub fn fund_rows() -> Vec<Endpoint> {
    vec![
        Endpoint::new(Post, "/api/v1/funds/release-fixed-reserve", May::FundsWrite, settlement::release_fixed_reserve)
            .operator()
            .says("Release the fixed reserve, but for what is kept.", "释放固定保证金，仅保留指定金额。")
            .takes::<FixedReserveRequest>()
            .gives::<Listed<BalanceView>>(200),
        Endpoint::new(Post, "/api/v1/funds/acquirer-settlements", May::FundsWrite, funds::record_acquirer_settlement)
            .operator()
            .says(
                "Book what the acquirer paid for a merchant's business. Nothing of the merchant's moves.",
                "登记收单机构就某商户业务向运营方支付的款项；不影响商户资金。",
            )
            .asks::<IdempotencyHeader>()
            .takes::<AcquirerSettlementRequest>()
            .gives::<Listed<BalanceView>>(200),
        Endpoint::new(Get, "/api/v1/funds/overview", May::FundsRead, settlement::overview)
            .says(
                "Read settlement method, cycles, and what is settleable, not settled and paid out, per currency and in real time.",
                "查看结算方式、结算周期，以及各币种的可结算、未结算与已划款金额，均为实时数据。",
            )
            .asks::<MerchantQuery>()
            .gives::<FundsOverviewView>(200),
        Endpoint::new(Get, "/api/v1/funds/top-ups", May::FundsRead, funds::top_ups)
            .says("List what was paid in, newest first.", "列出充值记录，最新的在前。")
            .asks::<TopUpQuery>()
            .gives::<Listed<TopUpView>>(200),
        Endpoint::new(Get, "/api/v1/funds/coming", May::FundsRead, settlement::coming)
            .says("Read what becomes available by itself, by day.", "按日查看即将自动转为可用的资金。")
            .asks::<ComingQuery>()
            .gives::<Listed<ComingView>>(200),
    ]
}

/// The list of trade.
pub fn trade_rows() -> Vec<Endpoint> {
    vec![
        Endpoint::new(Get, "/api/v1/trade-lines", May::FundsRead, trade_lines::list)
            .says(
                "List what was sold, what went back and what was disputed, newest first, with what it is booked as and the payout that it came with.",
                "交易明细：成功、退款、拒付、调单等，最新的在前，含记账金额与所属划款批次。",
            )
            .asks::<TradeQuery>()
            .gives::<Listed<TradeLineView>>(200),
        Endpoint::new(Get, "/api/v1/trade-lines/totals", May::FundsRead, trade_lines::totals)
            .says("Sum the list of trade up, by the currencies of payments and by those that they are booked in.", "交易明细金额统计，按交易币种与记账币种。")
            .asks::<TradeQuery>()
            .gives::<TradeTotalsView>(200),
        Endpoint::new(Get, "/api/v1/trade-lines.csv", May::FundsRead, trade_files::lines)
            .says("Download the list of trade as CSV.", "下载交易明细（CSV）。")
            .asks::<TradeQuery>(),
    ]
}
