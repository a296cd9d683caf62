//! An endpoint of the native API as a row of the table in [`endpoints`](crate::endpoints): where it answers, who may call, what it takes and
//! gives. The router, the OpenAPI document, the page at `/docs` and the tests of permissions are made from the same rows.

use std::sync::Arc;

use axum::response::Response;
use futures::future::BoxFuture;
use refundry_service::permissions::Permission;
use utoipa::openapi::path::Parameter;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{IntoParams, ToSchema};

use crate::call::Call;
use crate::problem::Problem;

/// What an endpoint does with a call.
pub type Action = Arc<dyn Fn(Call) -> BoxFuture<'static, Result<Response, Problem>> + Send + Sync>;

/// The methods that are in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the methods of HTTP")]
pub enum Method {
    Get,
    Post,
    Put,
    Delete,
}

/// Whose keys are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Merchants, platforms and the operator; keys that act for more than one merchant name it.
    Everyone,
    /// The operator alone.
    Operator,
}

/// What the body of a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// There is none.
    Nothing,
    /// One JSON object.
    Json,
    /// JSON objects, one on each line, read as they come.
    Lines,
}

/// A row of the table.
pub struct Endpoint {
    /// The method.
    pub method: Method,
    /// The path, with `{names}`.
    pub path: &'static str,
    /// What the key must permit.
    pub permission: Permission,
    /// Whose keys are taken.
    pub audience: Audience,
    /// Under which heading it is shown: English, Chinese.
    pub tag: [&'static str; 2],
    /// One sentence: English, Chinese.
    pub summary: [&'static str; 2],
    /// What the body is.
    pub body: Body,
    /// The schema of the body.
    pub request: Option<SchemaOf>,
    /// The status of success, and the schema of its body.
    pub answer: (u16, Option<SchemaOf>),
    /// Query parameters and headers.
    pub parameters: Vec<Parameter>,
    /// What it does.
    pub action: Action,
}

/// The schemas of a type: its name, its own, and those that it refers to.
#[derive(Clone, Copy)]
pub struct SchemaOf {
    /// The name to refer to it by.
    pub name: fn() -> String,
    /// Adds it and what it refers to.
    pub collect: fn(&mut Vec<(String, RefOr<Schema>)>),
}

impl SchemaOf {
    /// Those of `T`.
    pub fn of<T: ToSchema>() -> Self {
        Self { name: || T::name().into_owned(), collect: collect::<T> }
    }
}

fn collect<T: ToSchema>(schemas: &mut Vec<(String, RefOr<Schema>)>) {
    schemas.push((T::name().into_owned(), T::schema()));
    T::schemas(schemas);
}

impl Method {
    /// In capitals.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

impl Endpoint {
    /// A row without body and parameters, for everyone, answering 200.
    pub fn new<F, Reply>(method: Method, path: &'static str, permission: Permission, action: F) -> Self
    where
        F: Fn(Call) -> Reply + Send + Sync + 'static,
        Reply: Future<Output = Result<Response, Problem>> + Send + 'static,
    {
        Self {
            method,
            path,
            permission,
            audience: Audience::Everyone,
            tag: [""; 2],
            summary: [""; 2],
            body: Body::Nothing,
            request: None,
            answer: (200, None),
            parameters: Vec::new(),
            action: Arc::new(move |call| Box::pin(action(call))),
        }
    }

    /// For the operator alone.
    pub fn operator(self) -> Self {
        Self { audience: Audience::Operator, ..self }
    }

    /// What it is for, in one sentence of each language.
    pub fn says(self, english: &'static str, chinese: &'static str) -> Self {
        Self { summary: [english, chinese], ..self }
    }

    /// Takes one JSON object.
    pub fn takes<T: ToSchema>(self) -> Self {
        Self { body: Body::Json, request: Some(SchemaOf::of::<T>()), ..self }
    }

    /// Takes JSON objects, one on each line.
    pub fn takes_lines<T: ToSchema>(self) -> Self {
        Self { body: Body::Lines, request: Some(SchemaOf::of::<T>()), ..self }
    }

    /// Takes query parameters or headers.
    pub fn asks<T: IntoParams>(mut self) -> Self {
        self.parameters.extend(T::into_params(|| None));
        self
    }

    /// Gives this.
    pub fn gives<T: ToSchema>(self, status: u16) -> Self {
        Self { answer: (status, Some(SchemaOf::of::<T>())), ..self }
    }

    /// Gives a status without a body.
    pub fn gives_nothing(self) -> Self {
        Self { answer: (204, None), ..self }
    }
}
