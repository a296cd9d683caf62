//! A refund that waits for money, beside its payment.

use refundry_engine::funds::queue::WaitingRefund;
use refundry_engine::share::{FeeMode, RefundSharing, Sharing};
use refundry_engine::{PaymentId, RefundId, TerminalId, Timestamp};

use super::columns::ReadColumns;
use crate::StoreError;

/// The columns that [`read`] wants, of refunds and the payments beside them.
pub const COLUMNS: &str = "refunds.refund_id, refunds.terminal_id, refunds.payment_id, method, \
    payments.currency, captured_minor, quote, converted, amount_minor, refund_fee_minor, refunds.fee_given_back_minor, settled, unsettled_left_minor, \
    settle_at, reserve_left_minor, reserve_release_at, refunds.sharing, payments.sharing";

/// Reads one; all its amounts are of the payment's currency.
pub fn read<'r>(columns: &mut impl ReadColumns<'r>) -> Result<WaitingRefund, StoreError> {
    let refund_id = RefundId::new(columns.int()?);
    let (terminal_id, payment_id) = (TerminalId::new(columns.int()?), PaymentId::new(columns.int()?));
    let (method, currency) = (columns.string()?, columns.currency()?);
    let mut waiting = WaitingRefund {
        refund_id,
        terminal_id,
        payment_id,
        method,
        captured: columns.money(currency)?,
        quote: columns.json_or_null()?,
        converted: columns.json_or_null()?.unwrap_or_default(),
        amount: columns.money(currency)?,
        returned_minor: 0,
        advance_minor: 0,
        fee_mode: FeeMode::FromPayment,
        refund_fee: columns.money(currency)?,
        fee_given_back: columns.money(currency)?,
        settled: columns.flag()?,
        unsettled_left: columns.money(currency)?,
        settle_at: columns.int_or_null()?.map(Timestamp::from_us),
        reserve_left: columns.money(currency)?,
        reserve_release_at: columns.int_or_null()?.map(Timestamp::from_us),
    };
    if let Some(of) = columns.json_or_null::<RefundSharing>()? {
        (waiting.returned_minor, waiting.advance_minor) = (of.lines_minor(), of.advance_minor);
    }
    if let Some(sharing) = columns.json_or_null::<Sharing>()? {
        waiting.fee_mode = sharing.fee_mode;
    }
    Ok(waiting)
}
