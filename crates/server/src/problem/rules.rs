//! The rules of fields in Chinese. The engine and the parsers say rules in English; every rule that a request can break is in this table.

/// English and Chinese; `{}` stands for whatever is between.
const RULES: &[(&str, &str)] = &[
    ("{} to {} letters without control characters; {} were sent", "{} 到 {} 个字符，不含控制字符；收到 {} 个"),
    ("{} to {} letters without control characters", "{} 到 {} 个字符，不含控制字符"),
    ("{} to {} letters, or left out", "{} 到 {} 个字符，或不填"),
    ("{} to {} letters, digits, -, _ and /", "{} 到 {} 个字母、数字、-、_ 或 /"),
    ("{} to {} letters", "{} 到 {} 个字符"),
    ("exactly the first six digits, never more of a card number", "只能是卡号前六位，不得更多"),
    ("exactly the last four digits, never more of a card number", "只能是卡号后四位，不得更多"),
    ("in {}, the payment's currency", "应为支付的币种 {}"),
    ("zero or more", "应为零或正数"),
    ("above zero for a captured payment, zero for any other", "已请款的支付应大于零，其他应为零"),
    ("fee and reserve together at most the captured amount", "手续费与保证金之和不得超过请款金额"),
    ("at most the captured amount", "不得超过请款金额"),
    ("never changes; create another terminal", "不可更改，请另建终端"),
    ("answers can be forced for sandbox terminals only", "仅沙箱终端可强制应答"),
    ("native or one of: {}", "应为 native 或以下之一：{}"),
    ("of a share of the sandbox; others are not ended by hand", "应为沙箱中的分账；其他分账不能人工结束"),
    ("one of: {}", "应为以下之一：{}"),
    ("for this dialect: {}", "该协议可用：{}"),
    ("the native API takes tokens that are made here", "原生接口只接受由本系统生成的令牌"),
    ("a credential of a wire dialect belongs to a terminal", "该协议的凭证必须属于某个终端"),
    ("the terminal speaks {}", "该终端使用的协议是 {}"),
    ("the key is not base64 of DER, with or without PEM armour", "密钥应为 DER 的 base64，可带或不带 PEM 首尾行"),
    ("the key is not an RSA key of {} to {} bits", "密钥应为 {} 到 {} 位的 RSA 密钥"),
    ("the public part of a token is made here", "令牌的公开部分由本系统生成"),
    (
        "your own: keys of other people are issued with a key of the operator that names nobody",
        "应为您本人：他人的密钥须用运营方不属于任何人的密钥签发",
    ),
    (
        "a person: keys of the operator that name nobody and may issue keys are issued with one of that kind",
        "应指明人员：运营方不属于任何人且可签发密钥的密钥，须用同类密钥签发",
    ),
    ("there is no permission {}", "没有 {} 这一权限"),
    ("name the terminal that took the payment", "请指明收款的终端"),
    ("name the merchant: this key acts for more than one", "该密钥可代表多个商户，请指明商户"),
    (
        "an http or https URL of at most {} ASCII letters, without user name and blanks",
        "应为完整的 http 或 https 地址，最长 {} 个 ASCII 字符，不含用户名和空白",
    ),
    ("without control characters", "不含控制字符"),
    ("not in the future", "不得晚于当前时间"),
    ("at most {}", "最大为 {}"),
    ("a credential keeps its kind; issue another one instead", "凭证的类型不可更改，请另行签发"),
    ("only a valid version can be rotated; issue another credential instead", "仅有效的版本可以轮换，请另行签发凭证"),
    ("live callers make their own key pair and send the public key", "正式环境请自行生成密钥对并提交公钥"),
    ("sandbox terminals use the acquirer {}", "沙箱终端只能使用收单机构 {}"),
    ("no acquirer for live money is configured", "未配置正式环境的收单机构"),
    ("name one of the configured acquirers", "请指明已配置的收单机构之一"),
    ("name a configured acquirer; live terminals cannot use `simulated`", "请指明已配置的收单机构；正式终端不能使用 `simulated`"),
    ("{} letter or more; null removes it", "至少 {} 个字符；null 表示删除"),
    ("a currency of ISO 4217", "应为 ISO 4217 币种"),
    ("a payment that settles in its own currency: others cannot be shared", "应为以支付币种结算的支付，其他支付不能分账"),
    (
        "a web address of the carrier, with http:// or https://, {} letters at most",
        "应为承运商的网址，以 http:// 或 https:// 开头，最长 {} 个字符",
    ),
    ("above zero for what the acquirer paid, below zero for what it took back", "收单机构付出的应大于零，收回的应小于零"),
    ("above zero, and such that the amount can be kept in the settlement currency", "应大于零，且换算后的金额可用结算币种记录"),
    ("another currency than {}", "应为 {} 以外的币种"),
    ("at least {}, in minor units of the currency that it is paid from", "至少为 {}，以付款币种的最小单位计"),
    ("at least one receiver with an amount", "至少需要一个带金额的接收方"),
    ("is not spoken any more", "已不再支持"),
    ("is the merchant's; use a merchant of the other mode", "由商户决定；请使用另一模式的商户"),
    (
        "letters and digits only, {} at most, several numbers with commas between them",
        "只能是字母和数字，每个最长 {} 个，多个号码以逗号分隔",
    ),
    ("name one, or nobody could call", "请至少指明一个，否则无人可以调用"),
    ("name the payment by it or by the order number", "请用它或订单号指明支付"),
    ("never changes; add the person in the other mode", "不可更改，请在另一模式中添加该人员"),
    ("never changes; create a merchant of the other mode beside this one", "不可更改，请另建另一模式的商户"),
    ("none for a payment that settles in another currency", "以其他币种结算的支付不可填写"),
    ("people use native keys of the operator, a merchant or a terminal", "人员使用运营方、商户或终端的原生密钥"),
    ("say why it is rejected", "请说明驳回原因"),
    ("several payments have this order number; use the payment's own", "多笔支付使用该订单号，请使用支付自身的编号"),
    ("the carrier's own site, not one that collects those of many", "应为承运商自己的网站，而非汇总查询网站"),
    ("the payment for which the merchant owes something", "请指明商户有欠款的支付"),
    ("the role {} allows: {}", "角色 {} 允许：{}"),
    ("this dialect proves callers by: {}", "该协议的验证方式：{}"),
    ("under_way, delivered or exception", "应为 under_way、delivered 或 exception"),
    ("with at most {} orders in it; ask for a shorter one", "其中最多 {} 笔订单，请缩短时间范围"),
    ("zero or more each, and together at most the fee that is told", "各项应为零或正数，合计不得超过告知的手续费"),
    ("{} is no address or network such as {}", "{} 不是地址或网段，格式如 {}"),
    ("{} letters at most", "最多 {} 个字符"),
    ("one of {}", "应为以下之一：{}"),
    ("{} to {}", "{} 到 {}"),
    // What the JSON parser says.
    ("invalid type: {}, expected {}", "类型不符：收到 {}，应为 {}"),
    ("invalid value: {}, expected {}", "取值不符：收到 {}，应为 {}"),
    ("invalid length {}, expected {}", "长度不符：收到 {}，应为 {}"),
    ("unknown variant {}, expected one of {}", "未知取值 {}，可选：{}"),
    ("unknown variant {}, expected {}", "未知取值 {}，可选：{}"),
    ("invalid number", "数字不合法"),
    ("number out of range", "数值超出范围"),
    ("invalid digit found in string", "应为整数"),
    ("cannot parse integer from empty string", "应为整数"),
    ("number too large to fit in target type", "数值过大"),
    ("provided string was not {}", "应为 {}"),
    ("a time of RFC 3339 such as {} is wanted", "应为 RFC 3339 时间，例如 {}"),
    ("{} is not a currency of ISO 4217; send three capital letters such as {}", "{} 不是 ISO 4217 币种，请发送三个大写字母，例如 {}"),
    ("{} is not an id of this kind; it looks like {} and thirteen letters and digits", "{} 不是此类编号，其格式为 {} 加十三个字母或数字"),
];

/// Words of the JSON parser within a rule.
const WORDS: &[(&str, &str)] = &[
    ("floating point ", "小数 "),
    ("integer ", "整数 "),
    ("boolean ", "布尔值 "),
    ("string ", "文本 "),
    ("sequence", "数组"),
    ("null", "空值"),
    ("a string", "文本"),
    ("a boolean", "布尔值"),
    ("a borrowed string", "文本"),
    ("a map", "对象"),
    ("map", "对象"),
];

/// A rule in Chinese; one that is not in the table stays as it is.
pub fn in_chinese(rule: &str) -> String {
    RULES.iter().find_map(|(english, chinese)| filled(rule, english, chinese)).unwrap_or_else(|| rule.to_owned())
}

fn filled(rule: &str, english: &str, chinese: &str) -> Option<String> {
    let mut parts = english.split("{}");
    let mut rest = rule.strip_prefix(parts.next()?)?;
    let mut values = Vec::new();
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        let end = if parts.peek().is_none() { rest.len().checked_sub(part.len())? } else { rest.find(part)? };
        if rest.get(end..end + part.len()) != Some(part) {
            return None;
        }
        values.push(&rest[..end]);
        rest = &rest[end + part.len()..];
    }
    if !rest.is_empty() {
        return None;
    }
    let mut text = String::new();
    let mut values = values.into_iter();
    for (place, part) in chinese.split("{}").enumerate() {
        if place > 0 {
            text.push_str(&worded(values.next()?));
        }
        text.push_str(part);
    }
    Some(text)
}

fn worded(value: &str) -> String {
    if let Some(kind) = value.strip_prefix("struct ") {
        return format!("对象 {kind}");
    }
    for (english, chinese) in WORDS {
        if let Some(rest) = value.strip_prefix(english)
            && (english.ends_with(' ') || rest.is_empty())
        {
            return format!("{chinese}{rest}");
        }
    }
    value.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_keeps_its_values() {
        for (english, chinese) in [
            ("1 to 64 letters without control characters", "1 到 64 个字符，不含控制字符"),
            ("1 to 120", "1 到 120"),
            ("one of: A, B", "应为以下之一：A, B"),
            ("invalid type: floating point `1.5`, expected i64", "类型不符：收到 小数 `1.5`，应为 i64"),
            ("invalid type: null, expected struct Amount", "类型不符：收到 空值，应为 对象 Amount"),
            ("unknown variant `lost`, expected one of `a`, `b`", "未知取值 `lost`，可选：`a`, `b`"),
            ("something new", "something new"),
        ] {
            assert_eq!(in_chinese(english), chinese);
        }
    }
}
