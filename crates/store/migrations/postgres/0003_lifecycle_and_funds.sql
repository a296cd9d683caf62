-- Reviews and people.

-- merchant_id is 0 for the operator's people.
CREATE TABLE people (
    merchant_id BIGINT NOT NULL,
    person_id   BIGINT NOT NULL,
    body        TEXT NOT NULL,
    PRIMARY KEY (merchant_id, person_id)
);

-- Numbers of refunds, and what callers without one sent.

-- Waiting for money.

-- Settlement terms, reserves and logistics.
-- settle_at is when a payment's unsettled money can be settled, reserve_release_at when what is left of its reserve is released: NULL once that
-- is done, and while something is waited for. Refunds change neither, so they leave the indexes alone. settling holds the rest of what a payment
-- knows of its way there, as JSON, and is NULL while there is nothing to say.
ALTER TABLE payments ADD COLUMN settle_at BIGINT;
ALTER TABLE payments ADD COLUMN reserve_release_at BIGINT;
ALTER TABLE payments ADD COLUMN reconciled_at BIGINT;
ALTER TABLE payments ADD COLUMN settling TEXT;
CREATE INDEX payments_to_settle ON payments (merchant_id, settle_at) WHERE settle_at IS NOT NULL;
CREATE INDEX reserves_to_release ON payments (merchant_id, reserve_release_at) WHERE reserve_release_at IS NOT NULL;

-- Payouts and their statements.
-- turnover says of the available money what moved since the last payouts, by cause, as JSON; NULL for other accounts.
ALTER TABLE balances ADD COLUMN turnover TEXT;

-- The span of time between two payouts of a currency that a posting falls into, from 1.
ALTER TABLE postings ADD COLUMN period BIGINT NOT NULL DEFAULT 1;

-- The body says everything; beside it stands what lists are filtered by.
CREATE TABLE payouts (
    merchant_id  BIGINT NOT NULL,
    payout_id    BIGINT NOT NULL,
    mode         TEXT NOT NULL,
    kind         TEXT NOT NULL,
    state        TEXT NOT NULL,
    currency     TEXT COLLATE "C" NOT NULL,
    amount_minor BIGINT NOT NULL,
    prepared_at  BIGINT NOT NULL,
    paid_at      BIGINT,
    body         TEXT NOT NULL,
    PRIMARY KEY (merchant_id, payout_id)
) WITH (fillfactor = 85);

CREATE TABLE adjustments (
    merchant_id   BIGINT NOT NULL,
    adjustment_id BIGINT NOT NULL,
    mode          TEXT NOT NULL,
    kind          TEXT NOT NULL,
    state         TEXT NOT NULL,
    currency      TEXT COLLATE "C" NOT NULL,
    amount_minor  BIGINT NOT NULL,
    proposed_at   BIGINT NOT NULL,
    body          TEXT NOT NULL,
    PRIMARY KEY (merchant_id, adjustment_id)
) WITH (fillfactor = 85);

-- Disputes and other events of a payment's later life.
CREATE TABLE disputes (
    merchant_id BIGINT NOT NULL,
    dispute_id BIGINT NOT NULL,
    mode TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    currency TEXT NOT NULL,
    payment_id BIGINT NOT NULL,
    opened_at BIGINT NOT NULL,
    amount_minor BIGINT NOT NULL,
    network_reference TEXT COLLATE "C" NOT NULL,
    reply_by BIGINT,
    updated_at BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (merchant_id, dispute_id)
);
CREATE UNIQUE INDEX disputes_by_network_reference ON disputes (merchant_id, network_reference) WHERE network_reference IS NOT NULL;
CREATE INDEX disputes_of_payment ON disputes (merchant_id, payment_id, dispute_id) WHERE payment_id IS NOT NULL;
CREATE INDEX disputes_open ON disputes (merchant_id, dispute_id, kind, state) WHERE state IN ('open', 'represented');

-- Daily rates, and what of a payment went through its rate.
CREATE TABLE daily_rates (
    base TEXT COLLATE "C" NOT NULL,
    quoted TEXT COLLATE "C" NOT NULL,
    valid_on INTEGER NOT NULL,
    price_mantissa BIGINT NOT NULL,
    price_scale INTEGER NOT NULL,
    PRIMARY KEY (base, quoted, valid_on)
);
ALTER TABLE payments ADD COLUMN converted TEXT;
