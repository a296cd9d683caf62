//! Every table that is copied, with its columns. Names, order and meaning are the same on every backend; a test compares them with the schemas.

/// Name, columns with the types that PostgreSQL has for them, and the key in whose order SQLite keeps the rows. Large tables stand first: those that
/// take the longest begin the earliest. Left out are `meta`, which every database has for itself, and `nodes` and `commits`, which belong to processes.
const TABLES: &[(&str, &str, &str)] = &[
    (
        "events",
        "merchant_id int8, sequence int8, at int8, kind text, actor text, payment_id int8, refund_id int8, facts text",
        "merchant_id, sequence",
    ),
    (
        "payments",
        "merchant_id int8, payment_id int8, mode text, status text, currency text, merchant_reference text, payment_reference text, \
         terminal_id int8, method text, paid_at int8, authorised_minor int8, captured_minor int8, marketing_minor int8, fee_minor int8, \
         reserved_minor int8, quote text, notify_url text, details text, created_at int8, settled int2, charged_back_minor int8, \
         open_chargebacks int4, open_retrievals int4, refunded_minor int8, refunded_marketing_minor int8, refund_count int4, \
         fee_given_back_minor int8, unsettled_left_minor int8, reserve_left_minor int8, updated_at int8, refund_ids text, settle_at int8, \
         reserve_release_at int8, reconciled_at int8, settling text, converted text, sharing text",
        "merchant_id, payment_id",
    ),
    (
        "postings",
        "entry_id int8, merchant_id int8, line int2, debit_account int2, credit_account int2, amount_minor int8, currency text, cause text, \
         payment_id int8, refund_id int8, at int8, period int8",
        "entry_id, merchant_id, line",
    ),
    (
        "refunds",
        "merchant_id int8, refund_id int8, mode text, state text, currency text, amount_minor int8, payment_id int8, payment_reference text, \
         terminal_id int8, dialect text, number text, marketing_minor int8, refund_fee_minor int8, fee_given_back_minor int8, applicant text, \
         acquirer text, created_at int8, extras text, state_body text, waits_for text, drawn text, acquirer_reference text, attempts int4, \
         updated_at int8, event_sequences text, sharing text",
        "merchant_id, refund_id",
    ),
    (
        "disputes",
        "merchant_id int8, dispute_id int8, mode text, kind text, state text, currency text, payment_id int8, opened_at int8, \
         amount_minor int8, network_reference text, reply_by int8, updated_at int8, body text",
        "merchant_id, dispute_id",
    ),
    (
        "shares",
        "merchant_id int8, share_id int8, mode text, state text, payment_id int8, dialect text, number text, currency text, \
         amount_minor int8, due_at int8, body text",
        "merchant_id, share_id",
    ),
    (
        "remembered",
        "merchant_id int8, number text, dialect text, scope text, at int8, refund_id int8, refusal text, compared text",
        "merchant_id, number, dialect, scope",
    ),
    (
        "notifications",
        "merchant_id int8, notification_id int8, state text, terminal_id int8, url text, endpoint_id int8, event_sequence int8, \
         refund_id int8, tries int4, created_at int8, tried_at int8",
        "merchant_id, notification_id",
    ),
    (
        "deliveries",
        "merchant_id int8, notification_id int8, line int2, at int8, status int4, answer text, took_ms int4, acknowledged int2",
        "merchant_id, notification_id, line",
    ),
    ("audit", "merchant_id int8, audit_id int8, at int8, actor text, action text, subject text, facts text", "merchant_id, audit_id"),
    (
        "tasks",
        "merchant_id int8, task_id int8, lane int4, kind text, due_at int8, claimable_at int8, tries int4, note text",
        "merchant_id, task_id",
    ),
    ("merchants", "merchant_id int8, mode text, body text, version int8", "merchant_id"),
    ("accounts", "merchant_id int8, mode text, account text", "merchant_id"),
    ("terminals", "merchant_id int8, terminal_id int8, body text", "merchant_id, terminal_id"),
    ("people", "merchant_id int8, person_id int8, body text", "merchant_id, person_id"),
    (
        "credentials",
        "credential_id int8, merchant_id int8, dialect text, lookup text, key_version int4, scheme text, body text",
        "credential_id",
    ),
    (
        "payouts",
        "merchant_id int8, payout_id int8, mode text, kind text, state text, currency text, amount_minor int8, prepared_at int8, paid_at int8, \
         body text",
        "merchant_id, payout_id",
    ),
    (
        "adjustments",
        "merchant_id int8, adjustment_id int8, mode text, kind text, state text, currency text, amount_minor int8, proposed_at int8, body text",
        "merchant_id, adjustment_id",
    ),
    ("balances", "merchant_id int8, currency text, account int2, balance_minor int8, turnover text", "merchant_id, currency, account"),
    ("daily_rates", "base text, quoted text, valid_on int4, price_mantissa int8, price_scale int4", "base, quoted, valid_on"),
    ("counters", "merchant_id int8, name text, value int8", "merchant_id, name"),
];

/// A table that is copied.
#[derive(Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Its columns, in the order in which they are written.
    pub columns: Vec<Column>,
    /// Which of them are the key.
    pub key: Vec<usize>,
    /// Which of them says the currency of the amounts.
    pub currency: Option<usize>,
    /// Which of them are amounts.
    pub amounts: Vec<usize>,
}

/// A column.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
}

/// What PostgreSQL has a column for; SQLite has one kind of integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Two bytes.
    Int2,
    /// Four bytes.
    Int4,
    /// Eight bytes.
    Int8,
    /// A text.
    Text,
}

/// All of them.
pub fn tables() -> Vec<Table> {
    TABLES.iter().map(|(name, columns, key)| Table::parse(name, columns, key)).collect()
}

impl Table {
    fn parse(name: &'static str, columns: &'static str, key: &'static str) -> Self {
        let columns: Vec<Column> = columns.split(", ").filter_map(|column| column.split_once(' ')).map(Column::parse).collect();
        let place = |wanted: &str| columns.iter().position(|column| column.name == wanted);
        let key = key.split(", ").filter_map(place).collect();
        let currency = place("currency");
        let amounts = (0..columns.len()).filter(|at| currency.is_some() && columns[*at].name.ends_with("_minor")).collect();
        Self { name, key, currency, amounts, columns }
    }

    /// The names of the columns, with commas.
    pub fn column_names(&self) -> String {
        names(self.columns.iter())
    }

    /// The names of the key's columns, with commas.
    pub fn key_names(&self) -> String {
        names(self.key.iter().map(|at| &self.columns[*at]))
    }
}

impl Column {
    fn parse((name, kind): (&'static str, &'static str)) -> Self {
        let kind = match kind {
            "int2" => Kind::Int2,
            "int4" => Kind::Int4,
            "int8" => Kind::Int8,
            _ => Kind::Text,
        };
        Self { name, kind }
    }
}

fn names<'a>(columns: impl Iterator<Item = &'a Column>) -> String {
    columns.map(|column| column.name).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use super::*;

    const LEFT_OUT: [&str; 3] = ["meta", "nodes", "commits"];

    #[test]
    fn every_column_of_the_schemas_is_copied() {
        let ours = |kind: fn(Kind) -> &'static str| -> BTreeMap<String, BTreeMap<String, String>> {
            let columns =
                |table: &Table| table.columns.iter().map(|column| (column.name.to_owned(), kind(column.kind).to_owned())).collect();
            tables().iter().map(|table| (table.name.to_owned(), columns(table))).collect()
        };
        let postgres = ours(|kind| match kind {
            Kind::Int2 => "SMALLINT",
            Kind::Int4 => "INTEGER",
            Kind::Int8 => "BIGINT",
            Kind::Text => "TEXT",
        });
        assert_eq!(schema("postgres"), postgres);
        let sqlite = ours(|kind| if kind == Kind::Text { "TEXT" } else { "INTEGER" });
        assert_eq!(schema("sqlite"), sqlite);
    }

    /// Tables and the types of their columns, as the migrations of a backend leave them.
    fn schema(backend: &str) -> BTreeMap<String, BTreeMap<String, String>> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(backend);
        let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        let mut found: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        let mut table = String::new();
        for text in files.iter().map(|file| std::fs::read_to_string(file).unwrap()) {
            for line in text.lines() {
                let words: Vec<&str> = line.trim_end_matches([',', ';']).split_whitespace().collect();
                let mut column = |table: &str, name: &str, kind: &str| {
                    found.entry(table.to_owned()).or_default().insert(name.to_owned(), kind.to_owned());
                };
                match words.as_slice() {
                    ["CREATE", "TABLE", name, ..] => table = (*name).to_owned(),
                    ["ALTER", "TABLE", name, "ADD", "COLUMN", added, kind, ..] => column(name, added, kind),
                    [name, kind @ ("TEXT" | "INTEGER" | "BIGINT" | "SMALLINT"), ..] => column(&table, name, kind),
                    _ => {}
                }
            }
        }
        found.retain(|table, _| !LEFT_OUT.contains(&table.as_str()));
        found
    }
}
