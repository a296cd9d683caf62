//! Figures about the process itself, read from `/proc` at each scrape.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// Reads at each scrape; on systems without `/proc` there is nothing to read, and the figures are left out.
#[derive(Debug)]
pub struct ProcessFigures;

/// The kernel's clock ticks per second in `/proc/self/stat`: 100 on every Linux of today.
const TICKS_PER_SECOND: u32 = 100;

impl Collector for ProcessFigures {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        if let Some(bytes) = resident_bytes() {
            let gauge = ConstGauge::new(bytes);
            let help = "Memory that the process holds";
            let encoder = encoder.encode_descriptor("process_resident_memory_bytes", help, None, gauge.metric_type())?;
            gauge.encode(encoder)?;
        }
        if let Some(ticks) = cpu_ticks() {
            let counter = ConstCounter::new(seconds(ticks));
            let help = "Processor time that the process has used";
            let encoder = encoder.encode_descriptor("process_cpu_seconds", help, None, counter.metric_type())?;
            counter.encode(encoder)?;
        }
        Ok(())
    }
}

fn resident_bytes() -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: i64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    kibibytes.checked_mul(1024)
}

fn cpu_ticks() -> Option<u32> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The command's name may hold blanks; the fields are counted behind its closing bracket.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let user: u32 = fields.next()?.parse().ok()?;
    let system: u32 = fields.next()?.parse().ok()?;
    user.checked_add(system)
}

#[expect(clippy::float_arithmetic, reason = "Prometheus takes seconds as a float; it is no money")]
fn seconds(ticks: u32) -> f64 {
    f64::from(ticks) / f64::from(TICKS_PER_SECOND)
}
