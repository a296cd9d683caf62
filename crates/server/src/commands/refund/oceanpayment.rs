//! `refundry refund oceanpayment`: a request as merchants' systems send it to Oceanpayment's API.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::{ArgGroup, Args};
use http::Method;
use refundry_dialects::Signer;
use refundry_dialects::oceanpayment::client::{MerchantRefund, MerchantRequest, Sender, value_of};
use refundry_service::signatures::sha256_of;
use refundry_service::world::Clock as _;
use zeroize::Zeroizing;

use super::exchange::{Exchange, Request};
use super::number_or_new;
use crate::system_clock::SystemClock;

/// As a client of Oceanpayment's API, proved by the terminal's secureCode.
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("asked").required(true).args(["payment", "query"]))]
pub struct OceanpaymentRefund {
    #[command(flatten)]
    exchange: Exchange,
    /// The account number, six digits.
    #[arg(long)]
    account: String,
    /// The terminal number, eight to twelve digits.
    #[arg(long)]
    terminal: String,
    /// File whose first line is the terminal's secureCode.
    #[arg(long)]
    secret_file: PathBuf,
    /// Prove the time of sending too, so that the request cannot be repeated by others later.
    #[arg(long)]
    signed_time: bool,
    /// The payment's number (payment_id).
    #[arg(long, requires = "amount")]
    payment: Option<String>,
    /// How much, in major units of the payment's currency, such as 4.00.
    #[arg(long)]
    amount: Option<String>,
    /// It is the whole payment (refund_type 1); otherwise a part (refund_type 2).
    #[arg(long)]
    full: bool,
    /// Why (refund_description).
    #[arg(long, default_value = "Customer request")]
    reason: String,
    /// Your number for the refund (refund_number); left out, one is made and printed. Repeat a request that got no answer with the same number.
    #[arg(long)]
    number: Option<String>,
    /// A reference of yours (refund_reference).
    #[arg(long)]
    reference: Option<String>,
    /// Ask how the refund of --refund-id or --number stands, instead of asking for one.
    #[arg(long, conflicts_with_all = ["amount", "full", "reference"])]
    query: bool,
    /// Our number of the refund, as it was answered.
    #[arg(long, requires = "query")]
    refund_id: Option<String>,
}

/// The secret that both sides know.
struct SecureCode(Zeroizing<String>);

impl Signer for SecureCode {
    fn key_version(&self) -> u32 {
        1
    }

    fn rsa_sha256(&self, _message: &[u8]) -> Vec<u8> {
        Vec::new()
    }

    fn sm2_sign(&self, _message: &[u8]) -> Option<Vec<u8>> {
        None
    }

    fn secret_sha256(&self, message: &[u8]) -> Option<[u8; 32]> {
        Some(sha256_of(&[message, self.0.as_bytes()]))
    }
}

impl OceanpaymentRefund {
    /// Sends it, and fails when the answer is not a success or not signed as it should be.
    pub fn run(self) -> anyhow::Result<()> {
        let read = std::fs::read_to_string(&self.secret_file).with_context(|| format!("read {}", self.secret_file.display()))?;
        let code = SecureCode(Zeroizing::new(Zeroizing::new(read).lines().next().unwrap_or_default().trim().to_owned()));
        let signed_time = self.signed_time.then(|| SystemClock.now());
        let sender = Sender { account: &self.account, terminal: &self.terminal, signer: &code, signed_time };
        let MerchantRequest { path, headers, body } = self.request(&sender)?;
        let answer = self.exchange.send(Request { method: Method::POST, path, headers, body })?;
        let said = |name: &str| value_of(&answer.body, name).unwrap_or_default();
        let code = if self.query { said("refund_check") } else { said("refund_results") };
        if code.is_empty() {
            bail!("this is not an answer of the dialect / 这不是该方言的应答");
        }
        // What proves nothing about its sender is answered without a signature.
        let signed = !said("signValue").is_empty();
        if signed && !std::str::from_utf8(&answer.body).is_ok_and(|document| sender.is_signed(document)) {
            bail!("the answer is NOT signed with that secureCode / 答复签名验证失败");
        }
        println!(
            "{}",
            if signed {
                "the answer's signature is right / 答复签名验证通过"
            } else {
                "the answer is not signed / 答复未签名"
            }
        );
        match code.as_str() {
            "00" => Ok(()),
            "01" | "02" if self.query => {
                println!("not ended yet; ask again later / 尚未结束，请稍后再查");
                Ok(())
            }
            other => bail!("{other} {}: refused or failed / 已拒绝或失败", said("refund_description")),
        }
    }

    fn request(&self, sender: &Sender<'_>) -> anyhow::Result<MerchantRequest> {
        if self.query {
            return match (&self.refund_id, &self.number) {
                (Some(id), _) => Ok(sender.query_by_id(id)),
                (None, Some(number)) => Ok(sender.query_by_number(number)),
                (None, None) => bail!("--refund-id or --number is missing / 缺少 --refund-id 或 --number"),
            };
        }
        let payment_reference = self.payment.as_deref().context("--payment is missing / 缺少 --payment")?;
        let amount = self.amount.as_deref().context("--amount is missing / 缺少 --amount")?;
        let number = number_or_new(self.number.as_deref());
        let wish = MerchantRefund {
            payment_reference,
            amount,
            whole: self.full,
            reason: &self.reason,
            number: Some(&number),
            reference: self.reference.as_deref(),
        };
        Ok(sender.refund(&wish))
    }
}
