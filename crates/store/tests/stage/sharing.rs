//! Givers and receivers on the stage.

use refundry_engine::command::{Act, Command, CreateShare, FinishShare};
use refundry_engine::idempotency::IdempotencyKey;
use refundry_engine::merchant::Mode;
use refundry_engine::payment::{Payment, PaymentKey};
use refundry_engine::share::{AskedLine, AskedLines, AskedSharing, SHARE_SCOPE, Share};
use refundry_engine::{MerchantId, Outcome, ShareId, Timestamp};

use super::{Stage, euro, stamp_id};

/// Who gets or gives back how many cents.
pub fn lines(of: &[(MerchantId, i64)]) -> Vec<AskedLine> {
    let line = |(id, minor): &(MerchantId, i64)| AskedLine { account: id.get().to_string(), receiver_id: Some(*id), amount: euro(*minor) };
    of.iter().map(line).collect()
}

impl Stage {
    /// What asks for a payment's money to be shared.
    pub fn asked_share(&self, payment: &Payment, number: &str, of: &[(MerchantId, i64)], due_at: Option<Timestamp>) -> CreateShare {
        let (merchant_id, number, dialect) = (payment.merchant_id, number.to_owned(), "native".to_owned());
        CreateShare {
            share_id: ShareId::new(stamp_id(&self.stamp())),
            merchant_id,
            terminal_id: None,
            mode: Mode::Live,
            payment: PaymentKey::Reference(payment.payment_reference.clone()),
            key: IdempotencyKey { merchant_id, number, dialect, scope: SHARE_SCOPE.to_owned() },
            compared: Vec::new(),
            lines: lines(of),
            due_at,
            notify_url: None,
            asked_at_text: None,
        }
    }

    /// It is accepted, to be carried out later.
    pub fn share(&self, payment: &Payment, number: &str, of: &[(MerchantId, i64)], due_at: Option<Timestamp>) -> Share {
        share_of(self.must(Act::CreateShare(Box::new(self.asked_share(payment, number, of, due_at)))))
    }

    /// It is accepted, and its receivers have their money.
    pub fn shared(&self, payment: &Payment, number: &str, of: &[(MerchantId, i64)]) -> Share {
        let share = self.share(payment, number, of, None);
        share_of(self.must(Act::FinishShare(finish(&share))))
    }

    /// A refund that receivers give something back for.
    pub fn ask_back(&self, payment: &Payment, number: &str, minor: i64, (of, advance): (&[(MerchantId, i64)], i64)) -> Command {
        let mut act = self.ask(payment, number, minor);
        let advance = (advance > 0).then(|| euro(advance));
        act.sharing = Some(Box::new(AskedSharing { lines: AskedLines::Named(lines(of)), advance }));
        self.command(Act::CreateRefund(Box::new(act)))
    }
}

/// What ends a running share well.
pub fn finish(share: &Share) -> FinishShare {
    FinishShare { merchant_id: share.merchant_id, mode: None, share_id: share.id, succeeds: true, note: String::new() }
}

/// The share of an outcome.
pub fn share_of(outcome: Outcome) -> Share {
    match outcome {
        Outcome::Share { share, .. } => *share,
        other => panic!("{other:?}"),
    }
}
