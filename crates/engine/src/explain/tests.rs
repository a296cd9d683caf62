use refundry_ledger::Money;

use super::{Language, Who, explain};
use crate::refund::{FundsHold, Holds, Refund, RefundState, ReviewHold};
use crate::{Actor, MerchantId, Mode, PaymentId, RefundId, TerminalId, Timestamp};

const NOW: Timestamp = Timestamp::from_ms(1_767_225_600_000);

fn held(holds: Holds) -> Refund {
    let amount = Money::new(5_000, "EUR".parse().unwrap());
    let zero = Money::zero(amount.currency());
    Refund {
        id: RefundId::new(3),
        merchant_id: MerchantId::new(1),
        terminal_id: TerminalId::new(2),
        payment_id: PaymentId::new(4),
        payment_reference: "P4".to_owned(),
        mode: Mode::Live,
        dialect: "native".to_owned(),
        number: "R3".to_owned(),
        merchant_reference: None,
        amount,
        marketing: zero,
        refund_fee: zero,
        fee_given_back: zero,
        sharing: None,
        quote: None,
        gross_settlement: None,
        reason: None,
        metadata: None,
        notify_url: None,
        batch: None,
        edits: 0,
        applicant: Actor::System,
        created_at: NOW,
        updated_at: NOW,
        drawn: None,
        acquirer: "simulated".to_owned(),
        acquirer_reference: None,
        attempts: 0,
        state: RefundState::Pending { holds },
    }
}

/// The review first, then the money, then the undo window: every combination names all its holds and one next step.
#[test]
fn every_combination_of_holds_is_explained() {
    let later = NOW.plus_days(1);
    for combination in 0..8 {
        let (review, funds, delay) = (combination & 1 > 0, combination & 2 > 0, combination & 4 > 0);
        let refund = held(Holds {
            review: review.then_some(ReviewHold::new(NOW, true)),
            funds: funds.then_some(FundsHold { since: NOW, until: later, missing_minor: 1_230 }),
            delay_until: delay.then_some(later),
        });
        let explained = explain(&refund, None, NOW);
        let expected = match (review, funds) {
            (true, _) => Who::Reviewer,
            (false, true) => Who::Merchant,
            (false, false) => Who::Refundry,
        };
        assert_eq!(explained.who, expected, "{combination}");
        for (present, en, zh) in
            [(review, "looks at it", "审核"), (funds, "12.30 EUR was missing", "尚缺 12.30 EUR"), (delay, "be undone", "可撤销")]
        {
            assert_eq!(explained.why.say(Language::En).contains(en), present, "{combination}: {}", explained.why.en);
            assert_eq!(explained.why.say(Language::Zh).contains(zh), present, "{combination}: {}", explained.why.zh);
        }
        assert_eq!(explained.when.is_some(), !review && (funds || delay), "{combination}");
    }
}
