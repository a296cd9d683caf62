//! Shares as they are asked for: after the payment, or planned together with its order.

use super::biz::{Biz, check_number, instant, missing};
use super::request::{OUT_TRADE_NO_LENGTH_MAX, TEXT_LENGTH_MAX, compared_with, parts_text, payment};
use crate::WireError;
use crate::sharing::{AskedPart, PlannedSharing, ShareWish};

/// A share of a payment that was made.
pub fn share(biz: &Biz) -> Result<ShareWish, WireError> {
    let payment = payment(biz)?;
    let number = biz.number("outTradeNo", OUT_TRADE_NO_LENGTH_MAX)?;
    let lines = receivers(biz)?;
    Ok(ShareWish {
        compared: compared_with(&payment, [("sharingDetails", parts_text(&lines))]),
        number,
        payment,
        lines,
        notify_url: biz.text("notifyUrl", TEXT_LENGTH_MAX)?,
        asked_at_text: Some(biz.time("txnTime")?),
    })
}

/// A share that begins by itself. The vendor has published the names of its receivers and its address only, so the names of its time and number
/// are ours; without a number of its own it has the order's.
pub fn planned(biz: &Biz, order_number: &str) -> Result<Option<PlannedSharing>, WireError> {
    let Some(sharing) = biz.object("sharingInfo")? else { return Ok(None) };
    let number = sharing.text("sharingOutTradeNo", OUT_TRADE_NO_LENGTH_MAX)?.unwrap_or_else(|| order_number.to_owned());
    check_number("sharingOutTradeNo", &number)?;
    let lines = receivers(&sharing)?;
    Ok(Some(PlannedSharing {
        compared: vec![("sharingDetails".to_owned(), parts_text(&lines))],
        number,
        lines,
        due_at: instant(&sharing.time("sharingTime")?),
        notify_url: sharing.text("sharingNotifyUrl", TEXT_LENGTH_MAX)?,
    }))
}

fn receivers(biz: &Biz) -> Result<Vec<AskedPart>, WireError> {
    let lines = biz.parts("sharingDetails")?;
    if lines.is_empty() { Err(missing("sharingDetails")) } else { Ok(lines) }
}
