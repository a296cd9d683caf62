use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};

use super::rows::{Batch, fields, number};
use super::tables::Table;

/// What is compared of a table: how many rows it has, what their amounts add up to in each currency, and a sum of the SHA-256 of every row, which
/// does not depend on the order of the rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Rows.
    pub rows: u64,
    /// By column and currency.
    pub sums: BTreeMap<(&'static str, String), i128>,
    /// Of all rows.
    pub hash: u128,
}

/// A tally that is being made.
pub struct Tallying<'a> {
    table: &'a Table,
    rows: u64,
    hash: u128,
    /// By currency, in the order of the amounts.
    sums: BTreeMap<Vec<u8>, Vec<i128>>,
}

impl<'a> Tallying<'a> {
    /// Of no row yet.
    pub const fn new(table: &'a Table) -> Self {
        Self { table, rows: 0, hash: 0, sums: BTreeMap::new() }
    }

    /// Adds rows.
    pub fn add(&mut self, batch: &Batch) {
        for row in batch.each() {
            self.rows += 1;
            self.hash = self.hash.wrapping_add(hash_of(row));
            if let Some(currency) = self.table.currency {
                self.add_amounts(row, currency);
            }
        }
    }

    /// The tally of all that was added.
    pub fn end(self) -> Tally {
        let amounts = &self.table.amounts;
        let mut sums = BTreeMap::new();
        for (currency, of_currency) in self.sums {
            let currency = String::from_utf8_lossy(&currency).into_owned();
            let named = amounts.iter().zip(of_currency).map(|(at, sum)| ((self.table.columns[*at].name, currency.clone()), sum));
            sums.extend(named);
        }
        Tally { rows: self.rows, sums, hash: self.hash }
    }

    fn add_amounts(&mut self, row: &[u8], currency: usize) {
        let fields: Vec<&[u8]> = fields(row).map(Option::unwrap_or_default).collect();
        let currency = fields.get(currency).copied().unwrap_or_default();
        if !self.sums.contains_key(currency) {
            self.sums.insert(currency.to_vec(), vec![0; self.table.amounts.len()]);
        }
        let Some(sums) = self.sums.get_mut(currency) else { return };
        for (sum, at) in sums.iter_mut().zip(&self.table.amounts) {
            let amount = fields.get(*at).copied().map_or(0, number);
            *sum = sum.saturating_add(i128::from(amount));
        }
    }
}

/// The first half of its SHA-256.
fn hash_of(row: &[u8]) -> u128 {
    let digest = digest(&SHA256, row);
    digest.as_ref().iter().take(16).fold(0, |hash, byte| (hash << 8) | u128::from(*byte))
}
