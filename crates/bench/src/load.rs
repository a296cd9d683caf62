//! Many callers at once, each on a connection of its own.

use std::sync::Arc;
use std::time::Duration;

use hdrhistogram::Histogram;
use tokio::time::Instant;

use crate::client::Connection;

/// Microseconds that the histograms can hold.
const LATENCY_US_MAX: u64 = 120_000_000;

/// What a run of many callers gave.
pub struct LoadResult {
    /// Answers that the requests call a success.
    pub accepted: u64,
    /// All other answers.
    pub refused: u64,
    /// The first refusal, for the reader of a strange table.
    pub first_refusal: Option<String>,
    /// How long it took.
    pub took: Duration,
    /// Time per call, in microseconds.
    pub latency_us: Histogram<u64>,
}

impl LoadResult {
    /// Successes in a second.
    pub fn per_second(&self) -> u64 {
        let ms = self.took.as_millis().max(1);
        u64::try_from(u128::from(self.accepted) * 1_000 / ms).unwrap_or(u64::MAX)
    }

    /// A percentile of the time per call, in microseconds: 50 for the median.
    pub fn percentile_us(&self, percent: u8) -> u64 {
        self.latency_us.value_at_percentile(f64::from(percent))
    }
}

/// Prepared requests, and how to tell a success.
pub struct Prepared {
    /// Whole requests as bytes.
    pub requests: Vec<Vec<u8>>,
    /// What the body of a success contains.
    pub success_mark: &'static str,
    /// The status of a success. A refund that is told again has another one where the protocol can say so.
    pub success_status: u16,
}

/// Sends every request once, shared out among so many callers, and callers among the addresses.
pub fn run(addresses: &[&str], prepared: Prepared, callers: usize) -> anyhow::Result<LoadResult> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(drive(addresses, prepared, callers))
}

async fn drive(addresses: &[&str], prepared: Prepared, callers: usize) -> anyhow::Result<LoadResult> {
    let success = (prepared.success_status, prepared.success_mark);
    let requests = Arc::new(prepared.requests);
    let mut connections = Vec::with_capacity(callers);
    for address in addresses.iter().cycle().take(callers) {
        connections.push(Connection::open(address).await?);
    }
    let begin = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for (caller, connection) in connections.into_iter().enumerate() {
        tasks.spawn(call_in_turn(connection, Arc::clone(&requests), (caller, callers), success));
    }
    let mut result = LoadResult {
        accepted: 0,
        refused: 0,
        first_refusal: None,
        took: Duration::ZERO,
        latency_us: Histogram::new_with_max(LATENCY_US_MAX, 3)?,
    };
    while let Some(part) = tasks.join_next().await {
        let part = part??;
        result.accepted += part.accepted;
        result.refused += part.refused;
        result.first_refusal = result.first_refusal.or(part.first_refusal);
        result.latency_us.add(part.latency_us)?;
    }
    result.took = begin.elapsed();
    Ok(result)
}

async fn call_in_turn(
    mut connection: Connection,
    requests: Arc<Vec<Vec<u8>>>,
    (caller, callers): (usize, usize),
    (status, mark): (u16, &'static str),
) -> anyhow::Result<LoadResult> {
    let mut part = LoadResult {
        accepted: 0,
        refused: 0,
        first_refusal: None,
        took: Duration::ZERO,
        latency_us: Histogram::new_with_max(LATENCY_US_MAX, 3)?,
    };
    for request in requests.iter().skip(caller).step_by(callers) {
        let begin = Instant::now();
        let answer = connection.call(request).await?;
        let took = u64::try_from(begin.elapsed().as_micros()).unwrap_or(u64::MAX);
        part.latency_us.record(took.clamp(1, LATENCY_US_MAX))?;
        if answer.status == status && contains(&answer.body, mark.as_bytes()) {
            part.accepted += 1;
        } else {
            part.refused += 1;
            part.first_refusal.get_or_insert_with(|| format!("{} {}", answer.status, String::from_utf8_lossy(&answer.body)));
        }
    }
    Ok(part)
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    needle.is_empty() || haystack.windows(needle.len()).any(|window| window == needle)
}
