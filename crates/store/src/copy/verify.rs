//! The comparison at the end: both sides are read anew, each by itself.

use super::tables::Table;
use super::tally::{Tally, Tallying};
use super::{CopyError, Difference, Meter, Side, Wanted};

/// What a side has in these tables.
pub fn tally_of(side: &mut dyn Side, tables: &[&Table], meter: &Meter<'_>) -> Result<Vec<(&'static str, Tally)>, CopyError> {
    let tally = |table: &&Table| {
        let mut tallying = Tallying::new(table);
        side.rows(table, Wanted::All, &mut |batch| {
            tallying.add(batch);
            meter.add(table, batch.rows());
            Ok(())
        })?;
        Ok((table.name, tallying.end()))
    };
    tables.iter().map(tally).collect()
}

/// The tallies of both, when they are equal; otherwise where they are not.
pub fn compare(source: Vec<(&'static str, Tally)>, target: &[(&'static str, Tally)]) -> Result<Vec<(&'static str, Tally)>, CopyError> {
    let nothing = Tally::default();
    let mut differences = Vec::new();
    for (table, ours) in &source {
        let theirs = target.iter().find(|(name, _)| name == table).map_or(&nothing, |(_, tally)| tally);
        differences.extend(differences_of(table, ours, theirs));
    }
    if differences.is_empty() { Ok(source) } else { Err(CopyError::Different(differences)) }
}

fn differences_of(table: &'static str, source: &Tally, target: &Tally) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut expect = |what: &str, source: String, target: String| {
        if source != target {
            found.push(Difference { table, what: what.to_owned(), source, target });
        }
    };
    expect("rows", source.rows.to_string(), target.rows.to_string());
    for key in source.sums.keys().chain(target.sums.keys().filter(|key| !source.sums.contains_key(*key))) {
        let sum = |tally: &Tally| tally.sums.get(key).map_or_else(|| "-".to_owned(), i128::to_string);
        expect(&format!("{} {}", key.0, key.1), sum(source), sum(target));
    }
    expect("hash", format!("{:032x}", source.hash), format!("{:032x}", target.hash));
    found
}
