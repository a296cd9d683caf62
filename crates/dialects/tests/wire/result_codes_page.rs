//! The pages `docs/dialects/antom-result-codes.md` and its Chinese twin are made from the golden files: trigger, request, answer of every result code.

use std::collections::BTreeMap;
use std::path::Path;

use refundry_dialects::antom::codes::{ALL, IN_STORE, ResultCode};

use crate::golden_file::{GoldenFile, Message, expect_file};

/// Every result code has a golden file, and the pages are fresh. Not a test of its own: blessing writes the golden files first.
pub fn check() {
    let files = GoldenFile::all("antom");
    let mut by_code: BTreeMap<&str, Vec<&GoldenFile>> = BTreeMap::new();
    for file in &files {
        if let Some(code) = file.says("code") {
            let body = response_of(file).body;
            assert!(body.contains(&format!("\"resultCode\":\"{code}\"")), "{} does not answer {code}: {body}", file.name());
            by_code.entry(code).or_default().push(file);
        }
    }
    let without: Vec<&str> = ALL.iter().map(|code| code.code).filter(|code| !by_code.contains_key(code)).collect();
    assert!(without.is_empty(), "no golden file shows {without:?}");
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/dialects");
    let pages = [("antom-result-codes.md", page(&by_code, &ENGLISH)), ("antom-result-codes.zh.md", page(&by_code, &CHINESE))];
    let failures: Vec<String> = pages.iter().filter_map(|(name, text)| expect_file(&docs.join(name), text).err()).collect();
    assert!(failures.is_empty(), "{}\nBLESS=1 cargo test -p refundry-dialects", failures.join("\n"));
}

struct Words {
    opening: &'static str,
    in_store: &'static str,
    online: &'static str,
    columns: &'static str,
    trigger: &'static str,
}

const ENGLISH: Words = Words {
    opening: "# Result codes of Antom\n\n[中文](antom-result-codes.zh.md)\n\nMade from the golden files in `crates/dialects/tests/golden/antom`; \
              do not edit. Every answer is HTTP 200, and signed unless the caller used an API key. How to use the dialect: [antom.md](antom.md).\n",
    in_store: "The in-store list",
    online: "Further codes of the online list",
    columns: "| Code | Status | Trigger | Request | Answer | Bytes |",
    trigger: "trigger",
};

const CHINESE: Words = Words {
    opening: "# Antom 结果码\n\n[English](antom-result-codes.md)\n\n由 `crates/dialects/tests/golden/antom` 中的样例文件生成，请勿手工修改。\
              所有应答均为 HTTP 200；除使用 API 密钥的调用外，均带签名。使用方法见 [antom.zh.md](antom.zh.md)。\n",
    in_store: "线下商店结果码",
    online: "线上结果码（其余部分）",
    columns: "| 结果码 | 状态 | 触发条件 | 请求 | 应答 | 报文 |",
    trigger: "trigger.zh",
};

fn page(by_code: &BTreeMap<&str, Vec<&GoldenFile>>, words: &Words) -> String {
    let mut page = words.opening.to_owned();
    let in_store = IN_STORE.iter().map(|name| *ALL.iter().find(|code| code.code == *name).unwrap());
    let online = ALL.iter().filter(|code| !IN_STORE.contains(&code.code)).copied();
    let lists: [(&str, Vec<ResultCode>); 2] = [(words.in_store, in_store.collect()), (words.online, online.collect())];
    for (title, codes) in lists {
        page.push_str(&format!("\n## {title}\n\n{}\n|---|---|---|---|---|---|\n", words.columns));
        for code in codes {
            for file in &by_code[code.code] {
                page.push_str(&row(code, file, words));
            }
        }
    }
    page
}

fn row(code: ResultCode, file: &GoldenFile, words: &Words) -> String {
    let request = Message::parse(file.section("request").unwrap());
    let trigger = file.says(words.trigger).unwrap_or_else(|| panic!("{} has a code and no {}", file.name(), words.trigger));
    let sent = format!("{} {}", request.first_line, one_line(&request.body));
    format!(
        "| `{}` | {} | {trigger} | `{}` | `{}` | `crates/dialects/tests/golden/antom/{}.http` |\n",
        code.code,
        code.status.letter(),
        sent.trim(),
        response_of(file).body,
        file.name()
    )
}

fn response_of(file: &GoldenFile) -> Message {
    Message::parse(file.section("response").unwrap_or_else(|| panic!("{} has no response yet: bless it", file.name())))
}

fn one_line(body: &str) -> String {
    body.lines().map(str::trim).collect()
}
