//! Stages whose tables are distributed, as far as the store can tell, and a look at every statement that is sent.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use refundry_scratch::ScratchDatabase;
use refundry_store::{DistributeWish, PostgresOptions, PostgresStore, SentStatement, StatementObserver, distribute};
use tokio::runtime::Builder;
use tokio_postgres::{NoTls, Row};

use super::{Direct, Stage, postgres_options};

/// Into how many shards the tables are distributed.
pub const SHARDS: u16 = 32;

/// Tables of which every worker has the same rows.
pub const EVERYWHERE: &[&str] = &["accounts", "credentials", "daily_rates", "meta", "nodes"];

/// Tables whose rows lie with their merchant.
pub const BY_MERCHANT: &[&str] = &[
    "merchants",
    "terminals",
    "payments",
    "refunds",
    "disputes",
    "shares",
    "remembered",
    "postings",
    "balances",
    "payouts",
    "adjustments",
    "counters",
    "events",
    "notifications",
    "deliveries",
    "tasks",
    "audit",
    "people",
    "commits",
];

/// What cannot be asked of many shards at once, or reaches only one of them.
const NOWHERE: [&str; 6] = ["SKIP LOCKED", "ADVISORY", "LISTEN ", "NOTIFY ", "LOCK TABLE", "NEXTVAL"];

/// A statement that was sent.
#[derive(Clone, Debug)]
pub struct Sent {
    pub lane: Option<usize>,
    pub sql: String,
    pub numbers: Vec<Vec<i64>>,
}

/// Remembers what was sent.
#[derive(Default)]
pub struct Statements(Mutex<Vec<Sent>>);

impl StatementObserver for Statements {
    fn sent(&self, statement: SentStatement<'_>) {
        let SentStatement { lane, sql, numbers } = statement;
        self.0.lock().unwrap().push(Sent { lane, sql: sql.to_owned(), numbers: numbers.to_vec() });
    }
}

impl Statements {
    pub fn all(&self) -> Vec<Sent> {
        self.0.lock().unwrap().clone()
    }

    /// Every statement says whose rows it means, whichever shards those lie in.
    pub fn name_their_merchants(&self) {
        let problems: Vec<String> = self.all().iter().flat_map(problems_of).collect();
        assert!(problems.is_empty(), "{} statements that distributed tables cannot do:\n{}", problems.len(), problems.join("\n"));
    }

    /// The tables of which lanes touched rows that lie in another's shard.
    pub fn strayed_into(&self) -> BTreeSet<String> {
        let all = self.all();
        let lane_of = lanes_of(&all.iter().flat_map(merchants_of).collect());
        let strays = all.iter().filter(|sent| merchants_of(sent).iter().any(|id| sent.lane.is_some_and(|own| own != lane_of[id])));
        strays.flat_map(|sent| tables_of(&sent.sql)).map(str::to_owned).collect()
    }

    /// Nothing was sent that distributed tables could not do, and no lane touched what lies in another's shard.
    pub fn keep_to_shards(&self) {
        let all = self.all();
        let problems: Vec<String> = all.iter().flat_map(problems_of).chain(problems_of_lanes(&all)).collect();
        assert!(problems.is_empty(), "{} statements that distributed tables cannot do:\n{}", problems.len(), problems.join("\n"));
    }
}

/// Which merchants each transaction of a lane touched, without the row by which the lane marks its commits.
pub fn transactions(all: &[Sent]) -> Vec<(usize, BTreeSet<i64>)> {
    let mut open: BTreeMap<usize, BTreeSet<i64>> = BTreeMap::new();
    let mut ended = Vec::new();
    for (lane, sent) in all.iter().filter_map(|sent| Some((sent.lane?, sent))) {
        let merchants = open.entry(lane).or_default();
        match sent.sql.as_str() {
            "BEGIN" | "DISCARD PLANS; BEGIN" => merchants.clear(),
            "COMMIT" | "ROLLBACK" => ended.push((lane, std::mem::take(merchants))),
            sql if sql.contains(" commits ") => {}
            _ => merchants.extend(merchants_of(sent)),
        }
    }
    ended
}

/// The tables that a statement names; what is read from an array or another part of the statement is none.
pub fn tables_of(sql: &str) -> Vec<&str> {
    let words: Vec<&str> = sql.split([' ', '\n', '(', ')', ',']).filter(|word| !word.is_empty()).collect();
    let table = |pair: &[&str]| {
        ["FROM", "JOIN", "INTO", "UPDATE"].contains(&pair[0]) && (EVERYWHERE.contains(&pair[1]) || is_of_merchants(pair[1]))
    };
    words.windows(2).filter(|pair| table(pair)).map(|pair| pair[1]).collect()
}

fn is_of_merchants(table: &str) -> bool {
    BY_MERCHANT.contains(&table)
}

/// The parameters that say whose rows are meant: those that the merchant is compared with, and the one that is written as the merchant.
fn merchant_params(sql: &str) -> Vec<usize> {
    let number = |text: &str| text.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok();
    let compared =
        ["merchant_id = ANY($", "merchant_id = $"].map(|begin| sql.split(begin).skip(1).filter_map(number).collect::<Vec<usize>>());
    let written = sql.strip_prefix("INSERT INTO ").and_then(|rest| {
        let (columns, _) = rest.split_once('(')?.1.split_once(')')?;
        columns.split(", ").position(|column| column == "merchant_id").map(|place| place + 1)
    });
    compared.concat().into_iter().chain(written).collect()
}

fn merchants_of(sent: &Sent) -> BTreeSet<i64> {
    if tables_of(&sent.sql).iter().all(|table| EVERYWHERE.contains(table)) {
        return BTreeSet::new();
    }
    merchant_params(&sent.sql).into_iter().filter_map(|param| sent.numbers.get(param - 1)).flatten().copied().collect()
}

/// Reads of lists and figures of the operator, of all merchants, and the look at tasks that are due: each shard answers for itself.
fn reads_everywhere(sent: &Sent) -> bool {
    let begins = [
        "SELECT merchant_id, task_id, claimable_at FROM tasks WHERE lane = 0 AND kind = $1",
        "SELECT merchant_id FROM merchants WHERE ($1",
        "SELECT body FROM merchants WHERE merchant_id > $1",
        "SELECT kind, count(*) FROM tasks GROUP BY kind",
        "SELECT min(due_at) FROM tasks",
        "SELECT count(*) FROM notifications WHERE state = 'parked'",
    ];
    sent.lane.is_none() && begins.iter().any(|begin| sent.sql.starts_with(begin))
}

fn problems_of(sent: &Sent) -> Vec<String> {
    let Sent { sql, numbers, .. } = sent;
    let mut problems = Vec::new();
    let upper = sql.to_uppercase();
    problems.extend(NOWHERE.iter().filter(|word| upper.contains(*word)).map(|word| format!("{word}: {sql}")));
    let of_merchants = tables_of(sql).into_iter().filter(|table| is_of_merchants(table)).count();
    let params = merchant_params(sql);
    if of_merchants > params.len() && !reads_everywhere(sent) {
        problems.push(format!("{of_merchants} tables of merchants, and {} times whose rows are meant: {sql}", params.len()));
    }
    // Keys that stand in arrays are of the merchants that are named.
    if sent.lane.is_some() && sql.contains("UNNEST") && of_merchants > 0 {
        let named = merchants_of(sent);
        problems
            .extend(numbers[0].iter().filter(|key| !named.contains(key) && !sql.starts_with("INSERT")).map(|key| format!("{key}: {sql}")));
    }
    problems
}

fn problems_of_lanes(all: &[Sent]) -> Vec<String> {
    let lane_of = lanes_of(&all.iter().flat_map(merchants_of).collect());
    let strays = all.iter().filter_map(|sent| {
        let lanes: BTreeSet<usize> = merchants_of(sent).iter().map(|merchant_id| lane_of[merchant_id]).collect();
        let at_home = lanes.len() <= 1 && lanes.iter().all(|lane| sent.lane.is_none_or(|own| own == *lane));
        (!at_home).then(|| format!("lane {:?} touches those of {lanes:?}: {}", sent.lane, sent.sql))
    });
    strays.collect()
}

/// The shards of merchants, by the hash of PostgreSQL itself.
pub fn lanes_of(merchants: &BTreeSet<i64>) -> BTreeMap<i64, usize> {
    let database = ScratchDatabase::create();
    let list: Vec<String> = merchants.iter().map(i64::to_string).collect();
    let sql = format!(
        "SELECT m, (hashint8(m)::int8 + 2147483648) / (4294967296 / {SHARDS}) FROM UNNEST('{{{}}}'::int8[]) AS k (m)",
        list.join(",")
    );
    rows(&database.url(), &sql).iter().map(|row| (row.get(0), usize::try_from(row.get::<_, i64>(1)).unwrap())).collect()
}

/// Asks a database directly.
pub fn rows(url: &str, sql: &str) -> Vec<Row> {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        tokio::spawn(connection);
        client.query(sql, &[]).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"))
    })
}

/// An empty database with the schema of this program, and what stands in for Citus.
pub fn database_with_citus() -> ScratchDatabase {
    let database = super::postgres_database();
    Direct::to(&database.url()).run(include_str!("stand_in_for_citus.sql"));
    database
}

/// Distributes it, and says what was done.
pub fn distributed(database: &ScratchDatabase, wish: &DistributeWish) -> Vec<(String, bool)> {
    let mut steps = Vec::new();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let options = PostgresOptions::url(database.url());
    let tell = |step: &refundry_store::DistributeStep| steps.push((step.sql.clone(), step.was_done));
    runtime.block_on(distribute(&options, wish, tell)).unwrap_or_else(|error| panic!("{error:?}"));
    steps
}

pub const WISH: DistributeWish = DistributeWish { dry_run: false, move_rows: false, shards: SHARDS };

impl Stage {
    /// On a database that is distributed, as far as the store can tell; with all that it sends.
    pub fn in_shards() -> (Self, Arc<Statements>) {
        Self::in_shards_with(|_| {})
    }

    pub fn in_shards_with(change: impl FnOnce(&mut PostgresOptions)) -> (Self, Arc<Statements>) {
        let database = database_with_citus();
        distributed(&database, &WISH);
        let statements = Arc::new(Statements::default());
        let mut options = postgres_options(&database);
        options.statements = Some(Arc::clone(&statements) as Arc<dyn StatementObserver>);
        change(&mut options);
        let store = PostgresStore::open(&options).expect("a distributed database can be opened");
        (Self { database: Some(database), ..Self::on(store, None) }, statements)
    }
}
