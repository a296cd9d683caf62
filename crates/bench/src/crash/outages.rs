//! How long nobody was answered after each kind of kill.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::crash::timeline::Timeline;

/// Kills, in the order of their times.
#[derive(Debug, Default)]
pub struct Outages {
    kills: Vec<Kill>,
}

/// One kill.
#[derive(Debug)]
struct Kill {
    kind: String,
    at: Instant,
    back_after: Duration,
}

/// What the kills of one kind did.
#[derive(Debug, Default)]
struct OfKind {
    silences: Vec<Duration>,
    waits: Vec<Duration>,
    backs: Vec<Duration>,
}

impl Outages {
    /// Notes that something was killed, and how long it took until it was there again.
    pub fn note(&mut self, kind: &str, at: Instant, back_after: Duration) {
        self.kills.push(Kill { kind: kind.to_owned(), at, back_after });
    }

    /// One row for each kind, as a table in Markdown. What happens up to the next kill belongs to a kill.
    pub fn table(&self, timeline: &Timeline, ended_at: Instant) -> String {
        let mut kinds: BTreeMap<&str, OfKind> = BTreeMap::new();
        let ends = self.kills.iter().skip(1).map(|kill| kill.at).chain([ended_at]);
        for (kill, end) in self.kills.iter().zip(ends) {
            let of_kind = kinds.entry(&kill.kind).or_default();
            of_kind.silences.push(timeline.longest_silence(kill.at, end));
            of_kind.waits.push(timeline.longest_wait(kill.at, end));
            of_kind.backs.push(kill.back_after);
        }
        let mut table =
            "| Killed | Times | Nobody answered: median | longest | One caller waited: longest | Back again: median | longest |\n\
             |---|---:|---:|---:|---:|---:|---:|\n"
                .to_owned();
        for (kind, OfKind { silences, waits, backs }) in kinds {
            let times = silences.len();
            let longest_wait = waits.into_iter().max().unwrap_or_default();
            let (silence, silence_max) = middle_and_longest(silences);
            let (back, back_max) = middle_and_longest(backs);
            let [silence, silence_max, wait, back, back_max] =
                [silence, silence_max, longest_wait, back, back_max].map(|time| format!("{} ms", time.as_millis()));
            table.push_str(&format!("| {kind} | {times} | {silence} | {silence_max} | {wait} | {back} | {back_max} |\n"));
        }
        table
    }
}

fn middle_and_longest(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort_unstable();
    (times.get(times.len() / 2).copied().unwrap_or_default(), times.last().copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crash::timeline::Acknowledgement;

    #[test]
    fn the_time_up_to_the_next_kill_belongs_to_a_kill() {
        let begin = Instant::now();
        let at = |ms| begin + Duration::from_millis(ms);
        let mut timeline = Timeline::default();
        for answered in [10, 20, 110, 120, 130, 400, 410] {
            timeline.push(Acknowledgement { refund_id: String::new(), asked_at: at(answered - 10), answered_at: at(answered) });
        }
        let mut outages = Outages::default();
        outages.note("node A", at(20), Duration::from_millis(5));
        outages.note("server", at(130), Duration::from_millis(50));
        let table = outages.table(&timeline, at(420));
        let rows: Vec<&str> = table.lines().skip(2).collect();
        assert_eq!(
            rows,
            ["| node A | 1 | 90 ms | 90 ms | 10 ms | 5 ms | 5 ms |", "| server | 1 | 270 ms | 270 ms | 10 ms | 50 ms | 50 ms |"]
        );
    }
}
