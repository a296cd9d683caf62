//! The demo's marketplace: a merchant that speaks Baofoo and shares each payment's money with two others.

use anyhow::Context as _;
use refundry_dialects::baofoo;
use refundry_engine::credential::Holder;
use refundry_engine::payment::{PaymentDetails, PaymentKey, PaymentStatus};
use refundry_engine::policy::PolicyPatch;
use refundry_engine::share::FeeMode;
use refundry_engine::{MerchantId, TerminalId};
use refundry_ledger::{Currency, Money};
use refundry_service::credentials::{self, NewCredential, NewKey};
use refundry_service::merchants::{self, NewMerchant};
use refundry_service::payments::{self, NewPayment, NewSharing};
use refundry_service::receivers::NamedLine;
use refundry_service::refunds::NATIVE;
use refundry_service::shares::{self, NewShare};
use refundry_service::terminals::{self, NewTerminal};
use refundry_service::{Caller, Service};
use serde::{Deserialize, Serialize};

use super::directory::Directory;

/// The marketplace's number, and its terminal's.
const ACCOUNT: &str = "100000";
const TERMINAL: &str = "200000";
/// Who gets how much of each payment, in fen.
const RECEIVERS: [(&str, &str, i64); 2] = [("100001", "茶铺 Tea House", 3_000), ("100002", "陶坊 Pottery", 2_000)];
/// What each payment took, in fen.
const AMOUNT_FEN: i64 = 10_000;
/// How many payments there are.
const PAYMENTS: u64 = 20;
/// What their numbers begin with.
const REFERENCE_PREFIX: &str = "2601011907410100";

/// The marketplace of a demo.
#[derive(Debug, Deserialize, Serialize)]
pub struct DemoMarket {
    /// Our id.
    pub merchant_id: String,
    /// `merId`.
    pub account: String,
    /// `terId`.
    pub terminal: String,
    /// The merchant's private key.
    pub merchant_private_key_file: String,
    /// Our public key.
    pub gateway_public_key_file: String,
    /// Those who got a part of each payment.
    pub receivers: Vec<String>,
    /// The number of the newest payment.
    pub newest_payment: String,
}

/// Makes all of it. The shares are carried out as soon as the demo is served.
pub async fn make(service: &Service, directory: &Directory, operator: &Caller) -> anyhow::Result<DemoMarket> {
    let merchant = |name: &str, account: &str| NewMerchant {
        name: name.to_owned(),
        account: Some(account.to_owned()),
        policy: PolicyPatch::default(),
    };
    let market = merchants::create(service, operator, merchant("集市 Market", ACCOUNT)).await?;
    for (account, name, _) in RECEIVERS {
        merchants::create(service, operator, merchant(name, account)).await?;
    }
    let new = NewTerminal {
        merchant_id: Some(market.id),
        name: "宝付 Baofoo".to_owned(),
        dialect: baofoo::NAME.to_owned(),
        acquirer: None,
        policy: PolicyPatch::default(),
        method_policies: std::collections::BTreeMap::new(),
        notify_url: None,
        wire: Default::default(),
    };
    let terminal = terminals::create(service, operator, new).await?;
    let new = NewCredential {
        holder: Holder::Terminal { merchant_id: market.id, terminal_id: terminal.id },
        dialect: baofoo::NAME.to_owned(),
        key: NewKey::BothPairs,
        lookup: Some(baofoo::lookup(ACCOUNT, TERMINAL)),
        permissions: None,
        name: "集市 baofoo".to_owned(),
        person_id: None,
        expires_at: None,
    };
    let issued = credentials::issue(service, operator, new).await?;
    let private = issued.private_key.context("a private key is shown when it is made")?;
    for number in 0..PAYMENTS {
        share(service, operator, (market.id, terminal.id), number).await?;
    }
    Ok(DemoMarket {
        merchant_id: market.id.to_string(),
        account: ACCOUNT.to_owned(),
        terminal: TERMINAL.to_owned(),
        merchant_private_key_file: directory.write_key("baofoo.merchant.pkcs8.b64", &private)?,
        gateway_public_key_file: directory.write_key("baofoo.gateway.spki.b64", &issued.credential.public_key)?,
        receivers: RECEIVERS.map(|(account, ..)| account.to_owned()).to_vec(),
        newest_payment: reference_of(PAYMENTS - 1),
    })
}

fn reference_of(number: u64) -> String {
    format!("{REFERENCE_PREFIX}{number:08}")
}

async fn share(service: &Service, operator: &Caller, (merchant, terminal): (MerchantId, TerminalId), number: u64) -> anyhow::Result<()> {
    let yuan: Currency = "CNY".parse()?;
    let amount = Money::new(AMOUNT_FEN, yuan);
    let new = NewPayment {
        merchant_id: Some(merchant),
        terminal_id: Some(terminal),
        payment_reference: reference_of(number),
        merchant_reference: format!("MARKET{number}"),
        method: "WECHAT_JSGZH".to_owned(),
        status: PaymentStatus::Captured,
        paid_at: service.world.now(),
        authorised: amount,
        captured: amount,
        marketing: None,
        fee: None,
        reserved: None,
        quote: None,
        notify_url: None,
        sharing: Some(NewSharing { fee_mode: FeeMode::FromAccount, plan: Vec::new() }),
        details: PaymentDetails::default(),
    };
    let payment = payments::record(service, operator, new).await?.payment;
    let line = |(account, _, fen): (&str, &str, i64)| NamedLine { receiver: account.to_owned(), amount: Money::new(fen, yuan) };
    let new = NewShare {
        merchant_id: Some(merchant),
        payment: PaymentKey::Id(payment.id),
        number: format!("MARKET{number}"),
        compared: Vec::new(),
        lines: RECEIVERS.map(line).to_vec(),
        due_at: None,
        notify_url: None,
        asked_at_text: None,
    };
    shares::create(service, operator, NATIVE, new).await?;
    Ok(())
}
