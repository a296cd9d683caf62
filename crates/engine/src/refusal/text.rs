//! What a refusal is called, and how people are told of it: cause and cure.

use super::Refusal;
use crate::explain::Language;

macro_rules! texts {
    ($($name:ident = $code:literal, $en:literal, $zh:literal;)*) => {
        impl Refusal {
            /// The stable native code.
            pub const fn code(&self) -> &'static str {
                match self { $(Self::$name { .. } => $code,)* }
            }

            /// Every code, in the order of the rules.
            pub const CODES: &'static [&'static str] = &[$($code),*];

            const fn template(&self, language: Language) -> &'static str {
                match (self, language) {
                    $((Self::$name { .. }, Language::En) => $en, (Self::$name { .. }, Language::Zh) => $zh,)*
                }
            }
        }
    };
}

texts! {
    UnknownMerchant = "unknown_merchant", "There is no such merchant for this key; check the id and the mode of the key.", "没有该商户；请检查商户号以及密钥所属的环境。";
    AgentNotLinked = "agent_not_linked", "The merchant is not linked to this agent; have the operator link it.", "该商户未与此代理商建立关联；请联系运营方建立关联。";
    MerchantSuspended = "merchant_suspended", "The merchant is suspended; ask the operator.", "商户已被暂停；请联系运营方。";
    UnknownTerminal = "unknown_terminal", "The merchant has no such terminal; check its id and mode.", "该商户没有此终端；请检查终端号和环境。";
    TerminalSuspended = "terminal_suspended", "The terminal is suspended; ask the operator.", "终端已被暂停；请联系运营方。";
    NotAllowed = "not_allowed", "The permission {permission} is missing; use a key that has it.", "缺少权限 {permission}；请使用具有该权限的密钥。";
    RepeatInconsistent = "repeat_inconsistent", "The number was used before with {field} = {first}, now it is {now}; use a new number for a new refund.", "该编号此前使用时 {field} 为 {first}，现为 {now}；新的退款请使用新的编号。";
    UnknownPayment = "unknown_payment", "The merchant has no such payment; check the number.", "该商户没有此笔支付；请检查交易号。";
    PaymentCancelled = "payment_cancelled", "The payment was voided; nothing was taken that could go back.", "该笔支付已撤销，没有可退的款项。";
    PaymentClosed = "payment_closed", "The payment was closed without being paid; nothing was taken that could go back.", "该笔支付未付款即已关闭，没有可退的款项。";
    PaymentNotCaptured = "payment_not_captured", "The payment is {status}; it can be refunded once it is captured.", "该笔支付状态为 {status}；请款成功后才能退款。";
    CurrencyMismatch = "currency_mismatch", "The payment is in {expected}; refund it in {expected}.", "该笔支付的币种为 {expected}；请使用 {expected} 退款。";
    AmountNotPositive = "amount_not_positive", "The amount must be above zero.", "退款金额必须大于零。";
    ReceiverTwice = "receiver_twice", "The receiver {account} stands in two lines; say its amount in one.", "接收方 {account} 出现了两次；请合并为一条。";
    ReceiverIsGiver = "receiver_is_giver", "The payment's own merchant cannot be a receiver; leave what it keeps out of the lines.", "收款商户自身不能作为分账接收方；其保留的金额无需列出。";
    RefundWindowExceeded = "refund_window_exceeded", "The time in which the payment could be refunded is over; agree another way with the shopper.", "已超过该笔支付的可退款期限；请与消费者商定其他方式。";
    ShareWindowExceeded = "share_window_exceeded", "The time in which the payment could be shared is over; settle with the receivers another way.", "已超过该笔支付的可分账期限；请与接收方商定其他方式。";
    PartialNotAllowed = "partial_not_allowed", "The payment can only be refunded as a whole: {refundable}.", "该笔支付只能全额退款：{refundable}。";
    TooManyRefunds = "too_many_refunds", "The payment may have {allowed} refunds and has them.", "该笔支付最多可退款 {allowed} 次，已用完。";
    PaymentUnreconciled = "payment_unreconciled", "The payment is not reconciled with the acquirer yet; try again later.", "该笔支付尚未与收单机构对账；请稍后再试。";
    PayoutInPreparation = "payout_in_preparation", "The payment is in a payout that is being made; try again when it has been paid out.", "该笔支付正在划款；请在划款完成后再试。";
    ReserveInSettlement = "reserve_in_settlement", "The payment's reserve is being paid out; try again when it has been paid out.", "该笔支付的保证金正在划款；请在划款完成后再试。";
    RetrievalOpen = "retrieval_open", "A retrieval of the payment is open; answer it first.", "该笔支付有未处理的调单；请先处理。";
    ChargebackOpen = "chargeback_open", "A chargeback of the payment is open; the money goes back that way.", "该笔支付有未结的拒付；款项将通过拒付退回。";
    ShareRunning = "share_running", "A share of the payment is being carried out; try again when it has ended.", "该笔支付的分账正在处理中；请待分账完成后再试。";
    RefundOpen = "refund_open", "A refund of the payment is on its way; try again when it has ended.", "该笔支付有退款正在处理中；请待退款完成后再试。";
    ExpectedRemainingStale = "expected_remaining_stale", "{refundable} is left of the payment, not what was expected; look at its refunds again.", "该笔支付剩余可退 {refundable}，与预期不符；请重新核对其退款。";
    ExceedsPayment = "exceeds_payment", "The payment took {captured} in all; ask for no more than that.", "该笔支付金额为 {captured}；请勿超过该金额。";
    ExtentMismatch = "extent_mismatch", "The payment took {captured}: a full refund is exactly that, a partial one less.", "该笔支付金额为 {captured}：全额退款须等于该金额，部分退款须小于该金额。";
    ExceedsRefundable = "exceeds_refundable", "{refundable} is left of the payment; ask for no more than that.", "该笔支付剩余可退 {refundable}；请勿超过该金额。";
    ExceedsAuthorised = "exceeds_authorised", "{authorised} was authorised; capture no more than that.", "授权金额为 {authorised}；请款金额不能超过授权金额。";
    ExceedsMarketing = "exceeds_marketing", "{refundable} is left of the marketing part; ask for no more than that.", "营销金额剩余可退 {refundable}；请勿超过该金额。";
    UnknownReceiver = "unknown_receiver", "No merchant of this mode has the account {account}; check the number.", "没有账号为 {account} 的接收方；请检查账号。";
    ExceedsReceiver = "exceeds_receiver", "The receiver {account} can give back {highest} at most; ask for no more than that.", "接收方 {account} 最多可退 {highest}；请勿超过该金额。";
    ExceedsReturned = "exceeds_returned", "All receivers together can give back or have advanced {highest} at most; ask for no more than that.", "全部接收方合计最多可退或垫资 {highest}；请勿超过该金额。";
    LinesExceedAmount = "lines_exceed_amount", "Lines, advance, fee and marketing part are {over} more than the refund; lower them or raise its amount.", "分账退回、垫资、手续费与营销金额合计超出退款金额 {over}；请调低各项或提高退款金额。";
    ExceedsUnshared = "exceeds_unshared", "The lines leave {needed} to the money that was never shared, and that is {unshared}; raise the lines or use pro_rata.", "剩余未分账部分需承担 {needed}，而未分账余额为 {unshared}；请提高分账退回金额或使用按比例退回。";
    ExceedsPool = "exceeds_pool", "{highest} of the payment can still be shared; ask for no more than that.", "该笔支付剩余可分账 {highest}；请勿超过该金额。";
    ExceedsAdvanced = "exceeds_advanced", "{highest} was advanced in the receiver's place and not paid back; ask for no more than that.", "为该接收方垫资且尚未收回的金额为 {highest}；请勿超过该金额。";
    NotEnoughFunds = "not_enough_funds", "{missing} is missing on the account; pay money in and try again.", "账户余额不足，尚缺 {missing}；请充值后重试。";
    ReceiverNotEnoughFunds = "receiver_not_enough_funds", "The receiver {account} has {highest}, not more; ask for less, or advance its part.", "接收方 {account} 可用金额为 {highest}；请减少金额，或为其垫资。";
    UnknownShare = "unknown_share", "The merchant has no such share; check the number.", "该商户没有此笔分账；请检查分账号。";
    ShareStateForbids = "share_state_forbids", "A share that is {state} cannot {verb}.", "分账处于“{state}”状态，不能执行该操作。";
    UnknownRefund = "unknown_refund", "The merchant has no such refund; check the number.", "该商户没有此笔退款；请检查退款号。";
    RefundStateForbids = "refund_state_forbids", "A refund that is {state} cannot {verb}.", "退款处于“{state_zh}”状态，不能执行该操作。";
    DisputeStateForbids = "dispute_state_forbids", "A dispute that is {state} cannot {verb}.", "争议处于“{state}”状态，不能执行该操作。";
    ReviewerIsApplicant = "reviewer_is_applicant", "Whoever applied for a refund may not review it; ask a colleague.", "申请人不能审核自己的退款；请由其他人员审核。";
    ReviewerIsNoPerson = "reviewer_is_no_person", "A second person must review, and this key names nobody; use a key that is bound to a person.", "须由第二人审核，而此密钥未绑定人员；请使用已绑定人员的密钥。";
    ReviewerApprovedAlready = "reviewer_approved_already", "Two people must approve, and you are one of them already; ask a colleague.", "须由两人审核通过，您已通过过一次；请由其他人员审核。";
    ReviewedContentChanged = "reviewed_content_changed", "The refund is not what was shown; look at it again.", "退款内容与所见不一致；请重新查看。";
    ArnIsSet = "arn_is_set", "The refund has the ARN {arn}, and an ARN never changes.", "该退款的查询号为 {arn}，一经设置不可更改。";
    PaymentInconsistent = "payment_inconsistent", "The payment is known with another {field}.", "该笔支付已登记，但 {field} 不同。";
    PaymentStatusForbids = "payment_status_forbids", "A payment that is {status} stays so.", "状态为 {status} 的支付不可再变更。";
    PayoutsOnHold = "payouts_on_hold", "Payouts of the merchant are on hold; end the hold in its payout terms first.", "该商户的划款已暂停；请先在划款条款中解除暂停。";
    PayoutIsPrepared = "payout_is_prepared", "The payout {payout_id} is prepared and not sent; send or cancel it first.", "划款批次 {payout_id} 已制表但尚未划出；请先划出或取消。";
    RefundsWaitForMoney = "refunds_wait_for_money", "{waiting} refunds wait for money, and what comes in is theirs first; try again when they are served.", "有 {waiting} 笔退款正在等待资金，入账款项优先用于退款；请稍后重试。";
    NothingToPayOut = "nothing_to_pay_out", "{due} could be paid out, not more.", "可划款金额为 {due}，不足以划款。";
    BelowPayoutMinimum = "below_payout_minimum", "{due} is due, less than the minimum of {minimum}; it is carried into the next payout.", "应划金额 {due} 低于最低划款金额 {minimum}，将并入下一批次。";
    PayoutStateForbids = "payout_state_forbids", "A payout that is {state} cannot {verb}.", "划款批次处于“{state}”状态，不能执行该操作。";
    AdjustmentIsDecided = "adjustment_is_decided", "The adjustment is {state}; propose another.", "该调账已处理（{state}）；请重新提交。";
    SecondPersonNeeded = "second_person_needed", "Whoever asked for it may not carry it out; ask a colleague.", "申请人不能自行复核；请由其他人员操作。";
    FieldInvalid = "field_invalid", "{field}: {rule}.", "{field} 不符合要求：{rule}。";
    AlreadyExists = "already_exists", "{field} is taken; choose another.", "{field} 已被占用；请更换。";
    LimitReached = "limit_reached", "There can be {limit} {what} at most.", "{what} 最多 {limit} 个。";
    Unknown = "unknown", "The merchant has no such {what}.", "该商户没有此对象（{what}）。";
    OutOfRange = "out_of_range", "The amount is too large to be kept.", "金额超出可记录的范围。";
}

impl Refusal {
    /// Cause and cure, in one language.
    pub fn text(&self, language: Language) -> String {
        self.facts()
            .into_iter()
            .fold(self.template(language).to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), &value))
    }

    /// What it says beyond its code, by name.
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::UnknownMerchant | Self::AgentNotLinked | Self::MerchantSuspended => vec![],
            Self::UnknownTerminal | Self::TerminalSuspended => vec![],
            Self::UnknownPayment | Self::PaymentCancelled | Self::PaymentClosed | Self::AmountNotPositive => vec![],
            Self::ReceiverIsGiver | Self::ShareRunning | Self::RefundOpen | Self::UnknownShare => vec![],
            Self::ReceiverTwice { account } | Self::UnknownReceiver { account } => vec![("account", account.clone())],
            Self::ExceedsReceiver { account, highest } | Self::ReceiverNotEnoughFunds { account, highest } => {
                vec![("account", account.clone()), ("highest", highest.to_string())]
            }
            Self::ExceedsReturned { highest } | Self::ExceedsPool { highest } | Self::ExceedsAdvanced { highest } => {
                vec![("highest", highest.to_string())]
            }
            Self::LinesExceedAmount { over } => vec![("over", over.to_string())],
            Self::ExceedsUnshared { needed, unshared } => vec![("needed", needed.to_string()), ("unshared", unshared.to_string())],
            Self::ShareStateForbids { state, verb } => vec![("state", state.word().to_owned()), ("verb", verb.clone())],
            Self::RetrievalOpen | Self::ChargebackOpen | Self::UnknownRefund | Self::OutOfRange => vec![],
            Self::ReviewerIsApplicant | Self::ReviewerIsNoPerson => vec![],
            Self::ReviewerApprovedAlready | Self::ReviewedContentChanged => vec![],
            Self::PaymentUnreconciled | Self::PayoutInPreparation | Self::ReserveInSettlement => vec![],
            Self::PayoutsOnHold | Self::SecondPersonNeeded => vec![],
            Self::PayoutIsPrepared { payout_id } => vec![("payout_id", payout_id.to_string())],
            Self::RefundsWaitForMoney { waiting } => vec![("waiting", waiting.to_string())],
            Self::NothingToPayOut { due } => vec![("due", due.to_string())],
            Self::BelowPayoutMinimum { due, minimum } => vec![("due", due.to_string()), ("minimum", minimum.to_string())],
            Self::PayoutStateForbids { state, verb } => vec![("state", state.word().to_owned()), ("verb", verb.clone())],
            Self::AdjustmentIsDecided { state } => vec![("state", state.word().to_owned())],
            Self::NotAllowed { permission } => vec![("permission", permission.clone())],
            Self::RepeatInconsistent { field, first, now } => {
                vec![("field", field.clone()), ("first", first.clone()), ("now", now.clone())]
            }
            Self::PaymentNotCaptured { status } | Self::PaymentStatusForbids { status } => vec![("status", status.word().to_owned())],
            Self::CurrencyMismatch { expected } => vec![("expected", expected.to_string())],
            Self::RefundWindowExceeded { until } | Self::ShareWindowExceeded { until } => vec![("until_us", until.us().to_string())],
            Self::PartialNotAllowed { refundable }
            | Self::ExpectedRemainingStale { refundable }
            | Self::ExceedsRefundable { refundable }
            | Self::ExceedsMarketing { refundable } => vec![("refundable", refundable.to_string())],
            Self::ExceedsPayment { captured } | Self::ExtentMismatch { captured } => vec![("captured", captured.to_string())],
            Self::ExceedsAuthorised { authorised } => vec![("authorised", authorised.to_string())],
            Self::DisputeStateForbids { state, verb } => vec![("state", state.word().to_owned()), ("verb", verb.clone())],
            Self::TooManyRefunds { allowed } => vec![("allowed", allowed.to_string())],
            Self::NotEnoughFunds { missing } => vec![("missing", missing.to_string())],
            Self::RefundStateForbids { state, verb } => {
                let chinese = state.text(Language::Zh).to_owned();
                vec![("state", state.word().to_owned()), ("state_zh", chinese), ("verb", verb.clone())]
            }
            Self::ArnIsSet { arn } => vec![("arn", arn.clone())],
            Self::PaymentInconsistent { field } | Self::AlreadyExists { field } => vec![("field", field.clone())],
            Self::FieldInvalid { field, rule } => vec![("field", field.clone()), ("rule", rule.clone())],
            Self::LimitReached { what, limit } => vec![("what", what.clone()), ("limit", limit.to_string())],
            Self::Unknown { what } => vec![("what", what.clone())],
        }
    }
}
