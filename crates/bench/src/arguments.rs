use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// Measures what a refund costs the server.
#[derive(Parser)]
pub struct Arguments {
    /// Refunds per row with many callers; a row with one caller sends a tenth.
    #[arg(long, default_value_t = 20_000)]
    pub refunds: usize,
    /// How often the rows that goals are judged by are measured; the median counts.
    #[arg(long, default_value_t = 3)]
    pub rounds: usize,
    /// Stored refunds of the large tables; 0 leaves them out.
    #[arg(long, default_value_t = 1_000_000)]
    pub stored: u64,
    /// What is measured beside the native API on SQLite, which all else is compared with.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Part::Antom, Part::Single, Part::Postgres, Part::Nodes, Part::End, Part::Waiting, Part::Shared, Part::Large])]
    pub parts: Vec<Part>,
    /// Where the report goes, in Markdown.
    #[arg(long, default_value = "bench-results/report.md")]
    pub out: PathBuf,
    /// The folder with performance.md and performance.zh.md, into which the report is put too.
    #[arg(long)]
    pub docs: Option<PathBuf>,
    /// The server's binary; the release binary beside this program when it is not named.
    #[arg(long)]
    pub binary: Option<PathBuf>,
    /// A folder for the data, on the disk that is to be measured.
    #[arg(long, default_value = "bench-results/data")]
    pub data: PathBuf,
}

/// A part of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// Nothing beside the native API.
    None,
    /// Signed requests and answers.
    Antom,
    /// Refunds carried to their end, with their notification.
    End,
    /// Refunds that wait for one credit.
    Waiting,
    /// Refunds of one payment that is shared.
    Shared,
    /// One transaction per refund.
    Single,
    /// PostgreSQL, beside services that are written by hand.
    Postgres,
    /// Two nodes on one PostgreSQL.
    Nodes,
    /// With much stored.
    Large,
}

impl Arguments {
    /// Whether a part is wanted.
    pub fn wants(&self, part: Part) -> bool {
        self.parts.contains(&part)
    }

    /// Requests of a row.
    pub const fn count_for(&self, callers: usize) -> usize {
        if callers == 1 { self.refunds / 10 } else { self.refunds }
    }
}
