//! A refund that takes shares back waits for the merchant's own part of it alone.

use refundry_engine::policy::{FundsRule, PolicyPatch};
use refundry_engine::refund::RefundState;
use refundry_engine::share::{AskedLines, AskedSharing};
use refundry_engine::{Mode, PaymentId, RefundId, ShareId};
use refundry_ledger::{Currency, Money};

use crate::desk::shares::line;
use crate::desk::{Desk, request};

#[test]
fn what_receivers_give_back_is_not_waited_for() {
    let policy = PolicyPatch { funds: Some(FundsRule::Wait), draw_unsettled: Some(false), ..PolicyPatch::default() };
    let mut desk = Desk::new(policy);
    desk.open_receiver('A', Mode::Live);
    let yuan: Currency = "CNY".parse().unwrap();
    let fen = |minor| Money::new(minor, yuan);
    desk.pay(PaymentId::new(1), fen(10_000), |_| {});
    let lines = vec![line(&desk, 'A', fen(3_000))];
    desk.share_out("S1", ShareId::new(5), PaymentId::new(1), (lines, None));
    desk.finish_share(ShareId::new(5), true);
    let mut wish = request(RefundId::new(10), PaymentId::new(1), fen(4_000), "R1");
    let returned = vec![line(&desk, 'A', fen(1_200))];
    wish.sharing = Some(Box::new(AskedSharing { lines: AskedLines::Named(returned), advance: Some(fen(500)) }));
    desk.ask_as("shop", wish);
    let RefundState::Pending { holds } = &desk.refund(RefundId::new(10)).state else { panic!("it waits") };
    assert_eq!(holds.funds.as_ref().unwrap().missing_minor, 2_800, "4000, but for what A gives back");
    assert_eq!(desk.places(yuan)[0].needs_minor, 2_800, "and those who look ahead say the same");
    desk.top_up(fen(2_800), "enough");
    desk.serve(yuan, 10);
    assert_eq!(desk.waiting(yuan), []);
}
