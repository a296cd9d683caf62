//! Every kind of problem that the native API answers with: stable code, status, and what it means and cures it in both languages. The pages
//! under `/problems/` are made from this table.

/// One kind of problem. The code is part of the API: it is never renamed.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// The stable code, also the last part of the problem's type.
    pub code: &'static str,
    /// HTTP status.
    pub status: u16,
    /// A few words: English, Chinese.
    pub title: [&'static str; 2],
    /// What it means: English, Chinese.
    pub meaning: [&'static str; 2],
    /// What to do: English, Chinese.
    pub cure: [&'static str; 2],
}

impl Kind {
    /// The kind of a code.
    pub fn find(code: &str) -> Option<&'static Self> {
        ALL.iter().copied().find(|kind| kind.code == code)
    }
}

macro_rules! kinds {
    ($($name:ident = $code:literal, $status:literal: $title:expr, $meaning:expr, $cure:expr;)*) => {
        $(
            #[doc = concat!("`", $code, "`")]
            pub static $name: Kind = Kind { code: $code, status: $status, title: $title, meaning: $meaning, cure: $cure };
        )*

        /// All kinds, in the order of the decision.
        pub static ALL: &[&Kind] = &[$(&$name),*];
    };
}

kinds! {
    PATH_UNKNOWN = "path_unknown", 404: ["No such path", "路径不存在"],
        ["Nothing answers at this path.", "该路径下没有任何接口。"],
        ["Look the path up at /docs.", "请在 /docs 查看可用路径。"];
    METHOD_NOT_ALLOWED = "method_not_allowed", 405: ["Not this method", "不支持该方法"],
        ["The path exists, but not for this method.", "路径存在，但不支持该 HTTP 方法。"],
        ["Use a method that the Allow header names.", "请使用响应头 Allow 列出的方法。"];
    UNAUTHENTICATED = "unauthenticated", 401: ["Who are you?", "身份未验证"],
        ["There is no valid API key in the request.", "请求中没有有效的 API 密钥。"],
        ["Send `Authorization: Bearer <key>` with a key that is neither expired nor revoked.",
         "请发送请求头 `Authorization: Bearer <密钥>`，且密钥未过期、未吊销。"];
    NOT_ALLOWED = "not_allowed", 403: ["Not allowed", "没有权限"],
        ["The key is valid, but may not do this.", "密钥有效，但无权执行该操作。"],
        ["Use a key that has the permission, or ask the operator to grant it.", "请使用具备该权限的密钥，或请运营方授权。"];
    BODY_TOO_LARGE = "body_too_large", 413: ["Too large", "请求体过大"],
        ["The body is larger than this path takes.", "请求体超过该路径允许的大小。"],
        ["Send less at once; imports take many lines as a stream.", "请减少单次发送的内容；批量导入可流式发送多行。"];
    MEDIA_TYPE = "media_type", 415: ["Not this media type", "不支持的媒体类型"],
        ["The body is not of the type that this path takes.", "请求体不是该路径接受的类型。"],
        ["Send `Content-Type: application/json`, or `application/x-ndjson` for imports.",
         "请发送 `Content-Type: application/json`，批量导入用 `application/x-ndjson`。"];
    MALFORMED_JSON = "malformed_json", 400: ["Not JSON", "不是合法的 JSON"],
        ["The body is not well-formed JSON.", "请求体不是合法的 JSON。"],
        ["Send one JSON object in UTF-8.", "请发送一个 UTF-8 编码的 JSON 对象。"];
    FIELD_UNKNOWN = "field_unknown", 422: ["Unknown field", "未知字段"],
        ["The body has a field that this path does not know.", "请求体含有该路径不认识的字段。"],
        ["Correct the name or leave the field out; nothing is ignored silently.", "请更正字段名或去掉该字段；系统不会静默忽略。"];
    FIELD_INVALID = "field_invalid", 422: ["A field is wrong", "字段有误"],
        ["A field is missing, or is not what it should be.", "字段缺失或不符合要求。"],
        ["Correct the field that `field` names.", "请更正 `field` 指出的字段。"];
    PARAMETER_INVALID = "parameter_invalid", 400: ["A parameter is wrong", "参数有误"],
        ["A query parameter or header is missing, unknown, or not what it should be.", "查询参数或请求头缺失、未知或不符合要求。"],
        ["Correct the parameter that `field` names.", "请更正 `field` 指出的参数。"];
    UNKNOWN_MERCHANT = "unknown_merchant", 404: ["No such merchant", "商户不存在"],
        ["There is no such merchant for this key: not found, of the other mode, or not yours.", "该密钥下没有此商户：不存在、模式不同或不属于您。"],
        ["Check the id and whether the key is a sandbox or a live one.", "请检查编号，以及密钥是沙箱还是正式环境。"];
    AGENT_NOT_LINKED = "agent_not_linked", 403: ["Merchant not linked", "商户未关联"],
        ["The merchant is not linked to this agent, or there is no such merchant.", "该商户未与此代理商建立关联，或没有此商户。"],
        ["Have the operator link the merchant to the agent.", "请联系运营方将该商户关联到此代理商。"];
    MERCHANT_SUSPENDED = "merchant_suspended", 403: ["Merchant suspended", "商户已停用"],
        ["The merchant may read, but not refund.", "该商户可以查询，但不能退款。"],
        ["Ask the operator.", "请联系运营方。"];
    UNKNOWN_TERMINAL = "unknown_terminal", 404: ["No such terminal", "终端不存在"],
        ["The merchant has no such terminal.", "该商户没有此终端。"],
        ["Check the terminal id.", "请检查终端编号。"];
    TERMINAL_SUSPENDED = "terminal_suspended", 403: ["Terminal suspended", "终端已停用"],
        ["The terminal may not act.", "该终端不能操作。"],
        ["Ask the operator, or use another terminal.", "请联系运营方，或使用其他终端。"];
    REPEAT_INCONSISTENT = "repeat_inconsistent", 409: ["Number used for something else", "编号已用于其他请求"],
        ["The idempotency key was used before with other content.", "该幂等键此前用于内容不同的请求。"],
        ["Send the same content again to read the answer, or use a new key for a new refund.",
         "如需重取结果请发送相同内容；新的退款请使用新的幂等键。"];
    UNKNOWN_PAYMENT = "unknown_payment", 404: ["No such payment", "支付不存在"],
        ["The merchant has no such payment in this mode.", "该商户在此模式下没有这笔支付。"],
        ["Check the number, and whether the key is a sandbox or a live one.", "请检查编号，以及密钥是沙箱还是正式环境。"];
    PAYMENT_CANCELLED = "payment_cancelled", 422: ["Payment was voided", "支付已撤销"],
        ["The payment was voided before capture: no money was taken.", "该支付在请款前已撤销，未扣款。"],
        ["There is nothing to refund.", "无需退款。"];
    PAYMENT_CLOSED = "payment_closed", 422: ["Payment was closed", "支付已关闭"],
        ["The payment was closed without being paid.", "该支付未付款即已关闭。"],
        ["There is nothing to refund.", "无需退款。"];
    PAYMENT_NOT_CAPTURED = "payment_not_captured", 422: ["Nothing captured", "尚未请款"],
        ["No money of this payment has been captured.", "该支付尚未请款成功。"],
        ["Wait for the capture, or void the payment instead.", "请等待请款成功，或改为撤销支付。"];
    CURRENCY_MISMATCH = "currency_mismatch", 422: ["Other currency", "币种不一致"],
        ["The refund's currency is not the payment's.", "退款币种与支付币种不同。"],
        ["Refund in the payment's currency.", "请使用支付的币种。"];
    AMOUNT_NOT_POSITIVE = "amount_not_positive", 422: ["Amount not above zero", "金额必须大于零"],
        ["The amount is zero or negative.", "金额为零或负数。"],
        ["Send at least one minor unit.", "请至少发送一个最小货币单位。"];
    RECEIVER_TWICE = "receiver_twice", 422: ["Receiver twice", "接收方重复"],
        ["A receiver stands in two lines.", "同一接收方出现了两次。"],
        ["Say its amount in one line.", "请合并为一条。"];
    RECEIVER_IS_GIVER = "receiver_is_giver", 422: ["Receiver is the merchant itself", "接收方为商户自身"],
        ["The payment's own merchant stands in a line.", "收款商户自身出现在分账明细中。"],
        ["Leave what it keeps out of the lines.", "其保留的金额无需列出。"];
    REFUND_WINDOW_EXCEEDED = "refund_window_exceeded", 422: ["Too late", "超过退款期限"],
        ["The refund window of this payment is over.", "该支付已超过可退款期限。"],
        ["Pay the shopper back in another way, or ask the operator to change the policy.", "请以其他方式退还，或请运营方调整策略。"];
    SHARE_WINDOW_EXCEEDED = "share_window_exceeded", 422: ["Too late to share", "超过分账期限"],
        ["The time in which the payment could be shared is over.", "该支付已超过可分账期限。"],
        ["Settle with the receivers in another way.", "请与接收方商定其他方式。"];
    PARTIAL_NOT_ALLOWED = "partial_not_allowed", 422: ["Only in full", "仅支持全额退款"],
        ["This payment can only be refunded in full.", "该支付只能全额退款。"],
        ["Refund the whole amount.", "请按全额退款。"];
    TOO_MANY_REFUNDS = "too_many_refunds", 422: ["Too many refunds", "退款次数超限"],
        ["The payment has as many refunds as its policy allows.", "该支付的退款次数已达策略上限。"],
        ["Ask the operator to change the policy.", "请联系运营方调整策略。"];
    PAYMENT_UNRECONCILED = "payment_unreconciled", 422: ["Not reconciled yet", "尚未对账"],
        ["The acquirer has not confirmed the payment yet.", "收单机构尚未确认该支付。"],
        ["Try again later.", "请稍后再试。"];
    PAYOUT_IN_PREPARATION = "payout_in_preparation", 422: ["Payout being made", "正在划款"],
        ["The payment is in a payout that is being made.", "该支付正在划款。"],
        ["Try again when it has been paid out.", "请在划款完成后再试。"];
    RESERVE_IN_SETTLEMENT = "reserve_in_settlement", 422: ["Reserve being paid out", "保证金正在划款"],
        ["The payment's reserve is being paid out.", "该支付的保证金正在划款。"],
        ["Try again when it has been paid out.", "请在划款完成后再试。"];
    RETRIEVAL_OPEN = "retrieval_open", 422: ["Retrieval open", "存在未结调单"],
        ["An open retrieval freezes refunds of this payment.", "未结的调单冻结了该支付的退款。"],
        ["Answer the retrieval first.", "请先处理调单。"];
    CHARGEBACK_OPEN = "chargeback_open", 422: ["Chargeback open", "存在未结拒付"],
        ["An open chargeback blocks refunds of this payment: the shopper would be paid twice.", "未结的拒付禁止退款，否则会重复退还。"],
        ["Wait for the chargeback's end.", "请等待拒付结束。"];
    SHARE_RUNNING = "share_running", 409: ["Share running", "分账处理中"],
        ["A share of the payment is being carried out.", "该支付的分账正在处理中。"],
        ["Try again when it has ended.", "请待分账完成后再试。"];
    REFUND_OPEN = "refund_open", 409: ["Refund on its way", "退款处理中"],
        ["A refund of the payment is not final, so it can be neither shared nor recovered from.", "该支付有未完成的退款，暂不能分账或收回垫资。"],
        ["Try again when it has ended.", "请待退款完成后再试。"];
    EXPECTED_REMAINING_STALE = "expected_remaining_stale", 412: ["The rest has changed", "剩余可退金额已变化"],
        ["What is left of the payment is not what you expected.", "该支付的剩余可退金额与您的预期不同。"],
        ["Look at the fresh amount in `facts` and decide again.", "请查看 `facts` 中的最新金额后再决定。"];
    EXCEEDS_PAYMENT = "exceeds_payment", 422: ["More than the payment", "超过支付金额"],
        ["The amount is more than the payment took in all.", "金额超过该支付的金额。"],
        ["Refund at most the amount in `facts`.", "退款金额不得超过 `facts` 中的金额。"];
    EXTENT_MISMATCH = "extent_mismatch", 422: ["Neither full nor partial", "退款类型与金额不符"],
        ["A full refund is not the whole amount, or a partial one is.", "全额退款的金额不等于支付金额，或部分退款的金额等于支付金额。"],
        ["Send the whole amount in `facts` as full, less than that as partial.", "全额退款请发送 `facts` 中的金额，部分退款请发送较小的金额。"];
    EXCEEDS_REFUNDABLE = "exceeds_refundable", 422: ["More than is left", "超过可退金额"],
        ["The amount is more than is left of the payment.", "金额超过该支付的剩余可退金额。"],
        ["Refund at most the amount in `facts`.", "退款金额不得超过 `facts` 中的金额。"];
    EXCEEDS_AUTHORISED = "exceeds_authorised", 422: ["More than was authorised", "超过授权金额"],
        ["The capture is more than was authorised.", "请款金额超过授权金额。"],
        ["Capture at most the amount in `facts`.", "请款金额不得超过 `facts` 中的金额。"];
    EXCEEDS_MARKETING = "exceeds_marketing", 422: ["More marketing money than is left", "超过可退营销金额"],
        ["The marketing part is more than is left of it.", "营销部分超过剩余可退营销金额。"],
        ["Refund at most the marketing amount in `facts`.", "营销部分不得超过 `facts` 中的金额。"];
    UNKNOWN_RECEIVER = "unknown_receiver", 422: ["No such receiver", "接收方不存在"],
        ["No merchant of this mode has the account number.", "该模式下没有此账号的商户。"],
        ["Check the number.", "请检查账号。"];
    EXCEEDS_RECEIVER = "exceeds_receiver", 422: ["More than the receiver has left", "超过接收方可退金额"],
        ["The line is more than the receiver got of the payment and has not given back.", "该明细超过接收方从该支付所得且尚未退回的金额。"],
        ["Ask for at most the amount in `facts`.", "不得超过 `facts` 中的金额。"];
    EXCEEDS_RETURNED = "exceeds_returned", 422: ["More than all receivers have left", "超过全部接收方可退金额"],
        ["Lines and advance are more than all receivers have left of the payment.", "分账退回与垫资之和超过全部接收方的剩余金额。"],
        ["Ask for at most the amount in `facts`.", "不得超过 `facts` 中的金额。"];
    LINES_EXCEED_AMOUNT = "lines_exceed_amount", 422: ["Lines exceed the refund", "明细超过退款金额"],
        ["Lines, advance, fee and marketing part are more than the refund.", "分账退回、垫资、手续费与营销金额之和超过退款金额。"],
        ["Lower them by the amount in `facts`, or raise the refund.", "请按 `facts` 中的金额调低，或提高退款金额。"];
    EXCEEDS_UNSHARED = "exceeds_unshared", 422: ["More than was never shared", "超过未分账余额"],
        ["The lines leave more to the money that was never shared than there is.", "分账明细以外的部分超过未分账余额。"],
        ["Raise the lines, or send `\"shares\": \"pro_rata\"`.", "请提高分账退回金额，或发送 `\"shares\": \"pro_rata\"`。"];
    EXCEEDS_POOL = "exceeds_pool", 422: ["More than can be shared", "超过可分账金额"],
        ["The share is more than what of the payment can still be shared.", "分账金额超过该支付剩余可分账金额。"],
        ["Share at most the amount in `facts`.", "不得超过 `facts` 中的金额。"];
    EXCEEDS_ADVANCED = "exceeds_advanced", 422: ["More than was advanced", "超过垫资余额"],
        ["The amount is more than was advanced in the receiver's place and not paid back.", "金额超过为该接收方垫资且尚未收回的部分。"],
        ["Ask for at most the amount in `facts`.", "不得超过 `facts` 中的金额。"];
    NOT_ENOUGH_FUNDS = "not_enough_funds", 422: ["Not enough money", "余额不足"],
        ["The merchant's money does not cover the refund.", "商户余额不足以支付该退款。"],
        ["Top the balance up, then send the refund with a new key.", "请充值后使用新的幂等键重新发起。"];
    RECEIVER_NOT_ENOUGH_FUNDS = "receiver_not_enough_funds", 422: ["Receiver without money", "接收方余额不足"],
        ["A receiver has not the money that it is to give back or pay.", "接收方没有足够的资金用于退回或偿还。"],
        ["Ask for at most the amount in `facts`, or advance its part.", "不得超过 `facts` 中的金额，或为其垫资。"];
    UNKNOWN_SHARE = "unknown_share", 404: ["No such share", "分账不存在"],
        ["The merchant has no such share in this mode.", "该商户在此模式下没有这笔分账。"],
        ["Check the id, and whether the key is a sandbox or a live one.", "请检查编号，以及密钥是沙箱还是正式环境。"];
    SHARE_STATE_FORBIDS = "share_state_forbids", 409: ["Not in this state", "分账状态不允许"],
        ["The share stands where this cannot be done.", "分账当前状态不允许该操作。"],
        ["Read the share again.", "请重新查询该分账。"];
    UNKNOWN_REFUND = "unknown_refund", 404: ["No such refund", "退款不存在"],
        ["The merchant has no such refund in this mode.", "该商户在此模式下没有这笔退款。"],
        ["Check the id, and whether the key is a sandbox or a live one.", "请检查编号，以及密钥是沙箱还是正式环境。"];
    REFUND_STATE_FORBIDS = "refund_state_forbids", 409: ["Not in this state", "当前状态不允许"],
        ["The refund stands where this cannot be done any more.", "退款的当前状态不允许该操作。"],
        ["Read the refund to see where it stands.", "请查询退款的当前状态。"];
    DISPUTE_STATE_FORBIDS = "dispute_state_forbids", 409: ["Not in this state", "当前状态不允许"],
        ["The dispute stands where this cannot be done.", "争议的当前状态不允许该操作。"],
        ["Read the dispute to see where it stands.", "请查询争议的当前状态。"];
    REVIEWER_IS_APPLICANT = "reviewer_is_applicant", 403: ["A second person is needed", "需要第二人审核"],
        ["Who applied for a refund may not review it.", "申请人不能审核自己的退款。"],
        ["Ask a second person.", "请由他人审核。"];
    REVIEWER_IS_NO_PERSON = "reviewer_is_no_person", 403: ["A named person is needed", "须由具名人员审核"],
        ["A second person must review, and the key names nobody.", "须由第二人审核，而所用密钥未绑定人员。"],
        ["Use a key that is bound to a person.", "请使用已绑定人员的密钥。"];
    REVIEWER_APPROVED_ALREADY = "reviewer_approved_already", 403: ["Another reviewer is needed", "需要另一位审核人"],
        ["Two people must approve, and you are one of them already.", "须由两人审核通过，您已通过过一次。"],
        ["Ask a colleague.", "请由其他人员审核。"];
    REVIEWED_CONTENT_CHANGED = "reviewed_content_changed", 409: ["Not what you saw", "内容已变化"],
        ["What is being approved is not what you saw.", "所审核的内容与您看到的不同。"],
        ["Read the refund again and decide again.", "请重新查看退款后再审核。"];
    ARN_IS_SET = "arn_is_set", 409: ["ARN is set", "退款查询号已存在"],
        ["The refund has another ARN; an ARN never changes.", "该退款已有其他查询号，查询号不可更改。"],
        ["Compare the two numbers.", "请核对两个查询号。"];
    PAYMENT_INCONSISTENT = "payment_inconsistent", 409: ["Payment known otherwise", "与已登记的支付不一致"],
        ["The payment is known with another amount, currency or time.", "该支付已登记，但金额、币种或时间不同。"],
        ["Compare what you sent with GET /api/v1/payments.", "请与 GET /api/v1/payments 的结果核对。"];
    PAYMENT_STATUS_FORBIDS = "payment_status_forbids", 409: ["Not from this status", "当前支付状态不允许"],
        ["The payment cannot go from where it stands to what was sent.", "该支付不能从当前状态变为所发送的状态。"],
        ["A captured payment stays captured.", "已请款的支付状态不再改变。"];
    PAYOUTS_ON_HOLD = "payouts_on_hold", 409: ["Payouts are on hold", "划款已暂停"],
        ["The merchant's payouts in this currency are on hold.", "该商户此币种的划款已暂停。"],
        ["End the hold in the merchant's payout terms first.", "请先在该商户的划款条款中解除暂停。"];
    PAYOUT_IS_PREPARED = "payout_is_prepared", 409: ["A payout is prepared", "已有待划款批次"],
        ["A payout of this kind and currency is prepared and not sent.", "该类型和币种已有制表但尚未划出的批次。"],
        ["Send or cancel the payout in `facts` first.", "请先划出或取消 `facts` 中的批次。"];
    REFUNDS_WAIT_FOR_MONEY = "refunds_wait_for_money", 409: ["Refunds wait for money", "有退款等待资金"],
        ["Refunds wait for money; what comes in is theirs first.", "有退款正在等待资金，入账款项优先用于退款。"],
        ["Try again when they are served.", "请在这些退款处理后重试。"];
    NOTHING_TO_PAY_OUT = "nothing_to_pay_out", 422: ["Not so much to pay out", "可划款金额不足"],
        ["There is nothing that could be paid out, or less than was asked for.", "没有可划款的金额，或低于所请求的金额。"],
        ["Ask for at most the amount in `facts`, if it is above zero.", "若 `facts` 中的金额大于零，请勿超过该金额。"];
    BELOW_PAYOUT_MINIMUM = "below_payout_minimum", 422: ["Below the minimum", "低于最低划款金额"],
        ["What is due does not reach the minimum of the payout terms; it is carried into the next payout.", "应划金额低于划款条款的最低金额，将并入下一批次。"],
        ["Wait for more, or name an amount.", "请等待金额累积，或指定划款金额。"];
    PAYOUT_STATE_FORBIDS = "payout_state_forbids", 409: ["Not in this state", "当前状态不允许"],
        ["The payout stands where this cannot be done.", "该划款批次的当前状态不允许此操作。"],
        ["Read the payout to see where it stands.", "请查询该批次的当前状态。"];
    ADJUSTMENT_IS_DECIDED = "adjustment_is_decided", 409: ["Already decided", "调账已处理"],
        ["The adjustment was booked or rejected before.", "该调账已入账或已驳回。"],
        ["Propose another one.", "请重新提交调账。"];
    SECOND_PERSON_NEEDED = "second_person_needed", 403: ["A second person is needed", "需要第二人复核"],
        ["Whoever asked for it may not carry it out.", "申请人不能自行复核。"],
        ["Ask a colleague with a key of their own.", "请由持有自己密钥的同事操作。"];
    ALREADY_EXISTS = "already_exists", 409: ["Already taken", "已存在"],
        ["A number that must be unique is taken.", "必须唯一的编号已被占用。"],
        ["Choose another one.", "请换一个编号。"];
    LIMIT_REACHED = "limit_reached", 422: ["Limit reached", "已达上限"],
        ["One more would be more than the limit.", "再增加将超过上限。"],
        ["Remove one first.", "请先移除一个。"];
    UNKNOWN = "unknown", 404: ["Not found", "未找到"],
        ["There is no such thing for this key.", "该密钥下没有所请求的对象。"],
        ["Check the id, and whether the key is a sandbox or a live one.", "请检查编号，以及密钥是沙箱还是正式环境。"];
    OUT_OF_RANGE = "out_of_range", 422: ["Out of range", "数值超出范围"],
        ["A sum leaves the range of 64 bits.", "金额合计超出 64 位范围。"],
        ["Send a smaller amount.", "请发送较小的金额。"];
    OVERLOADED = "overloaded", 503: ["Try again", "请稍后重试"],
        ["The server is busy or its storage does not answer right now. Nothing was half done.", "服务器繁忙或存储暂时不可用，没有任何操作只做了一半。"],
        ["Send the same request with the same idempotency key again after the time in Retry-After.",
         "请在 Retry-After 指定的时间后，用相同的幂等键重发相同的请求。"];
    FAULT = "fault", 500: ["Our fault", "系统故障"],
        ["Something broke on our side. It was written to the log under the request id.", "系统内部出错，已按请求编号记录日志。"],
        ["Send the same request with the same idempotency key again; if it stays, tell the operator the request id.",
         "请用相同的幂等键重发；若仍出错，请把请求编号告诉运营方。"];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_every_text_is_in_both_languages() {
        let mut codes: Vec<&str> = ALL.iter().map(|kind| kind.code).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), ALL.len());
        for kind in ALL {
            for [english, chinese] in [kind.title, kind.meaning, kind.cure] {
                assert!(english.is_ascii() && !english.is_empty(), "{}", kind.code);
                assert!(chinese.chars().any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter)), "{}", kind.code);
            }
            assert!((400..=599).contains(&kind.status));
        }
    }
}
