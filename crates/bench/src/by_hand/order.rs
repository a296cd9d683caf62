//! What a caller asks for, as the database is told.

use serde::Deserialize;

use super::ids::id_text;
use super::known::{Caller, Known, Terminal};

/// The body of a request.
#[derive(Deserialize)]
pub struct Wish {
    /// The payment's number.
    pub payment_reference: String,
    /// How much.
    pub amount: Amount,
    /// Why.
    #[serde(default)]
    pub reason: Option<String>,
}

/// Money on the wire.
#[derive(Deserialize)]
pub struct Amount {
    /// Minor units.
    pub value: i64,
    /// ISO 4217.
    pub currency: String,
}

/// A refund to be made, with all that the application knows of it.
pub struct Order<'a> {
    /// Who asks.
    pub caller: &'a Caller,
    /// The caller's number.
    pub number: &'a str,
    /// What is asked for.
    pub wish: &'a Wish,
    /// The id of the refund if it is made; the next three belong to its entry and to what else it needs.
    pub refund_id: i64,
    /// When it was asked for.
    pub now: i64,
    /// The channels of the merchant.
    pub terminals: &'a [Terminal],
}

impl<'a> Order<'a> {
    /// Of a caller.
    pub fn new(caller: &'a Caller, known: &'a Known, asked: (&'a str, &'a Wish), made: (i64, i64)) -> Self {
        let ((number, wish), (refund_id, now)) = (asked, made);
        Self { caller, number, wish, refund_id, now, terminals: known.terminals(caller.merchant_id) }
    }

    /// The id of the entry that draws the money.
    pub const fn entry_id(&self) -> i64 {
        self.refund_id + 1
    }

    /// What a second request under the same number is compared with.
    pub fn compared(&self) -> String {
        let amount = amount_text(self.wish.amount.value, &self.wish.amount.currency);
        let mut fields = vec![("payment_reference", self.wish.payment_reference.as_str()), ("amount", &amount)];
        fields.extend(self.wish.reason.as_deref().map(|reason| ("reason", reason)));
        pairs(&fields)
    }

    /// The attributes that most refunds do not have.
    pub fn extras(&self) -> Option<String> {
        #[derive(serde::Serialize)]
        struct Extras<'a> {
            reason: &'a str,
        }
        self.wish.reason.as_deref().map(|reason| json(&Extras { reason }))
    }

    /// What the event of acceptance says. The name of the terminal is the last of it.
    pub fn facts(&self, terminal: &str) -> String {
        let (refund, amount) = (id_text("ref", self.refund_id), amount_text(self.wish.amount.value, &self.wish.amount.currency));
        pairs(&[
            ("refund_id", &refund),
            ("payment_reference", &self.wish.payment_reference),
            ("number", self.number),
            ("amount", &amount),
            ("state", "pending"),
            ("terminal", terminal),
        ])
    }
}

/// Where the money of a refund comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// From the payment's money that is not settled yet.
    pub unsettled: i64,
    /// From the payment's reserve.
    pub reserve: i64,
    /// From what the merchant has.
    pub available: i64,
}

impl Drawn {
    /// First the payment's own money.
    pub fn of(amount: i64, unsettled_left: i64, reserve_left: i64) -> Self {
        let unsettled = amount.min(unsettled_left.max(0));
        let reserve = (amount - unsettled).min(reserve_left.max(0));
        Self { unsettled, reserve, available: amount - unsettled - reserve }
    }

    /// As it is stored.
    pub fn text(self) -> String {
        format!(r#"{{"unsettled_minor":{},"reserve_minor":{},"available_minor":{}}}"#, self.unsettled, self.reserve, self.available)
    }
}

/// Names and values, as events and remembered requests keep them.
pub fn pairs(fields: &[(&str, &str)]) -> String {
    json(fields)
}

fn json<T: serde::Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).expect("texts are always JSON")
}

/// An amount as people read it: `0.01 USD`.
pub fn amount_text(minor: i64, currency: &str) -> String {
    if matches!(currency, "JPY" | "KRW" | "VND" | "CLP") {
        return format!("{minor} {currency}");
    }
    let sign = if minor < 0 { "-" } else { "" };
    let minor = minor.unsigned_abs();
    format!("{sign}{}.{:02} {currency}", minor / 100, minor % 100)
}
