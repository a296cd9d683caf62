use thiserror::Error;

/// Why storage did not do it. Whatever it is, nothing was half done.
#[derive(Clone, Debug, Error)]
pub enum StoreError {
    /// Locked, full disk, lost connection: the same again later may pass.
    #[error("the database is busy or full; try again")]
    TryAgain(#[source] std::sync::Arc<dyn std::error::Error + Send + Sync>),
    /// Another writer was in the way, or the connection was lost before the commit: nothing was written. The lane runs the batch again by itself
    /// and says so only when that does not help.
    #[error("another writer was in the way or the connection was lost; try again")]
    Conflict(#[source] std::sync::Arc<dyn std::error::Error + Send + Sync>),
    /// The batch was lost while it was being committed; the same command, with the same key, settles it.
    #[error("it is not known whether the commit was made; send the same again")]
    Unsure(#[source] std::sync::Arc<dyn std::error::Error + Send + Sync>),
    /// The file is damaged or not ours.
    #[error("the database is damaged or not one of Refundry's: {0}")]
    Damaged(String),
    /// A copy of it is not finished, or everything moved elsewhere; it says how to go on.
    #[error("it is not served: {0}")]
    Withheld(String),
    /// A statement failed for a reason that is our mistake.
    #[error("a statement failed")]
    Statement(#[source] std::sync::Arc<dyn std::error::Error + Send + Sync>),
    /// A stored row cannot be read as what it should be.
    #[error("a stored {what} cannot be read: {why}")]
    Unreadable {
        /// Of which table.
        what: &'static str,
        /// Why.
        why: String,
    },
    /// A name that must be unique is taken by another row; the lane tells the caller so as a refusal.
    #[error("this {0} is taken")]
    Taken(&'static str),
    /// The decision about this command made the program stop; the rest of its batch was done.
    #[error("the decision failed: {0}")]
    Poisoned(String),
    /// This process has no number at the moment with which it could make ids: the database did not give it more time with its own.
    #[error("this process has no node number at the moment; try again")]
    Unnumbered,
    /// The queue is full: the limit is `max_queued`.
    #[error("too many commands are waiting; try again")]
    Overloaded,
    /// The store is closing.
    #[error("the store is closing")]
    Closed,
}

impl StoreError {
    /// Whether the caller is told to try again, rather than that we are at fault.
    pub const fn is_passing(&self) -> bool {
        match self {
            Self::TryAgain(_) | Self::Conflict(_) | Self::Unsure(_) | Self::Unnumbered | Self::Overloaded | Self::Closed => true,
            Self::Damaged(_) | Self::Withheld(_) | Self::Statement(_) | Self::Unreadable { .. } | Self::Taken(_) | Self::Poisoned(_) => {
                false
            }
        }
    }
}
