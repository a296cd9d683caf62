use std::collections::BTreeMap;
use std::sync::Arc;

use refundry_engine::merchant::{Merchant, Terminal};
use refundry_engine::{Changes, MerchantId, Snapshot, TerminalId};

/// Merchants that are kept parsed; more are forgotten all at once.
const MERCHANTS_KEPT_MAX: usize = 20_000;

/// Merchants and terminals, parsed, each as of a version that the database is asked for with every batch: another node may have changed it.
#[derive(Default)]
pub struct Settings(BTreeMap<MerchantId, Kept>);

struct Kept {
    version: i64,
    merchant: Arc<Merchant>,
    terminals: BTreeMap<TerminalId, Arc<Terminal>>,
}

impl Settings {
    /// Forgets everything when there is too much of it: between two batches, because whatever one batch has read must stay until it is decided.
    pub fn make_room(&mut self) {
        if self.0.len() >= MERCHANTS_KEPT_MAX {
            self.0.clear();
        }
    }

    /// Keeps a merchant as of a version; its terminals are read again when it is another than before.
    pub fn keep(&mut self, version: i64, merchant: Merchant) {
        self.0.insert(merchant.id, Kept { version, merchant: Arc::new(merchant), terminals: BTreeMap::new() });
    }

    /// Keeps a terminal of a merchant that is kept.
    pub fn keep_terminal(&mut self, terminal: Terminal) {
        if let Some(kept) = self.0.get_mut(&terminal.merchant_id) {
            kept.terminals.insert(terminal.id, Arc::new(terminal));
        }
    }

    /// Whether the merchant is kept as of this version.
    pub fn is_kept(&self, id: MerchantId, version: i64) -> bool {
        self.0.get(&id).is_some_and(|kept| kept.version == version)
    }

    /// Whether the terminal is kept; its merchant's version was looked at before.
    pub fn is_terminal_kept(&self, merchant_id: MerchantId, id: TerminalId) -> bool {
        self.0.get(&merchant_id).is_some_and(|kept| kept.terminals.contains_key(&id))
    }

    /// Puts a merchant into a snapshot.
    pub fn show(&self, id: MerchantId, snapshot: &mut Snapshot) {
        snapshot.merchants.extend(self.0.get(&id).map(|kept| (id, Arc::clone(&kept.merchant))));
    }

    /// Puts a terminal into a snapshot.
    pub fn show_terminal(&self, key: (MerchantId, TerminalId), snapshot: &mut Snapshot) {
        let kept = self.0.get(&key.0).and_then(|kept| kept.terminals.get(&key.1));
        snapshot.terminals.extend(kept.map(|terminal| (key, Arc::clone(terminal))));
    }

    /// What a commit changed is read again.
    pub fn forget(&mut self, changes: &Changes) {
        let of_terminals = changes.terminals.keys().map(|(merchant_id, _)| merchant_id);
        for id in changes.merchants.keys().chain(of_terminals) {
            self.0.remove(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use refundry_engine::merchant::{Mode, Standing};
    use refundry_engine::policy::PolicyPatch;

    use super::*;

    fn merchant(number: i64) -> Merchant {
        Merchant {
            id: MerchantId::new(number),
            mode: Mode::Live,
            name: "Shop".to_owned(),
            standing: Standing::Active,
            policy: PolicyPatch::default(),
            payout_terms: Default::default(),
            account: None,
            endpoints: Vec::new(),
        }
    }

    #[test]
    fn a_batch_keeps_what_it_has_read_when_others_pass_the_limit() {
        let mut settings = Settings::default();
        let room = i64::try_from(MERCHANTS_KEPT_MAX).unwrap() - 1;
        (0..room).for_each(|number| settings.keep(1, merchant(number)));
        settings.make_room();
        let batch: Vec<i64> = (room..room + 256).chain([7]).collect();
        // 7 is kept already, so that it is not read again.
        batch[..256].iter().for_each(|number| settings.keep(1, merchant(*number)));
        let mut snapshot = Snapshot::default();
        batch.iter().for_each(|number| settings.show(MerchantId::new(*number), &mut snapshot));
        assert_eq!(snapshot.merchants.len(), batch.len(), "a merchant that is not shown is refused as unknown");
        settings.make_room();
        assert!(!settings.is_kept(MerchantId::new(7), 1), "and the next batch begins anew");
    }
}
