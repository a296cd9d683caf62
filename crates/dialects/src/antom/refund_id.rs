//! Our refund id in the vendor's shape: the day, then the number, digits only.

use refundry_engine::RefundId;

use crate::time_text;

const DAY_LENGTH: usize = 8;
const NUMBER_LENGTH: usize = 20;

/// 28 digits such as `2026112200000912345678901248`: the day (UTC+8) on which the refund was made, then its number.
pub fn render(id: RefundId) -> String {
    format!("{}{:0NUMBER_LENGTH$}", time_text::day(id.instant()), id.get())
}

/// Reads what [`render`] writes; `None` for everything else.
pub fn parse(text: &str) -> Option<RefundId> {
    if text.len() != DAY_LENGTH + NUMBER_LENGTH || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let id = RefundId::new(text[DAY_LENGTH..].parse().ok()?);
    (render(id) == text).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_and_nothing_else_does() {
        let id = RefundId::new(refundry_engine::ids::compose(1_795_316_863_913, 7, 42));
        let text = render(id);
        assert_eq!(text, "2026112200912177501990580266");
        assert_eq!(parse(&text), Some(id));
        for other in ["", "20261122", "2026112300912177501990580266", "20261122009121775019905802666", "x026112200912177501990580266"] {
            assert_eq!(parse(other), None, "{other}");
        }
        assert_eq!(parse("2020010199999999999999999999"), None);
    }
}
