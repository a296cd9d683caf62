use std::collections::BTreeMap;

use refundry_engine::event::Event;
use refundry_engine::idempotency::{IdempotencyKey, Remembered, RememberedDecision};
use refundry_engine::notification::{DeliveryAttempt, Notification, Recipient};
use refundry_engine::payment::Payment;
use refundry_engine::verdict::{AuditLine, BookedEntry};
use refundry_engine::{Changes, MerchantId, PaymentId, RefundId, Snapshot, Write};
use rusqlite::{CachedStatement, Connection, params};

use super::fault::fault;
use super::load::{LAST_SEQUENCE, WAITING};
use super::{disputes, payment_row, people, refund_row, shares};
use crate::StoreError;
use crate::rows::payment::Facts;
use crate::rows::{self, Names, json_text, merchant_of};
use crate::words::mode_word;

/// Writes everything but the tasks. Each row once per batch: a payment with two hundred refunds is written with its last sums.
pub fn apply(
    connection: &Connection,
    changes: &Changes,
    snapshot: &Snapshot,
    facts: &BTreeMap<(MerchantId, PaymentId), Facts>,
) -> Result<(), StoreError> {
    put_settings(connection, changes)?;
    let mut refunds_named = Names::of(changes.refunds.values().filter_map(|write| match write {
        Write::Insert(refund) => Some(((refund.merchant_id, refund.payment_id), refund.id.get())),
        Write::Update(_) => None,
    }));
    for (key, write) in &changes.payments {
        match write {
            // Its first refunds may be of this batch too: they are named with the rest.
            Write::Insert(payment) => payment_row::insert(connection, payment)?,
            Write::Update(payment) => update_payment(connection, payment, facts, &refunds_named.take(key))?,
        }
    }
    let events = changes.events.iter().filter_map(|event| Some(((event.merchant_id, event.refund_id?), event.sequence)));
    let mut events_named = Names::of(events);
    for (key, write) in &changes.refunds {
        match write {
            Write::Insert(refund) => refund_row::insert(connection, refund, &events_named.take(key))?,
            Write::Update(refund) => refund_row::update(connection, refund, &events_named.take(key))?,
        }
        if changes.edited.contains(key) {
            refund_row::rewrite(connection, write.row())?;
        }
    }
    name_the_rest(connection, refunds_named, events_named)?;
    disputes::apply(connection, changes)?;
    shares::apply(connection, changes)?;
    changes.forgotten.iter().try_for_each(|key| forget(connection, key))?;
    changes.remembered.iter().try_for_each(|remembered| insert_remembered(connection, remembered))?;
    changes.entries.iter().try_for_each(|booked| insert_postings(connection, booked))?;
    put_balances(connection, changes, snapshot)?;
    put_payouts(connection, changes)?;
    changes.events.iter().try_for_each(|event| insert_event(connection, event))?;
    changes.notifications.values().try_for_each(|write| put_notification(connection, write))?;
    changes.deliveries.iter().try_for_each(|(merchant_id, attempt)| insert_delivery(connection, *merchant_id, attempt))?;
    changes.audit.iter().try_for_each(|line| insert_audit(connection, line))?;
    put_counters(connection, changes)
}

/// Rows are named in the statement that writes whoever names them; a batch that does not write that row names them here.
fn name_the_rest(
    connection: &Connection,
    refunds: Names<(MerchantId, PaymentId)>,
    events: Names<(MerchantId, RefundId)>,
) -> Result<(), StoreError> {
    let of_payment = "UPDATE payments SET refund_ids = refund_ids || ?3 WHERE merchant_id = ?1 AND payment_id = ?2";
    for ((merchant_id, id), named) in &refunds.rest() {
        prepared(connection, of_payment)?.execute(params![merchant_id.get(), id.get(), named]).map_err(fault)?;
    }
    let of_refund = "UPDATE refunds SET event_sequences = event_sequences || ?3 WHERE merchant_id = ?1 AND refund_id = ?2";
    for ((merchant_id, id), named) in &events.rest() {
        prepared(connection, of_refund)?.execute(params![merchant_id.get(), id.get(), named]).map_err(fault)?;
    }
    Ok(())
}

/// A statement that is parsed once per connection.
pub fn prepared<'c>(connection: &'c Connection, sql: &str) -> Result<CachedStatement<'c>, StoreError> {
    connection.prepare_cached(sql).map_err(fault)
}

fn put_settings(connection: &Connection, changes: &Changes) -> Result<(), StoreError> {
    for merchant in changes.merchants.values() {
        let sql = "INSERT INTO merchants (merchant_id, mode, body, version) VALUES (?1, ?2, ?3, 1) \
            ON CONFLICT (merchant_id) DO UPDATE SET mode = excluded.mode, body = excluded.body, version = version + 1";
        let row = params![merchant.id.get(), mode_word(merchant.mode), json_text(merchant.as_ref())?];
        prepared(connection, sql)?.execute(row).map_err(fault)?;
        shares::put_account(connection, merchant)?;
    }
    for terminal in changes.terminals.values() {
        let sql = "INSERT INTO terminals (merchant_id, terminal_id, body) VALUES (?1, ?2, ?3) \
            ON CONFLICT (merchant_id, terminal_id) DO UPDATE SET body = excluded.body";
        let row = params![terminal.merchant_id.get(), terminal.id.get(), json_text(terminal.as_ref())?];
        prepared(connection, sql)?.execute(row).map_err(fault)?;
        let of_merchant = "UPDATE merchants SET version = version + 1 WHERE merchant_id = ?1";
        prepared(connection, of_merchant)?.execute([terminal.merchant_id.get()]).map_err(fault)?;
    }
    for credential in changes.credentials.values() {
        let sql = "INSERT INTO credentials (credential_id, merchant_id, dialect, lookup, key_version, scheme, body) \
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (credential_id) DO UPDATE SET merchant_id = excluded.merchant_id, \
            dialect = excluded.dialect, lookup = excluded.lookup, key_version = excluded.key_version, scheme = excluded.scheme, \
            body = excluded.body";
        let row = params![
            credential.id.get(),
            merchant_of(credential),
            credential.dialect,
            credential.lookup,
            credential.key_version,
            credential.scheme,
            json_text(credential)?,
        ];
        prepared(connection, sql)?.execute(row).map_err(fault)?;
    }
    people::put(connection, changes)
}

fn update_payment(
    connection: &Connection,
    payment: &Payment,
    facts: &BTreeMap<(MerchantId, PaymentId), Facts>,
    refunds_named: &str,
) -> Result<(), StoreError> {
    payment_row::update_sums(connection, payment, refunds_named)?;
    let loaded = facts.get(&(payment.merchant_id, payment.id));
    if loaded != Some(&Facts::of(payment)) {
        payment_row::update_facts(connection, payment)?;
    }
    Ok(())
}

fn forget(connection: &Connection, key: &IdempotencyKey) -> Result<(), StoreError> {
    let sql = "DELETE FROM remembered WHERE merchant_id = ?1 AND number = ?2 AND dialect = ?3 AND scope = ?4";
    prepared(connection, sql)?.execute(params![key.merchant_id.get(), key.number, key.dialect, key.scope]).map_err(fault)?;
    Ok(())
}

fn insert_remembered(connection: &Connection, remembered: &Remembered) -> Result<(), StoreError> {
    let sql = "INSERT INTO remembered (merchant_id, number, dialect, scope, at, refund_id, refusal, compared) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let (refund_id, refusal) = match &remembered.decision {
        RememberedDecision::Accepted(refund_id) => (Some(refund_id.get()), None),
        RememberedDecision::Proposed(adjustment_id) => (Some(adjustment_id.get()), None),
        RememberedDecision::Shared(share_id) => (Some(share_id.get()), None),
        RememberedDecision::ToppedUp | RememberedDecision::Recovered => (None, None),
        RememberedDecision::Refused(refusal) => (None, Some(json_text(refusal)?)),
    };
    let key = &remembered.key;
    let compared = json_text(&remembered.compared)?;
    let row = params![key.merchant_id.get(), key.number, key.dialect, key.scope, remembered.at.us(), refund_id, refusal, compared];
    prepared(connection, sql)?.execute(row).map_err(fault)?;
    Ok(())
}

fn insert_postings(connection: &Connection, booked: &BookedEntry) -> Result<(), StoreError> {
    let sql = "INSERT INTO postings (entry_id, merchant_id, line, debit_account, credit_account, amount_minor, currency, cause, payment_id, \
        refund_id, at, period) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
    let mut statement = prepared(connection, sql)?;
    for (line, posting) in (0_i64..).zip(booked.entry.postings()) {
        let row = params![
            booked.id.get(),
            posting.book.get(),
            line,
            posting.debit.code(),
            posting.credit.code(),
            posting.amount.minor(),
            posting.amount.currency().code(),
            booked.cause,
            booked.payment_id.map(|id| id.get()),
            booked.refund_id.map(|id| id.get()),
            booked.at.us(),
            booked.period(posting.amount.currency()),
        ];
        statement.execute(row).map_err(fault)?;
    }
    Ok(())
}

fn put_balances(connection: &Connection, changes: &Changes, snapshot: &Snapshot) -> Result<(), StoreError> {
    let sql = "INSERT INTO balances (merchant_id, currency, account, balance_minor, turnover) VALUES (?1, ?2, ?3, ?4, ?5) \
        ON CONFLICT (merchant_id, currency, account) DO UPDATE SET balance_minor = excluded.balance_minor, turnover = excluded.turnover";
    let mut statement = prepared(connection, sql)?;
    for (book, currency, account) in rows::money::touched(changes) {
        let turnover = rows::money::turnover(snapshot, (book, currency, account))?;
        let row = params![book.get(), currency.code(), account.code(), snapshot.balances.of(book, account, currency), turnover];
        statement.execute(row).map_err(fault)?;
    }
    Ok(())
}

fn put_payouts(connection: &Connection, changes: &Changes) -> Result<(), StoreError> {
    let sql = "INSERT INTO payouts (merchant_id, payout_id, mode, kind, state, currency, amount_minor, prepared_at, paid_at, body) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (merchant_id, payout_id) DO UPDATE SET state = excluded.state, \
        paid_at = excluded.paid_at, body = excluded.body";
    for payout in changes.payouts.values().map(Write::row) {
        let row = params![
            payout.merchant_id.get(),
            payout.id.get(),
            mode_word(payout.mode),
            payout.kind.word(),
            payout.state.name().word(),
            payout.amount.currency().code(),
            payout.amount.minor(),
            payout.prepared_at.us(),
            payout.state.paid_at().map(|at| at.us()),
            json_text(payout)?,
        ];
        prepared(connection, sql)?.execute(row).map_err(fault)?;
    }
    let sql = "INSERT INTO adjustments (merchant_id, adjustment_id, mode, kind, state, currency, amount_minor, proposed_at, body) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (merchant_id, adjustment_id) DO UPDATE SET state = excluded.state, \
        body = excluded.body";
    for adjustment in changes.adjustments.values().map(Write::row) {
        let row = params![
            adjustment.merchant_id.get(),
            adjustment.id.get(),
            mode_word(adjustment.mode),
            adjustment.kind.word(),
            adjustment.state.word(),
            adjustment.amount.currency().code(),
            adjustment.amount.minor(),
            adjustment.proposed_at.us(),
            json_text(adjustment)?,
        ];
        prepared(connection, sql)?.execute(row).map_err(fault)?;
    }
    Ok(())
}

fn insert_event(connection: &Connection, event: &Event) -> Result<(), StoreError> {
    let sql = "INSERT INTO events (merchant_id, sequence, at, kind, actor, payment_id, refund_id, facts) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let row = params![
        event.merchant_id.get(),
        event.sequence,
        event.at.us(),
        event.kind.word(),
        event.actor.stored(),
        event.payment_id.map(|id| id.get()),
        event.refund_id.map(|id| id.get()),
        json_text(&event.facts)?,
    ];
    prepared(connection, sql)?.execute(row).map_err(fault)?;
    Ok(())
}

fn put_notification(connection: &Connection, write: &Write<Notification>) -> Result<(), StoreError> {
    let insert = "INSERT INTO notifications (merchant_id, notification_id, state, tries, tried_at, terminal_id, url, endpoint_id, \
        event_sequence, refund_id, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    let update = "UPDATE notifications SET state = ?3, tries = ?4, tried_at = ?5 WHERE merchant_id = ?1 AND notification_id = ?2";
    let row = write.row();
    let (merchant_id, id, state, tries) = (row.merchant_id.get(), row.id.get(), row.state.word(), row.tries);
    let tried_at = row.tried_at.map(|at| at.us());
    let written = match write {
        Write::Insert(row) => {
            let (terminal_id, url, endpoint_id) = match &row.recipient {
                Recipient::Dialect { terminal_id, url } => (Some(terminal_id.get()), Some(url), None),
                Recipient::Endpoint(endpoint_id) => (None, None, Some(endpoint_id.get())),
            };
            let refund_id = row.refund_id.map(|id| id.get());
            let (sequence, created_at) = (row.event_sequence, row.created_at.us());
            prepared(connection, insert)?.execute(params![
                merchant_id,
                id,
                state,
                tries,
                tried_at,
                terminal_id,
                url,
                endpoint_id,
                sequence,
                refund_id,
                created_at,
            ])
        }
        Write::Update(_) => prepared(connection, update)?.execute(params![merchant_id, id, state, tries, tried_at]),
    };
    written.map(drop).map_err(fault)
}

fn insert_delivery(connection: &Connection, merchant_id: MerchantId, attempt: &DeliveryAttempt) -> Result<(), StoreError> {
    let sql = "INSERT INTO deliveries (merchant_id, notification_id, line, at, status, answer, took_ms, acknowledged) VALUES (?1, ?2, \
        (SELECT coalesce(max(line), 0) + 1 FROM deliveries WHERE merchant_id = ?1 AND notification_id = ?2), ?3, ?4, ?5, ?6, ?7)";
    let row = params![
        merchant_id.get(),
        attempt.notification_id.get(),
        attempt.at.us(),
        attempt.status,
        attempt.answer,
        attempt.took_ms,
        attempt.acknowledged,
    ];
    prepared(connection, sql)?.execute(row).map_err(fault)?;
    Ok(())
}

fn insert_audit(connection: &Connection, line: &AuditLine) -> Result<(), StoreError> {
    let sql = "INSERT INTO audit (merchant_id, audit_id, at, actor, action, subject, facts) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let merchant_id = line.merchant_id.map_or(0, |id| id.get());
    let (actor, facts) = (line.actor.stored(), json_text(&line.facts)?);
    let row = params![merchant_id, line.id.get(), line.at.us(), actor, line.action, line.subject, facts];
    prepared(connection, sql)?.execute(row).map_err(fault)?;
    Ok(())
}

fn put_counters(connection: &Connection, changes: &Changes) -> Result<(), StoreError> {
    let sequences: BTreeMap<MerchantId, i64> = changes.events.iter().map(|event| (event.merchant_id, event.sequence)).collect();
    let sequences = sequences.into_iter().map(|(merchant_id, sequence)| (merchant_id, LAST_SEQUENCE.to_owned(), sequence));
    let waiting = changes.waiting.iter().map(|((merchant_id, currency), count)| (*merchant_id, format!("{WAITING}{currency}"), *count));
    let sql = "INSERT INTO counters (merchant_id, name, value) VALUES (?1, ?2, ?3) \
        ON CONFLICT (merchant_id, name) DO UPDATE SET value = excluded.value";
    let mut statement = prepared(connection, sql)?;
    for (merchant_id, name, value) in sequences.chain(waiting) {
        statement.execute(params![merchant_id.get(), name, value]).map_err(fault)?;
    }
    Ok(())
}
