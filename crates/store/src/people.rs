//! People, as they are read.

use refundry_engine::person::Person;
use refundry_engine::{MerchantId, PersonId};

use crate::{Page, PageRequest, Reading};

/// What is read of people: of a merchant's, or, without a merchant, of the operator's.
pub trait PeopleReads {
    /// One person.
    fn person(&self, merchant_id: Option<MerchantId>, id: PersonId) -> Reading<'_, Option<Person>>;
    /// People by id.
    fn people(&self, merchant_id: Option<MerchantId>, page: PageRequest) -> Reading<'_, Page<Person>>;
}
