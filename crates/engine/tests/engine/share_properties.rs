//! Shares and refunds in random sequences: the engine decides as the oracle does, the desk checks after each command what must always hold, and here
//! is what must hold besides. `SHARE_CASES` says how many sequences are tried.

mod oracle;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestRunner};
use refundry_engine::chart::AVAILABLE;
use refundry_engine::command::CreateRefund;
use refundry_engine::policy::{FeeRule, FundsRule, PolicyPatch};
use refundry_engine::refund::AcquirerAnswer;
use refundry_engine::share::{AskedLine, AskedLines, AskedSharing, FeeMode, ShareStateName, Sharing};
use refundry_engine::{MerchantId, Mode, Outcome, PaymentId, RefundId, Refusal, ShareId};
use refundry_ledger::{Currency, LedgerAccount, Money};

use crate::desk::shares::{line, receiver};
use crate::desk::{Desk, MERCHANT, request};
use oracle::{Code, Lines, Oracle, State};

const PAYMENT: PaymentId = PaymentId::new(1_000_000);
const LETTERS: [char; 3] = ['A', 'B', 'C'];
const CASES: u32 = 10_000;
/// Blocks have seeds of their own, so that they can be tried side by side.
const CASES_OF_BLOCK: u32 = 2_500;
const FIRST_SEED: u64 = 20_260_101;

#[derive(Clone, Debug)]
struct Setting {
    receivers: usize,
    internal: bool,
    txn_amt: i64,
    mkt_amt: i64,
    fee_permille: i64,
}

#[derive(Clone, Debug)]
enum Step {
    /// Lines in thousandths of what is unshared.
    Share {
        parts: [i64; 3],
        planned: bool,
    },
    Start(usize),
    Finish(usize, bool),
    CancelShare(usize),
    Refund(Wish),
    /// Asked for and declined at once.
    InVain(Wish),
    Answer(usize, bool),
    Bounce(usize),
    Cancel(usize),
    Settle,
    Spend(usize),
    Earn(usize),
    Recover(usize, i64),
}

/// How much of what is left, in thousandths, and from whom. Over a thousand is more than there is.
#[derive(Clone, Debug)]
struct Wish {
    user: i64,
    marketing: i64,
    lines: Ask,
    advance: i64,
}

#[derive(Clone, Debug)]
enum Ask {
    ProRata,
    Parts([i64; 3]),
    /// So much of the refund as the unshared money does not pay, or a little more or less.
    Fitting(i64),
}

fn wishes() -> impl Strategy<Value = Wish> {
    let part = || prop_oneof![3 => 0i64..=1_000, 1 => Just(1_000i64), 1 => 1_001i64..1_200];
    let ask = prop_oneof![
        2 => Just(Ask::ProRata),
        2 => [part(), part(), part()].prop_map(Ask::Parts),
        3 => prop_oneof![3 => Just(0i64), 1 => -2i64..=2].prop_map(Ask::Fitting),
    ];
    (part(), prop_oneof![1 => Just(0i64), 1 => part()], ask, prop_oneof![3 => Just(0i64), 1 => part()])
        .prop_map(|(user, marketing, lines, advance)| Wish { user, marketing, lines, advance })
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let part = || prop_oneof![1 => Just(0i64), 4 => 1i64..700, 1 => Just(1_000i64)];
    let place = || 0usize..5;
    let step = prop_oneof![
        5 => ([part(), part(), part()], prop::bool::weighted(0.2)).prop_map(|(parts, planned)| Step::Share { parts, planned }),
        1 => place().prop_map(Step::Start),
        5 => (place(), prop::bool::weighted(0.9)).prop_map(|(place, ok)| Step::Finish(place, ok)),
        1 => place().prop_map(Step::CancelShare),
        6 => wishes().prop_map(Step::Refund),
        2 => wishes().prop_map(Step::InVain),
        6 => (place(), prop::bool::weighted(0.7)).prop_map(|(place, ok)| Step::Answer(place, ok)),
        1 => place().prop_map(Step::Bounce),
        1 => place().prop_map(Step::Cancel),
        1 => Just(Step::Settle),
        1 => (0usize..3).prop_map(Step::Spend),
        1 => (0usize..3).prop_map(Step::Earn),
        1 => (0usize..3, 1i64..1_100).prop_map(|(who, part)| Step::Recover(who, part)),
    ];
    prop::collection::vec(step, 1..16)
}

fn settings() -> impl Strategy<Value = Setting> {
    let amount = prop_oneof![1i64..100, 100i64..20_000];
    let marketing = prop_oneof![2 => Just(0i64), 1 => 1i64..3_000];
    (prop_oneof![Just(0usize), Just(2), Just(3)], any::<bool>(), amount, marketing, prop_oneof![Just(0i64), 1i64..60, Just(1_000i64)])
        .prop_map(|(receivers, internal, txn_amt, mkt_amt, fee_permille)| Setting { receivers, internal, txn_amt, mkt_amt, fee_permille })
}

struct Play {
    desk: Desk,
    oracle: Oracle,
    letters: Vec<char>,
    shares: Vec<ShareId>,
    refunds: Vec<RefundId>,
    next_id: i64,
}

impl Play {
    fn new(setting: &Setting) -> Self {
        let policy = PolicyPatch { funds: Some(FundsRule::FailLater), original_fee: Some(FeeRule::GiveBack), ..PolicyPatch::default() };
        let mut desk = Desk::new(policy);
        let letters: Vec<char> = LETTERS[..setting.receivers].to_vec();
        for letter in &letters {
            desk.open_receiver(*letter, Mode::Live);
        }
        let fee = setting.txn_amt * setting.fee_permille / 1_000;
        let fee_mode = if setting.internal { FeeMode::FromPayment } else { FeeMode::FromAccount };
        desk.pay(PAYMENT, fen(setting.txn_amt + setting.mkt_amt), |told| {
            told.marketing = fen(setting.mkt_amt);
            told.fee = fen(fee);
            told.sharing = Some(Box::new(Sharing::new(fee_mode)));
        });
        let oracle = Oracle {
            internal: setting.internal,
            txn_amt: setting.txn_amt,
            mkt_amt: setting.mkt_amt,
            fee,
            shares: Vec::new(),
            refunds: Vec::new(),
            recovered: Lines::new(),
        };
        Self { desk, oracle, letters, shares: Vec::new(), refunds: Vec::new(), next_id: 2_000_000 }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Share { parts, planned } => self.share(parts, *planned),
            Step::Start(place) => self.on_share(*place, |desk, id| {
                desk.now = desk.now.plus_seconds(3_600);
                desk.start_share(id)
            }),
            Step::Finish(place, ok) => self.on_share(*place, |desk, id| desk.finish_share(id, *ok)),
            Step::CancelShare(place) => self.on_share(*place, Desk::cancel_share),
            Step::Refund(wish) => drop(self.refund(wish)),
            Step::InVain(wish) => self.refund_in_vain(wish),
            Step::Answer(place, ok) => self.on_refund(*place, |desk, id| {
                desk.submit(id);
                desk.answer(id, 1, if *ok { approved() } else { declined() });
            }),
            Step::Bounce(place) => self.on_refund(*place, |desk, id| drop(desk.bounce(id, "closed"))),
            Step::Cancel(place) => self.on_refund(*place, |desk, id| drop(desk.cancel(id, Mode::Live))),
            Step::Settle => drop(self.desk.settle(PAYMENT)),
            Step::Spend(who) => {
                let who = receiver(LETTERS[*who]);
                let minor = self.balance(who, AVAILABLE);
                if minor > 0 {
                    self.desk.spend(who, fen(minor));
                }
            }
            Step::Earn(who) => self.desk.earn(receiver(LETTERS[*who]), fen(50_000)),
            Step::Recover(who, part) => self.recover(LETTERS[*who], *part),
        }
        self.compare();
    }

    fn share(&mut self, parts: &[i64; 3], planned: bool) {
        let unshared = self.oracle.unshared();
        let lines: Lines = LETTERS
            .into_iter()
            .zip(parts)
            .map(|(letter, part)| (letter, unshared * part / 1_000))
            .filter(|(_, minor)| *minor > 0)
            .collect();
        let is_known = lines.keys().all(|letter| self.letters.contains(letter));
        let id = ShareId::new(self.id());
        let due_at = planned.then(|| self.desk.now.plus_seconds(3_600));
        let asked = self.asked(&lines);
        match (self.desk.share_out(&id.to_string(), id, PAYMENT, (asked, due_at)), self.oracle.share(&lines)) {
            (Outcome::Share { .. }, Ok(())) => {
                assert!(is_known && !lines.is_empty());
                self.shares.push(id);
                let state = if planned { State::Planned } else { State::Processing };
                self.oracle.shares.push(oracle::Share { lines, state });
            }
            (Outcome::Refused { .. }, _) if lines.is_empty() || !is_known => {}
            (Outcome::Refused { refusal, .. }, Err(code)) => assert_eq!(code_of(&refusal), code, "{refusal:?}"),
            (told, expected) => panic!("{told:?} but {expected:?}"),
        }
    }

    fn on_share(&mut self, place: usize, act: impl FnOnce(&mut Desk, ShareId) -> Outcome) {
        if let Some(id) = self.shares.get(place).copied() {
            act(&mut self.desk, id);
        }
        // What became of them the desk says; whether it may be so the oracle's sums and the desk's checks do.
        for (id, share) in self.shares.iter().zip(&mut self.oracle.shares) {
            share.state = match self.desk.share(*id).state.name() {
                ShareStateName::Planned => State::Planned,
                ShareStateName::Running => State::Processing,
                ShareStateName::Succeeded => State::Success,
                ShareStateName::Cancelled | ShareStateName::Failed => State::Gone,
            };
        }
    }

    /// Gives the refund when it is accepted.
    fn refund(&mut self, wish: &Wish) -> Option<RefundId> {
        let of = |left: i64, part: i64| left * part / 1_000 + i64::from(part > 1_000);
        let user = of(self.oracle.refundable_user(), wish.user);
        let marketing = of(self.oracle.refundable_mkt(), wish.marketing);
        if user + marketing == 0 {
            return None;
        }
        let advance = of(self.oracle.returnable(), wish.advance);
        let lines = match &wish.lines {
            Ask::ProRata => None,
            Ask::Parts(parts) => {
                Some(LETTERS.into_iter().zip(parts).map(|(letter, part)| (letter, of(self.oracle.left_with(letter), *part))).collect())
            }
            Ask::Fitting(off) => Some(self.fitting(user, marketing, advance, *off)),
        };
        let lines = lines.map(|lines: Lines| lines.into_iter().filter(|(_, minor)| *minor > 0).collect::<Lines>());
        let id = RefundId::new(self.id());
        let asked = lines.as_ref().map_or(AskedLines::ProRata, |lines| AskedLines::Named(self.asked(lines)));
        let create = CreateRefund {
            marketing: Some(fen(marketing)),
            sharing: Some(Box::new(AskedSharing { lines: asked, advance: Some(fen(advance)) })),
            ..request(id, PAYMENT, fen(user + marketing), &id.to_string())
        };
        let told = self.desk.ask_as("shop", create);
        let chosen = match (&told, lines) {
            (_, Some(lines)) => lines,
            (Outcome::Refund { refund, .. }, None) => refund
                .sharing
                .iter()
                .flat_map(|of| &of.lines)
                .map(|line| (line.account.chars().next().unwrap(), line.amount_minor))
                .collect(),
            (Outcome::Refused { refusal, .. }, None) => {
                // Lines that the engine chooses break no ceiling of their own.
                assert!(!matches!(refusal, Refusal::ExceedsReceiver { .. } | Refusal::ExceedsUnshared { .. }), "{refusal:?}");
                assert!(advance > 0 || matches!(code_of(refusal), Code::NotSupportConcurrent | Code::RefundAmtExceeds), "{refusal:?}");
                return None;
            }
            (other, None) => panic!("{other:?}"),
        };
        match (told, self.oracle.refund(user, marketing, &chosen, advance)) {
            (Outcome::Refund { refund, .. }, Ok(expected)) => {
                let of = refund.sharing.as_ref().unwrap();
                assert_eq!((of.from_unshared_minor, refund.fee_given_back.minor()), (expected.unshared, expected.fee));
                self.refunds.push(id);
                self.oracle.refunds.push(expected);
                self.oracle.shares.iter_mut().filter(|share| share.state == State::Planned).for_each(|share| share.state = State::Gone);
                if self.desk.task(id).is_some_and(|task| task.kind == refundry_engine::task::TaskKind::ReleaseRefund) {
                    self.desk.release(id);
                }
                self.follow_refunds();
                Some(id)
            }
            (Outcome::Refused { refusal, .. }, Err(code)) => {
                assert_eq!(code_of(&refusal), code, "{refusal:?}");
                None
            }
            (told, expected) => panic!("{told:?} but {expected:?}"),
        }
    }

    /// Lines, first come first, that leave the unshared money what it has, or a little more or less.
    fn fitting(&self, user: i64, marketing: i64, advance: i64, off: i64) -> Lines {
        let apart = if self.oracle.internal { self.oracle.fee_of(user) + marketing } else { 0 };
        let mut wanted = (user + marketing - apart - advance - self.oracle.unshared() + off).max(0);
        let mut lines = Lines::new();
        for letter in LETTERS {
            let minor = wanted.min(self.oracle.left_with(letter).max(0));
            wanted -= minor;
            lines.insert(letter, minor);
        }
        lines
    }

    /// A refund that fails leaves everything as it was, but for the shares that were planned.
    fn refund_in_vain(&mut self, wish: &Wish) {
        let before = (self.desk.payment(PAYMENT).clone(), self.balances());
        let Some(id) = self.refund(wish) else { return };
        self.desk.submit(id);
        self.desk.answer(id, 1, declined());
        self.follow_refunds();
        if self.desk.refund(id).state.counts() {
            // Marketing money alone is nobody's to decline.
            assert!(self.desk.refund(id).user_part().is_zero());
            return;
        }
        let mut after = self.desk.payment(PAYMENT).clone();
        after.updated_at = before.0.updated_at;
        let (mut after, mut was) = (after, before.0);
        for payment in [&mut after, &mut was] {
            payment.sharing.as_mut().unwrap().planned.clear();
        }
        assert_eq!((after, self.balances()), (was, before.1), "a refund in vain leaves nothing behind");
    }

    fn on_refund(&mut self, place: usize, act: impl FnOnce(&mut Desk, RefundId)) {
        if let Some(id) = self.refunds.get(place).copied() {
            act(&mut self.desk, id);
            self.follow_refunds();
        }
    }

    fn follow_refunds(&mut self) {
        for (id, refund) in self.refunds.iter().zip(&mut self.oracle.refunds) {
            let state = &self.desk.refund(*id).state;
            (refund.live, refund.open) = (state.counts(), !state.is_final());
        }
        // What was paid back of advances that came back themselves, the receivers have again.
        let sharing = self.desk.payment(PAYMENT).sharing.clone().unwrap();
        let advanced: i64 = self.oracle.refunds.iter().filter(|refund| refund.live).map(|refund| refund.advance).sum();
        let recovered = |letter: char| sharing.receivers.get(&receiver(letter)).map_or(0, |part| part.recovered_minor);
        let now: Lines = LETTERS.into_iter().map(|letter| (letter, recovered(letter))).collect();
        let before: i64 = self.oracle.recovered.values().sum();
        assert_eq!(now.values().sum::<i64>(), before.min(advanced), "nobody has paid more back than was advanced");
        self.oracle.recovered = now;
    }

    fn recover(&mut self, letter: char, part: i64) {
        let advanced: i64 = self.oracle.refunds.iter().filter(|refund| refund.live).map(|refund| refund.advance).sum();
        let owed = advanced - self.oracle.recovered.values().sum::<i64>();
        let most = owed.min(self.oracle.left_with(letter));
        let minor = most * part / 1_000 + i64::from(part > 1_000);
        if minor <= 0 {
            return;
        }
        let open = self.oracle.refunds.iter().any(|refund| refund.open);
        let has = self.balance(receiver(letter), AVAILABLE);
        let number = self.id().to_string();
        match self.desk.recover(PAYMENT, letter, fen(minor), &number) {
            Outcome::Payment { .. } => {
                assert!(!open && minor <= most && minor <= has);
                *self.oracle.recovered.entry(letter).or_default() += minor;
            }
            Outcome::Refused { refusal, .. } => assert!(open || minor > most || minor > has, "{refusal:?}"),
            other => panic!("{other:?}"),
        }
    }

    /// Both count the same.
    fn compare(&mut self) {
        let payment = self.desk.payment(PAYMENT);
        assert_eq!((payment.pool().minor(), payment.unshared().minor()), (self.oracle.pool(), self.oracle.unshared()));
        assert_eq!(payment.refundable().minor(), self.oracle.refundable_user() + self.oracle.refundable_mkt());
        let sharing = payment.sharing.as_ref().unwrap();
        assert_eq!(sharing.returnable_minor(), self.oracle.returnable());
        for (id, part) in &sharing.receivers {
            let letter = LETTERS.into_iter().find(|letter| receiver(*letter) == *id).unwrap();
            assert_eq!((part.shared_minor, part.left_minor()), (self.oracle.shared_with(letter), self.oracle.left_with(letter)));
        }
    }

    /// Everything that is open ends, then all that is left is refunded: nothing is left unshared, and the fee is given back to the last fen.
    fn end(&mut self) {
        for place in 0..self.shares.len() {
            self.on_share(place, |desk, id| {
                desk.now = desk.now.plus_days(1);
                desk.start_share(id);
                desk.finish_share(id, true)
            });
        }
        for place in 0..self.refunds.len() {
            self.on_refund(place, |desk, id| {
                desk.submit(id);
                desk.answer(id, 1, approved());
            });
        }
        for who in self.letters.clone().into_iter().map(receiver).chain([MERCHANT]) {
            self.desk.earn(who, fen(1_000_000));
        }
        let left = Wish { user: 1_000, marketing: 1_000, lines: Ask::ProRata, advance: 0 };
        if self.oracle.refundable_user() + self.oracle.refundable_mkt() > 0 {
            let id = self.refund(&left).expect("all that is left can be refunded");
            self.on_refund(self.refunds.len() - 1, |desk, _| {
                desk.submit(id);
                desk.answer(id, 1, approved());
            });
        }
        self.compare();
        let payment = self.desk.payment(PAYMENT);
        let fee = if payment.captured.minor() > payment.marketing.minor() { payment.fee } else { payment.fee_given_back };
        assert_eq!((payment.refundable().minor(), payment.unshared().minor(), payment.fee_given_back), (0, 0, fee));
        assert!(payment.sharing.as_ref().unwrap().receivers.values().all(|part| part.returned_minor <= part.shared_minor));
        assert_eq!(payment.sharing.as_ref().unwrap().returnable_minor(), 0, "every share is returned or advanced");
    }

    fn asked(&self, lines: &Lines) -> Vec<AskedLine> {
        lines.iter().map(|(letter, minor)| line(&self.desk, *letter, fen(*minor))).collect()
    }

    fn balances(&self) -> BTreeMap<(MerchantId, Currency, LedgerAccount), i64> {
        self.desk.snapshot.balances.iter().filter(|(_, minor)| *minor != 0).collect()
    }

    fn balance(&self, merchant_id: MerchantId, account: LedgerAccount) -> i64 {
        self.desk.snapshot.balances.of(merchant_id, account, yuan())
    }

    fn id(&mut self) -> i64 {
        self.next_id += 1;
        self.next_id
    }
}

fn code_of(refusal: &Refusal) -> Code {
    match refusal {
        Refusal::ShareRunning | Refusal::RefundOpen => Code::NotSupportConcurrent,
        Refusal::ExceedsRefundable { .. } | Refusal::ExceedsMarketing { .. } => Code::RefundAmtExceeds,
        Refusal::UnknownReceiver { .. }
        | Refusal::ExceedsReceiver { .. }
        | Refusal::ExceedsReturned { .. }
        | Refusal::LinesExceedAmount { .. }
        | Refusal::ExceedsUnshared { .. }
        | Refusal::ExceedsPool { .. } => Code::ShareInfoNotCorrect,
        other => panic!("no rule of section 5 is broken by {other:?}"),
    }
}

fn approved() -> AcquirerAnswer {
    AcquirerAnswer::Approved { reference: None, arn: None }
}

fn declined() -> AcquirerAnswer {
    AcquirerAnswer::Declined { code: "51".to_owned(), text: "no".to_owned() }
}

fn yuan() -> Currency {
    "CNY".parse().unwrap()
}

fn fen(minor: i64) -> Money {
    Money::new(minor, yuan())
}

fn cases() -> u32 {
    std::env::var("SHARE_CASES").map_or(CASES, |cases| cases.parse().expect("SHARE_CASES is a number"))
}

/// The sequences of one block, from the block's own seed: the same on every machine, however many cores it has.
fn try_block(block: u32, cases: u32) {
    let config = ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(FIRST_SEED + u64::from(block)),
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let tried = TestRunner::new(config).run(&(settings(), steps()), |(setting, steps)| {
        let mut play = Play::new(&setting);
        steps.iter().for_each(|step| play.step(step));
        play.end();
        Ok(())
    });
    if let Err(error) = tried {
        panic!("block {block}: {error}");
    }
}

#[test]
fn shares_and_refunds_are_decided_as_the_rules_say() {
    let cases = cases();
    let next = AtomicU32::new(0);
    // Each core takes the next block that none has taken.
    let work = || {
        loop {
            let block = next.fetch_add(1, Ordering::Relaxed);
            let Some(left) = cases.checked_sub(block.saturating_mul(CASES_OF_BLOCK)).filter(|left| *left > 0) else { return };
            try_block(block, left.min(CASES_OF_BLOCK));
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
}
