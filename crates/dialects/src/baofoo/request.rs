//! What is asked for: refunds, how things stand, orders. Each method has a schema of its own; shares are read by [`share_request`].

use refundry_engine::idempotency::ComparedFields;
use refundry_engine::payment::{PaymentKey, REFERENCE_LENGTH_MAX};
use refundry_ledger::Money;

use super::biz::{Biz, fen, malformed, missing};
use super::envelope::{Envelope, NUMBER_LENGTH_MAX, wrong};
use super::kept::Kept;
use super::method::Method;
use super::{share_request, trade_no};
use crate::sharing::{AskedPart, AskedReturns, AskedShares, COMPARED_PAYMENT, NamedPayment, OrderWish, ShareInquiry};
use crate::{Flaw, Incoming, RefundInquiry, RefundWish, WireError, WireRequest};

/// Letters of a number that we give.
const TRADE_NO_LENGTH_MAX: usize = 32;
/// Letters of a merchant's number of a refund or a share.
pub const OUT_TRADE_NO_LENGTH_MAX: usize = 50;
/// Letters of a merchant's order number when it is ordered here.
const ORDER_NUMBER_LENGTH_MAX: usize = 32;
/// Letters of texts for people, of addresses and of reserved members.
pub const TEXT_LENGTH_MAX: usize = 128;
/// Minutes in which an order can be paid, when it does not say.
const EXPIRES_MINUTES: i64 = 30;
/// Minutes in which an order can be paid at most: seven days.
const EXPIRES_MINUTES_MAX: i64 = 7 * 24 * 60;
/// The only type of an order whose money can be shared.
const ORDER_TYPE: i64 = 7;

/// Bytes to what is asked for.
pub fn read(request: &WireRequest<'_>) -> Result<Incoming, WireError> {
    let envelope = Envelope::open(request)?;
    envelope.check()?;
    let method = envelope.method().ok_or_else(|| malformed("method", "is not a method that is spoken here"))?;
    let biz = Biz::new(envelope.content().ok_or_else(|| wrong("bizContent", Flaw::Malformed, "must be a JSON object"))?);
    let account = check_caller(&envelope, &biz)?;
    let foreign = Method::marks().into_iter().find(|(owner, name)| *owner != method && biz.has(name));
    if let Some((owner, name)) = foreign {
        return Err(malformed(name, &format!("belongs to {}: was this signed for another method?", owner.word())));
    }
    Ok(match method {
        Method::OrderRefund => Incoming::Refund(Box::new(refund(&biz, &account)?)),
        Method::RefundQuery => Incoming::Inquiry(refund_inquiry(&biz)?),
        Method::ShareQuery => Incoming::ShareInquiry(share_inquiry(&biz)?),
        Method::OrderQuery => Incoming::OrderInquiry(order(&biz)?),
        Method::OrderClose => Incoming::OrderClose(order(&biz)?),
        Method::OrderBalanceQuery => {
            biz.text("reqReserved", 1_024)?;
            Incoming::BalanceInquiry(payment(&biz)?)
        }
        Method::ShareAfterPay => Incoming::Share(Box::new(share_request::share(&biz)?)),
        Method::UnifiedOrder => Incoming::Order(Box::new(unified_order(&biz, &account)?)),
    })
}

/// The merchant of the signed text must be that of the envelope, unless the envelope names the agent that acts for it.
fn check_caller(envelope: &Envelope<'_>, biz: &Biz) -> Result<String, WireError> {
    let named = (biz.needed("merId", NUMBER_LENGTH_MAX)?, biz.needed("terId", NUMBER_LENGTH_MAX)?);
    let agent = biz.text("agentMerId", NUMBER_LENGTH_MAX)?.zip(biz.text("agentTerId", NUMBER_LENGTH_MAX)?);
    if biz.has("agentMerId") != agent.is_some() {
        return Err(missing("agentTerId"));
    }
    let sent = (envelope.sent("merId").trim(), envelope.sent("terId").trim());
    let is = |(account, terminal): &(String, String)| sent == (account.as_str(), terminal.as_str());
    if is(&named) || agent.as_ref().is_some_and(is) { Ok(named.0) } else { Err(WireError::OtherAccount) }
}

fn refund(biz: &Biz, account: &str) -> Result<RefundWish, WireError> {
    let payment = payment(biz)?;
    let number = biz.number("outTradeNo", OUT_TRADE_NO_LENGTH_MAX)?;
    let user_part = biz.positive("refundAmt")?;
    let total = biz.positive("totalAmt")?;
    let marketing = marketing(biz, "mktRefundInfo", account)?;
    if total.minor() != user_part.minor().saturating_add(marketing.minor()) {
        return Err(malformed("totalAmt", "must be refundAmt and mktAmt together / 退款总金额须等于退款金额与营销退款金额之和"));
    }
    let lines = biz.parts("sharingRefundInfo")?;
    let advance = biz.amount("advanceAmt")?.filter(|advance| advance.is_positive());
    let kept = Kept {
        txn_time: Some(biz.time("txnTime")?),
        agent_mer_id: biz.text("agentMerId", NUMBER_LENGTH_MAX)?,
        agent_ter_id: biz.text("agentTerId", NUMBER_LENGTH_MAX)?,
        attach: biz.text("attach", TEXT_LENGTH_MAX)?,
        req_reserved: biz.text("reqReserved", TEXT_LENGTH_MAX)?,
        merchant_name: biz.text("merchantName", TEXT_LENGTH_MAX)?,
    };
    let reason = biz.needed("refundReason", TEXT_LENGTH_MAX)?;
    let notify_url = biz.text("notifyUrl", TEXT_LENGTH_MAX)?;
    let compared = [
        ("refundAmt", user_part.minor().to_string()),
        ("totalAmt", total.minor().to_string()),
        ("sharingRefundInfo", parts_text(&lines)),
        ("advanceAmt", advance.map_or(0, Money::minor).to_string()),
    ];
    let nothing_shared = lines.is_empty() && advance.is_none();
    Ok(RefundWish {
        compared: compared_with(&payment, compared),
        marketing: Some(marketing).filter(|marketing| marketing.is_positive()),
        sharing: (!nothing_shared).then_some(AskedShares { lines: AskedReturns::Named(lines), advance }),
        reason: Some(reason),
        metadata: Some(kept.render()),
        notify_url,
        ..RefundWish::new(number, payment, total)
    })
}

/// Only the merchant itself bears marketing money; an amount of zero is none, and clients that always send the object name nobody in it.
pub fn marketing(biz: &Biz, name: &str, account: &str) -> Result<Money, WireError> {
    let Some(marketing) = biz.object(name)? else { return Ok(fen(0)) };
    let bearer = marketing.text("mktMerId", NUMBER_LENGTH_MAX)?;
    let amount = marketing.amount("mktAmt")?;
    if bearer.is_none() && amount.is_none_or(|amount| !amount.is_positive()) {
        return Ok(fen(0));
    }
    let bearer = bearer.ok_or_else(|| missing("mktMerId"))?;
    let amount = amount.ok_or_else(|| missing("mktAmt"))?;
    if bearer == account { Ok(amount) } else { Err(malformed("mktMerId", "must be merId: the trading merchant alone bears marketing")) }
}

/// What is compared when a number comes again. A payment that is named by its order number only is added once it is found.
pub fn compared_with<const N: usize>(payment: &NamedPayment, fields: [(&str, String); N]) -> ComparedFields {
    let reference = match payment {
        NamedPayment::Key(PaymentKey::Reference(reference)) | NamedPayment::Both { key: PaymentKey::Reference(reference), .. } => {
            Some((COMPARED_PAYMENT, reference.clone()))
        }
        NamedPayment::Key(PaymentKey::Id(_)) | NamedPayment::Both { key: PaymentKey::Id(_), .. } | NamedPayment::OrderNumber(_) => None,
    };
    reference.into_iter().chain(fields).map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Receivers with their amounts, in whichever order they were sent.
pub fn parts_text(parts: &[AskedPart]) -> String {
    let mut texts: Vec<String> = parts.iter().map(|part| format!("{}:{}", part.account, part.amount.minor())).collect();
    texts.sort_unstable();
    texts.join(",")
}

/// The payment that a refund, a share or a question about what is left is about.
pub fn payment(biz: &Biz) -> Result<NamedPayment, WireError> {
    named(biz, ["originTradeNo", "originOutTradeNo"])
}

fn order(biz: &Biz) -> Result<NamedPayment, WireError> {
    named(biz, ["tradeNo", "outTradeNo"])
}

fn named(biz: &Biz, [trade_no, out_trade_no]: [&str; 2]) -> Result<NamedPayment, WireError> {
    let key = biz.text(trade_no, TRADE_NO_LENGTH_MAX)?.map(PaymentKey::Reference);
    let order_number = biz.text(out_trade_no, REFERENCE_LENGTH_MAX)?;
    match (key, order_number) {
        (Some(key), None) => Ok(NamedPayment::Key(key)),
        (None, Some(order_number)) => Ok(NamedPayment::OrderNumber(order_number)),
        (Some(key), Some(order_number)) => Ok(NamedPayment::Both { key, order_number }),
        (None, None) => Err(wrong(trade_no, Flaw::Missing, &format!("or {out_trade_no} must be sent"))),
    }
}

/// Our number wins over the merchant's.
fn refund_inquiry(biz: &Biz) -> Result<RefundInquiry, WireError> {
    let number = biz.text("outTradeNo", OUT_TRADE_NO_LENGTH_MAX)?;
    match biz.text("tradeNo", TRADE_NO_LENGTH_MAX)? {
        Some(trade_no) => Ok(trade_no::refund(&trade_no).map_or(RefundInquiry::Nonsense, RefundInquiry::Id)),
        None => number.map(RefundInquiry::Number).ok_or_else(|| wrong("outTradeNo", Flaw::Missing, "or tradeNo must be sent")),
    }
}

fn share_inquiry(biz: &Biz) -> Result<ShareInquiry, WireError> {
    let number = biz.text("outTradeNo", OUT_TRADE_NO_LENGTH_MAX)?;
    match biz.text("tradeNo", TRADE_NO_LENGTH_MAX)? {
        Some(trade_no) => Ok(trade_no::share(&trade_no).map_or(ShareInquiry::Nonsense, ShareInquiry::Id)),
        None => number.map(ShareInquiry::Number).ok_or_else(|| wrong("outTradeNo", Flaw::Missing, "or tradeNo must be sent")),
    }
}

fn unified_order(biz: &Biz, account: &str) -> Result<OrderWish, WireError> {
    let number = biz.number("outTradeNo", ORDER_NUMBER_LENGTH_MAX)?;
    let user_part = biz.positive("txnAmt")?;
    let amount = biz.positive("totalAmt")?;
    let marketing = marketing(biz, "mktInfo", account)?;
    if amount.minor() != user_part.minor().saturating_add(marketing.minor()) {
        return Err(malformed("totalAmt", "must be txnAmt and mktAmt together / 订单总金额须等于交易金额与营销金额之和"));
    }
    let shares_money = match biz.needed("prodType", 16)?.as_str() {
        "SHARING" => true,
        "ORDINARY" => false,
        _ => return Err(malformed("prodType", "must be SHARING or ORDINARY")),
    };
    if biz.count("orderType", ORDER_TYPE)?.is_some_and(|order_type| order_type != ORDER_TYPE) {
        return Err(malformed("orderType", "must be 7"));
    }
    let sharing = share_request::planned(biz, &number)?;
    if sharing.is_some() && !shares_money {
        return Err(malformed("sharingInfo", "needs prodType SHARING"));
    }
    let expires_minutes = biz.count("timeExpire", EXPIRES_MINUTES_MAX)?.unwrap_or(EXPIRES_MINUTES);
    let method = biz.needed("payCode", REFERENCE_LENGTH_MAX)?;
    let compared = [
        ("txnAmt", user_part.minor().to_string()),
        ("totalAmt", amount.minor().to_string()),
        ("payCode", method.clone()),
        ("sharingInfo", sharing.as_ref().map(|sharing| parts_text(&sharing.lines)).unwrap_or_default()),
    ];
    Ok(OrderWish {
        compared: compared.map(|(name, value)| (name.to_owned(), value)).into_iter().collect(),
        number,
        amount,
        marketing,
        method,
        expires_minutes: u32::try_from(expires_minutes).unwrap_or(u32::MAX),
        notify_url: biz.text("notifyUrl", TEXT_LENGTH_MAX)?,
        sharing,
        asked_at_text: Some(biz.time("txnTime")?),
    })
}
