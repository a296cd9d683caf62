//! The line to a database, which can be cut at a chosen moment.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

/// The message by which a lane ends its transaction: a plain statement with its length.
const COMMIT: &[u8] = b"Q\0\0\0\x0bCOMMIT\0";
/// The server's answer to it: done.
const COMMITTED: &[u8] = b"C\0\0\0\x0bCOMMIT\0";

/// When the line is cut next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Instead of bringing a COMMIT to the server.
    Request,
    /// When the server has answered a COMMIT, and nobody has heard it.
    Answer,
    /// As `Answer`, and nobody is connected any more from then on.
    AnswerForLong,
}

/// What becomes of bytes on the line.
enum Deed {
    Forward,
    Swallow,
    CutOff,
}

/// Forwards connections to a server, until it is cut.
#[derive(Clone)]
pub struct Line {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

struct State {
    server: String,
    next: Option<Cut>,
    down: bool,
    cuts: usize,
    ends: Vec<TcpStream>,
}

impl Line {
    /// A line to the server of this address, `postgres://user@host:port/name`.
    pub fn to(url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let state = State { server: host(url).to_owned(), next: None, down: false, cuts: 0, ends: Vec::new() };
        let line = Self { address: listener.local_addr().unwrap(), state: Arc::new(Mutex::new(state)) };
        let forwarding = line.clone();
        // It ends with the process of the test.
        std::thread::spawn(move || listener.incoming().flatten().for_each(|client| forwarding.forward(client)));
        line
    }

    /// The same database by way of this line.
    pub fn url(&self, url: &str) -> String {
        url.replace(host(url), &self.address.to_string())
    }

    /// Chooses the moment of the next cut.
    pub fn cut(&self, next: Cut) {
        self.state().next = Some(next);
    }

    /// Cuts all connections, and takes no new ones.
    pub fn take_down(&self) {
        let mut state = self.state();
        state.down = true;
        state.ends.drain(..).for_each(|end| drop(end.shutdown(Shutdown::Both)));
    }

    /// Takes connections again.
    pub fn bring_up(&self) {
        self.state().down = false;
    }

    /// How often it was cut at a chosen moment.
    pub fn cuts(&self) -> usize {
        self.state().cuts
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn forward(&self, client: TcpStream) {
        let mut state = self.state();
        if state.down {
            return;
        }
        let Ok(server) = TcpStream::connect(&state.server) else { return };
        state.ends.extend([client.try_clone().unwrap(), server.try_clone().unwrap()]);
        drop(state);
        let deaf: Arc<Mutex<Option<Cut>>> = Arc::default();
        let (to_server, to_client) = ((client.try_clone().unwrap(), server.try_clone().unwrap()), (server, client));
        let (line, told) = (self.clone(), deaf.clone());
        std::thread::spawn(move || {
            line.pump(to_server, |said| {
                if !holds(said, COMMIT) {
                    return Deed::Forward;
                }
                let next = line.state().next.take();
                *told.lock().unwrap() = next;
                if next == Some(Cut::Request) { Deed::CutOff } else { Deed::Forward }
            });
        });
        let line = self.clone();
        std::thread::spawn(move || {
            line.pump(to_client, |said| match *deaf.lock().unwrap() {
                None => Deed::Forward,
                Some(_) if !holds(said, COMMITTED) => Deed::Swallow,
                Some(Cut::AnswerForLong) => {
                    line.take_down();
                    Deed::CutOff
                }
                Some(_) => Deed::CutOff,
            });
        });
    }

    /// Brings bytes from one end to the other, as `decide` says of what was said so far.
    fn pump(&self, (mut from, mut to): (TcpStream, TcpStream), decide: impl Fn(&[u8]) -> Deed) {
        let mut said = Vec::new();
        let mut bytes = [0; 16 * 1024];
        while let Ok(count @ 1..) = from.read(&mut bytes) {
            // Enough of what came before to see a message that came in two pieces, and not the same one again.
            said.drain(..said.len().saturating_sub(COMMIT.len() - 1));
            said.extend_from_slice(&bytes[..count]);
            match decide(&said) {
                Deed::Forward if to.write_all(&bytes[..count]).is_ok() => {}
                Deed::Forward => break,
                Deed::Swallow => {}
                Deed::CutOff => {
                    self.state().cuts += 1;
                    break;
                }
            }
        }
        drop((from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both)));
    }
}

fn holds(said: &[u8], message: &[u8]) -> bool {
    said.windows(message.len()).any(|window| window == message)
}

fn host(url: &str) -> &str {
    url.split_once('@').and_then(|(_, rest)| rest.split_once('/')).unwrap().0
}
