//! What is wrong with a configuration, in English and Chinese at once: the language itself may not be readable yet.

use std::fmt;
use std::path::Path;

/// Everything that is wrong, in the order of the file.
#[derive(Debug, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<ConfigError>);

/// One thing that is wrong: which key, what value, and how to cure it.
#[derive(Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// `section.key`, or the file's name.
    pub key: String,
    /// The value as it was written; nothing for secrets and missing values.
    pub value: Option<String>,
    /// What is wrong and what to do.
    pub english: String,
    /// The same in Chinese.
    pub chinese: String,
}

impl ConfigError {
    pub(super) fn new(key: &str, english: impl Into<String>, chinese: impl Into<String>) -> ConfigError {
        ConfigError { key: key.to_owned(), value: None, english: english.into(), chinese: chinese.into() }
    }

    pub(super) fn with_value(mut self, value: impl fmt::Display) -> ConfigError {
        self.value = Some(value.to_string());
        self
    }

    pub(super) fn syntax(error: &toml::de::Error) -> ConfigError {
        ConfigError::new(
            "TOML",
            format!("the file is not TOML; correct the marked place\n{error}"),
            "文件不是有效的 TOML；请修正上面标出的位置",
        )
    }

    pub(super) fn unreadable(path: &Path, error: &std::io::Error) -> ConfigError {
        ConfigError::new(
            &path.display().to_string(),
            format!("cannot be read ({error}); name an existing file, or write one with `refundry config > FILE`"),
            format!("无法读取（{error}）；请指定存在的文件，或用 `refundry config > 文件` 生成"),
        )
    }
}

impl From<ConfigError> for ConfigErrors {
    fn from(error: ConfigError) -> ConfigErrors {
        ConfigErrors(vec![error])
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) => write!(formatter, "{} = {value}: {}\n    {}", self.key, self.english, self.chinese),
            None => write!(formatter, "{}: {}\n    {}", self.key, self.english, self.chinese),
        }
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the configuration cannot be used / 配置不可用")?;
        self.0.iter().try_for_each(|error| write!(formatter, "\n  {error}"))
    }
}

impl std::error::Error for ConfigErrors {}
