//! People of merchants and of the operator.

use axum::response::Response;
use refundry_engine::person::{Person, Side};
use refundry_engine::{MerchantId, PersonId};
use refundry_service::people::{self, NewPerson, PersonChange};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::MerchantQuery;
use crate::call::{Call, created, ok};
use crate::operator_api::policy_view::StandingView;
use crate::problem::{Problem, kinds};
use crate::views::{Listed, ModeView, Rfc3339, page_request};

/// A person to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PersonRequest {
    /// Who people see in timelines; at most 128 letters.
    #[schema(example = "Ann Lee")]
    pub name: String,
    /// `operator_admin`, `merchant_admin`, `reviewer`, `finance`, `applicant` or `read_only`.
    #[schema(example = "reviewer")]
    pub role: String,
    /// Whose; the operator leaves it out for its own people.
    #[schema(value_type = Option<String>)]
    pub merchant_id: Option<MerchantId>,
}

/// What is to change; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PersonChangeRequest {
    /// Who people see in timelines.
    pub name: Option<String>,
    /// The role; the person's keys are bound by it at once.
    pub role: Option<String>,
    /// A suspended person's keys prove nothing.
    pub standing: Option<StandingView>,
}

/// Which people.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct PersonQuery {
    /// Whose; the operator leaves it out for its own people.
    #[param(value_type = Option<String>)]
    pub merchant_id: Option<MerchantId>,
    /// `next` of the page before.
    pub cursor: Option<String>,
    /// Rows, 1 to 200; 50 when left out.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
}

/// A named person.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Person)]
pub struct PersonView {
    /// Ours.
    #[schema(example = "per_0d3m4t2ykw000")]
    pub person_id: String,
    /// The merchant, for a merchant's people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merchant_id: Option<String>,
    /// The mode, for the operator's people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<ModeView>,
    /// Who people see in timelines.
    pub name: String,
    /// The role.
    pub role: String,
    /// Whether the person's keys work.
    pub standing: StandingView,
    /// Since when.
    pub created_at: Rfc3339,
}

impl From<Person> for PersonView {
    fn from(person: Person) -> Self {
        let (merchant_id, mode) = match person.side {
            Side::Operator { mode } => (None, Some(mode.into())),
            Side::Merchant { merchant_id } => (Some(merchant_id.to_string()), None),
        };
        Self {
            person_id: person.id.to_string(),
            merchant_id,
            mode,
            name: person.name,
            role: person.role,
            standing: person.standing.into(),
            created_at: person.created_at.into(),
        }
    }
}

/// Adds a person.
pub async fn create(call: Call) -> Result<Response, Problem> {
    let PersonRequest { name, role, merchant_id } = call.json()?;
    let person = people::create(&call.app.service, &call.caller, NewPerson { merchant_id, name, role }).await?;
    Ok(created(&PersonView::from(person), true))
}

/// Changes a person.
pub async fn change(call: Call) -> Result<Response, Problem> {
    let (merchant_id, person_id) = named(&call)?;
    let PersonChangeRequest { name, role, standing } = call.json()?;
    let change = PersonChange { name, role, standing: standing.map(Into::into) };
    ok(&PersonView::from(people::change(&call.app.service, &call.caller, merchant_id, person_id, change).await?))
}

/// One person.
pub async fn find(call: Call) -> Result<Response, Problem> {
    let (merchant_id, person_id) = named(&call)?;
    ok(&PersonView::from(people::find(&call.app.service, &call.caller, merchant_id, person_id).await?))
}

/// People by id.
pub async fn list(call: Call) -> Result<Response, Problem> {
    let PersonQuery { merchant_id, cursor, limit } = call.query()?;
    let page = page_request(cursor.as_deref(), limit)?;
    ok(&Listed::of(people::list(&call.app.service, &call.caller, merchant_id, page).await?, PersonView::from))
}

fn named(call: &Call) -> Result<(Option<MerchantId>, PersonId), Problem> {
    let query: MerchantQuery = call.query()?;
    Ok((query.merchant_id, call.path_id("person_id", &kinds::UNKNOWN)?))
}
