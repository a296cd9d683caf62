use tokio_postgres::Client;

use super::each;
use crate::StoreError;
use crate::books::{self, Disputed, FIGURES, Findings, Money, ShareBeside};
use crate::postgres::columns::Columns;
use crate::rows;
use crate::rows::ReadColumns as _;

/// What the disputes of each payment sum up to.
pub async fn disputed(client: &Client) -> Result<Disputed, StoreError> {
    let mut disputed = Disputed::default();
    let sql = format!("SELECT merchant_id, payment_id, {FIGURES} FROM disputes GROUP BY merchant_id, payment_id");
    each(client, &sql, |row| {
        let mut columns = Columns::new(row, "dispute");
        let (merchant_id, payment_id) = (columns.int()?, columns.int()?);
        disputed.add(merchant_id, payment_id, [columns.int()?, columns.int()?, columns.int()?]);
        Ok(())
    })
    .await?;
    Ok(disputed)
}

/// Each payment that knows of shares or of a rate, with each of its shares and refunds; each share with its payment, which knows of shares, its key and its next step; each
/// key with its share.
pub async fn check(client: &Client, findings: &mut Findings) -> Result<(), StoreError> {
    let sql = format!(
        "SELECT {}, bodies, taken FROM payments \
        LEFT JOIN (SELECT merchant_id, payment_id, '[' || string_agg(body, ',') || ']' AS bodies FROM shares \
            GROUP BY merchant_id, payment_id) AS given USING (merchant_id, payment_id) \
        LEFT JOIN (SELECT refunds.merchant_id, refunds.payment_id, json_agg(json_build_array(refunds.state, \
            amount_minor - refunds.marketing_minor - refunds.fee_given_back_minor, refunds.sharing, extras))::text AS taken FROM refunds \
            JOIN payments AS own ON own.merchant_id = refunds.merchant_id AND own.payment_id = refunds.payment_id \
            AND (own.sharing IS NOT NULL OR own.quote IS NOT NULL) GROUP BY refunds.merchant_id, refunds.payment_id) AS back \
            USING (merchant_id, payment_id) WHERE sharing IS NOT NULL OR quote IS NOT NULL",
        rows::payment::COLUMNS
    );
    each(client, &sql, |row| {
        let mut columns = Columns::new(row, "payment");
        let payment = rows::payment::read(&mut columns)?;
        let shares = columns.text_or_null()?;
        books::sharing(findings, &payment, shares, columns.text_or_null()?)
    })
    .await?;
    let columns = rows::share::COLUMNS.split(", ").map(|column| format!("shares.{column}")).collect::<Vec<_>>().join(", ");
    let sql = format!(
        "SELECT {columns}, (task_id IS NOT NULL)::int4, (payments.payment_id IS NOT NULL)::int4, (remembered.number IS NOT NULL)::int4 \
        FROM shares LEFT JOIN tasks ON tasks.merchant_id = shares.merchant_id AND task_id = share_id AND kind IN ('start_share', 'finish_share') \
        LEFT JOIN payments ON payments.merchant_id = shares.merchant_id AND payments.payment_id = shares.payment_id \
            AND sharing IS NOT NULL \
        LEFT JOIN remembered ON remembered.merchant_id = shares.merchant_id AND remembered.number = shares.number \
            AND remembered.dialect = shares.dialect AND scope = 'share' AND remembered.refund_id = share_id"
    );
    each(client, &sql, |row| {
        let mut columns = Columns::new(row, "share");
        let share = rows::share::read(&mut columns)?;
        let (steps, payments, keys) = (columns.int()?, columns.int()?, columns.int()?);
        books::share(findings, &share, &ShareBeside { steps, payments, keys });
        Ok(())
    })
    .await?;
    let sql = "SELECT remembered.merchant_id, remembered.number, refund_id FROM remembered LEFT JOIN shares \
        ON shares.merchant_id = remembered.merchant_id AND share_id = refund_id \
        WHERE scope = 'share' AND refund_id IS NOT NULL AND share_id IS NULL";
    each(client, sql, |row| {
        let mut columns = Columns::new(row, "remembered key");
        let (merchant_id, number) = (columns.int()?, columns.text()?);
        books::key_without_share(findings, merchant_id, number, columns.int()?);
        Ok(())
    })
    .await
}

/// What receivers have unsettled, and what was advanced for them.
pub async fn add_to(client: &Client, money: &mut Money) -> Result<(), StoreError> {
    each(client, "SELECT merchant_id, currency, sharing FROM payments WHERE sharing IS NOT NULL", |row| {
        let mut columns = Columns::new(row, "payment");
        let (merchant_id, currency) = (columns.int()?, columns.text()?);
        money.shared(merchant_id, currency, &columns.json()?);
        Ok(())
    })
    .await?;
    let sql = "SELECT merchant_id, currency, sharing FROM refunds WHERE sharing IS NOT NULL AND drawn IS NULL AND state = 'pending'";
    each(client, sql, |row| {
        let mut columns = Columns::new(row, "refund");
        let (merchant_id, currency) = (columns.int()?, columns.text()?);
        money.promised(merchant_id, currency, &columns.json()?);
        Ok(())
    })
    .await
}
