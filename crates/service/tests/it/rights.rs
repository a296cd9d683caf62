//! Every function of the service against every caller that must not use it: one that lacks the permission, a stranger, the other mode. What is
//! missing in `asks` is not proved, so a new function gets a line there.

use futures::FutureExt as _;
use futures::future::BoxFuture;
use refundry_engine::adjustment::AdjustmentKind;
use refundry_engine::command::PaymentMark;
use refundry_engine::credential::Holder;
use refundry_engine::dispute::{DisputeChange, DisputeKind};
use refundry_engine::merchant::Standing;
use refundry_engine::notification::NotificationState;
use refundry_engine::payment::PaymentKey;
use refundry_engine::payout::PayoutTerms;
use refundry_engine::policy::{PolicyPatch, ReviewRule};
use refundry_engine::rate::DailyRate;
use refundry_engine::settlement::ShipmentState;
use refundry_engine::{
    CredentialId, DisputeId, EndpointId, MerchantId, Mode, NotificationId, PaymentId, PersonId, RefundId, Refusal, TerminalId,
};
use refundry_service::adjustments::{self, NewAdjustment};
use refundry_service::batches;
use refundry_service::caller::Caller;
use refundry_service::credentials::{self, NewCredential, NewKey};
use refundry_service::disputes::{self, NewDispute};
use refundry_service::endpoints::{self, EndpointChange, NewEndpoint};
use refundry_service::merchants::{self, MerchantChange, NewMerchant};
use refundry_service::notifications::{self, ReplayRange};
use refundry_service::people::{self, NewPerson, PersonChange};
use refundry_service::permissions::{Permission, Permissions};
use refundry_service::rates;
use refundry_service::refunds::{self, NATIVE};
use refundry_service::reviews::{self, Review};
use refundry_service::shipments::{self, PaymentNames, TrackingRow};
use refundry_service::terminals::{self, ForceAnswer, NewTerminal, TerminalChange};
use refundry_service::trade_lines::{self, TradeFilter};
use refundry_service::{Service, ServiceError, audit, authenticate, events, funds, payments, payouts, settlement};
use refundry_store::{
    AdjustmentFilter, DisputeFilter, NotificationFilter, PageRequest, PaymentFilter, PayoutFilter, RateFilter, RefundFilter,
};

use crate::house::{House, Shop, money, payment, refund};

/// What belongs to one merchant, one of each.
struct Belongings {
    shop: Shop,
    merchant_id: MerchantId,
    terminal_id: TerminalId,
    payment_id: PaymentId,
    refund_id: RefundId,
    credential_id: CredentialId,
    person_id: PersonId,
    endpoint_id: EndpointId,
    notification_id: NotificationId,
    dispute_id: DisputeId,
}

async fn belongings(house: &House, mode: Mode) -> Belongings {
    let service = &house.service;
    let shop = house.shop(mode, "antom", PolicyPatch { undo_seconds: Some(600), ..PolicyPatch::default() }).await;
    let new = NewEndpoint { merchant_id: None, url: "https://shop.example/hook".to_owned(), events: Vec::new() };
    let endpoint = endpoints::create(service, &shop.caller, new).await.unwrap().endpoint;
    let paid = house.paid(&shop, "p1", "100.00 EUR").await;
    let accepted = refunds::create(service, &shop.caller, NATIVE, refund("r1", "p1", "10.00 EUR")).await.unwrap();
    let listed = notifications::list(service, &shop.caller, NotificationFilter::default(), PageRequest::default()).await.unwrap();
    let lookup = authenticate::public_part(&shop.token).unwrap();
    let credential = service.world.store.credentials_by_lookup("native", lookup).await.unwrap().remove(0);
    let new = NewPerson { merchant_id: Some(shop.merchant.id), name: "Ann".to_owned(), role: "reviewer".to_owned() };
    let person = people::create(service, &house.operator(mode), new).await.unwrap();
    let (dispute, _) = disputes::record(service, &house.operator(mode), complaint(shop.merchant.id, "case 1")).await.unwrap();
    Belongings {
        dispute_id: dispute.id,
        merchant_id: shop.merchant.id,
        terminal_id: shop.terminal.id,
        payment_id: paid.id,
        refund_id: accepted.refund.id,
        credential_id: credential.id,
        person_id: person.id,
        endpoint_id: endpoint.id,
        notification_id: listed.rows[0].id,
        shop,
    }
}

/// The provider of a method tells of a shopper's complaint.
fn complaint(merchant_id: MerchantId, network_reference: &str) -> NewDispute {
    NewDispute {
        merchant_id,
        payment: PaymentKey::Reference("p1".to_owned()),
        kind: DisputeKind::Dispute,
        category: None,
        amount: money("10.00 EUR"),
        network_reference: network_reference.to_owned(),
        reason_code: String::new(),
        reason: String::new(),
        opened_at: None,
        reply_by: None,
    }
}

type Ask<'a> = (&'static str, Permission, BoxFuture<'a, Result<(), ServiceError>>);

/// One call of every function, by `caller`, about what belongs to somebody. What destroys comes last.
fn asks<'a>(service: &'a Service, caller: &'a Caller, of: &'a Belongings) -> Vec<Ask<'a>> {
    let merchant = Some(of.merchant_id);
    let mut asks: Vec<Ask<'a>> = Vec::new();
    let mut ask = |name, permission, future: BoxFuture<'a, Result<(), ServiceError>>| asks.push((name, permission, future));
    macro_rules! ask {
        ($name:literal, $permission:ident, $call:expr) => {
            ask($name, Permission::$permission, async move { $call.await.map(|_| ()) }.boxed())
        };
    }
    ask!("refunds::create", RefundsWrite, {
        let mut new = refund("r2", "p1", "1.00 EUR");
        (new.merchant_id, new.terminal_id) = (merchant, Some(of.terminal_id));
        refunds::create(service, caller, NATIVE, new)
    });
    ask!("refunds::find", RefundsRead, refunds::find(service, caller, merchant, of.refund_id));
    ask!("refunds::story", RefundsRead, refunds::story(service, caller, merchant, of.refund_id));
    ask!("refunds::find_by_number", RefundsRead, refunds::find_by_number(service, caller, NATIVE, merchant, "r1"));
    ask!("refunds::list", RefundsRead, {
        refunds::list(service, caller, RefundFilter { merchant_id: merchant, ..RefundFilter::default() }, PageRequest::default())
    });
    ask!("batches::cancel", RefundsWrite, batches::cancel(service, caller, merchant, "spring", None));
    ask!("reviews::list", RefundsRead, reviews::list(service, caller, merchant, PageRequest::default()));
    ask!("people::find", PeopleRead, people::find(service, caller, merchant, of.person_id));
    ask!("people::list", PeopleRead, people::list(service, caller, merchant, PageRequest::default()));
    ask!("payments::find", PaymentsRead, async { payments::find(service, caller, merchant, &PaymentKey::Id(of.payment_id)).await });
    ask!("payments::list", PaymentsRead, {
        payments::list(service, caller, PaymentFilter { merchant_id: merchant, ..PaymentFilter::default() }, PageRequest::default())
    });
    ask!("payments::record", PaymentsWrite, {
        payments::record(service, caller, payment(&of.shop, "p2", "5.00 EUR", service.world.now()))
    });
    ask!("payments::settle", PaymentsWrite, payments::settle(service, caller, merchant, of.payment_id));
    ask!("shipments::record_tracking", ShipmentsWrite, async {
        let key = PaymentKey::Id(of.payment_id);
        shipments::record_tracking(service, caller, (merchant, &key), "LX1", "https://carrier.example/x".to_owned()).await
    });
    ask!("shipments::import_tracking", ShipmentsWrite, {
        let names = PaymentNames { payment_reference: Some("p1".to_owned()), merchant_reference: None };
        let row = TrackingRow { names, tracking_numbers: "LX2".to_owned(), carrier_url: "https://carrier.example/x".to_owned() };
        shipments::import_tracking(service, caller, merchant, vec![row])
    });
    ask!("shipments::record_state", PaymentsWrite, {
        shipments::record_state(service, caller, merchant, of.payment_id, ShipmentState::Delivered)
    });
    ask!("settlement::overview", FundsRead, settlement::overview(service, caller, merchant));
    ask!("settlement::coming", FundsRead, settlement::coming(service, caller, merchant, None, 30));
    ask!("merchants::find", MerchantsRead, merchants::find(service, caller, merchant));
    ask!("terminals::find", MerchantsRead, terminals::find(service, caller, merchant, of.terminal_id));
    ask!("terminals::list", MerchantsRead, terminals::list(service, caller, merchant));
    ask!("terminals::effective_policy", MerchantsRead, { terminals::effective_policy(service, caller, merchant, of.terminal_id, "card") });
    ask!("credentials::find", KeysRead, credentials::find(service, caller, of.credential_id));
    ask!("credentials::list", KeysRead, credentials::list(service, caller, merchant, PageRequest::default()));
    ask!("endpoints::list", NotificationsRead, endpoints::list(service, caller, merchant));
    ask!("notifications::list", NotificationsRead, {
        let filter = NotificationFilter { merchant_id: merchant, ..NotificationFilter::default() };
        notifications::list(service, caller, filter, PageRequest::default())
    });
    ask!("notifications::story", NotificationsRead, notifications::story(service, caller, merchant, of.notification_id));
    ask!("events::after", EventsRead, events::after(service, caller, merchant, 0, 10));
    ask!("disputes::record", DisputesRecord, disputes::record(service, caller, complaint(of.merchant_id, "case 2")));
    ask!("disputes::change by the other side", DisputesRecord, {
        disputes::change(service, caller, (merchant, of.dispute_id), DisputeChange::Withdraw, String::new())
    });
    ask!("disputes::find", DisputesRead, disputes::find(service, caller, merchant, of.dispute_id));
    ask!("disputes::list", DisputesRead, {
        let filter = DisputeFilter { merchant_id: merchant, ..DisputeFilter::default() };
        disputes::list(service, caller, filter, PageRequest::default())
    });
    ask!("disputes::open", DisputesRead, disputes::open(service, caller, merchant));
    ask!("audit::list", AuditRead, audit::list(service, caller, merchant, PageRequest::default()));
    ask!("funds::balances", FundsRead, funds::balances(service, caller, merchant));
    let changes = changes(service, caller, of);
    asks.extend(changes);
    asks
}

/// What changes settings, and what destroys.
fn changes<'a>(service: &'a Service, caller: &'a Caller, of: &'a Belongings) -> Vec<Ask<'a>> {
    let merchant = Some(of.merchant_id);
    let mut asks: Vec<Ask<'a>> = Vec::new();
    let mut ask = |name, permission, future: BoxFuture<'a, Result<(), ServiceError>>| asks.push((name, permission, future));
    macro_rules! ask {
        ($name:literal, $permission:ident, $call:expr) => {
            ask($name, Permission::$permission, async move { $call.await.map(|_| ()) }.boxed())
        };
    }
    ask!("merchants::change", MerchantsWrite, {
        let change = MerchantChange { standing: Some(Standing::Active), ..MerchantChange::default() };
        merchants::change(service, caller, of.merchant_id, change)
    });
    ask!("settlement::mark", PaymentsWrite, {
        let names = PaymentNames { payment_reference: Some("p1".to_owned()), merchant_reference: None };
        settlement::mark(service, caller, merchant, PaymentMark::Reconciled, vec![names])
    });
    ask!("settlement::release_reserve", FundsWrite, settlement::release_reserve(service, caller, merchant, of.payment_id));
    ask!("funds::top_up", FundsWrite, funds::top_up(service, caller, merchant, money("7.00 EUR"), "t1".to_owned()));
    ask!("funds::record_acquirer_settlement", FundsWrite, {
        funds::record_acquirer_settlement(service, caller, merchant, money("7.00 EUR"), "s1".to_owned())
    });
    ask!("settlement::collect_exposure", FundsWrite, { settlement::collect_exposure(service, caller, merchant, of.payment_id, None) });
    ask!("settlement::release_fixed_reserve", FundsWrite, {
        settlement::release_fixed_reserve(service, caller, merchant, money("0.00 EUR"))
    });
    ask!("terminals::create", TerminalsWrite, {
        let new = NewTerminal {
            merchant_id: merchant,
            name: "Second till".to_owned(),
            dialect: "native".to_owned(),
            acquirer: None,
            policy: PolicyPatch::default(),
            method_policies: Default::default(),
            notify_url: None,
            wire: Default::default(),
        };
        terminals::create(service, caller, new)
    });
    ask!("terminals::change", TerminalsWrite, {
        let change = TerminalChange { name: Some("Till one".to_owned()), ..TerminalChange::default() };
        terminals::change(service, caller, merchant, of.terminal_id, change)
    });
    ask!("terminals::force_answer", TerminalsWrite, {
        let force = ForceAnswer { api: "refund".to_owned(), code: None, minutes: 0 };
        terminals::force_answer(service, caller, merchant, of.terminal_id, force)
    });
    ask!("endpoints::create", NotificationsWrite, {
        let new = NewEndpoint { merchant_id: merchant, url: "https://shop.example/two".to_owned(), events: Vec::new() };
        endpoints::create(service, caller, new)
    });
    ask!("endpoints::change", NotificationsWrite, {
        endpoints::change(service, caller, merchant, of.endpoint_id, EndpointChange::default())
    });
    ask!("notifications::replay", NotificationsWrite, notifications::replay(service, caller, merchant, of.notification_id));
    ask!("notifications::replay_range", NotificationsWrite, {
        let range = ReplayRange { merchant_id: merchant, state: NotificationState::Parked, from: None, to: None };
        notifications::replay_range(service, caller, range)
    });
    ask!("people::create", PeopleWrite, {
        people::create(service, caller, NewPerson { merchant_id: merchant, name: "Bob".to_owned(), role: "applicant".to_owned() })
    });
    ask!("people::change", PeopleWrite, {
        people::change(
            service,
            caller,
            merchant,
            of.person_id,
            PersonChange { role: Some("reviewer".to_owned()), ..PersonChange::default() },
        )
    });
    ask!("credentials::issue", KeysWrite, {
        let new = NewCredential {
            holder: Holder::Merchant { merchant_id: of.merchant_id },
            dialect: "native".to_owned(),
            key: NewKey::Token,
            lookup: None,
            permissions: Some(vec!["refunds:read".to_owned()]),
            name: "second key".to_owned(),
            person_id: None,
            expires_at: None,
        };
        credentials::issue(service, caller, new)
    });
    ask!("credentials::rotate", KeysWrite, credentials::rotate(service, caller, of.credential_id, NewKey::Token, 60));
    ask!("payouts::list", PayoutsRead, {
        let filter = PayoutFilter { merchant_id: merchant, ..PayoutFilter::default() };
        payouts::list(service, caller, filter, PageRequest::default())
    });
    ask!("trade_lines::list", FundsRead, async {
        let filter = TradeFilter { merchant_id: merchant, ..TradeFilter::default() };
        trade_lines::list(service, caller, &filter, PageRequest::default()).await
    });
    ask!("trade_lines::totals", FundsRead, async {
        let filter = TradeFilter { merchant_id: merchant, ..TradeFilter::default() };
        trade_lines::totals(service, caller, &filter).await
    });
    ask!("funds::top_ups", FundsRead, funds::top_ups(service, caller, merchant, (None, None), PageRequest::default()));
    ask!("payouts::totals", PayoutsRead, payouts::totals(service, caller, merchant));
    ask!("payouts::terms", PayoutsRead, payouts::terms(service, caller, merchant));
    ask!("payouts::put_terms", PayoutsWrite, {
        payouts::put_terms(service, caller, merchant, "EUR".parse().unwrap(), PayoutTerms::default())
    });
    ask!("adjustments::list", PayoutsRead, {
        let filter = AdjustmentFilter { merchant_id: merchant, ..AdjustmentFilter::default() };
        adjustments::list(service, caller, filter, PageRequest::default())
    });
    ask!("adjustments::propose", PayoutsWrite, {
        let (amount, reason) = (money("1.00 EUR"), "agreed".to_owned());
        adjustments::propose(
            service,
            caller,
            NewAdjustment {
                merchant_id: of.merchant_id,
                kind: AdjustmentKind::Deduction,
                amount,
                reason,
                payment: None,
                number: "a1".to_owned(),
            },
        )
    });
    ask!("refunds::cancel", RefundsWrite, refunds::cancel(service, caller, merchant, of.refund_id));
    ask!("endpoints::remove", NotificationsWrite, endpoints::remove(service, caller, merchant, of.endpoint_id));
    ask!("credentials::revoke", KeysWrite, credentials::revoke(service, caller, of.credential_id, None));
    asks
}

fn with_all_but(caller: &Caller, missing: Permission) -> Caller {
    let others = Permission::ALL.iter().copied().filter(|permission| *permission != missing);
    Caller { permissions: Permissions::of(others), ..caller.clone() }
}

fn with_all(caller: &Caller) -> Caller {
    Caller { permissions: Permissions::of(Permission::ALL.iter().copied()), ..caller.clone() }
}

#[tokio::test]
async fn the_operator_of_the_mode_may_do_all_of_it() {
    let house = House::build().await;
    let of = belongings(&house, Mode::Sandbox).await;
    let operator = house.operator(Mode::Sandbox);
    for (name, _, ask) in asks(&house.service, &operator, &of) {
        ask.await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
    }
}

#[tokio::test]
async fn without_its_permission_every_function_names_it() {
    let house = House::build().await;
    let of = belongings(&house, Mode::Sandbox).await;
    for permission in Permission::ALL {
        let caller = with_all_but(&house.operator(Mode::Sandbox), *permission);
        for (name, _, ask) in asks(&house.service, &caller, &of).into_iter().filter(|(_, needed, _)| needed == permission) {
            let refusal = Refusal::NotAllowed { permission: permission.word().to_owned() };
            assert_eq!(ask.await, Err(ServiceError::Refused(refusal)), "{name}");
        }
    }
}

#[tokio::test]
async fn rates_are_imported_by_the_operator_of_the_live_mode_alone_and_read_by_all() {
    let house = House::build().await;
    let of = belongings(&house, Mode::Live).await;
    let rate = |price: &str| {
        let (price_mantissa, price_scale) = DailyRate::parse_price(price).unwrap();
        let (base, quoted) = ("USD".parse().unwrap(), "CNY".parse().unwrap());
        vec![DailyRate { base, quoted, day: "2026-01-31".parse().unwrap(), price_mantissa, price_scale }]
    };
    let refused = Err(ServiceError::Refused(Refusal::NotAllowed { permission: "rates:write".to_owned() }));
    let (live, play) = (house.operator(Mode::Live), house.operator(Mode::Sandbox));
    for caller in [&play, &with_all(&of.shop.caller), &with_all_but(&live, Permission::RatesWrite)] {
        assert_eq!(rates::import(&house.service, caller, rate("7.1")).await, refused);
    }
    assert_eq!(rates::import(&house.service, &live, rate("7.1")).await, Ok(1));
    assert_eq!(rates::import(&house.service, &live, rate("7.1234")).await, Ok(1));
    for caller in [&live, &play, &with_all(&of.shop.caller)] {
        let kept = rates::list(&house.service, caller, RateFilter { limit: 10, ..RateFilter::default() }).await.unwrap();
        assert_eq!(kept, rate("7.1234"), "the later import counts");
    }
    let blind = with_all_but(&live, Permission::RatesRead);
    assert!(rates::list(&house.service, &blind, RateFilter::default()).await.is_err());
    let log = audit::list(&house.service, &live, None, PageRequest::default()).await.unwrap().rows;
    let imports: Vec<_> = log.iter().filter(|line| line.action == "rates.put").collect();
    assert_eq!(imports.len(), 2, "who imported what is on record");
    assert_eq!(imports[0].facts, [("2026-01-31 USD/CNY".to_owned(), "7.1234".to_owned())]);
}

#[tokio::test]
async fn strangers_and_the_other_mode_are_refused_everywhere_and_learn_nothing() {
    let house = House::build().await;
    for (mode, other) in [(Mode::Sandbox, Mode::Live), (Mode::Live, Mode::Sandbox)] {
        let of = belongings(&house, mode).await;
        let stranger = belongings(&house, mode).await;
        let foreigner = belongings(&house, other).await;
        let linked = Holder::Platform { mode, merchant_ids: vec![stranger.merchant_id] };
        let platform = house.caller(&house.token(mode, linked, None).await).await.unwrap();
        let at_the_till = Holder::Terminal { merchant_id: stranger.merchant_id, terminal_id: stranger.terminal_id };
        let till = house.caller(&house.token(mode, at_the_till, None).await).await.unwrap();
        let intruders = [
            ("a merchant", with_all(&stranger.shop.caller)),
            ("a terminal", with_all(&till)),
            ("a platform", with_all(&platform)),
            ("the operator of the other mode", house.operator(other)),
            ("a merchant of the other mode", with_all(&foreigner.shop.caller)),
        ];
        let before = house.service.world.store.events_after(of.merchant_id, 0, 200).await.unwrap();
        for (who, intruder) in &intruders {
            for (name, permission, ask) in asks(&house.service, intruder, &of) {
                let Err(ServiceError::Refused(refusal)) = ask.await else {
                    // A list that names nobody else's rows is an answer too; the operator's are checked below.
                    assert!(name.ends_with("::list") && intruder.is_operator(), "{who} {name}");
                    continue;
                };
                let says_no_more = matches!(
                    refusal,
                    Refusal::UnknownMerchant | Refusal::UnknownTerminal | Refusal::UnknownPayment | Refusal::UnknownRefund
                ) || matches!(&refusal, Refusal::Unknown { .. })
                    || refusal == Refusal::NotAllowed { permission: permission.word().to_owned() }
                    || name == "terminals::force_answer" && matches!(refusal, Refusal::FieldInvalid { .. });
                assert!(says_no_more, "{who} {name}: {refusal:?}");
            }
        }
        let after = house.service.world.store.events_after(of.merchant_id, 0, 200).await.unwrap();
        assert_eq!(before, after, "nothing happened to it");
    }
}

#[tokio::test]
async fn lists_show_the_caller_s_mode_and_merchants_only() {
    let house = House::build().await;
    let (play, live) = (belongings(&house, Mode::Sandbox).await, belongings(&house, Mode::Live).await);
    let service = &house.service;
    for (own, other) in [(&play, &live), (&live, &play)] {
        let operator = house.operator(own.shop.merchant.mode);
        let page = PageRequest::default();
        let of_other = RefundFilter { merchant_id: Some(other.merchant_id), ..RefundFilter::default() };
        assert!(refunds::list(service, &operator, of_other, page).await.unwrap().rows.is_empty());
        let of_other = PaymentFilter { merchant_id: Some(other.merchant_id), ..PaymentFilter::default() };
        assert!(payments::list(service, &operator, of_other, page).await.unwrap().rows.is_empty());

        let refunds = refunds::list(service, &operator, RefundFilter::default(), page).await.unwrap().rows;
        assert_eq!(refunds.iter().map(|row| row.id).collect::<Vec<_>>(), [own.refund_id]);
        let payments = payments::list(service, &operator, PaymentFilter::default(), page).await.unwrap().rows;
        assert_eq!(payments.iter().map(|row| row.id).collect::<Vec<_>>(), [own.payment_id]);
        let merchants = merchants::list(service, &operator, page).await.unwrap().rows;
        assert_eq!(merchants.iter().map(|row| row.id).collect::<Vec<_>>(), [own.merchant_id]);
        let merchants = merchants::list(service, &own.shop.caller, page).await.unwrap().rows;
        assert_eq!(merchants.iter().map(|row| row.id).collect::<Vec<_>>(), [own.merchant_id]);
        let keys = credentials::list(service, &operator, None, page).await.unwrap().rows;
        assert_eq!(keys.iter().map(|row| row.id).collect::<Vec<_>>(), [own.credential_id]);
        let key = house.token(operator.mode, Holder::Operator { mode: operator.mode }, None).await;
        let key = authenticate::public_part(&key).unwrap().to_owned();
        let key = service.world.store.credentials_by_lookup("native", &key).await.unwrap().remove(0).id.to_string();
        let log = audit::list(service, &operator, None, page).await.unwrap().rows;
        assert!(log.iter().all(|line| line.merchant_id.is_none_or(|id| id == own.merchant_id)));
        assert_eq!(log.iter().filter(|line| line.merchant_id.is_none()).map(|line| &line.subject).next(), Some(&key), "its own keys");
        let filter = NotificationFilter::default();
        let told = notifications::list(service, &operator, filter, page).await.unwrap().rows;
        assert!(!told.is_empty() && told.iter().all(|row| row.merchant_id == own.merchant_id));
    }
}

#[tokio::test]
async fn a_terminal_s_own_key_changes_no_settings_and_a_merchant_makes_no_merchants() {
    let house = House::build().await;
    let of = belongings(&house, Mode::Sandbox).await;
    let holder = Holder::Terminal { merchant_id: of.merchant_id, terminal_id: of.terminal_id };
    let till = with_all(&house.caller(&house.token(Mode::Sandbox, holder, None).await).await.unwrap());
    let settings = [Permission::MerchantsWrite, Permission::TerminalsWrite, Permission::KeysWrite];
    for (name, _, ask) in changes(&house.service, &till, &of).into_iter().filter(|(_, needed, _)| settings.contains(needed)) {
        assert!(matches!(ask.await, Err(ServiceError::Refused(Refusal::NotAllowed { .. }))), "{name}");
    }
    let merchant = with_all(&of.shop.caller);
    let no_review = PolicyPatch { review: Some(ReviewRule::None), ..PolicyPatch::default() };
    let change = TerminalChange { policy: Some(no_review), ..TerminalChange::default() };
    let changed = terminals::change(&house.service, &merchant, None, of.terminal_id, change).await;
    assert!(matches!(changed, Err(ServiceError::Refused(Refusal::NotAllowed { .. }))), "the rules are the operator's");
    let change = TerminalChange { name: Some("Till at the door".to_owned()), ..TerminalChange::default() };
    terminals::change(&house.service, &merchant, None, of.terminal_id, change).await.unwrap();
    let new = NewMerchant { name: "Another".to_owned(), account: None, policy: PolicyPatch::default() };
    let made = merchants::create(&house.service, &with_all(&of.shop.caller), new).await;
    assert!(matches!(made, Err(ServiceError::Refused(Refusal::NotAllowed { .. }))));
}

#[tokio::test]
async fn rules_beyond_their_limits_are_refused_at_every_level() {
    let house = House::build().await;
    let shop = house.shop(Mode::Sandbox, "native", PolicyPatch::default()).await;
    let (service, operator) = (&house.service, house.operator(Mode::Sandbox));
    let wild = PolicyPatch { synchronous_wait_ms: Some(u32::MAX), ..PolicyPatch::default() };
    let of_merchant = MerchantChange { policy: Some(wild.clone()), ..MerchantChange::default() };
    let of_terminal = TerminalChange { policy: Some(wild.clone()), ..TerminalChange::default() };
    let of_method = TerminalChange { method_policies: Some([("card".to_owned(), wild)].into()), ..TerminalChange::default() };
    let (merchant, terminal) = (Some(shop.merchant.id), shop.terminal.id);
    for result in [
        merchants::change(service, &operator, shop.merchant.id, of_merchant).await.map(|_| ()),
        terminals::change(service, &operator, merchant, terminal, of_terminal).await.map(|_| ()),
        terminals::change(service, &operator, merchant, terminal, of_method).await.map(|_| ()),
    ] {
        let Err(ServiceError::Refused(Refusal::FieldInvalid { field, .. })) = &result else { panic!("{result:?}") };
        assert_eq!(field, "policy.synchronous_wait_ms");
    }
}

#[test]
fn the_page_about_keys_lists_the_permissions_in_the_order_of_the_table() {
    for page in [include_str!("../../../../docs/operating/keys.md"), include_str!("../../../../docs/operating/keys.zh.md")] {
        let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
        let listed: Vec<_> = rows.filter_map(|row| row.split_once('`')).map(|(word, _)| word).collect();
        assert_eq!(listed, Permission::ALL.iter().map(|permission| permission.word()).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn the_applicant_does_not_review_and_a_reviewer_decides_once() {
    let house = House::build().await;
    let policy = PolicyPatch { review: Some(ReviewRule::All), ..PolicyPatch::default() };
    let shop = house.shop(Mode::Sandbox, "native", policy).await;
    house.paid(&shop, "p1", "100.00 EUR").await;
    let (service, operator) = (&house.service, house.operator(Mode::Sandbox));
    let applied = refunds::create(service, &shop.caller, NATIVE, refund("r1", "p1", "10.00 EUR")).await.unwrap().refund;
    let review = |content_hash: &str| Review {
        merchant_id: Some(shop.merchant.id),
        refund_id: applied.id,
        approve: true,
        note: "fine".to_owned(),
        content_hash: Some(content_hash.to_owned()),
    };
    let seen = applied.content_hash();
    let own = reviews::review(service, &with_all(&shop.caller), review(&seen)).await;
    assert_eq!(own, Err(ServiceError::Refused(Refusal::ReviewerIsApplicant)));
    let changed = reviews::review(service, &operator, review("another")).await;
    assert_eq!(changed, Err(ServiceError::Refused(Refusal::ReviewedContentChanged)));
    reviews::review(service, &operator, review(&seen)).await.unwrap();
    house.work().await;
    assert!(refunds::find(service, &shop.caller, None, applied.id).await.unwrap().state.is_final());
}
