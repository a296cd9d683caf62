use refundry_ledger::Money;

use super::Refusal;
use crate::Timestamp;
use crate::dispute::DisputeState;
use crate::explain::Language;
use crate::payment::PaymentStatus;
use crate::refund::RefundStateName;

fn one_of_each() -> Vec<Refusal> {
    let word = || "word".to_owned();
    let money = Money::new(1_230, "EUR".parse().unwrap());
    vec![
        Refusal::UnknownMerchant,
        Refusal::AgentNotLinked,
        Refusal::MerchantSuspended,
        Refusal::UnknownTerminal,
        Refusal::TerminalSuspended,
        Refusal::NotAllowed { permission: word() },
        Refusal::RepeatInconsistent { field: word(), first: word(), now: word() },
        Refusal::UnknownPayment,
        Refusal::PaymentCancelled,
        Refusal::PaymentClosed,
        Refusal::PaymentNotCaptured { status: PaymentStatus::Authorised },
        Refusal::CurrencyMismatch { expected: money.currency() },
        Refusal::AmountNotPositive,
        Refusal::ReceiverTwice { account: word() },
        Refusal::ReceiverIsGiver,
        Refusal::RefundWindowExceeded { until: Timestamp::from_us(1) },
        Refusal::ShareWindowExceeded { until: Timestamp::from_us(1) },
        Refusal::PartialNotAllowed { refundable: money },
        Refusal::TooManyRefunds { allowed: 1 },
        Refusal::PaymentUnreconciled,
        Refusal::PayoutInPreparation,
        Refusal::ReserveInSettlement,
        Refusal::RetrievalOpen,
        Refusal::ChargebackOpen,
        Refusal::ShareRunning,
        Refusal::RefundOpen,
        Refusal::ExpectedRemainingStale { refundable: money },
        Refusal::ExceedsPayment { captured: money },
        Refusal::ExtentMismatch { captured: money },
        Refusal::ExceedsRefundable { refundable: money },
        Refusal::ExceedsAuthorised { authorised: money },
        Refusal::ExceedsMarketing { refundable: money },
        Refusal::UnknownReceiver { account: word() },
        Refusal::ExceedsReceiver { account: word(), highest: money },
        Refusal::ExceedsReturned { highest: money },
        Refusal::LinesExceedAmount { over: money },
        Refusal::ExceedsUnshared { needed: money, unshared: money },
        Refusal::ExceedsPool { highest: money },
        Refusal::ExceedsAdvanced { highest: money },
        Refusal::NotEnoughFunds { missing: money },
        Refusal::ReceiverNotEnoughFunds { account: word(), highest: money },
        Refusal::UnknownShare,
        Refusal::ShareStateForbids { state: crate::share::ShareStateName::Running, verb: word() },
        Refusal::UnknownRefund,
        Refusal::RefundStateForbids { state: RefundStateName::Succeeded, verb: word() },
        Refusal::DisputeStateForbids { state: DisputeState::Open, verb: word() },
        Refusal::ReviewerIsApplicant,
        Refusal::ReviewerIsNoPerson,
        Refusal::ReviewerApprovedAlready,
        Refusal::ReviewedContentChanged,
        Refusal::ArnIsSet { arn: word() },
        Refusal::PaymentInconsistent { field: word() },
        Refusal::PaymentStatusForbids { status: PaymentStatus::Captured },
        Refusal::PayoutsOnHold,
        Refusal::PayoutIsPrepared { payout_id: crate::PayoutId::new(7) },
        Refusal::RefundsWaitForMoney { waiting: 2 },
        Refusal::NothingToPayOut { due: money },
        Refusal::BelowPayoutMinimum { due: money, minimum: money },
        Refusal::PayoutStateForbids { state: crate::payout::PayoutStateName::Paid, verb: word() },
        Refusal::AdjustmentIsDecided { state: crate::adjustment::AdjustmentState::Booked },
        Refusal::SecondPersonNeeded,
        Refusal::FieldInvalid { field: word(), rule: word() },
        Refusal::AlreadyExists { field: word() },
        Refusal::LimitReached { what: word(), limit: 8 },
        Refusal::Unknown { what: word() },
        Refusal::OutOfRange,
    ]
}

#[test]
fn the_code_is_the_stored_word_and_what_is_stored_reads_back() {
    let refusals = one_of_each();
    let codes: Vec<&str> = refusals.iter().map(Refusal::code).collect();
    assert_eq!(codes, Refusal::CODES, "one of each, in the order of the rules");
    for refusal in refusals {
        let stored = serde_json::to_value(&refusal).unwrap();
        assert_eq!(stored["refusal"], refusal.code());
        assert_eq!(serde_json::from_value::<Refusal>(stored).unwrap(), refusal);
    }
}

#[test]
fn every_text_is_filled() {
    for refusal in one_of_each() {
        for language in Language::ALL {
            let text = refusal.text(language);
            assert!(text.len() > 10 && !text.contains('{'), "{text}");
        }
    }
}
