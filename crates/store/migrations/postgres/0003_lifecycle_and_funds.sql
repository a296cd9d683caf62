-- Reviews and people.

-- Numbers of refunds, and what callers without one sent.

-- Waiting for money.

-- Settlement terms, reserves and logistics.

-- Payouts and their statements.

-- Disputes and other events of a payment's later life.

-- Daily rates.
