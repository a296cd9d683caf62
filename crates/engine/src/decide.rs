use crate::{Command, Outcome, Snapshot, Verdict};

/// Decides one command against a snapshot.
pub fn decide(_snapshot: &Snapshot, _command: &Command) -> Verdict {
    Verdict::unchanged(Outcome::Done)
}
