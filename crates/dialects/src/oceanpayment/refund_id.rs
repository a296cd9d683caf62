//! Our refund id as the vendor shows ids: digits.

use refundry_engine::RefundId;

/// Digits of the largest id.
const DIGITS_MAX: usize = 19;

/// Digits such as `912236222246580266`.
pub fn render(id: RefundId) -> String {
    id.get().to_string()
}

/// Whether a text looks like an id.
pub fn is_like_one(text: &str) -> bool {
    !text.is_empty() && text.len() <= DIGITS_MAX && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Reads what [`render`] writes; `None` for everything else.
pub fn parse(text: &str) -> Option<RefundId> {
    let id = text.parse().ok().filter(|id| *id > 0).map(RefundId::new)?;
    (is_like_one(text) && render(id) == text).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_and_nothing_else_does() {
        let id = RefundId::new(refundry_engine::ids::compose(1_795_316_863_913, 7, 42));
        assert_eq!(parse(&render(id)), Some(id));
        for other in ["", "0", "-1", "+1", "01", "9223372036854775808", "1x"] {
            assert_eq!(parse(other), None, "{other}");
        }
    }
}
