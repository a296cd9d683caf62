//! What the rows say that a batch asked for, taken over into its snapshot.

use refundry_engine::adjustment::Adjustment;
use refundry_engine::payout::Payout;
use refundry_engine::{MerchantId, chart};
use refundry_ledger::Currency;
use tokio_postgres::Row;

use super::{LAST_SEQUENCE, Loading, WAITING};
use crate::StoreError;
use crate::postgres::columns::Columns;
use crate::rows::{self, ReadColumns as _};

impl Loading {
    pub(super) fn lock(&mut self, row: &Row) -> Result<(), StoreError> {
        self.locked.insert(MerchantId::new(Columns::new(row, "counter").int()?));
        Ok(())
    }

    pub(super) fn version(&mut self, row: &Row) -> Result<(), StoreError> {
        let mut columns = Columns::new(row, "merchant");
        self.versions.insert(MerchantId::new(columns.int()?), columns.int()?);
        Ok(())
    }

    pub(super) fn counter(&mut self, row: &Row) -> Result<(), StoreError> {
        let mut columns = Columns::new(row, "counter");
        let merchant_id = MerchantId::new(columns.int()?);
        let name = columns.text()?;
        if name == LAST_SEQUENCE {
            self.snapshot.last_sequence.insert(merchant_id, columns.int()?);
        } else {
            let currency = name.strip_prefix(WAITING).and_then(|code| code.parse().ok());
            let currency: Currency = currency.ok_or_else(|| columns.unreadable("the counter is not known"))?;
            self.snapshot.waiting.insert((merchant_id, currency), columns.int()?);
        }
        Ok(())
    }

    pub(super) fn balance(&mut self, row: &Row) -> Result<(), StoreError> {
        let mut columns = Columns::new(row, "balance");
        let (merchant_id, currency) = (MerchantId::new(columns.int()?), columns.currency()?);
        let account = chart::by_code(columns.small()?).ok_or_else(|| columns.unreadable("the account is not known"))?;
        self.snapshot.balances.set(merchant_id, account, currency, columns.int()?);
        self.snapshot.pots.extend(columns.json_or_null()?.map(|pots| ((merchant_id, currency), pots)));
        Ok(())
    }

    pub(super) fn payout(&mut self, row: &Row) -> Result<(), StoreError> {
        let payout: Payout = Columns::new(row, "payout").json()?;
        self.snapshot.payouts.insert((payout.merchant_id, payout.id), payout);
        Ok(())
    }

    pub(super) fn adjustment(&mut self, row: &Row) -> Result<(), StoreError> {
        let adjustment: Adjustment = Columns::new(row, "adjustment").json()?;
        self.snapshot.adjustments.insert((adjustment.merchant_id, adjustment.id), adjustment);
        Ok(())
    }

    pub(super) fn next_settlement(&mut self, row: &Row) -> Result<(), StoreError> {
        let mut columns = Columns::new(row, "payment");
        let (merchant_id, at) = (MerchantId::new(columns.int()?), columns.instant()?);
        let next = self.snapshot.next_settlement.entry(merchant_id).or_insert(at);
        *next = at.min(*next);
        Ok(())
    }

    pub(super) fn remembered(&mut self, row: &Row) -> Result<(), StoreError> {
        let remembered = rows::other::remembered(&mut Columns::new(row, "remembered key"))?;
        self.snapshot.remembered.insert(remembered.key.clone(), remembered);
        Ok(())
    }

    pub(super) fn refund(&mut self, row: &Row) -> Result<(), StoreError> {
        let refund = rows::refund::read(&mut Columns::new(row, "refund"))?;
        self.snapshot.refunds.insert((refund.merchant_id, refund.id), refund);
        Ok(())
    }

    pub(super) fn payment(&mut self, row: &Row) -> Result<(), StoreError> {
        let payment = rows::payment::read(&mut Columns::new(row, "payment"))?;
        self.snapshot.references.insert((payment.merchant_id, payment.payment_reference.clone()), payment.id);
        self.snapshot.payments.insert((payment.merchant_id, payment.id), payment);
        Ok(())
    }

    pub(super) fn notification(&mut self, row: &Row) -> Result<(), StoreError> {
        let notification = rows::other::notification(&mut Columns::new(row, "notification"))?;
        self.snapshot.notifications.insert((notification.merchant_id, notification.id), notification);
        Ok(())
    }

    pub(super) fn task(&mut self, row: &Row) -> Result<(), StoreError> {
        let task = rows::other::task(&mut Columns::new(row, "task"))?;
        self.snapshot.tasks.insert((task.merchant_id, task.id), task);
        Ok(())
    }

    pub(super) fn credential(&mut self, row: &Row) -> Result<(), StoreError> {
        let credential: refundry_engine::credential::Credential = Columns::new(row, "credential").json()?;
        self.snapshot.credentials.insert(credential.id, credential);
        Ok(())
    }

    pub(super) fn person(&mut self, row: &Row) -> Result<(), StoreError> {
        let person: refundry_engine::person::Person = Columns::new(row, "person").json()?;
        self.snapshot.people.insert(person.key(), person);
        Ok(())
    }

    pub(super) fn merchant(&mut self, row: &Row) -> Result<(), StoreError> {
        let mut columns = Columns::new(row, "setting");
        self.read.push((columns.int()?, columns.json()?));
        Ok(())
    }

    pub(super) fn terminal(&mut self, row: &Row) -> Result<(), StoreError> {
        self.read_terminals.push(Columns::new(row, "setting").json()?);
        Ok(())
    }
}
