//! Whole requests as bytes, made and signed before the clock starts.

use std::path::Path;
use std::sync::Mutex;

use anyhow::Context as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::load::Prepared;
use crate::manifest::{DemoMerchant, DemoTerminal};

/// One refund to be asked for.
#[derive(Clone, Debug)]
pub struct Wish {
    /// The payment's number.
    pub payment_reference: String,
    /// Minor units.
    pub amount_minor: i64,
    /// ISO 4217.
    pub currency: String,
    /// The merchant's refund number.
    pub number: String,
}

/// Native requests with a bearer key.
pub fn native<'a>(wishes: impl Iterator<Item = (&'a DemoMerchant, &'a Wish)>) -> Prepared {
    let requests = wishes.map(|(merchant, wish)| native_request(merchant, wish)).collect();
    Prepared { requests, success_mark: "\"refund_id\"", success_status: 201 }
}

fn native_request(merchant: &DemoMerchant, wish: &Wish) -> Vec<u8> {
    let body = format!(
        r#"{{"payment_reference":"{}","amount":{{"value":{},"currency":"{}"}},"reason":"bench"}}"#,
        wish.payment_reference, wish.amount_minor, wish.currency
    );
    let head = format!(
        "POST /api/v1/refunds HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {}\r\nidempotency-key: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        merchant.api_key,
        wish.number,
        body.len()
    );
    [head.into_bytes(), body.into_bytes()].concat()
}

/// Antom requests, signed on all processors.
pub fn antom(data_dir: &Path, terminal: &DemoTerminal, wishes: &[Wish]) -> anyhow::Result<Prepared> {
    let file = data_dir.join(&terminal.merchant_private_key_file);
    let text = std::fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
    let pkcs8 = BASE64_STANDARD.decode(text.trim()).context("the merchant's key is base64")?;
    let key = RsaKeyPair::from_pkcs8(&pkcs8).context("the merchant's key is PKCS#8")?;
    let threads = std::thread::available_parallelism()?.get();
    let requests = Mutex::new(vec![Vec::new(); wishes.len()]);
    std::thread::scope(|scope| {
        for first in 0..threads {
            let (key, requests) = (&key, &requests);
            scope.spawn(move || {
                for place in (first..wishes.len()).step_by(threads) {
                    let request = antom_request(key, &terminal.client_id, &wishes[place]);
                    requests.lock().unwrap_or_else(std::sync::PoisonError::into_inner)[place] = request;
                }
            });
        }
    });
    let requests = requests.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    Ok(Prepared { requests, success_mark: "\"resultStatus\":\"S\"", success_status: 200 })
}

fn antom_request(key: &RsaKeyPair, client_id: &str, wish: &Wish) -> Vec<u8> {
    const PATH: &str = "/ams/sandbox/api/v1/payments/refund";
    const REQUEST_TIME: &str = "1795316863913";
    let body = format!(
        r#"{{"refundRequestId":"{}","paymentId":"{}","refundAmount":{{"currency":"{}","value":"{}"}}}}"#,
        wish.number, wish.payment_reference, wish.currency, wish.amount_minor
    );
    let message = format!("POST {PATH}\n{client_id}.{REQUEST_TIME}.{body}");
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature).expect("an RSA key of 2048 bits signs");
    let signature = BASE64_STANDARD.encode(signature).replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    let head = format!(
        "POST {PATH} HTTP/1.1\r\nhost: bench\r\nclient-id: {client_id}\r\nrequest-time: {REQUEST_TIME}\r\nsignature: algorithm=RSA256,keyVersion=1,signature={signature}\r\ncontent-type: application/json; charset=UTF-8\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.into_bytes(), body.into_bytes()].concat()
}

/// Oceanpayment requests for a part of a payment in a currency with two decimals, each with its `signValue`.
pub fn oceanpayment(data_dir: &Path, terminal: &DemoTerminal, wishes: &[Wish]) -> anyhow::Result<Prepared> {
    let file = data_dir.join(&terminal.secret_file);
    let secret = std::fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
    let requests = wishes.iter().map(|wish| oceanpayment_request(terminal, secret.trim(), wish)).collect();
    Ok(Prepared { requests, success_mark: "<refund_results>00<", success_status: 200 })
}

fn oceanpayment_request(terminal: &DemoTerminal, secret: &str, wish: &Wish) -> Vec<u8> {
    let (account, number, payment) = (&terminal.account, &wish.number, &wish.payment_reference);
    let amount = format!("{}.{:02}", wish.amount_minor / 100, wish.amount_minor % 100);
    let signed = format!("{account}{}{payment}{number}2{amount}bench{secret}", terminal.client_id);
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, signed.as_bytes());
    let sign_value: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let body = format!(
        "account={account}&terminal={}&payment_id={payment}&refund_number={number}&refund_type=2&refund_amount={amount}\
         &refund_description=bench&signValue={sign_value}",
        terminal.client_id
    );
    let head = format!(
        "POST /service/applyRefund HTTP/1.1\r\nhost: bench\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.into_bytes(), body.into_bytes()].concat()
}

/// Requests of a handler that does nothing: what HTTP alone costs.
pub fn empty(count: usize) -> Prepared {
    let request = b"GET /healthz HTTP/1.1\r\nhost: bench\r\n\r\n".to_vec();
    Prepared { requests: vec![request; count], success_mark: "", success_status: 200 }
}
