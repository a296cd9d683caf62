use core::net::IpAddr;

/// A request that is not well formed, or does not prove who sent it. Never stored, never remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WireError {
    /// Not a path that this dialect knows.
    UnknownPath,
    /// Not a method that the path takes.
    MethodNotAllowed,
    /// The body is not of the type that the dialect speaks.
    MediaType,
    /// The body is larger than allowed.
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// Nobody of that name.
    UnknownCaller,
    /// Somebody of that name, without a key.
    NoKey,
    /// The terminal is known, and belongs to another account than the one that was named.
    OtherAccount,
    /// The terminal takes requests from certain addresses only, and this one is none of them.
    CallerAddress {
        /// Where the request came from; `None` when nobody knows.
        address: Option<IpAddr>,
    },
    /// The proof does not hold.
    BadSignature,
    /// The proof holds, but not for this.
    NotAllowed,
    /// A field is missing or is not what it should be.
    Field {
        /// Its name on the wire.
        field: String,
        /// In which way it is not.
        flaw: Flaw,
        /// The limit and the cure, in English.
        rule: String,
    },
    /// More requests than allowed.
    TooMany,
}

/// In which way a field is not what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// It was not sent.
    Missing,
    /// It was sent without a value.
    Empty,
    /// It has more letters than allowed.
    TooLong,
    /// It is not of the form, or not one of the values, that it should be.
    Malformed,
}
