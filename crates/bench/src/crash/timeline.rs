//! When callers were answered, and when nobody was.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

/// One refund, as its caller saw it.
#[derive(Debug, Clone)]
pub struct Acknowledgement {
    /// Its id.
    pub refund_id: String,
    /// When it was asked for the first time.
    pub asked_at: Instant,
    /// When it was acknowledged.
    pub answered_at: Instant,
}

/// All acknowledgements in the order of their times.
#[derive(Debug, Clone, Default)]
pub struct Timeline(Vec<Acknowledgement>);

impl Timeline {
    /// Adds one; it is the latest.
    pub fn push(&mut self, acknowledgement: Acknowledgement) {
        self.0.push(acknowledgement);
    }

    /// Refunds that were acknowledged in this time.
    pub fn acknowledged(&self, from: Instant, until: Instant) -> BTreeSet<String> {
        self.within(from, until).map(|line| line.refund_id.clone()).collect()
    }

    /// The longest time in which nobody was answered.
    pub fn longest_silence(&self, from: Instant, until: Instant) -> Duration {
        let ends = self.within(from, until).map(|line| line.answered_at).chain([until]);
        let silences = ends.scan(from, |before, at| Some(at.duration_since(std::mem::replace(before, at))));
        silences.max().unwrap_or_default()
    }

    /// The longest that somebody waited for an answer that came in this time.
    pub fn longest_wait(&self, from: Instant, until: Instant) -> Duration {
        self.within(from, until).map(|line| line.answered_at.duration_since(line.asked_at)).max().unwrap_or_default()
    }

    fn within(&self, from: Instant, until: Instant) -> impl Iterator<Item = &Acknowledgement> {
        let begin = self.0.partition_point(|line| line.answered_at < from);
        self.0[begin..].iter().take_while(move |line| line.answered_at < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_between_answers_and_at_both_ends() {
        let begin = Instant::now();
        let second = |number| begin + Duration::from_secs(number);
        let mut timeline = Timeline::default();
        for (asked, answered) in [(0, 1), (2, 3), (2, 7), (9, 10)] {
            let refund_id = format!("ref_{answered}");
            timeline.push(Acknowledgement { refund_id, asked_at: second(asked), answered_at: second(answered) });
        }
        for (from, until, silence, wait, answers) in [(0, 11, 4, 5, 4), (2, 4, 1, 1, 1), (3, 20, 10, 5, 3), (11, 30, 19, 0, 0)] {
            let (from, until) = (second(from), second(until));
            assert_eq!(timeline.longest_silence(from, until), Duration::from_secs(silence));
            assert_eq!(timeline.longest_wait(from, until), Duration::from_secs(wait));
            assert_eq!(timeline.acknowledged(from, until).len(), answers);
        }
    }
}
