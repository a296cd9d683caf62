//! The words of disputes: what they are, of which type, where they stand, and what can be done about them.

use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$outer:meta])* $type:ident { $($(#[$doc:meta])* $name:ident = $word:literal,)* }) => {
        $(#[$outer])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $type {
            $($(#[$doc])* #[serde(rename = $word)] $name,)*
        }

        impl $type {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The stored word.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word),* }
            }

            /// Reads the stored word.
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.word() == word)
            }
        }
    };
}

words! {
    /// What the other side wants.
    DisputeKind {
        /// The issuer took the money back (拒付).
        Chargeback = "chargeback",
        /// The shopper complains to the method's provider, such as Klarna; no money moves (争议).
        Dispute = "dispute",
        /// The issuer wants documents; refunds by API are frozen meanwhile (调单).
        Retrieval = "retrieval",
        /// The issuer calls the payment fraudulent; no money moves (伪冒).
        FraudReport = "fraud_report",
    }
}

words! {
    /// The type within its kind.
    DisputeCategory {
        /// A plain chargeback (拒付).
        Chargeback = "chargeback",
        /// The network refunded by itself (RDR).
        Rdr = "rdr",
        /// A third party did so on the merchant's behalf (第三方RDR).
        ThirdPartyRdr = "third_party_rdr",
        /// Charged back by Klarna (Klarna CT).
        KlarnaCt = "klarna_ct",
        /// A dispute of the method's provider (Dispute).
        Dispute = "dispute",
        /// An alert of Ethoca that was answered with money (Ethoca).
        Ethoca = "ethoca",
        /// By way of a gateway (拒付Gateway).
        Gateway = "gateway",
        /// Before the dispute proper, with time to settle it (宽限期).
        GracePeriod = "grace_period",
        /// A request for documents (调单).
        Retrieval = "retrieval",
        /// A shopper's complaint (客诉).
        Complaint = "complaint",
        /// A question (询单).
        Inquiry = "inquiry",
        /// A report of fraud (伪冒).
        Fraud = "fraud",
        /// Anything else (Other).
        Other = "other",
    }
}

words! {
    /// Where a dispute stands.
    DisputeState {
        /// Nobody answered yet (待处理).
        Open = "open",
        /// The merchant's answer is with the other side (申诉中, 已申请调单撤销).
        Represented = "represented",
        /// The merchant was right: the money is back (申诉成功).
        Won = "won",
        /// The merchant was wrong: the money stays away (申诉失败).
        Lost = "lost",
        /// The merchant agrees (接受拒付, 已退款).
        Accepted = "accepted",
        /// The other side took it back (拒付撤销, 调单取消).
        Withdrawn = "withdrawn",
        /// Nothing was to be done: the network refunded by itself, nothing was left to take, or its time went by (无需处理).
        Closed = "closed",
    }
}

words! {
    /// What can be done about a dispute.
    DisputeChange {
        /// The merchant's answer goes to the other side.
        Represent = "represent",
        /// The merchant agrees with a chargeback. The others are accepted by a refund that names them.
        Accept = "accept",
        /// The other side says that the merchant was right.
        Win = "win",
        /// The other side says that the merchant was wrong.
        Lose = "lose",
        /// The other side takes it back.
        Withdraw = "withdraw",
        /// Nothing is to be done any more.
        Close = "close",
    }
}

impl DisputeKind {
    /// The types that it can be of, the usual one first.
    pub const fn categories(self) -> &'static [DisputeCategory] {
        use DisputeCategory as C;
        match self {
            Self::Chargeback => &[C::Chargeback, C::Rdr, C::ThirdPartyRdr, C::KlarnaCt, C::Dispute, C::Ethoca, C::Gateway, C::Other],
            Self::Dispute => &[C::Dispute, C::GracePeriod, C::Other],
            Self::Retrieval => &[C::Retrieval, C::Complaint, C::Inquiry, C::Other],
            Self::FraudReport => &[C::Fraud, C::Other],
        }
    }

    /// Whether it takes money.
    pub const fn moves_money(self) -> bool {
        matches!(self, Self::Chargeback)
    }
}

impl DisputeCategory {
    /// Whether the money has gone back to the shopper already and nothing can be answered.
    pub const fn is_automatic(self) -> bool {
        matches!(self, Self::Rdr | Self::ThirdPartyRdr | Self::Ethoca)
    }
}

impl DisputeState {
    /// Whether somebody waits for its end.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Open | Self::Represented)
    }
}

impl DisputeChange {
    /// Whether the merchant may do it; the rest is what the other side says, which only the operator tells.
    pub const fn is_of_merchant(self) -> bool {
        matches!(self, Self::Represent | Self::Accept)
    }

    /// Where it leads from a state, when that is possible for the kind.
    pub const fn from(self, kind: DisputeKind, state: DisputeState) -> Option<DisputeState> {
        use DisputeState as S;
        let (appeals, answers) = match kind {
            DisputeKind::Chargeback | DisputeKind::Dispute => (true, true),
            DisputeKind::Retrieval => (false, true),
            DisputeKind::FraudReport => (false, false),
        };
        match (self, state) {
            (Self::Represent, S::Open) if answers => Some(S::Represented),
            (Self::Accept, S::Open | S::Represented) if kind.moves_money() => Some(S::Accepted),
            (Self::Win, S::Open | S::Represented) if appeals => Some(S::Won),
            (Self::Lose, S::Open | S::Represented) if appeals => Some(S::Lost),
            (Self::Withdraw, S::Open | S::Represented) => Some(S::Withdrawn),
            (Self::Close, S::Open | S::Represented) if !kind.moves_money() => Some(S::Closed),
            (
                Self::Represent | Self::Accept | Self::Win | Self::Lose | Self::Withdraw | Self::Close,
                S::Open | S::Represented | S::Won | S::Lost | S::Accepted | S::Withdrawn | S::Closed,
            ) => None,
        }
    }
}
