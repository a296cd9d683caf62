-- The version of a merchant rises with every change of the merchant or of one of its terminals.
ALTER TABLE merchants ADD COLUMN version INTEGER NOT NULL DEFAULT 0;

-- Numbers of the processes that make ids; a process has one for as long as it renews its lease.
CREATE TABLE nodes (
    node         INTEGER PRIMARY KEY,
    holder       TEXT NOT NULL,
    leased_until INTEGER NOT NULL,
    migrations   INTEGER NOT NULL
) STRICT;
