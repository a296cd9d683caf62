//! What stands in the tables, as one text line per row, the same for every engine.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

/// Tables that say something about processes and not about refunds.
const OF_PROCESSES: [&str; 3] = ["nodes", "commits", "meta"];
/// Columns that one engine alone needs.
const OF_ONE_ENGINE: [(&str, &str); 1] = [("merchants", "version")];

/// Whether a table must hold the same on both engines.
pub fn is_compared(table: &str) -> bool {
    !OF_PROCESSES.contains(&table) && !table.starts_with("sqlite_")
}

/// One row: the columns in the order of their names.
pub fn line<'a>(table: &str, columns: impl Iterator<Item = (&'a str, Option<String>)>) -> String {
    let mut fields: Vec<String> = columns
        .filter(|(name, _)| !OF_ONE_ENGINE.contains(&(table, name)))
        .map(|(name, value)| format!("{name}={}", value.unwrap_or_else(|| "NULL".to_owned())))
        .collect();
    fields.sort();
    format!("{table}: {}", fields.join(" | "))
}

/// Sorted, without what says nothing: a counter that never counted, which one engine has to lock by and the other does not need.
pub fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.retain(|line| !(line.starts_with("counters: ") && line.ends_with("value=0")));
    lines.sort();
    lines
}

/// Every row of a database of SQLite.
pub fn of_sqlite(vfs: &str, path: &str) -> Result<Vec<String>, rusqlite::Error> {
    let connection = Connection::open_with_flags_and_vfs(path, OpenFlags::SQLITE_OPEN_READ_WRITE, vfs)?;
    let mut listed = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")?;
    let tables = listed.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
    let mut lines = Vec::new();
    for table in tables.iter().filter(|table| is_compared(table)) {
        let mut statement = connection.prepare(&format!("SELECT * FROM {table}"))?;
        let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let values = (0..names.len()).map(|place| Ok(text(row.get_ref(place)?))).collect::<Result<Vec<_>, rusqlite::Error>>()?;
            lines.push(line(table, names.iter().map(String::as_str).zip(values)));
        }
    }
    Ok(sorted(lines))
}

fn text(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => Some(number.to_string()),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
    }
}
