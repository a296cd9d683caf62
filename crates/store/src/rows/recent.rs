//! What rules about velocity look at of a refund.

use refundry_engine::refund::RefundStateName;
use refundry_engine::review_rule::RecentRefund;
use refundry_engine::{RefundId, TerminalId};

use super::columns::ReadColumns;
use super::refund::state_from;
use crate::StoreError;

/// The columns, in the order in which [`read`] wants them.
pub const COLUMNS: &str = "refund_id, terminal_id, created_at, currency, amount_minor, state";

/// Reads one.
pub fn read<'r>(columns: &mut impl ReadColumns<'r>) -> Result<(RefundId, RecentRefund), StoreError> {
    let id = RefundId::new(columns.int()?);
    let terminal_id = TerminalId::new(columns.int()?);
    let created_at = columns.instant()?;
    let currency = columns.currency()?;
    let amount = columns.money(currency)?;
    let counts = match columns.word(state_from)? {
        RefundStateName::Pending | RefundStateName::Submitted | RefundStateName::Unresolved | RefundStateName::Succeeded => true,
        RefundStateName::Failed | RefundStateName::Cancelled | RefundStateName::Returned => false,
    };
    Ok((id, RecentRefund { terminal_id, created_at, amount, counts }))
}
