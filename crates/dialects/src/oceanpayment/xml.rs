//! The little XML that this dialect speaks: elements with texts, no attributes.

/// A document that is being written.
pub struct Xml {
    text: String,
}

impl Xml {
    /// Begins a document.
    pub fn new() -> Self {
        Self { text: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>".to_owned() }
    }

    /// Opens an element.
    pub fn open(&mut self, name: &str) {
        self.tag("<", name);
    }

    /// Closes an element.
    pub fn close(&mut self, name: &str) {
        self.tag("</", name);
    }

    /// An element that holds a text.
    pub fn element(&mut self, name: &str, value: &str) {
        self.open(name);
        for letter in value.chars() {
            match letter {
                '&' => self.text.push_str("&amp;"),
                '<' => self.text.push_str("&lt;"),
                '>' => self.text.push_str("&gt;"),
                '"' => self.text.push_str("&quot;"),
                '\'' => self.text.push_str("&apos;"),
                // A reader would turn it into a line feed.
                '\r' => self.text.push_str("&#13;"),
                letter if is_writable(letter) => self.text.push(letter),
                _ => self.text.push(char::REPLACEMENT_CHARACTER),
            }
        }
        self.close(name);
    }

    /// The bytes.
    pub fn finish(self) -> Vec<u8> {
        self.text.into_bytes()
    }

    fn tag(&mut self, start: &str, name: &str) {
        self.text.push_str(start);
        self.text.push_str(name);
        self.text.push('>');
    }
}

/// What XML 1.0 can hold at all.
pub const fn is_writable(letter: char) -> bool {
    !matches!(letter, '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\u{fffe}' | '\u{ffff}')
}

/// The text of the first element of a name, in a document that is written as [`Xml`] writes it.
pub fn text_of(document: &str, name: &str) -> Option<String> {
    let (_, rest) = document.split_once(&format!("<{name}>"))?;
    let (escaped, _) = rest.split_once(&format!("</{name}>"))?;
    let mut text = String::with_capacity(escaped.len());
    let mut rest = escaped;
    while let Some((before, behind)) = rest.split_once('&') {
        let (entity, after) = behind.split_once(';')?;
        text.push_str(before);
        text.push(match entity {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            number => char::from_u32(number.strip_prefix('#')?.parse().ok()?)?,
        });
        rest = after;
    }
    text.push_str(rest);
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_read_back_and_what_xml_cannot_hold_is_replaced() {
        let mut xml = Xml::new();
        xml.open("response");
        xml.element("a", "<b>&amp;\"'\r\n退");
        xml.element("c", "\0\u{1b}x");
        xml.element("d", "");
        xml.close("response");
        let text = String::from_utf8(xml.finish()).expect("it is text");
        assert_eq!(text_of(&text, "a").as_deref(), Some("<b>&amp;\"'\r\n退"));
        assert_eq!(text_of(&text, "c").as_deref(), Some("\u{fffd}\u{fffd}x"));
        assert_eq!((text_of(&text, "d").as_deref(), text_of(&text, "e")), (Some(""), None));
        assert!(text.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?><response><a>"));
        assert_eq!(text_of("<a>&x</a>", "a"), None);
    }
}
