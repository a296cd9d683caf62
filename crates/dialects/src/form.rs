//! `application/x-www-form-urlencoded`, in both directions.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, utf8_percent_encode};

/// Fields of one form.
const FIELDS_MAX: usize = 64;
/// What stays as it is in a form.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'*');

/// The fields of a form, decoded, in the order in which they were sent. Of a name that is sent twice the first value counts, for the proof as
/// well as for what is read.
#[derive(Debug)]
pub struct Form<'a> {
    fields: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl<'a> Form<'a> {
    /// Reads a form; nothing when it has too many fields or is not UTF-8.
    pub fn parse(body: &'a [u8]) -> Option<Self> {
        let mut fields = Vec::new();
        for field in body.split(|byte| *byte == b'&').filter(|field| !field.is_empty()) {
            if fields.len() == FIELDS_MAX {
                return None;
            }
            let end = field.iter().position(|byte| *byte == b'=');
            let (name, value) = end.map_or((field, &[][..]), |end| (&field[..end], &field[end + 1..]));
            fields.push((decode(name)?, decode(value)?));
        }
        Some(Self { fields })
    }

    /// The value of a field as it was sent; `None` when it was not.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_ref())
    }

    /// The value of a field that holds more than blanks.
    pub fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.trim().is_empty())
    }

    /// The values of fields one behind the other, as they are signed; what was not sent adds nothing.
    pub fn joined(&self, names: &[&str]) -> String {
        names.iter().map(|name| self.get(name).unwrap_or_default()).collect()
    }

    /// A name that is sent more than once.
    pub fn repeated(&self) -> Option<&str> {
        let names = self.fields.iter().map(|(name, _)| name.as_ref());
        names.enumerate().find(|(place, name)| self.fields[..*place].iter().any(|(earlier, _)| earlier == name)).map(|(_, name)| name)
    }

    /// Whether nothing was sent at all.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }
}

/// Writes a form.
pub fn write<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<u8> {
    let escaped = |text| utf8_percent_encode(text, ESCAPED).to_string();
    let fields: Vec<String> = fields.into_iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(value))).collect();
    fields.join("&").into_bytes()
}

fn decode(bytes: &[u8]) -> Option<Cow<'_, str>> {
    if !bytes.contains(&b'+') {
        return percent_decode(bytes).decode_utf8().ok();
    }
    let spaced: Vec<u8> = bytes.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    percent_decode(&spaced).decode_utf8().ok().map(|text| Cow::Owned(text.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let fields = [("a", "1 + 1 = 2 & mehr"), ("b", ""), ("商", "退款\r\n%41")];
        let form = write(fields);
        let read = Form::parse(&form).expect("it was just written");
        for (name, value) in fields {
            assert_eq!(read.get(name), Some(value));
        }
        assert_eq!((read.filled("b"), read.get("c")), (None, None));
        assert_eq!(read.joined(&["b", "a", "c", "商"]), "1 + 1 = 2 & mehr退款\r\n%41");
    }

    #[test]
    fn odd_forms_are_read_as_browsers_write_them() {
        let form = Form::parse(b"&a=b+c%20d&a=x&e&=f&g=h=i&").expect("it is UTF-8");
        assert_eq!((form.get("a"), form.get("e"), form.get(""), form.get("g")), (Some("b c d"), Some(""), Some("f"), Some("h=i")));
        assert!(Form::parse(b"a=%ff").is_none());
        assert!(Form::parse(&b"a&".repeat(65)).is_none());
        assert!(Form::parse(b"").expect("nothing is a form").is_empty());
    }
}
