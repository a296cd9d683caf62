//! The sentences that scenarios are written in. A sentence is played on the desk and answered in words.

mod answers;
mod payouts;
pub mod settlement;
pub mod shares;

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::str::SplitWhitespace;

use refundry_engine::asked::Extent;
use refundry_engine::command::{CreateRefund, EditRefund, LeftToTerms, RecordDispute, VoidWhat};
use refundry_engine::dispute::{DisputeCategory, DisputeChange, DisputeKind};
use refundry_engine::merchant::{Endpoint, Standing};
use refundry_engine::notification::Notification;
use refundry_engine::payment::{Payment, PaymentKey, PaymentStatus, SettlementQuote};
use refundry_engine::policy::{FeeRule, FundsCheck, FundsOrder, FundsRule, PolicyPatch, ReviewRule, ReviewTrigger, VelocityOf};
use refundry_engine::refund::AcquirerAnswer;
use refundry_engine::share::{FeeMode, Sharing};
use refundry_engine::{Act, Actor, DisputeId, EndpointId, Mode, Outcome, PaymentId, RefundId, TerminalId, chart};
use refundry_ledger::Money;

use crate::desk::{Desk, MERCHANT, one_of_the_merchant, operator, request};

const PAYMENTS_FROM: i64 = 1_000_000;
const DISPUTES_FROM: i64 = 3_000_000;
const REFUNDS_FROM: i64 = 2_000_000;
const PAGE: usize = 100;

type Words<'a> = Peekable<SplitWhitespace<'a>>;

pub struct Scenario {
    desk: Desk,
    remember_refusals: bool,
    events_seen: usize,
    audit_seen: usize,
    looked_at: BTreeMap<RefundId, String>,
}

impl Default for Scenario {
    fn default() -> Self {
        Self {
            desk: Desk::new(PolicyPatch::default()),
            remember_refusals: false,
            events_seen: 0,
            audit_seen: 0,
            looked_at: BTreeMap::new(),
        }
    }
}

impl Scenario {
    /// Plays one line; gives it back with what came of it.
    pub fn line(&mut self, line: &str) -> String {
        if line.trim().is_empty() || line.starts_with('#') {
            return line.to_owned();
        }
        let (sentence, expected) = line.split_once("=>").map_or((line, None), |(sentence, expected)| (sentence, Some(expected.trim())));
        let answer = self.play(sentence);
        match expected {
            None => {
                assert!(!answer.contains("refused"), "{line}: {answer}");
                line.to_owned()
            }
            Some(_) => format!("{}=> {answer}", sentence),
        }
    }

    fn play(&mut self, sentence: &str) -> String {
        let mut words: Words<'_> = sentence.split_whitespace().peekable();
        let verb = next(&mut words);
        let outcome = match verb {
            "policy" => return self.policy(words),
            "settings" => self.settings(words),
            "merchant" | "terminal" => return self.standing(verb, words),
            "payment" => self.payment(words),
            "endpoint" => return self.endpoint(words),
            "dispute" => return self.dispute(words),
            "chargeback" | "provider_dispute" | "retrieval" | "fraud_report" => self.told_dispute(verb, words),
            "in_dispute" => self.in_dispute(words),
            "capture" => self.desk.capture(payment(&mut words), money(&mut words)),
            "void" => self.void(words),
            "void_task" => return self.void_task(words),
            "dialect" => return self.dialect(words),
            "after" => return self.after(words),
            "refund" => self.refund(words),
            "acquirer" => self.acquirer(words),
            "review" => self.review(words),
            "look" => return self.look(words),
            "edit" => self.edit(words),
            "send_now" => self.desk.send_now(refund(&mut words)),
            "cancel" => self.desk.cancel(refund(&mut words), if words.next() == Some("in_sandbox") { Mode::Sandbox } else { Mode::Live }),
            "facts" => return self.facts(),
            "release" => self.desk.release(refund(&mut words)),
            "submit" => self.desk.submit(refund(&mut words)),
            "arn" => self.desk.arn(refund(&mut words), next(&mut words)),
            "bounce" => self.desk.bounce(refund(&mut words), next(&mut words)),
            "settle" => self.desk.settle(payment(&mut words)),
            "terms" => return settlement::terms(&mut self.desk, words),
            "track" => settlement::track(&mut self.desk, words),
            "shipment" => settlement::shipment(&mut self.desk, words),
            "mark" => settlement::mark(&mut self.desk, words),
            "free" => settlement::release(&mut self.desk, words),
            "run_due" => return settlement::run_due(&mut self.desk, words),
            "due" => return settlement::due(self.desk.payment(payment(&mut words))),
            "top_up" => {
                let amount = money(&mut words);
                self.desk.top_up(amount, words.next().unwrap_or("once"))
            }
            "receiver" => return shares::open_receiver(&mut self.desk, words),
            "share" => shares::share_out(&mut self.desk, words),
            "start" => shares::start(&mut self.desk, words),
            "finish" => shares::finish(&mut self.desk, words),
            "cancel_share" => shares::cancel(&mut self.desk, words),
            "recover" => shares::recover(&mut self.desk, words),
            "share_state" => return shares::state_of(&self.desk, words),
            "shared" => return shares::shared(&mut self.desk, words),
            "lines" => return shares::lines_of(&self.desk, words),
            "spend" => return shares::spend(&mut self.desk, words),
            "spend_own" => return shares::spend_own(&mut self.desk, words),
            "earn" => return shares::earn(&mut self.desk, words),
            "book" => return shares::book(&self.desk, words),
            "acquirer_pays" => {
                let amount = money(&mut words);
                self.desk.acquirer_pays(amount, next(&mut words))
            }
            "payout" => return payouts::terms_or_payout(&mut self.desk, words),
            "adjust" => payouts::adjust(&mut self.desk, words),
            "collect" => payouts::collect(&mut self.desk, words),
            "owed" => return payouts::owed(self.desk.payment(payment(&mut words))),
            "serve" => {
                let currency = next(&mut words).parse().unwrap();
                match words.next() {
                    Some("from_an_old_page") => self.desk.serve_page(currency, Vec::new(), false),
                    page => self.desk.serve(currency, page.map_or(PAGE, |page| page.parse().unwrap())),
                }
            }
            "strike" => return self.strike(words),
            "hours" => return self.hours(words),
            "balance" => return self.balance(words),
            "left" => return answers::left(self.desk.payment(payment(&mut words))),
            "state" => return answers::state(self.desk.refund(refund(&mut words))),
            "drawn" => return answers::drawn(self.desk.refund(refund(&mut words))),
            "gross" => return answers::gross(self.desk.refund(refund(&mut words))),
            "task" => return self.task(words),
            "explain" => return answers::explained(&self.desk, refund(&mut words)),
            "told" => return self.told(),
            "audited" => return self.audited(),
            other => panic!("{other:?} begins no sentence: {sentence}"),
        };
        answers::outcome(&outcome)
    }

    fn policy(&mut self, words: Words<'_>) -> String {
        patch_policy(&mut self.desk.merchant().policy, words);
        "set".to_owned()
    }

    /// As `policy`, but by a command: who waits is looked at again.
    fn settings(&mut self, words: Words<'_>) -> Outcome {
        let mut merchant = self.desk.merchant().clone();
        patch_policy(&mut merchant.policy, words);
        self.desk.carry_out(operator(), Act::PutMerchant(Box::new(merchant)))
    }

    fn standing(&mut self, whose: &str, mut words: Words<'_>) -> String {
        let standing = match next(&mut words) {
            "suspended" => Standing::Suspended,
            "active" => Standing::Active,
            "notify" => {
                self.desk.terminal().notify_url = words.next().map(str::to_owned);
                return "set".to_owned();
            }
            other => panic!("nobody is {other}"),
        };
        match whose {
            "merchant" => self.desk.merchant().standing = standing,
            _ => self.desk.terminal().standing = standing,
        }
        "set".to_owned()
    }

    fn payment(&mut self, mut words: Words<'_>) -> Outcome {
        let id = payment(&mut words);
        let captured = money(&mut words);
        let told: Vec<&str> = words.clone().collect();
        let left_to_terms = LeftToTerms { fee: !told.contains(&"fee"), reserved: !told.contains(&"reserve") };
        self.desk.pay_by(left_to_terms, id, captured, |payment| {
            while let Some(word) = words.next() {
                match word {
                    "fee" => payment.fee = money(&mut words),
                    "reserve" => payment.reserved = money(&mut words),
                    "marketing" => payment.marketing = money(&mut words),
                    "fee_mode" => payment.sharing = Some(Box::new(Sharing::new(fee_mode(next(&mut words))))),
                    "quote" => payment.quote = Some(quote(&mut words)),
                    "notify" => payment.notify_url = Some(next(&mut words).to_owned()),
                    "offline" => std::sync::Arc::make_mut(&mut payment.details).offline = true,
                    "that_is" => not_captured(payment, next(&mut words)),
                    other => panic!("a payment has no {other}"),
                }
            }
        })
    }

    /// An endpoint and the kinds that it wants; none for all.
    fn endpoint(&mut self, mut words: Words<'_>) -> String {
        let id = EndpointId::new(number(next(&mut words), 'e'));
        let enabled = words.next_if(|word| *word == "off").is_none();
        let events = words.map(str::to_owned).collect();
        let endpoint = Endpoint { id, url: "https://shop.example/native".to_owned(), sealed_secret: String::new(), events, enabled };
        self.desk.merchant().endpoints.push(endpoint);
        "set".to_owned()
    }

    /// Disputes come from elsewhere; here they are only there.
    fn dispute(&mut self, mut words: Words<'_>) -> String {
        let payment = self.desk.payment(payment(&mut words));
        match next(&mut words) {
            "retrieval" => payment.open_retrievals = 1,
            "chargeback" => payment.open_chargebacks = 1,
            "none" => (payment.open_retrievals, payment.open_chargebacks) = (0, 0),
            "lost" => payment.charged_back = money(&mut words),
            other => panic!("no dispute is called {other}"),
        }
        "set".to_owned()
    }

    /// The other side tells: of which payment, over how much, of which type.
    fn told_dispute(&mut self, verb: &str, mut words: Words<'_>) -> Outcome {
        let name = words.peek().copied().unwrap_or_default().to_owned();
        let dispute_id = dispute(&mut words);
        assert_eq!(next(&mut words), "of");
        let payment = PaymentKey::Id(payment(&mut words));
        let amount = money(&mut words);
        let kind = DisputeKind::from_word(verb).unwrap_or(DisputeKind::Dispute);
        let mut told = RecordDispute {
            dispute_id,
            merchant_id: MERCHANT,
            mode: Mode::Live,
            payment,
            kind,
            category: kind.categories()[0],
            amount,
            network_reference: name,
            reason_code: "10.4".to_owned(),
            reason: "fraud".to_owned(),
            opened_at: self.desk.now,
            reply_by: None,
        };
        while let Some(word) = words.next() {
            match word {
                "as" => told.category = DisputeCategory::from_word(next(&mut words)).unwrap(),
                "called" => told.network_reference = next(&mut words).to_owned(),
                other => panic!("a dispute has no {other}"),
            }
        }
        self.desk.record_dispute(told)
    }

    /// Somebody does something about a dispute; the operator tells what the other side says.
    fn in_dispute(&mut self, mut words: Words<'_>) -> Outcome {
        let id = dispute(&mut words);
        let who = match next(&mut words) {
            "merchant" => one_of_the_merchant("shop"),
            _ => operator(),
        };
        self.desk.change_dispute(id, DisputeChange::from_word(next(&mut words)).unwrap(), who)
    }

    fn void(&mut self, mut words: Words<'_>) -> Outcome {
        let id = payment(&mut words);
        match words.next() {
            Some("as_sale") => self.desk.void(id, VoidWhat::OfflineSale, operator()),
            Some("by_time") => self.desk.void(id, VoidWhat::Authorisation, Actor::System),
            _ => self.desk.void(id, VoidWhat::Authorisation, operator()),
        }
    }

    fn void_task(&self, mut words: Words<'_>) -> String {
        let id = refundry_engine::task::Task::void_payment(MERCHANT, payment(&mut words), self.desk.now).id;
        answers::task(self.desk.tasks.get(&(MERCHANT, id)), self.desk.now)
    }

    fn dialect(&mut self, mut words: Words<'_>) -> String {
        self.remember_refusals = next(&mut words) == "remembers_refusals";
        "set".to_owned()
    }

    fn after(&mut self, mut words: Words<'_>) -> String {
        let count: i64 = next(&mut words).parse().unwrap();
        self.desk.now = match next(&mut words) {
            "seconds" | "second" => self.desk.now.plus_seconds(count),
            "hours" | "hour" => self.desk.now.plus_seconds(3_600 * count),
            "days" | "day" => self.desk.now.plus_days(count),
            other => panic!("time is not counted in {other}"),
        };
        "set".to_owned()
    }

    fn refund(&mut self, mut words: Words<'_>) -> Outcome {
        let name = words.peek().copied().unwrap_or_default().to_owned();
        let id = refund(&mut words);
        assert_eq!(next(&mut words), "of");
        let mut create =
            CreateRefund { remember_refusals: self.remember_refusals, ..request(id, payment(&mut words), money(&mut words), &name) };
        let mut by = "shop";
        while let Some(word) = words.next() {
            match word {
                "marketing" => create.marketing = Some(money(&mut words)),
                "with" => create.sharing = Some(Box::new(shares::asked(&self.desk, &mut words, create.amount.money().unwrap().currency()))),
                "as_whole" => create.extent = Some(Extent::Whole),
                "as_part" => create.extent = Some(Extent::Part),
                "of_order" => create.order.amount = Some(money(&mut words).into()),
                "expecting" => create.expected_remaining = Some(money(&mut words)),
                "unnumbered" => {
                    create.key.number = next(&mut words).to_owned();
                    create.key_seconds = Some(600);
                }
                "numbered" => create.key.number = next(&mut words).to_owned(),
                "to" => create.notify_url = Some(next(&mut words).to_owned()),
                "by" => by = next(&mut words),
                "because" => create.reason = Some(next(&mut words).to_owned()),
                "in_sandbox" => create.mode = Mode::Sandbox,
                "at_another_terminal" => create.terminal_id = Some(TerminalId::new(999)),
                "at_no_named_terminal" => create.terminal_id = None,
                "accepting" => create.accepts_dispute = Some(dispute(&mut words)),
                "dry" => create.dry_run = true,
                other => panic!("a refund has no {other}"),
            }
        }
        self.desk.ask_as(by, create)
    }

    fn acquirer(&mut self, mut words: Words<'_>) -> Outcome {
        let id = refund(&mut words);
        let verb = next(&mut words);
        let mut attempt = self.desk.refund(id).attempts;
        let (mut arn, mut code) = (None, "51");
        while let Some(word) = words.next() {
            match word {
                "attempt" => attempt = next(&mut words).parse().unwrap(),
                "arn" => arn = Some(next(&mut words).parse().unwrap()),
                "code" => code = next(&mut words),
                other => panic!("an acquirer's answer has no {other}"),
            }
        }
        let answer = match verb {
            "approves" => AcquirerAnswer::Approved { reference: Some(format!("A{}", id.get())), arn },
            "declines" => AcquirerAnswer::Declined { code: code.to_owned(), text: "declined".to_owned() },
            "never_got_it" => AcquirerAnswer::NeverSent,
            "acknowledges" => AcquirerAnswer::Acknowledged { reference: None },
            "is_unclear" => AcquirerAnswer::Unclear,
            other => panic!("no acquirer {other}"),
        };
        self.desk.answer(id, attempt, answer)
    }

    fn review(&mut self, mut words: Words<'_>) -> Outcome {
        let id = refund(&mut words);
        let approve = next(&mut words) == "passes";
        assert_eq!(next(&mut words), "by");
        let by = next(&mut words);
        let seen = match words.next() {
            Some("as_seen") => {
                let of = if words.peek().is_some() { refund(&mut words) } else { id };
                self.looked_at[&of].clone()
            }
            Some(other) => panic!("a review has no {other}"),
            None => self.desk.refund(id).content_hash(),
        };
        self.desk.review(id, by, approve, seen)
    }

    /// Somebody looks at a refund, and may decide about it later.
    fn look(&mut self, mut words: Words<'_>) -> String {
        let id = refund(&mut words);
        self.looked_at.insert(id, self.desk.refund(id).content_hash());
        "seen".to_owned()
    }

    fn edit(&mut self, mut words: Words<'_>) -> Outcome {
        let refund_id = refund(&mut words);
        let mut edit = EditRefund {
            merchant_id: MERCHANT,
            mode: Mode::Live,
            refund_id,
            seen: None,
            amount: None,
            marketing: None,
            reason: None,
            metadata: None,
        };
        let mut by = "shop";
        while let Some(word) = words.next() {
            match word {
                "by" => by = next(&mut words),
                "to" => edit.amount = Some(money(&mut words)),
                "marketing" => edit.marketing = Some(money(&mut words)),
                "because" => edit.reason = Some(Some(next(&mut words).to_owned())),
                "for_no_reason" => edit.reason = Some(None),
                "saying" => edit.metadata = Some(Some(next(&mut words).to_owned())),
                "as_seen" => edit.seen = Some(self.looked_at[&refund_id].clone()),
                "in_sandbox" => edit.mode = Mode::Sandbox,
                other => panic!("an edit has no {other}"),
            }
        }
        self.desk.edit(by, edit)
    }

    fn balance(&self, mut words: Words<'_>) -> String {
        let name = next(&mut words);
        let currency = next(&mut words).parse().unwrap();
        let account =
            chart::ALL.into_iter().find(|account| account.name() == name).unwrap_or_else(|| panic!("no account is called {name}"));
        Money::new(self.desk.snapshot.balances.of(MERCHANT, account, currency), currency).to_string()
    }

    /// The hour that is due strikes: those who go by the clock are looked at.
    fn strike(&mut self, mut words: Words<'_>) -> String {
        let currency = next(&mut words).parse().unwrap();
        let now = self.desk.now;
        match self.desk.hours(currency).into_iter().find(|task| task.due_at <= now) {
            Some(task) => answers::outcome(&self.desk.serve_task(task, PAGE)),
            None => "no hour".to_owned(),
        }
    }

    /// When the clock strikes next for a queue.
    fn hours(&self, mut words: Words<'_>) -> String {
        let currency = next(&mut words).parse().unwrap();
        let due = self.desk.hours(currency).into_iter().map(|task| (task.due_at.us() - self.desk.now.us()) / 3_600_000_000);
        let due: Vec<String> = due.map(|hours| format!("in {hours} hours")).collect();
        if due.is_empty() { "none".to_owned() } else { due.join(", ") }
    }

    fn task(&self, mut words: Words<'_>) -> String {
        let subject = next(&mut words);
        let task = match subject.parse() {
            Ok(currency) => {
                let id = refundry_engine::task::Task::release_waiting(MERCHANT, currency, self.desk.now).id;
                self.desk.tasks.get(&(MERCHANT, id))
            }
            Err(_) => self.desk.task(RefundId::new(REFUNDS_FROM + number(subject, 'r'))),
        };
        answers::task(task, self.desk.now)
    }

    /// The events since they were asked for last, and who hears of the last one.
    fn told(&mut self) -> String {
        let new = &self.desk.events[self.events_seen..];
        let kinds: Vec<&str> = new.iter().map(|event| event.kind.word()).collect();
        let last = new.last().map(|event| (event.merchant_id, event.sequence));
        let of_last = |notification: &&Notification| last == Some((notification.merchant_id, notification.event_sequence));
        let heard = self.desk.snapshot.notifications.values().filter(of_last);
        let heard: Vec<String> = heard.map(|notification| answers::recipient(&notification.recipient)).collect();
        self.events_seen = self.desk.events.len();
        let to = if heard.is_empty() { String::new() } else { format!(" to {}", heard.join(" ")) };
        format!("{}{to}", kinds.join(" "))
    }

    /// What the last event says beside what all events of a refund say.
    fn facts(&self) -> String {
        let facts = self.desk.events.iter().last().map_or(&[][..], |event| &event.facts);
        let shared = ["refund_id", "payment_reference", "number", "amount", "state", "terminal"];
        let own = facts.iter().filter(|(name, _)| !shared.contains(&name.as_str()));
        own.map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", ")
    }

    fn audited(&mut self) -> String {
        let lines: Vec<String> =
            self.desk.audit[self.audit_seen..].iter().map(|line| format!("{} by {}", line.action, line.actor)).collect();
        self.audit_seen = self.desk.audit.len();
        lines.join(", ")
    }
}

fn next<'a>(words: &mut Words<'a>) -> &'a str {
    words.next().expect("the sentence ends too early")
}

fn money(words: &mut Words<'_>) -> Money {
    let amount = next(words);
    Money::parse_major(amount, next(words).parse().unwrap()).unwrap()
}

fn number(word: &str, kind: char) -> i64 {
    word.strip_prefix(kind).and_then(|digits| digits.parse().ok()).unwrap_or_else(|| panic!("{word} is not {kind} and a number"))
}

fn fee_mode(word: &str) -> FeeMode {
    FeeMode::ALL.into_iter().find(|mode| mode.word() == word).unwrap_or_else(|| panic!("no fee mode is called {word}"))
}

fn payment(words: &mut Words<'_>) -> PaymentId {
    PaymentId::new(PAYMENTS_FROM + number(next(words), 'p'))
}

fn dispute(words: &mut Words<'_>) -> DisputeId {
    DisputeId::new(DISPUTES_FROM + number(next(words), 'd'))
}

fn refund(words: &mut Words<'_>) -> RefundId {
    RefundId::new(REFUNDS_FROM + number(next(words), 'r'))
}

fn review_rule(value: &str) -> ReviewRule {
    match value {
        "none" => ReviewRule::None,
        "all" => ReviewRule::All,
        any if any.contains(':') => ReviewRule::AnyOf { rules: any.split(',').map(review_trigger).collect() },
        above => ReviewRule::Above { minor: above.parse().unwrap() },
    }
}

fn review_trigger(text: &str) -> ReviewTrigger {
    let (kind, rest) = text.split_once(':').unwrap_or_else(|| panic!("{text} is not kind:rest"));
    let parts: Vec<&str> = rest.split(':').collect();
    match kind {
        "above" => ReviewTrigger::Above { minor: rest.parse().unwrap() },
        "age" => ReviewTrigger::PaymentAge { days: rest.parse().unwrap() },
        "reason" => ReviewTrigger::Reason { one_of: rest.split('|').map(str::to_owned).collect() },
        "share" => ReviewTrigger::Share { percent: rest.parse().unwrap() },
        "velocity" | "terminal_velocity" => ReviewTrigger::Velocity {
            hours: parts[0].parse().unwrap(),
            refunds: parts[1].parse().ok(),
            minor: parts.get(2).map(|minor| minor.parse().unwrap()),
            of: if kind == "velocity" { VelocityOf::Merchant } else { VelocityOf::Terminal },
        },
        other => panic!("no rule is called {other}"),
    }
}

fn funds_rule(value: &str) -> FundsRule {
    match value {
        "wait" => FundsRule::Wait,
        "refuse" => FundsRule::Refuse,
        "fail_later" => FundsRule::FailLater,
        other => panic!("{other} is no rule for funds"),
    }
}

fn quote(words: &mut Words<'_>) -> SettlementQuote {
    let settlement_currency = next(words).parse().unwrap();
    let price = next(words);
    let (whole, fraction) = price.split_once('.').unwrap_or((price, ""));
    SettlementQuote {
        quote_id: None,
        settlement_currency,
        price_mantissa: format!("{whole}{fraction}").parse().unwrap(),
        price_scale: u32::try_from(fraction.len()).unwrap(),
        start_at: None,
        expiry_at: None,
        guaranteed: true,
    }
}

fn not_captured(payment: &mut Payment, status: &str) {
    payment.captured = Money::zero(payment.currency());
    payment.status = match status {
        "pending" => PaymentStatus::Pending,
        "authorised" => PaymentStatus::Authorised,
        "failed" => PaymentStatus::Failed,
        "cancelled" => PaymentStatus::Cancelled,
        "closed" => PaymentStatus::Closed,
        other => panic!("{other} is no status"),
    };
}

fn patch_policy(patch: &mut PolicyPatch, words: Words<'_>) {
    for word in words {
        let (rule, value) = word.split_once('=').unwrap_or_else(|| panic!("{word} is not rule=value"));
        let yes = value == "yes";
        match rule {
            "window_days" => patch.refund_window_days = value.parse().ok(),
            "partial" => patch.partial_allowed = Some(yes),
            "several" => patch.several_allowed = Some(yes),
            "count_max" => patch.refund_count_max = Some(value.parse().ok()),
            "review" => patch.review = Some(review_rule(value)),
            "second_reviewer_above" => patch.second_reviewer_above_minor = Some(value.parse().ok()),
            "second_person" => patch.second_person = Some(yes),
            "funds" => patch.funds = Some(funds_rule(value)),
            "order" => patch.funds_order = Some(if value == "skip" { FundsOrder::Skip } else { FundsOrder::Strict }),
            "check" => patch.funds_check = Some(if value == "at_hours" { FundsCheck::oceanpayment() } else { FundsCheck::OnCredit }),
            "wait_days" => patch.funds_wait_days = value.parse().ok(),
            "draw_unsettled" => patch.draw_unsettled = Some(yes),
            "draw_reserve" => patch.draw_reserve = Some(yes),
            "draw_available" => patch.draw_available = Some(yes),
            "fee" => patch.original_fee = Some(if value == "give_back" { FeeRule::GiveBack } else { FeeRule::Keep }),
            "chargeback_fee_minor" => patch.chargeback_fee_minor = value.parse().ok(),
            "chargeback_fee" => patch.chargeback_fee = Some(if yes || value == "give_back" { FeeRule::GiveBack } else { FeeRule::Keep }),
            "refund_fee_minor" => patch.refund_fee_minor = value.parse().ok(),
            "refuse_in_payout" => patch.refuse_in_payout = Some(yes),
            "fee_rounding_tolerance" => patch.fee_rounding_tolerance = Some(yes),
            "reconciled_only" => patch.reconciled_only = Some(yes),
            "undo_seconds" => patch.undo_seconds = value.parse().ok(),
            other => panic!("no policy is called {other}"),
        }
    }
}
