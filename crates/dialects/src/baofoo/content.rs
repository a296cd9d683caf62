//! The business part of an answer (`dataContent`), method by method. Which amounts are numbers and which are texts is what merchants' clients
//! can read; what is absent is left out, because some of them fail at `null`.

use refundry_engine::Refusal;
use refundry_engine::payment::{Payment, PaymentStatus};
use refundry_engine::refund::{Refund, RefundState};
use refundry_engine::share::{Share, ShareState};
use refundry_ledger::Money;
use serde_json::{Map, Value};

use super::biz::text_of;
use super::codes::{self, BusinessCode};
use super::envelope::Envelope;
use super::method::Method;
use super::{message, trade_no};
use crate::sharing::OrderBalance;
use crate::time_text::{day, digits};
use crate::{Answer, Context};

/// The members of one answer, in the order of the vendor's pages.
struct Content<'a> {
    members: Map<String, Value>,
    asked: Map<String, Value>,
    method: Option<Method>,
    context: &'a Context<'a>,
}

/// An outcome as the JSON text that is signed.
pub fn render(outcome: &Answer<'_>, context: &Context<'_>, envelope: &Envelope<'_>) -> String {
    let asked = envelope.content().unwrap_or_default();
    let mut content = Content { members: Map::new(), asked, method: envelope.method(), context };
    match (outcome, content.method) {
        (Answer::Refund { refund, .. }, Some(Method::OrderRefund)) => content.refund(refund),
        (Answer::Inquiry { refund }, Some(Method::RefundQuery)) => content.refund_query(refund),
        (Answer::Share { share }, Some(Method::ShareAfterPay)) => content.share(share, Value::from(share.sum_minor())),
        (Answer::Share { share }, Some(Method::ShareQuery)) => content.share(share, Value::from(share.sum_minor().to_string())),
        (Answer::Order { payment, refunded }, Some(Method::OrderQuery)) => content.order_query(payment, *refunded),
        (Answer::Order { payment, refunded }, Some(Method::UnifiedOrder)) => content.unified_order(payment, *refunded),
        (Answer::Order { payment, .. }, Some(Method::OrderClose)) => content.order_close(payment),
        (Answer::Balance(balance), Some(Method::OrderBalanceQuery)) => content.balance(balance),
        (Answer::Refused(refusal), _) => content.refused(refusal),
        (Answer::Malformed(error), _) => content.failed(codes::of_wire_error(error), &message::of_wire_error(error)),
        (Answer::Forced(code), _) => {
            let code = codes::of_forced(code);
            content.failed(code, code.text);
        }
        // An answer to another question is no answer.
        (
            Answer::Fault
            | Answer::Refund { .. }
            | Answer::Inquiry { .. }
            | Answer::Orders { .. }
            | Answer::Authorisation { .. }
            | Answer::Tracking { .. }
            | Answer::Share { .. }
            | Answer::Order { .. }
            | Answer::Balance(_),
            _,
        ) => content.fault(),
    }
    Value::Object(content.members).to_string()
}

impl Content<'_> {
    fn put(&mut self, name: &str, value: impl Into<Value>) {
        self.members.insert(name.to_owned(), value.into());
    }

    /// Repeats texts of the request, where they were sent.
    fn echo(&mut self, names: &[&str]) {
        for name in names {
            if let Some(text) = text_of(&self.asked, name) {
                self.put(name, text);
            }
        }
    }

    /// Repeats amounts of the request as numbers, where they are any.
    fn echo_amounts(&mut self, names: &[&str]) {
        for name in names {
            if let Some(amount) = text_of(&self.asked, name).and_then(|text| text.parse::<i64>().ok()) {
                self.put(name, amount);
            }
        }
    }

    fn caller(&mut self) {
        self.echo(&["agentMerId", "agentTerId", "merId", "terId"]);
    }

    fn error(&mut self, code: BusinessCode, message: &str) {
        self.put("resultCode", "FAIL");
        self.put("errCode", code.code);
        self.put("errMsg", message);
    }

    fn refund(&mut self, refund: &Refund) {
        self.echo(&["originTradeNo", "originOutTradeNo"]);
        self.put("outTradeNo", refund.number.as_str());
        self.put("tradeNo", trade_no::of_refund(refund.id));
        self.put("refundAmt", refund.user_part().minor());
        self.put("totalAmt", refund.amount.minor());
        match message::of_refund(refund) {
            None => {
                self.put("resultCode", "SUCCESS");
                self.put("refundState", refund_state(refund));
            }
            Some((code, message)) => {
                self.put("resultCode", "FAIL");
                self.put("refundState", refund_state(refund));
                self.put("errCode", code.code);
                self.put("errMsg", message);
            }
        }
        self.echo(&["reqReserved"]);
    }

    /// A refund that failed was found all the same, so there is no code: clients take any code for a query that failed.
    fn refund_query(&mut self, refund: &Refund) {
        self.put("tradeNo", trade_no::of_refund(refund.id));
        self.put("outTradeNo", refund.number.as_str());
        self.put("refundState", refund_state(refund));
        if let Some(at) = succeeded_at(refund) {
            self.put("finishTime", digits(at));
            self.put("succAmt", refund.amount.minor().to_string());
        }
        self.put("resultCode", "SUCCESS");
        if let Some((code, message)) = message::of_refund(refund) {
            self.put("errMsg", format!("{}: {message}", code.code).chars().take(128).collect::<String>());
        }
    }

    fn share(&mut self, share: &Share, sum: Value) {
        self.caller();
        self.put("outTradeNo", share.number.as_str());
        self.put("tradeNo", trade_no::of_share(share.id));
        self.put("txnState", share_state(share));
        if let ShareState::Succeeded { at } = &share.state {
            self.put("finishTime", digits(*at));
            self.put("succAmt", sum);
            self.put("clearingDate", day(*at));
        }
        self.put("resultCode", "SUCCESS");
    }

    fn order_query(&mut self, payment: &Payment, refunded: Money) {
        self.caller();
        self.put("tradeNo", payment.payment_reference.as_str());
        self.put("outTradeNo", payment.merchant_reference.as_str());
        self.put("txnState", payment_state(payment, refunded));
        if payment.status == PaymentStatus::Captured {
            self.put("finishTime", digits(payment.paid_at));
            self.put("succAmt", payment.captured.minor());
            self.put("feeAmt", payment.fee.minor());
        }
        self.put("payCode", payment.method.as_str());
        self.put("resultCode", "SUCCESS");
    }

    fn unified_order(&mut self, payment: &Payment, refunded: Money) {
        self.caller();
        self.put("outTradeNo", payment.merchant_reference.as_str());
        self.put("tradeNo", payment.payment_reference.as_str());
        self.put("txnState", payment_state(payment, refunded));
        self.put("payCode", payment.method.as_str());
        self.put("resultCode", "SUCCESS");
        self.echo(&["reqReserved"]);
    }

    /// Accepted: what became of it is told by a notification.
    fn order_close(&mut self, payment: &Payment) {
        self.caller();
        self.put("tradeNo", payment.payment_reference.as_str());
        self.put("outTradeNo", payment.merchant_reference.as_str());
        self.put("resultCode", "SUCCESS");
    }

    fn balance(&mut self, balance: &OrderBalance) {
        self.caller();
        self.put("originTradeNo", balance.payment_reference.as_str());
        self.put("originOutTradeNo", balance.order_number.as_str());
        self.put("orderTotalAmt", balance.total.minor());
        self.put("shareBalanceAmt", balance.unshared.minor());
        self.put("refundSuccessAmt", balance.refunded.minor());
        self.put("refundProcessingAmt", balance.refunding.minor());
        self.echo(&["reqReserved"]);
        self.put("resultCode", "SUCCESS");
    }

    /// What a query does not find is no failure of the query; the vendor's word for it is a state.
    fn refused(&mut self, refusal: &Refusal) {
        match (self.method, refusal) {
            (Some(Method::RefundQuery), Refusal::UnknownRefund | Refusal::Unknown { .. }) => self.abnormal("refundState"),
            (Some(Method::ShareQuery), Refusal::UnknownShare | Refusal::Unknown { .. })
            | (Some(Method::OrderQuery), Refusal::UnknownPayment) => self.abnormal("txnState"),
            (Some(Method::OrderRefund), Refusal::UnknownPayment) if self.context.settings.unknown_payment_is_abnormal => {
                self.about();
                self.put("resultCode", "SUCCESS");
                self.put("refundState", "ABNORMAL");
                self.put("errCode", codes::ORDER_NOT_EXIST.code);
                self.put("errMsg", codes::ORDER_NOT_EXIST.text);
            }
            (_, refusal) => self.failed(codes::of_refusal(refusal), &message::of_refusal(refusal)),
        }
    }

    fn failed(&mut self, code: BusinessCode, message: &str) {
        self.about();
        self.error(code, message);
        self.echo(&["reqReserved"]);
    }

    /// Nobody knows what became of it: a state that sends the caller to the query.
    fn fault(&mut self) {
        let code = codes::of_fault(self.method);
        self.about();
        match self.method {
            Some(Method::OrderRefund) => self.put("refundState", "ABNORMAL"),
            Some(Method::ShareAfterPay | Method::UnifiedOrder | Method::OrderClose) => self.put("txnState", "ABNORMAL"),
            Some(Method::RefundQuery | Method::OrderQuery | Method::OrderBalanceQuery | Method::ShareQuery) | None => {}
        }
        self.error(code, code.text);
    }

    fn abnormal(&mut self, state: &str) {
        if self.method != Some(Method::RefundQuery) {
            self.caller();
        }
        self.echo(&["tradeNo", "outTradeNo"]);
        self.put(state, "ABNORMAL");
        self.put("resultCode", "SUCCESS");
    }

    /// What of the request an answer without a result repeats.
    fn about(&mut self) {
        match self.method {
            Some(Method::OrderRefund) => {
                self.echo(&["originTradeNo", "originOutTradeNo", "outTradeNo"]);
                self.echo_amounts(&["refundAmt", "totalAmt"]);
            }
            Some(Method::RefundQuery) => self.echo(&["tradeNo", "outTradeNo"]),
            Some(Method::OrderBalanceQuery) => {
                self.caller();
                self.echo(&["originTradeNo", "originOutTradeNo"]);
            }
            Some(Method::OrderQuery | Method::OrderClose | Method::ShareQuery) => {
                self.caller();
                self.echo(&["tradeNo", "outTradeNo"]);
            }
            Some(Method::ShareAfterPay | Method::UnifiedOrder) => {
                self.caller();
                self.echo(&["outTradeNo"]);
            }
            None => self.caller(),
        }
    }
}

/// Where a refund stands, in the vendor's word. Money that came back after a success changes nothing: final is final.
pub const fn refund_state(refund: &Refund) -> &'static str {
    match &refund.state {
        RefundState::Pending { .. } | RefundState::Submitted { .. } | RefundState::Unresolved { .. } => "REFUND",
        RefundState::Succeeded { .. } | RefundState::Returned { .. } => "SUCCESS",
        RefundState::Failed { .. } | RefundState::Cancelled { .. } => "REFUND_ERROR",
    }
}

/// When a refund succeeded.
pub const fn succeeded_at(refund: &Refund) -> Option<refundry_engine::Timestamp> {
    match &refund.state {
        RefundState::Succeeded { at, .. } => Some(*at),
        RefundState::Returned { succeeded_at, .. } => Some(*succeeded_at),
        RefundState::Pending { .. }
        | RefundState::Submitted { .. }
        | RefundState::Unresolved { .. }
        | RefundState::Failed { .. }
        | RefundState::Cancelled { .. } => None,
    }
}

/// Where a share stands, in the vendor's word; one that failed shares nothing, and the vendor's word for that is cancelled.
pub const fn share_state(share: &Share) -> &'static str {
    match &share.state {
        ShareState::Planned { .. } | ShareState::Running => "PROCESSING",
        ShareState::Succeeded { .. } => "SUCCESS",
        ShareState::Cancelled { .. } | ShareState::Failed { .. } => "CANCELED",
    }
}

/// Where a payment stands, in the vendor's word: it is refunded once all of it is.
pub fn payment_state(payment: &Payment, refunded: Money) -> &'static str {
    match payment.status {
        PaymentStatus::Captured if payment.captured.is_positive() && refunded == payment.captured => "REFUND",
        PaymentStatus::Captured => "SUCCESS",
        PaymentStatus::Pending | PaymentStatus::Authorised => "WAIT_PAYING",
        PaymentStatus::Failed => "PAY_ERROR",
        PaymentStatus::Cancelled | PaymentStatus::Closed => "CLOSED",
    }
}
