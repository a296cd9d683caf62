//! What each cause of a posting means for payouts: to which pot it belongs, and where it stands in a statement.

use super::PayoutKind;

/// Money was released from the reserve of a payment.
pub const RESERVE_RELEASED: &str = "reserve_released";
/// Money was released from the reserve that belongs to no payment.
pub const FIXED_RESERVE_RELEASED: &str = "fixed_reserve_released";

/// What payouts themselves book.
pub(super) struct PayoutCauses {
    pub(super) prepared: &'static str,
    pub(super) paid: &'static str,
    pub(super) cancelled: &'static str,
    pub(super) failed: &'static str,
    pub(super) returned: &'static str,
}

const OF_TRADE: PayoutCauses = PayoutCauses {
    prepared: "payout_prepared",
    paid: "payout_paid",
    cancelled: "payout_cancelled",
    failed: "payout_failed",
    returned: "payout_returned",
};
const OF_RESERVE: PayoutCauses = PayoutCauses {
    prepared: "reserve_payout_prepared",
    paid: "reserve_payout_paid",
    cancelled: "reserve_payout_cancelled",
    failed: "reserve_payout_failed",
    returned: "reserve_payout_returned",
};

/// Every cause that moves the reserve's pot; all others move the trade's.
const RESERVE_CAUSES: [&str; 7] = [
    RESERVE_RELEASED,
    FIXED_RESERVE_RELEASED,
    OF_RESERVE.prepared,
    OF_RESERVE.paid,
    OF_RESERVE.cancelled,
    OF_RESERVE.failed,
    OF_RESERVE.returned,
];

pub(super) const fn causes_of(kind: PayoutKind) -> &'static PayoutCauses {
    match kind {
        PayoutKind::Trade => &OF_TRADE,
        PayoutKind::Reserve => &OF_RESERVE,
    }
}

/// The cause under which the money of a payout is set aside.
pub const fn cause_of_preparing(kind: PayoutKind) -> &'static str {
    causes_of(kind).prepared
}

/// The pot that a cause belongs to.
pub fn pot_of(cause: &str) -> PayoutKind {
    if RESERVE_CAUSES.contains(&cause) { PayoutKind::Reserve } else { PayoutKind::Trade }
}

/// The parts in which people read a statement, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Payments that became available.
    Payments,
    /// Refunds, their fees, and what came back of them.
    Refunds,
    /// Chargebacks, what was won back, and what was owed beyond payments.
    Chargebacks,
    /// What was released from the reserve or taken for it.
    Reserve,
    /// Fees.
    Fees,
    /// What the operator took for exchange and transfer.
    SettlementFees,
    /// What else the operator took.
    Deductions,
    /// Other items, to or from the merchant.
    OtherItems,
    /// What the operator gave back.
    GivenBack,
    /// What the merchant paid in.
    TopUps,
    /// Payouts that did not arrive.
    PayoutsUndone,
    /// Everything else.
    Rest,
}

impl Part {
    /// All of them, in their order.
    pub const ALL: [Self; 12] = [
        Self::Payments,
        Self::Refunds,
        Self::Chargebacks,
        Self::Reserve,
        Self::Fees,
        Self::SettlementFees,
        Self::Deductions,
        Self::OtherItems,
        Self::GivenBack,
        Self::TopUps,
        Self::PayoutsUndone,
        Self::Rest,
    ];

    /// Its name in answers and files.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Payments => "payments",
            Self::Refunds => "refunds",
            Self::Chargebacks => "chargebacks",
            Self::Reserve => "reserve",
            Self::Fees => "fees",
            Self::SettlementFees => "settlement_fees",
            Self::Deductions => "deductions",
            Self::OtherItems => "other_items",
            Self::GivenBack => "given_back",
            Self::TopUps => "top_ups",
            Self::PayoutsUndone => "payouts_undone",
            Self::Rest => "rest",
        }
    }

    /// Where a cause stands in a statement.
    pub fn of(cause: &str) -> Self {
        match cause {
            "settlement_fee" => return Self::SettlementFees,
            "deduction" => return Self::Deductions,
            "other_item" => return Self::OtherItems,
            "given_back" => return Self::GivenBack,
            "topped_up" => return Self::TopUps,
            _ => {}
        }
        let parts = [
            ("payment_", Self::Payments),
            ("refund_", Self::Refunds),
            ("chargeback", Self::Chargebacks),
            ("reserve_payout_", Self::PayoutsUndone),
            ("payout_", Self::PayoutsUndone),
            ("reserve_", Self::Reserve),
            ("fixed_reserve_", Self::Reserve),
            ("fee_", Self::Fees),
            ("exposure_", Self::Chargebacks),
        ];
        parts.into_iter().find(|(prefix, _)| cause.starts_with(prefix)).map_or(Self::Rest, |(_, part)| part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_have_a_pot_and_a_part() {
        for (cause, pot, part) in [
            ("payment_settled", PayoutKind::Trade, Part::Payments),
            ("refund_released", PayoutKind::Trade, Part::Refunds),
            ("payout_failed", PayoutKind::Trade, Part::PayoutsUndone),
            ("reserve_payout_failed", PayoutKind::Reserve, Part::PayoutsUndone),
            (RESERVE_RELEASED, PayoutKind::Reserve, Part::Reserve),
            (FIXED_RESERVE_RELEASED, PayoutKind::Reserve, Part::Reserve),
            ("chargeback", PayoutKind::Trade, Part::Chargebacks),
            ("chargeback_undone", PayoutKind::Trade, Part::Chargebacks),
            ("fee_for_chargeback", PayoutKind::Trade, Part::Fees),
            ("exposure_collected", PayoutKind::Trade, Part::Chargebacks),
            ("settlement_fee", PayoutKind::Trade, Part::SettlementFees),
            ("something", PayoutKind::Trade, Part::Rest),
        ] {
            assert_eq!((pot_of(cause), Part::of(cause)), (pot, part), "{cause}");
        }
    }
}
