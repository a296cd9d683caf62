use crate::model::Violation;

/// What became of a run.
#[derive(Clone, Debug, Default)]
pub struct RunReport {
    /// The first rule that did not hold.
    pub violation: Option<Violation>,
    /// Every line of the log.
    pub trace: String,
    /// How much happened.
    pub figures: Figures,
    /// What was to be read when the eventful part was over and at the end; nothing when nobody wants to compare it.
    pub remains: Vec<Remains>,
}

/// What was left in a database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remains {
    /// Every row of every table.
    pub rows: Vec<String>,
    /// Every answer of the store.
    pub reads: Vec<String>,
}

/// How much happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Choices made.
    pub steps: u64,
    /// Commits heard of.
    pub commits: u64,
    /// Crashes survived.
    pub crashes: u64,
    /// Refunds at the end.
    pub refunds: u64,
    /// Refunds that acquirers paid.
    pub paid: u64,
    /// Connections to a server that were taken away.
    pub lost_connections: u64,
    /// Batches that stood in the way of another process.
    pub held: u64,
}

impl Figures {
    /// Adds another run's.
    pub fn add(&mut self, other: &Self) {
        self.steps += other.steps;
        self.commits += other.commits;
        self.crashes += other.crashes;
        self.refunds += other.refunds;
        self.paid += other.paid;
        self.lost_connections += other.lost_connections;
        self.held += other.held;
    }
}
