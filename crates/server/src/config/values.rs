//! The keys' values: defaults, then the file, then the environment; each checked against the table.

use super::error::{ConfigError, ConfigErrors};
use super::keys::{ACQUIRER, Form, Key, Kind, SECTIONS, Section};
use super::{ENVIRONMENT_CONFIG_FILE, ENVIRONMENT_MASTER_KEY};
use std::collections::BTreeMap;
use toml::{Table, Value};

/// Most errors that are reported at once.
const ERRORS_MAX: usize = 20;

/// Values by full section name and key name.
#[derive(Default)]
pub struct Values {
    given: BTreeMap<(String, &'static str), Value>,
    errors: Vec<ConfigError>,
}

impl Kind {
    /// The default as a TOML value.
    pub fn default(&self) -> Value {
        match self {
            Kind::Integer(default, _, _) => Value::Integer(*default),
            Kind::Switch(default) => Value::Boolean(*default),
            Kind::Text(default, _) => Value::String((*default).to_owned()),
            Kind::List(default, _) => Value::Array(default.iter().map(|text| Value::from(*text)).collect()),
        }
    }
}

/// The environment variable of a key: `REFUNDRY_SERVER_TLS_CERT`.
pub fn environment_name(section: &str, key: &str) -> String {
    format!("REFUNDRY_{section}_{key}").replace(['.', '-'], "_").to_ascii_uppercase()
}

impl Values {
    /// Takes over what a file says; what it must not say becomes an error.
    pub fn of_file(table: Table) -> Values {
        let mut values = Values::default();
        for (name, value) in table {
            let nested = name == ACQUIRER;
            match value {
                Value::Table(table) if nested => values.add_acquirers(table),
                Value::Table(table) => values.add_section(&name, table),
                value => values.errors.push(unknown_key(&name, &known_sections()).with_value(value)),
            }
        }
        values
    }

    /// Takes over `REFUNDRY_<SECTION>_<KEY>` variables. Variables of unknown sections are left alone, because
    /// orchestrators invent names such as `REFUNDRY_SERVICE_HOST`.
    pub fn override_with(&mut self, environment: impl IntoIterator<Item = (String, String)>) {
        let variables: BTreeMap<_, _> = environment
            .into_iter()
            .filter(|(name, _)| name.starts_with("REFUNDRY_"))
            .filter(|(name, _)| name != ENVIRONMENT_CONFIG_FILE && name != ENVIRONMENT_MASTER_KEY)
            .collect();
        for (name, text) in variables {
            match self.find_variable(&name) {
                Some((section, key)) => self.set_from_text(section, key, &name, &text),
                None => {
                    if is_of_known_section(&name) {
                        self.errors.push(unknown_variable(&name));
                    }
                }
            }
        }
    }

    /// All values with defaults for what was not given, or everything that is wrong.
    pub fn checked(mut self) -> Result<Values, ConfigErrors> {
        if !self.errors.is_empty() {
            self.errors.truncate(ERRORS_MAX);
            return Err(ConfigErrors(self.errors));
        }
        for section in SECTIONS.iter().filter(|section| section.name != ACQUIRER) {
            self.add_defaults(section.name, section);
        }
        let acquirers = self.acquirers();
        for name in acquirers.iter().map(String::as_str).chain(["simulated"]) {
            self.add_defaults(&format!("{ACQUIRER}.{name}"), section(ACQUIRER));
        }
        Ok(self)
    }

    /// The names of all acquirers.
    pub fn acquirers(&self) -> Vec<String> {
        let mut names: Vec<String> =
            self.given.keys().filter_map(|(section, _)| section.strip_prefix("acquirer.").map(str::to_owned)).collect();
        names.dedup();
        names
    }

    /// The number of a key of the table.
    pub fn number<N: TryFrom<i64>>(&self, section: &str, key: &str) -> N {
        let value = self.get(section, key).as_integer().and_then(|number| N::try_from(number).ok());
        value.unwrap_or_else(|| unreachable!("{section}.{key} was checked against a range that fits its type"))
    }

    /// The switch of a key of the table.
    pub fn switch(&self, section: &str, key: &str) -> bool {
        let value = self.get(section, key).as_bool();
        value.unwrap_or_else(|| unreachable!("{section}.{key} was checked to be true or false"))
    }

    /// The text of a key of the table.
    pub fn text(&self, section: &str, key: &str) -> String {
        let value = self.get(section, key).as_str();
        value.unwrap_or_else(|| unreachable!("{section}.{key} was checked to be a text")).to_owned()
    }

    /// The texts of a key of the table.
    pub fn list(&self, section: &str, key: &str) -> Vec<String> {
        let items = self.get(section, key).as_array().into_iter().flatten();
        items.filter_map(|item| item.as_str().map(str::to_owned)).collect()
    }

    fn get(&self, section: &str, key: &str) -> &Value {
        let found = self.given.iter().find(|((own_section, own_key), _)| own_section == section && *own_key == key);
        found.unwrap_or_else(|| unreachable!("{section}.{key} is in the table, which a test proves")).1
    }

    fn add_acquirers(&mut self, table: Table) {
        for (name, value) in table {
            let full_name = format!("{ACQUIRER}.{name}");
            let plain = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte));
            match value {
                Value::Table(table) if plain => self.add_keys(&full_name, section(ACQUIRER), table),
                value => self.errors.push(
                    ConfigError::new(
                        &full_name,
                        "is not a section [acquirer.NAME] with a name of a–z, 0–9, - and _",
                        "应为小节 [acquirer.名称]，名称只含 a–z、0–9、- 和 _",
                    )
                    .with_value(value),
                ),
            }
        }
    }

    fn add_section(&mut self, name: &str, table: Table) {
        match SECTIONS.iter().find(|section| section.name == name) {
            Some(section) => self.add_keys(name, section, table),
            None => self.errors.push(unknown_key(name, &known_sections())),
        }
    }

    fn add_keys(&mut self, full_name: &str, section: &Section, table: Table) {
        for (name, value) in table {
            let key_name = format!("{full_name}.{name}");
            match (section.keys.iter().find(|key| key.name == name), value) {
                (Some(key), value) => self.set(full_name.to_owned(), key, value),
                (None, Value::Table(table)) if !full_name.starts_with(ACQUIRER) => self.add_section(&key_name, table),
                (None, value) => {
                    let known: Vec<String> = section.keys.iter().map(|key| format!("{full_name}.{}", key.name)).collect();
                    self.errors.push(unknown_key(&key_name, &known).with_value(value));
                }
            }
        }
    }

    fn set(&mut self, section: String, key: &'static Key, value: Value) {
        match check(&format!("{section}.{}", key.name), key, &value) {
            Ok(()) => {
                self.given.insert((section, key.name), value);
            }
            Err(error) => self.errors.push(error),
        }
    }

    fn set_from_text(&mut self, section: String, key: &'static Key, variable: &str, text: &str) {
        let value = match key.kind {
            Kind::Integer(..) => text.trim().parse().map_or_else(|_| Value::from(text), Value::Integer),
            Kind::Switch(_) => text.trim().parse().map_or_else(|_| Value::from(text), Value::Boolean),
            Kind::Text(..) => Value::from(text),
            Kind::List(..) => {
                let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
                Value::Array(items.map(Value::from).collect())
            }
        };
        match check(variable, key, &value) {
            Ok(()) => {
                self.given.insert((section, key.name), value);
            }
            Err(error) => self.errors.push(error),
        }
    }

    fn find_variable(&self, variable: &str) -> Option<(String, &'static Key)> {
        if let Some(rest) = variable.strip_prefix("REFUNDRY_ACQUIRER_") {
            return self.find_acquirer_variable(rest);
        }
        let all = SECTIONS.iter().flat_map(|section| section.keys.iter().map(move |key| (section.name, key)));
        let mut matching = all.filter(|(section, key)| environment_name(section, key.name) == variable);
        matching.next().map(|(section, key)| (section.to_owned(), key))
    }

    fn find_acquirer_variable(&self, rest: &str) -> Option<(String, &'static Key)> {
        let mut keys = section(ACQUIRER).keys.iter();
        keys.find_map(|key| {
            let suffix = format!("_{}", key.name.to_ascii_uppercase());
            let name = rest.strip_suffix(&suffix).filter(|name| !name.is_empty())?;
            let in_file = self.acquirers().into_iter().find(|own| own.replace('-', "_").eq_ignore_ascii_case(name));
            let name = in_file.unwrap_or_else(|| name.to_ascii_lowercase());
            Some((format!("{ACQUIRER}.{name}"), key))
        })
    }

    fn add_defaults(&mut self, full_name: &str, section: &'static Section) {
        for key in section.keys {
            self.given.entry((full_name.to_owned(), key.name)).or_insert_with(|| key.kind.default());
        }
    }
}

fn check(shown_key: &str, key: &Key, value: &Value) -> Result<(), ConfigError> {
    let wrong = |(english, chinese): (String, String)| {
        let error = ConfigError::new(
            shown_key,
            format!("must be {english}; correct it, or leave it out for the default {}", key.kind.default()),
            format!("应为{chinese}；请修正，或删除以使用默认值 {}", key.kind.default()),
        );
        let secret = matches!(key.kind, Kind::Text(_, Form::Secret));
        if secret { error } else { error.with_value(value) }
    };
    let text = (String::from("a text in quotes"), String::from("带引号的文本"));
    match (key.kind, value) {
        (Kind::Integer(_, least, most), Value::Integer(number)) if (least..=most).contains(number) => Ok(()),
        (Kind::Integer(_, least, most), _) => {
            Err(wrong((format!("a whole number from {least} to {most}"), format!(" {least} 到 {most} 之间的整数"))))
        }
        (Kind::Switch(_), Value::Boolean(_)) => Ok(()),
        (Kind::Switch(_), _) => Err(wrong(("true or false".to_owned(), " true 或 false".to_owned()))),
        (Kind::Text(_, form), Value::String(given)) if form.fits(given) => Ok(()),
        (Kind::Text(_, form), _) => Err(wrong(form.expected().unwrap_or(text))),
        (Kind::List(_, form), Value::Array(items)) if items.iter().all(|item| item.as_str().is_some_and(|item| form.fits(item))) => Ok(()),
        (Kind::List(_, form), _) => {
            let (english, chinese) = form.expected().unwrap_or(text);
            Err(wrong((format!("a list [\"…\"], each item {english}"), format!("列表 [\"…\"]，每项为{chinese}"))))
        }
    }
}

fn section(name: &str) -> &'static Section {
    SECTIONS.iter().find(|section| section.name == name).expect("the table has this section")
}

fn known_sections() -> Vec<String> {
    SECTIONS.iter().map(|section| section.name.to_owned()).collect()
}

fn is_of_known_section(variable: &str) -> bool {
    let mut sections = SECTIONS.iter();
    sections.any(|section| variable.starts_with(&environment_name(section.name, "")))
}

fn unknown_variable(name: &str) -> ConfigError {
    let all = SECTIONS.iter().flat_map(|section| section.keys.iter().map(|key| environment_name(section.name, key.name)));
    unknown_key(name, &all.collect::<Vec<_>>())
}

fn unknown_key(name: &str, known: &[String]) -> ConfigError {
    let nearest = known.iter().min_by_key(|candidate| distance(name, candidate));
    let near = nearest.filter(|candidate| distance(name, candidate) <= 1 + name.len() / 4);
    let (english, chinese) = match near {
        Some(near) => (format!("; did you mean {near}?"), format!("；是否指 {near}？")),
        None => Default::default(),
    };
    ConfigError::new(
        name,
        format!("there is no such key{english} `refundry config` prints all keys; correct or delete it"),
        format!("没有这个键{chinese} `refundry config` 可列出所有键；请修正或删除"),
    )
}

/// How many single-character edits lie between two names.
fn distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, from) in left.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (column, to) in right.bytes().enumerate() {
            let replaced = diagonal + usize::from(from != to);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[right.len()]
}
