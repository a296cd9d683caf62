//! A forecast in words, in English and Chinese.

use refundry_ledger::Money;

use super::Forecast;
use crate::explain::{Text, text};

/// What is to be expected when nobody does anything.
pub fn by_itself(forecast: &Forecast) -> Text {
    let (end, needs) = (forecast.until.utc_text(), forecast.needs);
    let place = match forecast.before {
        0 => text(
            format!("It is the first to be served and needs {needs} of the available money, of which {} is there.", forecast.available),
            format!("它排在最前，需要可用资金 {needs}，目前可用 {}。", forecast.available),
        ),
        before => text(
            format!(
                "Before it {} for {} in all; it needs {needs} itself, and {} is available.",
                if before == 1 { "1 other waits".to_owned() } else { format!("{before} others wait") },
                forecast.before_needs,
                forecast.available
            ),
            format!("前面还有 {before} 笔退款等待，共需 {}；它本身需要 {needs}，目前可用 {}。", forecast.before_needs, forecast.available),
        ),
    };
    let outlook = match (&forecast.served, forecast.before) {
        (Some(served), _) => {
            let at = served.at.utc_text();
            match served.settlement_at {
                Some(settlement_at) => text(
                    format!("By what is known today it goes out on {at}, after the settlement of {}.", settlement_at.utc_text()),
                    format!("按目前已知情况，将在 {} 的结算之后，于 {at} 发出。", settlement_at.utc_text()),
                ),
                None => text(
                    format!("The money is there: it goes out at its next look, {at}."),
                    format!("资金已足够：将在下次检查（{at}）时发出。"),
                ),
            }
        }
        (None, _) => text(
            format!("What is known to come is not enough before {end}: without {} paid in until then it fails.", forecast.to_pay_in),
            format!("在 {end} 之前已知的入账不足：届时若未充值 {}，该退款将失败。", forecast.to_pay_in),
        ),
    };
    place.and(outlook)
}

/// What would happen if so much were paid in now.
pub fn with_more(forecast: &Forecast, more: Money, now: crate::Timestamp) -> Text {
    match &forecast.served {
        Some(served) if served.at == now => {
            let others = match served.others {
                0 => text("", ""),
                1 => text("; 1 other before it would too", "，排在前面的 1 笔也将发出"),
                others => text(format!("; {others} others before it would too"), format!("，排在前面的 {others} 笔也将发出")),
            };
            text(format!("With {more} more it would go out at once{}.", others.en), format!("若再充值 {more}，它将立即发出{}。", others.zh))
        }
        Some(served) => {
            let at = served.at.utc_text();
            text(format!("With {more} more it would go out on {at}."), format!("若再充值 {more}，它将于 {at} 发出。"))
        }
        None => text(
            format!("Even with {more} more it would fail on {}: {} would still be missing.", forecast.until.utc_text(), forecast.to_pay_in),
            format!("即使再充值 {more}，仍将缺 {}，并于 {} 失败。", forecast.to_pay_in, forecast.until.utc_text()),
        ),
    }
}
