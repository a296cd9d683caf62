//! Plays each golden file: the request goes the way that the shell takes it, the engine's part is written in the file.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use refundry_dialects::baofoo::client::Sender;
use refundry_dialects::baofoo::{ENTRY, Method};
use refundry_dialects::{Answer, Incoming, RefundWish, Subject, WireError, WireRequest, WireResponse, scheme};
use refundry_engine::Refusal;
use refundry_engine::merchant::WireSettings;

use super::cast::{self, ACCOUNT, AGENT, NOW, PairSigner, SM2_TERMINAL, TERMINAL};
use super::result_codes_page;
use crate::golden_file::{GoldenFile, Message, blessing};

#[test]
fn baofoo_golden_files_and_the_pages_made_from_them() {
    let play = |file: &GoldenFile| if file.says("announces").is_some() { play_notification(file) } else { play_request(file) };
    let failures: Vec<String> = GoldenFile::all("baofoo").iter().filter_map(|file| play(file).err()).collect();
    assert!(failures.is_empty(), "{}\nIf the new bytes are right: BLESS=1 cargo test -p refundry-dialects", failures.join("\n"));
    result_codes_page::check();
}

fn play_request(file: &GoldenFile) -> Result<(), String> {
    let message = if blessing() { sent(file) } else { Message::parse(file.section("request").expect("bless the new file")) };
    let (method, path) = message.first_line.split_once(' ').unwrap();
    let request = WireRequest { method, path, headers: &message.headers, body: message.body.as_bytes(), peer: None };
    let (reading, response) = answer(&request, file);
    file.expect(&[("request", message.to_string()), ("reading", reading), ("response", show(&response))])
}

/// The request that the head of a file describes: a call with its content, and what is done to the envelope.
fn sent(file: &GoldenFile) -> Message {
    let words: Vec<&str> = file.says("as").unwrap_or_default().split(' ').collect();
    let is = |word: &str| words.contains(&word);
    let sender = Sender {
        account: ACCOUNT,
        terminal: if is("sm2") { SM2_TERMINAL } else { TERMINAL },
        agent: is("agent").then_some(AGENT),
        signer: &PairSigner(if is("wrong") { "wrong" } else { "merchant" }),
        scheme: if is("sm2") { scheme::SM2 } else { scheme::RSA },
        now: NOW.plus_seconds(file.says("seconds_away").map_or(0, |seconds| seconds.parse().unwrap())),
    };
    let method = Method::from_word(file.says("call").unwrap()).unwrap();
    let request = sender.send(method, file.says("biz").unwrap());
    let mut body = String::from_utf8(request.body).unwrap();
    let heads = |name: &'static str| file.head.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str());
    for (name, value) in heads("set").map(|change| change.split_once('=').unwrap()) {
        let value = utf8_percent_encode(value, NON_ALPHANUMERIC);
        body = changed(&body, name, Some(&format!("{name}={value}")));
    }
    if is("upper") {
        let signature = body.split('&').find_map(|field| field.strip_prefix("signStr=")).unwrap().to_uppercase();
        body = changed(&body, "signStr", Some(&format!("signStr={signature}")));
    }
    body = heads("drop").fold(body, |body, name| changed(&body, name, None));
    body.extend(heads("append"));
    if let Some(text) = file.says("body") {
        body = text.to_owned();
    }
    let headers = request.headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Message { first_line: format!("{} /api", file.says("http").unwrap_or("POST")), headers, body }
}

fn changed(body: &str, name: &str, to: Option<&str>) -> String {
    let is = |field: &str| field.split('=').next() == Some(name);
    let fields = body.split('&').filter_map(|field| if is(field) { to } else { Some(field) });
    fields.collect::<Vec<_>>().join("&")
}

/// What the shell does: identify, find the keys, authenticate, read, ask the engine, render.
fn answer(request: &WireRequest<'_>, file: &GoldenFile) -> (String, WireResponse) {
    let dialect = ENTRY.dialect;
    let (mut proved, mut lookup, mut scheme) = (false, String::new(), "");
    let read = dialect.identify(request).and_then(|claimed| {
        lookup.clone_from(&claimed.lookup);
        scheme = claimed.scheme;
        let keys = cast::keys_of(&claimed).ok_or(WireError::UnknownCaller)?;
        dialect.authenticate(request, &claimed, &keys)?;
        proved = true;
        dialect.read(request)
    });
    let reading = format!("{read:#?}");
    let settings = WireSettings { unknown_payment_is_abnormal: file.says("odd").is_some(), ..WireSettings::default() };
    let mut context = cast::context(request.body, &lookup, scheme, proved);
    context.settings = &settings;
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
        (["accepted", state], Incoming::Refund(_)) => {
            let refund = cast::refund(wish, state);
            render(&Answer::Refund { refund: &refund, order_number: cast::ORDER_NUMBER, synchronous: false })
        }
        (["inquiry", state], Incoming::Inquiry(_)) => render(&Answer::Inquiry { refund: &cast::refund(wish, state) }),
        (["share", state], Incoming::Share(wish)) => render(&Answer::Share { share: &cast::share(&wish.number, state) }),
        (["share", state], Incoming::ShareInquiry(_)) => render(&Answer::Share { share: &cast::share("SH1001", state) }),
        (["order", state], Incoming::Order(_) | Incoming::OrderInquiry(_) | Incoming::OrderClose(_)) => {
            let refunded = if *state == "refunded" { cast::fen(10_000) } else { cast::fen(0) };
            render(&Answer::Order { payment: &cast::payment(state), refunded })
        }
        (["balance"], Incoming::BalanceInquiry(_)) => render(&Answer::Balance(&cast::balance())),
        (["refused", ..], _) => {
            let refusal: Refusal = serde_json::from_str(outcome.strip_prefix("refused ").unwrap()).unwrap();
            render(&Answer::Refused(&refusal))
        }
        (["forced", code], _) => render(&Answer::Forced(code)),
        (["fault"], _) => render(&Answer::Fault),
        (["too_many"], _) => render(&Answer::Malformed(&WireError::TooMany)),
        (["not_allowed"], _) => render(&Answer::Malformed(&WireError::NotAllowed)),
        _ => panic!("the request was read as {incoming:?}, so an outcome is needed, and {outcome:?} is none"),
    }
}

fn play_notification(file: &GoldenFile) -> Result<(), String> {
    let words: Vec<&str> = file.says("announces").unwrap().split(' ').collect();
    let sent = match words.as_slice() {
        [event, "share", state, rest @ ..] => cast::announce(event, Subject::Share(&cast::share("SH1001", state)), rest),
        [event, "order", state, rest @ ..] => cast::announce(event, Subject::Order(&cast::payment(state)), rest),
        [event, state, rest @ ..] => {
            let mut refund = cast::refund(&cast::inquired(), state);
            if rest.contains(&"odd_number") {
                refund.number = "A&B+C%41".to_owned();
            }
            cast::announce(event, Subject::Refund(&refund), rest)
        }
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

fn show(response: &WireResponse) -> String {
    let headers = response.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let body = String::from_utf8(response.body.clone()).unwrap();
    Message { first_line: format!("HTTP {}", response.status), headers, body }.to_string()
}
