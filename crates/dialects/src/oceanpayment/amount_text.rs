//! Amounts as decimal texts of major units.

use refundry_engine::asked::Decimal;
use refundry_ledger::Money;

/// Decimals that merchants send and read; a third one is written only where it is not zero.
const DECIMALS_MAX: usize = 2;

/// `12.30`, `1000` of a currency without parts.
pub fn render(money: Money) -> String {
    let text = Decimal { digits: money.minor().max(0), places: money.currency().exponent() }.to_string();
    let decimals = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let superfluous = text.bytes().rev().take(decimals.saturating_sub(DECIMALS_MAX)).take_while(|byte| *byte == b'0').count();
    text[..text.len() - superfluous].to_owned()
}

/// Reads digits with at most two decimals.
pub fn parse(text: &str) -> Option<Decimal> {
    let decimals = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    if decimals > DECIMALS_MAX { None } else { Decimal::parse(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_the_decimals_of_their_currency_and_no_more_than_two_without_need() {
        for (minor, code, text) in [
            (1_000, "USD", "10.00"),
            (1, "USD", "0.01"),
            (0, "USD", "0.00"),
            (1_000, "JPY", "1000"),
            (0, "JPY", "0"),
            (12_340, "KWD", "12.34"),
            (12_345, "KWD", "12.345"),
            (12_000, "KWD", "12.00"),
        ] {
            assert_eq!(render(Money::new(minor, code.parse().expect("a currency"))), text);
        }
        assert!(parse("0.10").is_some() && parse("10").is_some());
        assert!(parse("0.100").is_none() && parse("-1").is_none());
    }
}
