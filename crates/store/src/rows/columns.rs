use std::sync::Arc;

use refundry_engine::Timestamp;
use refundry_ledger::{Currency, Money};
use serde::de::DeserializeOwned;

use crate::StoreError;

/// Reads the columns of a row in their order, whatever the database, and says which table held what cannot be read.
pub trait ReadColumns<'r> {
    /// A number that may be missing.
    fn int_or_null(&mut self) -> Result<Option<i64>, StoreError>;

    /// A text that may be missing.
    fn text_or_null(&mut self) -> Result<Option<&'r str>, StoreError>;

    /// The column that was read last is not what it should be.
    fn unreadable(&self, why: &str) -> StoreError;

    /// A number.
    fn int(&mut self) -> Result<i64, StoreError> {
        self.int_or_null()?.ok_or_else(|| self.unreadable("it is null"))
    }

    /// A number of a smaller type.
    fn small<T: TryFrom<i64>>(&mut self) -> Result<T, StoreError> {
        let number = self.int()?;
        T::try_from(number).map_err(|_| self.unreadable("the number is out of range"))
    }

    /// Yes or no.
    fn flag(&mut self) -> Result<bool, StoreError> {
        Ok(self.int()? != 0)
    }

    /// An instant.
    fn instant(&mut self) -> Result<Timestamp, StoreError> {
        self.int().map(Timestamp::from_us)
    }

    /// An amount of a known currency.
    fn money(&mut self, currency: Currency) -> Result<Money, StoreError> {
        self.int().map(|minor| Money::new(minor, currency))
    }

    /// A text.
    fn text(&mut self) -> Result<&'r str, StoreError> {
        self.text_or_null()?.ok_or_else(|| self.unreadable("it is null"))
    }

    /// A text to keep.
    fn string(&mut self) -> Result<String, StoreError> {
        self.text().map(str::to_owned)
    }

    /// A text to keep that may be missing.
    fn string_or_null(&mut self) -> Result<Option<String>, StoreError> {
        Ok(self.text_or_null()?.map(str::to_owned))
    }

    /// A word, by a function that knows the words.
    fn word<T>(&mut self, known: impl Fn(&str) -> Option<T>) -> Result<T, StoreError> {
        let word = self.text()?;
        known(word).ok_or_else(|| self.unreadable("the word is not known"))
    }

    /// A currency.
    fn currency(&mut self) -> Result<Currency, StoreError> {
        self.word(|word| word.parse().ok())
    }

    /// A JSON text.
    fn json<T: DeserializeOwned>(&mut self) -> Result<T, StoreError> {
        let text = self.text()?;
        serde_json::from_str(text).map_err(|error| self.unreadable(&error.to_string()))
    }

    /// A JSON text that may be missing.
    fn json_or_null<T: DeserializeOwned>(&mut self) -> Result<Option<T>, StoreError> {
        let text = self.text_or_null()?;
        text.map(serde_json::from_str).transpose().map_err(|error| self.unreadable(&error.to_string()))
    }
}

/// Writes JSON. What the engine keeps can always be written.
pub fn json_text<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Statement(Arc::new(error)))
}

/// The minor units of an amount that is stored without its currency; another currency would be read back as something else.
pub fn minor_of(amount: Money, currency: Currency) -> Result<i64, StoreError> {
    if amount.currency() != currency {
        let why = format!("{amount} stands where {currency} is stored");
        return Err(StoreError::Unreadable { what: "amount", why });
    }
    Ok(amount.minor())
}
