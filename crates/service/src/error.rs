//! The two ways in which a request ends without what it asked for: a refusal, which is an answer, and a fault, which is ours.

use refundry_engine::{Language, Refusal};
use refundry_store::StoreError;
use thiserror::Error;

/// Why there is no result.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum ServiceError {
    /// Declined, with facts.
    #[error("{}: {} / {}", .0.code(), .0.text(Language::En), .0.text(Language::Zh))]
    Refused(Refusal),
    /// Something of ours broke or is busy; it is logged already.
    #[error("{0}")]
    Fault(Fault),
}

/// Something of ours broke or is busy. Whoever made it has logged the cause; nobody logs it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    /// More is asked than can be queued: the same again later may pass.
    #[error("too many requests at once; try again")]
    Overloaded,
    /// Locked, full, closing: the same again later may pass.
    #[error("busy; try again")]
    Busy,
    /// Broken: somebody must look at the log.
    #[error("an internal fault")]
    Broken,
}

impl Fault {
    /// A fault of our own making, logged here.
    pub fn logged(what: &str, cause: &dyn std::error::Error) -> Self {
        tracing::error!(cause = %Chain(cause), "{what}");
        Self::Broken
    }

    /// Whether the same again may pass soon.
    pub const fn is_passing(self) -> bool {
        match self {
            Self::Overloaded | Self::Busy => true,
            Self::Broken => false,
        }
    }
}

impl From<Refusal> for ServiceError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Fault> for ServiceError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<StoreError> for Fault {
    /// The one place where a storage fault is logged. A full queue is not: it would fill the log with what the metrics show better.
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Overloaded => Self::Overloaded,
            StoreError::Closed | StoreError::Unnumbered => Self::Busy,
            StoreError::TryAgain(_) | StoreError::Conflict(_) | StoreError::Unsure(_) => {
                tracing::warn!(cause = %Chain(&error), "storage is busy");
                Self::Busy
            }
            StoreError::Damaged(_)
            | StoreError::Withheld(_)
            | StoreError::Statement(_)
            | StoreError::Unreadable { .. }
            | StoreError::Taken(_)
            | StoreError::Poisoned(_) => {
                tracing::error!(cause = %Chain(&error), "storage failed");
                Self::Broken
            }
        }
    }
}

impl From<StoreError> for ServiceError {
    fn from(error: StoreError) -> Self {
        Self::Fault(error.into())
    }
}

/// An error with its sources, on one line.
struct Chain<'a>(&'a dyn std::error::Error);

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}
