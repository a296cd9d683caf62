//! How far a copy is: a bar on a terminal, lines elsewhere.

use std::io::IsTerminal as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use refundry_store::{CopyPhase, CopyProgress};
use tokio::time::Instant;

/// What the bar shows.
const BAR: &str = "{prefix} {bar:40} {human_pos}/{human_len}  {per_sec}  {eta}  {msg}";
/// Between two lines.
const LINES_EVERY: Duration = Duration::from_secs(5);

/// Listens to a copy.
pub struct Meter {
    bar: Option<ProgressBar>,
    phases: Mutex<Phases>,
}

#[derive(Default)]
struct Phases {
    /// What is done now, and what was before.
    all: Vec<Phase>,
    /// When the last line was printed.
    said: Option<Instant>,
}

struct Phase {
    phase: CopyPhase,
    begun: Instant,
    last: Instant,
    /// Rows that earlier calls did.
    rows_before: u64,
    rows: u64,
}

impl Meter {
    /// On a terminal a bar.
    pub fn start() -> anyhow::Result<Self> {
        let style = ProgressStyle::with_template(BAR)?;
        let bar = std::io::stderr().is_terminal().then(|| ProgressBar::new(0).with_style(style));
        Ok(Self { bar, phases: Mutex::default() })
    }

    /// Another batch is done.
    pub fn note(&self, progress: CopyProgress) {
        let CopyProgress { phase, table, rows, rows_before, rows_total } = progress;
        let now = Instant::now();
        let mut phases = self.phases();
        let first = phases.all.last().is_none_or(|last| last.phase < phase);
        if first {
            phases.all.push(Phase { phase, begun: now, last: now, rows_before, rows });
        }
        let is_last = rows >= rows_total;
        let is_time = phases.said.is_none_or(|said| now.duration_since(said) >= LINES_EVERY);
        let Some(current) = phases.all.last_mut() else { return };
        // Threads may tell it in another order than it happened.
        current.rows = current.rows.max(rows);
        current.rows_before = current.rows_before.max(rows_before);
        current.last = now;
        match &self.bar {
            Some(bar) => {
                if first {
                    bar.reset();
                    bar.set_length(rows_total);
                    bar.set_prefix(name(phase));
                }
                bar.set_position(current.rows);
                bar.set_message(table);
            }
            None if is_time || is_last => {
                let (rate, rows) = (current.rate(), current.rows);
                let left = rows_total.saturating_sub(rows) / rate.max(1);
                eprintln!("{} {rows}/{rows_total}, {rate} rows/s 行/秒, {left} s left 剩余 ({table})", name(phase));
                phases.said = Some(now);
            }
            None => {}
        }
    }

    /// Takes the bar away.
    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    /// What each phase took.
    pub fn speed(&self) -> String {
        let of = |phase: &Phase| {
            let seconds = phase.last.duration_since(phase.begun).as_secs();
            format!("{} {} rows/s 行/秒, {seconds} s 秒", name(phase.phase), phase.rate())
        };
        self.phases().all.iter().map(of).collect::<Vec<_>>().join(" · ")
    }

    fn phases(&self) -> MutexGuard<'_, Phases> {
        self.phases.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Phase {
    fn rate(&self) -> u64 {
        let millis = u64::try_from(self.last.duration_since(self.begun).as_millis()).unwrap_or(u64::MAX).max(1);
        self.rows.saturating_sub(self.rows_before).saturating_mul(1_000) / millis
    }
}

const fn name(phase: CopyPhase) -> &'static str {
    match phase {
        CopyPhase::Copying => "copying 复制",
        CopyPhase::Verifying => "verifying 核对",
    }
}
