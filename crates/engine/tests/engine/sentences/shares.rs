//! Sentences about shares.

use refundry_engine::share::{AskedLine, AskedLines, AskedSharing, Share, ShareState};
use refundry_engine::{Mode, Outcome, ShareId};
use refundry_ledger::{Currency, Money};

use super::{Words, money, next, number, payment, refund};
use crate::desk::Desk;
use crate::desk::shares::{line, receiver};

const SHARES_FROM: i64 = 4_000_000;

fn share(words: &mut Words<'_>) -> ShareId {
    ShareId::new(SHARES_FROM + number(next(words), 's'))
}

pub fn letter(word: &str) -> char {
    let mut letters = word.chars();
    match (letters.next(), letters.next()) {
        (Some(letter), None) if letter.is_ascii_uppercase() => letter,
        _ => panic!("{word} is no receiver"),
    }
}

/// Lines such as `A 30.00 B 12.00`, in a currency, as long as receivers are named.
pub fn lines(desk: &Desk, words: &mut Words<'_>, currency: Currency) -> Vec<AskedLine> {
    let mut lines = Vec::new();
    while let Some(word) = words.next_if(|word| word.len() == 1 && word.starts_with(|letter: char| letter.is_ascii_uppercase())) {
        lines.push(line(desk, letter(word), Money::parse_major(next(words), currency).unwrap()));
    }
    lines
}

/// `receiver A`, or one of the sandbox.
pub fn open_receiver(desk: &mut Desk, mut words: Words<'_>) -> String {
    let letter = letter(next(&mut words));
    desk.open_receiver(letter, if words.next() == Some("in_sandbox") { Mode::Sandbox } else { Mode::Live });
    "set".to_owned()
}

/// `share s1 of p1 A 30.00 B 12.00`, perhaps `in 3600` seconds, perhaps `numbered S1`.
pub fn share_out(desk: &mut Desk, mut words: Words<'_>) -> Outcome {
    let name = words.peek().copied().unwrap_or_default().to_owned();
    let id = share(&mut words);
    assert_eq!(next(&mut words), "of");
    let payment_id = payment(&mut words);
    let currency =
        desk.snapshot.payments.get(&(crate::desk::MERCHANT, payment_id)).map_or("CNY".parse().unwrap(), |payment| payment.currency());
    let lines = lines(desk, &mut words, currency);
    let (mut due_at, mut called) = (None, name);
    while let Some(word) = words.next() {
        match word {
            "in" => due_at = Some(desk.now.plus_seconds(next(&mut words).parse().unwrap())),
            "numbered" => called = next(&mut words).to_owned(),
            other => panic!("a share has no {other}"),
        }
    }
    desk.share_out(&called, id, payment_id, (lines, due_at))
}

pub fn start(desk: &mut Desk, mut words: Words<'_>) -> Outcome {
    desk.start_share(share(&mut words))
}

/// `finish s1`, or `finish s1 in_vain`.
pub fn finish(desk: &mut Desk, mut words: Words<'_>) -> Outcome {
    let id = share(&mut words);
    desk.finish_share(id, words.next().is_none())
}

pub fn cancel(desk: &mut Desk, mut words: Words<'_>) -> Outcome {
    desk.cancel_share(share(&mut words))
}

/// `recover p1 A 10.00 CNY once`.
pub fn recover(desk: &mut Desk, mut words: Words<'_>) -> Outcome {
    let (id, letter) = (payment(&mut words), letter(next(&mut words)));
    let amount = money(&mut words);
    desk.recover(id, letter, amount, words.next().unwrap_or("once"))
}

/// What a refund asks of shares: the words behind `with`, such as `A 10.00 advance 5.00` or `pro_rata`.
pub fn asked(desk: &Desk, words: &mut Words<'_>, currency: Currency) -> AskedSharing {
    let lines = match words.next_if_eq(&"pro_rata") {
        Some(_) => AskedLines::ProRata,
        None => AskedLines::Named(lines(desk, words, currency)),
    };
    let advance = words.next_if_eq(&"advance").map(|_| Money::parse_major(next(words), currency).unwrap());
    AskedSharing { lines, advance }
}

/// Where a share stands.
pub fn state(share: &Share) -> String {
    match &share.state {
        ShareState::Failed { reason, .. } => format!("failed {}", reason.code()),
        other => other.name().word().to_owned(),
    }
}

pub fn state_of(desk: &Desk, mut words: Words<'_>) -> String {
    state(desk.share(share(&mut words)))
}

/// `shared p1`: what the payment remembers.
pub fn shared(desk: &mut Desk, mut words: Words<'_>) -> String {
    let payment = desk.payment(payment(&mut words));
    let major = |minor: i64| Money::new(minor, payment.currency()).major();
    let mut said = vec![format!("unshared {}", payment.unshared().major())];
    for part in payment.sharing.iter().flat_map(|sharing| sharing.receivers.values()) {
        said.push(format!(
            "{} {} of {} unsettled {}",
            part.account,
            major(part.left_minor()),
            major(part.shared_minor),
            major(part.unsettled_minor)
        ));
    }
    let advanced = payment.sharing.as_ref().map_or(0, |sharing| sharing.advanced_minor);
    if advanced != 0 {
        said.push(format!("advanced {}", major(advanced)));
    }
    said.join(", ")
}

/// `lines r1`: what the refund takes back, and where each line stands.
pub fn lines_of(desk: &Desk, mut words: Words<'_>) -> String {
    let refund = desk.refund(refund(&mut words));
    let major = |minor: i64| Money::new(minor, refund.amount.currency()).major();
    let Some(of) = &refund.sharing else { return "none".to_owned() };
    let line = |line: &refundry_engine::share::ReturnLine| {
        let drawn = line.drawn.map_or(String::new(), |drawn| {
            format!(" from unsettled {} available {}", major(drawn.unsettled_minor), major(drawn.available_minor))
        });
        format!("{} {} {}{drawn}", line.account, major(line.amount_minor), line.state(&refund.state).word())
    };
    let mut said: Vec<String> = of.lines.iter().map(line).collect();
    if of.advance_minor > 0 {
        said.push(format!("advance {}", major(of.advance_minor)));
    }
    said.push(format!("unshared {} fee {}", major(of.from_unshared_minor), refund.fee_given_back.major()));
    said.join(", ")
}

/// `book A available CNY`: a balance of a receiver.
pub fn book(desk: &Desk, mut words: Words<'_>) -> String {
    let receiver_id = receiver(letter(next(&mut words)));
    let name = next(&mut words);
    let currency = next(&mut words).parse().unwrap();
    let account = refundry_engine::chart::ALL.into_iter().find(|account| account.name() == name).unwrap();
    Money::new(desk.snapshot.balances.of(receiver_id, account, currency), currency).to_string()
}

/// `spend A 10.00 CNY`: the receiver's available money is gone.
pub fn spend(desk: &mut Desk, mut words: Words<'_>) -> String {
    let letter = letter(next(&mut words));
    desk.spend(receiver(letter), money(&mut words));
    "gone".to_owned()
}

pub fn spend_own(desk: &mut Desk, mut words: Words<'_>) -> String {
    desk.spend(crate::desk::MERCHANT, money(&mut words));
    "gone".to_owned()
}

/// `earn A 10.00 CNY`: the receiver has more available money.
pub fn earn(desk: &mut Desk, mut words: Words<'_>) -> String {
    let letter = letter(next(&mut words));
    desk.earn(receiver(letter), money(&mut words));
    "there".to_owned()
}
