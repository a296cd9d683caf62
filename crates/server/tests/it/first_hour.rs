//! The first hour: a demo, the printed refund, and the command line of developers.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;

use crate::program::{Demo, done, failed, joined, refundry, said, text};

/// How long a message may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often something is looked at until it has happened.
const LOOKS_MAX: usize = 2_000;
/// The answer with which the dialect's receivers acknowledge.
const ACKNOWLEDGED: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 80\r\nconnection: close\r\n\r\n\
    {\"result\":{\"resultCode\":\"SUCCESS\",\"resultStatus\":\"S\",\"resultMessage\":\"success\"}}";

#[test]
fn the_printed_refund_succeeds_and_is_not_paid_twice() {
    let demo = Demo::start();
    let command = demo.welcome.split("\n\n").find(|part| part.starts_with("curl ")).unwrap();
    assert!(command.contains(&demo.url) && !demo.url.ends_with(":0"), "{}", demo.welcome);
    let run = || {
        let output = Command::new("sh").args(["-c", command]).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let (first, second) = (run(), run());
    assert_eq!(first["amount"]["value"], 400);
    assert_eq!((&first["refund_id"], &first["number"]), (&second["refund_id"], &second["number"]));
    demo.stop();
}

#[test]
fn developers_refund_and_ask_from_the_command_line() {
    let demo = Demo::start();
    let (url, key) = (demo.url.as_str(), demo.manifest("/merchants/0/api_key"));
    let payment = format!("{}00000003", demo.manifest("/merchants/0/payments/reference_prefix"));
    let at = |pointer: &str| demo.manifest(&format!("/merchants/0/terminals/0/{pointer}"));
    let file = |pointer: &str| text(&demo.path(&at(pointer))).to_owned();
    let (client_id, private, ours) = (at("client_id"), file("merchant_private_key_file"), file("gateway_public_key_file"));
    let caller = ["--url", url, "--client-id", &client_id, "--private-key", &private, "--our-public-key", &ours];
    let antom = joined(&["refund", "antom"], &caller);
    let wish = ["--payment", &payment, "--amount", "4.00", "--currency", "USD"];

    let first = done(&joined(&antom, &joined(&wish, &["--number", "r1", "--show-request"])));
    assert!(first.contains("> POST") && first.contains("\"resultCode\": \"SUCCESS\"") && first.contains("signature is right"), "{first}");
    let inquire = joined(&antom, &["--inquiry", "--number", "r1"]);
    let asked = (0..LOOKS_MAX).map(|_| done(&inquire)).find(|asked| asked.contains("\"refundStatus\": \"SUCCESS\""));
    assert!(asked.is_some(), "{}", done(&inquire));
    let made = done(&joined(&antom, &wish));
    assert!(made.contains("--number cli_"), "a number that was made is said: {made}");
    let other = failed(&joined(&antom, &["--payment", &payment, "--amount", "5.00", "--currency", "USD", "--number", "r1"]));
    assert!(other.contains("REPEAT_REQ_INCONSISTENT"), "{other}");
    let digits = failed(&joined(&antom, &["--payment", &payment, "--amount", "4.005", "--currency", "USD"]));
    assert!(digits.contains("2 decimals") && !digits.contains("cli_"), "{digits}");
    let other_key = demo.path(&demo.manifest("/merchants/0/terminals/1/merchant_private_key_file"));
    let wrong_key = ["refund", "antom", "--url", url, "--client-id", &client_id, "--private-key", text(&other_key)];
    assert!(failed(&joined(&wrong_key, &wish)).contains("INVALID_SIGNATURE"));
    let wrong_ours = ["refund", "antom", "--url", url, "--client-id", &client_id, "--private-key", &private];
    let stranger = demo.path("stranger.b64");
    std::fs::write(&stranger, include_str!("../../../service/tests/keys/rsa.spki.b64")).unwrap();
    let unproved = failed(&joined(&wrong_ours, &["--our-public-key", text(&stranger), "--inquiry", "--number", "r1"]));
    assert!(unproved.contains("NOT signed"), "{unproved}");

    let native = &["refund", "native", "--url", url, "--key", &key];
    let tried = done(&joined(native, &joined(&wish, &["--dry-run"])));
    assert!(tried.contains("200"), "{tried}");
    let refunded = done(&joined(native, &joined(&wish, &["--number", "n1", "--reason", "破损"])));
    assert!(refunded.contains("\"number\": \"n1\"") && refunded.contains("破损"), "{refunded}");
    assert!(done(&joined(native, &["--inquiry", "--number", "n1"])).contains("\"value\": 400"));
    assert!(failed(&joined(native, &["--inquiry", "--number", "n2"])).contains("no refund of this number"));
    let nobody = failed(&["refund", "native", "--url", "http://127.0.0.1:1", "--key", "k", "--inquiry", "--number", "n1"]);
    assert!(nobody.contains("nothing was sent"), "{nobody}");
}

#[test]
fn a_notification_is_listed_and_sent_again() {
    let demo = Demo::start();
    let (hook, posts) = receiver();
    let (config, key, merchant) = (demo.config(), demo.manifest("/merchants/0/api_key"), demo.manifest("/merchants/0/merchant_id"));
    let payment = format!("{}00000003", demo.manifest("/merchants/0/payments/reference_prefix"));
    let wish = ["--payment", &payment, "--amount", "4.00", "--currency", "USD", "--number", "n1", "--notify-url", &hook];
    done(&joined(&["refund", "native", "--url", &demo.url, "--key", &key], &wish));
    let first = posts.recv_timeout(PATIENCE).unwrap();
    let listed = || done(&["notification", "list", "--config", &config, "--merchant", &merchant]);
    let delivered = || {
        // The receiver has answered; that this is written down takes another moment.
        let found = (0..LOOKS_MAX).map(|_| listed()).find(|listed| listed.contains("\"delivered\""));
        found.expect("it is acknowledged, and so delivered")
    };
    let delivered_row = delivered();
    let row: Value = serde_json::from_str(delivered_row.lines().next().unwrap()).unwrap();
    let id = row["notification_id"].as_str().unwrap();
    let replay = &["notification", "replay", "--config", &config, "--merchant", &merchant];
    done(&joined(replay, &[id]));
    assert_eq!(posts.recv_timeout(PATIENCE).unwrap(), first, "the same message again");
    delivered();
    assert!(done(&joined(replay, &["--state", "delivered", "--from", "2026-01-01T00:00:00Z"])).contains("\"replayed\":1"));
    assert_eq!(posts.recv_timeout(PATIENCE).unwrap(), first);
    assert!(done(&joined(replay, &["--state", "parked"])).contains("\"replayed\":0"));
    assert!(failed(&joined(replay, &["--state", "due"])).contains("sent anyway"));
    let unknown = refundry(&joined(replay, &[])).output().unwrap();
    assert_eq!(unknown.status.code(), Some(2), "{}", said(&unknown));
}

/// A merchant's receiver that acknowledges everything, and says which bodies it got.
fn receiver() -> (String, mpsc::Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let (sender, posts) = mpsc::channel();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = BufReader::new(connection.unwrap());
            let mut length = 0;
            loop {
                let mut line = String::new();
                if connection.read_line(&mut line).unwrap_or(0) == 0 || line.trim().is_empty() {
                    break;
                }
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
            }
            let mut body = vec![0; length];
            connection.read_exact(&mut body).unwrap();
            connection.get_mut().write_all(ACKNOWLEDGED).unwrap();
            if sender.send(body).is_err() {
                return;
            }
        }
    });
    (url, posts)
}
