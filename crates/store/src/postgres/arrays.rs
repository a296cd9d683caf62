//! Parameters in the form in which PostgreSQL takes them. Rows are written column by column straight into the bytes of arrays: a batch of hundreds of
//! rows is a few allocations and one statement.

use std::error::Error;

use bytes::{BufMut as _, BytesMut};
use tokio_postgres::types::{IsNull, Kind, ToSql, Type, to_sql_checked};

/// What the elements of an array are; decided by the first that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Element {
    Int8,
    Text,
}

impl Element {
    const fn oid(self) -> u32 {
        match self {
            Self::Int8 => 20,
            Self::Text => 25,
        }
    }
}

/// An array of numbers or texts.
#[derive(Debug)]
pub struct Array {
    element: Element,
    count: i32,
    has_null: bool,
    bytes: Vec<u8>,
}

impl Array {
    const fn empty() -> Self {
        Self { element: Element::Int8, count: 0, has_null: false, bytes: Vec::new() }
    }

    /// An array of numbers.
    pub fn of_ints(numbers: impl IntoIterator<Item = i64>) -> Self {
        let mut array = Self::empty();
        numbers.into_iter().for_each(|number| array.int(Some(number)));
        array
    }

    /// The numbers of an array of numbers, without those that are missing.
    fn ints(&self) -> Vec<i64> {
        let mut ints = Vec::new();
        let mut bytes = self.bytes.as_slice();
        while let (Element::Int8, Some((length, rest))) = (self.element, bytes.split_first_chunk::<4>()) {
            bytes = match (i32::from_be_bytes(*length), rest.split_first_chunk::<8>()) {
                (8, Some((int, rest))) => {
                    ints.push(i64::from_be_bytes(*int));
                    rest
                }
                _ => rest,
            };
        }
        ints
    }

    fn int(&mut self, number: Option<i64>) {
        self.put(Element::Int8, number.map(i64::to_be_bytes).as_ref().map(<[u8; 8]>::as_slice));
    }

    fn text(&mut self, text: Option<&str>) {
        self.put(Element::Text, text.map(str::as_bytes));
    }

    fn put(&mut self, element: Element, value: Option<&[u8]>) {
        debug_assert!(self.count == 0 || self.element == element, "one column has one type");
        self.element = element;
        self.count += 1;
        match value {
            Some(value) => {
                // PostgreSQL takes no message of 2 GiB, and no text comes near.
                let length = i32::try_from(value.len()).unwrap_or(i32::MAX);
                self.bytes.extend_from_slice(&length.to_be_bytes());
                self.bytes.extend_from_slice(value);
            }
            None => {
                self.has_null = true;
                self.bytes.extend_from_slice(&(-1_i32).to_be_bytes());
            }
        }
    }
}

impl ToSql for Array {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.put_i32(i32::from(self.count > 0));
        out.put_i32(i32::from(self.has_null));
        out.put_u32(self.element.oid());
        if self.count > 0 {
            out.put_i32(self.count);
            out.put_i32(1);
            out.put_slice(&self.bytes);
        }
        Ok(IsNull::No)
    }

    fn accepts(kind: &Type) -> bool {
        matches!(kind.kind(), Kind::Array(element) if [Type::INT8, Type::TEXT].contains(element))
    }

    to_sql_checked!();
}

/// One parameter of a statement.
#[derive(Debug)]
pub enum Param {
    /// A number.
    Int(i64),

    /// Many of one column.
    Array(Array),
}

impl Param {
    /// The numbers in it, for those who look at what is sent.
    pub fn ints(&self) -> Vec<i64> {
        match self {
            Self::Int(number) => vec![*number],
            Self::Array(array) => array.ints(),
        }
    }
}

impl ToSql for Param {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Int(number) => number.to_sql(kind, out),

            Self::Array(array) => {
                // A column without a row does not know its type; an empty array of any type will do, but must name the right one.
                if array.count == 0 && *kind == Type::TEXT_ARRAY {
                    return Array { element: Element::Text, ..Array::empty() }.to_sql(kind, out);
                }
                array.to_sql(kind, out)
            }
        }
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::INT8 || Array::accepts(kind)
    }

    to_sql_checked!();
}

/// Rows to be written or looked for, kept by column.
pub struct Rows {
    columns: Vec<Array>,
    next: usize,
}

impl Rows {
    /// None yet, of so many columns.
    pub fn of(columns: usize) -> Self {
        Self { columns: (0..columns).map(|_| Array::empty()).collect(), next: 0 }
    }

    /// There is none.
    pub fn is_empty(&self) -> bool {
        self.columns.first().is_none_or(|first| first.count == 0)
    }

    /// The next column of the row, a number.
    pub fn int(&mut self, number: impl Into<i64>) -> &mut Self {
        self.next().int(Some(number.into()));
        self
    }

    /// The next column of the row, a number that may be missing.
    pub fn int_or_null(&mut self, number: Option<i64>) -> &mut Self {
        self.next().int(number);
        self
    }

    /// The next column of the row, a text.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.next().text(Some(text));
        self
    }

    /// The next column of the row, a text that may be missing.
    pub fn text_or_null(&mut self, text: Option<&str>) -> &mut Self {
        self.next().text(text);
        self
    }

    /// The parameters, one for each column.
    pub fn into_params(self) -> Vec<Param> {
        debug_assert_eq!(self.next, 0, "the last row is whole");
        self.columns.into_iter().map(Param::Array).collect()
    }

    fn next(&mut self) -> &mut Array {
        let place = self.next;
        self.next = (place + 1) % self.columns.len();
        &mut self.columns[place]
    }
}
