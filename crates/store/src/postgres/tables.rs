//! Where each table goes when tables are distributed. A new table has to choose.

/// How the rows of a table are placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spread {
    /// By merchant, beside all other rows of the merchant.
    ByMerchant,
    /// Everywhere the same: few rows that change rarely, for the reason given.
    Everywhere(&'static str),
}

/// All tables, in the order in which they are distributed; the first is the one beside which the others are placed.
pub const TABLES: &[(&str, Spread)] = &[
    ("merchants", Spread::ByMerchant),
    ("terminals", Spread::ByMerchant),
    ("payments", Spread::ByMerchant),
    ("refunds", Spread::ByMerchant),
    ("disputes", Spread::ByMerchant),
    ("shares", Spread::ByMerchant),
    ("remembered", Spread::ByMerchant),
    ("postings", Spread::ByMerchant),
    ("balances", Spread::ByMerchant),
    ("payouts", Spread::ByMerchant),
    ("adjustments", Spread::ByMerchant),
    ("counters", Spread::ByMerchant),
    ("events", Spread::ByMerchant),
    ("notifications", Spread::ByMerchant),
    ("deliveries", Spread::ByMerchant),
    ("tasks", Spread::ByMerchant),
    ("audit", Spread::ByMerchant),
    ("people", Spread::ByMerchant),
    ("commits", Spread::ByMerchant),
    ("accounts", Spread::Everywhere("a receiver is found before it is known whose it is")),
    ("credentials", Spread::Everywhere("a caller is found before it is known whose it is")),
    ("daily_rates", Spread::Everywhere("rates are of the installation")),
    ("meta", Spread::Everywhere("it is of the installation")),
    ("nodes", Spread::Everywhere("processes are of the installation")),
];
