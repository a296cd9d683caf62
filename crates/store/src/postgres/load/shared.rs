//! What shares need beside the rest: the shares of payments, the payments of shares, and the locks of those who get something.

use std::collections::BTreeSet;
use std::sync::Arc;

use refundry_engine::{MerchantId, Scope};
use tokio_postgres::Row;

use super::{Asked, Loading, keyed, pairs};
use crate::StoreError;
use crate::postgres::session::Failed;
use crate::postgres::shares;
use crate::rows::share::receivers;

/// How often a batch is loaded again because payments were found to have receivers that were not locked. Once is enough, unless they get more
/// receivers meanwhile.
pub const AGAIN_MAX: u32 = 3;

const KEEP: &dyn Fn(&mut Loading, &Row) -> Result<(), StoreError> = &|loading, row| shares::keep(&mut loading.snapshot, row);
const KEEP_OPEN_REFUNDS: &dyn Fn(&mut Loading, &Row) -> Result<(), StoreError> =
    &|loading, row| shares::keep_open_refunds(&mut loading.snapshot, row);

/// The shares that a scope names, and their payments.
pub fn calls(scope: &Scope) -> Vec<Asked<'static>> {
    if scope.shares.is_empty() {
        return Vec::new();
    }
    let (by_id, by_number) = shares::keys(&scope.shares);
    let of = || scope.shares.iter().map(|(merchant_id, _)| *merchant_id);
    let mut calls: Vec<Asked<'static>> = Vec::new();
    if !by_id.is_empty() {
        calls.push((pairs(&shares::BY_ID, by_id.clone()), KEEP));
        calls.push((pairs(&shares::PAYMENTS_BY_ID, by_id), &Loading::payment));
    }
    if !by_number().is_empty() {
        calls.push((keyed(&shares::BY_NUMBER, by_number(), of()), KEEP));
        calls.push((keyed(&shares::PAYMENTS_BY_NUMBER, by_number(), of()), &Loading::payment));
    }
    calls
}

/// Other writers gave the payments of a batch new receivers each time it was loaded.
pub fn receivers_change() -> Failed {
    Failed::Refused(StoreError::Conflict(Arc::new(std::io::Error::other("who gets something of a payment changes all the time"))))
}

impl Loading {
    /// Who gets something of what was loaded, and is not locked.
    pub(super) fn receivers_without_lock(&self, scope: &Scope) -> BTreeSet<MerchantId> {
        let receivers = receivers(&self.snapshot);
        if receivers.is_empty() {
            return receivers;
        }
        receivers.difference(&scope.all_merchants()).copied().collect()
    }

    /// What the first trip tells is needed of shares.
    pub(super) fn shared_calls(&mut self, scope: &Scope) -> Vec<Asked<'static>> {
        let mut calls: Vec<Asked<'static>> = Vec::new();
        let missing = shares::missing(&self.snapshot);
        if !missing.is_empty() {
            calls.push((pairs(&shares::BY_ID, missing.into_iter().map(|(merchant_id, id)| (merchant_id, id.get()))), KEEP));
        }
        let to_count = shares::to_count(scope, &mut self.snapshot);
        if !to_count.is_empty() {
            calls.push((pairs(shares::OPEN_REFUNDS, to_count), KEEP_OPEN_REFUNDS));
        }
        calls
    }
}
