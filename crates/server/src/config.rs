//! The configuration: one TOML file, environment variables over it, documented defaults under it.
//!
//! [`keys`] is the only list of keys: the defaults, the checks, the printed file and the error texts all come from it.
//! Nothing is reloaded while serving, except the TLS certificate files.

mod consistency;
mod error;
mod keys;
mod printed;
mod sections;
mod values;

pub use error::{ConfigError, ConfigErrors};
pub use printed::default_file;
pub use sections::{
    Acquirer, AcquirerKind, Alarms, Config, Database, Limits, Log, LogFormat, Outgoing, Role, Secrets, Server, Sync, Tls, Tracing, Workers,
};

use std::path::Path;
use values::Values;

/// Environment variables that begin with `REFUNDRY_` but are not keys of the file.
pub const ENVIRONMENT_CONFIG_FILE: &str = "REFUNDRY_CONFIG";
/// The master key, in place of the file that `secrets.master_key_file` names.
pub const ENVIRONMENT_MASTER_KEY: &str = "REFUNDRY_MASTER_KEY";
/// Longest configuration file that is read.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

impl Config {
    /// Reads `file` (none: defaults only) and lets `environment` override it.
    pub fn load(file: Option<&Path>, environment: impl IntoIterator<Item = (String, String)>) -> Result<Config, ConfigErrors> {
        let text = match file {
            Some(path) => read(path)?,
            None => String::new(),
        };
        Config::parse(&text, environment)
    }

    /// As [`load`](Self::load), from the text of a file.
    pub fn parse(text: &str, environment: impl IntoIterator<Item = (String, String)>) -> Result<Config, ConfigErrors> {
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| ConfigError::syntax(&error))?;
        let mut values = Values::of_file(table);
        values.override_with(environment);
        let values = values.checked()?;
        let config = Config::from_values(&values);
        config.check_together()?;
        Ok(config)
    }
}

impl Default for Config {
    fn default() -> Config {
        Config::parse("", []).expect("the defaults fit together, which a test proves")
    }
}

fn read(path: &Path) -> Result<String, ConfigError> {
    let unreadable = |error: std::io::Error| ConfigError::unreadable(path, &error);
    let length = std::fs::metadata(path).map_err(unreadable)?.len();
    if length > FILE_BYTES_MAX {
        return Err(unreadable(std::io::Error::other(format!("longer than {FILE_BYTES_MAX} bytes"))));
    }
    std::fs::read_to_string(path).map_err(unreadable)
}

#[cfg(test)]
mod tests;
