//! What happens after acceptance: the attempt is committed, the acquirer called, its answer committed, and the merchant told. Three transactions
//! of one refund each; tasks are claimed many at once.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, mpsc};
use tokio_postgres::types::ToSql;

use super::ids::{id_text, now_us};
use super::interactive::{move_balances, next_event, run, run_one};
use super::notify::{News, Sender};
use super::order::{amount_text, pairs};
use super::service::Service;
use super::statements::{
    CLAIM_TASKS, DELETE_TASK, DELIVERED, INSERT_DELIVERY, INSERT_EVENT, INSERT_NOTIFICATION, INSERT_POSTING, INSERT_TASK, LOCK_REFUND,
    MOVE_REFUND,
};

const CLAIMED_MAX: i64 = 64;
const LEASE_US: i64 = 60_000_000;
const PAUSE: Duration = Duration::from_millis(10);
const REFUNDS_IN_FLIGHT: i16 = 5;
const ACQUIRER_RECEIVABLE: i16 = 11;

/// A refund on its way.
struct Flight {
    merchant_id: i64,
    refund_id: i64,
    state: String,
    currency: String,
    amount: i64,
    payment_id: i64,
    payment_reference: String,
    number: String,
    acquirer: String,
    attempts: i32,
}

/// What is still to be told of a refund.
struct Told {
    notification_id: i64,
    sequence: i64,
    at: i64,
    url: String,
}

/// Claims tasks for so many workers until the process ends.
pub async fn carry_out(service: Arc<Service>, workers: usize) -> anyhow::Result<()> {
    let (sender, receiver) = mpsc::channel(4 * workers);
    let receiver = Arc::new(Mutex::new(receiver));
    for _ in 0..workers {
        tokio::spawn(work(Arc::clone(&service), Arc::clone(&receiver)));
    }
    loop {
        let claimed = claim(&service).await?;
        let count = claimed.len();
        for task in claimed {
            sender.send(task).await?;
        }
        // Few are due: let some more come together, so that claiming costs little.
        if count < usize::try_from(CLAIMED_MAX)? {
            tokio::time::sleep(PAUSE).await;
        }
    }
}

async fn claim(service: &Service) -> anyhow::Result<Vec<(i64, i64)>> {
    let connection = service.pool.get().await?;
    let statement = connection.prepare_cached(CLAIM_TASKS).await?;
    let now = now_us();
    let rows = connection.query(&statement, &[&now, &(now + LEASE_US), &CLAIMED_MAX]).await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

async fn work(service: Arc<Service>, tasks: Arc<Mutex<mpsc::Receiver<(i64, i64)>>>) {
    let mut sender = Sender::default();
    loop {
        let Some((merchant_id, refund_id)) = tasks.lock().await.recv().await else { return };
        if let Err(error) = carry_out_one(&service, &mut sender, merchant_id, refund_id).await {
            eprintln!("{} was not carried out: {error:#}", id_text("ref", refund_id));
        }
    }
}

async fn carry_out_one(service: &Service, sender: &mut Sender, merchant_id: i64, refund_id: i64) -> anyhow::Result<()> {
    let Some(flight) = submit(service, merchant_id, refund_id).await? else { return Ok(()) };
    let reference = approve(refund_id).await;
    for told in record(service, &flight, &reference).await? {
        tell(service, sender, &flight, &told).await?;
    }
    Ok(())
}

/// The attempt is committed before the acquirer is called.
async fn submit(service: &Service, merchant_id: i64, refund_id: i64) -> anyhow::Result<Option<Flight>> {
    let mut connection = service.pool.get().await?;
    let tx = connection.transaction().await?;
    let Some(row) = run_one(&tx, LOCK_REFUND, &[&merchant_id, &refund_id]).await? else { return Ok(None) };
    let flight = Flight {
        merchant_id,
        refund_id,
        state: row.get(0),
        currency: row.get(1),
        amount: row.get(2),
        payment_id: row.get(3),
        payment_reference: row.get(4),
        number: row.get(5),
        acquirer: row.get(6),
        attempts: row.get(7),
    };
    if flight.state != "pending" {
        return Ok(None);
    }
    let now = now_us();
    let sequence = next_event(&tx, merchant_id).await?;
    let body = format!(r#"{{"state":"submitted","attempt":1,"at":{now},"submission":"in_flight"}}"#);
    let attempts = flight.attempts + 1;
    let nothing: Option<&str> = None;
    run(&tx, MOVE_REFUND, &[&merchant_id, &refund_id, &"submitted", &body, &nothing, &attempts, &now, &format!(",{sequence}")]).await?;
    let attempt = attempts.to_string();
    let facts = flight.facts("submitted", &[("attempt", &attempt), ("acquirer", &flight.acquirer)]);
    insert_event(&tx, &flight, ("refund.submitted", "system"), (sequence, now), &facts).await?;
    tx.commit().await?;
    Ok(Some(Flight { attempts, ..flight }))
}

/// The acquirer says yes to everything.
async fn approve(refund_id: i64) -> String {
    tokio::task::yield_now().await;
    format!("sim-{}", id_text("ref", refund_id))
}

async fn record(service: &Service, flight: &Flight, reference: &str) -> anyhow::Result<Vec<Told>> {
    let (merchant_id, refund_id) = (&flight.merchant_id, &flight.refund_id);
    let mut connection = service.pool.get().await?;
    let tx = connection.transaction().await?;
    let locked = run_one(&tx, LOCK_REFUND, &[merchant_id, refund_id]).await?;
    if locked.is_none_or(|row| row.get::<_, &str>(0) != "submitted") {
        return Ok(Vec::new());
    }
    let now = now_us();
    let endpoints = service.known.endpoints(flight.merchant_id);
    let first_id = service.ids.take(1 + i64::try_from(endpoints.len())?);
    let row: [&(dyn ToSql + Sync); 11] = [
        &first_id,
        merchant_id,
        &0_i16,
        &REFUNDS_IN_FLIGHT,
        &ACQUIRER_RECEIVABLE,
        &flight.amount,
        &flight.currency,
        &"refund_succeeded",
        &flight.payment_id,
        refund_id,
        &now,
    ];
    run(&tx, INSERT_POSTING, &row).await?;
    run(&tx, DELETE_TASK, &[merchant_id, refund_id]).await?;
    let sequence = next_event(&tx, flight.merchant_id).await?;
    let body = format!(r#"{{"state":"succeeded","at":{now},"arn":{{"arn_state":"awaited"}}}}"#);
    let named = format!(",{sequence}");
    run(&tx, MOVE_REFUND, &[merchant_id, refund_id, &"succeeded", &body, &reference, &flight.attempts, &now, &named]).await?;
    insert_event(&tx, flight, ("refund.succeeded", "acquirer"), (sequence, now), &flight.facts("succeeded", &[])).await?;
    let mut news = Vec::with_capacity(endpoints.len());
    for (notification_id, endpoint) in (first_id + 1..).zip(endpoints) {
        run(&tx, INSERT_NOTIFICATION, &[merchant_id, &notification_id, &endpoint.id, &sequence, refund_id, &now]).await?;
        run(&tx, INSERT_TASK, &[merchant_id, &notification_id, &"deliver_notification", &now, &(now + LEASE_US)]).await?;
        news.push(Told { notification_id, sequence, at: now, url: endpoint.url.clone() });
    }
    let moved = [(REFUNDS_IN_FLIGHT, -flight.amount), (ACQUIRER_RECEIVABLE, flight.amount)];
    move_balances(&tx, flight.merchant_id, &flight.currency, &moved).await?;
    tx.commit().await?;
    Ok(news)
}

async fn tell(service: &Service, sender: &mut Sender, flight: &Flight, told: &Told) -> anyhow::Result<()> {
    let amount = amount_text(flight.amount, &flight.currency);
    let refund = id_text("ref", flight.refund_id);
    let facts = [
        ("amount", amount.as_str()),
        ("number", &flight.number),
        ("payment_reference", &flight.payment_reference),
        ("refund_id", &refund),
        ("state", "succeeded"),
    ];
    let news = News {
        notification_id: told.notification_id,
        merchant_id: flight.merchant_id,
        sequence: told.sequence,
        at: told.at,
        refund_id: flight.refund_id,
        payment_id: flight.payment_id,
        facts: &facts,
    };
    let status = i32::from(sender.post(&told.url, &news).await?);
    let now = now_us();
    let took_ms = i32::try_from((now - told.at) / 1_000)?;
    let mut connection = service.pool.get().await?;
    let tx = connection.transaction().await?;
    run(&tx, DELIVERED, &[&flight.merchant_id, &told.notification_id, &now]).await?;
    run(&tx, INSERT_DELIVERY, &[&flight.merchant_id, &told.notification_id, &now, &status, &took_ms]).await?;
    run(&tx, DELETE_TASK, &[&flight.merchant_id, &told.notification_id]).await?;
    Ok(tx.commit().await?)
}

impl Flight {
    fn facts(&self, state: &str, more: &[(&str, &str)]) -> String {
        let (refund, amount) = (id_text("ref", self.refund_id), amount_text(self.amount, &self.currency));
        let mut facts = vec![
            ("refund_id", refund.as_str()),
            ("payment_reference", &self.payment_reference),
            ("number", &self.number),
            ("amount", &amount),
            ("state", state),
        ];
        facts.extend(more);
        pairs(&facts)
    }
}

async fn insert_event(
    tx: &deadpool_postgres::Transaction<'_>,
    flight: &Flight,
    (kind, actor): (&str, &str),
    (sequence, at): (i64, i64),
    facts: &str,
) -> anyhow::Result<()> {
    run(tx, INSERT_EVENT, &[&flight.merchant_id, &sequence, &at, &kind, &actor, &flight.payment_id, &flight.refund_id, &facts]).await
}
