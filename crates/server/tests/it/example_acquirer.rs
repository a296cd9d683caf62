//! The example receiver of the documentation, run as it is, against a real server in live mode.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use refundry_service::signatures::{webhook_secret, webhook_signature};
use refundry_service::world::Clock as _;
use serde_json::Value;
use tempfile::TempDir;

use crate::program::{done, failed, joined, refundry, said, text};

const SECRET: &str = "whsec_c2VjcmV0IG9mIHRoZSBleGFtcGxlIGFjcXVpcmVy";
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/examples/acquirer_receiver.py");
/// How often a refund is asked about until it stands as it should: longer than the slowest step of a busy machine.
const INQUIRIES_MAX: usize = 2_000;

/// A process that ends with its owner.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

fn python(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("python3");
    command.arg(SCRIPT).args(arguments).env("REFUNDRY_SECRET", SECRET).env("RECEIVER_DB", folder.join("acquirer.db"));
    command.env("PYTHONDONTWRITEBYTECODE", "1").stdin(Stdio::null());
    command
}

/// Starts the receiver; gives its address and what it prints from then on.
fn receiver(folder: &Path) -> (Running, String, BufReader<ChildStdout>) {
    let mut child = python(folder, &["serve", "0"]).stdout(Stdio::piped()).spawn().expect("python3 runs: `make test` installs it");
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    let url = line.trim().strip_prefix("listening on ").unwrap().to_owned();
    (Running(child), url, lines)
}

/// Starts a server; its log says where it listens.
fn server(config: &str) -> (Running, String) {
    let mut child = refundry(&["serve", "--config", config]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("addresses") {
        line.clear();
        assert!(lines.read_line(&mut line).unwrap() > 0, "the server ended");
        print!("{line}");
    }
    let address = line.split("http://").nth(1).unwrap().split(['"', ' ']).next().unwrap();
    let url = format!("http://{}", address.trim());
    std::thread::spawn(move || {
        let mut rest = Vec::new();
        _ = lines.read_to_end(&mut rest);
    });
    (Running(child), url)
}

fn made(arguments: &[&str], member: &str) -> String {
    let line = done(arguments);
    let line: Value = serde_json::from_str(line.lines().find(|line| line.starts_with('{')).unwrap()).unwrap();
    line[member].as_str().unwrap().to_owned()
}

#[test]
fn the_example_receiver_pays_once_answers_questions_and_reports_later() {
    let folder = TempDir::new().unwrap();
    let (_receiver, acquirer_url, mut printed) = receiver(folder.path());
    let config = folder.path().join("refundry.toml");
    let config_text = format!(
        "[server]\nlisten = [\"127.0.0.1:0\"]\n[database]\nurl = \"sqlite://{0}/refundry.db\"\n[secrets]\nmaster_key_file = \"{0}/master.key\"\n\
         [log]\nlevel = \"info\"\n[outgoing]\nnetworks_allowed = [\"127.0.0.0/8\"]\n\
         [acquirer.bank]\nkind = \"http\"\nurl = \"{acquirer_url}\"\nsecret = \"{SECRET}\"\nrecognises_duplicates = true\n\
         [acquirer.other]\nkind = \"http\"\nurl = \"{acquirer_url}\"\nsecret = \"{SECRET}\"\n",
        text(folder.path())
    );
    std::fs::write(&config, config_text).unwrap();
    let desk = ["--mode", "live", "--config", text(&config)];
    let merchant = made(&joined(&["merchant", "create", "--name", "Lotus"], &desk), "merchant_id");
    let terminal = ["terminal", "create", "--merchant", &merchant, "--name", "shop", "--acquirer", "bank"];
    let terminal = made(&joined(&terminal, &desk), "terminal_id");
    let key = made(&joined(&["key", "issue", "--merchant", &merchant], &desk), "token");
    let payments = folder.path().join("payments.csv");
    let header = "payment_reference,merchant_reference,method,status,paid_at,currency,authorised.value";
    let today = refundry_server::views::Rfc3339(refundry_server::system_clock::SystemClock.now());
    std::fs::write(&payments, format!("{header}\np1,o1,card,captured,{today},EUR,100000\n")).unwrap();
    done(&joined(&["import", "payments", text(&payments), "--merchant", &merchant, "--terminal", &terminal], &desk));

    let (_server, url) = server(text(&config));
    let native = ["refund", "native", "--url", &url, "--key", &key];
    let refund = |number: &str, amount: &str| {
        done(&joined(&native, &["--payment", "p1", "--amount", amount, "--currency", "EUR", "--number", number]));
    };
    let becomes = |number: &str, wanted: &str| {
        let seen = || done(&joined(&native, &["--inquiry", "--number", number]));
        let found = (0..INQUIRIES_MAX).map(|_| seen()).find(|seen| seen.contains(wanted));
        found.unwrap_or_else(|| panic!("{number} never becomes {wanted}: {}", seen()))
    };
    refund("r1", "10.00");
    let first = becomes("r1", "\"state\": \"succeeded\"");
    refund("r2", "90.01");
    assert!(becomes("r2", "\"state\": \"failed\"").contains("Do not honour"));
    refund("r3", "90.10");
    let third = becomes("r3", "\"state\": \"submitted\"");
    let id_of = |shown: &str| shown.split("\"refund_id\": \"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let (first, third) = (id_of(&first), id_of(&third));
    let report_as = |acquirer: &str, refund_id: &str, outcome: &str, more: &str| {
        let output = python(folder.path(), &["report", &url, acquirer, refund_id, outcome, more]).output().unwrap();
        (output.status.success(), said(&output))
    };
    let report = |refund_id: &str, outcome: &str, more: &str| report_as("bank", refund_id, outcome, more);
    // What the receiver reports is what it answers too, so nothing is said of the third that is not true in the end: it may be asked at any time.
    for (refund_id, outcome) in [(&third, "approved"), (&first, "declined"), (&first, "returned")] {
        let (taken, said) = report_as("other", refund_id, outcome, "74000001234567890123456");
        assert!(!taken && said.contains("409"), "nobody reports of another acquirer's refund: {said}");
    }
    for _ in 0..2 {
        let (taken, said) = report(&third, "approved", "74000001234567890123456");
        assert!(taken, "a report may be repeated: {said}");
    }
    becomes("r3", "\"arn\": \"74000001234567890123456\"");
    assert!(report(&third, "arn", "74000001234567890123457").1.contains("409"), "an ARN never changes");
    assert!(report(&first, "returned", "account closed").0);
    becomes("r1", "\"state\": \"returned\"");

    let submission = format!(
        r#"{{"type":"refund.submit","refund_id":"{third}","merchant_id":"{merchant}","mode":"live","attempt":2,"payment_reference":"p1","number":"r3","amount_minor":9010,"currency":"EUR"}}"#
    );
    let again = post(&acquirer_url, &submission, SECRET);
    assert!(again.contains("200 OK") && again.contains("approved"), "what is known is answered, not paid: {again}");
    assert!(post(&acquirer_url, &submission, "whsec_b3RoZXI=").contains("401"), "only the secret's owner is heard");
    let late = submission.replace(&third, "ref_late");
    assert!(post(&acquirer_url, &late.replace("refund.submit", "refund.ask"), SECRET).contains("unknown"));
    assert!(post(&acquirer_url, &late, SECRET).contains("not_taken"), "who was told \"unknown\" is not paid late");
    assert!(post(&acquirer_url, &late.replace("\"attempt\":2", "\"attempt\":3"), SECRET).contains("processing"));

    drop(_receiver);
    let mut lines = String::new();
    printed.read_to_string(&mut lines).unwrap();
    let paid: Vec<&str> = lines.lines().map(|line| line.split(' ').nth(1).unwrap()).collect();
    assert_eq!(paid, [first.as_str(), third.as_str(), "ref_late"], "each once");
    let books = done(&["doctor", "books", "--config", text(&config)]);
    assert!(books.contains("refunds 3") && books.contains("clean"), "{books}");
    let twice = ["terminal", "create", "--merchant", &merchant, "--name", "x", "--acquirer", "nobody"];
    assert!(failed(&joined(&twice, &desk)).contains("acquirer"));
}

/// A signed message to the receiver, and the whole answer.
fn post(url: &str, body: &str, secret: &str) -> String {
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    let seconds = refundry_server::system_clock::SystemClock.now().ms() / 1_000;
    let signature = webhook_signature(&webhook_secret(secret), "msg_1", seconds, body.as_bytes());
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    write!(
        stream,
        "POST / HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {}\r\nwebhook-id: msg_1\r\nwebhook-timestamp: {seconds}\r\n\
         webhook-signature: {signature}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
