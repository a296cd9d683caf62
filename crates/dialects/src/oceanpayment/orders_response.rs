//! Lists of orders and of what befell them.

use refundry_engine::payment::{Payment, PaymentStatus};
use refundry_engine::refund::{Refund, RefundState};
use refundry_ledger::Money;

use super::response::{Reply, arn, query_result};
use super::xml::Xml;
use super::{amount_text, query_codes, refund_id, remark};
use crate::Answer;
use crate::orders::{DisputeKind, DisputeNote, DisputeStanding, Exception, ExceptionFound, OrderFound, OrdersFound, OrdersQuestion};
use crate::time_text::plain;

/// An outcome to bytes.
pub fn render(reply: &Reply<'_>, outcome: &Answer<'_>) -> Vec<u8> {
    let mut xml = Xml::new();
    xml.open("response");
    match outcome {
        Answer::Orders { question, found } => list(reply, &mut xml, question, found),
        other => {
            let result = query_result(other, reply.form);
            head(reply, &mut xml, [result.code.code, &result.text], &[]);
        }
    }
    xml.close("response");
    xml.finish()
}

fn head(reply: &Reply<'_>, xml: &mut Xml, result: [&str; 2], rest: &[&str]) {
    let [code, text] = result;
    xml.element("account", reply.sent("account"));
    xml.element("terminal", reply.sent("terminal"));
    xml.element("signValue", &reply.sign_value(&[&result, rest].concat()));
    xml.element("results", code);
    xml.element("details", text);
}

fn list(reply: &Reply<'_>, xml: &mut Xml, question: &OrdersQuestion, found: &OrdersFound) {
    let (is_empty, total) = match found {
        OrdersFound::Orders { rows, total } => (rows.is_empty(), *total),
        OrdersFound::Exceptions { rows, total } => (rows.is_empty(), *total),
    };
    match question {
        // The vendor's answer to order numbers has no head; one that finds nothing says so.
        OrdersQuestion::ByNumber { .. } if !is_empty => {}
        OrdersQuestion::ByNumber { .. } => head(reply, xml, [query_codes::NO_RECORD.code, query_codes::NO_RECORD.text], &[]),
        OrdersQuestion::Paid { page, .. } | OrdersQuestion::Exceptions { page, .. } | OrdersQuestion::Disputes { page, .. } => {
            let pages = total.div_ceil(u64::from(page.rows.max(1)));
            let counts = [("count", total.to_string()), ("totalpages", pages.to_string()), ("pages", page.number.to_string())];
            let rows = signed_rows(found);
            let signed: Vec<&str> = counts.iter().map(|(_, count)| count.as_str()).chain(rows.iter().map(String::as_str)).collect();
            head(reply, xml, ["00", "Success"], &signed);
            for (name, count) in &counts {
                xml.element(name, count);
            }
        }
    }
    match found {
        OrdersFound::Orders { rows, .. } => rows.iter().for_each(|order| payment_element(reply, xml, order)),
        OrdersFound::Exceptions { rows, .. } => rows.iter().for_each(|row| exception_element(xml, question, row)),
    }
}

/// What of the rows is signed in the head; orders have signatures of their own.
fn signed_rows(found: &OrdersFound) -> Vec<String> {
    let OrdersFound::Exceptions { rows, .. } = found else { return Vec::new() };
    let row = |row: &ExceptionFound| {
        let (kind, amount, status) = summary(&row.exception);
        [kind, &row.payment.payment_reference, &amount_text::render(amount), status].concat()
    };
    rows.iter().map(row).collect()
}

/// Type, amount and status of what befell an order.
fn summary(exception: &Exception) -> (&'static str, Money, &'static str) {
    match exception {
        Exception::Refund(refund) => ("refund", refund.amount, state_number(&refund.state)),
        Exception::Dispute(dispute) => (dispute_word(dispute.kind), dispute.amount, dispute_status(dispute.standing)),
    }
}

/// One attempt at an order.
fn payment_element(reply: &Reply<'_>, xml: &mut Xml, OrderFound { payment, refunds, disputes }: &OrderFound) {
    let details = &payment.details;
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let (amount, results) = (amount_text::render(order_amount(payment)), payment_results(payment.status));
    let said = payment_details(payment);
    let (order_number, currency, payment_id) = (&payment.merchant_reference, payment.currency().code(), &payment.payment_reference);
    xml.open("paymentInfo");
    xml.element("account", reply.sent("account"));
    xml.element("terminal", reply.sent("terminal"));
    xml.element("signValue", &reply.sign_value(&[order_number, currency, &amount, payment_id, results, &said]));
    let paid_at = plain(payment.paid_at);
    for (name, value) in [
        ("order_number", order_number.as_str()),
        ("order_currency", currency),
        ("order_amount", &amount),
        ("order_sourceUrl", &text(&details.site_url)),
        ("order_notes", &text(&details.note)),
        ("methods", &payment.method),
        ("payment_id", payment_id),
        ("payment_results", results),
        ("payment_details", &said),
        ("payment_risk", ""),
        ("payment_authCode", ""),
        ("payment_eci", ""),
        ("payment_dateTime", &paid_at),
        ("auth_status", auth_status(payment)),
        ("payment_debitTime", if payment.status == PaymentStatus::Captured { &paid_at } else { "" }),
        ("pay_barCode", ""),
        ("refund_status", refund_status(payment)),
    ] {
        xml.element(name, value);
    }
    refund_list(xml, refunds);
    chargeback_list(xml, disputes);
    for name in ["duplicate_status", "transactionList", "update_status"] {
        xml.element(name, "");
    }
    xml.open("networkToken");
    xml.element("create_status", "");
    xml.element("recurring_type", "");
    xml.close("networkToken");
    xml.close("paymentInfo");
}

fn refund_list(xml: &mut Xml, refunds: &[Refund]) {
    xml.open("refundList");
    for refund in refunds {
        let state = query_codes::of_state(&refund.state);
        xml.open("refund");
        xml.element("refund_id", &refund_id::render(refund.id));
        xml.element("refund_number", &refund.number);
        xml.element("refund_amount", &amount_text::render(refund.amount));
        xml.element("refund_currency", refund.amount.currency().code());
        xml.element("refund_check", state.code);
        xml.element("refund_description", state.text);
        xml.element("refund_remark", remark::of_failure(&refund.state));
        xml.element("refund_arn", &arn(refund).unwrap_or_default());
        xml.element("refund_dateTime", &plain(refund.created_at));
        xml.close("refund");
    }
    xml.close("refundList");
}

fn chargeback_list(xml: &mut Xml, disputes: &[DisputeNote]) {
    let chargebacks: Vec<&DisputeNote> = disputes.iter().filter(|dispute| dispute.kind == DisputeKind::Chargeback).collect();
    xml.element("chargeBack_status", if chargebacks.is_empty() { "0" } else { "1" });
    xml.open("chargeBackList");
    for chargeback in chargebacks {
        xml.open("chargeBack");
        xml.element("chargeBack_id", &chargeback.id);
        xml.element("chargeBack_amount", &amount_text::render(chargeback.amount));
        xml.element("chargeBack_currency", chargeback.amount.currency().code());
        xml.element("chargeBack_status", dispute_status(chargeback.standing));
        xml.element("chargeBack_details", &chargeback.reason);
        xml.element("chargeBack_dateTime", &plain(chargeback.opened_at));
        xml.close("chargeBack");
    }
    xml.close("chargeBackList");
}

/// One thing that befell an order.
fn exception_element(xml: &mut Xml, question: &OrdersQuestion, ExceptionFound { payment, exception }: &ExceptionFound) {
    let paid_at = plain(payment.paid_at);
    let (kind, amount, status) = summary(exception);
    let (at, details) = match exception {
        Exception::Refund(refund) => (plain(refund.created_at), refund_details(refund)),
        Exception::Dispute(dispute) => (plain(dispute.opened_at), dispute.reason.clone()),
    };
    xml.open("orderInfo");
    for (name, value) in [
        ("type", kind),
        ("payment_id", &payment.payment_reference),
        ("order_number", &payment.merchant_reference),
        ("order_currency", payment.currency().code()),
        ("order_amount", &amount_text::render(order_amount(payment))),
        ("methods", &payment.method),
        ("payment_dateTime", &paid_at),
        ("payment_debitTime", &paid_at),
        ("payment_cpdTime", &at),
        ("amount", &amount_text::render(amount)),
        ("status", status),
        ("details", &details),
    ] {
        xml.element(name, value);
    }
    if let (OrdersQuestion::Disputes { .. }, Exception::Dispute(dispute)) = (question, exception) {
        dispute_elements(xml, payment, dispute);
    }
    xml.close("orderInfo");
}

/// What the list of disputes says beyond the list of everything.
fn dispute_elements(xml: &mut Xml, payment: &Payment, dispute: &DisputeNote) {
    let yes_or_no = |is: bool| if is { "1" } else { "0" };
    let reply_by = dispute.reply_by.map(plain).unwrap_or_default();
    for (name, value) in [
        ("push_details", dispute.reason.as_str()),
        ("is_refund", yes_or_no(payment.refunded.is_positive())),
        ("refund_amount", &amount_text::render(payment.refunded)),
        ("is_chargeBack", yes_or_no(payment.charged_back.is_positive())),
        ("chargeBack_amount", &amount_text::render(payment.charged_back)),
        ("comment", ""),
        ("abnormal_amount", &amount_text::render(dispute.amount)),
        ("disputes_date", &plain(dispute.opened_at)),
        ("reply_deadline", &reply_by),
        ("disputes_times", "1"),
    ] {
        xml.element(name, value);
    }
}

/// What the order was for: what was taken, or before that, what was authorised.
pub fn order_amount(payment: &Payment) -> Money {
    if payment.captured.is_positive() { payment.captured } else { payment.authorised }
}

/// First six and last four digits, as the vendor writes them.
pub fn card_number(payment: &Payment) -> String {
    match (&payment.details.card_first6, &payment.details.card_last4) {
        (Some(first), Some(last)) => format!("{first}***{last}"),
        (None, Some(last)) => format!("***{last}"),
        (_, None) => String::new(),
    }
}

const fn payment_results(status: PaymentStatus) -> &'static str {
    match status {
        PaymentStatus::Captured | PaymentStatus::Authorised => "1",
        PaymentStatus::Pending => "-1",
        PaymentStatus::Failed | PaymentStatus::Cancelled | PaymentStatus::Closed => "0",
    }
}

fn payment_details(payment: &Payment) -> String {
    match (&payment.details.response_code, &payment.details.response_text) {
        (Some(code), Some(text)) => format!("{code}:{text}"),
        (Some(word), None) | (None, Some(word)) => word.clone(),
        (None, None) => payment.status.word().to_owned(),
    }
}

/// 0: no pre-authorisation; 1: awaits its capture; 2: captured; 3: voided.
const fn auth_status_of(status: PaymentStatus) -> &'static str {
    match status {
        PaymentStatus::Authorised => "1",
        PaymentStatus::Captured => "2",
        PaymentStatus::Cancelled => "3",
        PaymentStatus::Pending | PaymentStatus::Failed | PaymentStatus::Closed => "0",
    }
}

fn auth_status(payment: &Payment) -> &'static str {
    if payment.details.pre_authorised { auth_status_of(payment.status) } else { "0" }
}

/// 0: nothing refunded; 1: a part; 2: all.
fn refund_status(payment: &Payment) -> &'static str {
    match (payment.refunded.is_positive(), payment.refunded == payment.captured) {
        (false, _) => "0",
        (true, false) => "1",
        (true, true) => "2",
    }
}

/// The four states of the vendor's portal.
const fn state_number(state: &RefundState) -> &'static str {
    match state {
        RefundState::Pending { .. } => "0",
        RefundState::Submitted { .. } | RefundState::Unresolved { .. } => "1",
        RefundState::Succeeded { .. } | RefundState::Returned { .. } => "2",
        RefundState::Failed { .. } | RefundState::Cancelled { .. } => "-1",
    }
}

fn refund_details(refund: &Refund) -> String {
    match remark::of_failure(&refund.state) {
        "" => refund.reason.clone().unwrap_or_default(),
        remark => remark.to_owned(),
    }
}

const fn dispute_word(kind: DisputeKind) -> &'static str {
    match kind {
        DisputeKind::Chargeback => "chargeback",
        DisputeKind::Retrieval => "retrieval",
        DisputeKind::FraudReport => "fraud",
        DisputeKind::Dispute => "dispute",
    }
}

/// 0: lost, 1: won, 2: open or in dispute, as pushes say it.
const fn dispute_status(standing: DisputeStanding) -> &'static str {
    match standing {
        DisputeStanding::Open | DisputeStanding::Represented => "2",
        DisputeStanding::Won | DisputeStanding::Withdrawn => "1",
        DisputeStanding::Lost | DisputeStanding::Accepted => "0",
    }
}
