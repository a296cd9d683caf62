//! A PostgreSQL server that is killed, and that somebody else starts again.

use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::time::Instant;

use crate::cluster::Session;
use crate::server_process::signal;

/// How long a killed server may take to come back.
const BACK_WAIT_MAX: Duration = Duration::from_secs(60);

/// The server, by the address of one of its databases. Whoever connects is a superuser.
pub struct Database {
    url: String,
}

/// How the kernel, or an operator in a hurry, ends a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Death {
    /// Signal 9 to its first process; the others notice it one by one.
    Killed,
    /// The signal for its immediate stop: it ends without ending anything well.
    StoppedAtOnce,
    /// Signal 9 to one process that serves a connection: the server then ends all connections and recovers.
    OneProcessKilled,
}

impl Database {
    /// At an address.
    pub fn at(url: &str) -> Self {
        Self { url: url.to_owned() }
    }

    /// Makes it die, and waits until it has ended its connections.
    pub fn kill(&self, death: Death) -> anyhow::Result<()> {
        let session = self.session()?;
        match death {
            Death::Killed => signal("-KILL", first_process(&session)?)?,
            Death::StoppedAtOnce => signal("-QUIT", first_process(&session)?)?,
            Death::OneProcessKilled => {
                let busiest = "SELECT pid::text FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() \
                    ORDER BY xact_start NULLS LAST LIMIT 1";
                signal("-KILL", session.text(busiest)?.parse()?)?;
            }
        }
        let begin = Instant::now();
        while session.text("SELECT 'still there'").is_ok() {
            if begin.elapsed() > BACK_WAIT_MAX {
                bail!("the database server does not die");
            }
            sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// All its processes do nothing for a while: connections stand, and nobody answers. Then it goes on with whatever had reached it.
    pub fn stand_still(&self, time: Duration) -> anyhow::Result<()> {
        let session = self.session()?;
        let others = session.text("SELECT string_agg(pid::text, ' ') FROM pg_stat_activity WHERE pid <> pg_backend_pid()")?;
        let mut processes = vec![first_process(&session)?];
        processes.extend(others.split(' ').filter_map(|process| process.parse::<u32>().ok()));
        // One that ended meanwhile need not be stopped.
        processes.iter().for_each(|process| signal("-STOP", *process).unwrap_or_default());
        sleep(time);
        processes.iter().for_each(|process| signal("-CONT", *process).unwrap_or_default());
        Ok(())
    }

    /// Waits until it answers again; gives how long that took.
    pub fn wait_until_back(&self) -> anyhow::Result<Duration> {
        let begin = Instant::now();
        loop {
            if self.session().is_ok_and(|session| session.text("SELECT 'back'").is_ok()) {
                return Ok(begin.elapsed());
            }
            if begin.elapsed() > BACK_WAIT_MAX {
                bail!("nobody started the database server again; `scripts/with-postgres --revive` does");
            }
            sleep(Duration::from_millis(5));
        }
    }

    fn session(&self) -> anyhow::Result<Session> {
        Session::open(&self.url)
    }
}

fn first_process(session: &Session) -> anyhow::Result<u32> {
    let file = session.text("SELECT pg_read_file('postmaster.pid')").context("only a superuser may read which process it is")?;
    file.lines().next().and_then(|line| line.trim().parse().ok()).context("the file begins with a number")
}
