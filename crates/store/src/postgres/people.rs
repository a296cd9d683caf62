//! People, as PostgreSQL keeps them.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use refundry_engine::person::{Person, PersonKey};
use refundry_engine::{Changes, MerchantId, PersonId};

use super::PostgresStore;
use super::apply::Calls;
use super::arrays::Rows;
use super::session::Call;
use super::singles::{body, cut};
use super::statements::put;
use crate::people::PeopleReads;
use crate::reads::PAGE_LIMIT_MAX;
use crate::rows::{json_text, merchant_or_none};
use crate::{Page, PageRequest, Reading, StoreError};

const LOAD: &str = "SELECT body FROM UNNEST($1::int8[], $2::int8[]) AS k (m, i) JOIN people ON merchant_id = m AND person_id = i \
    WHERE /* shard */ merchant_id = ANY($3) ORDER BY m, i FOR NO KEY UPDATE OF people";
static PUT: LazyLock<String> = LazyLock::new(|| put("people", "merchant_id int8, person_id int8, body text", "merchant_id, person_id"));

/// Locks and loads the people that a batch changes.
pub fn load(keys: &BTreeSet<PersonKey>) -> Call {
    let of = |key: &PersonKey| MerchantId::new(merchant_or_none(key.0));
    super::load::pairs(LOAD, keys.iter().map(|key| (of(key), key.1.get())))
}

/// Writes people.
pub fn write(changes: &Changes, calls: &mut Calls) -> Result<(), StoreError> {
    let mut people = Rows::of(3);
    for person in changes.people.values() {
        people.int(merchant_or_none(person.side.merchant_id())).int(person.id.get()).text(&json_text(person)?);
    }
    calls.add(&PUT, people);
    Ok(())
}

impl PeopleReads for PostgresStore {
    fn person(&self, merchant_id: Option<MerchantId>, id: PersonId) -> Reading<'_, Option<Person>> {
        let sql = "SELECT body FROM people WHERE merchant_id = $1 AND person_id = $2";
        self.readers.read(move |reader| async move { reader.first(sql, &[&merchant_or_none(merchant_id), &id.get()], body).await })
    }

    fn people(&self, merchant_id: Option<MerchantId>, page: PageRequest) -> Reading<'_, Page<Person>> {
        let sql = "SELECT body FROM people WHERE merchant_id = $1 AND person_id > $2 ORDER BY person_id LIMIT $3";
        self.readers.read(move |reader| async move {
            let limit = page.limit.clamp(1, PAGE_LIMIT_MAX);
            let (of, after, count) = (merchant_or_none(merchant_id), page.after.unwrap_or(i64::MIN), i64::from(limit + 1));
            let rows: Vec<Person> = reader.all(sql, &[&of, &after, &count], body).await?;
            Ok(cut(rows, limit as usize, |person| person.id.get()))
        })
    }
}

/// Every statement of this file, for those who look at plans.
#[cfg(test)]
pub fn statements() -> Vec<&'static str> {
    vec![LOAD, &PUT]
}
