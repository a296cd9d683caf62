//! Names: which words may not be in them, and how a name falls into words.

/// Words that say nothing about what a thing is. GLOSSARY.md has the words that do.
pub const BANNED: [&str; 11] = ["util", "helper", "manager", "processor", "common", "core", "data", "info", "misc", "wrapper", "handler"];

/// The first banned word in a name, written in any case, in the singular or plural.
pub fn banned_word(name: &str) -> Option<&'static str> {
    words(name).iter().find_map(|word| {
        let singular = word.strip_suffix('s').unwrap_or(word);
        BANNED.into_iter().find(|banned| banned == word || *banned == singular)
    })
}

/// The lower-case words of a snake_case, kebab-case or CamelCase name.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for letter in name.chars() {
        let begins_word = letter.is_uppercase() || !letter.is_alphanumeric();
        if begins_word && words.last().is_some_and(|word| !word.is_empty()) {
            words.push(String::new());
        }
        if let (true, Some(word)) = (letter.is_alphanumeric(), words.last_mut()) {
            word.extend(letter.to_lowercase());
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_banned_word_is_found_in_any_dress() {
        for (name, expected) in [
            ("string_utils", Some("util")),
            ("RefundHelper", Some("helper")),
            ("refundry-core", Some("core")),
            ("score", None),
            ("Coverage", None),
            ("CreateRefund", None),
            ("data_directory", Some("data")),
        ] {
            assert_eq!(banned_word(name), expected, "{name}");
        }
    }
}
