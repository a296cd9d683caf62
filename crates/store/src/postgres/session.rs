use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures::future::{join3, try_join_all};
use futures::poll;
use tokio::time::Instant;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error, Row, Statement};

use super::arrays::Param;
use super::connect::Connector;
use super::fault::{fault, is_lost};
use super::options::{SentStatement, StatementObserver};
use super::placement::Placement;
use crate::StoreError;

/// Time after which plans are made again.
const PLANS_KEPT: Duration = Duration::from_secs(60);

/// A statement with its parameters, ready to be sent.
pub struct Call {
    /// Its text, which is parsed once per connection.
    pub sql: &'static str,
    /// Its parameters.
    pub params: Vec<Param>,
}

/// A connection of a lane with the statements that it knows.
pub struct Session {
    client: Client,
    statements: BTreeMap<&'static str, Statement>,
    wait_max: Duration,
    placement: Arc<Placement>,
    watch: Option<Watch>,
    batches: u64,
    planned_at: Instant,
}

/// Whom a lane tells what it sends.
struct Watch {
    lane: usize,
    observer: Arc<dyn StatementObserver>,
}

/// How sending ended when it did not end well.
pub enum Failed {
    /// The server said no; whatever was begun is not done.
    Refused(StoreError),
    /// The connection is gone; what was sent last may be done or not.
    Lost(StoreError),
}

impl Session {
    /// Over a connection; an answer that takes longer than `wait_max` counts as a lost connection.
    pub fn new(client: Client, wait_max: Duration, connector: &Connector, lane: usize) -> Self {
        let watch = connector.options().statements.clone().map(|observer| Watch { lane, observer });
        let placement = Arc::clone(connector.placement());
        Self { client, statements: BTreeMap::new(), wait_max, placement, watch, batches: 0, planned_at: Instant::now() }
    }

    /// What begins a transaction. Plans that were made when tables were small are made again now and then: often at first, later by time.
    pub fn begin(&mut self) -> &'static str {
        self.batches += 1;
        if self.batches.is_power_of_two() || self.planned_at.elapsed() >= PLANS_KEPT {
            self.planned_at = Instant::now();
            return "DISCARD PLANS; BEGIN";
        }
        "BEGIN"
    }

    /// Whether the connection is known to be gone.
    pub fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Sends everything at once, between the plain statements `first` and `last`, and waits for all answers: one trip to the server and back.
    pub async fn send(&mut self, first: Option<&str>, calls: &[Call], last: Option<&str>) -> Result<Vec<Vec<Row>>, Failed> {
        let wait_max = self.wait_max;
        if let Some(watch) = &self.watch {
            watch.sends(first, calls, last);
        }
        let sent = tokio::time::timeout(wait_max, async {
            for call in calls {
                self.prepare(call.sql).await?;
            }
            self.pipeline(first, calls, last).await
        });
        match sent.await {
            Ok(Ok(rows)) => Ok(rows),
            Ok(Err(error)) if is_lost(&error) => Err(Failed::Lost(fault(error))),
            Ok(Err(error)) => Err(Failed::Refused(fault(error))),
            Err(elapsed) => Err(Failed::Lost(StoreError::Conflict(std::sync::Arc::new(elapsed)))),
        }
    }

    async fn prepare(&mut self, sql: &'static str) -> Result<(), Error> {
        if !self.statements.contains_key(sql) {
            let statement = self.client.prepare(&self.placement.text_of(sql)).await?;
            self.statements.insert(sql, statement);
        }
        Ok(())
    }

    /// Futures send their statement when they are asked for the first time, so the order of asking is the order of sending.
    async fn pipeline(&self, first: Option<&str>, calls: &[Call], last: Option<&str>) -> Result<Vec<Vec<Row>>, Error> {
        let mut begun = pin!(self.plain(first));
        let mut asked = pin!(try_join_all(calls.iter().map(|call| async move {
            let params: Vec<&(dyn ToSql + Sync)> = call.params.iter().map(|param| param as &(dyn ToSql + Sync)).collect();
            self.client.query(&self.statements[call.sql], &params).await
        })));
        let is_begun = poll!(begun.as_mut());
        // A parameter that cannot be written fails here, before anything is sent that would make the rest of the batch durable.
        let answers = match poll!(asked.as_mut()) {
            Poll::Ready(answers) => Some(answers?),
            Poll::Pending => None,
        };
        let ended = self.plain(last);
        let answered = async {
            match answers {
                Some(answers) => Ok(answers),
                None => asked.await,
            }
        };
        let begun = async {
            match is_begun {
                Poll::Ready(begun) => begun,
                Poll::Pending => begun.await,
            }
        };
        let (begun, answers, ended) = join3(begun, answered, ended).await;
        begun?;
        let answers = answers?;
        ended.map(|()| answers)
    }

    async fn plain(&self, sql: Option<&str>) -> Result<(), Error> {
        match sql {
            Some(sql) => self.client.batch_execute(sql).await,
            None => Ok(()),
        }
    }
}

impl Watch {
    fn sends(&self, first: Option<&str>, calls: &[Call], last: Option<&str>) {
        let plain = |sql| self.observer.sent(SentStatement { lane: Some(self.lane), sql, numbers: &[] });
        first.into_iter().for_each(plain);
        for call in calls {
            let numbers: Vec<Vec<i64>> = call.params.iter().map(Param::ints).collect();
            self.observer.sent(SentStatement { lane: Some(self.lane), sql: call.sql, numbers: &numbers });
        }
        last.into_iter().for_each(plain);
    }
}
