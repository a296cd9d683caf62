//! Sharing on the desk: receivers, shares, and what must hold of both after every command.

use std::collections::BTreeMap;
use std::sync::Arc;

use refundry_engine::chart::{ADVANCES, ADVANCES_CLAIMED, AVAILABLE, OPERATOR_CASH, SHARES_DUE};
use refundry_engine::command::{CancelShare, CreateShare, FinishShare, RecoverAdvance, StartShare};
use refundry_engine::idempotency::IdempotencyKey;
use refundry_engine::merchant::Merchant;
use refundry_engine::payment::{Payment, PaymentKey};
use refundry_engine::refund::Refund;
use refundry_engine::share::{ADVANCE_SCOPE, AskedLine, SHARE_SCOPE, Share, ShareState};
use refundry_engine::task::TaskKind;
use refundry_engine::verdict::{BookedEntry, Changes};
use refundry_engine::{Act, Actor, EntryId, MerchantId, Mode, Outcome, PaymentId, ShareId, TaskId, Timestamp};
use refundry_ledger::{Currency, Entry, Money, Posting};

use super::{Desk, MERCHANT, key, one_of_the_merchant};

/// The merchant whom a capital letter stands for; its account number is the letter.
pub const fn receiver(letter: char) -> MerchantId {
    MerchantId::new(1_000 + letter as i64)
}

/// A line for a letter. Whoever was never made a receiver is nobody's account.
pub fn line(desk: &Desk, letter: char, amount: Money) -> AskedLine {
    let known = desk.snapshot.merchants.contains_key(&receiver(letter)).then(|| receiver(letter));
    AskedLine { account: letter.to_string(), receiver_id: if letter == 'Z' { Some(MERCHANT) } else { known }, amount }
}

impl Desk {
    /// Another merchant, that can be a receiver.
    pub fn open_receiver(&mut self, letter: char, mode: Mode) {
        let merchant = Merchant { id: receiver(letter), mode, name: letter.to_string(), ..self.merchant().clone() };
        self.snapshot.merchants.insert(merchant.id, Arc::new(merchant));
    }

    /// A merchant's available money goes elsewhere.
    pub fn spend(&mut self, merchant_id: MerchantId, amount: Money) {
        self.book_directly("other_item", Posting { book: merchant_id, debit: AVAILABLE, credit: OPERATOR_CASH, amount });
    }

    /// A merchant has more available money.
    pub fn earn(&mut self, merchant_id: MerchantId, amount: Money) {
        self.book_directly("topped_up", Posting { book: merchant_id, debit: OPERATOR_CASH, credit: AVAILABLE, amount });
    }

    fn book_directly(&mut self, cause: &'static str, posting: Posting<MerchantId>) {
        let entry = Entry::new(vec![posting]).unwrap();
        let (id, periods) = (EntryId::new(0), Vec::new());
        let booked = BookedEntry { id, at: self.now, cause, payment_id: None, refund_id: None, periods, entry };
        self.snapshot.absorb(&Changes { entries: vec![booked.clone()], ..Changes::default() });
        self.entries.push(booked);
    }

    pub fn share(&self, id: ShareId) -> &Share {
        &self.snapshot.shares[&(MERCHANT, id)]
    }

    pub fn share_out(
        &mut self,
        number: &str,
        share_id: ShareId,
        payment_id: PaymentId,
        (lines, due_at): (Vec<AskedLine>, Option<Timestamp>),
    ) -> Outcome {
        // What the store counts for a payment that does not count it itself.
        let open = self.snapshot.refunds.values().filter(|refund| refund.payment_id == payment_id && !refund.state.is_final()).count();
        self.snapshot.open_refunds.insert((MERCHANT, payment_id), u32::try_from(open).unwrap());
        let compared = lines.iter().map(|line| (line.account.clone(), line.amount.to_string())).collect();
        let act = CreateShare {
            share_id,
            merchant_id: MERCHANT,
            terminal_id: None,
            mode: Mode::Live,
            payment: PaymentKey::Id(payment_id),
            key: IdempotencyKey { scope: SHARE_SCOPE.to_owned(), ..key("native", number) },
            compared,
            lines,
            due_at,
            notify_url: Some("https://shop.example/shares".to_owned()),
            asked_at_text: None,
        };
        self.carry_out(one_of_the_merchant("shop"), Act::CreateShare(Box::new(act)))
    }

    pub fn start_share(&mut self, share_id: ShareId) -> Outcome {
        self.carry_out(Actor::System, Act::StartShare(StartShare { merchant_id: MERCHANT, share_id }))
    }

    pub fn finish_share(&mut self, share_id: ShareId, succeeds: bool) -> Outcome {
        let note = if succeeds { String::new() } else { "no".to_owned() };
        self.carry_out(Actor::System, Act::FinishShare(FinishShare { merchant_id: MERCHANT, mode: None, share_id, succeeds, note }))
    }

    pub fn cancel_share(&mut self, share_id: ShareId) -> Outcome {
        let act = CancelShare { merchant_id: MERCHANT, mode: Mode::Live, share_id };
        self.carry_out(one_of_the_merchant("shop"), Act::CancelShare(act))
    }

    pub fn recover(&mut self, payment_id: PaymentId, letter: char, amount: Money, number: &str) -> Outcome {
        let key = IdempotencyKey { scope: ADVANCE_SCOPE.to_owned(), ..key("native", number) };
        let act = RecoverAdvance { merchant_id: MERCHANT, mode: Mode::Live, payment_id, receiver_id: receiver(letter), amount, key };
        self.carry_out(one_of_the_merchant("shop"), Act::RecoverAdvance(act))
    }
}

pub fn check(desk: &Desk) {
    let mut due: BTreeMap<Currency, i64> = BTreeMap::new();
    for ((_, currency, account), minor) in desk.snapshot.balances.iter() {
        if account == SHARES_DUE {
            *due.entry(currency).or_default() += minor;
        }
    }
    assert!(due.values().all(|sum| *sum == 0), "what one gives another gets: {due:?}");
    for payment in desk.snapshot.payments.values() {
        check_payment(desk, payment);
    }
    check_advances(desk);
    for share in desk.snapshot.shares.values() {
        let task = desk.tasks.get(&(MERCHANT, TaskId::new(share.id.get()))).map(|task| task.kind);
        let expected = match &share.state {
            ShareState::Planned { .. } => Some(TaskKind::StartShare),
            ShareState::Running => Some(TaskKind::FinishShare),
            ShareState::Succeeded { .. } | ShareState::Cancelled { .. } | ShareState::Failed { .. } => None,
        };
        assert_eq!(task, expected, "a share has the step that its state wants: {share:?}");
    }
}

/// The running sums are what the shares and refunds say, and nobody gives back more than it got.
fn check_payment(desk: &Desk, payment: &Payment) {
    let Some(sharing) = &payment.sharing else { return };
    let shares = || desk.snapshot.shares.values().filter(|share| share.payment_id == payment.id);
    let refunds = || desk.snapshot.refunds.values().filter(|refund| refund.payment_id == payment.id);
    let succeeded = |share: &&Share| matches!(share.state, ShareState::Succeeded { .. });
    let counted = || refunds().filter(|refund| refund.state.counts());
    let of_lines = |refund: &Refund, id: MerchantId| {
        let lines = refund.sharing.iter().flat_map(|of| of.lines.iter());
        lines.filter(|line| line.receiver_id == id).map(|line| line.amount_minor).sum::<i64>()
    };
    for (id, part) in &sharing.receivers {
        let lines = shares().filter(succeeded).flat_map(|share| share.lines.iter()).filter(|line| line.receiver_id == *id);
        assert_eq!(part.shared_minor, lines.map(|line| line.amount.minor()).sum::<i64>(), "what a receiver got");
        let returned: i64 = counted().map(|refund| of_lines(refund, *id)).sum();
        assert_eq!(part.returned_minor, returned + part.recovered_minor, "what a receiver gave back");
        assert!((0..=part.shared_minor).contains(&part.returned_minor), "never more than it got: {part:?}");
        assert!(part.unsettled_minor >= 0 && (!payment.settled || part.unsettled_minor == 0), "{part:?}");
    }
    let parts = || counted().filter_map(|refund| refund.sharing.as_ref());
    let recovered: i64 = sharing.receivers.values().map(|part| part.recovered_minor).sum();
    assert_eq!(sharing.advanced_minor + recovered, parts().map(|of| of.advance_minor).sum::<i64>(), "what was advanced");
    assert!(sharing.advanced_minor >= 0 && sharing.returnable_minor() >= 0);
    let before_shares: i64 =
        counted().filter(|refund| refund.sharing.is_none()).map(|refund| refund.user_part().minor() - refund.fee_given_back.minor()).sum();
    assert_eq!(sharing.from_unshared_minor, parts().map(|of| of.from_unshared_minor).sum::<i64>() + before_shares);
    let open = refunds().filter(|refund| refund.sharing.is_some() && !refund.state.is_final()).count();
    assert_eq!(sharing.open_refunds as usize, open, "open refunds are counted");
    let in_state =
        |wanted: fn(&ShareState) -> bool| shares().filter(|share| wanted(&share.state)).map(|share| share.id).collect::<Vec<_>>();
    assert_eq!(sharing.running.iter().map(|(id, _)| *id).collect::<Vec<_>>(), in_state(|state| matches!(state, ShareState::Running)));
    let mut planned = sharing.planned.clone();
    planned.sort();
    assert_eq!(planned, in_state(|state| matches!(state, ShareState::Planned { .. })));
    assert!(sharing.running.is_empty() || open == 0, "shares and refunds exclude each other");
    if payment.refundable().is_zero() && payment.charged_back.is_zero() && before_shares == 0 && sharing.running.is_empty() {
        assert_eq!(payment.unshared().minor(), 0, "nothing is left unshared at the end");
        assert_eq!(sharing.returnable_minor(), 0, "every share is returned or advanced at the end");
    }
}

/// The memorandum says what receivers owe.
fn check_advances(desk: &Desk) {
    let mut owed: BTreeMap<Currency, i64> = BTreeMap::new();
    for refund in desk.snapshot.refunds.values().filter(|refund| refund.state.counts() && refund.drawn.is_some()) {
        let advance: i64 = refund.sharing.iter().map(|of| of.advance_minor).sum();
        *owed.entry(refund.amount.currency()).or_default() += advance;
    }
    for payment in desk.snapshot.payments.values() {
        let recovered: i64 = payment.sharing.iter().flat_map(|sharing| sharing.receivers.values()).map(|part| part.recovered_minor).sum();
        *owed.entry(payment.currency()).or_default() -= recovered;
    }
    for (currency, minor) in owed {
        assert_eq!(desk.snapshot.balances.of(MERCHANT, ADVANCES_CLAIMED, currency), minor, "what receivers owe");
        assert_eq!(desk.snapshot.balances.of(MERCHANT, ADVANCES, currency), -minor);
    }
}
