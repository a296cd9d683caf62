use refundry_engine::adjustment::{Adjustment, AdjustmentState};
use refundry_engine::ids::first_id_at;
use refundry_engine::merchant::Mode;
use refundry_engine::payout::{Payout, PayoutKind, PayoutStateName, cause_of_preparing};
use refundry_engine::posting_rules::SPENDABLE;
use refundry_engine::{AdjustmentId, EntryId, MerchantId, PaymentId, PayoutId, RefundId, Timestamp};
use refundry_ledger::Currency;

use crate::rows::ReadColumns;
use crate::{PAGE_LIMIT_MAX, Page, PageRequest, Reading, StoreError};

/// Postings that one page of lines looks at, at most.
pub const LINES_SCAN_MAX: u32 = 5_000;

/// A command may wait this long between its stamp, which its entries' ids carry, and its commit, which decides to which payout they belong.
const STAMP_MARGIN_MS: i64 = 600_000;

/// What payouts and adjustments ask of storage beside [`Store`](crate::Store).
pub trait PayoutReads: Send + Sync {
    /// One payout.
    fn payout(&self, merchant_id: MerchantId, id: PayoutId) -> Reading<'_, Option<Payout>>;
    /// Payouts, newest first.
    fn payouts<'a>(&'a self, filter: &'a PayoutFilter, page: PageRequest) -> Reading<'a, Page<Payout>>;
    /// The lines of a payout's statement, oldest first.
    fn payout_lines<'a>(&'a self, payout: &'a Payout, page: PageRequest) -> Reading<'a, Page<PayoutLine>>;
    /// What a merchant was paid out in all: what arrived and did not come back.
    fn paid_out(&self, merchant_id: MerchantId) -> Reading<'_, Vec<PaidOut>>;
    /// One adjustment.
    fn adjustment(&self, merchant_id: MerchantId, id: AdjustmentId) -> Reading<'_, Option<Adjustment>>;
    /// Adjustments, newest first.
    fn adjustments<'a>(&'a self, filter: &'a AdjustmentFilter, page: PageRequest) -> Reading<'a, Page<Adjustment>>;
}

/// Which payouts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PayoutFilter {
    /// Of this merchant; `None` (operator only) for all of a mode.
    pub merchant_id: Option<MerchantId>,
    /// Sandbox or live.
    pub mode: Option<Mode>,
    /// Of this kind.
    pub kind: Option<PayoutKind>,
    /// In this state.
    pub state: Option<PayoutStateName>,
    /// In this currency.
    pub currency: Option<Currency>,
    /// Prepared at or after.
    pub from: Option<Timestamp>,
    /// Prepared before.
    pub to: Option<Timestamp>,
    /// Arrived at or after.
    pub paid_from: Option<Timestamp>,
    /// Arrived before.
    pub paid_to: Option<Timestamp>,
}

impl PayoutFilter {
    pub(crate) fn fits(&self, payout: &Payout) -> bool {
        let paid_at = payout.state.paid_at();
        self.mode.is_none_or(|mode| payout.mode == mode)
            && self.kind.is_none_or(|kind| payout.kind == kind)
            && self.state.is_none_or(|state| payout.state.name() == state)
            && self.currency.is_none_or(|currency| payout.amount.currency() == currency)
            && self.from.is_none_or(|from| payout.prepared_at >= from)
            && self.to.is_none_or(|to| payout.prepared_at < to)
            && self.paid_from.is_none_or(|from| paid_at.is_some_and(|at| at >= from))
            && self.paid_to.is_none_or(|to| paid_at.is_some_and(|at| at < to))
    }
}

/// Which adjustments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AdjustmentFilter {
    /// Of this merchant; `None` (operator only) for all of a mode.
    pub merchant_id: Option<MerchantId>,
    /// Sandbox or live.
    pub mode: Option<Mode>,
    /// In this state.
    pub state: Option<AdjustmentState>,
    /// In this currency.
    pub currency: Option<Currency>,
}

impl AdjustmentFilter {
    pub(crate) fn fits(&self, adjustment: &Adjustment) -> bool {
        self.mode.is_none_or(|mode| adjustment.mode == mode)
            && self.state.is_none_or(|state| adjustment.state == state)
            && self.currency.is_none_or(|currency| adjustment.amount.currency() == currency)
    }
}

/// What a merchant was paid out in one currency and of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaidOut {
    /// Of which kind.
    pub kind: PayoutKind,
    /// In which currency.
    pub currency: Currency,
    /// How much.
    pub minor: i64,
    /// In how many payouts.
    pub count: i64,
}

pub(crate) fn paid_out<'r>(columns: &mut impl ReadColumns<'r>) -> Result<PaidOut, StoreError> {
    let kind = columns.word(PayoutKind::from_word)?;
    Ok(PaidOut { kind, currency: columns.currency()?, minor: columns.int()?, count: columns.int()? })
}

/// One posting of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayoutLine {
    /// Of which entry.
    pub entry_id: EntryId,
    /// When it was booked.
    pub at: Timestamp,
    /// What caused it.
    pub cause: String,
    /// What came in, below zero for what went out.
    pub minor: i64,
    /// The payment that it is about.
    pub payment_id: Option<PaymentId>,
    /// The refund that it is about.
    pub refund_id: Option<RefundId>,
    /// The number that the merchant was given for the payment.
    pub payment_reference: Option<String>,
    /// The merchant's order number.
    pub merchant_reference: Option<String>,
}

/// The columns of postings that lines are made of, without what is known of their payments.
pub(crate) const LINE_COLUMNS: &str = "postings.merchant_id, entry_id, at, cause, debit_account, credit_account, amount_minor, \
    postings.currency, payment_id, refund_id, period";

/// Picks the lines of a statement out of postings in their order, until a page is full.
pub(crate) struct LinePicker<'a> {
    payout: &'a Payout,
    limit: usize,
    looked_at: u32,
    last: Option<i64>,
    page: Page<PayoutLine>,
}

/// What becomes of a posting.
pub(crate) enum Picked {
    /// It is a line, without what is known of its payment.
    Line(PayoutLine),
    /// It is none.
    Other,
    /// It belongs to the next page.
    Full,
}

impl<'a> LinePicker<'a> {
    pub(crate) fn new(payout: &'a Payout, page: PageRequest) -> Self {
        let limit = page.limit.clamp(1, PAGE_LIMIT_MAX) as usize;
        Self { payout, limit, looked_at: 0, last: None, page: Page { rows: Vec::new(), next: None } }
    }

    /// Looks at a posting. An entry is never cut in two.
    pub(crate) fn pick<'r>(&mut self, columns: &mut impl ReadColumns<'r>) -> Result<Picked, StoreError> {
        let (merchant_id, entry_id) = (columns.int()?, columns.int()?);
        if (self.page.rows.len() >= self.limit || self.looked_at >= LINES_SCAN_MAX) && self.last != Some(entry_id) {
            self.page.next = self.last;
            return Ok(Picked::Full);
        }
        self.last = Some(entry_id);
        self.looked_at += 1;
        let at = columns.instant()?;
        let cause = columns.text()?;
        let (debit, credit): (u8, u8) = (columns.small()?, columns.small()?);
        let minor = match SPENDABLE.code() {
            code if code == debit => columns.int()?.saturating_neg(),
            code if code == credit => columns.int()?,
            _ => return Ok(Picked::Other),
        };
        let currency = columns.currency()?;
        let (payment_id, refund_id, period) = (columns.int_or_null()?, columns.int_or_null()?, columns.int()?);
        let Payout { statement, amount, kind, .. } = self.payout;
        let is_line = merchant_id == self.payout.merchant_id.get()
            && currency == amount.currency()
            && cause != cause_of_preparing(*kind)
            && statement.is_line(cause, period);
        if !is_line {
            return Ok(Picked::Other);
        }
        Ok(Picked::Line(PayoutLine {
            entry_id: EntryId::new(entry_id),
            at,
            cause: cause.to_owned(),
            minor,
            payment_id: payment_id.map(PaymentId::new),
            refund_id: refund_id.map(RefundId::new),
            payment_reference: None,
            merchant_reference: None,
        }))
    }

    pub(crate) fn keep(&mut self, line: PayoutLine) {
        self.page.rows.push(line);
    }

    pub(crate) fn finish(self) -> Page<PayoutLine> {
        self.page
    }
}

/// The ids behind `after` that entries of a payout may have: the first that is not wanted, and the first that is too late.
pub(crate) fn line_range(payout: &Payout, page: PageRequest) -> (i64, i64) {
    let from = payout.opened_at.map_or(i64::MIN, |at| first_id_at(at.plus_ms(-STAMP_MARGIN_MS)) - 1);
    (page.after.unwrap_or(from), first_id_at(payout.prepared_at.plus_ms(STAMP_MARGIN_MS)))
}
