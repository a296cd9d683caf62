//! The servers of an installation, which are killed and started again.

use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::time::Instant;

use crate::crash::callers::Callers;
use crate::crash::stage::Stage;
use crate::server_process::Server;

/// How long a server may take to serve again, with a database that has to come back first.
const START_WAIT_MAX: Duration = Duration::from_secs(60);
/// Wait before a server that ended by itself is started again, as whoever supervises it does.
const START_PAUSE: Duration = Duration::from_millis(100);

/// Servers of one installation.
pub struct Nodes<'a> {
    stage: &'a Stage,
    callers: &'a Callers,
    servers: Vec<Server>,
}

impl<'a> Nodes<'a> {
    /// Starts so many, and tells the callers.
    pub fn start(stage: &'a Stage, callers: &'a Callers, count: usize) -> anyhow::Result<Self> {
        let servers = (0..count).map(|node| stage.start_node(&name(node))).collect::<anyhow::Result<_>>()?;
        let nodes = Self { stage, callers, servers };
        nodes.announce();
        Ok(nodes)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.servers.len()
    }

    /// Kills some of them at once.
    pub fn kill(&mut self, nodes: &[usize]) {
        nodes.iter().for_each(|node| self.servers[*node].kill());
    }

    /// One of them does nothing for a while, and then goes on as if nothing had been.
    pub fn stand_still(&self, node: usize, time: Duration) -> anyhow::Result<()> {
        self.servers[node].stand_still(time)
    }

    /// Starts some of them again, at once; gives how long it took until the last of them was ready.
    pub fn revive(&mut self, nodes: &[usize]) -> anyhow::Result<Duration> {
        let begin = Instant::now();
        let stage = self.stage;
        let started: Vec<(usize, anyhow::Result<Server>)> = std::thread::scope(|scope| {
            let starting: Vec<_> = nodes.iter().map(|node| (*node, scope.spawn(|| start(stage, *node)))).collect();
            let ended = |(node, thread): (usize, std::thread::ScopedJoinHandle<'_, anyhow::Result<Server>>)| {
                (node, thread.join().unwrap_or_else(|_| bail!("starting a server stopped by a panic")))
            };
            starting.into_iter().map(ended).collect()
        });
        for (node, server) in started {
            self.servers[node] = server.with_context(|| format!("start {}", name(node)))?;
        }
        self.announce();
        Ok(begin.elapsed())
    }

    fn announce(&self) {
        self.callers.call_at(self.servers.iter().map(|server| server.address.clone()).collect());
    }
}

/// How a node is called: in the folder of its log, and in reports.
pub fn name(node: usize) -> String {
    let letter = u8::try_from(node).map_or('?', |node| char::from(b'A'.saturating_add(node)));
    format!("node {letter}")
}

fn start(stage: &Stage, node: usize) -> anyhow::Result<Server> {
    let begin = Instant::now();
    loop {
        match stage.start_node(&name(node)) {
            Err(error) if begin.elapsed() < START_WAIT_MAX => eprintln!("{}: {error:#}; it is started again", name(node)),
            other => return other,
        }
        sleep(START_PAUSE);
    }
}
