//! The decision procedure of section 5 of Baofoo's rules, written down once more from the text: lists of shares and refunds, and sums over them. It
//! shares no code with the engine.

use std::collections::BTreeMap;

/// The codes of that section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    NotSupportConcurrent,
    RefundAmtExceeds,
    ShareInfoNotCorrect,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Planned,
    Processing,
    Success,
    Gone,
}

pub type Lines = BTreeMap<char, i64>;

#[derive(Clone, Debug)]
pub struct Share {
    pub lines: Lines,
    pub state: State,
}

#[derive(Clone, Debug, Default)]
pub struct Refund {
    pub refund_amt: i64,
    pub mkt_amt: i64,
    pub lines: Lines,
    pub advance: i64,
    pub fee: i64,
    pub unshared: i64,
    /// In state REFUND or SUCCESS.
    pub live: bool,
    /// In state REFUND.
    pub open: bool,
}

#[derive(Clone, Debug)]
pub struct Oracle {
    /// 内扣: the fee is taken from the payment.
    pub internal: bool,
    pub txn_amt: i64,
    pub mkt_amt: i64,
    pub fee: i64,
    pub shares: Vec<Share>,
    pub refunds: Vec<Refund>,
    /// What receivers paid back of advances.
    pub recovered: Lines,
}

fn sum(lines: &Lines) -> i64 {
    lines.values().sum()
}

fn of(lines: &Lines, receiver: char) -> i64 {
    lines.get(&receiver).copied().unwrap_or(0)
}

impl Oracle {
    fn live(&self) -> impl Iterator<Item = &Refund> {
        self.refunds.iter().filter(|refund| refund.live)
    }

    fn shares_in(&self, state: State) -> impl Iterator<Item = &Share> {
        self.shares.iter().filter(move |share| share.state == state)
    }

    pub fn pool(&self) -> i64 {
        if self.internal { self.txn_amt - self.fee } else { self.txn_amt + self.mkt_amt }
    }

    pub fn unshared(&self) -> i64 {
        let shared = self.shares_in(State::Processing).chain(self.shares_in(State::Success)).map(|share| sum(&share.lines));
        self.pool() - shared.sum::<i64>() - self.live().map(|refund| refund.unshared).sum::<i64>()
    }

    pub fn shared_with(&self, receiver: char) -> i64 {
        self.shares_in(State::Success).map(|share| of(&share.lines, receiver)).sum()
    }

    pub fn left_with(&self, receiver: char) -> i64 {
        let returned: i64 = self.live().map(|refund| of(&refund.lines, receiver)).sum();
        self.shared_with(receiver) - returned - of(&self.recovered, receiver)
    }

    /// What all receivers can still give back or have advanced for them. What one paid of an advance is returned and not advanced any more: the sum
    /// stays.
    pub fn returnable(&self) -> i64 {
        let shared: i64 = self.shares_in(State::Success).map(|share| sum(&share.lines)).sum();
        shared - self.live().map(|refund| sum(&refund.lines) + refund.advance).sum::<i64>()
    }

    pub fn refundable_user(&self) -> i64 {
        self.txn_amt - self.live().map(|refund| refund.refund_amt).sum::<i64>()
    }

    pub fn refundable_mkt(&self) -> i64 {
        self.mkt_amt - self.live().map(|refund| refund.mkt_amt).sum::<i64>()
    }

    /// The fee that a refund gives back. After failures those that are live may have given back more than their part: it is never below zero.
    pub fn fee_of(&self, refund_amt: i64) -> i64 {
        if self.txn_amt == 0 {
            return 0;
        }
        let refunded: i64 = self.live().map(|refund| refund.refund_amt).sum::<i64>() + refund_amt;
        let round_half_up = (2 * refunded * self.fee + self.txn_amt) / (2 * self.txn_amt);
        (round_half_up - self.live().map(|refund| refund.fee).sum::<i64>()).max(0)
    }

    pub fn refund(&self, refund_amt: i64, mkt_amt: i64, lines: &Lines, advance: i64) -> Result<Refund, Code> {
        let total = refund_amt + mkt_amt;
        if self.shares_in(State::Processing).next().is_some() {
            return Err(Code::NotSupportConcurrent);
        }
        if refund_amt > self.refundable_user() || mkt_amt > self.refundable_mkt() {
            return Err(Code::RefundAmtExceeds);
        }
        if lines.iter().any(|(receiver, amount)| *amount > self.left_with(*receiver)) {
            return Err(Code::ShareInfoNotCorrect);
        }
        if sum(lines) + advance > self.returnable() {
            return Err(Code::ShareInfoNotCorrect);
        }
        let fee = self.fee_of(refund_amt);
        let (back, apart) = if self.internal { (fee, mkt_amt) } else { (0, 0) };
        let unshared = total - sum(lines) - advance - back - apart;
        if unshared < 0 || unshared > self.unshared() {
            return Err(Code::ShareInfoNotCorrect);
        }
        Ok(Refund { refund_amt, mkt_amt, lines: lines.clone(), advance, fee, unshared, live: true, open: true })
    }

    pub fn share(&self, lines: &Lines) -> Result<(), Code> {
        if self.refunds.iter().any(|refund| refund.open) {
            return Err(Code::NotSupportConcurrent);
        }
        if sum(lines) > self.unshared() {
            return Err(Code::ShareInfoNotCorrect);
        }
        Ok(())
    }
}
