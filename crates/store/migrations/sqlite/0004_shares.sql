-- Shares of payments. Begin with them when every node runs this version: the one before knows nothing of them.

-- What a payment remembers of its shares and a refund takes back of them, as JSON; NULL for the many that know of none.
ALTER TABLE payments ADD COLUMN sharing TEXT;
ALTER TABLE refunds ADD COLUMN sharing TEXT;

-- The body says everything; beside it stands what shares are found by. merchant_id is the giver.
CREATE TABLE shares (
    merchant_id  INTEGER NOT NULL,
    share_id     INTEGER NOT NULL,
    mode         TEXT NOT NULL,
    state        TEXT NOT NULL,
    payment_id   INTEGER NOT NULL,
    dialect      TEXT NOT NULL,
    number       TEXT NOT NULL,
    currency     TEXT NOT NULL,
    amount_minor INTEGER NOT NULL,
    due_at       INTEGER,
    body         TEXT NOT NULL,
    PRIMARY KEY (merchant_id, share_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX shares_of_payment ON shares (merchant_id, payment_id, share_id);
CREATE INDEX shares_by_number ON shares (merchant_id, number, dialect);

-- The numbers by which dialects name merchants; one merchant of a mode has a number.
CREATE TABLE accounts (
    merchant_id INTEGER NOT NULL,
    mode        TEXT NOT NULL,
    account     TEXT NOT NULL,
    PRIMARY KEY (merchant_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX accounts_by_number ON accounts (mode, account);
