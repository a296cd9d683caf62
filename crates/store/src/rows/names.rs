use std::collections::BTreeMap;

use refundry_engine::credential::Credential;

/// What rows name of other rows, as text to append: each number behind a comma.
pub struct Names<K>(BTreeMap<K, String>);

impl<K: Ord + Copy> Names<K> {
    /// Of rows and the numbers that they are to name.
    pub fn of(named: impl Iterator<Item = (K, i64)>) -> Self {
        let mut names = Self(BTreeMap::new());
        for (key, number) in named {
            let text = names.0.entry(key).or_default();
            text.push(',');
            text.push_str(&number.to_string());
        }
        names
    }

    /// What one row is to name.
    pub fn take(&mut self, key: &K) -> String {
        self.0.remove(key).unwrap_or_default()
    }

    /// What no statement took yet.
    pub fn rest(self) -> BTreeMap<K, String> {
        self.0
    }
}

/// The merchant whose rows a credential belongs to; 0 for those of operators and platforms.
pub fn merchant_of(credential: &Credential) -> i64 {
    merchant_or_none(credential.holder.merchant_id())
}

/// The merchant whose row it is; 0 for what is the operator's.
pub fn merchant_or_none(merchant_id: Option<refundry_engine::MerchantId>) -> i64 {
    merchant_id.map_or(0, |id| id.get())
}
