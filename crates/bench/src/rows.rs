use refundry_bench::measured::Measured;
use refundry_bench::report::{Said, Table, as_ms, median, ratio, said};

/// Callers of the rows of one engine alone.
pub const CALLERS: [usize; 4] = [1, 16, 64, 256];

/// The rounds of one row: every figure that is shown or judged is their median.
pub struct Row {
    name: Said,
    rounds: Vec<Measured>,
}

impl Row {
    /// Without rounds yet.
    pub const fn new(name: Said) -> Self {
        Self { name, rounds: Vec::new() }
    }

    /// Adds a round, and prints it: the run is long.
    pub fn add(&mut self, round: Measured) {
        println!(
            "  {}: {} refunds/s, p50 {}, p99 {}, {} µs each",
            self.name.text(refundry_bench::report::Language::English),
            round.load.per_second(),
            as_ms(round.load.percentile_us(50)),
            as_ms(round.load.percentile_us(99)),
            round.us_per_refund(),
        );
        self.rounds.push(round);
    }

    /// The median of a figure.
    pub fn median(&self, figure: impl Fn(&Measured) -> u64) -> u64 {
        median(self.rounds.iter().map(figure).collect())
    }

    /// Processor time per refund, in microseconds: the figure that most goals are about.
    pub fn us(&self) -> u64 {
        self.median(Measured::us_per_refund)
    }

    /// Refunds in a second.
    pub fn per_second(&self) -> u64 {
        self.median(|round| round.load.per_second())
    }

    /// p99 by p50, in hundredths.
    pub fn tail(&self) -> u64 {
        self.median(|round| round.load.percentile_us(99).saturating_mul(100) / round.load.percentile_us(50).max(1))
    }

    /// The median time of a call, in microseconds.
    pub fn p50_us(&self) -> u64 {
        self.median(|round| round.load.percentile_us(50))
    }

    fn cells(&self) -> Vec<Said> {
        let of = |part: fn(&Measured) -> u64| self.median(|round| part(round).saturating_mul(1_000) / round.load.accepted.max(1));
        let bytes = |part: fn(&Measured) -> u64| self.median(|round| part(round) / round.load.accepted.max(1));
        let us = |us: u64| format!("{us} µs");
        let all_us = self.us();
        let database_us = self.median(|round| round.database_us.unwrap_or(0) / round.load.accepted.max(1));
        let commands = self.median(|round| round.lane.commands.saturating_mul(100) / round.lane.commits.max(1));
        vec![
            self.name.clone(),
            self.per_second().to_string().into(),
            as_ms(self.p50_us()).into(),
            as_ms(self.median(|round| round.load.percentile_us(99))).into(),
            ratio(self.tail(), 100).into(),
            format!("{}.{:03} s", all_us / 1_000, all_us % 1_000).into(),
            us(of(|round| round.usage.of_threads("http"))).into(),
            us(of(|round| round.usage.of_threads("cpu"))).into(),
            us(of(|round| round.usage.of_threads("store"))).into(),
            us(database_us).into(),
            if commands == 0 { said("–", "–") } else { ratio(commands, 100).into() },
            format!("{} B", bytes(|round| round.written_bytes)).into(),
            format!("{} B", bytes(|round| round.grown_bytes)).into(),
            format!("{} MB", self.median(|round| round.resident_kib) / 1_024).into(),
        ]
    }
}

/// A table of such rows.
pub fn table<'a>(title: Said, first_column: Said, rows: impl IntoIterator<Item = &'a Row>) -> Table {
    let columns = vec![
        first_column,
        said("refunds/s", "每秒退款"),
        said("p50", "p50"),
        said("p99", "p99"),
        said("p99 / p50", "p99 / p50"),
        said("CPU per 1,000", "每千笔 CPU"),
        said("each: HTTP and workers", "每笔：HTTP 与后台任务"),
        said("signatures", "签名"),
        said("store", "存储"),
        said("database server", "数据库服务器"),
        said("commands per commit", "每次提交命令数"),
        said("written per refund", "每笔写入"),
        said("stored per refund", "每笔存储"),
        said("memory", "内存"),
    ];
    let mut table = Table::new(title, columns);
    rows.into_iter().for_each(|row| table.row(row.cells()));
    table
}

/// Callers, in words.
pub fn callers(count: usize) -> Said {
    let many = if count == 1 { "" } else { "s" };
    said(format!("{count} caller{many}"), format!("{count} 个并发"))
}
