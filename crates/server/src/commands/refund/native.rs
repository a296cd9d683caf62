//! `refundry refund native`: a request over the native API.

use anyhow::bail;
use clap::Args;
use http::{Method, header};
use refundry_engine::MerchantId;
use serde_json::{Map, Value, json};
use url::form_urlencoded::Serializer;

use super::Wish;
use super::exchange::{Exchange, Request};
use crate::call::IDEMPOTENCY_KEY;

/// Over the native API, with an API key.
#[derive(Args, Debug)]
pub struct NativeRefund {
    #[command(flatten)]
    exchange: Exchange,
    /// The API key.
    #[arg(long)]
    key: String,
    /// Whose payment it is, for keys that act for more than one merchant.
    #[arg(long)]
    merchant: Option<MerchantId>,
    /// Say whether it would be accepted, and change nothing.
    #[arg(long, conflicts_with = "inquiry")]
    dry_run: bool,
    #[command(flatten)]
    wish: Wish,
}

impl NativeRefund {
    /// Sends it, and fails when the answer is not a success.
    pub fn run(self) -> anyhow::Result<()> {
        let mut headers = vec![(header::AUTHORIZATION.as_str(), format!("Bearer {}", self.key))];
        let number = self.wish.number();
        let request = if self.wish.inquiry {
            let mut query = Serializer::new(String::new());
            query.append_pair("number", &number);
            if let Some(merchant) = self.merchant {
                query.append_pair("merchant_id", &merchant.to_string());
            }
            Request { method: Method::GET, path: format!("/api/v1/refunds?{}", query.finish()), headers, body: Vec::new() }
        } else {
            headers.push((IDEMPOTENCY_KEY, number));
            headers.push((header::CONTENT_TYPE.as_str(), "application/json".to_owned()));
            let path = if self.dry_run { "/api/v1/refunds/dry-run" } else { "/api/v1/refunds" };
            Request { method: Method::POST, path: path.to_owned(), headers, body: serde_json::to_vec(&self.body()?)? }
        };
        let inquiry = self.wish.inquiry;
        let answer = self.exchange.send(request)?;
        if !answer.status.is_success() {
            bail!("{}: not done / 未执行", answer.status);
        }
        let found: Value = serde_json::from_slice(&answer.body)?;
        if inquiry && found["items"].as_array().is_some_and(Vec::is_empty) {
            bail!("there is no refund of this number / 没有该单号的退款");
        }
        Ok(())
    }

    fn body(&self) -> anyhow::Result<Map<String, Value>> {
        let amount = self.wish.amount()?;
        let mut body = Map::new();
        body.insert("payment_reference".to_owned(), self.wish.payment()?.into());
        body.insert("amount".to_owned(), json!({ "value": amount.minor(), "currency": amount.currency().code() }));
        let merchant = self.merchant.map(|merchant| merchant.to_string());
        for (name, value) in [("reason", &self.wish.reason), ("notify_url", &self.wish.notify_url), ("merchant_id", &merchant)] {
            if let Some(value) = value {
                body.insert(name.to_owned(), value.as_str().into());
            }
        }
        Ok(body)
    }
}
