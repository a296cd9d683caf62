//! The rows of the table about disputes, authorisations and rates.

use refundry_service::permissions::Permission as May;

use crate::endpoint::Endpoint;
use crate::endpoint::Method::{Get, Post, Put};
use crate::merchant_api::MerchantQuery;
use crate::merchant_api::dispute_view::{DisputeView, OpenDisputesView};
use crate::merchant_api::disputes::{self, CaptureRequest, DisputeChangeRequest, DisputeQuery, DisputeRequest, VoidRequest};
use crate::merchant_api::payment_view::PaymentView;
use crate::operator_api::rates::{self, ImportedRates, RateQuery, RateView, RatesRequest};
use crate::views::Listed;

/// Chargebacks, disputes, retrievals and reports of fraud.
pub fn dispute_rows() -> Vec<Endpoint> {
    let (all, one) = ("/api/v1/disputes", "/api/v1/disputes/{dispute_id}");
    vec![
        Endpoint::new(Post, all, May::DisputesRecord, disputes::record)
            .operator()
            .says(
                "Tell of a chargeback, dispute, retrieval or report of fraud. The same network reference told again is the same one.",
                "登记拒付、争议、调单或伪冒。同一网络编号重复登记视为同一笔。",
            )
            .takes::<DisputeRequest>()
            .gives::<DisputeView>(201),
        Endpoint::new(Get, all, May::DisputesRead, disputes::list)
            .says("List disputes, newest first.", "列出争议，最新的在前。")
            .asks::<DisputeQuery>()
            .gives::<Listed<DisputeView>>(200),
        Endpoint::new(Get, "/api/v1/disputes/open", May::DisputesRead, disputes::open)
            .says("Count the disputes that wait for somebody, by kind and state.", "按类型和状态统计待处理的争议。")
            .asks::<MerchantQuery>()
            .gives::<Listed<OpenDisputesView>>(200),
        Endpoint::new(Get, one, May::DisputesRead, disputes::find)
            .says("Read one dispute.", "查看一笔争议。")
            .asks::<MerchantQuery>()
            .gives::<DisputeView>(200),
        Endpoint::new(Post, "/api/v1/disputes/{dispute_id}/change", May::DisputesWrite, disputes::change)
            .says(
                "Answer a dispute or agree with it. What the other side decides, the operator tells here; that needs `disputes:record`.",
                "申诉或接受一笔争议。对方的裁决由运营方在此登记，需要 `disputes:record`。",
            )
            .asks::<MerchantQuery>()
            .takes::<DisputeChangeRequest>()
            .gives::<DisputeView>(200),
    ]
}

/// What becomes of authorised payments.
pub fn authorisation_rows() -> Vec<Endpoint> {
    vec![
        Endpoint::new(Post, "/api/v1/payments/{payment_id}/capture", May::PaymentsCapture, disputes::capture)
            .says("Capture an authorised payment, or a part of it; the rest is released.", "对预授权请款，可部分请款，余额随即释放。")
            .asks::<MerchantQuery>()
            .takes::<CaptureRequest>()
            .gives::<PaymentView>(200),
        Endpoint::new(Post, "/api/v1/payments/{payment_id}/void", May::PaymentsCapture, disputes::void)
            .says(
                "Void an authorised payment, or a sale at a till of which nothing has moved since.",
                "撤销预授权，或撤销尚无任何资金变动的门店交易。",
            )
            .asks::<MerchantQuery>()
            .takes::<VoidRequest>()
            .gives::<PaymentView>(200),
    ]
}

/// Rates of days.
pub fn rate_rows() -> Vec<Endpoint> {
    vec![
        Endpoint::new(Put, "/api/v1/rates", May::RatesWrite, rates::import)
            .operator()
            .says(
                "Import rates of days: all of them, or none. One that is there already is replaced.",
                "导入每日汇率：全部成功或全部不生效；已有的被替换。",
            )
            .takes::<RatesRequest>()
            .gives::<ImportedRates>(200),
        Endpoint::new(Get, "/api/v1/rates", May::RatesRead, rates::list)
            .says("List rates, the newest day first.", "列出汇率，最新日期在前。")
            .asks::<RateQuery>()
            .gives::<Listed<RateView>>(200),
    ]
}
