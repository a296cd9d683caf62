-- A refund as one stored function: decided and written where the data are, one round trip, one transaction.
CREATE OR REPLACE FUNCTION refund_by_hand(
    its_merchant_id BIGINT, its_mode TEXT, its_applicant TEXT, its_number TEXT, its_payment_reference TEXT, its_amount BIGINT,
    its_currency TEXT, its_compared TEXT, its_extras TEXT, its_refund_id BIGINT, its_entry_id BIGINT, its_now BIGINT, its_facts TEXT,
    terminal_ids BIGINT[], terminal_names TEXT[], acquirers TEXT[],
    OUT outcome TEXT, OUT made_id BIGINT, OUT of_payment_id BIGINT, OUT of_terminal_id BIGINT, OUT at_state TEXT, OUT refundable BIGINT,
    OUT its_attempts INTEGER, OUT made_at BIGINT, OUT changed_at BIGINT
) LANGUAGE plpgsql AS $$
DECLARE
    payment RECORD;
    before RECORD;
    from_unsettled BIGINT;
    from_reserve BIGINT;
    from_available BIGINT;
    next_sequence BIGINT;
    place INTEGER;
BEGIN
    SELECT payment_id, terminal_id, status, currency, captured_minor - refunded_minor - charged_back_minor AS left_minor, open_retrievals,
        open_chargebacks, unsettled_left_minor, reserve_left_minor INTO payment FROM payments
        WHERE merchant_id = its_merchant_id AND payment_reference = its_payment_reference AND mode = its_mode FOR UPDATE;
    SELECT compared, refund_id INTO before FROM remembered
        WHERE merchant_id = its_merchant_id AND number = its_number AND dialect = 'native' AND scope = '';
    IF FOUND THEN
        IF before.compared <> its_compared THEN
            outcome := 'repeat_inconsistent';
            RETURN;
        END IF;
        outcome := 'replayed';
        SELECT refund_id, payment_id, refunds.terminal_id, state, captured_minor - refunded_minor - charged_back_minor, attempts,
            refunds.created_at, refunds.updated_at
            INTO made_id, of_payment_id, of_terminal_id, at_state, refundable, its_attempts, made_at, changed_at
            FROM refunds JOIN payments USING (merchant_id, payment_id) WHERE merchant_id = its_merchant_id AND refund_id = before.refund_id;
        RETURN;
    END IF;
    IF payment.payment_id IS NULL THEN
        outcome := 'unknown_payment';
    ELSIF payment.status <> 'captured' THEN
        outcome := 'payment_not_captured';
    ELSIF payment.currency <> its_currency THEN
        outcome := 'currency_mismatch';
    ELSIF its_amount <= 0 THEN
        outcome := 'amount_not_positive';
    ELSIF payment.open_retrievals > 0 OR payment.open_chargebacks > 0 THEN
        outcome := 'disputed';
    ELSIF its_amount > payment.left_minor THEN
        outcome := 'exceeds_refundable';
    END IF;
    IF outcome IS NOT NULL THEN
        RETURN;
    END IF;
    from_unsettled := least(its_amount, greatest(payment.unsettled_left_minor, 0));
    from_reserve := least(its_amount - from_unsettled, greatest(payment.reserve_left_minor, 0));
    from_available := its_amount - from_unsettled - from_reserve;
    IF from_available > 0 THEN
        PERFORM FROM balances WHERE merchant_id = its_merchant_id AND currency = its_currency AND account = 2
            AND balance_minor >= from_available FOR UPDATE;
        IF NOT FOUND THEN
            outcome := 'not_enough_funds';
            RETURN;
        END IF;
    END IF;
    -- A second request under the number, for another payment, ends here in a unique violation, and is told what the first was on its next try.
    INSERT INTO remembered (merchant_id, number, dialect, scope, at, refund_id, refusal, compared)
        VALUES (its_merchant_id, its_number, 'native', '', its_now, its_refund_id, NULL, its_compared);
    UPDATE payments SET refunded_minor = refunded_minor + its_amount, refund_count = refund_count + 1,
        unsettled_left_minor = unsettled_left_minor - from_unsettled, reserve_left_minor = reserve_left_minor - from_reserve,
        updated_at = its_now, refund_ids = refund_ids || ',' || its_refund_id
        WHERE merchant_id = its_merchant_id AND payment_id = payment.payment_id;
    INSERT INTO postings (entry_id, merchant_id, line, debit_account, credit_account, amount_minor, currency, cause, payment_id, refund_id, at)
        SELECT its_entry_id, its_merchant_id, row_number() OVER (ORDER BY moved.place) - 1, account, 5, minor, its_currency, 'refund_released',
            payment.payment_id, its_refund_id, its_now
        FROM (VALUES (1, 1, from_unsettled), (2, 3, from_reserve), (3, 2, from_available)) AS moved (place, account, minor) WHERE minor > 0;
    INSERT INTO tasks (merchant_id, task_id, lane, kind, due_at, claimable_at, tries, note)
        VALUES (its_merchant_id, its_refund_id, 0, 'submit_refund', its_now, its_now, 0, '');
    -- From here on everybody else of the merchant waits.
    INSERT INTO counters (merchant_id, name, value) VALUES (its_merchant_id, 'last_sequence', 1)
        ON CONFLICT (merchant_id, name) DO UPDATE SET value = counters.value + 1 RETURNING value INTO next_sequence;
    place := array_position(terminal_ids, payment.terminal_id);
    INSERT INTO refunds (merchant_id, refund_id, mode, state, currency, amount_minor, payment_id, payment_reference, terminal_id, dialect, number,
        marketing_minor, refund_fee_minor, fee_given_back_minor, applicant, acquirer, created_at, extras, state_body, waits_for, drawn,
        acquirer_reference, attempts, updated_at, event_sequences)
        VALUES (its_merchant_id, its_refund_id, its_mode, 'pending', its_currency, its_amount, payment.payment_id, its_payment_reference,
        payment.terminal_id, 'native', its_number, 0, 0, 0, its_applicant, acquirers[place], its_now, its_extras, NULL, NULL,
        '{"unsettled_minor":' || from_unsettled || ',"reserve_minor":' || from_reserve || ',"available_minor":' || from_available || '}',
        NULL, 0, its_now, ',' || next_sequence);
    INSERT INTO events (merchant_id, sequence, at, kind, actor, payment_id, refund_id, facts)
        VALUES (its_merchant_id, next_sequence, its_now, 'refund.accepted', its_applicant, payment.payment_id, its_refund_id,
        its_facts || terminal_names[place]);
    INSERT INTO balances (merchant_id, currency, account, balance_minor)
        SELECT its_merchant_id, its_currency, account, change
        FROM (VALUES (1, -from_unsettled), (3, -from_reserve), (2, -from_available), (5, its_amount)) AS moved (account, change) WHERE change <> 0
        ON CONFLICT (merchant_id, currency, account) DO UPDATE SET balance_minor = balances.balance_minor + excluded.balance_minor;
    outcome := 'made';
    made_id := its_refund_id;
    of_payment_id := payment.payment_id;
    of_terminal_id := payment.terminal_id;
    at_state := 'pending';
    refundable := payment.left_minor - its_amount;
    its_attempts := 0;
    made_at := its_now;
    changed_at := its_now;
END
$$;
