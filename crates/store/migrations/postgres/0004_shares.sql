-- Shares of payments. Begin with them when every node runs this version: the one before knows nothing of them.

-- What a payment remembers of its shares and a refund takes back of them, as JSON; NULL for the many that know of none.
ALTER TABLE payments ADD COLUMN sharing TEXT;
ALTER TABLE refunds ADD COLUMN sharing TEXT;

-- The body says everything; beside it stands what shares are found by. merchant_id is the giver.
CREATE TABLE shares (
    merchant_id  BIGINT NOT NULL,
    share_id     BIGINT NOT NULL,
    mode         TEXT NOT NULL,
    state        TEXT NOT NULL,
    payment_id   BIGINT NOT NULL,
    dialect      TEXT COLLATE "C" NOT NULL,
    number       TEXT COLLATE "C" NOT NULL,
    currency     TEXT COLLATE "C" NOT NULL,
    amount_minor BIGINT NOT NULL,
    due_at       BIGINT,
    body         TEXT NOT NULL,
    PRIMARY KEY (merchant_id, share_id)
) WITH (fillfactor = 85);
CREATE INDEX shares_of_payment ON shares (merchant_id, payment_id, share_id);
CREATE INDEX shares_by_number ON shares (merchant_id, number, dialect);

-- The numbers by which dialects name merchants; one merchant of a mode has a number.
CREATE TABLE accounts (
    merchant_id BIGINT NOT NULL,
    mode        TEXT COLLATE "C" NOT NULL,
    account     TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (merchant_id)
);
CREATE UNIQUE INDEX accounts_by_number ON accounts (mode, account);
