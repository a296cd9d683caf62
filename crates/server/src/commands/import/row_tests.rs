use std::io::{Seek as _, Write as _};

use super::*;
use crate::language::Language;

fn rows_of(text: &[u8], format: Format) -> anyhow::Result<Rows> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(text).unwrap();
    file.rewind().unwrap();
    Rows::new(file, format, 1_024)
}

/// Each row as its line and what came of it.
fn outcomes(text: &[u8], format: Format) -> Vec<String> {
    let mut rows = rows_of(text, format).unwrap();
    let mut all = Vec::new();
    while let Some(row) = rows.next() {
        let row = match row {
            Ok(row) => row,
            Err(error) => {
                all.push(format!("broken: {error:#}"));
                break;
            }
        };
        let read = match row.read {
            Ok(payment) => format!("{} {}", payment.authorised.value, payment.authorised.currency.0),
            Err(problem) => {
                let body = problem.body(Language::English, "");
                format!("{} {}", body.code, body.field.unwrap_or(body.detail))
            }
        };
        all.push(format!("{} {}: {read}", row.line, row.payment_reference));
    }
    all
}

#[test]
fn csv_rows_are_payments_or_say_what_is_wrong() {
    let text = "\u{feff}payment_reference,merchant_reference,method,status,paid_at,authorised.value,currency,details.note\n\
        p1,o1,card,captured,2026-01-31T09:30:00Z,1230,EUR,\"a, b\nc\"\n\
        p2,o2,card,captured,2026-01-31T17:30:00+08:00,5800,JPY\n\
        p3,o3,card,captured,2026-01-31T09:30:00Z,12.30,EUR,\n\
        p4,o4,card,paid,2026-01-31T09:30:00Z,1230,EUR,\n\
        p5,o5,card,captured,2026-01-31T09:30:00Z,,EUR,\n\
        p6,o6,card,captured,2026-01-31T09:30:00Z,1,EUR,a,b\n\
        ,,,,,,,\n\
        p7,o7,card,captured,2026-01-31T09:30:00Z,1,EURO,\n";
    let mut bytes = text.as_bytes().to_vec();
    bytes.extend_from_slice(b"p8,o8,card,captured,2026-01-31T09:30:00Z,1,EUR,\xff\n");
    let expected = [
        "2 p1: 1230 EUR",
        "4 p2: 5800 JPY",
        "5 p3: field_invalid authorised.value",
        "6 p4: field_invalid status",
        "7 p5: field_invalid authorised",
        "8 p6: field_invalid The row has 9 cells, the header 8; put cells with commas in quotes.",
        "10 p7: field_invalid authorised.currency",
        "11 : field_invalid The row is not UTF-8; save the file as CSV UTF-8.",
    ];
    assert_eq!(outcomes(&bytes, Format::Csv), expected);
}

#[test]
fn ndjson_lines_are_payments_or_say_what_is_wrong() {
    let good = r#"{"payment_reference":"p1","merchant_reference":"o1","method":"card","status":"captured","paid_at":"2026-01-31T09:30:00Z","authorised":{"value":1,"currency":"EUR"}}"#;
    let text = format!("{good}\n\n{{\"payment_reference\":\"p2\"}}\n{{\n{}\n{good}", good.replace("p1", &"x".repeat(1_024)));
    let found = outcomes(text.as_bytes(), Format::Ndjson);
    assert_eq!(
        found,
        [
            "1 p1: 1 EUR",
            "3 p2: field_invalid merchant_reference",
            "4 : malformed_json The body is not well-formed JSON: line 1, column 1.",
            "5 : body_too_large The limit is 1024 bytes.",
            "6 p1: 1 EUR",
        ]
    );
}

#[test]
fn a_row_without_end_is_not_read_into_memory() {
    let mut csv = b"payment_reference,details.note\np1,\"".to_vec();
    csv.resize(1_000_000, b'x');
    let found = outcomes(&csv, Format::Csv);
    assert!(found.len() == 1 && found[0].contains("a row is longer than 1024 bytes"), "{found:?}");
    let found = outcomes(&vec![b'x'; 1_000_000], Format::Ndjson);
    assert!(found.len() == 1 && found[0].contains("a row is longer than 1024 bytes"), "{found:?}");
}

#[test]
fn unknown_and_doubled_columns_are_refused_at_once() {
    for (header, wanted) in [("payment_reference,amount", "\"amount\""), ("method,method", "there twice")] {
        let error = rows_of(format!("{header}\n").as_bytes(), Format::Csv).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(wanted), "{error}");
    }
}

#[test]
fn every_field_of_the_api_has_a_column_and_every_column_is_a_field() {
    let cell = |name: &str| match name {
        name if NUMBERS.contains(&name) => "1",
        name if BOOLEANS.contains(&name) => "true",
        name if name.ends_with("currency") => "EUR",
        name if name.ends_with("_at") => "2026-01-31T09:30:00Z",
        "merchant_id" => "mer_0d3m4t2ykw000",
        "terminal_id" => "ter_0d3m4t2ykw000",
        "status" => "captured",
        "fee_mode" => "from_account",
        "quote.price" => "1.5",
        _ => "x",
    };
    let names: Vec<&str> = [NUMBERS, BOOLEANS, TEXTS].concat();
    let object = object_of(names.iter().map(|name| (*name, cell(name))));
    json_body::read::<PaymentRequest>(&serde_json::to_vec(&object).unwrap())
        .map_err(|problem| problem.body(Language::English, "").detail)
        .unwrap();
    let schema = serde_json::to_value(<PaymentRequest as utoipa::PartialSchema>::schema()).unwrap();
    for field in schema["properties"].as_object().unwrap().keys() {
        // A list fits into no cell: planned shares come by lines of JSON.
        assert!(object.contains_key(field) || field == "shares", "{field} has no column");
    }
    let page = include_str!("../../../../../docs/operating/import.md");
    for name in names {
        assert!(page.contains(&format!("`{name}`")), "docs/operating/import.md does not name {name}");
    }
}
