//! `refundry refund antom`: a request as the vendor's clients make it.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use http::Method;
use refundry_dialects::Signer;
use refundry_dialects::antom::client::{self, MerchantRefund, Sender};
use refundry_service::signatures::{RsaSigner, RsaVerifier};
use refundry_service::world::Clock as _;

use super::Wish;
use super::exchange::{Answer, Exchange, Request};
use crate::system_clock::SystemClock;

/// As a client of Antom's API, signed with RSA.
#[derive(Args, Debug)]
pub struct AntomRefund {
    #[command(flatten)]
    exchange: Exchange,
    /// The terminal's client id; one that begins with SANDBOX_ calls the sandbox paths.
    #[arg(long)]
    client_id: String,
    /// File with the merchant's private key: base64 of PKCS#8 or PKCS#1, or PEM.
    #[arg(long)]
    private_key: PathBuf,
    /// Version of that key, as the platform numbers it.
    #[arg(long, default_value_t = 1)]
    key_version: u32,
    /// File with the platform's public key: checks the signature of the answer.
    #[arg(long)]
    our_public_key: Option<PathBuf>,
    #[command(flatten)]
    wish: Wish,
}

struct MerchantKey {
    signer: RsaSigner,
    version: u32,
}

impl Signer for MerchantKey {
    fn sm2_sign(&self, _message: &[u8]) -> Option<Vec<u8>> {
        None
    }

    fn secret_sha256(&self, _message: &[u8]) -> Option<[u8; 32]> {
        None
    }

    fn key_version(&self) -> u32 {
        self.version
    }

    fn rsa_sha256(&self, message: &[u8]) -> Vec<u8> {
        self.signer.sign(message)
    }
}

impl AntomRefund {
    /// Sends it, and fails when the answer is not a success or not signed as it should be.
    pub fn run(self) -> anyhow::Result<()> {
        let signer = RsaSigner::parse(&text(&self.private_key)?).with_context(|| self.private_key.display().to_string())?;
        let key = MerchantKey { signer, version: self.key_version };
        let verifier = match &self.our_public_key {
            Some(file) => Some(RsaVerifier::parse(&text(file)?).with_context(|| file.display().to_string())?),
            None => None,
        };
        let sender = Sender { client_id: &self.client_id, signer: &key, now: SystemClock.now() };
        let request = if self.wish.inquiry {
            sender.inquiry(&self.wish.number())
        } else {
            let (payment_reference, amount) = (self.wish.payment()?, self.wish.amount()?);
            let (reason, notify_url) = (self.wish.reason.as_deref(), self.wish.notify_url.as_deref());
            sender.refund(&MerchantRefund { number: &self.wish.number(), payment_reference, amount, reason, notify_url })
        };
        let path = request.path;
        let (headers, body) = (request.headers, request.body);
        let answer = self.exchange.send(Request { method: Method::POST, path: path.to_owned(), headers, body })?;
        if let Some(verifier) = verifier {
            check_signature(path, &answer, &verifier)?;
        }
        match client::result_of(&answer.body) {
            Some((status, _)) if status == "S" => Ok(()),
            Some((status, code)) if status == "U" => {
                bail!(
                    "{code}: not decided yet; ask again with --inquiry --number, or repeat with the same number / 尚无结果：请用 --inquiry --number 查询，或用同一单号重试"
                )
            }
            Some((_, code)) => bail!("{code}: refused / 已拒绝"),
            None => bail!("this is not an answer of the dialect / 这不是该方言的应答"),
        }
    }
}

fn check_signature(path: &str, answer: &Answer, verifier: &RsaVerifier) -> anyhow::Result<()> {
    let verify = |message: &[u8], signature: &[u8]| verifier.verify(message, signature);
    if !client::answer_is_signed(path, |name| answer.header(name), &answer.body, verify) {
        bail!("the answer is NOT signed with that key / 答复签名验证失败");
    }
    println!("the answer's signature is right / 答复签名验证通过");
    Ok(())
}

fn text(file: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("read {}", file.display()))
}
