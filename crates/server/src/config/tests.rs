use super::keys::{ACQUIRER, SECTIONS};
use super::*;

fn parse(text: &str) -> Result<Config, ConfigErrors> {
    Config::parse(text, [])
}

fn with(text: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigErrors> {
    Config::parse(text, variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
}

#[test]
fn the_printed_file_is_whole_and_says_the_defaults() {
    let printed = default_file();
    assert_eq!(parse(&printed), Ok(Config::default()));
    let table: toml::Table = printed.parse().unwrap();
    for section in SECTIONS {
        let path = if section.name == ACQUIRER { "acquirer.simulated" } else { section.name };
        let table = path.split('.').fold(&table, |table, name| table[name].as_table().unwrap());
        for key in section.keys {
            assert_eq!(table.get(key.name), Some(&key.kind.default()), "{path}.{}", key.name);
            let (english, chinese) = key.about;
            assert!(printed.contains(english) && printed.contains(chinese), "{path}.{}", key.name);
        }
    }
}

#[test]
fn the_committed_default_file_is_what_the_program_prints() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operating/refundry.default.toml");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, default_file()).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(committed == default_file(), "docs/operating/refundry.default.toml is stale: run the tests once with BLESS=1");
}

#[test]
fn every_key_reaches_the_program() {
    // Each key in turn gets another valid value; a key that nothing reads would leave the configuration equal.
    for section in SECTIONS {
        let path = if section.name == ACQUIRER { "acquirer.simulated" } else { section.name };
        for key in section.keys {
            let other = match key.name {
                "listen" => r#"["127.0.0.9:9"]"#.to_owned(),
                "roles" => r#"["api"]"#.to_owned(),
                "networks_allowed" | "trusted_proxies" => r#"["10.0.0.0/8"]"#.to_owned(),
                "io_threads" | "cpu_threads" => "1021".to_owned(),
                "lang" => r#""zh""#.to_owned(),
                "sync" => r#""normal""#.to_owned(),
                "format" => r#""json""#.to_owned(),
                "level" => r#""debug""#.to_owned(),
                "kind" => r#""http""#.to_owned(),
                "url" if path == "database" => r#""sqlite:///other.db""#.to_owned(),
                "url" | "otlp_endpoint" => r#""http://localhost""#.to_owned(),
                "cert" | "key" | "master_key_file" | "secret" | "password" | "certificates" => r#""other""#.to_owned(),
                _ => match key.kind {
                    keys::Kind::Integer(default, least, _) if default == least => (default + 1).to_string(),
                    keys::Kind::Integer(default, _, _) => (default - 1).to_string(),
                    keys::Kind::Switch(default) => (!default).to_string(),
                    keys::Kind::Text(..) | keys::Kind::List(..) => {
                        panic!("give {path}.{} a value here", key.name)
                    }
                },
            };
            let values = Values::of_file(format!("[{path}]\n{} = {other}", key.name).parse().unwrap());
            let config = Config::from_values(&values.checked().unwrap());
            assert_ne!(config, Config::default(), "{path}.{} = {other}", key.name);
        }
    }
}

#[test]
fn errors_name_key_value_limit_and_cure() {
    let rows = [
        ("server = 1", "server = 1"),
        (
            "[server]\nconnections_max = 0",
            "server.connections_max = 0: must be a whole number from 1 to 1000000; correct it, or leave it out for the default 10000\n    应为 1 到 1000000 之间的整数；请修正，或删除以使用默认值 10000",
        ),
        ("[server]\nconnections_max = \"many\"", "server.connections_max = \"many\": must be a whole number from 1"),
        ("[server]\nconections_max = 5", "server.conections_max = 5: there is no such key; did you mean server.connections_max?"),
        ("[serve]\nlisten = []", "serve: there is no such key; did you mean server?"),
        ("[server.tsl]\ncert = \"x\"", "server.tsl: there is no such key; did you mean server.tls?"),
        ("[server]\nlisten = \"127.0.0.1:80\"", "server.listen = \"127.0.0.1:80\": must be a list"),
        ("[server]\nlisten = [\"localhost\"]", "server.listen = [\"localhost\"]: must be a list [\"…\"], each item address:port"),
        ("[server]\nroles = [\"apis\"]", "each item one of \"api\", \"workers\""),
        ("[server]\nroles = []", "server.roles: the process would do nothing"),
        ("[server]\nlisten = []", "server.listen: nothing listens"),
        ("[server.tls]\nlisten = [\"127.0.0.1:443\"]", "server.tls: listens but lacks a certificate; set server.tls.cert"),
        ("[database]\nurl = \"mysql://x\"", "database.url = \"mysql://x\": must be sqlite:// followed by a path"),
        ("[outgoing]\nnetworks_allowed = [\"10.0.0.0/99\"]", "each item a network such as"),
        ("[tracing]\notlp_endpoint = \"ftp://x\"", "must be a URL that begins with http:// or https://"),
        ("[acquirer.bank]\nrecognises_duplicates = \"yes\"", "acquirer.bank.recognises_duplicates = \"yes\": must be true or false"),
        ("[log]\nlevel = \"loud=very\"", "log.level = \"loud=very\": must be error, warn"),
        ("[workers]\nretry_delay_ms_min = 3600000\nretry_delay_ms_max = 1000", "is longer than workers.retry_delay_ms_max"),
        ("[workers]\nlease_ms = 10000", "workers.lease_ms: is not longer than workers.acquirer_timeout_ms"),
        ("[acquirer.bank]\nkind = \"http\"", "acquirer.bank: has kind \"http\" but lacks its url or secret"),
        ("[acquirer.bank]\nkind = \"visa\"", "acquirer.bank.kind = \"visa\": must be one of \"simulated\", \"http\""),
        ("[acquirer.\"My Bank\"]\nkind = \"http\"", "is not a section [acquirer.NAME]"),
        (
            "[acquirer.bank]\nkind = \"http\"\nurl = \"http://x\"\nsecret = \"whsec_\"",
            "acquirer.bank: has kind \"http\" but lacks its url or secret",
        ),
        (
            "[acquirer.bank]\nkind = \"http\"\nurl = \"http://x\"\nsecret = \"x\"\nunknown_is_final_after_ms = 15000",
            "acquirer.bank.unknown_is_final_after_ms: is not longer than workers.acquirer_timeout_ms",
        ),
        ("[acquirer.simulated]\nkind = \"http\"\nurl = \"http://x\"\nsecret = \"x\"", "acquirer.simulated.kind: must stay"),
        ("[acquirer]\nkind = \"http\"", "acquirer.kind = \"http\": is not a section [acquirer.NAME]"),
        ("[acquirer.bank]\nurls = \"x\"", "acquirer.bank.urls = \"x\": there is no such key; did you mean acquirer.bank.url?"),
        ("[server\n", "TOML: the file is not TOML"),
    ];
    for (text, expected) in rows {
        let errors = parse(text).expect_err(text).to_string();
        assert!(errors.contains(expected), "{text}\n{errors}");
    }
}

#[test]
fn all_errors_are_told_at_once_and_secrets_are_not() {
    let errors = parse("[server]\nnode = -1\nlang = \"fr\"\n[acquirer.bank]\nsecret = 12345").unwrap_err();
    assert_eq!(errors.0.len(), 3);
    assert!(!errors.to_string().contains("12345"), "{errors}");
    let config = parse("[acquirer.bank]\nkind=\"http\"\nurl=\"http://x\"\nsecret = \"whsec_hush\"").unwrap();
    assert!(!format!("{config:?}").contains("hush"));
}

#[test]
fn the_environment_overrides_the_file() {
    let file = "[server]\nio_threads = 3\n[acquirer.my-bank]\nkind = \"http\"\nurl = \"https://bank.example.com\"";
    let config = with(
        file,
        &[
            ("REFUNDRY_SERVER_IO_THREADS", "7"),
            ("REFUNDRY_SERVER_LISTEN", "127.0.0.1:1, [::1]:2"),
            ("REFUNDRY_SERVER_TLS_CERT", "cert.pem"),
            ("REFUNDRY_ACQUIRER_MY_BANK_SECRET", "whsec_x"),
            ("REFUNDRY_ACQUIRER_OTHER_RECOGNISES_DUPLICATES", "true"),
            ("REFUNDRY_MASTER_KEY", "not a key of the file"),
            ("REFUNDRY_CONFIG", "refundry.toml"),
            ("REFUNDRY_SERVICE_HOST", "set by an orchestrator"),
            ("PATH", "/bin"),
        ],
    )
    .unwrap();
    assert_eq!(config.server.io_threads, 7);
    assert_eq!(config.server.listen, ["127.0.0.1:1".parse().unwrap(), "[::1]:2".parse().unwrap()]);
    assert_eq!(config.tls.cert.to_str(), Some("cert.pem"));
    assert_eq!(config.acquirers["my-bank"].secret, "whsec_x");
    assert!(config.acquirers["other"].recognises_duplicates);
    assert_eq!(config.acquirers.keys().collect::<Vec<_>>(), ["my-bank", "other", "simulated"]);

    for (name, value, expected) in [
        ("REFUNDRY_SERVER_IO_THREADS", "many", "REFUNDRY_SERVER_IO_THREADS = \"many\": must be a whole number from 0 to 1024"),
        ("REFUNDRY_SERVER_IO_THREAD", "1", "REFUNDRY_SERVER_IO_THREAD: there is no such key; did you mean REFUNDRY_SERVER_IO_THREADS?"),
    ] {
        let errors = with("", &[(name, value)]).unwrap_err().to_string();
        assert!(errors.contains(expected), "{errors}");
    }
}

#[test]
fn threads_are_never_none() {
    let server = Config::default().server;
    assert!(server.io_threads > 0 && server.cpu_threads > 0);
    assert_eq!(parse("[server]\ncpu_threads = 3").unwrap().server.cpu_threads, 3);
}

#[test]
fn an_unreadable_file_is_named() {
    let errors = Config::load(Some(Path::new("/nonexistent/refundry.toml")), []).unwrap_err().to_string();
    assert!(errors.contains("/nonexistent/refundry.toml: cannot be read"), "{errors}");
}
