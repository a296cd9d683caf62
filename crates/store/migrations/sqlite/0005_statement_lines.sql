-- The lines of a statement are found by their merchant: postings lie in the order of time, those of all merchants together. Only postings that move
-- available money have a place in this index, so an entry that leaves it alone, as that of a refund of an unsettled payment does, writes nothing more.
-- 2 is the code of the account.
CREATE INDEX postings_of_available ON postings (merchant_id, entry_id) WHERE debit_account = 2 OR credit_account = 2;
