use std::collections::{BTreeMap, BTreeSet};

use refundry_engine::chart;
use refundry_engine::idempotency::{IdempotencyKey, RememberedDecision};
use refundry_engine::payment::PaymentKey;
use refundry_engine::{CredentialId, MerchantId, NotificationId, PaymentId, RefundId, Scope, Snapshot, TaskId, TerminalId, Timestamp};
use refundry_ledger::Currency;
use rusqlite::{Connection, Params, Row};
use serde::de::DeserializeOwned;

use super::backend::Settings;
use super::columns::Columns;
use super::fault::fault;
use super::payment_row;
use super::{disputes, other_rows, people, recent, refund_row, shares};
use crate::StoreError;
use crate::rows;
use crate::rows::ReadColumns as _;
use crate::rows::payment::Facts;

/// The counter of a merchant's feed.
pub const LAST_SEQUENCE: &str = "last_sequence";
/// What the counters of waiting refunds begin with; the currency follows.
pub const WAITING: &str = "waiting:";

/// Loads what a scope names, and what hangs on it: a key its refund, a refund its payment, a payment its terminal and balances.
pub fn load(
    connection: &Connection,
    settings: &mut Settings,
    facts: &mut BTreeMap<(MerchantId, PaymentId), Facts>,
    scope: &Scope,
) -> Result<Snapshot, StoreError> {
    let mut snapshot = Snapshot::default();
    let mut refunds = scope.refunds.clone();
    let mut payments: BTreeSet<(MerchantId, PaymentId)> = BTreeSet::new();
    let mut terminals = scope.terminals.clone();
    let mut currencies = scope.currencies.clone();

    load_keys(connection, &scope.keys, &mut snapshot, &mut refunds)?;
    shares::load(connection, scope, &mut snapshot)?;
    payments.extend(snapshot.shares.values().map(|share| (share.merchant_id, share.payment_id)));
    load_refunds(connection, &refunds, &mut snapshot)?;
    for refund in snapshot.refunds.values() {
        payments.insert((refund.merchant_id, refund.payment_id));
        terminals.insert((refund.merchant_id, refund.terminal_id));
    }
    disputes::load(connection, &scope.disputes, &mut snapshot)?;
    find_references(connection, &scope.payments, &mut snapshot, &mut payments)?;
    load_payments(connection, &payments, &mut snapshot)?;
    for payment in snapshot.payments.values() {
        terminals.insert((payment.merchant_id, payment.terminal_id));
        currencies.insert((payment.merchant_id, payment.currency()));
        currencies.insert((payment.merchant_id, payment.home_currency()));
        facts.insert((payment.merchant_id, payment.id), Facts::of(payment));
    }
    shares::load_open(connection, &mut snapshot)?;
    shares::count_open_refunds(connection, scope, &mut snapshot)?;
    let mut merchants = scope.merchants.clone();
    for (merchant_id, currency) in shares::receivers(&snapshot) {
        merchants.insert(merchant_id);
        currencies.insert((merchant_id, currency));
    }
    load_settings(connection, settings, (&merchants, &terminals), &mut snapshot)?;
    load_notifications(connection, &scope.notifications, &mut snapshot)?;
    load_credentials(connection, &scope.credentials, &mut snapshot)?;
    load_payouts(connection, scope, &mut snapshot)?;
    currencies.extend(snapshot.payouts.values().map(|payout| (payout.merchant_id, payout.amount.currency())));
    currencies.extend(snapshot.adjustments.values().map(|adjustment| (adjustment.merchant_id, adjustment.amount.currency())));
    load_tasks(connection, &scope.tasks, &mut snapshot)?;
    people::load(connection, &scope.people, &mut snapshot)?;
    load_counters(connection, &merchants, &mut snapshot)?;
    load_balances(connection, &currencies, &mut snapshot)?;
    load_next_settlements(connection, &scope.settlements, &mut snapshot)?;
    recent::load(connection, scope, &mut snapshot)?;
    Ok(snapshot)
}

/// Runs a statement that finds one row or none.
pub fn find<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    let mut statement = connection.prepare_cached(sql).map_err(fault)?;
    let mut rows = statement.query(params).map_err(fault)?;
    rows.next().map_err(fault)?.map(read).transpose()
}

/// Reads the JSON text that is a row's only column.
pub fn body<T: DeserializeOwned>(row: &Row<'_>) -> Result<T, StoreError> {
    Columns::new(row, "setting").json()
}

/// Finds a payment by its reference.
pub const FIND_REFERENCE: &str = "SELECT payment_id FROM payments WHERE merchant_id = ?1 AND payment_reference = ?2";
/// Finds a merchant.
pub const FIND_MERCHANT: &str = "SELECT body FROM merchants WHERE merchant_id = ?1";
const NEXT_SETTLEMENT: &str = "SELECT settle_at FROM payments INDEXED BY payments_to_settle \
    WHERE merchant_id = ?1 AND settle_at IS NOT NULL AND settle_at <= ?2 ORDER BY settle_at LIMIT 1";
const NEXT_RELEASE: &str = "SELECT reserve_release_at FROM payments INDEXED BY reserves_to_release \
    WHERE merchant_id = ?1 AND reserve_release_at IS NOT NULL AND reserve_release_at <= ?2 ORDER BY reserve_release_at LIMIT 1";
/// Finds a terminal.
pub const FIND_TERMINAL: &str = "SELECT body FROM terminals WHERE merchant_id = ?1 AND terminal_id = ?2";
/// Finds a payout.
pub const FIND_PAYOUT: &str = "SELECT body FROM payouts WHERE merchant_id = ?1 AND payout_id = ?2";
/// Finds an adjustment.
pub const FIND_ADJUSTMENT: &str = "SELECT body FROM adjustments WHERE merchant_id = ?1 AND adjustment_id = ?2";
/// Finds a credential.
pub const FIND_CREDENTIAL: &str = "SELECT body FROM credentials WHERE credential_id = ?1";

fn load_keys(
    connection: &Connection,
    keys: &BTreeSet<IdempotencyKey>,
    snapshot: &mut Snapshot,
    refunds: &mut BTreeSet<(MerchantId, RefundId)>,
) -> Result<(), StoreError> {
    let sql = format!(
        "SELECT {} FROM remembered WHERE merchant_id = ?1 AND number = ?2 AND dialect = ?3 AND scope = ?4",
        rows::other::REMEMBERED_COLUMNS
    );
    for key in keys {
        let params = (key.merchant_id.get(), &key.number, &key.dialect, &key.scope);
        let Some(remembered) = find(connection, &sql, params, other_rows::remembered)? else { continue };
        if let RememberedDecision::Accepted(refund_id) = remembered.decision {
            refunds.insert((key.merchant_id, refund_id));
        }
        snapshot.remembered.insert(key.clone(), remembered);
    }
    Ok(())
}

fn load_refunds(connection: &Connection, ids: &BTreeSet<(MerchantId, RefundId)>, snapshot: &mut Snapshot) -> Result<(), StoreError> {
    let sql = format!("SELECT {} FROM refunds WHERE merchant_id = ?1 AND refund_id = ?2", rows::refund::COLUMNS);
    for (merchant_id, id) in ids {
        if let Some(refund) = find(connection, &sql, (merchant_id.get(), id.get()), refund_row::read)? {
            snapshot.refunds.insert((*merchant_id, *id), refund);
        }
    }
    Ok(())
}

fn find_references(
    connection: &Connection,
    keys: &BTreeSet<(MerchantId, PaymentKey)>,
    snapshot: &mut Snapshot,
    payments: &mut BTreeSet<(MerchantId, PaymentId)>,
) -> Result<(), StoreError> {
    for (merchant_id, key) in keys {
        let id = match key {
            PaymentKey::Id(id) => Some(*id),
            PaymentKey::Reference(reference) => find(connection, FIND_REFERENCE, (merchant_id.get(), reference), |row| {
                Columns::new(row, "payment").int().map(PaymentId::new)
            })?,
        };
        if let (PaymentKey::Reference(reference), Some(id)) = (key, id) {
            snapshot.references.insert((*merchant_id, reference.clone()), id);
        }
        payments.extend(id.map(|id| (*merchant_id, id)));
    }
    Ok(())
}

fn load_payments(connection: &Connection, ids: &BTreeSet<(MerchantId, PaymentId)>, snapshot: &mut Snapshot) -> Result<(), StoreError> {
    let sql = format!("SELECT {} FROM payments WHERE merchant_id = ?1 AND payment_id = ?2", rows::payment::COLUMNS);
    for (merchant_id, id) in ids {
        if let Some(payment) = find(connection, &sql, (merchant_id.get(), id.get()), payment_row::read)? {
            snapshot.references.entry((*merchant_id, payment.payment_reference.clone())).or_insert(*id);
            snapshot.payments.insert((*merchant_id, *id), payment);
        }
    }
    Ok(())
}

fn load_settings(
    connection: &Connection,
    settings: &mut Settings,
    (merchants, terminals): (&BTreeSet<MerchantId>, &BTreeSet<(MerchantId, TerminalId)>),
    snapshot: &mut Snapshot,
) -> Result<(), StoreError> {
    for id in merchants {
        let found = settings.merchant(*id, || find(connection, FIND_MERCHANT, [id.get()], body))?;
        snapshot.merchants.extend(found.map(|merchant| (*id, merchant)));
    }
    for (merchant_id, id) in terminals {
        let read = || find(connection, FIND_TERMINAL, (merchant_id.get(), id.get()), body);
        let found = settings.terminal((*merchant_id, *id), read)?;
        snapshot.terminals.extend(found.map(|terminal| ((*merchant_id, *id), terminal)));
    }
    Ok(())
}

fn load_notifications(
    connection: &Connection,
    ids: &BTreeSet<(MerchantId, NotificationId)>,
    snapshot: &mut Snapshot,
) -> Result<(), StoreError> {
    let columns = rows::other::NOTIFICATION_COLUMNS;
    let sql = format!("SELECT {columns} FROM notifications WHERE merchant_id = ?1 AND notification_id = ?2");
    for (merchant_id, id) in ids {
        let found = find(connection, &sql, (merchant_id.get(), id.get()), other_rows::notification)?;
        snapshot.notifications.extend(found.map(|notification| ((*merchant_id, *id), notification)));
    }
    Ok(())
}

fn load_credentials(connection: &Connection, ids: &BTreeSet<CredentialId>, snapshot: &mut Snapshot) -> Result<(), StoreError> {
    for id in ids {
        let found = find(connection, FIND_CREDENTIAL, [id.get()], body)?;
        snapshot.credentials.extend(found.map(|credential| (*id, credential)));
    }
    Ok(())
}

fn load_payouts(connection: &Connection, scope: &Scope, snapshot: &mut Snapshot) -> Result<(), StoreError> {
    for (merchant_id, id) in &scope.payouts {
        let found = find(connection, FIND_PAYOUT, (merchant_id.get(), id.get()), body)?;
        snapshot.payouts.extend(found.map(|payout| ((*merchant_id, *id), payout)));
    }
    for (merchant_id, id) in &scope.adjustments {
        let found = find(connection, FIND_ADJUSTMENT, (merchant_id.get(), id.get()), body)?;
        snapshot.adjustments.extend(found.map(|adjustment| ((*merchant_id, *id), adjustment)));
    }
    Ok(())
}

fn load_tasks(connection: &Connection, ids: &BTreeSet<(MerchantId, TaskId)>, snapshot: &mut Snapshot) -> Result<(), StoreError> {
    let sql = format!("SELECT {} FROM tasks WHERE merchant_id = ?1 AND task_id = ?2", rows::other::TASK_COLUMNS);
    for (merchant_id, id) in ids {
        let found = find(connection, &sql, (merchant_id.get(), id.get()), other_rows::task)?;
        snapshot.tasks.extend(found.map(|task| ((*merchant_id, *id), task)));
    }
    Ok(())
}

fn load_counters(connection: &Connection, merchants: &BTreeSet<MerchantId>, snapshot: &mut Snapshot) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached("SELECT name, value FROM counters WHERE merchant_id = ?1").map_err(fault)?;
    for merchant_id in merchants {
        let mut rows = statement.query([merchant_id.get()]).map_err(fault)?;
        while let Some(row) = rows.next().map_err(fault)? {
            let mut columns = Columns::new(row, "counter");
            let name = columns.text()?;
            if name == LAST_SEQUENCE {
                snapshot.last_sequence.insert(*merchant_id, columns.int()?);
            } else {
                let currency = name.strip_prefix(WAITING).and_then(|code| code.parse().ok());
                let currency: Currency = currency.ok_or_else(|| columns.unreadable("the counter is not known"))?;
                snapshot.waiting.insert((*merchant_id, currency), columns.int()?);
            }
        }
    }
    Ok(())
}

fn load_next_settlements(
    connection: &Connection,
    asked: &BTreeMap<MerchantId, Timestamp>,
    snapshot: &mut Snapshot,
) -> Result<(), StoreError> {
    for (merchant_id, by) in asked {
        for sql in [NEXT_SETTLEMENT, NEXT_RELEASE] {
            let at = find(connection, sql, (merchant_id.get(), by.us()), |row| Columns::new(row, "payment").int())?;
            let next = at.map(Timestamp::from_us).into_iter().chain(snapshot.next_settlement.get(merchant_id).copied()).min();
            snapshot.next_settlement.extend(next.map(|next| (*merchant_id, next)));
        }
    }
    Ok(())
}

fn load_balances(
    connection: &Connection,
    currencies: &BTreeSet<(MerchantId, Currency)>,
    snapshot: &mut Snapshot,
) -> Result<(), StoreError> {
    let sql = "SELECT account, balance_minor, turnover FROM balances WHERE merchant_id = ?1 AND currency = ?2";
    let mut statement = connection.prepare_cached(sql).map_err(fault)?;
    for (merchant_id, currency) in currencies {
        let mut rows = statement.query((merchant_id.get(), currency.code())).map_err(fault)?;
        while let Some(row) = rows.next().map_err(fault)? {
            let mut columns = Columns::new(row, "balance");
            let account = chart::by_code(columns.small()?).ok_or_else(|| columns.unreadable("the account is not known"))?;
            snapshot.balances.set(*merchant_id, account, *currency, columns.int()?);
            snapshot.pots.extend(columns.json_or_null()?.map(|pots| ((*merchant_id, *currency), pots)));
        }
    }
    Ok(())
}
