//! Statements that write many rows at once, from the names and types of their columns. Types are those of the parameters: `int8` and `text`.

/// Stands before a condition that names the merchants of a batch once more, beside keys that name them already: tables that are distributed need it
/// to be asked only where the rows are.
pub const SHARD: &str = "/* shard */";

/// A statement for tables that are in one place: there the planner would take the merchants for the better way to the rows, and read all of theirs.
pub fn in_one_place(sql: &str) -> String {
    let mut parts = sql.split(SHARD);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let (condition, rest) = part.split_once(')').unwrap_or((part, ""));
        let param = condition.rsplit('(').next().unwrap_or_default();
        format!("{text}{param}::int8[] IS NOT NULL{rest}")
    })
}

/// `INSERT` of the rows of arrays.
pub fn insert(table: &str, columns: &str) -> String {
    let names = names(columns).join(", ");
    format!("INSERT INTO {table} ({names}) SELECT * FROM {}", unnest(&[columns]))
}

/// As [`insert`]; rows whose key is there already take the other columns over.
pub fn put(table: &str, columns: &str, key: &str) -> String {
    let keys: Vec<&str> = key.split(", ").collect();
    let others = names(columns).into_iter().filter(|name| !keys.contains(name)).map(|name| format!("{name} = excluded.{name}"));
    format!("{} ON CONFLICT ({key}) DO UPDATE SET {}", insert(table, columns), others.collect::<Vec<_>>().join(", "))
}

/// `UPDATE` of rows found by the columns of `key`, the first of which is the merchant; the last parameter names all merchants once more. A column that
/// ends in `+` is text to append.
pub fn update(table: &str, key: &str, columns: &str) -> String {
    let set = columns.split(", ").map(|column| match column.split_once(' ') {
        Some((name, "text+")) => format!("{name} = CASE u.{name} WHEN '' THEN {table}.{name} ELSE {table}.{name} || u.{name} END"),
        Some((name, _)) => format!("{name} = u.{name}"),
        None => column.to_owned(),
    });
    let set = set.collect::<Vec<_>>().join(", ");
    let found = names(key).into_iter().map(|name| format!("{table}.{name} = u.{name}")).collect::<Vec<_>>().join(" AND ");
    let columns = columns.replace('+', "");
    let all = [names(key), names(&columns)].concat();
    let (rows, merchants) = (unnest(&[key, &columns]), all.len() + 1);
    format!(
        "UPDATE {table} SET {set} FROM {rows} AS u ({}) WHERE {found} AND {SHARD} {table}.merchant_id = ANY(${merchants})",
        all.join(", ")
    )
}

fn names(columns: &str) -> Vec<&str> {
    columns.split(", ").filter_map(|column| column.split_once(' ')).map(|(name, _)| name).collect()
}

fn unnest(columns: &[&str]) -> String {
    let kinds = columns.iter().flat_map(|columns| columns.split(", ")).filter_map(|column| column.split_once(' '));
    let arrays: Vec<String> = (1..).zip(kinds).map(|(number, (_, kind))| format!("${number}::{kind}[]")).collect();
    format!("UNNEST({})", arrays.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_name_every_column_once() {
        assert_eq!(insert("t", "a int8, b text"), "INSERT INTO t (a, b) SELECT * FROM UNNEST($1::int8[], $2::text[])");
        assert_eq!(
            put("t", "a int8, b text, c int8", "a, b"),
            "INSERT INTO t (a, b, c) SELECT * FROM UNNEST($1::int8[], $2::text[], $3::int8[]) ON CONFLICT (a, b) DO UPDATE SET c = excluded.c"
        );
        assert_eq!(
            update("t", "merchant_id int8", "n int8, x text+"),
            "UPDATE t SET n = u.n, x = CASE u.x WHEN '' THEN t.x ELSE t.x || u.x END FROM UNNEST($1::int8[], $2::int8[], $3::text[]) \
            AS u (merchant_id, n, x) WHERE t.merchant_id = u.merchant_id AND /* shard */ t.merchant_id = ANY($4)"
        );
        assert_eq!(
            in_one_place("SELECT 1 WHERE /* shard */ t.m = ANY($4) ORDER BY f(1)"),
            "SELECT 1 WHERE $4::int8[] IS NOT NULL ORDER BY f(1)"
        );
        assert_eq!(in_one_place("SELECT 1 WHERE m = ANY($4)"), "SELECT 1 WHERE m = ANY($4)");
    }
}
