//! JSON bodies into requests. What is wrong is said with the field's path, its name, and the rule; unknown fields are refused by name.

use serde::de::DeserializeOwned;

use crate::problem::{Problem, in_chinese, kinds};

/// Reads one JSON object. The good case parses once; only a body that is refused is parsed again, to find where.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    // serde would take an array of the fields' values for the object; nobody means that.
    if bytes.trim_ascii_start().first().is_some_and(|first| *first != b'{') {
        return Err(malformed("an object is wanted", "应为一个对象"));
    }
    serde_json::from_slice(bytes).map_err(|_| find_problem::<T>(bytes))
}

fn find_problem<T: DeserializeOwned>(bytes: &[u8]) -> Problem {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    match serde_path_to_error::deserialize::<_, T>(&mut deserializer) {
        Err(error) => {
            let path = error.path().to_string();
            describe(&path, error.inner())
        }
        // The object is right, so what follows it is not.
        Ok(_) => malformed("there is something behind the object", "对象之后还有内容"),
    }
}

fn describe(path: &str, error: &serde_json::Error) -> Problem {
    if !error.is_data() {
        return malformed(
            &format!("line {}, column {}", error.line(), error.column()),
            &format!("第 {} 行第 {} 列", error.line(), error.column()),
        );
    }
    let text = error.to_string();
    let rule = text.rsplit_once(" at line ").map_or(text.as_str(), |(rule, _)| rule);
    let path = if path == "." { "" } else { path };
    let name = quoted(rule);
    if rule.starts_with("unknown field") {
        // serde_path_to_error names the unknown field as the last step of the path.
        let field = if path.is_empty() { name.to_owned() } else { path.to_owned() };
        let known = rule.split_once("expected ").map_or("", |(_, known)| known.trim_start_matches("one of "));
        return Problem::new(&kinds::FIELD_UNKNOWN)
            .saying(format!("There is no field {field} here; known here: {known}."), format!("此处没有字段 {field}；可用字段：{known}。"))
            .about(field);
    }
    if rule.starts_with("missing field") {
        let field = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        return Problem::field(field.clone(), format!("{field} is missing."), format!("缺少字段 {field}。"));
    }
    if rule.starts_with("duplicate field") {
        let field = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        return Problem::field(field.clone(), format!("{field} is there twice."), format!("字段 {field} 重复。"));
    }
    Problem::field(path, format!("{path}: {rule}."), format!("字段 {path} 不符合要求：{}。", in_chinese(rule)))
}

/// The name between backticks in serde's sentence.
fn quoted(rule: &str) -> &str {
    rule.split('`').nth(1).unwrap_or_default()
}

fn malformed(place: &str, chinese: &str) -> Problem {
    Problem::new(&kinds::MALFORMED_JSON)
        .saying(format!("The body is not well-formed JSON: {place}."), format!("请求体不是合法的 JSON：{chinese}。"))
        .fact("place", place)
}

/// A query that was refused: the name of the parameter, and what is wrong with it.
pub fn query_problem(text: &str) -> Problem {
    let rule = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(text);
    let (name, said) = match rule.split_once(": ") {
        Some((name, said)) if !name.contains(' ') => (name, said),
        _ => (quoted(rule), rule),
    };
    if let Some((_, known)) = said.split_once("unknown field ").and_then(|(_, unknown)| unknown.split_once("expected ")) {
        let known = known.trim_start_matches("one of ");
        let english = format!("There is no parameter {name} here; known here: {known}.");
        return Problem::parameter(name, english, format!("此处没有参数 {name}；可用参数：{known}。"));
    }
    Problem::parameter(name, format!("{name}: {said}."), format!("参数 {name} 不符合要求：{}。", in_chinese(said)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;
    use crate::views::{Amount, Rfc3339};
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "read by serde only")]
    struct Wish {
        amount: Amount,
        #[serde(default)]
        at: Option<Rfc3339>,
    }

    #[test]
    fn what_is_wrong_is_said_by_path_and_name() {
        for (body, code, field) in [
            ("", "malformed_json", None),
            ("{", "malformed_json", None),
            ("{}{}", "field_invalid", Some("amount")),
            ("[]", "malformed_json", None),
            ("null", "malformed_json", None),
            (r#"{"amount":{"value":1,"currency":"EUR"}}x"#, "malformed_json", None),
            (r#"{"amount":{"value":1,"currency":"EUR"},"a":1}"#, "field_unknown", Some("a")),
            (r#"{"amount":{"value":1,"currency":"EUR","text":"x"}}"#, "field_unknown", Some("amount.text")),
            (r#"{"amount":{"value":1}}"#, "field_invalid", Some("amount.currency")),
            (r#"{"amount":{"value":1.5,"currency":"EUR"}}"#, "field_invalid", Some("amount.value")),
            (r#"{"amount":{"value":"1","currency":"EUR"}}"#, "field_invalid", Some("amount.value")),
            (r#"{"amount":{"value":99999999999999999999,"currency":"EUR"}}"#, "field_invalid", Some("amount.value")),
            (r#"{"amount":{"value":1,"currency":"XXQ"}}"#, "field_invalid", Some("amount.currency")),
            (r#"{"amount":null}"#, "field_invalid", Some("amount")),
            (r#"{"amount":{"value":1,"currency":"EUR"},"at":"tomorrow"}"#, "field_invalid", Some("at")),
        ] {
            let problem = read::<Wish>(body.as_bytes()).expect_err(body).body(Language::English, "");
            assert_eq!((problem.code.as_str(), problem.field.as_deref()), (code, field), "{body}: {}", problem.detail);
        }
    }
}
