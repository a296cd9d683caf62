//! What a refund asks for, as one text: approvals are bound to it.

use sha2::{Digest as _, Sha256};

use super::Refund;

impl Refund {
    /// SHA-256, in hexadecimal, of what a reviewer approves. Every part has its name and length before it, so that no two contents make the
    /// same bytes; the counter of edits makes a content that was changed and changed back another one.
    pub fn content_hash(&self) -> String {
        let parts = [
            ("refund_id", Some(self.id.to_string())),
            ("merchant_id", Some(self.merchant_id.to_string())),
            ("payment_id", Some(self.payment_id.to_string())),
            ("amount", Some(self.amount.to_string())),
            ("marketing", Some(self.marketing.to_string())),
            ("reason", self.reason.clone()),
            ("metadata", self.metadata.clone()),
            ("notify_url", self.notify_url.clone()),
            ("edits", Some(self.edits.to_string())),
        ];
        let lines = self.sharing.iter().flat_map(|sharing| &sharing.lines);
        let lines = lines.map(|line| ("line", Some(format!("{} {} {}", line.account, line.receiver_id, line.amount_minor))));
        let advance = self.sharing.iter().filter(|sharing| sharing.advance_minor > 0);
        let advance = advance.map(|sharing| ("advance", Some(sharing.advance_minor.to_string())));
        let mut digest = Sha256::new();
        for (name, value) in parts.into_iter().chain(lines).chain(advance) {
            let text = match value {
                Some(value) => format!("{name}:{}:{value}\n", value.len()),
                None => format!("{name}:-\n"),
            };
            digest.update(text.as_bytes());
        }
        digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
