//! `/docs`: the OpenAPI document as a page that needs no script and loads nothing.

use std::fmt::Write as _;
use std::sync::OnceLock;

use serde_json::Value;

use crate::endpoint::Endpoint;
use crate::html::{address, escape, page};
use crate::language::Language;
use crate::{endpoints, openapi};

/// The whole page; it is drawn once.
pub fn docs_page(language: Language) -> &'static str {
    static ENGLISH: OnceLock<String> = OnceLock::new();
    static CHINESE: OnceLock<String> = OnceLock::new();
    language.pick(&ENGLISH, &CHINESE).get_or_init(|| draw(language))
}

fn draw(language: Language) -> String {
    let document = serde_json::to_value(openapi::document()).unwrap_or_default();
    let mut body = String::new();
    let about = escape(language.pick(openapi::ABOUT[0], openapi::ABOUT[1]));
    let (problems, schemas) = (language.pick("Problems", "问题列表"), language.pick("Schemas", "数据结构"));
    let list = address("/problems", language);
    _ = write!(body, "<p>{about}</p><p><a href=\"/api/v1/openapi.json\">OpenAPI 3.1</a> · <a href=\"{list}\">{problems}</a></p>");
    if language == Language::Chinese {
        body.push_str("<p>参数和字段的说明为英文。</p>");
    }
    let mut heading = "";
    for endpoint in endpoints::all() {
        let tag = language.pick(endpoint.tag[0], endpoint.tag[1]);
        if tag != heading {
            _ = write!(body, "<h2>{}</h2>", escape(tag));
            heading = tag;
        }
        let operation = &document["paths"][endpoint.path][endpoint.method.word().to_lowercase()];
        draw_operation(&mut body, &endpoint, operation, language);
    }
    _ = write!(body, "<h2>{schemas}</h2>");
    for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
        draw_schema(&mut body, name, schema);
    }
    page(language, language.pick("Native API", "原生接口"), &body)
}

fn draw_operation(body: &mut String, endpoint: &Endpoint, operation: &Value, language: Language) {
    let text = |value: &Value| escape(value.as_str().unwrap_or_default());
    _ = write!(
        body,
        "<details><summary><span class=\"verb\">{}</span> <code>{}</code> <span class=\"about\">{}</span></summary><p>{}</p>",
        endpoint.method.word(),
        escape(endpoint.path),
        escape(language.pick(endpoint.summary[0], endpoint.summary[1])),
        escape(&openapi::who_may(endpoint, language)),
    );
    let parameters = operation["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !parameters.is_empty() {
        body.push_str("<table>");
        for parameter in parameters {
            let needed = if parameter["required"] == true { "*" } else { "" };
            let (name, place) = (text(&parameter["name"]), text(&parameter["in"]));
            _ = write!(body, "<tr><td><code>{name}</code>{needed}</td><td>{place}</td><td>{}</td></tr>", text(&parameter["description"]));
        }
        body.push_str("</table>");
    }
    for (media_type, content) in operation["requestBody"]["content"].as_object().into_iter().flatten() {
        _ = write!(body, "<p>→ <code>{}</code> {}</p>", escape(media_type), type_of(&content["schema"]));
    }
    for (status, answer) in operation["responses"].as_object().into_iter().flatten().filter(|(status, _)| *status != "default") {
        let shapes = answer["content"].as_object().into_iter().flatten().map(|(_, content)| type_of(&content["schema"]));
        _ = write!(body, "<p>← {} {}</p>", escape(status), shapes.collect::<Vec<_>>().join(" "));
    }
    body.push_str("</details>");
}

fn draw_schema(body: &mut String, name: &str, schema: &Value) {
    let about = escape(schema["description"].as_str().unwrap_or_default());
    _ = write!(body, "<details id=\"{0}\"><summary><code>{0}</code> <span class=\"about\">{about}</span></summary><table>", escape(name));
    for part in parts_of(schema) {
        let required: Vec<&str> = part["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        if let Some(reference) = part["$ref"].as_str() {
            _ = write!(body, "<tr><td colspan=\"3\">{}</td></tr>", link(reference));
        }
        for (field, schema) in part["properties"].as_object().into_iter().flatten() {
            let needed = if required.contains(&field.as_str()) { "*" } else { "" };
            let about = escape(schema["description"].as_str().unwrap_or_default());
            _ = write!(body, "<tr><td><code>{}</code>{needed}</td><td>{}</td><td>{about}</td></tr>", escape(field), type_of(schema));
        }
    }
    let words: Vec<&str> = schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if !words.is_empty() {
        _ = write!(body, "<tr><td colspan=\"3\"><code>{}</code></td></tr>", escape(&words.join(" | ")));
    }
    body.push_str("</table></details>");
}

/// A schema that is made of others, all together or one of them, part by part.
fn parts_of(schema: &Value) -> Vec<&Value> {
    let parts = ["allOf", "oneOf"].iter().find_map(|way| schema[*way].as_array());
    parts.map_or_else(|| vec![schema], |parts| parts.iter().flat_map(parts_of).collect())
}

fn type_of(schema: &Value) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        return link(reference);
    }
    for way in ["oneOf", "anyOf"] {
        if let Some(parts) = schema[way].as_array() {
            let parts = parts.iter().filter(|part| part["type"] != "null").map(type_of);
            return parts.collect::<Vec<_>>().join(" | ");
        }
    }
    if schema["type"] == "array" {
        return format!("[{}]", type_of(&schema["items"]));
    }
    match &schema["type"] {
        Value::String(word) => escape(word),
        Value::Array(words) => escape(words.iter().filter_map(Value::as_str).find(|word| *word != "null").unwrap_or_default()),
        _ => String::new(),
    }
}

fn link(reference: &str) -> String {
    let name = escape(reference.rsplit('/').next().unwrap_or_default());
    format!("<a href=\"#{name}\"><code>{name}</code></a>")
}
