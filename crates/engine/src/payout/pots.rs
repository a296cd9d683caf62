//! The pots: what moved on a merchant's available money since the last payout of each kind, added up by cause while it is booked. So a
//! payout's statement is there when the payout is, exact, and nobody adds up postings for it.

use std::collections::BTreeMap;

use refundry_ledger::{Currency, Entry};
use serde::{Deserialize, Serialize};

use super::causes::pot_of;
use super::{FIRST_PERIOD, PayoutKind};
use crate::posting_rules::SPENDABLE;
use crate::{MerchantId, PayoutId, Timestamp};

/// What a merchant's available money of one currency is made of. `trade` and `reserve` together are the balance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pots {
    /// The number of the span of time that postings fall into now; every payout begins the next one.
    pub period: i64,
    /// What was traded.
    pub trade: Pot,
    /// What was released from the reserve.
    pub reserve: Pot,
    /// The payout of the trade pot that is prepared and not sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trade_in_preparation: Option<InPreparation>,
    /// The payout of the reserve pot that is prepared and not sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserve_in_preparation: Option<InPreparation>,
}

/// What moved in one pot since its last payout.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pot {
    /// The first period that belongs to it.
    pub first_period: i64,
    /// When that began; `None` for the first.
    pub since: Option<Timestamp>,
    /// What was in it then.
    pub opening_minor: i64,
    /// What came and went since, by cause.
    pub movements: BTreeMap<String, Sums>,
}

/// What one cause moved: out by debits, in by credits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "[i64; 4]", into = "[i64; 4]")]
pub struct Sums {
    /// What went out.
    pub debit_minor: i64,
    /// In how many postings.
    pub debit_count: i64,
    /// What came in.
    pub credit_minor: i64,
    /// In how many postings.
    pub credit_count: i64,
}

/// A payout that is prepared and not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InPreparation {
    /// Which.
    pub payout_id: PayoutId,
    /// When its period began; `None` for the first.
    pub from: Option<Timestamp>,
    /// When its period ended.
    pub to: Timestamp,
}

impl From<[i64; 4]> for Sums {
    fn from([debit_minor, debit_count, credit_minor, credit_count]: [i64; 4]) -> Self {
        Self { debit_minor, debit_count, credit_minor, credit_count }
    }
}

impl From<Sums> for [i64; 4] {
    fn from(sums: Sums) -> Self {
        [sums.debit_minor, sums.debit_count, sums.credit_minor, sums.credit_count]
    }
}

impl Sums {
    /// What came in less what went out.
    pub const fn net_minor(&self) -> i64 {
        self.credit_minor.saturating_sub(self.debit_minor)
    }

    /// Adds others. Sums of one period stay far within 64 bits; `doctor books` would name those that do not.
    pub const fn add(&mut self, other: Self) {
        self.debit_minor = self.debit_minor.saturating_add(other.debit_minor);
        self.debit_count = self.debit_count.saturating_add(other.debit_count);
        self.credit_minor = self.credit_minor.saturating_add(other.credit_minor);
        self.credit_count = self.credit_count.saturating_add(other.credit_count);
    }
}

impl Pot {
    /// What is in it.
    pub fn balance_minor(&self) -> i64 {
        self.movements.values().fold(self.opening_minor, |balance, sums| balance.saturating_add(sums.net_minor()))
    }

    fn record(&mut self, cause: &str, sums: Sums) {
        match self.movements.get_mut(cause) {
            Some(known) => known.add(sums),
            None => drop(self.movements.insert(cause.to_owned(), sums)),
        }
    }
}

impl Pots {
    /// The pots of an account that stood at `balance_minor` when they began to be kept.
    pub fn opened_with(balance_minor: i64) -> Self {
        Self {
            period: FIRST_PERIOD,
            trade: Pot { first_period: FIRST_PERIOD, opening_minor: balance_minor, ..Pot::default() },
            reserve: Pot { first_period: FIRST_PERIOD, ..Pot::default() },
            trade_in_preparation: None,
            reserve_in_preparation: None,
        }
    }

    /// The pot that payouts of a kind are made from.
    pub const fn pot(&self, kind: PayoutKind) -> &Pot {
        match kind {
            PayoutKind::Trade => &self.trade,
            PayoutKind::Reserve => &self.reserve,
        }
    }

    /// The payout of a kind that is prepared and not sent.
    pub const fn in_preparation(&self, kind: PayoutKind) -> Option<&InPreparation> {
        match kind {
            PayoutKind::Trade => self.trade_in_preparation.as_ref(),
            PayoutKind::Reserve => self.reserve_in_preparation.as_ref(),
        }
    }

    pub(super) const fn set_in_preparation(&mut self, kind: PayoutKind, payout: Option<InPreparation>) {
        match kind {
            PayoutKind::Trade => self.trade_in_preparation = payout,
            PayoutKind::Reserve => self.reserve_in_preparation = payout,
        }
    }

    /// A payout that was sent, or given up, is in preparation no longer, of whichever pots it was made.
    pub(super) fn out_of_preparation(&mut self, payout_id: PayoutId) {
        for open in [&mut self.trade_in_preparation, &mut self.reserve_in_preparation] {
            *open = open.take().filter(|known| known.payout_id != payout_id);
        }
    }

    /// What was set aside leaves the pot, and the pot begins anew.
    pub(super) fn begin_anew(&mut self, kind: PayoutKind, left_minor: i64, at: Timestamp) {
        let pot = match kind {
            PayoutKind::Trade => &mut self.trade,
            PayoutKind::Reserve => &mut self.reserve,
        };
        *pot = Pot { first_period: self.period.saturating_add(1), since: Some(at), opening_minor: left_minor, movements: BTreeMap::new() };
    }
}

/// Adds what an entry moved on the available money to the pots. `opened` gives the balance before the entry, where there are no pots yet.
pub(crate) fn record(
    pots: &mut BTreeMap<(MerchantId, Currency), Pots>,
    cause: &str,
    entry: &Entry<MerchantId>,
    opened: impl Fn(MerchantId, Currency) -> i64,
) {
    for posting in entry.postings() {
        let minor = posting.amount.minor();
        let sums = if posting.debit == SPENDABLE {
            Sums { debit_minor: minor, debit_count: 1, ..Sums::default() }
        } else if posting.credit == SPENDABLE {
            Sums { credit_minor: minor, credit_count: 1, ..Sums::default() }
        } else {
            continue;
        };
        let key = (posting.book, posting.amount.currency());
        let pots = pots.entry(key).or_insert_with(|| Pots::opened_with(opened(key.0, key.1)));
        match pot_of(cause) {
            PayoutKind::Trade => pots.trade.record(cause, sums),
            PayoutKind::Reserve => pots.reserve.record(cause, sums),
        }
    }
}
