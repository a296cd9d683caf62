//! What a batch needs, in one trip to the database: the locks first, and everything behind them as it stands once they are held. What only the first trip
//! tells is needed, such as the refund behind a repeated request or a terminal that another node changed, is a second trip.

mod read;
mod shared;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use refundry_engine::idempotency::RememberedDecision;
use refundry_engine::payment::PaymentKey;
use refundry_engine::{MerchantId, PaymentId, RefundId, Scope, Snapshot, TerminalId};
use tokio_postgres::Row;

use super::arrays::{Array, Param, Rows};
use super::disputes;
use super::receivers::Receivers;
use super::session::{Call, Failed, Session};
use super::settings::Settings;
use super::{people, recent};
use crate::StoreError;
use crate::lane::More;
use crate::rows;
use crate::rows::payment::Facts;

/// The counter of a merchant's feed, and the row that is locked by whoever writes anything of the merchant.
pub const LAST_SEQUENCE: &str = "last_sequence";
/// What the counters of waiting refunds begin with; the currency follows.
pub const WAITING: &str = "waiting:";

/// In the order of the merchants, like everybody, so that no two writers wait for each other.
const LOCK: &str = "SELECT merchant_id FROM counters WHERE merchant_id = ANY($1) AND name = 'last_sequence' ORDER BY merchant_id \
    FOR NO KEY UPDATE";
/// As `LOCK`, but whoever is in the way is not waited for.
const LOCK_AT_ONCE: &str = "SELECT merchant_id FROM counters WHERE merchant_id = ANY($1) AND name = 'last_sequence' ORDER BY merchant_id \
    FOR NO KEY UPDATE NOWAIT";
const ADD_LOCKS: &str = "INSERT INTO counters (merchant_id, name, value) SELECT merchant_id, 'last_sequence', 0 FROM merchants \
    WHERE merchant_id = ANY($1) ON CONFLICT DO NOTHING";
const VERSIONS: &str = "SELECT merchant_id, version FROM merchants WHERE merchant_id = ANY($1)";
const COUNTERS: &str = "SELECT merchant_id, name, value FROM counters WHERE merchant_id = ANY($1)";
const BALANCES: &str = "SELECT merchant_id, currency, account, balance_minor, turnover FROM balances WHERE merchant_id = ANY($1)";
const MERCHANTS: &str = "SELECT version, body FROM merchants WHERE merchant_id = ANY($1)";
const TERMINALS: &str = "SELECT body FROM UNNEST($1::int8[], $2::int8[]) AS k (m, i) JOIN terminals ON merchant_id = m AND terminal_id = i \
    WHERE /* shard */ merchant_id = ANY($3)";
const CREDENTIALS: &str = "SELECT body FROM credentials WHERE credential_id = ANY($1) ORDER BY credential_id FOR NO KEY UPDATE";

const PAYOUTS: &str = "SELECT body FROM UNNEST($1::int8[], $2::int8[]) AS k (m, i) JOIN payouts ON merchant_id = m AND payout_id = i \
    WHERE /* shard */ merchant_id = ANY($3)";
const ADJUSTMENTS: &str = "SELECT body FROM UNNEST($1::int8[], $2::int8[]) AS k (m, i) JOIN adjustments ON merchant_id = m \
    AND adjustment_id = i WHERE /* shard */ merchant_id = ANY($3)";
const NEXT_SETTLEMENTS: &str = "SELECT m, at FROM UNNEST($1::int8[], $2::int8[]) AS k (m, t) CROSS JOIN LATERAL \
    (SELECT settle_at AS at FROM payments WHERE merchant_id = m AND settle_at <= t AND /* shard */ merchant_id = ANY($3) \
    ORDER BY settle_at LIMIT 1) AS first";
const NEXT_RELEASES: &str = "SELECT m, at FROM UNNEST($1::int8[], $2::int8[]) AS k (m, t) CROSS JOIN LATERAL \
    (SELECT reserve_release_at AS at FROM payments WHERE merchant_id = m AND reserve_release_at <= t AND /* shard */ merchant_id = ANY($3) \
    ORDER BY reserve_release_at LIMIT 1) AS first";

static REMEMBERED: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {} FROM UNNEST($1::int8[], $2::text[], $3::text[], $4::text[]) AS k (m, n, d, s) JOIN remembered \
        ON merchant_id = m AND number = n AND dialect = d AND scope = s WHERE /* shard */ merchant_id = ANY($5)",
        rows::other::REMEMBERED_COLUMNS
    )
});
static NOTIFICATIONS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {} FROM UNNEST($1::int8[], $2::int8[]) AS k (m, i) JOIN notifications ON merchant_id = m AND notification_id = i \
        WHERE /* shard */ merchant_id = ANY($3) ORDER BY m, i FOR NO KEY UPDATE OF notifications",
        rows::other::NOTIFICATION_COLUMNS
    )
});
/// Behind the merchant's lock nobody else puts them; whoever leases one changes nothing that is read here.
static TASKS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {} FROM UNNEST($1::int8[], $2::int8[]) AS k (m, i) JOIN tasks ON merchant_id = m AND task_id = i \
        WHERE /* shard */ merchant_id = ANY($3)",
        rows::other::TASK_COLUMNS
    )
});
static REFUNDS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {} FROM UNNEST($1::int8[], $2::int8[]) AS k (m, i) JOIN refunds ON merchant_id = m AND refund_id = i \
        WHERE /* shard */ merchant_id = ANY($3)",
        rows::refund::COLUMNS
    )
});
static PAYMENTS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {} FROM UNNEST($1::int8[], $2::int8[]) AS k (m, i) JOIN payments ON merchant_id = m AND payment_id = i \
        WHERE /* shard */ merchant_id = ANY($3)",
        rows::payment::COLUMNS
    )
});
static PAYMENTS_BY_REFERENCE: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {} FROM UNNEST($1::int8[], $2::text[]) AS k (m, r) JOIN payments ON merchant_id = m AND payment_reference = r \
        WHERE /* shard */ merchant_id = ANY($3)",
        rows::payment::COLUMNS
    )
});
static PAYMENTS_OF_REFUNDS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {} FROM (SELECT DISTINCT refunds.merchant_id AS m, refunds.payment_id AS p FROM UNNEST($1::int8[], $2::int8[]) AS k (km, ki) \
        JOIN refunds ON refunds.merchant_id = km AND refund_id = ki WHERE /* shard */ refunds.merchant_id = ANY($3)) AS of_refunds \
        JOIN payments ON merchant_id = m AND payment_id = p WHERE /* shard */ merchant_id = ANY($3)",
        rows::payment::COLUMNS
    )
});

/// What the payments of a batch said when they were loaded.
pub type AllFacts = BTreeMap<(MerchantId, PaymentId), Facts>;

/// What a lane keeps between its batches, and of the batch that it has loaded.
#[derive(Default)]
pub struct Memory {
    /// Merchants and terminals, parsed.
    pub settings: Settings,
    /// Who gets something of which payment.
    pub receivers: Receivers,
    /// What the payments of the batch said.
    pub facts: AllFacts,
}

/// What is asked, and what becomes of its answer.
type Asked<'a> = (Call, &'a dyn Fn(&mut Loading, &Row) -> Result<(), StoreError>);

/// What was read so far.
#[derive(Default)]
struct Loading {
    snapshot: Snapshot,
    locked: BTreeSet<MerchantId>,
    versions: BTreeMap<MerchantId, i64>,
    read: Vec<(i64, refundry_engine::merchant::Merchant)>,
    read_terminals: Vec<refundry_engine::merchant::Terminal>,
}

/// Begins a transaction, locks what a batch may write, and reads what it needs.
pub async fn load(
    session: &mut Session,
    memory: &mut Memory,
    (mut scope, more): (Scope, &mut More<'_>),
    waits: bool,
) -> Result<Snapshot, Failed> {
    memory.settings.make_room();
    memory.receivers.add_to(&mut scope);
    let mut more = Some(more);
    let mut loading = Loading::behind_locks(session, &mut scope, &mut more, waits).await?;
    for _ in 0..shared::AGAIN_MAX {
        let unlocked = loading.receivers_without_lock(&scope);
        if unlocked.is_empty() {
            break;
        }
        // They are locked in one order with the others, or two givers that are each other's receivers would wait for each other.
        session.send(Some("ROLLBACK"), &[], None).await?;
        scope.merchants.extend(unlocked);
        loading = Loading::behind_locks(session, &mut scope, &mut more, waits).await?;
    }
    if !loading.receivers_without_lock(&scope).is_empty() {
        return Err(shared::receivers_change());
    }
    let Memory { settings, receivers, facts } = memory;
    let second = loading.second_calls(settings, &scope);
    if !second.is_empty() {
        loading.ask(session, None, second).await?;
    }
    loading.third_calls(session, settings, &scope).await?;
    let mut snapshot = loading.finish(settings, facts, &scope);
    receivers.learn(&snapshot);
    recent::load(session, &scope, &mut snapshot).await?;
    Ok(snapshot)
}

fn first_calls(scope: &Scope, merchants: &BTreeSet<MerchantId>, waits: bool) -> Vec<Asked<'static>> {
    let mut calls: Vec<Asked<'static>> = Vec::new();
    if !merchants.is_empty() {
        let of_merchants = |sql| Call { sql, params: vec![ids(merchants)] };
        calls.push((of_merchants(if waits { LOCK } else { LOCK_AT_ONCE }), &Loading::lock));
        calls.push((of_merchants(VERSIONS), &Loading::version));
        calls.push((of_merchants(COUNTERS), &Loading::counter));
        calls.push((of_merchants(BALANCES), &Loading::balance));
    }
    calls.extend(keyed_calls(scope));
    calls
}

/// What is read by its own key: everything but the rows that a merchant has one or few of.
fn keyed_calls(scope: &Scope) -> Vec<Asked<'static>> {
    let mut calls: Vec<Asked<'static>> = Vec::new();
    if !scope.keys.is_empty() {
        let mut keys = Rows::of(4);
        for key in &scope.keys {
            keys.int(key.merchant_id.get()).text(&key.number).text(&key.dialect).text(&key.scope);
        }
        calls.push((keyed(&REMEMBERED, keys, scope.keys.iter().map(|key| key.merchant_id)), &Loading::remembered));
    }
    if !scope.refunds.is_empty() {
        calls.push((pairs(&REFUNDS, scope.refunds.iter().map(|(merchant_id, id)| (*merchant_id, id.get()))), &Loading::refund));
        calls
            .push((pairs(&PAYMENTS_OF_REFUNDS, scope.refunds.iter().map(|(merchant_id, id)| (*merchant_id, id.get()))), &Loading::payment));
    }
    if !scope.settlements.is_empty() {
        let asked = || scope.settlements.iter().map(|(merchant_id, by)| (*merchant_id, by.us()));
        calls.push((pairs(NEXT_SETTLEMENTS, asked()), &Loading::next_settlement));
        calls.push((pairs(NEXT_RELEASES, asked()), &Loading::next_settlement));
    }
    calls.extend(dispute_calls(scope));
    calls.extend(shared::calls(scope));
    let mut references = Rows::of(2);
    let mut by_id = Vec::new();
    for (merchant_id, key) in &scope.payments {
        match key {
            PaymentKey::Id(id) => by_id.push((*merchant_id, id.get())),
            PaymentKey::Reference(reference) => drop(references.int(merchant_id.get()).text(reference)),
        }
    }
    if !references.is_empty() {
        let of = scope.payments.iter().map(|(merchant_id, _)| *merchant_id);
        calls.push((keyed(&PAYMENTS_BY_REFERENCE, references, of), &Loading::payment));
    }
    if !by_id.is_empty() {
        calls.push((pairs(&PAYMENTS, by_id), &Loading::payment));
    }
    if !scope.notifications.is_empty() {
        let notifications = scope.notifications.iter().map(|(merchant_id, id)| (*merchant_id, id.get()));
        calls.push((pairs(&NOTIFICATIONS, notifications), &Loading::notification));
    }
    if !scope.payouts.is_empty() {
        calls.push((pairs(PAYOUTS, scope.payouts.iter().map(|(merchant_id, id)| (*merchant_id, id.get()))), &Loading::payout));
    }
    if !scope.adjustments.is_empty() {
        let adjustments = scope.adjustments.iter().map(|(merchant_id, id)| (*merchant_id, id.get()));
        calls.push((pairs(ADJUSTMENTS, adjustments), &Loading::adjustment));
    }
    if !scope.tasks.is_empty() {
        calls.push((pairs(&TASKS, scope.tasks.iter().map(|(merchant_id, id)| (*merchant_id, id.get()))), &Loading::task));
    }
    if !scope.credentials.is_empty() {
        let credentials = Param::Array(Array::of_ints(scope.credentials.iter().map(|id| id.get())));
        calls.push((Call { sql: CREDENTIALS, params: vec![credentials] }, &Loading::credential));
    }
    if !scope.people.is_empty() {
        calls.push((people::load(&scope.people), &Loading::person));
    }
    calls
}

fn dispute_calls(scope: &Scope) -> Vec<Asked<'static>> {
    let (by_id, by_reference) = disputes::keys(&scope.disputes);
    let of = scope.disputes.iter().map(|(merchant_id, _)| *merchant_id);
    let calls = [
        (!by_id.is_empty()).then(|| pairs(&disputes::BY_ID, by_id)),
        (!by_reference.is_empty()).then(|| keyed(&disputes::BY_REFERENCE, by_reference, of)),
    ];
    let keep: &'static dyn Fn(&mut Loading, &Row) -> Result<(), StoreError> = &|loading, row| disputes::keep(&mut loading.snapshot, row);
    calls.into_iter().flatten().map(|call| (call, keep)).collect()
}

impl Loading {
    /// Begins a transaction, takes the locks, and reads what a scope names by itself. More may join the scope while the locks are waited for, once.
    async fn behind_locks(session: &mut Session, scope: &mut Scope, more: &mut Option<&mut More<'_>>, waits: bool) -> Result<Self, Failed> {
        let merchants = scope.all_merchants();
        let mut loading = Self::default();
        let begin = session.begin();
        loading.ask(session, Some(begin), first_calls(scope, &merchants, waits)).await?;
        let known: BTreeSet<MerchantId> = loading.versions.keys().copied().collect();
        let without_lock: BTreeSet<MerchantId> = known.difference(&loading.locked).copied().collect();
        if !without_lock.is_empty() {
            // A merchant of a database that was copied or made by an older program: it gets its row, and everything is read again behind the lock.
            let add = Call { sql: ADD_LOCKS, params: vec![ids(&without_lock)] };
            session.send(None, &[add], None).await?;
            loading = Self::default();
            loading.ask(session, None, first_calls(scope, &merchants, waits)).await?;
        }
        let beside = more.take().filter(|_| waits).and_then(|more| more(&loading.locked));
        if let Some(beside) = beside {
            loading.ask(session, None, keyed_calls(&beside)).await?;
            scope.extend(beside);
        }
        Ok(loading)
    }

    async fn ask(&mut self, session: &mut Session, first: Option<&str>, asked: Vec<Asked<'_>>) -> Result<(), Failed> {
        let (calls, readers): (Vec<Call>, Vec<_>) = asked.into_iter().unzip();
        let answers = session.send(first, &calls, None).await?;
        for (rows, read) in answers.iter().zip(readers) {
            rows.iter().try_for_each(|row| read(self, row)).map_err(Failed::Refused)?;
        }
        Ok(())
    }

    /// Refunds that repeated requests stand for, with their payments, and merchants that changed since they were kept.
    fn second_calls(&mut self, settings: &Settings, scope: &Scope) -> Vec<Asked<'static>> {
        let mut calls = self.shared_calls(scope);
        let repeated = self.snapshot.remembered.values().filter_map(|remembered| match remembered.decision {
            RememberedDecision::Accepted(id) => Some((remembered.key.merchant_id, id)),
            RememberedDecision::ToppedUp
            | RememberedDecision::Shared(_)
            | RememberedDecision::Recovered
            | RememberedDecision::Proposed(_)
            | RememberedDecision::Refused(_) => None,
        });
        let repeated: BTreeSet<(MerchantId, RefundId)> = repeated.filter(|key| !scope.refunds.contains(key)).collect();
        if !repeated.is_empty() {
            let keys = || repeated.iter().map(|(merchant_id, id)| (*merchant_id, id.get()));
            calls.push((pairs(&REFUNDS, keys()), &Self::refund));
            calls.push((pairs(&PAYMENTS_OF_REFUNDS, keys()), &Self::payment));
        }
        let changed = self.versions.iter().filter(|(id, version)| !settings.is_kept(**id, **version)).map(|(id, _)| *id);
        let changed: BTreeSet<MerchantId> = changed.collect();
        if !changed.is_empty() {
            calls.push((Call { sql: MERCHANTS, params: vec![ids(&changed)] }, &Self::merchant));
        }
        calls
    }

    /// Terminals that are not kept: those of merchants that changed, and those that nobody asked for before.
    async fn third_calls(&mut self, session: &mut Session, settings: &mut Settings, scope: &Scope) -> Result<(), Failed> {
        for (version, merchant) in std::mem::take(&mut self.read) {
            settings.keep(version, merchant);
        }
        let missing: BTreeSet<(MerchantId, TerminalId)> =
            self.terminals(scope).into_iter().filter(|(merchant_id, id)| !settings.is_terminal_kept(*merchant_id, *id)).collect();
        if !missing.is_empty() {
            let call = pairs(TERMINALS, missing.iter().map(|(merchant_id, id)| (*merchant_id, id.get())));
            self.ask(session, None, vec![(call, &Self::terminal)]).await?;
        }
        self.read_terminals.drain(..).for_each(|terminal| settings.keep_terminal(terminal));
        Ok(())
    }

    fn finish(mut self, settings: &Settings, facts: &mut AllFacts, scope: &Scope) -> Snapshot {
        for key in self.terminals(scope) {
            settings.show_terminal(key, &mut self.snapshot);
        }
        for id in self.versions.keys() {
            settings.show(*id, &mut self.snapshot);
        }
        for payment in self.snapshot.payments.values() {
            facts.insert((payment.merchant_id, payment.id), Facts::of(payment));
        }
        self.snapshot
    }

    fn terminals(&self, scope: &Scope) -> BTreeSet<(MerchantId, TerminalId)> {
        let mut terminals = scope.terminals.clone();
        terminals.extend(self.snapshot.refunds.values().map(|refund| (refund.merchant_id, refund.terminal_id)));
        terminals.extend(self.snapshot.payments.values().map(|payment| (payment.merchant_id, payment.terminal_id)));
        terminals
    }
}

fn ids(merchants: &BTreeSet<MerchantId>) -> Param {
    Param::Array(Array::of_ints(merchants.iter().map(|id| id.get())))
}

/// A call for rows by merchant and id.
pub fn pairs(sql: &'static str, keys: impl IntoIterator<Item = (MerchantId, i64)>) -> Call {
    let mut wanted = Rows::of(2);
    let mut merchants = BTreeSet::new();
    for (merchant_id, id) in keys {
        wanted.int(merchant_id.get()).int(id);
        merchants.insert(merchant_id);
    }
    keyed(sql, wanted, merchants)
}

/// The merchants are named once more: what is distributed by them is then asked only where they are.
fn keyed(sql: &'static str, wanted: Rows, merchants: impl IntoIterator<Item = MerchantId>) -> Call {
    let merchants: BTreeSet<MerchantId> = merchants.into_iter().collect();
    let mut params = wanted.into_params();
    params.push(ids(&merchants));
    Call { sql, params }
}

/// Every statement of this file, for those who look at plans.
#[cfg(test)]
pub fn statements() -> Vec<&'static str> {
    vec![
        LOCK,
        LOCK_AT_ONCE,
        ADD_LOCKS,
        VERSIONS,
        COUNTERS,
        BALANCES,
        NEXT_SETTLEMENTS,
        NEXT_RELEASES,
        MERCHANTS,
        TERMINALS,
        CREDENTIALS,
        PAYOUTS,
        ADJUSTMENTS,
        &REMEMBERED,
        &NOTIFICATIONS,
        &TASKS,
        &REFUNDS,
        &PAYMENTS,
        &PAYMENTS_BY_REFERENCE,
        &PAYMENTS_OF_REFUNDS,
    ]
}
