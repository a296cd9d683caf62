//! The envelope of a request: the fields of a form.

use serde_json::{Map, Value};

use super::method::Method;
use crate::form::Form;
use crate::{Flaw, WireError, WireRequest, scheme};

/// Letters of a certificate's index.
const SERIAL_LENGTH_MAX: usize = 10;
/// Letters of a merchant's or terminal's number.
pub const NUMBER_LENGTH_MAX: usize = 16;

/// The envelope of a request. Fields that we do not know are ignored, and `dgtlEnvlp` is one of them: nothing of these calls is encrypted.
#[derive(Debug)]
pub struct Envelope<'a> {
    form: Form<'a>,
}

impl<'a> Envelope<'a> {
    /// Opens a request as far as it takes to see who calls. A body that is no form has no merchant number, and is answered so.
    pub fn open(request: &WireRequest<'a>) -> Result<Self, WireError> {
        if request.method != "POST" {
            return Err(WireError::MethodNotAllowed);
        }
        let form = Form::parse(request.body);
        let form = form.ok_or_else(|| wrong("body", Flaw::Malformed, "must be a form in UTF-8 of at most 64 fields"))?;
        let envelope = Self { form };
        for name in ["merId", "terId"] {
            let number = envelope.filled(name)?;
            if !is_number(number) {
                return Err(wrong(name, Flaw::Malformed, "must be at most 16 letters and digits"));
            }
        }
        Ok(envelope)
    }

    /// For answers: what of the envelope can be read at all.
    pub fn of_body(body: &'a [u8]) -> Option<Self> {
        Form::parse(body).map(|form| Self { form })
    }

    /// The value of a field; empty when it was not sent.
    pub fn sent(&self, name: &str) -> &str {
        self.form.get(name).unwrap_or_default()
    }

    /// Which method is called.
    pub fn method(&self) -> Option<Method> {
        Method::from_word(self.sent("method"))
    }

    /// The scheme that the caller says it signs with; RSA when it says nothing known.
    pub fn scheme(&self) -> &'static str {
        if self.sent("signType") == "SM2" { scheme::SM2 } else { scheme::RSA }
    }

    /// The signed text as an object; nothing when it is not one.
    pub fn content(&self) -> Option<Map<String, Value>> {
        match serde_json::from_str(self.sent("bizContent")) {
            Ok(Value::Object(content)) => Some(content),
            Ok(_) | Err(_) => None,
        }
    }

    /// Whatever of the envelope is fixed, or has a length.
    pub fn check(&self) -> Result<(), WireError> {
        if let Some(name) = self.form.repeated() {
            return Err(wrong(name, Flaw::Malformed, "must be sent once"));
        }
        for name in ["method", "charset", "version", "format", "timestamp", "signType", "signSn", "ncrptnSn", "signStr", "bizContent"] {
            self.filled(name)?;
        }
        for name in ["signSn", "ncrptnSn"] {
            self.short(name, SERIAL_LENGTH_MAX)?;
        }
        let fixed = [("charset", "UTF-8"), ("version", "1.0"), ("format", "json")];
        let other = fixed.into_iter().find(|(name, value)| !self.sent(name).eq_ignore_ascii_case(value));
        other.map_or(Ok(()), |(name, value)| Err(wrong(name, Flaw::Malformed, &format!("must be {value}"))))?;
        if !matches!(self.sent("signType"), "RSA" | "SM2") {
            return Err(wrong("signType", Flaw::Malformed, "must be RSA or SM2"));
        }
        self.method().map(|_| ()).ok_or_else(|| wrong("method", Flaw::Malformed, "is not a method that is spoken here"))
    }

    fn filled(&self, name: &str) -> Result<&str, WireError> {
        match self.form.get(name) {
            None => Err(wrong(name, Flaw::Missing, "must be sent")),
            Some(text) if text.trim().is_empty() => Err(wrong(name, Flaw::Empty, "must not be empty")),
            Some(text) => Ok(text),
        }
    }

    fn short(&self, name: &str, length_max: usize) -> Result<(), WireError> {
        let long = self.sent(name).chars().nth(length_max).is_some();
        if long { Err(wrong(name, Flaw::TooLong, &format!("is longer than {length_max} characters"))) } else { Ok(()) }
    }
}

/// Whether a text may be the number of a merchant or a terminal: nothing else is looked up.
pub fn is_number(text: &str) -> bool {
    text.len() <= NUMBER_LENGTH_MAX && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// A field that is not what it should be.
pub fn wrong(field: &str, flaw: Flaw, rule: &str) -> WireError {
    WireError::Field { field: field.to_owned(), flaw, rule: rule.to_owned() }
}
