//! The numbers that we give (`tradeNo`): 24 digits that begin with the time, like the vendor's, and carry our id, so that none has to be stored.
//!
//! `yyMMddHHmmss` in UTC+8, three digits of milliseconds, two digits that say of what it is the number, seven digits of the rest of the id.

use refundry_engine::{RefundId, ShareId, Timestamp, ids};

use crate::time_text::{digits, parse_digits};

/// Digits of a number.
const DIGITS: usize = 24;
/// Bits of an id behind its milliseconds.
const REST_BITS: u32 = 22;
/// Digits of an order's number behind its day.
const ORDER_DIGITS: u32 = 18;
/// What stands for refunds and shares.
const REFUND: u32 = 20;
const SHARE: u32 = 30;

/// The number of a payment that was ordered here: the day, and eighteen digits that follow from the order, so that of two equal orders at once one finds
/// the number of the other taken. `digest` is a hash of what names the order.
pub fn of_order(digest: &[u8; 32], at: Timestamp) -> String {
    let number = digest.iter().take(16).fold(0_u128, |number, byte| (number << 8) | u128::from(*byte));
    format!("{}{:018}", &digits(at)[2..8], number % 10_u128.pow(ORDER_DIGITS))
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
    fn an_order_has_its_day_and_the_rest_from_its_name() {
        // 2025-07-01 00:30 in UTC+8, still June in UTC.
        let at = Timestamp::from_ms(1_751_301_000_000);
        assert_eq!(of_order(&[0; 32], at), "250701000000000000000000");
        assert_eq!(of_order(&[255; 32], at), "250701374607431768211455");
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
