use tokio_postgres::Config;

/// The same configuration once for each host that it names: the driver knows a time limit for the network alone, and a host that takes connections and
/// then says nothing would keep everybody from the next one.
pub fn one_each(config: &Config) -> Vec<Config> {
    let count = config.get_hosts().len().max(config.get_hostaddrs().len());
    (0..count).map(|place| only(config, place)).collect()
}

fn only(config: &Config, place: usize) -> Config {
    let mut one = Config::new();
    if let Some(host) = config.get_hosts().get(place) {
        match host {
            tokio_postgres::config::Host::Tcp(name) => drop(one.host(name)),
            tokio_postgres::config::Host::Unix(folder) => drop(one.host_path(folder)),
        }
    }
    config.get_hostaddrs().get(place).map(|address| one.hostaddr(*address));
    config.get_ports().get(place).or_else(|| config.get_ports().first()).map(|port| one.port(*port));
    config.get_user().map(|user| one.user(user));
    config.get_password().map(|password| one.password(password));
    config.get_dbname().map(|name| one.dbname(name));
    config.get_options().map(|options| one.options(options));
    config.get_application_name().map(|name| one.application_name(name));
    config.get_connect_timeout().map(|time| one.connect_timeout(*time));
    config.get_tcp_user_timeout().map(|time| one.tcp_user_timeout(*time));
    config.get_keepalives_interval().map(|time| one.keepalives_interval(time));
    config.get_keepalives_retries().map(|count| one.keepalives_retries(count));
    one.keepalives(config.get_keepalives()).keepalives_idle(config.get_keepalives_idle());
    one.ssl_mode(config.get_ssl_mode()).ssl_negotiation(config.get_ssl_negotiation());
    one.target_session_attrs(config.get_target_session_attrs()).channel_binding(config.get_channel_binding());
    one
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_host_gets_everything_that_was_said_of_all() {
        let said = "user=u password=p dbname=d application_name=n sslmode=require target_session_attrs=read-write connect_timeout=7 keepalives_idle=9";
        for (hosts, expected) in [
            ("host=a,b port=1,2", vec!["host=a port=1", "host=b port=2"]),
            ("host=a,b port=3", vec!["host=a port=3", "host=b port=3"]),
            ("host=a,b hostaddr=10.0.0.1,10.0.0.2", vec!["host=a hostaddr=10.0.0.1", "host=b hostaddr=10.0.0.2"]),
            ("host=/run", vec!["host=/run"]),
        ] {
            let config = |hosts: &str| format!("{hosts} {said}").parse::<Config>().expect("it is well-formed");
            assert_eq!(one_each(&config(hosts)), expected.into_iter().map(config).collect::<Vec<_>>(), "{hosts}");
        }
    }
}
