//! Answers: XML, HTTP 200 whatever is said. Callers who proved themselves get a signed one.

use refundry_engine::refund::{ArnState, Refund, RefundState};

use super::call::Call;
use super::codes::ResultText;
use super::xml::Xml;
use super::{amount_text, apply_codes, auth, authorisation_response, orders_response, query_codes, refund_id, remark};
use crate::form::Form;
use crate::{Answer, Context, WireResponse};

/// The code and text of refunds that are accepted, orders that are listed.
const SUCCESS: &str = "Success";

/// An outcome to bytes.
pub fn render(outcome: &Answer<'_>, context: &Context<'_>) -> WireResponse {
    let form = Form::parse(context.body);
    let reply = Reply { context, form: form.as_ref() };
    let body = match Call::of(context.path) {
        Some(Call::ApplyRefund) => reply.apply(outcome),
        Some(Call::QueryRefund) => reply.query(outcome),
        Some(Call::Authorisation) => authorisation_response::render(&reply, outcome),
        Some(Call::Tracking) => reply.tracking(outcome),
        Some(Call::CheckOrders | Call::PaidOrders | Call::BusinessOrders | Call::DisputeOrders) | None => {
            orders_response::render(&reply, outcome)
        }
    };
    WireResponse { status: 200, headers: vec![("content-type", "application/xml;charset=UTF-8".to_owned())], body }
}

/// What an answer is made of beside the outcome: the form repeats itself in it.
pub struct Reply<'a> {
    pub context: &'a Context<'a>,
    pub form: Option<&'a Form<'a>>,
}

impl Reply<'_> {
    /// A value of the request as it came; empty when it was not sent.
    pub fn sent(&self, name: &str) -> &str {
        self.form.and_then(|form| form.get(name)).unwrap_or_default()
    }

    /// SHA-256 over account, terminal and further values, for callers who proved themselves.
    pub fn sign_value(&self, values: &[&str]) -> String {
        auth::sign_value(self.context, &[&[self.sent("account"), self.sent("terminal")], values].concat())
    }

    fn apply(&self, outcome: &Answer<'_>) -> Vec<u8> {
        let accepted = if let Answer::Refund { refund, order_number, .. } = outcome { Some((*refund, *order_number)) } else { None };
        let result = apply_result(outcome);
        let refund_id = accepted.map_or_else(|| "0".to_owned(), |(refund, _)| refund_id::render(refund.id));
        let (payment_id, refund_number) = (self.sent("payment_id"), self.sent("refund_number"));
        let sign_value = self.sign_value(&[payment_id, refund_number, &refund_id, result.code.code, &result.text]);
        document(
            "response",
            &[
                ("account", self.sent("account")),
                ("terminal", self.sent("terminal")),
                ("signValue", &sign_value),
                ("payment_id", payment_id),
                ("order_number", accepted.map_or("", |(_, order_number)| order_number)),
                ("refund_number", refund_number),
                ("refund_id", &refund_id),
                ("refund_results", result.code.code),
                ("refund_description", &result.text),
                ("refund_reference", self.sent("refund_reference")),
            ],
        )
    }

    fn query(&self, outcome: &Answer<'_>) -> Vec<u8> {
        let refund = if let Answer::Inquiry { refund } = outcome { Some(*refund) } else { None };
        let result = match refund {
            Some(refund) => query_codes::of_state(&refund.state).into(),
            None => query_result(outcome, self.form),
        };
        let refund_id = refund.map_or_else(|| self.sent("refund_id").to_owned(), |refund| refund_id::render(refund.id));
        let refund_number = refund.map_or_else(|| self.sent("refund_number"), |refund| &refund.number);
        let sign_value = self.sign_value(&[&refund_id, refund_number, result.code.code, &result.text]);
        document(
            "response",
            &[
                ("account", self.sent("account")),
                ("terminal", self.sent("terminal")),
                ("signValue", &sign_value),
                ("refund_id", &refund_id),
                ("refund_number", refund_number),
                ("refund_reference", refund.and_then(|refund| refund.merchant_reference.as_deref()).unwrap_or_default()),
                ("payment_id", refund.map_or("", |refund| &refund.payment_reference)),
                ("refund_amount", &refund.map(|refund| amount_text::render(refund.amount)).unwrap_or_default()),
                ("refund_currency", refund.map_or("", |refund| refund.amount.currency().code())),
                ("refund_arn", &refund.and_then(arn).unwrap_or_default()),
                ("refund_check", result.code.code),
                ("refund_description", &result.text),
                ("refund_remark", refund.map_or("", |refund| remark::of_failure(&refund.state))),
            ],
        )
    }

    /// The vendor's word for a stored number is 01; its codes for what goes wrong are not known, those of queryRefund stand for them.
    fn tracking(&self, outcome: &Answer<'_>) -> Vec<u8> {
        let result = match outcome {
            Answer::Tracking { .. } => None,
            other => Some(query_result(other, self.form)),
        };
        let (code, text) = result.as_ref().map_or(("01", SUCCESS), |result| (result.code.code, &result.text));
        let (payment_id, number) = (self.sent("payment_id"), self.sent("tracking_number"));
        document(
            "response",
            &[
                ("account", self.sent("account")),
                ("terminal", self.sent("terminal")),
                ("signValue", &self.sign_value(&[payment_id, number, code, text])),
                ("payment_id", payment_id),
                ("tracking_number", number),
                ("tracking_results", code),
                ("tracking_details", text),
            ],
        )
    }
}

/// The result of a call that answers with the codes of applyRefund.
pub fn apply_result(outcome: &Answer<'_>) -> ResultText {
    match outcome {
        Answer::Refund { .. } => apply_codes::REFUNDED.into(),
        Answer::Refused(refusal) => apply_codes::of_refusal(refusal),
        Answer::Malformed(error) => apply_codes::of_wire_error(error),
        Answer::Forced(code) => apply_codes::of_forced(code).into(),
        // An answer to another question is no answer.
        Answer::Fault
        | Answer::Inquiry { .. }
        | Answer::Orders { .. }
        | Answer::Authorisation { .. }
        | Answer::Tracking { .. }
        | Answer::Share { .. }
        | Answer::Order { .. }
        | Answer::Balance(_) => apply_codes::SYSTEM_ERROR.into(),
    }
}

/// The result of a call that answers with the codes of queryRefund.
pub fn query_result(outcome: &Answer<'_>, form: Option<&Form<'_>>) -> ResultText {
    let by_id = form.is_some_and(|form| form.filled("refund_id").is_some());
    match outcome {
        Answer::Refused(refusal) => query_codes::of_refusal(refusal, by_id),
        Answer::Malformed(error) => query_codes::of_wire_error(error),
        Answer::Forced(code) => query_codes::of_forced(code).into(),
        // An answer to another question is no answer.
        Answer::Fault
        | Answer::Refund { .. }
        | Answer::Inquiry { .. }
        | Answer::Orders { .. }
        | Answer::Authorisation { .. }
        | Answer::Tracking { .. }
        | Answer::Share { .. }
        | Answer::Order { .. }
        | Answer::Balance(_) => query_codes::SYSTEM_ERROR.into(),
    }
}

/// A document of one level.
pub fn document(root: &str, fields: &[(&str, &str)]) -> Vec<u8> {
    let mut xml = Xml::new();
    xml.open(root);
    for (name, value) in fields {
        xml.element(name, value);
    }
    xml.close(root);
    xml.finish()
}

/// The network's number of a refund, once it is known.
pub fn arn(refund: &Refund) -> Option<String> {
    match &refund.state {
        RefundState::Succeeded { arn: ArnState::Known { arn, .. }, .. }
        | RefundState::Returned { arn: ArnState::Known { arn, .. }, .. } => Some(arn.to_string()),
        RefundState::Succeeded { arn: ArnState::Awaited, .. }
        | RefundState::Returned { arn: ArnState::Awaited, .. }
        | RefundState::Pending { .. }
        | RefundState::Submitted { .. }
        | RefundState::Unresolved { .. }
        | RefundState::Failed { .. }
        | RefundState::Cancelled { .. } => None,
    }
}
