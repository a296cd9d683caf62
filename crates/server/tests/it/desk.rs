//! The commands of whoever keeps an installation, also while it is served.

use refundry_server::system_clock::SystemClock;
use refundry_server::views::Rfc3339;
use refundry_service::world::Clock as _;

use crate::program::{Demo, done, failed, joined, prepared, refundry, said, text};

const PAYMENTS: &str = "\
payment_reference,merchant_reference,method,status,paid_at,currency,authorised.value,details.card_last4
I1,order-1,card,captured,2026-01-31T09:30:00Z,USD,10000,1111
I2,order-2,card,captured,2026-01-31T09:30:00Z,USD,10000,11111
I3,order-3,card,captured,2026-01-31T09:30:00Z,JPY,5800,
I4,order-4,card,captured,2026-01-31T09:30:00Z,USD,100.00,1111
";

#[test]
fn payments_come_in_by_file_while_the_server_serves() {
    let demo = Demo::start();
    let (config, merchant) = (demo.config(), demo.manifest("/merchants/0/merchant_id"));
    let (terminal, key) = (demo.manifest("/merchants/0/terminals/0/terminal_id"), demo.manifest("/merchants/0/api_key"));
    let import =
        |file: &str| ["import", "payments", file, "--config", &config, "--merchant", &merchant, "--terminal", &terminal].map(str::to_owned);
    let run = |file: &str, check: fn(&[&str]) -> String| {
        let arguments = import(file);
        check(&arguments.each_ref().map(String::as_str))
    };

    let csv = demo.path("payments.csv");
    std::fs::write(&csv, PAYMENTS).unwrap();
    let first = run(text(&csv), failed);
    assert!(first.contains("rows 4 · new 2 · known 0 · rejected 2"), "{first}");
    let report = std::fs::read_to_string(demo.path("payments.csv.rejected.csv")).unwrap();
    let rejected: Vec<&str> = report.lines().map(|line| line.split(",\"").next().unwrap()).collect();
    assert_eq!(
        rejected,
        ["line,payment_reference,code,field,reason,reason_zh", "3,I2,field_invalid,card_last4", "5,I4,field_invalid,authorised.value"]
    );
    let again = run(text(&csv), failed);
    assert!(again.contains("rows 4 · new 0 · known 2 · rejected 2"), "a second run changes nothing: {again}");

    let ndjson = demo.path("payments.ndjson");
    let line = r#"{"payment_reference":"I5","merchant_reference":"o5","method":"card","status":"captured","paid_at":"2026-01-31T09:30:00Z","authorised":{"value":700,"currency":"USD"}}"#;
    std::fs::write(&ndjson, format!("{line}\n{line}\n{}\n", line.replace("700", "800"))).unwrap();
    let mixed = run(text(&ndjson), failed);
    assert!(mixed.contains("rows 3 · new 1 · known 1 · rejected 1"), "{mixed}");
    let report = std::fs::read_to_string(demo.path("payments.ndjson.rejected.ndjson")).unwrap();
    let row: serde_json::Value = serde_json::from_str(report.trim()).unwrap();
    assert_eq!((&row["line"], &row["code"]), (&3.into(), &"payment_inconsistent".into()));
    assert!(row["reason_zh"].as_str().unwrap().contains('已'), "{report}");
    std::fs::write(&ndjson, format!("{line}\n")).unwrap();
    run(text(&ndjson), done);
    assert!(!demo.path("payments.ndjson.rejected.ndjson").exists(), "a report of rows that are in order now is gone");

    let wish = ["--payment", "I1", "--amount", "100.00", "--currency", "USD", "--number", "n1"];
    done(&joined(&["refund", "native", "--url", &demo.url, "--key", &key], &wish));
    assert!(run("payments.txt", failed).contains(".ndjson"));
    assert!(run("nowhere.csv", failed).contains("nowhere.csv"));
}

#[test]
fn a_backup_of_a_serving_installation_is_whole_and_master_keys_are_rotated_under_it() {
    let demo = Demo::start();
    let (config, key) = (demo.config(), demo.manifest("/merchants/0/api_key"));
    let payment = format!("{}00000003", demo.manifest("/merchants/0/payments/reference_prefix"));
    let refund = |url: &str, number: &str| {
        let wish = ["--payment", &payment, "--amount", "4.00", "--currency", "USD", "--number", number];
        done(&joined(&["refund", "native", "--url", url, "--key", &key], &wish))
    };
    refund(&demo.url, "n1");
    let copy = demo.path("copy.db");
    done(&["backup", text(&copy), "--config", &config]);
    assert!(failed(&["backup", text(&copy), "--config", &config]).contains("copy.db"), "a copy is never overwritten");
    let doctor = |database: &str| {
        let mut command = refundry(&["doctor", "books", "--config", &config]);
        let output = command.env("REFUNDRY_DATABASE_URL", format!("sqlite://{database}")).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        said(&output)
    };
    let found = doctor(text(&copy));
    assert!(found.contains("refunds 1") && found.contains("the books are clean"), "{found}");
    assert!(done(&["migrate", "--config", &config]).contains("up to date"));

    let rotated = done(&["keys", "rotate-master", "--config", &config]);
    assert!(rotated.contains("sealed again") && !rotated.contains(" 0 sealed again"), "{rotated}");
    assert!(done(&["keys", "rotate-master", "--finish", "--config", &config]).contains(" 0 sealed again"));
    antom_refund(&demo, &payment, "r1");
    refund(&demo.url, "n2");
    let demo = Demo::serve(demo.stop());
    antom_refund(&demo, &payment, "r2");
    assert!(doctor(text(&demo.path("refundry.db"))).contains("refunds 4"));
}

/// A refund whose answer is signed with a sealed key.
fn antom_refund(demo: &Demo, payment: &str, number: &str) {
    let at = |pointer: &str| demo.manifest(&format!("/merchants/0/terminals/0/{pointer}"));
    let (private, ours) = (demo.path(&at("merchant_private_key_file")), demo.path(&at("gateway_public_key_file")));
    let client_id = at("client_id");
    let caller = ["refund", "antom", "--url", &demo.url, "--client-id", &client_id, "--private-key", text(&private)];
    let wish = ["--our-public-key", text(&ours), "--payment", payment, "--amount", "1.00", "--currency", "USD", "--number", number];
    done(&joined(&caller, &wish));
}

#[test]
fn a_damaged_database_is_refused_at_start_with_its_name() {
    let damages: [fn(&mut Vec<u8>); 3] = [
        |bytes| bytes[..64].fill(0x55),
        |bytes| {
            let middle = bytes.len() / 2;
            bytes[4_096..middle].fill(0x55);
        },
        |bytes| bytes.truncate(bytes.len() / 2),
    ];
    for damage in damages {
        let folder = prepared();
        let file = folder.path().join("refundry.db");
        let mut bytes = std::fs::read(&file).unwrap();
        damage(&mut bytes);
        std::fs::write(&file, &bytes).unwrap();
        let config = folder.path().join("refundry.toml");
        let said = failed(&["serve", "--config", text(&config)]);
        assert!(said.contains("refundry.db") && said.contains("damaged"), "{said}");
        assert_eq!(std::fs::read(&file).unwrap(), bytes, "a damaged file is evidence: it is left as it is");
    }
    let folder = prepared();
    std::fs::write(folder.path().join("master.key"), "nonsense\n").unwrap();
    let said = failed(&["serve", "--config", text(&folder.path().join("refundry.toml"))]);
    assert!(said.contains("master.key"), "{said}");
}

#[test]
fn what_the_operator_tells_and_takes_is_told_and_taken_at_the_desk() {
    let demo = Demo::start();
    let (config, merchant) = (demo.config(), demo.manifest("/merchants/0/merchant_id"));
    let terminal = demo.manifest("/merchants/0/terminals/0/terminal_id");
    let here = ["--config", &config];
    let of = |line: &str, pointer: &str| {
        let row: serde_json::Value = serde_json::from_str(line.lines().last().unwrap()).unwrap();
        row.pointer(pointer).unwrap_or_else(|| panic!("{pointer} in {line}")).as_str().unwrap().to_owned()
    };
    let run = |arguments: &[&str]| done(&joined(arguments, &here));
    let refused = |arguments: &[&str]| failed(&joined(arguments, &here));

    let csv = demo.path("authorised.csv");
    // Just now: what nobody captures within a week is voided by the server.
    let now = Rfc3339(SystemClock.now());
    let head = "payment_reference,merchant_reference,method,status,paid_at,currency,authorised.value";
    let rows = format!("{head}\nA1,order-1,card,authorised,{now},USD,10000\nA2,order-2,card,authorised,{now},USD,10000\n");
    std::fs::write(&csv, rows).unwrap();
    run(&["import", "payments", text(&csv), "--merchant", &merchant, "--terminal", &terminal]);
    let captured = run(&["payment", "capture", "A1", "--merchant", &merchant, "--amount", "60.00", "--currency", "USD"]);
    assert_eq!(of(&captured, "/status"), "captured");
    let why = refused(&["payment", "void", "A1", "--merchant", &merchant]);
    assert!(why.contains("captured") && why.contains("支付"), "in both languages: {why}");
    assert_eq!(of(&run(&["payment", "void", "A2", "--merchant", &merchant]), "/status"), "cancelled");
    assert_eq!(run(&["payment", "owed", "--merchant", &merchant]), "", "nobody owes anything");

    let told = ["dispute", "open", "--merchant", &merchant, "--payment", "A1", "--amount", "20.00", "--currency", "USD"];
    let opened = run(&joined(&told, &["--kind", "chargeback", "--network-reference", "CB-1", "--reply-by", "2099-12-31T00:00:00Z"]));
    assert_eq!((of(&opened, "/state"), of(&opened, "/network_reference")), ("open".to_owned(), "CB-1".to_owned()));
    let dispute = of(&opened, "/dispute_id");
    let unknown = refundry(&joined(&joined(&told, &["--kind", "quarrel", "--network-reference", "CB-2"]), &here)).output().unwrap();
    assert!(!unknown.status.success() && said(&unknown).contains("chargeback, dispute, retrieval"), "{}", said(&unknown));
    assert!(run(&["dispute", "list", "--merchant", &merchant, "--open"]).contains(&dispute));
    let lost = run(&["dispute", "change", &dispute, "--merchant", &merchant, "--to", "lose", "--note", "no documents"]);
    assert_eq!(of(&lost, "/state"), "lost");
    assert_eq!(run(&["dispute", "list", "--merchant", &merchant, "--open"]), "");
    assert_eq!(of(&run(&["dispute", "show", &dispute, "--merchant", &merchant]), "/state"), "lost");

    let asked = ["adjustment", "propose", "--merchant", &merchant, "--kind", "deduction", "--amount", "1.50", "--currency", "USD"];
    let asked = joined(&asked, &["--reason", "a courier", "--number", "adj-1"]);
    let adjustment = of(&run(&asked), "/adjustment_id");
    assert_eq!(of(&run(&asked), "/adjustment_id"), adjustment, "the same number proposes once");
    assert!(run(&["adjustment", "list", "--merchant", &merchant]).contains("proposed"));
    let own = refused(&["adjustment", "book", &adjustment, "--merchant", &merchant]);
    assert!(own.contains("person"), "who proposed it does not book it: {own}");
    assert_eq!(of(&run(&["adjustment", "reject", &adjustment, "--merchant", &merchant]), "/state"), "rejected");

    let rates = demo.path("rates.csv");
    std::fs::write(&rates, "base,quoted,day,price\nEUR,USD,2026-01-31,1.0834\n").unwrap();
    assert!(refused(&["rate", "import", text(&rates)]).contains("rates:write"), "rates hold for both modes");
    assert!(run(&["rate", "import", text(&rates), "--mode", "live"]).contains("1"));
    assert_eq!(of(&run(&["rate", "list", "--base", "EUR"]), "/price"), "1.0834");
    std::fs::write(&rates, "base,quoted,day,price\nEUR,USD,2026-02-01,1.08\nEUR,USD,2026-02-30,1.08\n").unwrap();
    assert!(refused(&["rate", "import", text(&rates), "--mode", "live"]).contains("row 2"));
    assert!(!run(&["rate", "list"]).contains("2026-02-01"), "a file that is not in order is not imported at all");

    let terms = r#"{"days":{"kind":"weekly","weekdays":[1,4]},"minimum_minor":10000}"#;
    run(&["payout", "put-terms", "--merchant", &merchant, "--currency", "USD", terms]);
    let put = run(&["payout", "terms", "--merchant", &merchant]);
    assert!(put.contains(r#""weekdays":[1,4]"#) && put.contains("next_run_at"), "{put}");
    assert!(refused(&["payout", "put-terms", "--merchant", &merchant, "--currency", "USD", "{}"]).contains("days"));
}
