//! What was decided, as one statement for each table and kind of writing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use refundry_engine::idempotency::RememberedDecision;
use refundry_engine::notification::Recipient;
use refundry_engine::{Changes, MerchantId, Snapshot, Write};

use super::arrays::{Array, Param, Rows};
use super::load::{AllFacts, LAST_SEQUENCE, WAITING};
use super::session::Call;
use super::statements::{SHARD, insert, put, update};
use super::{disputes, payment_row, people, refund_row, shares};
use crate::StoreError;
use crate::rows::{Names, json_text, merchant_of, money};
use crate::words::mode_word;

static PUT_MERCHANTS: LazyLock<String> = LazyLock::new(|| {
    "INSERT INTO merchants (merchant_id, mode, body, version) SELECT m, mo, b, 1 FROM UNNEST($1::int8[], $2::text[], $3::text[]) AS u (m, mo, b) \
    ON CONFLICT (merchant_id) DO UPDATE SET mode = excluded.mode, body = excluded.body, version = merchants.version + 1"
        .to_owned()
});
const ADD_LOCKS: &str = "INSERT INTO counters (merchant_id, name, value) SELECT m, 'last_sequence', 0 FROM UNNEST($1::int8[]) AS u (m) \
    ON CONFLICT DO NOTHING";
const RAISE_VERSIONS: &str = "UPDATE merchants SET version = version + 1 WHERE merchant_id = ANY($1)";
static PUT_TERMINALS: LazyLock<String> =
    LazyLock::new(|| put("terminals", "merchant_id int8, terminal_id int8, body text", "merchant_id, terminal_id"));
static PUT_CREDENTIALS: LazyLock<String> = LazyLock::new(|| {
    let columns = "credential_id int8, merchant_id int8, dialect text, lookup text, key_version int8, scheme text, body text";
    put("credentials", columns, "credential_id")
});
static INSERT_REMEMBERED: LazyLock<String> = LazyLock::new(|| {
    let columns = "merchant_id int8, number text, dialect text, scope text, at int8, refund_id int8, refusal text, compared text";
    insert("remembered", columns)
});
static INSERT_POSTINGS: LazyLock<String> = LazyLock::new(|| {
    let columns = "entry_id int8, merchant_id int8, line int8, debit_account int8, credit_account int8, amount_minor int8, currency text, \
        cause text, payment_id int8, refund_id int8, at int8, period int8";
    insert("postings", columns)
});
static PUT_BALANCES: LazyLock<String> = LazyLock::new(|| {
    put("balances", "merchant_id int8, currency text, account int8, balance_minor int8, turnover text", "merchant_id, currency, account")
});
static PUT_PAYOUTS: LazyLock<String> = LazyLock::new(|| {
    let columns = "merchant_id int8, payout_id int8, mode text, kind text, state text, currency text, amount_minor int8, prepared_at int8, \
        paid_at int8, body text";
    put("payouts", columns, "merchant_id, payout_id")
});
static PUT_ADJUSTMENTS: LazyLock<String> = LazyLock::new(|| {
    let columns = "merchant_id int8, adjustment_id int8, mode text, kind text, state text, currency text, amount_minor int8, \
        proposed_at int8, body text";
    put("adjustments", columns, "merchant_id, adjustment_id")
});
static FORGET: LazyLock<String> = LazyLock::new(|| {
    format!(
        "DELETE FROM remembered USING UNNEST($1::int8[], $2::text[], $3::text[], $4::text[]) AS k (m, n, d, s) WHERE \
        remembered.merchant_id = m AND remembered.number = n AND remembered.dialect = d AND remembered.scope = s AND \
        {SHARD} remembered.merchant_id = ANY($5)"
    )
});
static PUT_COUNTERS: LazyLock<String> = LazyLock::new(|| put("counters", "merchant_id int8, name text, value int8", "merchant_id, name"));
static INSERT_EVENTS: LazyLock<String> = LazyLock::new(|| {
    let columns = "merchant_id int8, sequence int8, at int8, kind text, actor text, payment_id int8, refund_id int8, facts text";
    insert("events", columns)
});
static INSERT_NOTIFICATIONS: LazyLock<String> = LazyLock::new(|| {
    let columns = "merchant_id int8, notification_id int8, state text, terminal_id int8, url text, endpoint_id int8, event_sequence int8, \
        refund_id int8, tries int8, created_at int8, tried_at int8";
    insert("notifications", columns)
});
static UPDATE_NOTIFICATIONS: LazyLock<String> =
    LazyLock::new(|| update("notifications", "merchant_id int8, notification_id int8", "state text, tries int8, tried_at int8"));
static INSERT_DELIVERIES: LazyLock<String> = LazyLock::new(|| {
    "INSERT INTO deliveries (merchant_id, notification_id, line, at, status, answer, took_ms, acknowledged) SELECT m, i, \
        (SELECT coalesce(max(line), 0) FROM deliveries WHERE merchant_id = m AND notification_id = i AND /* shard */ merchant_id = ANY($1)) \
        + row_number() OVER (PARTITION BY m, i ORDER BY place), at, status, answer, took_ms, acknowledged \
        FROM UNNEST($1::int8[], $2::int8[], $3::int8[], $4::int8[], $5::text[], $6::int8[], $7::int8[]) WITH ORDINALITY \
        AS u (m, i, at, status, answer, took_ms, acknowledged, place)"
        .to_owned()
});
static INSERT_AUDIT: LazyLock<String> =
    LazyLock::new(|| insert("audit", "merchant_id int8, audit_id int8, at int8, actor text, action text, subject text, facts text"));

/// Everything but the tasks. Each row once per batch: a payment with two hundred refunds is written with its last sums.
pub fn calls(changes: &Changes, snapshot: &Snapshot, facts: &AllFacts) -> Result<Vec<Call>, StoreError> {
    let mut calls = Calls(Vec::new());
    settings(changes, &mut calls)?;
    payments(changes, facts, &mut calls)?;
    refunds(changes, &mut calls)?;
    disputes::add_to(&mut calls, changes)?;
    shares::add_to(&mut calls, changes)?;
    remembered(changes, &mut calls)?;
    postings(changes, snapshot, &mut calls)?;
    payouts(changes, &mut calls)?;
    events(changes, &mut calls)?;
    notifications(changes, &mut calls);
    audit(changes, &mut calls)?;
    Ok(calls.0)
}

/// The statements of a batch, in the order in which they are sent.
pub struct Calls(pub Vec<Call>);

impl Calls {
    /// Adds a statement, unless there is no row for it.
    pub fn add(&mut self, sql: &'static str, rows: Rows) {
        if !rows.is_empty() {
            self.0.push(Call { sql, params: rows.into_params() });
        }
    }

    /// Adds a statement that names the merchants once more, unless there is no row for it.
    pub fn add_of(&mut self, sql: &'static str, rows: Rows, merchants: impl IntoIterator<Item = MerchantId>) {
        if !rows.is_empty() {
            let merchants: BTreeSet<i64> = merchants.into_iter().map(|id| id.get()).collect();
            let mut params = rows.into_params();
            params.push(Param::Array(Array::of_ints(merchants)));
            self.0.push(Call { sql, params });
        }
    }
}

fn settings(changes: &Changes, calls: &mut Calls) -> Result<(), StoreError> {
    let (mut merchants, mut locks) = (Rows::of(3), Rows::of(1));
    for merchant in changes.merchants.values() {
        merchants.int(merchant.id.get()).text(mode_word(merchant.mode)).text(&json_text(merchant.as_ref())?);
        locks.int(merchant.id.get());
    }
    calls.add(&PUT_MERCHANTS, merchants);
    calls.add(ADD_LOCKS, locks);
    shares::add_accounts(calls, changes);
    let mut terminals = Rows::of(3);
    for terminal in changes.terminals.values() {
        terminals.int(terminal.merchant_id.get()).int(terminal.id.get()).text(&json_text(terminal.as_ref())?);
    }
    calls.add(&PUT_TERMINALS, terminals);
    let changed: BTreeSet<i64> = changes.terminals.keys().map(|(merchant_id, _)| merchant_id.get()).collect();
    if !changed.is_empty() {
        calls.0.push(Call { sql: RAISE_VERSIONS, params: vec![Param::Array(Array::of_ints(changed))] });
    }
    let mut credentials = Rows::of(7);
    for credential in changes.credentials.values() {
        credentials.int(credential.id.get()).int(merchant_of(credential)).text(&credential.dialect).text(&credential.lookup);
        credentials.int(credential.key_version).text(&credential.scheme).text(&json_text(credential)?);
    }
    calls.add(&PUT_CREDENTIALS, credentials);
    people::write(changes, calls)
}

fn payments(changes: &Changes, facts: &AllFacts, calls: &mut Calls) -> Result<(), StoreError> {
    let mut named = Names::of(changes.refunds.values().filter_map(|write| match write {
        Write::Insert(refund) => Some(((refund.merchant_id, refund.payment_id), refund.id.get())),
        Write::Update(_) => None,
    }));
    let mut written = payment_row::Written::default();
    for (key, write) in &changes.payments {
        match write {
            // Its first refunds may be of this batch too: they are named with the rest.
            Write::Insert(payment) => written.insert(payment)?,
            Write::Update(payment) => written.update(payment, facts.get(key), &named.take(key))?,
        }
    }
    written.add_to(calls, named.rest());
    Ok(())
}

fn refunds(changes: &Changes, calls: &mut Calls) -> Result<(), StoreError> {
    let events = changes.events.iter().filter_map(|event| Some(((event.merchant_id, event.refund_id?), event.sequence)));
    let mut named = Names::of(events);
    let mut written = refund_row::Written::default();
    for (key, write) in &changes.refunds {
        match write {
            Write::Insert(refund) => written.insert(refund, &named.take(key))?,
            Write::Update(refund) => written.update(refund, &named.take(key))?,
        }
        if changes.edited.contains(key) {
            written.rewrite(write.row())?;
        }
    }
    written.add_to(calls, named.rest());
    Ok(())
}

fn remembered(changes: &Changes, calls: &mut Calls) -> Result<(), StoreError> {
    let mut keys = Rows::of(4);
    for key in &changes.forgotten {
        keys.int(key.merchant_id.get()).text(&key.number).text(&key.dialect).text(&key.scope);
    }
    calls.add_of(&FORGET, keys, changes.forgotten.iter().map(|key| key.merchant_id));
    let mut rows = Rows::of(8);
    for remembered in &changes.remembered {
        let (refund_id, refusal) = match &remembered.decision {
            RememberedDecision::Accepted(refund_id) => (Some(refund_id.get()), None),
            RememberedDecision::Proposed(adjustment_id) => (Some(adjustment_id.get()), None),
            RememberedDecision::Shared(share_id) => (Some(share_id.get()), None),
            RememberedDecision::ToppedUp | RememberedDecision::Recovered => (None, None),
            RememberedDecision::Refused(refusal) => (None, Some(json_text(refusal)?)),
        };
        let key = &remembered.key;
        rows.int(key.merchant_id.get()).text(&key.number).text(&key.dialect).text(&key.scope).int(remembered.at.us());
        rows.int_or_null(refund_id).text_or_null(refusal.as_deref()).text(&json_text(&remembered.compared)?);
    }
    calls.add(&INSERT_REMEMBERED, rows);
    Ok(())
}

fn postings(changes: &Changes, snapshot: &Snapshot, calls: &mut Calls) -> Result<(), StoreError> {
    let mut rows = Rows::of(12);
    for booked in &changes.entries {
        for (line, posting) in (0_i64..).zip(booked.entry.postings()) {
            let currency = posting.amount.currency();
            rows.int(booked.id.get()).int(posting.book.get()).int(line).int(posting.debit.code()).int(posting.credit.code());
            rows.int(posting.amount.minor()).text(currency.code()).text(booked.cause);
            rows.int_or_null(booked.payment_id.map(|id| id.get())).int_or_null(booked.refund_id.map(|id| id.get())).int(booked.at.us());
            rows.int(booked.period(currency));
        }
    }
    calls.add(&INSERT_POSTINGS, rows);
    let mut balances = Rows::of(5);
    for (book, currency, account) in money::touched(changes) {
        balances.int(book.get()).text(currency.code()).int(account.code()).int(snapshot.balances.of(book, account, currency));
        balances.text_or_null(money::turnover(snapshot, (book, currency, account))?.as_deref());
    }
    calls.add(&PUT_BALANCES, balances);
    Ok(())
}

fn payouts(changes: &Changes, calls: &mut Calls) -> Result<(), StoreError> {
    let mut payouts = Rows::of(10);
    for payout in changes.payouts.values().map(Write::row) {
        payouts.int(payout.merchant_id.get()).int(payout.id.get()).text(mode_word(payout.mode)).text(payout.kind.word());
        payouts.text(payout.state.name().word()).text(payout.amount.currency().code()).int(payout.amount.minor());
        payouts.int(payout.prepared_at.us()).int_or_null(payout.state.paid_at().map(|at| at.us())).text(&json_text(payout)?);
    }
    calls.add(&PUT_PAYOUTS, payouts);
    let mut adjustments = Rows::of(9);
    for adjustment in changes.adjustments.values().map(Write::row) {
        adjustments.int(adjustment.merchant_id.get()).int(adjustment.id.get()).text(mode_word(adjustment.mode));
        adjustments.text(adjustment.kind.word()).text(adjustment.state.word()).text(adjustment.amount.currency().code());
        adjustments.int(adjustment.amount.minor()).int(adjustment.proposed_at.us()).text(&json_text(adjustment)?);
    }
    calls.add(&PUT_ADJUSTMENTS, adjustments);
    Ok(())
}

fn events(changes: &Changes, calls: &mut Calls) -> Result<(), StoreError> {
    let mut rows = Rows::of(8);
    for event in &changes.events {
        rows.int(event.merchant_id.get()).int(event.sequence).int(event.at.us()).text(event.kind.word()).text(&event.actor.stored());
        rows.int_or_null(event.payment_id.map(|id| id.get())).int_or_null(event.refund_id.map(|id| id.get()));
        rows.text(&json_text(&event.facts)?);
    }
    calls.add(&INSERT_EVENTS, rows);
    let sequences: BTreeMap<MerchantId, i64> = changes.events.iter().map(|event| (event.merchant_id, event.sequence)).collect();
    let mut counters = Rows::of(3);
    for (merchant_id, sequence) in sequences {
        counters.int(merchant_id.get()).text(LAST_SEQUENCE).int(sequence);
    }
    for ((merchant_id, currency), count) in &changes.waiting {
        counters.int(merchant_id.get()).text(&format!("{WAITING}{currency}")).int(*count);
    }
    calls.add(&PUT_COUNTERS, counters);
    Ok(())
}

fn notifications(changes: &Changes, calls: &mut Calls) {
    let (mut inserted, mut updated, mut updated_of) = (Rows::of(11), Rows::of(5), Vec::new());
    for write in changes.notifications.values() {
        let row = write.row();
        let (merchant_id, id, state) = (row.merchant_id.get(), row.id.get(), row.state.word());
        let tried_at = row.tried_at.map(|at| at.us());
        match write {
            Write::Insert(row) => {
                inserted.int(merchant_id).int(id).text(state);
                match &row.recipient {
                    Recipient::Dialect { terminal_id, url } => inserted.int(terminal_id.get()).text(url).int_or_null(None),
                    Recipient::Endpoint(endpoint_id) => inserted.int_or_null(None).text_or_null(None).int(endpoint_id.get()),
                };
                inserted.int(row.event_sequence).int_or_null(row.refund_id.map(|id| id.get())).int(row.tries);
                inserted.int(row.created_at.us()).int_or_null(tried_at);
            }
            Write::Update(row) => {
                updated.int(merchant_id).int(id).text(state).int(row.tries).int_or_null(tried_at);
                updated_of.push(row.merchant_id);
            }
        }
    }
    calls.add(&INSERT_NOTIFICATIONS, inserted);
    calls.add_of(&UPDATE_NOTIFICATIONS, updated, updated_of);
    let mut deliveries = Rows::of(7);
    for (merchant_id, attempt) in &changes.deliveries {
        deliveries.int(merchant_id.get()).int(attempt.notification_id.get()).int(attempt.at.us());
        deliveries.int_or_null(attempt.status.map(i64::from)).text(&attempt.answer).int(attempt.took_ms).int(attempt.acknowledged);
    }
    calls.add(&INSERT_DELIVERIES, deliveries);
}

fn audit(changes: &Changes, calls: &mut Calls) -> Result<(), StoreError> {
    let mut rows = Rows::of(7);
    for line in &changes.audit {
        rows.int(line.merchant_id.map_or(0, |id| id.get())).int(line.id.get()).int(line.at.us()).text(&line.actor.stored());
        rows.text(line.action).text(&line.subject).text(&json_text(&line.facts)?);
    }
    calls.add(&INSERT_AUDIT, rows);
    Ok(())
}

/// Every statement of this file, for those who look at plans.
#[cfg(test)]
pub fn statements() -> Vec<&'static str> {
    vec![
        &PUT_MERCHANTS,
        ADD_LOCKS,
        RAISE_VERSIONS,
        &PUT_TERMINALS,
        &PUT_CREDENTIALS,
        &FORGET,
        &INSERT_REMEMBERED,
        &INSERT_POSTINGS,
        &PUT_BALANCES,
        &PUT_PAYOUTS,
        &PUT_ADJUSTMENTS,
        &PUT_COUNTERS,
        &INSERT_EVENTS,
        &INSERT_NOTIFICATIONS,
        &UPDATE_NOTIFICATIONS,
        &INSERT_DELIVERIES,
        &INSERT_AUDIT,
    ]
}
