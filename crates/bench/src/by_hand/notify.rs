//! Notifications as Standard Webhooks, signed and posted over kept-alive connections.

use anyhow::{Context as _, bail};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::answer::time_text;
use super::ids::id_text;
use crate::client::Connection;

/// What is told.
pub struct News<'a> {
    /// The notification.
    pub notification_id: i64,
    /// Of which merchant.
    pub merchant_id: i64,
    /// The event's number.
    pub sequence: i64,
    /// When it happened.
    pub at: i64,
    /// The refund.
    pub refund_id: i64,
    /// The payment.
    pub payment_id: i64,
    /// What the event says.
    pub facts: &'a [(&'a str, &'a str)],
}

/// One sender with a connection of its own.
pub struct Sender {
    key: hmac::Key,
    open: Option<(String, Connection)>,
}

impl Default for Sender {
    fn default() -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]), open: None }
    }
}

impl Sender {
    /// Posts it; any answer but a success is an error.
    pub async fn post(&mut self, url: &str, news: &News<'_>) -> anyhow::Result<u16> {
        let address = url.strip_prefix("http://").with_context(|| format!("{url} is not plain HTTP"))?;
        let (address, path) = address.split_once('/').unwrap_or((address, ""));
        let request = self.request(address, path, news)?;
        let mut connection = match self.open.take() {
            Some((known, connection)) if known == address => connection,
            Some(_) | None => Connection::open(address).await?,
        };
        let answer = connection.call(&request).await?;
        self.open = Some((address.to_owned(), connection));
        if answer.status >= 300 {
            bail!("{url} answered {}", answer.status);
        }
        Ok(answer.status)
    }

    fn request(&self, address: &str, path: &str, news: &News<'_>) -> anyhow::Result<Vec<u8>> {
        let facts: serde_json::Map<String, serde_json::Value> =
            news.facts.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
        let body = serde_json::to_string(&serde_json::json!({
            "type": "refund.succeeded",
            "timestamp": time_text(news.at),
            "data": {
                "sequence": news.sequence,
                "merchant_id": id_text("mer", news.merchant_id),
                "actor": "acquirer",
                "payment_id": id_text("pay", news.payment_id),
                "refund_id": id_text("ref", news.refund_id),
                "facts": facts,
            },
        }))?;
        let (id, seconds) = (id_text("ntf", news.notification_id), news.at / 1_000_000);
        let signature = BASE64_STANDARD.encode(hmac::sign(&self.key, format!("{id}.{seconds}.{body}").as_bytes()));
        let head = format!(
            "POST /{path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\nwebhook-id: {id}\r\nwebhook-timestamp: {seconds}\r\nwebhook-signature: v1,{signature}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        Ok([head.into_bytes(), body.into_bytes()].concat())
    }
}
