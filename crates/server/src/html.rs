//! The few pages that the server draws itself. They load nothing: one style in the head, allowed by its hash, no script.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, header};

use crate::language::Language;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem;color:#1c1e21;background:#fff}\
a{color:#0958d9}code,pre{font-family:ui-monospace,monospace;font-size:.92em}pre{background:#f5f6f8;padding:.75rem;overflow:auto;border-radius:6px}\
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.35rem .6rem;border-bottom:1px solid #dfe2e6}\
details{border:1px solid #dfe2e6;border-radius:6px;margin:.4rem 0;padding:.4rem .8rem}summary{cursor:pointer}\
.verb{display:inline-block;min-width:4.5em;font-weight:600;font-family:ui-monospace,monospace}.code{font-family:ui-monospace,monospace;color:#595f67}\
@media(prefers-color-scheme:dark){body{background:#15171a;color:#e4e6e9}a{color:#7fb0ff}pre{background:#1f2226}th,td,details{border-color:#363b42}.code{color:#a5abb3}}";

/// A whole page; `title` and `body` are HTML already.
pub fn page(language: Language, title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"{}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title} · Refundry</title><style>{STYLE}</style></head><body><main><h1>{title}</h1>{body}</main></body></html>",
        language.tag(),
    )
}

/// Text as HTML; `` `code` `` becomes code.
pub fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    let mut in_code = false;
    for letter in text.chars() {
        match letter {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '`' => {
                html.push_str(if in_code { "</code>" } else { "<code>" });
                in_code = !in_code;
            }
            other => html.push(other),
        }
    }
    if in_code {
        html.push_str("</code>");
    }
    html
}

/// A page as an answer.
pub fn html_response(language: Language, html: impl Into<Body>) -> Response {
    let mut response = Response::new(html.into());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
    headers.insert(header::VARY, HeaderValue::from_static("accept-language"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(policy) = HeaderValue::from_str(&content_security_policy()) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

fn content_security_policy() -> String {
    use base64::Engine as _;
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, STYLE.as_bytes());
    let hash = base64::prelude::BASE64_STANDARD.encode(digest);
    format!("default-src 'self'; style-src 'sha256-{hash}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_become_markup() {
        assert_eq!(escape("<b> & \"q\" `x"), "&lt;b&gt; &amp; &quot;q&quot; <code>x</code>");
    }
}
