//! Numbers of the processes that make ids, leased from the database.
//!
//! No two processes ever make the same id, whatever their clocks say: under one number, whoever has it makes ids of instants before the end
//! of its lease only, and whoever gets it next makes ids of later instants only. Clocks that are wrong cost waiting, never a repeated id.

use refundry_engine::Timestamp;
use refundry_engine::ids::NODE_MAX;

/// A wish for a number: the first one, or more time with the one that the holder has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeWish {
    /// Random text of the process.
    pub holder: String,
    /// Now as the process sees it, or the instant of its last id when that is later. A database with a clock of its own judges by that one who has
    /// to go, and takes this one only to let a lease end later.
    pub now: Timestamp,
    /// For how long; 0 gives the number back.
    pub lease_ms: i64,
}

/// A number that the holder of a wish has until `now` plus `lease_ms` of that wish, or longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeLease {
    /// The number, 0 to [`NODE_MAX`].
    pub node: u16,
    /// Its ids carry later instants than this one: up to here, others may have used the number.
    pub after: Timestamp,
}

/// What is known of a number that somebody had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeRow {
    /// The number.
    pub node: u16,
    /// Who has or had it.
    pub holder: String,
    /// Until when.
    pub leased_until: Timestamp,
}

/// The number that a holder gets: the one that it has as long as nobody else took it, else the lowest that nobody
/// has at `now`. `None` when all are taken.
pub fn choose(rows: &[NodeRow], holder: &str, now: Timestamp) -> Option<NodeLease> {
    let lease = |row: &NodeRow| NodeLease { node: row.node, after: row.leased_until };
    if let Some(own) = rows.iter().find(|row| row.holder == holder) {
        return Some(NodeLease { after: Timestamp::from_us(0), ..lease(own) });
    }
    for node in 0..=NODE_MAX {
        match rows.iter().find(|row| row.node == node) {
            Some(row) if row.leased_until <= now => return Some(lease(row)),
            Some(_) => {}
            None => return Some(NodeLease { node, after: Timestamp::from_us(0) }),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_free_number_is_chosen_and_at_the_end_there_is_none() {
        let now = Timestamp::from_ms(1_000);
        let row = |node: u16, until_ms| NodeRow { node, holder: format!("h{node}"), leased_until: Timestamp::from_ms(until_ms) };
        let node = |rows: &[NodeRow], holder: &str| choose(rows, holder, now).map(|lease| (lease.node, lease.after.ms()));
        let mut rows: Vec<NodeRow> = (0..=NODE_MAX).map(|node| row(node, 1_001)).collect();
        assert_eq!(node(&rows, "new"), None);
        assert_eq!(node(&rows, "h7"), Some((7, 0)), "whoever has one keeps it");
        rows[900].leased_until = now;
        rows[901].leased_until = Timestamp::from_ms(5);
        assert_eq!(node(&rows, "new"), Some((900, 1_000)));
        assert_eq!(node(&rows, "h901"), Some((901, 0)), "also when its time is over");
        rows.remove(17);
        assert_eq!(node(&rows, "new"), Some((17, 0)), "one that nobody ever had");
        assert_eq!(node(&[], "new"), Some((0, 0)));
    }
}
