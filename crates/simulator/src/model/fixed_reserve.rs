//! The fixed reserve: filled out of settlements until it holds what the contract says, and released once, down to what was asked to be kept.

use std::collections::{BTreeMap, BTreeSet};

use refundry_engine::event::{Event, EventKind};
use refundry_ledger::Currency;

use super::{Model, Reader, Violation, must};

/// The account where it stands.
const FIXED: &str = "fixed_reserve";

impl Model {
    /// Follows the feed of each merchant, settlement by settlement, and compares what should be held with what is.
    pub fn audit_fixed_reserves(&self, reader: &Reader<'_>) -> Result<(), Violation> {
        for (merchant, ids) in self.cast.iter().enumerate() {
            let payments = reader.payments(ids.merchant)?;
            let mut held: BTreeMap<Currency, i64> = BTreeMap::new();
            // What was settled at a rate is not known to the minor unit here, until a release says what is held.
            let mut unsure: BTreeSet<Currency> = BTreeSet::new();
            for event in reader.events_after(ids.merchant, 0)? {
                if event.kind == EventKind::PaymentSettled {
                    let payment = payments.iter().find(|payment| Some(payment.id) == event.payment_id);
                    let (Some(payment), Some((minor, currency))) = (payment, amount(&event, "amount")) else { continue };
                    match &payment.quote {
                        Some(quote) => drop(unsure.insert(quote.settlement_currency)),
                        None => {
                            let target = self.terms(merchant, payment).fixed_reserve_minor.get(currency.code()).copied().unwrap_or(0);
                            let there = held.entry(currency).or_default();
                            *there += (target - *there).min(minor).max(0);
                        }
                    }
                } else if event.kind == EventKind::FixedReserveReleased {
                    let (Some((minor, currency)), Some((kept, _))) = (amount(&event, "amount"), amount(&event, "kept")) else { continue };
                    let there = held.entry(currency).or_default();
                    let known = !unsure.remove(&currency);
                    must(!known || *there - minor == kept, "a_fixed_reserve_is_released_once", || format!("{there} was held: {event:?}"))?;
                    *there = kept;
                }
            }
            for row in reader.balances(ids.merchant)?.iter().filter(|row| row.account.name() == FIXED && !unsure.contains(&row.currency)) {
                let wanted = held.remove(&row.currency).unwrap_or(0);
                must(row.minor == wanted, "the_fixed_reserve_is_what_settlements_left", || {
                    format!("merchant {merchant} holds {} {}, expected {wanted}", row.minor, row.currency.code())
                })?;
            }
        }
        Ok(())
    }
}

/// An amount that an event tells, in minor units.
fn amount(event: &Event, name: &str) -> Option<(i64, Currency)> {
    let (_, text) = event.facts.iter().find(|(known, _)| known == name)?;
    let (digits, code) = text.split_once(' ')?;
    Some((digits.replace('.', "").parse().ok()?, code.parse().ok()?))
}
