//! `/problems/<code>`: what a problem means and how it is cured, for people and, as JSON, for programs.

use std::fmt::Write as _;

use serde_json::json;

use super::kinds::{ALL, Kind};
use crate::html::{address, escape, page};
use crate::language::Language;

/// The page of one kind of problem.
pub fn kind_page(kind: &Kind, language: Language) -> String {
    let pick = |texts: &[&'static str; 2]| escape(language.pick(texts[0], texts[1]));
    let (cure, all) = (language.pick("What to do", "如何处理"), language.pick("All problems", "全部问题"));
    let title = pick(&kind.title);
    let list = address("/problems", language);
    let body = format!(
        "<p class=\"code\">{} · HTTP {}</p><p>{}</p><h2>{cure}</h2><p>{}</p><p><a href=\"{list}\">{all}</a></p>",
        kind.code,
        kind.status,
        pick(&kind.meaning),
        pick(&kind.cure),
    );
    page(language, &title, &body)
}

/// The list of all kinds.
pub fn list_page(language: Language) -> String {
    let mut rows = String::new();
    for kind in ALL {
        let pick = |texts: &[&'static str; 2]| escape(language.pick(texts[0], texts[1]));
        _ = write!(
            rows,
            "<tr><td><a href=\"{}\"><code>{code}</code></a></td><td>{}</td><td>{}</td><td>{}</td></tr>",
            address(&format!("/problems/{}", kind.code), language),
            kind.status,
            pick(&kind.title),
            pick(&kind.meaning),
            code = kind.code,
        );
    }
    let (title, name) = (language.pick("Problems", "问题列表"), language.pick("Title", "名称"));
    let (code, words) = (language.pick("Code", "代码"), language.pick("Means", "含义"));
    page(language, title, &format!("<table><tr><th>{code}</th><th>HTTP</th><th>{name}</th><th>{words}</th></tr>{rows}</table>"))
}

/// One kind as JSON, in both languages.
pub fn kind_json(kind: &Kind) -> serde_json::Value {
    let both = |texts: &[&'static str; 2]| json!({"en": texts[0], "zh": texts[1]});
    json!({
        "type": format!("/problems/{}", kind.code),
        "code": kind.code,
        "status": kind.status,
        "title": both(&kind.title),
        "meaning": both(&kind.meaning),
        "cure": both(&kind.cure),
    })
}
