use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::causes::{Part, pot_of};
use super::{PayoutKind, Pot, Pots, Sums};

/// How a payout's amount came about: what was in the pot, what came and went since, by cause, and what was in it before the payout left.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// What was in the pot at the beginning: what the payout before it left, below zero when more went out than came in.
    pub opening_minor: i64,
    /// What came and went, by cause.
    pub movements: BTreeMap<String, Sums>,
    /// What was in the pot at the end, before the payout.
    pub closing_minor: i64,
    /// Which postings of which pots it covers.
    pub covers: Vec<Covered>,
}

/// A span of periods of one pot, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Covered {
    /// Which pot.
    pub pot: PayoutKind,
    /// The first period.
    pub first_period: i64,
    /// The last period.
    pub last_period: i64,
}

impl Statement {
    pub(super) fn of(pots: &Pots, kinds: &[PayoutKind]) -> Self {
        let mut statement = Self::default();
        kinds.iter().for_each(|kind| statement.add(pots.pot(*kind), *kind, pots.period));
        let net = statement.movements.values().fold(0_i64, |net, sums| net.saturating_add(sums.net_minor()));
        statement.closing_minor = statement.opening_minor.saturating_add(net);
        statement
    }

    fn add(&mut self, pot: &Pot, kind: PayoutKind, last_period: i64) {
        self.opening_minor = self.opening_minor.saturating_add(pot.opening_minor);
        for (cause, sums) in &pot.movements {
            self.movements.entry(cause.clone()).or_default().add(*sums);
        }
        self.covers.push(Covered { pot: kind, first_period: pot.first_period, last_period });
    }

    /// Whether a posting of that cause and period is one of its lines.
    pub fn is_line(&self, cause: &str, period: i64) -> bool {
        let pot = pot_of(cause);
        self.covers.iter().any(|part| part.pot == pot && (part.first_period..=part.last_period).contains(&period))
    }

    /// The last period that it covers.
    pub fn last_period(&self) -> i64 {
        self.covers.iter().map(|part| part.last_period).max().unwrap_or(0)
    }

    /// The movements in the parts that people read.
    pub fn parts(&self) -> BTreeMap<Part, Sums> {
        let mut parts: BTreeMap<Part, Sums> = BTreeMap::new();
        self.movements.iter().for_each(|(cause, sums)| parts.entry(Part::of(cause)).or_default().add(*sums));
        parts
    }
}
