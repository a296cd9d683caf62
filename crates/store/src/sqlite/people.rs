//! People, as SQLite keeps them.

use std::collections::BTreeSet;

use refundry_engine::person::{Person, PersonKey};
use refundry_engine::{Changes, MerchantId, PersonId, Snapshot};
use rusqlite::{Connection, params};

use super::SqliteStore;
use super::apply::prepared;
use super::fault::fault;
use super::load::{body, find};
use super::singles::{all, cut};
use crate::people::PeopleReads;
use crate::reads::PAGE_LIMIT_MAX;
use crate::rows::{json_text, merchant_or_none};
use crate::{Page, PageRequest, Reading, StoreError};

const FIND: &str = "SELECT body FROM people WHERE merchant_id = ?1 AND person_id = ?2";

/// Loads the people that a batch changes.
pub fn load(connection: &Connection, keys: &BTreeSet<PersonKey>, snapshot: &mut Snapshot) -> Result<(), StoreError> {
    for (merchant_id, id) in keys {
        let found: Option<Person> = find(connection, FIND, (merchant_or_none(*merchant_id), id.get()), body)?;
        snapshot.people.extend(found.map(|person| (person.key(), person)));
    }
    Ok(())
}

/// Writes people.
pub fn put(connection: &Connection, changes: &Changes) -> Result<(), StoreError> {
    for person in changes.people.values() {
        let sql = "INSERT INTO people (merchant_id, person_id, body) VALUES (?1, ?2, ?3) \
            ON CONFLICT (merchant_id, person_id) DO UPDATE SET body = excluded.body";
        let row = params![merchant_or_none(person.side.merchant_id()), person.id.get(), json_text(person)?];
        prepared(connection, sql)?.execute(row).map_err(fault)?;
    }
    Ok(())
}

impl PeopleReads for SqliteStore {
    fn person(&self, merchant_id: Option<MerchantId>, id: PersonId) -> Reading<'_, Option<Person>> {
        self.readers.read(move |connection| find(connection, FIND, (merchant_or_none(merchant_id), id.get()), body))
    }

    fn people(&self, merchant_id: Option<MerchantId>, page: PageRequest) -> Reading<'_, Page<Person>> {
        self.readers.read(move |connection| {
            let sql = "SELECT body FROM people WHERE merchant_id = ?1 AND person_id > ?2 ORDER BY person_id LIMIT ?3";
            let limit = page.limit.clamp(1, PAGE_LIMIT_MAX);
            let params = params![merchant_or_none(merchant_id), page.after.unwrap_or(i64::MIN), limit + 1];
            let rows: Vec<Person> = all(connection, sql, params, body)?;
            Ok(cut(rows, limit as usize, |person| person.id.get()))
        })
    }
}
