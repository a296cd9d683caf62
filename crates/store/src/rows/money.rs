//! What the commit writes of balances, whatever the database.

use std::collections::BTreeSet;

use refundry_engine::posting_rules::SPENDABLE;
use refundry_engine::{Changes, MerchantId, Snapshot};
use refundry_ledger::{Currency, LedgerAccount};

use super::json_text;
use crate::StoreError;

/// A balance.
pub type Place = (MerchantId, Currency, LedgerAccount);

/// The balances that changes write: those of their entries, and those whose pots a payout began anew.
pub fn touched(changes: &Changes) -> BTreeSet<Place> {
    let posted = changes.entries.iter().flat_map(|booked| booked.entry.postings());
    let posted =
        posted.flat_map(|posting| [posting.debit, posting.credit].map(|account| (posting.book, posting.amount.currency(), account)));
    let pots = changes.pots.keys().map(|(merchant_id, currency)| (*merchant_id, *currency, SPENDABLE));
    posted.chain(pots).collect()
}

/// What moved on the available money since the last payouts; other accounts have none.
pub fn turnover(snapshot: &Snapshot, (merchant_id, currency, account): Place) -> Result<Option<String>, StoreError> {
    if account != SPENDABLE {
        return Ok(None);
    }
    snapshot.pots.get(&(merchant_id, currency)).map(json_text).transpose()
}
