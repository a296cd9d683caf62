-- The version of a merchant rises with every change of the merchant or of one of its terminals, so that a node knows what it may keep.
ALTER TABLE merchants ADD COLUMN version BIGINT NOT NULL DEFAULT 0;

-- Numbers of the processes that make ids; a process has one for as long as it renews its lease. migrations says how many its program knows.
CREATE TABLE nodes (
    node         INTEGER PRIMARY KEY,
    holder       TEXT NOT NULL,
    leased_until BIGINT NOT NULL,
    migrations   INTEGER NOT NULL
);

-- The last commit of each writing connection, written by that commit itself: whoever lost the connection while committing finds here how it ended.
-- merchant_id is 0 where tables are not distributed, else one of the merchants of the commit.
CREATE TABLE commits (
    merchant_id BIGINT NOT NULL,
    writer      BIGINT NOT NULL,
    commit_id   BIGINT NOT NULL,
    at          BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, writer)
) WITH (fillfactor = 50);
