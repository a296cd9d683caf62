//! The numbers that we give (`tradeNo`): 24 digits that begin with the time, like the vendor's, and carry our id, so that none has to be stored.
//!
//! `yyMMddHHmmss` in UTC+8, three digits of milliseconds, two digits that say of what it is the number, seven digits of the rest of the id.

use refundry_engine::{PaymentId, RefundId, ShareId, ids};

use crate::time_text::{digits, parse_digits};

/// Digits of a number.
const DIGITS: usize = 24;
/// Bits of an id behind its milliseconds.
const REST_BITS: u32 = 22;
/// What stands for payments, refunds and shares.
const PAYMENT: u32 = 10;
const REFUND: u32 = 20;
const SHARE: u32 = 30;

/// The number of a payment that was ordered here.
pub fn of_payment(id: PaymentId) -> String {
    render(id.get(), PAYMENT)
}

/// The number of a refund.
pub fn of_refund(id: RefundId) -> String {
    render(id.get(), REFUND)
}

/// The number of a share.
pub fn of_share(id: ShareId) -> String {
    render(id.get(), SHARE)
}

/// The refund of a number; nothing for any other text.
pub fn refund(text: &str) -> Option<RefundId> {
    parse(text, REFUND).map(RefundId::new)
}

/// The share of a number; nothing for any other text.
pub fn share(text: &str) -> Option<ShareId> {
    parse(text, SHARE).map(ShareId::new)
}

fn render(id: i64, kind: u32) -> String {
    let at = ids::instant_of(id);
    let rest = id & ((1 << REST_BITS) - 1);
    let time = digits(at);
    format!("{}{:03}{kind:02}{rest:07}", &time[2..], at.ms().rem_euclid(1_000))
}

fn parse(text: &str, kind: u32) -> Option<i64> {
    if text.len() != DIGITS || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let at = parse_digits(&format!("20{}", &text[..12]))?;
    let ms: i64 = text[12..15].parse().ok()?;
    let rest: i64 = text[17..].parse().ok()?;
    let ms = at.ms().checked_add(ms)?.checked_sub(ids::EPOCH_MS).filter(|ms| *ms >= 0)?;
    let id = (ms << REST_BITS) | rest;
    (rest < 1 << REST_BITS && render(id, kind) == text).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_begin_with_their_time_and_read_back() {
        // 2025-07-01 12:00:00.045 in UTC+8.
        let id = RefundId::new(ids::compose(1_751_342_400_045, 7, 42));
        assert_eq!(of_refund(id), "250701120000045200028714");
        assert_eq!(refund(&of_refund(id)), Some(id));
        for id in [0, 1, ids::compose(1_767_225_599_999, 1_023, 4_095), ids::compose(3_000_000_000_000, 0, 0)].map(RefundId::new) {
            assert_eq!((of_refund(id).len(), refund(&of_refund(id))), (DIGITS, Some(id)));
        }
    }

    #[test]
    fn no_other_text_is_a_number() {
        let number = of_refund(RefundId::new(ids::compose(1_751_342_400_045, 7, 42)));
        assert_eq!(share(&number), None);
        let others = ["".to_owned(), "x".repeat(24), "9".repeat(24), "0".repeat(24), number[1..].to_owned(), format!("{number}0")];
        let wrong_rest = format!("{}{}", &number[..17], "4194304");
        for other in others.iter().chain([&wrong_rest]) {
            assert_eq!(refund(other), None, "{other}");
        }
    }
}
