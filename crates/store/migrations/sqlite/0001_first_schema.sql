-- Amounts are integer minor units, instants integer microseconds of UTC since 1970, states short words, rare attributes JSON.
-- merchant_id leads every key of merchant data; ids begin with their time, so that rows of a merchant lie in the order of time.

CREATE TABLE merchants (
    merchant_id INTEGER PRIMARY KEY,
    mode        TEXT NOT NULL,
    body        TEXT NOT NULL
) STRICT;

CREATE TABLE terminals (
    merchant_id INTEGER NOT NULL,
    terminal_id INTEGER NOT NULL,
    body        TEXT NOT NULL,
    PRIMARY KEY (merchant_id, terminal_id)
) STRICT, WITHOUT ROWID;

-- merchant_id is 0 for credentials of operators and platforms.
CREATE TABLE credentials (
    credential_id INTEGER PRIMARY KEY,
    merchant_id   INTEGER NOT NULL,
    dialect       TEXT NOT NULL,
    lookup        TEXT NOT NULL,
    key_version   INTEGER NOT NULL,
    scheme        TEXT NOT NULL,
    body          TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX credentials_by_lookup ON credentials (dialect, lookup, key_version, scheme);
CREATE INDEX credentials_of_merchant ON credentials (merchant_id, credential_id);

-- All amounts of a payment are of its one currency. What changes with every refund stands at the end. refund_ids names the payment's refunds,
-- oldest first, with commas: the row is written with each of them anyway, and an index would be one more page of every refund.
CREATE TABLE payments (
    merchant_id              INTEGER NOT NULL,
    payment_id               INTEGER NOT NULL,
    mode                     TEXT NOT NULL,
    status                   TEXT NOT NULL,
    currency                 TEXT NOT NULL,
    merchant_reference       TEXT NOT NULL,
    payment_reference        TEXT NOT NULL,
    terminal_id              INTEGER NOT NULL,
    method                   TEXT NOT NULL,
    paid_at                  INTEGER NOT NULL,
    authorised_minor         INTEGER NOT NULL,
    captured_minor           INTEGER NOT NULL,
    marketing_minor          INTEGER NOT NULL,
    fee_minor                INTEGER NOT NULL,
    reserved_minor           INTEGER NOT NULL,
    quote                    TEXT,
    notify_url               TEXT,
    details                  TEXT NOT NULL,
    created_at               INTEGER NOT NULL,
    settled                  INTEGER NOT NULL,
    charged_back_minor       INTEGER NOT NULL,
    open_chargebacks         INTEGER NOT NULL,
    open_retrievals          INTEGER NOT NULL,
    refunded_minor           INTEGER NOT NULL,
    refunded_marketing_minor INTEGER NOT NULL,
    refund_count             INTEGER NOT NULL,
    fee_given_back_minor     INTEGER NOT NULL,
    unsettled_left_minor     INTEGER NOT NULL,
    reserve_left_minor       INTEGER NOT NULL,
    updated_at               INTEGER NOT NULL,
    refund_ids               TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (merchant_id, payment_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX payments_by_reference ON payments (merchant_id, payment_reference);
CREATE INDEX payments_by_merchant_reference ON payments (merchant_id, merchant_reference);

-- waits_for says what holds a refund or what is unclear about it; NULL when it is on its way or over. state_body is NULL for a pending
-- refund that nothing holds. Amounts are of one currency, except for those in extras. event_sequences names the refund's events, oldest
-- first, with commas, as payments name their refunds.
CREATE TABLE refunds (
    merchant_id          INTEGER NOT NULL,
    refund_id            INTEGER NOT NULL,
    mode                 TEXT NOT NULL,
    state                TEXT NOT NULL,
    currency             TEXT NOT NULL,
    amount_minor         INTEGER NOT NULL,
    payment_id           INTEGER NOT NULL,
    payment_reference    TEXT NOT NULL,
    terminal_id          INTEGER NOT NULL,
    dialect              TEXT NOT NULL,
    number               TEXT NOT NULL,
    marketing_minor      INTEGER NOT NULL,
    refund_fee_minor     INTEGER NOT NULL,
    fee_given_back_minor INTEGER NOT NULL,
    applicant            TEXT NOT NULL,
    acquirer             TEXT NOT NULL,
    created_at           INTEGER NOT NULL,
    extras               TEXT,
    state_body           TEXT,
    waits_for            TEXT,
    drawn                TEXT,
    acquirer_reference   TEXT,
    attempts             INTEGER NOT NULL,
    updated_at           INTEGER NOT NULL,
    event_sequences      TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (merchant_id, refund_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX refunds_that_wait ON refunds (merchant_id, waits_for) WHERE waits_for IS NOT NULL;

-- The number stands before dialect and scope, so that a refund is also found by its number alone.
CREATE TABLE remembered (
    merchant_id INTEGER NOT NULL,
    number      TEXT NOT NULL,
    dialect     TEXT NOT NULL,
    scope       TEXT NOT NULL,
    at          INTEGER NOT NULL,
    refund_id   INTEGER,
    refusal     TEXT,
    compared    TEXT NOT NULL,
    PRIMARY KEY (merchant_id, number, dialect, scope)
) STRICT, WITHOUT ROWID;

-- Read as a whole only, so that the books of all merchants may grow at one end.
CREATE TABLE postings (
    entry_id       INTEGER NOT NULL,
    merchant_id    INTEGER NOT NULL,
    line           INTEGER NOT NULL,
    debit_account  INTEGER NOT NULL,
    credit_account INTEGER NOT NULL,
    amount_minor   INTEGER NOT NULL,
    currency       TEXT NOT NULL,
    cause          TEXT NOT NULL,
    payment_id     INTEGER,
    refund_id      INTEGER,
    at             INTEGER NOT NULL,
    PRIMARY KEY (entry_id, merchant_id, line)
) STRICT, WITHOUT ROWID;

-- Credits less debits.
CREATE TABLE balances (
    merchant_id   INTEGER NOT NULL,
    currency      TEXT NOT NULL,
    account       INTEGER NOT NULL,
    balance_minor INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, currency, account)
) STRICT, WITHOUT ROWID;

-- 'last_sequence', and 'waiting:EUR' for the refunds in that currency that wait for money.
CREATE TABLE counters (
    merchant_id INTEGER NOT NULL,
    name        TEXT NOT NULL,
    value       INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
    merchant_id INTEGER NOT NULL,
    sequence    INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    kind        TEXT NOT NULL,
    actor       TEXT NOT NULL,
    payment_id  INTEGER,
    refund_id   INTEGER,
    facts       TEXT NOT NULL,
    PRIMARY KEY (merchant_id, sequence)
) STRICT, WITHOUT ROWID;

CREATE TABLE notifications (
    merchant_id     INTEGER NOT NULL,
    notification_id INTEGER NOT NULL,
    state           TEXT NOT NULL,
    terminal_id     INTEGER,
    url             TEXT,
    endpoint_id     INTEGER,
    event_sequence  INTEGER NOT NULL,
    refund_id       INTEGER,
    tries           INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    tried_at        INTEGER,
    PRIMARY KEY (merchant_id, notification_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX notifications_of_refund ON notifications (merchant_id, refund_id) WHERE refund_id IS NOT NULL;
CREATE INDEX notifications_parked ON notifications (merchant_id, notification_id) WHERE state = 'parked';

CREATE TABLE deliveries (
    merchant_id     INTEGER NOT NULL,
    notification_id INTEGER NOT NULL,
    line            INTEGER NOT NULL,
    at              INTEGER NOT NULL,
    status          INTEGER,
    answer          TEXT NOT NULL,
    took_ms         INTEGER NOT NULL,
    acknowledged    INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, notification_id, line)
) STRICT, WITHOUT ROWID;

-- Open tasks only. A lease moves claimable_at, never due_at.
CREATE TABLE tasks (
    merchant_id  INTEGER NOT NULL,
    task_id      INTEGER NOT NULL,
    lane         INTEGER NOT NULL,
    kind         TEXT NOT NULL,
    due_at       INTEGER NOT NULL,
    claimable_at INTEGER NOT NULL,
    tries        INTEGER NOT NULL,
    note         TEXT NOT NULL,
    PRIMARY KEY (merchant_id, task_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX tasks_claimable ON tasks (lane, kind, claimable_at);

-- merchant_id is 0 for what concerns no single merchant.
CREATE TABLE audit (
    merchant_id INTEGER NOT NULL,
    audit_id    INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    actor       TEXT NOT NULL,
    action      TEXT NOT NULL,
    subject     TEXT NOT NULL,
    facts       TEXT NOT NULL,
    PRIMARY KEY (merchant_id, audit_id)
) STRICT, WITHOUT ROWID;
