//! The pages `docs/dialects/oceanpayment-result-codes.md` and its Chinese twin are made from the golden files: trigger, request, answer of every
//! result code.

use std::collections::BTreeMap;
use std::path::Path;

use refundry_dialects::oceanpayment::codes::ResultCode;
use refundry_dialects::oceanpayment::{apply_codes, query_codes};

use crate::golden_file::{GoldenFile, Message, expect_file};

type ByCode<'a> = BTreeMap<(&'a str, &'a str), Vec<&'a GoldenFile>>;

/// The tables by the name that golden files give them.
const TABLES: [(&str, &[ResultCode]); 2] = [("apply", apply_codes::ALL), ("query", query_codes::ALL)];

/// Every result code has a golden file, and the pages are fresh. Not a test of its own: blessing writes the golden files first.
pub fn check() {
    let files = GoldenFile::all("oceanpayment");
    let mut by_code: ByCode<'_> = BTreeMap::new();
    for file in &files {
        if let Some((table, code)) = file.says("code").and_then(|code| code.split_once(' ')) {
            let body = response_of(file).body;
            let answers = ["refund_results", "refund_check", "results", "tracking_results"].map(|tag| format!("<{tag}>{code}</{tag}>"));
            assert!(answers.iter().any(|answer| body.contains(answer)), "{} does not answer {code}: {body}", file.name());
            by_code.entry((table, code)).or_default().push(file);
        }
    }
    for (table, codes) in TABLES {
        let without: Vec<&str> = codes.iter().map(|code| code.code).filter(|code| !by_code.contains_key(&(table, *code))).collect();
        assert!(without.is_empty(), "no golden file shows {without:?} of the table {table}");
    }
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/dialects");
    let pages = [("oceanpayment-result-codes.md", page(&by_code, &ENGLISH)), ("oceanpayment-result-codes.zh.md", page(&by_code, &CHINESE))];
    let failures: Vec<String> = pages.iter().filter_map(|(name, text)| expect_file(&docs.join(name), text).err()).collect();
    assert!(failures.is_empty(), "{}\nBLESS=1 cargo test -p refundry-dialects", failures.join("\n"));
}

struct Words {
    opening: &'static str,
    tables: [&'static str; 2],
    columns: &'static str,
    trigger: &'static str,
    closing: &'static str,
}

const ENGLISH: Words = Words {
    opening: "# Result codes of Oceanpayment\n\n[中文](oceanpayment-result-codes.zh.md)\n\nMade from the golden files in \
              `crates/dialects/tests/golden/oceanpayment`; do not edit. Every answer is HTTP 200; only answers to callers who proved themselves \
              are signed. How to use the dialect: [oceanpayment.md](oceanpayment.md).\n",
    tables: [
        "## applyRefund: `refund_results`\n\nCaptures and voids answer with the same codes in `payment_details`.\n",
        "## queryRefund: `refund_check`\n\nThe lists of orders answer with the same codes in `results`, parcels in `tracking_results`.\n",
    ],
    columns: "| Code | The vendor's text | Trigger | Request | Answer | Bytes |",
    trigger: "trigger",
    closing: "\n## Codes that are not answered\n\n| Code | Why |\n|---|---|\n\
              | applyRefund 02, 07, 31 to 40, 42 to 97 | the vendor publishes no meaning |\n\
              | applyRefund 13 for a payment that was never heard of | that is 98 |\n\
              | queryRefund 97 from queryRefund itself | a refund never stands without its payment; the code is answered for the parcel of an unknown payment |\n\
              | queryRefund 07 to 91 | the vendor publishes no meaning |\n",
};

const CHINESE: Words = Words {
    opening: "# 钱海（Oceanpayment）结果码\n\n[English](oceanpayment-result-codes.md)\n\n由 `crates/dialects/tests/golden/oceanpayment` \
              中的样例文件生成，请勿手工修改。所有应答均为 HTTP 200；只有通过验签的调用方才会得到带签名的应答。使用方法见 \
              [oceanpayment.zh.md](oceanpayment.zh.md)。\n",
    tables: [
        "## applyRefund：`refund_results`\n\n授权完成与授权撤销在 `payment_details` 中使用同一套代码。\n",
        "## queryRefund：`refund_check`\n\n订单列表在 `results` 中、物流单号在 `tracking_results` 中使用同一套代码。\n",
    ],
    columns: "| 代码 | 官方文本 | 触发条件 | 请求 | 应答 | 报文 |",
    trigger: "trigger.zh",
    closing: "\n## 不会返回的代码\n\n| 代码 | 原因 |\n|---|---|\n\
              | applyRefund 02、07、31 至 40、42 至 97 | 官方未公布含义 |\n\
              | applyRefund 13（支付不存在时） | 返回 98 |\n\
              | queryRefund 97（由 queryRefund 返回） | 退款必有对应的支付；该代码用于为不存在的支付上传物流单号 |\n\
              | queryRefund 07 至 91 | 官方未公布含义 |\n",
};

fn page(by_code: &ByCode<'_>, words: &Words) -> String {
    let mut page = words.opening.to_owned();
    for ((table, codes), title) in TABLES.iter().zip(words.tables) {
        page.push_str(&format!("\n{title}\n{}\n|---|---|---|---|---|---|\n", words.columns));
        for code in *codes {
            for file in &by_code[&(*table, code.code)] {
                page.push_str(&row(*code, file, words));
            }
        }
    }
    page.push_str(words.closing);
    page
}

fn row(code: ResultCode, file: &GoldenFile, words: &Words) -> String {
    let request = Message::parse(file.section("request").unwrap());
    let trigger = file.says(words.trigger).unwrap_or_else(|| panic!("{} has a code and no {}", file.name(), words.trigger));
    let sent = format!("{} {}", request.first_line, shortened(&request.body));
    let answer = response_of(file).body.replace("<?xml version=\"1.0\" encoding=\"UTF-8\"?>", "");
    format!(
        "| `{}` | {} | {trigger} | `{}` | `{}` | `crates/dialects/tests/golden/oceanpayment/{}.http` |\n",
        code.code,
        code.text,
        sent.trim(),
        shortened(&answer),
        file.name()
    )
}

fn response_of(file: &GoldenFile) -> Message {
    Message::parse(file.section("response").unwrap_or_else(|| panic!("{} has no response yet: bless it", file.name())))
}

/// Of what is very long, the beginning.
fn shortened(body: &str) -> String {
    const LENGTH_MAX: usize = 600;
    let line: String = body.lines().map(str::trim).collect();
    if line.chars().nth(LENGTH_MAX).is_some() { line.chars().take(LENGTH_MAX).chain("…".chars()).collect() } else { line }
}
