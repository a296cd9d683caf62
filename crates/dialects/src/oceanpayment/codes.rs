//! Result codes of all calls but refunds have in common what they are; which refusal and which wire error has which code is said per table.

use std::borrow::Cow;

/// A result code with the vendor's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResultCode {
    /// The code.
    pub code: &'static str,
    /// The vendor's text.
    pub text: &'static str,
}

/// A result as it goes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResultText {
    /// The code.
    pub code: ResultCode,
    /// What is said with it.
    pub text: Cow<'static, str>,
}

/// Letters of a result's text.
const TEXT_LENGTH_MAX: usize = 256;

impl From<ResultCode> for ResultText {
    fn from(code: ResultCode) -> Self {
        Self { code, text: Cow::Borrowed(code.text) }
    }
}

impl ResultText {
    /// A code with a text that says more than the vendor's.
    pub fn saying(code: ResultCode, text: &str) -> Self {
        Self { code, text: Cow::Owned(text.chars().take(TEXT_LENGTH_MAX).collect()) }
    }
}

macro_rules! result_codes {
    ($($name:ident $code:literal $text:literal;)*) => {
        $(
            #[doc = concat!($code, " \"", $text, "\"")]
            pub const $name: ResultCode = ResultCode { code: $code, text: $text };
        )*

        /// All of them, in the vendor's order.
        pub const ALL: &[ResultCode] = &[$($name),*];
    };
}

pub(super) use result_codes;
