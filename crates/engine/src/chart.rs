//! The chart of accounts of a merchant's book. Codes are stored: never reuse one.

use refundry_ledger::{LedgerAccount, Side};

/// Captured, not yet settled: owed to the merchant.
pub const UNSETTLED: LedgerAccount = LedgerAccount::new(1, "unsettled", Side::Credit);
/// Free for payouts and refunds: owed to the merchant.
pub const AVAILABLE: LedgerAccount = LedgerAccount::new(2, "available", Side::Credit);
/// Held back against risk: owed to the merchant.
pub const RESERVE: LedgerAccount = LedgerAccount::new(3, "reserve", Side::Credit);
/// The merchant's marketing money.
pub const MARKETING: LedgerAccount = LedgerAccount::new(4, "marketing", Side::Credit);
/// Drawn for refunds that are not final.
pub const REFUNDS_IN_FLIGHT: LedgerAccount = LedgerAccount::new(5, "refunds_in_flight", Side::Credit);
/// On its way between the books of giver and receiver; over all merchants it is zero.
pub const SHARES_DUE: LedgerAccount = LedgerAccount::new(6, "shares_due", Side::Credit);
/// Advanced in a receiver's place.
pub const ADVANCES: LedgerAccount = LedgerAccount::new(7, "advances", Side::Debit);
/// Taken by issuers, not decided.
pub const CHARGEBACKS: LedgerAccount = LedgerAccount::new(8, "chargebacks", Side::Credit);
/// Paid twice or owed by the merchant: a claim.
pub const EXPOSURE: LedgerAccount = LedgerAccount::new(9, "exposure", Side::Debit);
/// On its way to the merchant's bank.
pub const PAID_OUT: LedgerAccount = LedgerAccount::new(10, "paid_out", Side::Credit);
/// What the acquirer owes the operator for this merchant.
pub const ACQUIRER_RECEIVABLE: LedgerAccount = LedgerAccount::new(11, "acquirer_receivable", Side::Debit);
/// The operator's money that this merchant's business brought.
pub const OPERATOR_CASH: LedgerAccount = LedgerAccount::new(12, "operator_cash", Side::Debit);
/// The operator's fees.
pub const FEE_INCOME: LedgerAccount = LedgerAccount::new(13, "fee_income", Side::Credit);
/// Between two currencies.
pub const FX_CLEARING: LedgerAccount = LedgerAccount::new(14, "fx_clearing", Side::Credit);

/// Held back until the contract's fixed amount is there: owed to the merchant.
pub const FIXED_RESERVE: LedgerAccount = LedgerAccount::new(15, "fixed_reserve", Side::Credit);
/// What receivers owe for what was advanced in their place: a memorandum beside [`ADVANCES`].
pub const ADVANCES_CLAIMED: LedgerAccount = LedgerAccount::new(16, "advances_claimed", Side::Credit);

/// All of them, by code.
pub const ALL: [LedgerAccount; 16] = [
    UNSETTLED,
    AVAILABLE,
    RESERVE,
    MARKETING,
    REFUNDS_IN_FLIGHT,
    SHARES_DUE,
    ADVANCES,
    CHARGEBACKS,
    EXPOSURE,
    PAID_OUT,
    ACQUIRER_RECEIVABLE,
    OPERATOR_CASH,
    FEE_INCOME,
    FX_CLEARING,
    FIXED_RESERVE,
    ADVANCES_CLAIMED,
];

/// The account of a stored code.
pub fn by_code(code: u8) -> Option<LedgerAccount> {
    ALL.iter().copied().find(|account| account.code() == code)
}
