//! In which language people are answered: English or Chinese, as `Accept-Language` wishes; on pages, `?lang=` wins over it.

/// A language that every text exists in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// 中文.
    Chinese,
}

impl Language {
    /// The first wish of an `Accept-Language` header that we can fulfil, by weight; `otherwise` when there is none.
    pub fn wished(header: Option<&str>, otherwise: Self) -> Self {
        let Some(header) = header else { return otherwise };
        let mut best: Option<(u32, Self)> = None;
        for wish in header.split(',').take(WISHES_MAX) {
            let (tag, weight) = match wish.split_once(';') {
                Some((tag, weight)) => (tag, per_mille(weight)),
                None => (wish, 1_000),
            };
            let Some(language) = Self::of_tag(tag.trim()) else { continue };
            if weight > 0 && best.is_none_or(|(known, _)| weight > known) {
                best = Some((weight, language));
            }
        }
        best.map_or(otherwise, |(_, language)| language)
    }

    /// The language of a tag such as `zh-CN`; `None` for others.
    pub fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        if primary.eq_ignore_ascii_case("zh") {
            Some(Self::Chinese)
        } else if primary.eq_ignore_ascii_case("en") {
            Some(Self::English)
        } else {
            None
        }
    }

    /// The tag for `Content-Language`.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh",
        }
    }

    /// The text of this language.
    pub fn pick<'a, T: ?Sized>(self, english: &'a T, chinese: &'a T) -> &'a T {
        match self {
            Self::English => english,
            Self::Chinese => chinese,
        }
    }
}

impl From<Language> for refundry_engine::Language {
    fn from(language: Language) -> Self {
        match language {
            Language::English => Self::En,
            Language::Chinese => Self::Zh,
        }
    }
}

/// Wishes of one header that are looked at.
const WISHES_MAX: usize = 16;

/// `q=0.8` in thousandths; nonsense weighs nothing.
fn per_mille(text: &str) -> u32 {
    let Some(number) = text.trim().strip_prefix("q=") else { return 0 };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits: String = fraction.chars().chain("000".chars()).take(3).collect();
    match (whole.parse::<u32>(), digits.parse::<u32>()) {
        (Ok(whole @ 0..=1), Ok(fraction)) => whole * 1_000 + fraction,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heaviest_wish_that_can_be_fulfilled_wins() {
        for (header, expected) in [
            ("zh-CN,zh;q=0.9,en;q=0.8", Language::Chinese),
            ("fr;q=1.0,en;q=0.4,zh;q=0.3", Language::English),
            ("fr, ZH_tw;q=0.5, en;q=0.25", Language::Chinese),
            ("de", Language::English),
            ("zh;q=0", Language::English),
            ("zh;q=nonsense", Language::English),
            ("", Language::English),
        ] {
            assert_eq!(Language::wished(Some(header), Language::English), expected, "{header}");
        }
        assert_eq!(Language::wished(None, Language::Chinese), Language::Chinese);
    }
}
