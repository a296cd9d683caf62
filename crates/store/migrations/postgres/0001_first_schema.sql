-- Amounts are integer minor units, instants integer microseconds of UTC since 1970, states short words, rare attributes JSON.
-- merchant_id leads every key of merchant data, so that the tables can be distributed by it; ids begin with their time. The columns are those of
-- the other backends. Texts that stand in keys compare byte by byte. Pages are left a little empty where rows are updated, so that an update
-- stays on its page and touches no index.

CREATE TABLE merchants (
    merchant_id BIGINT PRIMARY KEY,
    mode        TEXT NOT NULL,
    body        TEXT NOT NULL
);

CREATE TABLE terminals (
    merchant_id BIGINT NOT NULL,
    terminal_id BIGINT NOT NULL,
    body        TEXT NOT NULL,
    PRIMARY KEY (merchant_id, terminal_id)
);

-- merchant_id is 0 for credentials of operators and platforms.
CREATE TABLE credentials (
    credential_id BIGINT PRIMARY KEY,
    merchant_id   BIGINT NOT NULL,
    dialect       TEXT COLLATE "C" NOT NULL,
    lookup        TEXT COLLATE "C" NOT NULL,
    key_version   INTEGER NOT NULL,
    scheme        TEXT COLLATE "C" NOT NULL,
    body          TEXT NOT NULL
);
CREATE UNIQUE INDEX credentials_by_lookup ON credentials (dialect, lookup, key_version, scheme);
CREATE INDEX credentials_of_merchant ON credentials (merchant_id, credential_id);

-- All amounts of a payment are of its one currency. What changes with every refund stands at the end. refund_ids names the payment's refunds,
-- oldest first, with commas: the row is written with each of them anyway, and an index would be one more page of every refund.
CREATE TABLE payments (
    merchant_id              BIGINT NOT NULL,
    payment_id               BIGINT NOT NULL,
    mode                     TEXT NOT NULL,
    status                   TEXT NOT NULL,
    currency                 TEXT COLLATE "C" NOT NULL,
    merchant_reference       TEXT COLLATE "C" NOT NULL,
    payment_reference        TEXT COLLATE "C" NOT NULL,
    terminal_id              BIGINT NOT NULL,
    method                   TEXT NOT NULL,
    paid_at                  BIGINT NOT NULL,
    authorised_minor         BIGINT NOT NULL,
    captured_minor           BIGINT NOT NULL,
    marketing_minor          BIGINT NOT NULL,
    fee_minor                BIGINT NOT NULL,
    reserved_minor           BIGINT NOT NULL,
    quote                    TEXT,
    notify_url               TEXT,
    details                  TEXT NOT NULL,
    created_at               BIGINT NOT NULL,
    settled                  SMALLINT NOT NULL,
    charged_back_minor       BIGINT NOT NULL,
    open_chargebacks         INTEGER NOT NULL,
    open_retrievals          INTEGER NOT NULL,
    refunded_minor           BIGINT NOT NULL,
    refunded_marketing_minor BIGINT NOT NULL,
    refund_count             INTEGER NOT NULL,
    fee_given_back_minor     BIGINT NOT NULL,
    unsettled_left_minor     BIGINT NOT NULL,
    reserve_left_minor       BIGINT NOT NULL,
    updated_at               BIGINT NOT NULL,
    refund_ids               TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (merchant_id, payment_id)
) WITH (fillfactor = 85);
CREATE UNIQUE INDEX payments_by_reference ON payments (merchant_id, payment_reference);
CREATE INDEX payments_by_merchant_reference ON payments (merchant_id, merchant_reference, payment_id);

-- waits_for says what holds a refund or what is unclear about it; NULL when it is on its way or over. state_body is NULL for a pending
-- refund that nothing holds. Amounts are of one currency, except for those in extras. event_sequences names the refund's events, oldest
-- first, with commas, as payments name their refunds.
CREATE TABLE refunds (
    merchant_id          BIGINT NOT NULL,
    refund_id            BIGINT NOT NULL,
    mode                 TEXT NOT NULL,
    state                TEXT NOT NULL,
    currency             TEXT COLLATE "C" NOT NULL,
    amount_minor         BIGINT NOT NULL,
    payment_id           BIGINT NOT NULL,
    payment_reference    TEXT COLLATE "C" NOT NULL,
    terminal_id          BIGINT NOT NULL,
    dialect              TEXT COLLATE "C" NOT NULL,
    number               TEXT COLLATE "C" NOT NULL,
    marketing_minor      BIGINT NOT NULL,
    refund_fee_minor     BIGINT NOT NULL,
    fee_given_back_minor BIGINT NOT NULL,
    applicant            TEXT NOT NULL,
    acquirer             TEXT NOT NULL,
    created_at           BIGINT NOT NULL,
    extras               TEXT,
    state_body           TEXT,
    waits_for            TEXT COLLATE "C",
    drawn                TEXT,
    acquirer_reference   TEXT,
    attempts             INTEGER NOT NULL,
    updated_at           BIGINT NOT NULL,
    event_sequences      TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (merchant_id, refund_id)
) WITH (fillfactor = 80);
CREATE INDEX refunds_that_wait ON refunds (merchant_id, waits_for, refund_id) WHERE waits_for IS NOT NULL;

-- The number stands before dialect and scope, so that a refund is also found by its number alone.
CREATE TABLE remembered (
    merchant_id BIGINT NOT NULL,
    number      TEXT COLLATE "C" NOT NULL,
    dialect     TEXT COLLATE "C" NOT NULL,
    scope       TEXT COLLATE "C" NOT NULL,
    at          BIGINT NOT NULL,
    refund_id   BIGINT,
    refusal     TEXT,
    compared    TEXT NOT NULL,
    PRIMARY KEY (merchant_id, number, dialect, scope)
);

-- Read as a whole only.
CREATE TABLE postings (
    entry_id       BIGINT NOT NULL,
    merchant_id    BIGINT NOT NULL,
    line           SMALLINT NOT NULL,
    debit_account  SMALLINT NOT NULL,
    credit_account SMALLINT NOT NULL,
    amount_minor   BIGINT NOT NULL,
    currency       TEXT COLLATE "C" NOT NULL,
    cause          TEXT NOT NULL,
    payment_id     BIGINT,
    refund_id      BIGINT,
    at             BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, entry_id, line)
);

-- Credits less debits.
CREATE TABLE balances (
    merchant_id   BIGINT NOT NULL,
    currency      TEXT COLLATE "C" NOT NULL,
    account       SMALLINT NOT NULL,
    balance_minor BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, currency, account)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);

-- The row 'last_sequence' of a merchant is the lock under which everything of the merchant is written. Beside it stands 'waiting:EUR' for the
-- refunds in that currency that wait for money.
CREATE TABLE counters (
    merchant_id BIGINT NOT NULL,
    name        TEXT COLLATE "C" NOT NULL,
    value       BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, name)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);

CREATE TABLE events (
    merchant_id BIGINT NOT NULL,
    sequence    BIGINT NOT NULL,
    at          BIGINT NOT NULL,
    kind        TEXT COLLATE "C" NOT NULL,
    actor       TEXT NOT NULL,
    payment_id  BIGINT,
    refund_id   BIGINT,
    facts       TEXT NOT NULL,
    PRIMARY KEY (merchant_id, sequence)
);

CREATE TABLE notifications (
    merchant_id     BIGINT NOT NULL,
    notification_id BIGINT NOT NULL,
    state           TEXT NOT NULL,
    terminal_id     BIGINT,
    url             TEXT,
    endpoint_id     BIGINT,
    event_sequence  BIGINT NOT NULL,
    refund_id       BIGINT,
    tries           INTEGER NOT NULL,
    created_at      BIGINT NOT NULL,
    tried_at        BIGINT,
    PRIMARY KEY (merchant_id, notification_id)
) WITH (fillfactor = 85);
CREATE INDEX notifications_of_refund ON notifications (merchant_id, refund_id, notification_id) WHERE refund_id IS NOT NULL;
CREATE INDEX notifications_parked ON notifications (merchant_id, notification_id) WHERE state = 'parked';

CREATE TABLE deliveries (
    merchant_id     BIGINT NOT NULL,
    notification_id BIGINT NOT NULL,
    line            SMALLINT NOT NULL,
    at              BIGINT NOT NULL,
    status          INTEGER,
    answer          TEXT NOT NULL,
    took_ms         INTEGER NOT NULL,
    acknowledged    SMALLINT NOT NULL,
    PRIMARY KEY (merchant_id, notification_id, line)
);

-- Open tasks only. A lease moves claimable_at, never due_at.
CREATE TABLE tasks (
    merchant_id  BIGINT NOT NULL,
    task_id      BIGINT NOT NULL,
    lane         INTEGER NOT NULL,
    kind         TEXT COLLATE "C" NOT NULL,
    due_at       BIGINT NOT NULL,
    claimable_at BIGINT NOT NULL,
    tries        INTEGER NOT NULL,
    note         TEXT NOT NULL,
    PRIMARY KEY (merchant_id, task_id)
) WITH (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX tasks_claimable ON tasks (lane, kind, claimable_at);

-- merchant_id is 0 for what concerns no single merchant.
CREATE TABLE audit (
    merchant_id BIGINT NOT NULL,
    audit_id    BIGINT NOT NULL,
    at          BIGINT NOT NULL,
    actor       TEXT NOT NULL,
    action      TEXT NOT NULL,
    subject     TEXT NOT NULL,
    facts       TEXT NOT NULL,
    PRIMARY KEY (merchant_id, audit_id)
);
