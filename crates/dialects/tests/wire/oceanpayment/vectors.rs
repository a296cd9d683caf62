//! The vendor's published samples, verified by the dialect's own code.

use refundry_dialects::oceanpayment::ENTRY;
use refundry_dialects::oceanpayment::client::{Sender, value_of};
use refundry_dialects::{Keys as _, WireError, WireRequest};
use serde_json::Value;

use super::cast::{self, ACCOUNT, SECRET, SecretSigner, TERMINAL};

const VECTORS: &str = include_str!("../../fixtures/oceanpayment-vectors.json");

/// A sample's call and values, with its hash.
type Sample = (String, Vec<(String, String)>, String);

fn samples() -> Vec<Sample> {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    assert_eq!(vectors["secureCode"], SECRET);
    let samples = vectors["samples"].as_array().unwrap().iter().map(|sample| {
        let call = sample["call"].as_str().unwrap().split(' ').next().unwrap().to_owned();
        let values = sample["values"].as_object().unwrap().iter();
        let values = values.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect();
        (call, values, sample["signValue"].as_str().unwrap().to_owned())
    });
    samples.collect()
}

#[test]
fn all_published_samples_prove_their_caller() {
    let samples = samples();
    assert_eq!(samples.len(), 7);
    for (path, values, hash) in &samples {
        for (hash, holds) in [(hash.clone(), true), (hash.to_ascii_uppercase(), true), (hash.replace('a', "b"), false)] {
            let mut fields: Vec<(&str, &str)> = values.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            fields.push(("signValue", &hash));
            let body = fields.iter().map(|(name, value)| format!("{name}={}", value.replace(' ', "+"))).collect::<Vec<_>>().join("&");
            let headers: Vec<(String, String)> = Vec::new();
            let request = WireRequest { method: "POST", path, headers: &headers, body: body.as_bytes(), peer: None };
            let claimed = ENTRY.dialect.identify(&request).unwrap();
            assert_eq!(claimed.lookup, TERMINAL);
            let keys = cast::keys_of(&claimed).unwrap();
            assert_eq!(keys.account(), Some(ACCOUNT));
            let proved = ENTRY.dialect.authenticate(&request, &claimed, &keys);
            assert_eq!(proved, if holds { Ok(()) } else { Err(WireError::BadSignature) }, "{path}");
            assert!(ENTRY.dialect.read(&request).is_ok(), "{path}");
        }
    }
}

#[test]
fn our_client_makes_the_published_hashes() {
    let sender = Sender { account: ACCOUNT, terminal: TERMINAL, signer: &SecretSigner(SECRET), signed_time: None };
    for (path, values, hash) in samples() {
        let own = |name: &str| ["account", "terminal"].contains(&name);
        let fields: Vec<(&str, &str)> =
            values.iter().filter(|(name, _)| !own(name)).map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let request = sender.request(&path, &fields);
        assert!(String::from_utf8(request.body).unwrap().ends_with(&format!("signValue={hash}")), "{path}");
    }
    assert_eq!(value_of(b"<response><a>1</a></response>", "a").as_deref(), Some("1"));
}
