//! The OpenAPI 3.1 document, made from the table of endpoints. It is committed as `openapi.json`; a test says when it is stale.

use std::collections::BTreeMap;

use utoipa::ToSchema as _;
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::path::{OperationBuilder, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, HttpMethod, InfoBuilder, ObjectBuilder, OpenApi, OpenApiBuilder, PathsBuilder, Ref, RefOr, Required,
    Response, ResponseBuilder, Schema, Type,
};

use crate::endpoint::{Audience, Body, Endpoint, Method};
use crate::endpoints;
use crate::language::Language;
use crate::problem::ProblemBody;

/// What the API is: English, Chinese.
pub const ABOUT: [&str; 2] = [
    "Refunds over JSON. Every request carries `Authorization: Bearer <key>`; a sandbox key sees the sandbox alone, a live key \
live payments alone. Amounts are integers of minor units. Lists are paged by `cursor`. What is refused is answered with a problem of RFC 9457 \
in the language of `Accept-Language` (en, zh); its `code` is stable and has a page under `/problems/`.",
    "以 JSON 办理退款。每个请求都带 `Authorization: Bearer <密钥>`；沙箱密钥只能看到沙箱，生产密钥只能看到真实支付。金额是最小货币单位的整数。\
列表用 `cursor` 翻页。被拒绝的请求得到 RFC 9457 的问题应答，语言由 `Accept-Language`（en、zh）决定；其中的 `code` 固定不变，说明见 `/problems/`。",
];
const PROBLEM: &str = "problem";

/// The document.
pub fn document() -> OpenApi {
    let rows = endpoints::all();
    let mut schemas: Vec<(String, RefOr<Schema>)> = Vec::new();
    let mut paths = PathsBuilder::new();
    for endpoint in &rows {
        for schema in [endpoint.request, endpoint.answer.1].into_iter().flatten() {
            (schema.collect)(&mut schemas);
        }
        paths = paths.path(endpoint.path, PathItem::new(http_method(endpoint.method), operation(endpoint)));
    }
    schemas.push((ProblemBody::name().into_owned(), <ProblemBody as utoipa::PartialSchema>::schema()));
    ProblemBody::schemas(&mut schemas);
    let bearer = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
    let refused = problem_response();
    let schemas: BTreeMap<String, RefOr<Schema>> = schemas.into_iter().collect();
    let components = ComponentsBuilder::new().schemas_from_iter(schemas).response(PROBLEM, refused).security_scheme("key", bearer).build();
    let mut tags: Vec<[&str; 2]> = rows.iter().map(|endpoint| endpoint.tag).collect();
    tags.dedup();
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Refundry")
                .version("1")
                .description(Some(ABOUT[0]))
                .extensions(in_chinese("x-description-zh", ABOUT[1]))
                .build(),
        )
        .paths(paths.build())
        .components(Some(components))
        .security(Some([SecurityRequirement::new("key", Vec::<String>::new())]))
        .tags(Some(
            tags.into_iter().map(|[english, chinese]| TagBuilder::new().name(english).extensions(in_chinese("x-name-zh", chinese)).build()),
        ))
        .build()
}

/// The document as it is committed and served.
pub fn document_text() -> String {
    let mut text = serde_json::to_string_pretty(&document()).unwrap_or_default();
    text.push('\n');
    text
}

fn operation(endpoint: &Endpoint) -> utoipa::openapi::path::Operation {
    let (status, schema) = endpoint.answer;
    let mut answer = ResponseBuilder::new().description(if status == 204 { "Done." } else { "As asked." });
    if let Some(schema) = schema {
        let media_type = if endpoint.body == Body::Lines { "application/x-ndjson" } else { "application/json" };
        answer = answer.content(media_type, ContentBuilder::new().schema(Some(Ref::from_schema_name((schema.name)()))).build());
    }
    let mut operation = OperationBuilder::new()
        .operation_id(Some(operation_id(endpoint)))
        .tag(endpoint.tag[0])
        .summary(Some(endpoint.summary[0]))
        .extensions(in_chinese("x-summary-zh", endpoint.summary[1]))
        .description(Some(who_may(endpoint, Language::English)))
        .response(status.to_string(), answer.build())
        .response("default", RefOr::Ref(Ref::from_response_name(PROBLEM)));
    for name in path_names(endpoint.path) {
        let text = ObjectBuilder::new().schema_type(Type::String);
        let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Path).required(Required::True);
        operation = operation.parameter(parameter.schema(Some(text)).build());
    }
    for parameter in &endpoint.parameters {
        operation = operation.parameter(parameter.clone());
    }
    if let Some(schema) = endpoint.request {
        let media_type = if endpoint.body == Body::Lines { "application/x-ndjson" } else { "application/json" };
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name((schema.name)()))).build();
        let body = RequestBodyBuilder::new().content(media_type, content).required(Some(Required::True));
        operation = operation.request_body(Some(body.build()));
    }
    operation.build()
}

/// Which permission and whose keys an endpoint wants.
pub fn who_may(endpoint: &Endpoint, language: Language) -> String {
    let who = match endpoint.audience {
        Audience::Everyone => language.pick("merchants, platforms, operator", "商户、平台、运营方"),
        Audience::Operator => language.pick("operator", "运营方"),
    };
    let permission = endpoint.permission.word();
    match language {
        Language::English => format!("Permission `{permission}`; keys of: {who}."),
        Language::Chinese => format!("所需权限：`{permission}`；可用密钥：{who}。"),
    }
}

/// One text beside the English one. Never two in one object: their order would differ from run to run.
fn in_chinese(name: &str, text: &str) -> Option<Extensions> {
    Some([(name, text)].into_iter().collect())
}

/// `get_refunds_refund_id`: unique because method and path are.
fn operation_id(endpoint: &Endpoint) -> String {
    let path = endpoint.path.trim_start_matches("/api/v1/");
    let words: Vec<&str> = path.split(['/', '-', '{', '}']).filter(|word| !word.is_empty()).collect();
    format!("{}_{}", endpoint.method.word().to_lowercase(), words.join("_"))
}

fn path_names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

fn problem_response() -> Response {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(ProblemBody::name())));
    ResponseBuilder::new()
        .description("Refused, malformed, or our fault: a problem of RFC 9457.")
        .content("application/problem+json", content.build())
        .build()
}

fn http_method(method: Method) -> HttpMethod {
    match method {
        Method::Get => HttpMethod::Get,
        Method::Post => HttpMethod::Post,
        Method::Put => HttpMethod::Put,
        Method::Delete => HttpMethod::Delete,
    }
}
