//! People of the operator and of merchants: written as a whole, each with a line in the audit log.

use crate::command::Change;
use crate::merchant::NAME_LENGTH_MAX;
use crate::person::{Person, Side};
use crate::settings::{audited, check_text};
use crate::{Outcome, Refusal, Snapshot, Stamp, Verdict};

/// Letters of the word of a role.
pub const ROLE_LENGTH_MAX: usize = 32;

/// Adds or changes a person. Whose a person is never changes: what they did stands under it.
pub fn put(snapshot: &Snapshot, stamp: &Stamp, person: &Person) -> Verdict {
    if let Err(refusal) = check(snapshot, person) {
        return Verdict::refused(refusal);
    }
    let mut changes = audited(stamp, person.side.merchant_id(), "person.put", person.id.to_string());
    changes.people.insert(person.key(), person.clone());
    Verdict { outcome: Outcome::Done, changes }
}

/// Changes a person who still stands as they were read.
pub fn change(snapshot: &Snapshot, stamp: &Stamp, change: &Change<Person>) -> Verdict {
    let stands = snapshot.people.get(&change.after.key()) == Some(&change.before);
    if stands { put(snapshot, stamp, &change.after) } else { Verdict::unchanged(Outcome::Stale) }
}

fn check(snapshot: &Snapshot, person: &Person) -> Result<(), Refusal> {
    check_text("name", &person.name, NAME_LENGTH_MAX)?;
    check_text("role", &person.role, ROLE_LENGTH_MAX)?;
    let before = snapshot.people.get(&person.key());
    match (before.map(|before| before.side), person.side) {
        (Some(before), now) if before != now => {
            Err(Refusal::FieldInvalid { field: "mode".to_owned(), rule: "never changes; add the person in the other mode".to_owned() })
        }
        (Some(_) | None, Side::Operator { .. } | Side::Merchant { .. }) => Ok(()),
    }
}
