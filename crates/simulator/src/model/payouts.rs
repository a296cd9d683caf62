//! What was paid out: each payout goes its way once, what the feeds tell of them adds up to the books, and nothing is paid out of money that
//! refunds wait for.

use std::collections::BTreeMap;

use refundry_engine::event::{Event, EventKind};
use refundry_engine::{MerchantId, PayoutId};
use refundry_ledger::Currency;

use super::{Model, Reader, Violation, must};

/// What became of the payouts of one currency.
#[derive(Clone, Copy, Debug, Default)]
pub struct PaidOut {
    /// Set aside, and the bank has not said how it ended.
    pub set_aside: i64,
    /// Arrived and not sent back.
    pub paid: i64,
}

impl Model {
    /// Somebody was told how a payout stands.
    pub fn payout_is(&mut self, merchant_id: MerchantId, payout_id: PayoutId, word: &str) {
        self.payouts_told.insert((merchant_id, payout_id, word.to_owned()));
    }

    /// What the feed of a merchant tells of its payouts, by currency.
    pub(super) fn paid_out(&self, merchant: usize, reader: &Reader<'_>) -> Result<BTreeMap<Currency, PaidOut>, Violation> {
        let merchant_id = self.cast[merchant].merchant;
        let mut stands: BTreeMap<PayoutId, Vec<&'static str>> = BTreeMap::new();
        let mut sums: BTreeMap<Currency, PaidOut> = BTreeMap::new();
        for event in reader.events_after(merchant_id, 0)? {
            let Some((payout_id, minor, currency)) = told(&event) else { continue };
            let way = stands.entry(payout_id).or_default();
            let word = event.kind.word();
            must(may_follow(way.last().copied(), event.kind), "a_payout_goes_its_way_once", || {
                format!("{payout_id}: {word} after {way:?}")
            })?;
            way.push(word);
            let sum = sums.entry(currency).or_default();
            match event.kind {
                EventKind::PayoutPrepared => sum.set_aside += minor,
                EventKind::PayoutPaid => {
                    sum.set_aside -= minor;
                    sum.paid += minor;
                }
                EventKind::PayoutFailed | EventKind::PayoutCancelled => sum.set_aside -= minor,
                EventKind::PayoutReturned => sum.paid -= minor,
                _ => {}
            }
        }
        for (owner, payout_id, word) in &self.payouts_told {
            let there = *owner != merchant_id || stands.get(payout_id).is_some_and(|way| way.contains(&format!("payout.{word}").as_str()));
            must(there, "an_acknowledged_payout_is_never_lost", || format!("{payout_id} was told to be {word}"))?;
        }
        Ok(sums)
    }
}

/// Each statement is what its lines add up to, begins with what the one before it left, and pays what the feed told.
pub fn audit_statements(reader: &Reader<'_>, merchants: &[MerchantId]) -> Result<(), Violation> {
    for merchant_id in merchants {
        let mut told: BTreeMap<PayoutId, i64> = BTreeMap::new();
        let events = reader.events_after(*merchant_id, 0)?;
        let prepared = events.iter().filter(|event| event.kind == EventKind::PayoutPrepared).filter_map(self::told);
        told.extend(prepared.map(|(payout_id, minor, _)| (payout_id, minor)));
        let payouts = reader.payouts(*merchant_id)?;
        must(payouts.len() == told.len(), "a_payout_is_told", || format!("{} payouts, {} were told", payouts.len(), told.len()))?;
        for payout in &payouts {
            let statement = &payout.statement;
            must(told.get(&payout.id) == Some(&payout.amount.minor()), "a_payout_is_told", || payout.id.to_string())?;
            let mut lines: BTreeMap<String, (i64, i64)> = BTreeMap::new();
            for line in reader.payout_lines(payout)? {
                let (net, count) = lines.entry(line.cause).or_default();
                (*net, *count) = (*net + line.minor, *count + 1);
            }
            let moved: BTreeMap<String, (i64, i64)> = statement
                .movements
                .iter()
                .map(|(cause, sums)| (cause.clone(), (sums.net_minor(), sums.debit_count + sums.credit_count)))
                .collect();
            must(lines == moved, "a_statement_is_the_sum_of_its_lines", || format!("{}: lines {lines:?}, stated {moved:?}", payout.id))?;
            let closing = statement.opening_minor + lines.values().map(|(net, _)| net).sum::<i64>();
            let pays = payout.amount.minor();
            must(closing == statement.closing_minor && 0 < pays && pays <= closing, "a_payout_is_within_its_statement", || {
                format!("{} pays {pays}, the lines make {closing}, stated is {}", payout.id, statement.closing_minor)
            })?;
        }
    }
    Ok(())
}

/// The payout that an event is about, with its amount.
fn told(event: &Event) -> Option<(PayoutId, i64, Currency)> {
    let fact = |name: &str| event.facts.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let (digits, code) = fact("amount")?.split_once(' ')?;
    Some((fact("payout_id")?.parse().ok()?, digits.replace('.', "").parse().ok()?, code.parse().ok()?))
}

fn may_follow(before: Option<&str>, kind: EventKind) -> bool {
    match kind {
        EventKind::PayoutPrepared => before.is_none(),
        EventKind::PayoutSent | EventKind::PayoutCancelled => before == Some("payout.prepared"),
        EventKind::PayoutPaid | EventKind::PayoutFailed => before == Some("payout.sent"),
        EventKind::PayoutReturned => before == Some("payout.paid"),
        _ => true,
    }
}
