//! Plays each golden file: the request goes the way that the shell takes it, the engine's part is written in the file.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use refundry_dialects::antom::ENTRY;
use refundry_dialects::{Answer, Context, Incoming, RefundWish, WireError, WireRequest, WireResponse, scheme};
use refundry_engine::Refusal;
use refundry_engine::merchant::WireSettings;

use crate::cast::{self, AntomSigner, NOW};
use crate::golden_file::{GoldenFile, Message, blessing};
use crate::result_codes_page;

#[test]
fn antom_golden_files_and_the_pages_made_from_them() {
    let play = |file: &GoldenFile| if file.says("announces").is_some() { play_notification(file) } else { play_request(file) };
    let failures: Vec<String> = GoldenFile::all("antom").iter().filter_map(|file| play(file).err()).collect();
    assert!(failures.is_empty(), "{}\nIf the new bytes are right: BLESS=1 cargo test -p refundry-dialects", failures.join("\n"));
    result_codes_page::check();
}

fn play_request(file: &GoldenFile) -> Result<(), String> {
    let mut message = Message::parse(file.section("request").unwrap());
    if let (Some(key), true) = (file.says("sign"), blessing()) {
        sign(&mut message, key, file.says("signs_path"));
    }
    let (method, path) = message.first_line.split_once(' ').unwrap();
    let request = WireRequest { method, path, headers: &message.headers, body: message.body.as_bytes(), peer: None };
    let (reading, response) = answer(&request, file.says("outcome").unwrap_or_default());
    file.expect(&[("request", message.to_string()), ("reading", reading), ("response", show(&response))])
}

/// What the shell does: identify, find the keys, authenticate, read, ask the engine, render.
fn answer(request: &WireRequest<'_>, outcome: &str) -> (String, WireResponse) {
    let dialect = ENTRY.dialect;
    let claimed = dialect.identify(request);
    let (lookup, scheme) = claimed.as_ref().map_or((String::new(), scheme::RSA), |claimed| (claimed.lookup.clone(), claimed.scheme));
    let context = Context {
        path: request.path,
        body: request.body,
        lookup: &lookup,
        scheme,
        now: NOW,
        settings: &WireSettings::default(),
        proved: true,
        signer: &AntomSigner,
    };
    let read = claimed.and_then(|claimed| {
        let keys = cast::keys_of(&claimed).ok_or(WireError::UnknownCaller)?;
        dialect.authenticate(request, &claimed, &keys)?;
        dialect.read(request)
    });
    let reading = format!("{read:#?}");
    let response = match read {
        Ok(incoming) => respond(&incoming, outcome, &context),
        Err(error) => dialect.render(&Answer::Malformed(&error), &context),
    };
    (reading, response)
}

/// The engine's part, by the words of the `outcome` line.
fn respond(incoming: &Incoming, outcome: &str, context: &Context<'_>) -> WireResponse {
    let render = |answer: &Answer<'_>| ENTRY.dialect.render(answer, context);
    let words: Vec<&str> = outcome.split(' ').collect();
    let inquired = cast::inquired();
    let wish: &RefundWish = if let Incoming::Refund(wish) = incoming { wish } else { &inquired };
    match words.as_slice() {
        ["synchronous", state, rest @ ..] => {
            render(&Answer::Refund { refund: &cast::refund(wish, cast::state(state), rest), order_number: "o1", synchronous: true })
        }
        ["asynchronous", state, rest @ ..] => {
            render(&Answer::Refund { refund: &cast::refund(wish, cast::state(state), rest), order_number: "o1", synchronous: false })
        }
        ["inquiry", state, rest @ ..] => render(&Answer::Inquiry { refund: &cast::refund(wish, cast::state(state), rest) }),
        ["refused", ..] => {
            let refusal: Refusal = serde_json::from_str(outcome.strip_prefix("refused ").unwrap()).unwrap();
            render(&Answer::Refused(&refusal))
        }
        ["forced", code] => render(&Answer::Forced(code)),
        ["fault"] => render(&Answer::Fault),
        ["too_many"] => render(&Answer::Malformed(&WireError::TooMany)),
        ["too_large"] => render(&Answer::Malformed(&WireError::TooLarge { limit: 1_048_576 })),
        ["not_allowed"] => render(&Answer::Malformed(&WireError::NotAllowed)),
        _ => panic!("the request was read, so an outcome is needed, and {outcome:?} is none"),
    }
}

fn play_notification(file: &GoldenFile) -> Result<(), String> {
    let words: Vec<&str> = file.says("announces").unwrap().split(' ').collect();
    let refund = cast::refund(&cast::inquired(), cast::state(words[1]), &words[2..]);
    let path = file.says("to").unwrap_or("/antom/notifyRefund");
    let shown = match cast::announce(words[0], &refund, path) {
        Some(notification) => Message {
            first_line: format!("POST {path}"),
            headers: notification.headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            body: String::from_utf8(notification.body).unwrap(),
        }
        .to_string(),
        None => "nothing is sent".to_owned(),
    };
    file.expect(&[("notification", shown)])
}

/// Puts the signature into the header, where the file says `signature=`: by the `sign` line, `<key>` or `<key> raw|lower|unpadded`.
fn sign(message: &mut Message, how: &str, path: Option<&str>) {
    let (key, form) = how.split_once(' ').unwrap_or((how, ""));
    let path = path.map_or_else(|| message.first_line.split_once(' ').unwrap().1.to_owned(), str::to_owned);
    let (client_id, time) = (message.header("client-id").unwrap_or_default(), message.header("request-time").unwrap_or_default());
    let text = format!("POST {path}\n{client_id}.{time}.{}", message.body);
    let base64 = BASE64_STANDARD.encode(cast::sign(key, text.as_bytes()));
    let encoded = |base64: &str| utf8_percent_encode(base64, NON_ALPHANUMERIC).to_string();
    let value = match form {
        "raw" => base64,
        "lower" => encoded(&base64).replace("%2B", "%2b").replace("%2F", "%2f").replace("%3D", "%3d"),
        "unpadded" => encoded(base64.trim_end_matches('=')),
        "" => encoded(&base64),
        other => panic!("{other} is no form of a signature"),
    };
    let (_, header) = message.headers.iter_mut().find(|(name, _)| name.eq_ignore_ascii_case("signature")).unwrap();
    let start = header.find("signature=").unwrap() + "signature=".len();
    let end = header[start..].find(',').map_or(header.len(), |length| start + length);
    header.replace_range(start..end, &value);
}

fn show(response: &WireResponse) -> String {
    let headers = response.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let body = String::from_utf8(response.body.clone()).unwrap();
    Message { first_line: format!("HTTP {}", response.status), headers, body }.to_string()
}
