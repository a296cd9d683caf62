//! The few pages that the server draws itself. They load nothing: one style in the head, allowed by its hash, no script.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, header};

use crate::language::Language;

/// The tokens are those of the console's two themes; digits are tabular, and long codes break on narrow screens.
const STYLE: &str = ":root{--brand:#0b6e5f;--ink:#14201e;--ink-3:#5d6b68;--line:#e3eae8;--surface:#fff;--page:#f5f8f7}\
@media(prefers-color-scheme:dark){:root{--brand:#35b8a0;--ink:#e8f0ee;--ink-3:#8fa09c;--line:#2a3533;--surface:#161d1c;--page:#0e1413}}\
body{font:14px/1.6 system-ui,'Noto Sans SC','PingFang SC',sans-serif;font-variant-numeric:tabular-nums;margin:0;color:var(--ink);background:var(--page)}\
header{background:var(--surface);border-bottom:1px solid var(--line);padding:.75rem max(1rem,calc(50% - 31rem));display:flex;justify-content:space-between}header a{font-weight:600;text-decoration:none}\
header,main{box-sizing:border-box}main{max-width:64rem;margin:0 auto;padding:1rem 1rem 3rem}h1{font-size:20px}h2{font-size:16px;margin:2rem 0 .5rem}\
a{color:var(--brand)}a:focus-visible,summary:focus-visible{outline:2px solid var(--brand);outline-offset:2px}\
code,pre,.verb,.code{font-family:ui-monospace,'Noto Sans Mono',monospace;font-size:.93em}code{overflow-wrap:anywhere}\
pre{background:var(--page);padding:.75rem;overflow:auto;border-radius:8px}\
table{border-collapse:collapse;width:100%;background:var(--surface);border:1px solid var(--line)}\
th,td{text-align:left;vertical-align:top;padding:.5rem .75rem;border-bottom:1px solid var(--line)}td:first-child{overflow-wrap:anywhere}td:not([colspan]):first-child code{white-space:nowrap}\
tr:last-child>td{border-bottom:0}details table{margin-top:.5rem}\
details{background:var(--surface);border:1px solid var(--line);border-radius:8px;margin:.5rem 0;padding:.5rem .75rem}summary{cursor:pointer}\
.verb{display:inline-block;min-width:4.5em;font-weight:600}.code,.about{color:var(--ink-3)}.about{margin-left:.75rem}\
@media(max-width:40rem){thead,tr:first-child:has(th){display:none}tr{display:block;border-bottom:1px solid var(--line);padding:.5rem 0}\
tr:last-child{border-bottom:0}\
td:not([colspan]):first-child code{white-space:normal}td{display:inline-block;border:0;padding:.1rem .75rem}td:last-child,.about{display:block}.about{margin-left:0}}";

/// A whole page; `title` and `body` are HTML already.
pub fn page(language: Language, title: &str, body: &str) -> String {
    let home = address("/docs", language);
    let (other, other_name) = match language {
        Language::English => (Language::Chinese.tag(), "中文"),
        Language::Chinese => (Language::English.tag(), "English"),
    };
    format!(
        "<!doctype html><html lang=\"{}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title} · Refundry</title><style>{STYLE}</style></head><body><header><a href=\"{home}\">Refundry 归款</a>\
         <a href=\"?lang={other}\" lang=\"{other}\" hreflang=\"{other}\" rel=\"alternate\">{other_name}</a></header>\
         <main><h1>{title}</h1>{body}</main></body></html>",
        language.tag(),
    )
}

/// A page's path with the language that is being read, so that it stays from page to page.
pub fn address(path: &str, language: Language) -> String {
    format!("{path}?lang={}", language.tag())
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
