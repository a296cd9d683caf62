//! What a request hears that never reached the business (`returnMsg`): the vendor's texts, where they are known.

use crate::{Flaw, WireError};

/// The vendor's text for whatever is not in the form that it should be.
pub const MALFORMED: &str = "参数格式验证错误";
/// The vendor's text for a signature that does not hold.
const BAD_SIGNATURE: &str = "验签失败";
/// The vendor's text for a merchant that nobody knows.
const UNKNOWN_CALLER: &str = "商户号不存在";
/// What is said when nothing can be said: our side broke, or is busy.
pub const BUSY: &str = "系统繁忙，请稍后再试";

/// The text of an error that was found before the signature was trusted.
pub fn of(error: &WireError) -> &'static str {
    match error {
        WireError::UnknownCaller | WireError::NotAllowed => UNKNOWN_CALLER,
        WireError::NoKey | WireError::BadSignature => BAD_SIGNATURE,
        WireError::OtherAccount => "商户号和终端号不匹配",
        WireError::CallerAddress { .. } => "请求IP未授权",
        WireError::TooMany => BUSY,
        WireError::Field { field, flaw, .. } => of_field(field, *flaw),
        WireError::UnknownPath | WireError::MethodNotAllowed | WireError::MediaType | WireError::TooLarge { .. } => MALFORMED,
    }
}

fn of_field(field: &str, flaw: Flaw) -> &'static str {
    match (field, flaw) {
        ("merId", Flaw::Missing | Flaw::Empty) => "商户号不能为null",
        ("terId", Flaw::Missing | Flaw::Empty) => "终端号不能为null",
        ("timestamp", _) => "时间戳传入错误",
        ("signSn", Flaw::TooLong) => "签名证书序号字符长度超限（10）",
        ("ncrptnSn", Flaw::TooLong) => "加密证书序号字符长度超限（10）",
        (_, Flaw::Missing | Flaw::Empty | Flaw::TooLong | Flaw::Malformed) => MALFORMED,
    }
}
