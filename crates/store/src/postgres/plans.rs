//! Plans are made when tables are empty and kept when they are full: each must look rows up by their keys from the first day.

use refundry_scratch::ScratchDatabase;
use tokio_postgres::Client;

use super::connect::{Connector, Use};
use super::statements::in_one_place;
use super::{PostgresOptions, apply, disputes, load, migrations, payment_row, people, refund_row, shares, tasks};

/// Rows of one merchant, more than there are in the beginning and much fewer than there will be.
const FILL: &str = "INSERT INTO payments SELECT 1, n, 'live', 'captured', 'EUR', 'm' || n, 'p' || n, 1, 'card', 0, 1, 1, 0, 0, 0, NULL, NULL, '{}', 0, 0, 0, \
    0, 0, 0, 0, 0, 0, 0, 0, 0 FROM generate_series(1, 3000) AS n; \
    INSERT INTO refunds SELECT 1, n, 'live', 'pending', 'EUR', 1, n, 'p' || n, 1, 'native', 'r' || n, 0, 0, 0, 'a', 'b', 0, NULL, NULL, NULL, NULL, NULL, \
    0, 0 FROM generate_series(1, 3000) AS n; \
    INSERT INTO remembered SELECT 1, 'r' || n, 'native', '', 0, n, NULL, '[]' FROM generate_series(1, 3000) AS n; \
    INSERT INTO notifications SELECT 1, n, 'due', NULL, NULL, 1, n, n, 0, 0 FROM generate_series(1, 3000) AS n; \
    INSERT INTO tasks SELECT 1, n, 0, 'submit_refund', 0, 0, 0, '' FROM generate_series(1, 3000) AS n; \
    INSERT INTO terminals SELECT 1, n, '{}' FROM generate_series(1, 3000) AS n; \
    INSERT INTO credentials SELECT n, 1, 'native', 'c' || n, 1, 'rsa', '{}' FROM generate_series(1, 3000) AS n; \
    INSERT INTO people SELECT 1, n, '{}' FROM generate_series(1, 3000) AS n; \
    INSERT INTO deliveries SELECT 1, n, 1, 0, 200, '', 1, 1 FROM generate_series(1, 3000) AS n;";

#[test]
fn statements_of_the_lanes_find_rows_by_keys_also_before_there_are_statistics() {
    let database = ScratchDatabase::create();
    let connector = Connector::new(&PostgresOptions::url(database.url())).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let slow = runtime.block_on(async {
        let mut owner = connector.connect(Use::Long).await.unwrap();
        migrations::migrate(&mut owner).await.unwrap();
        let client = connector.connect(Use::Write).await.unwrap();
        // In empty tables one key is as good as another, but the rows that are wanted must already lead to those that are read.
        let mut slow = slow_statements(&client, |condition| condition.contains(" = ") && !condition.contains("(merchant_id = ANY")).await;
        owner.batch_execute(FILL).await.unwrap();
        slow.extend(slow_statements(&client, |condition| condition.contains(" AND ") || condition.contains("credential_id = ANY")).await);
        slow
    });
    assert!(slow.is_empty(), "{} statements read rows that they do not want:\n\n{}", slow.len(), slow.join("\n\n"));
}

async fn slow_statements(client: &Client, is_narrow: impl Fn(&str) -> bool) -> Vec<String> {
    let mut slow = Vec::new();
    let all = [
        load::statements(),
        apply::statements(),
        tasks::statements(),
        refund_row::statements(),
        payment_row::statements(),
        disputes::statements(),
        shares::statements(),
        people::statements(),
    ];
    for sql in all.concat() {
        let plan = plan_of(client, &in_one_place(sql)).await;
        if reads_more_than_it_wants(&plan, &is_narrow) {
            slow.push(format!("{sql}\n{}", plan.join("\n")));
        }
    }
    slow
}

async fn plan_of(client: &Client, sql: &str) -> Vec<String> {
    client.batch_execute("DEALLOCATE ALL").await.unwrap();
    client.batch_execute(&format!("PREPARE wanted AS {sql}")).await.unwrap();
    let params: i32 = client
        .query_one("SELECT cardinality(parameter_types) FROM pg_prepared_statements WHERE name = 'wanted'", &[])
        .await
        .unwrap()
        .get(0);
    let nulls = vec!["NULL"; usize::try_from(params).unwrap()].join(", ");
    let rows = client.simple_query(&format!("EXPLAIN EXECUTE wanted ({nulls})")).await.unwrap();
    let line = |row: &tokio_postgres::SimpleQueryMessage| match row {
        tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    };
    rows.iter().filter_map(line).collect()
}

/// A scan of a table must have a narrow condition on its index, unless the table has few rows of a merchant.
fn reads_more_than_it_wants(plan: &[String], is_narrow: impl Fn(&str) -> bool) -> bool {
    let of_table = |line: &str| {
        line.contains("Scan") && line.contains(" on ") && !["Function Scan", "Subquery Scan"].iter().any(|other| line.contains(other))
    };
    let mut scans = plan.iter().enumerate().filter(|(_, line)| of_table(line));
    scans.any(|(place, scan)| {
        if ["counters", "balances", "merchants"].iter().any(|small| scan.contains(&format!(" on {small}"))) {
            return scan.contains("Seq Scan");
        }
        let condition = plan.get(place + 1).filter(|line| line.contains("Index Cond")).map_or("", String::as_str);
        !is_narrow(condition)
    })
}
