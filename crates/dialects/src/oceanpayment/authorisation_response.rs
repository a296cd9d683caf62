//! Answers to captures and voids, in the fields of the vendor's payment notice. Their root is spelled `respon`.

use refundry_engine::payment::Payment;

use super::response::{Reply, apply_result, document};
use super::{amount_text, orders_response};
use crate::Answer;
use crate::orders::AuthorisationWish;

/// The vendor's code and words for a payment that went well.
const APPROVED: &str = "80000:Transaction Approved";

/// An outcome to bytes.
pub fn render(reply: &Reply<'_>, outcome: &Answer<'_>) -> Vec<u8> {
    let done = if let Answer::Authorisation { wish, payment } = outcome { Some((*wish, *payment)) } else { None };
    let details = match done {
        Some(_) => APPROVED.to_owned(),
        None => {
            let result = apply_result(outcome);
            format!("{}:{}", result.code.code, result.text)
        }
    };
    let payment = done.map(|(_, payment)| payment);
    let order_number = payment.map_or(reply.sent("order_number"), |payment| &payment.merchant_reference);
    let payment_id = payment.map_or(reply.sent("payment_id"), |payment| &payment.payment_reference);
    let order_currency = payment.map_or("", |payment| payment.currency().code());
    let order_amount = done.map_or_else(|| reply.sent("order_amount").to_owned(), |(wish, payment)| amount(wish, payment));
    let order_notes = payment.and_then(|payment| payment.details.note.as_deref()).unwrap_or_default();
    let card_number = payment.map(orders_response::card_number).unwrap_or_default();
    let auth_type = reply.sent("payment_authType");
    let status = if done.is_some() { "1" } else { "0" };
    let signed = [order_number, order_currency, &order_amount, order_notes, &card_number, payment_id, auth_type, status, &details];
    document(
        "respon",
        &[
            ("account", reply.sent("account")),
            ("terminal", reply.sent("terminal")),
            ("signValue", &reply.sign_value(&signed)),
            ("order_number", order_number),
            ("order_currency", order_currency),
            ("order_amount", &order_amount),
            ("order_notes", order_notes),
            ("card_number", &card_number),
            ("payment_id", payment_id),
            ("payment_authType", auth_type),
            ("payment_status", status),
            ("payment_details", &details),
            ("payment_risk", ""),
        ],
    )
}

/// What was taken by a capture, what was given up by a void.
fn amount(wish: &AuthorisationWish, payment: &Payment) -> String {
    amount_text::render(match wish {
        AuthorisationWish::Capture { .. } => payment.captured,
        AuthorisationWish::Void { .. } | AuthorisationWish::VoidSale { .. } => payment.authorised,
    })
}
