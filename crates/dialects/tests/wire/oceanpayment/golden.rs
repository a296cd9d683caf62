//! Plays each golden file: the request goes the way that the shell takes it, the engine's part is written in the file.

use refundry_dialects::oceanpayment::ENTRY;
use refundry_dialects::oceanpayment::client::Sender;
use refundry_dialects::{Answer, Incoming, RefundWish, Subject, WireError, WireRequest, WireResponse};
use refundry_engine::Refusal;

use super::cast::{self, ACCOUNT, SECRET, SecretSigner, TERMINAL};
use super::result_codes_page;
use crate::golden_file::{GoldenFile, Message, blessing};

#[test]
fn oceanpayment_golden_files_and_the_pages_made_from_them() {
    let play = |file: &GoldenFile| if file.says("announces").is_some() { play_notification(file) } else { play_request(file) };
    let failures: Vec<String> = GoldenFile::all("oceanpayment").iter().filter_map(|file| play(file).err()).collect();
    assert!(failures.is_empty(), "{}\nIf the new bytes are right: BLESS=1 cargo test -p refundry-dialects", failures.join("\n"));
    result_codes_page::check();
}

fn play_request(file: &GoldenFile) -> Result<(), String> {
    let mut message = Message::parse(file.section("request").unwrap());
    if let (Some(secret), true) = (file.says("sign"), blessing()) {
        sign(&mut message, if secret == "right" { SECRET } else { "87654321" });
    }
    let (method, path) = message.first_line.split_once(' ').unwrap();
    let peer = Some("203.0.113.9".parse().unwrap());
    let request = WireRequest { method, path, headers: &message.headers, body: message.body.as_bytes(), peer };
    let (reading, response) = answer(&request, file);
    file.expect(&[("request", message.to_string()), ("reading", reading), ("response", show(&response))])
}

/// What the shell does: identify, find the keys, look where the caller is, authenticate, read, ask the engine, render.
fn answer(request: &WireRequest<'_>, file: &GoldenFile) -> (String, WireResponse) {
    let dialect = ENTRY.dialect;
    let mut proved = false;
    let read = dialect.identify(request).and_then(|claimed| {
        let keys = cast::keys_of(&claimed).ok_or(WireError::UnknownCaller)?;
        if file.says("outcome") == Some("caller_address") {
            return Err(WireError::CallerAddress { address: request.peer });
        }
        dialect.authenticate(request, &claimed, &keys)?;
        proved = true;
        dialect.read(request)
    });
    let reading = format!("{read:#?}");
    let context = cast::context(request.path, request.body, proved);
    let render = |answer: &Answer<'_>| dialect.render(answer, &context);
    let response = match read {
        Ok(incoming) => respond(&incoming, file.says("outcome").unwrap_or_default(), &render),
        Err(error) => render(&Answer::Malformed(&error)),
    };
    (reading, response)
}

/// The engine's part, by the words of the `outcome` line.
fn respond(incoming: &Incoming, outcome: &str, render: &dyn Fn(&Answer<'_>) -> WireResponse) -> WireResponse {
    let words: Vec<&str> = outcome.split(' ').collect();
    let inquired = cast::inquired();
    let wish: &RefundWish = if let Incoming::Refund(wish) = incoming { wish } else { &inquired };
    match (words.as_slice(), incoming) {
        (["accepted", state], _) => {
            let refund = cast::refund(wish, state);
            render(&Answer::Refund { refund: &refund, order_number: cast::ORDER_NUMBER, synchronous: false })
        }
        (["inquiry", state], _) => render(&Answer::Inquiry { refund: &cast::refund(wish, state) }),
        (["found", what], Incoming::Orders(question)) => {
            render(&Answer::Orders { question, found: &cast::found(question, *what == "something") })
        }
        (["done", payment @ ..], Incoming::Authorisation(wish)) => {
            render(&Answer::Authorisation { wish, payment: &cast::payment(payment) })
        }
        (["done"], Incoming::Tracking(note)) => render(&Answer::Tracking { note, payment: &cast::payment(&[]) }),
        (["refused", ..], _) => {
            let refusal: Refusal = serde_json::from_str(outcome.strip_prefix("refused ").unwrap()).unwrap();
            render(&Answer::Refused(&refusal))
        }
        (["forced", code], _) => render(&Answer::Forced(code)),
        (["fault"], _) => render(&Answer::Fault),
        (["too_many"], _) => render(&Answer::Malformed(&WireError::TooMany)),
        (["too_large"], _) => render(&Answer::Malformed(&WireError::TooLarge { limit: 1_048_576 })),
        (["not_allowed"], _) => render(&Answer::Malformed(&WireError::NotAllowed)),
        _ => panic!("the request was read as {incoming:?}, so an outcome is needed, and {outcome:?} is none"),
    }
}

fn play_notification(file: &GoldenFile) -> Result<(), String> {
    let words: Vec<&str> = file.says("announces").unwrap().split(' ').collect();
    let mut wish = cast::inquired();
    if words.contains(&"whole") {
        wish.amount = cast::usd(1_000).into();
    }
    let sent = match words.as_slice() {
        ["dispute", kind, standing, rest @ ..] => cast::announce("payment.updated", Subject::Dispute(&cast::dispute(kind, standing)), rest),
        [event, state, rest @ ..] => cast::announce(event, Subject::Refund(&cast::refund(&wish, state)), rest),
        _ => panic!("{words:?} announce nothing"),
    };
    let shown = match sent {
        Some(notification) => Message {
            first_line: "POST /notice".to_owned(),
            headers: notification.headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            body: String::from_utf8(notification.body).unwrap(),
        }
        .to_string(),
        None => "nothing is sent".to_owned(),
    };
    file.expect(&[("notification", shown)])
}

/// Puts the signature at the end of the form, as the client makes it.
fn sign(message: &mut Message, secret: &'static str) {
    let path = message.first_line.split_once(' ').unwrap().1.to_owned();
    let fields = message.body.split('&').filter_map(|field| field.split_once('=')).filter(|(name, _)| *name != "signValue");
    let fields: Vec<(String, String)> = fields.map(|(name, value)| (name.to_owned(), decoded(value))).collect();
    let rest: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let own = |name: &str| fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let rest: Vec<(&str, &str)> = rest.into_iter().filter(|(name, _)| !["account", "terminal"].contains(name)).collect();
    let (account, terminal) = (own("account").unwrap_or(ACCOUNT), own("terminal").unwrap_or(TERMINAL));
    let signed_time = message.header("x-signed-timestamp").map(|_| cast::NOW);
    let request = Sender { account, terminal, signer: &SecretSigner(secret), signed_time }.request(&path, &rest);
    message.body = String::from_utf8(request.body).unwrap();
    for (name, value) in request.headers.into_iter().filter(|(name, _)| *name != "content-type") {
        message.headers.retain(|(known, _)| known != name);
        message.headers.push((name.to_owned(), value));
    }
}

fn decoded(value: &str) -> String {
    percent_encoding::percent_decode_str(&value.replace('+', " ")).decode_utf8().unwrap().into_owned()
}

fn show(response: &WireResponse) -> String {
    let headers = response.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let body = String::from_utf8(response.body.clone()).unwrap();
    Message { first_line: format!("HTTP {}", response.status), headers, body }.to_string()
}
