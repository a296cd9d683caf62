//! `refundry refund baofoo`: a request as merchants' systems send it to Baofoo's (宝付) aggregate payments.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::{ArgGroup, Args};
use http::Method;
use refundry_dialects::baofoo::client::{GatewayAnswer, MerchantRefund, MerchantRequest, Sender, read_answer};
use refundry_dialects::{Signer, scheme};
use refundry_service::signatures::{RsaSigner, RsaVerifier, Sm2Signer, Sm2Verifier};
use refundry_service::world::Clock as _;

use super::exchange::{Exchange, Request};
use super::number_or_new;
use crate::system_clock::SystemClock;

/// As a client of Baofoo's aggregate payments, signed with RSA or SM2.
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("asked").required(true).args(["payment", "order", "query"]))]
pub struct BaofooRefund {
    #[command(flatten)]
    exchange: Exchange,
    /// The merchant's number (merId).
    #[arg(long)]
    account: String,
    /// The terminal's number (terId).
    #[arg(long)]
    terminal: String,
    /// File with the merchant's private key: RSA as PEM or base64 of PKCS#8, SM2 as hexadecimal digits or PEM.
    #[arg(long)]
    private_key: PathBuf,
    /// The keys are SM2 keys.
    #[arg(long)]
    sm2: bool,
    /// File with the platform's public key: checks the signature of the answer.
    #[arg(long)]
    our_public_key: PathBuf,
    /// The payment's number (originTradeNo).
    #[arg(long, requires = "amount")]
    payment: Option<String>,
    /// The payment's order number (originOutTradeNo).
    #[arg(long, requires = "amount")]
    order: Option<String>,
    /// How much the shopper gets, in fen (refundAmt).
    #[arg(long)]
    amount: Option<i64>,
    /// What goes back to the merchant's marketing, in fen (mktAmt).
    #[arg(long, default_value_t = 0)]
    marketing: i64,
    /// What a receiver gives back, in fen, such as 100001=1200; as often as there are receivers (sharingRefundInfo).
    #[arg(long = "share")]
    shares: Vec<String>,
    /// What the merchant pays in the receivers' place, in fen (advanceAmt).
    #[arg(long, default_value_t = 0)]
    advance: i64,
    /// Why (refundReason).
    #[arg(long, default_value = "Customer request")]
    reason: String,
    /// Where the refund's end is announced (notifyUrl).
    #[arg(long)]
    notify_url: Option<String>,
    /// Your number for the refund (outTradeNo); left out, one is made and printed. Repeat a request that got no answer with the same number.
    #[arg(long)]
    number: Option<String>,
    /// Ask how the refund of --number stands, instead of asking for one.
    #[arg(long, requires = "number", conflicts_with_all = ["amount", "shares", "notify_url"])]
    query: bool,
}

enum MerchantKey {
    Rsa(RsaSigner),
    Sm2(Sm2Signer),
}

impl Signer for MerchantKey {
    fn key_version(&self) -> u32 {
        1
    }

    fn rsa_sha256(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Rsa(signer) => signer.sign(message),
            Self::Sm2(_) => Vec::new(),
        }
    }

    fn sm2_sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Rsa(_) => None,
            Self::Sm2(signer) => Some(signer.sign(message)),
        }
    }

    fn secret_sha256(&self, _message: &[u8]) -> Option<[u8; 32]> {
        None
    }
}

impl BaofooRefund {
    /// Sends it, and fails when the answer is not a success or not signed as it should be.
    pub fn run(self) -> anyhow::Result<()> {
        let (private, public) = (text(&self.private_key)?, text(&self.our_public_key)?);
        let key = if self.sm2 { MerchantKey::Sm2(Sm2Signer::parse(&private)?) } else { MerchantKey::Rsa(RsaSigner::parse(&private)?) };
        let scheme = if self.sm2 { scheme::SM2 } else { scheme::RSA };
        let now = SystemClock.now();
        let sender = Sender { account: &self.account, terminal: &self.terminal, agent: None, signer: &key, scheme, now };
        let MerchantRequest { path, headers, body } = self.request(&sender)?;
        let answer = self.exchange.send(Request { method: Method::POST, path: path.to_owned(), headers, body })?;
        let said = if self.sm2 {
            let verifier = Sm2Verifier::parse(&public)?;
            read_answer(&answer.body, |message, signature| verifier.verify(message, signature))
        } else {
            let verifier = RsaVerifier::parse(&public)?;
            read_answer(&answer.body, |message, signature| verifier.verify(message, signature))
        };
        match said {
            GatewayAnswer::Unproved => bail!("the answer is NOT signed with that key / 答复签名验证失败"),
            GatewayAnswer::Failed(why) => bail!("{why}: refused before it was read / 请求未被受理"),
            GatewayAnswer::Answered(content) => {
                println!("the answer's signature is right / 答复签名验证通过\n{}", serde_json::to_string_pretty(&content)?);
                match content["errCode"].as_str() {
                    None => Ok(()),
                    Some(code) => bail!("{code} {}: refused or failed / 已拒绝或失败", content["errMsg"].as_str().unwrap_or_default()),
                }
            }
        }
    }

    fn request(&self, sender: &Sender<'_>) -> anyhow::Result<MerchantRequest> {
        if self.query {
            return Ok(sender.refund_query(self.number.as_deref().unwrap_or_default()));
        }
        let number = number_or_new(self.number.as_deref());
        let shares: anyhow::Result<Vec<(&str, i64)>> = self.shares.iter().map(|share| fen_of(share)).collect();
        Ok(sender.refund(&MerchantRefund {
            number: &number,
            payment_reference: self.payment.as_deref(),
            order_number: self.order.as_deref(),
            amount_fen: self.amount.context("--amount is missing / 缺少 --amount")?,
            marketing_fen: self.marketing,
            shares: shares?,
            advance_fen: self.advance,
            reason: &self.reason,
            notify_url: self.notify_url.as_deref(),
        }))
    }
}

fn fen_of(share: &str) -> anyhow::Result<(&str, i64)> {
    let (account, fen) = share.split_once('=').with_context(|| format!("{share:?} is not such as 100001=1200 / 应为“商户号=分”"))?;
    Ok((account, fen.parse().with_context(|| format!("{fen:?} is no number of fen / 不是以分为单位的整数"))?))
}

fn text(file: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("read {}", file.display()))
}
