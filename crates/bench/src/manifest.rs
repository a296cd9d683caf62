//! What `refundry demo` says about the data that it made: `demo.json` in its data directory.

use std::path::Path;

use anyhow::Context as _;
use serde::Deserialize;

/// The whole file.
#[derive(Clone, Debug, Deserialize)]
pub struct Manifest {
    /// An operator's key.
    pub operator_key: String,
    /// The merchants.
    pub merchants: Vec<DemoMerchant>,
}

/// A merchant with its payments.
#[derive(Clone, Debug, Deserialize)]
pub struct DemoMerchant {
    /// Our id.
    pub merchant_id: String,
    /// A native API key of the merchant.
    pub api_key: String,
    /// Its terminals.
    pub terminals: Vec<DemoTerminal>,
    /// Its captured payments.
    pub payments: DemoPayments,
}

/// A terminal with its credentials.
#[derive(Clone, Debug, Deserialize)]
pub struct DemoTerminal {
    /// Our id.
    pub terminal_id: String,
    /// What it speaks.
    pub dialect: String,
    /// The dialect's name for it.
    #[serde(default)]
    pub client_id: String,
    /// The file with the merchant's private key, beside the manifest.
    #[serde(default)]
    pub merchant_private_key_file: String,
    /// The account number that belongs to it, where the dialect names one.
    #[serde(default)]
    pub account: String,
    /// The file with the secret that both sides know, beside the manifest.
    #[serde(default)]
    pub secret_file: String,
    /// Whether its answers wait for the acquirer.
    #[serde(default)]
    pub synchronous: bool,
}

/// Payments with numbers that follow from one another: `prefix` and eight digits.
#[derive(Clone, Debug, Deserialize)]
pub struct DemoPayments {
    /// What the references begin with.
    pub reference_prefix: String,
    /// How many there are, counted from 0; the newest have the highest numbers.
    pub count: u64,
    /// Their currency.
    pub currency: String,
    /// What each captured, in minor units.
    pub amount_minor: i64,
}

impl DemoPayments {
    /// The reference of a payment.
    pub fn reference(&self, number: u64) -> String {
        format!("{}{number:08}", self.reference_prefix)
    }
}

/// Reads the file of a data directory.
pub fn read(data_dir: &Path) -> anyhow::Result<Manifest> {
    let file = data_dir.join("demo.json");
    let text = std::fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is not what `refundry demo` writes", file.display()))
}
