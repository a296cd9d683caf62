//! An interactive transaction per refund: lock, look, decide, write, commit, one round trip each. What many refunds of a merchant share is
//! locked last, so that it is held for as short a time as can be.

use deadpool_postgres::{Pool, Transaction};
use tokio_postgres::types::ToSql;

use super::answer::{Made, Outcome, Refused};
use super::order::{Drawn, Order};
use super::statements::{
    AVAILABLE, COUNT_REFUND, INSERT_EVENT, INSERT_POSTING, INSERT_REFUND, INSERT_TASK, LOCK_PAYMENT, MOVE_BALANCES, NEXT_EVENT, REFUND,
    REMEMBER, REMEMBERED,
};

const UNSETTLED: i16 = 1;
const RESERVE: i16 = 3;
const AVAILABLE_ACCOUNT: i16 = 2;
const REFUNDS_IN_FLIGHT: i16 = 5;

/// The payment as it was locked.
struct Payment {
    id: i64,
    terminal_id: i64,
    refundable: i64,
    unsettled_left: i64,
    reserve_left: i64,
}

/// Does it.
pub async fn refund(pool: &Pool, order: &Order<'_>) -> anyhow::Result<Outcome> {
    let mut connection = pool.get().await?;
    let tx = connection.transaction().await?;
    let locked = run_one(&tx, LOCK_PAYMENT, &[&order.caller.merchant_id, &order.wish.payment_reference, &order.caller.mode]).await?;
    if let Some(outcome) = made_before(&tx, order).await? {
        return Ok(outcome);
    }
    let Some(row) = locked else { return Ok(Outcome::Refused(Refused::UnknownPayment)) };
    let payment = match checked(order, &row) {
        Ok(payment) => payment,
        Err(refused) => return Ok(Outcome::Refused(refused)),
    };
    let drawn = Drawn::of(order.wish.amount.value, payment.unsettled_left, payment.reserve_left);
    if drawn.available > 0 && available(&tx, order).await? < drawn.available {
        return Ok(Outcome::Refused(Refused::NotEnoughFunds));
    }
    write(&tx, order, &payment, drawn).await?;
    tx.commit().await?;
    Ok(Outcome::Made(Made {
        refund_id: order.refund_id,
        payment_id: payment.id,
        terminal_id: payment.terminal_id,
        state: "pending".to_owned(),
        refundable: payment.refundable - order.wish.amount.value,
        attempts: 0,
        created_at: order.now,
        updated_at: order.now,
    }))
}

async fn made_before(tx: &Transaction<'_>, order: &Order<'_>) -> anyhow::Result<Option<Outcome>> {
    let Some(row) = run_one(tx, REMEMBERED, &[&order.caller.merchant_id, &order.number]).await? else { return Ok(None) };
    let (compared, refund_id): (&str, Option<i64>) = (row.get(0), row.get(1));
    if compared != order.compared() {
        return Ok(Some(Outcome::Refused(Refused::RepeatInconsistent)));
    }
    let row = run_one(tx, REFUND, &[&order.caller.merchant_id, &refund_id]).await?;
    Ok(row.map(|row| {
        Outcome::Replayed(Made {
            refund_id: row.get(0),
            payment_id: row.get(1),
            terminal_id: row.get(2),
            state: row.get(3),
            refundable: row.get(4),
            attempts: row.get(5),
            created_at: row.get(6),
            updated_at: row.get(7),
        })
    }))
}

fn checked(order: &Order<'_>, row: &tokio_postgres::Row) -> Result<Payment, Refused> {
    let wish = order.wish;
    if row.get::<_, &str>(2) != "captured" {
        return Err(Refused::PaymentNotCaptured);
    }
    if row.get::<_, &str>(3) != wish.amount.currency {
        return Err(Refused::CurrencyMismatch);
    }
    if wish.amount.value <= 0 {
        return Err(Refused::AmountNotPositive);
    }
    if row.get::<_, i32>(7) > 0 || row.get::<_, i32>(8) > 0 {
        return Err(Refused::Disputed);
    }
    let refundable = row.get::<_, i64>(4) - row.get::<_, i64>(5) - row.get::<_, i64>(6);
    if wish.amount.value > refundable {
        return Err(Refused::ExceedsRefundable);
    }
    Ok(Payment { id: row.get(0), terminal_id: row.get(1), refundable, unsettled_left: row.get(9), reserve_left: row.get(10) })
}

async fn available(tx: &Transaction<'_>, order: &Order<'_>) -> anyhow::Result<i64> {
    let row = run_one(tx, AVAILABLE, &[&order.caller.merchant_id, &order.wish.amount.currency]).await?;
    Ok(row.map_or(0, |row| row.get(0)))
}

async fn write(tx: &Transaction<'_>, order: &Order<'_>, payment: &Payment, drawn: Drawn) -> anyhow::Result<()> {
    let (merchant_id, wish) = (&order.caller.merchant_id, order.wish);
    let (amount, currency, now) = (&wish.amount.value, &wish.amount.currency, &order.now);
    let named = format!(",{}", order.refund_id);
    run(tx, REMEMBER, &[merchant_id, &order.number, now, &order.refund_id, &order.compared()]).await?;
    run(tx, COUNT_REFUND, &[merchant_id, &payment.id, amount, &drawn.unsettled, &drawn.reserve, now, &named]).await?;
    let lines = [(UNSETTLED, drawn.unsettled), (RESERVE, drawn.reserve), (AVAILABLE_ACCOUNT, drawn.available)];
    let lines = lines.into_iter().filter(|(_, minor)| *minor > 0);
    for (line, (account, minor)) in (0_i16..).zip(lines.clone()) {
        let cause = "refund_released";
        let row: [&(dyn ToSql + Sync); 11] = [
            &order.entry_id(),
            merchant_id,
            &line,
            &account,
            &REFUNDS_IN_FLIGHT,
            &minor,
            currency,
            &cause,
            &payment.id,
            &order.refund_id,
            now,
        ];
        run(tx, INSERT_POSTING, &row).await?;
    }
    run(tx, INSERT_TASK, &[merchant_id, &order.refund_id, &"submit_refund", now, now]).await?;
    let sequence = next_event(tx, *merchant_id).await?;
    let terminal = order.terminals.iter().find(|terminal| terminal.id == payment.terminal_id);
    let (terminal, acquirer) = terminal.map_or(("", ""), |terminal| (&terminal.name, &terminal.acquirer));
    let refund: [&(dyn ToSql + Sync); 15] = [
        merchant_id,
        &order.refund_id,
        &order.caller.mode,
        currency,
        amount,
        &payment.id,
        &wish.payment_reference,
        &payment.terminal_id,
        &order.number,
        &order.caller.applicant,
        &acquirer,
        now,
        &order.extras(),
        &drawn.text(),
        &format!(",{sequence}"),
    ];
    run(tx, INSERT_REFUND, &refund).await?;
    let event: [&(dyn ToSql + Sync); 8] =
        [merchant_id, &sequence, now, &"refund.accepted", &order.caller.applicant, &payment.id, &order.refund_id, &order.facts(terminal)];
    run(tx, INSERT_EVENT, &event).await?;
    let moved: Vec<(i16, i64)> = lines.map(|(account, minor)| (account, -minor)).chain([(REFUNDS_IN_FLIGHT, *amount)]).collect();
    move_balances(tx, *merchant_id, currency, &moved).await
}

/// The number of the merchant's next event; holds everybody else of the merchant off until the end.
pub async fn next_event(tx: &Transaction<'_>, merchant_id: i64) -> anyhow::Result<i64> {
    let statement = tx.prepare_cached(NEXT_EVENT).await?;
    Ok(tx.query_one(&statement, &[&merchant_id]).await?.get(0))
}

/// Adds to what accounts hold.
pub async fn move_balances(tx: &Transaction<'_>, merchant_id: i64, currency: &str, moved: &[(i16, i64)]) -> anyhow::Result<()> {
    let (accounts, changes): (Vec<i16>, Vec<i64>) = moved.iter().copied().unzip();
    run(tx, MOVE_BALANCES, &[&merchant_id, &currency, &accounts, &changes]).await
}

/// Runs a prepared statement.
pub async fn run(tx: &Transaction<'_>, sql: &str, row: &[&(dyn ToSql + Sync)]) -> anyhow::Result<()> {
    let statement = tx.prepare_cached(sql).await?;
    tx.execute(&statement, row).await?;
    Ok(())
}

/// Runs a prepared statement that finds a row or none.
pub async fn run_one(tx: &Transaction<'_>, sql: &str, row: &[&(dyn ToSql + Sync)]) -> anyhow::Result<Option<tokio_postgres::Row>> {
    let statement = tx.prepare_cached(sql).await?;
    Ok(tx.query_opt(&statement, row).await?)
}
