//! The statements of one refund.

/// The payment, locked until the end.
pub const LOCK_PAYMENT: &str = "SELECT payment_id, terminal_id, status, currency, captured_minor, refunded_minor, charged_back_minor, \
    open_retrievals, open_chargebacks, unsettled_left_minor, reserve_left_minor FROM payments \
    WHERE merchant_id = $1 AND payment_reference = $2 AND mode = $3 FOR UPDATE";

/// What the number stood for before.
pub const REMEMBERED: &str = "SELECT compared, refund_id FROM remembered \
    WHERE merchant_id = $1 AND number = $2 AND dialect = 'native' AND scope = ''";

/// The refund that was made before, with what is left of its payment.
pub const REFUND: &str = "SELECT refund_id, payment_id, refunds.terminal_id, state, captured_minor - refunded_minor - charged_back_minor, \
    attempts, refunds.created_at, refunds.updated_at FROM refunds JOIN payments USING (merchant_id, payment_id) \
    WHERE merchant_id = $1 AND refund_id = $2";

/// What the merchant has.
pub const AVAILABLE: &str = "SELECT balance_minor FROM balances WHERE merchant_id = $1 AND currency = $2 AND account = 2 FOR UPDATE";

/// The sums of the payment.
pub const COUNT_REFUND: &str = "UPDATE payments SET refunded_minor = refunded_minor + $3, refund_count = refund_count + 1, \
    unsettled_left_minor = unsettled_left_minor - $4, reserve_left_minor = reserve_left_minor - $5, updated_at = $6, \
    refund_ids = refund_ids || $7 WHERE merchant_id = $1 AND payment_id = $2";

/// The number, for ever.
pub const REMEMBER: &str = "INSERT INTO remembered (merchant_id, number, dialect, scope, at, refund_id, refusal, compared) \
    VALUES ($1, $2, 'native', '', $3, $4, NULL, $5)";

/// The refund itself.
pub const INSERT_REFUND: &str = "INSERT INTO refunds (merchant_id, refund_id, mode, state, currency, amount_minor, payment_id, \
    payment_reference, terminal_id, dialect, number, marketing_minor, refund_fee_minor, fee_given_back_minor, applicant, acquirer, created_at, \
    extras, state_body, waits_for, drawn, acquirer_reference, attempts, updated_at, event_sequences) \
    VALUES ($1, $2, $3, 'pending', $4, $5, $6, $7, $8, 'native', $9, 0, 0, 0, $10, $11, $12, $13, NULL, NULL, $14, NULL, 0, $12, $15)";

/// What moves between accounts.
pub const INSERT_POSTING: &str = "INSERT INTO postings (entry_id, merchant_id, line, debit_account, credit_account, amount_minor, currency, \
    cause, payment_id, refund_id, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";

/// What the accounts hold then: both sides of all postings at once.
pub const MOVE_BALANCES: &str = "INSERT INTO balances (merchant_id, currency, account, balance_minor) \
    SELECT $1, $2, account, change FROM unnest($3::SMALLINT[], $4::BIGINT[]) AS moved (account, change) \
    ON CONFLICT (merchant_id, currency, account) DO UPDATE SET balance_minor = balances.balance_minor + excluded.balance_minor";

/// The merchant's next event.
pub const NEXT_EVENT: &str = "INSERT INTO counters (merchant_id, name, value) VALUES ($1, 'last_sequence', 1) \
    ON CONFLICT (merchant_id, name) DO UPDATE SET value = counters.value + 1 RETURNING value";

/// What happened.
pub const INSERT_EVENT: &str = "INSERT INTO events (merchant_id, sequence, at, kind, actor, payment_id, refund_id, facts) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

/// What is to be done.
pub const INSERT_TASK: &str = "INSERT INTO tasks (merchant_id, task_id, lane, kind, due_at, claimable_at, tries, note) \
    VALUES ($1, $2, 0, $3, $4, $5, 0, '')";

/// It is done.
pub const DELETE_TASK: &str = "DELETE FROM tasks WHERE merchant_id = $1 AND task_id = $2";

/// Some of what is due, for nobody else for a while.
pub const CLAIM_TASKS: &str = "UPDATE tasks SET claimable_at = $2 FROM (SELECT merchant_id, task_id FROM tasks \
    WHERE lane = 0 AND kind = 'submit_refund' AND claimable_at <= $1 ORDER BY claimable_at LIMIT $3 FOR UPDATE SKIP LOCKED) AS due \
    WHERE tasks.merchant_id = due.merchant_id AND tasks.task_id = due.task_id RETURNING tasks.merchant_id, tasks.task_id";

/// A refund that is carried out, locked until the end.
pub const LOCK_REFUND: &str = "SELECT state, currency, amount_minor, payment_id, payment_reference, number, acquirer, attempts FROM refunds \
    WHERE merchant_id = $1 AND refund_id = $2 FOR UPDATE";

/// Where it stands now.
pub const MOVE_REFUND: &str = "UPDATE refunds SET state = $3, state_body = $4, acquirer_reference = $5, attempts = $6, updated_at = $7, \
    event_sequences = event_sequences || $8 WHERE merchant_id = $1 AND refund_id = $2";

/// What somebody is to be told.
pub const INSERT_NOTIFICATION: &str = "INSERT INTO notifications (merchant_id, notification_id, state, terminal_id, url, endpoint_id, \
    event_sequence, refund_id, tries, created_at, tried_at) VALUES ($1, $2, 'queued', NULL, NULL, $3, $4, $5, 0, $6, NULL)";

/// That it was told.
pub const DELIVERED: &str = "UPDATE notifications SET state = 'delivered', tries = tries + 1, tried_at = $3 \
    WHERE merchant_id = $1 AND notification_id = $2";

/// How it was told.
pub const INSERT_DELIVERY: &str = "INSERT INTO deliveries (merchant_id, notification_id, line, at, status, answer, took_ms, acknowledged) \
    VALUES ($1, $2, 1, $3, $4, '', $5, 1)";
