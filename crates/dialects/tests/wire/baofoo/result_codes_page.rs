//! The pages `docs/dialects/baofoo-result-codes.md` and its Chinese twin are made from the golden files: trigger, request, answer of every code.

use std::collections::BTreeMap;
use std::path::Path;

use refundry_dialects::baofoo::codes::{self, BusinessCode};
use serde_json::Value;

use crate::golden_file::{GoldenFile, Message, expect_file};

type ByCode<'a> = BTreeMap<&'a str, Vec<&'a GoldenFile>>;

/// Codes of the vendor's list that are never answered, with the reason in both languages.
const NOT_ANSWERED: [(&str, &str, &str); 8] = [
    ("TRADE_AMT_EXCEEDS_LIMIT", "there is no limit for a single payment here", "本系统不限制单笔支付金额"),
    ("VERIFY_ERROR", "said as `FAIL` 验签失败, before the business sees the request", "以 `FAIL` 验签失败 返回，不进入业务处理"),
    ("DGTL_DEC_ERROR", "nothing of these methods is encrypted; a digital envelope is ignored", "这些接口没有加密字段，数字信封会被忽略"),
    ("SHARE_DEPLOY_NOT_EXIST", "shares need no set-up of their own", "分账无需单独配置"),
    ("DEPLOY_NOT_CORRECT", "shares need no set-up of their own", "分账无需单独配置"),
    ("FEE_MER_ID_ERROR", "fees are always the paid merchant’s", "手续费始终由收款商户承担"),
    ("NOT_SUPPORT_PAY_CODE", "every method of payment can be refunded", "所有支付方式均可退款"),
    ("MERCHANT_NOT_REPORT", "merchants are not reported to channels here", "本系统不涉及渠道报备"),
];

/// Every code has a golden file or a reason, and the pages are fresh. Not a test of its own: blessing writes the golden files first.
pub fn check() {
    let files = GoldenFile::all("baofoo");
    let mut by_code: ByCode<'_> = BTreeMap::new();
    for file in &files {
        if let Some(code) = file.says("code") {
            assert_eq!(content_of(file)["errCode"], code, "{} does not answer {code}", file.name());
            by_code.entry(code).or_default().push(file);
        }
    }
    for code in codes::ALL {
        let is_excused = NOT_ANSWERED.iter().any(|(known, ..)| *known == code.code);
        assert_ne!(by_code.contains_key(code.code), is_excused, "{} has to be shown, or excused", code.code);
    }
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/dialects");
    let pages = [("baofoo-result-codes.md", page(&by_code, &ENGLISH)), ("baofoo-result-codes.zh.md", page(&by_code, &CHINESE))];
    let failures: Vec<String> = pages.iter().filter_map(|(name, text)| expect_file(&docs.join(name), text).err()).collect();
    assert!(failures.is_empty(), "{}\nBLESS=1 cargo test -p refundry-dialects", failures.join("\n"));
}

struct Words {
    opening: &'static str,
    business: &'static str,
    trigger: &'static str,
    gateway: &'static str,
    closing: &'static str,
    is_chinese: bool,
}

const ENGLISH: Words = Words {
    opening: "# Result codes of Baofoo\n\n[中文](baofoo-result-codes.zh.md)\n\nMade from the golden files in \
              `crates/dialects/tests/golden/baofoo`; do not edit. How to use the dialect: [baofoo.md](baofoo.md).\n",
    business: "\n## Business codes: `errCode`\n\nThe answer is `returnCode` `SUCCESS`, signed, and its `dataContent` has `resultCode` `FAIL`. The last column \
               names files below `crates/dialects/tests/golden/baofoo`.\n\n| Code | The vendor's text | Trigger | Method | `errMsg` | Bytes |\n|---|---|---|---|---|---|\n",
    trigger: "trigger",
    gateway: "\n## Texts of the gateway: `returnMsg`\n\nWhat is refused before the signature is trusted has no code. The answer is `returnCode` `FAIL`; \
              where the caller is known it is signed, over an empty `dataContent`.\n\n| Text | Trigger | Signed | Bytes |\n|---|---|---|---|\n",
    closing: "\n## Codes that are not answered\n\n| Code | Why |\n|---|---|\n",
    is_chinese: false,
};

const CHINESE: Words = Words {
    opening: "# 宝付（Baofoo）错误代码\n\n[English](baofoo-result-codes.md)\n\n由 `crates/dialects/tests/golden/baofoo` \
              中的样例文件生成，请勿手工修改。使用方法见 [baofoo.zh.md](baofoo.zh.md)。\n",
    business: "\n## 业务代码：`errCode`\n\n应答为已签名的 `returnCode` `SUCCESS`，其 `dataContent` 中 `resultCode` 为 `FAIL`。最后一列为 \
               `crates/dialects/tests/golden/baofoo` 下的文件。\n\n| 代码 | 官方文本 | 触发条件 | 接口 | `errMsg` | 报文 |\n|---|---|---|---|---|---|\n",
    trigger: "trigger.zh",
    gateway: "\n## 网关文本：`returnMsg`\n\n验签通过之前被拒绝的请求没有代码，应答为 `returnCode` `FAIL`；调用方已知时，对空的 `dataContent` 签名。\n\n\
              | 文本 | 触发条件 | 已签名 | 报文 |\n|---|---|---|---|\n",
    closing: "\n## 不会返回的代码\n\n| 代码 | 原因 |\n|---|---|\n",
    is_chinese: true,
};

fn page(by_code: &ByCode<'_>, words: &Words) -> String {
    let mut page = format!("{}{}", words.opening, words.business);
    for code in codes::ALL {
        for file in by_code.get(code.code).into_iter().flatten() {
            page.push_str(&row(*code, file, words));
        }
    }
    page.push_str(words.gateway);
    for file in GoldenFile::all("baofoo") {
        let answer = if file.says("announces").is_some() { Value::Null } else { answer_of(&file) };
        if answer["returnCode"] == "FAIL" {
            let signed = if answer["signStr"].is_string() { "✓" } else { "" };
            let (text, what) = (answer["returnMsg"].as_str().unwrap(), file.says("what").unwrap());
            page.push_str(&format!("| {text} | {what} | {signed} | `{}.http` |\n", file.name()));
        }
    }
    page.push_str(words.closing);
    for (code, english, chinese) in NOT_ANSWERED {
        page.push_str(&format!("| `{code}` | {} |\n", if words.is_chinese { chinese } else { english }));
    }
    page
}

fn row(code: BusinessCode, file: &GoldenFile, words: &Words) -> String {
    let trigger = file.says(words.trigger).unwrap_or_else(|| panic!("{} has a code and no {}", file.name(), words.trigger));
    let content = content_of(file);
    let (method, message) = (file.says("call").unwrap(), content["errMsg"].as_str().unwrap());
    format!("| `{}` | {} | {trigger} | `{method}` | {message} | `{}.http` |\n", code.code, code.text, file.name())
}

fn answer_of(file: &GoldenFile) -> Value {
    let response = file.section("response").unwrap_or_else(|| panic!("{} has no response yet: bless it", file.name()));
    serde_json::from_str(&Message::parse(response).body).unwrap()
}

fn content_of(file: &GoldenFile) -> Value {
    serde_json::from_str(answer_of(file)["dataContent"].as_str().unwrap()).unwrap()
}
