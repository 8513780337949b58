//! A small proxy in front of an object store that can be told to behave badly while it runs.
//!
//! It speaks just enough HTTP/1.1 to tell requests from answers: one request a connection, which it tells the store by
//! `Connection: close`, a header that S3 signatures do not cover. What is done to a request is decided when it arrives.
//! It knows nothing of what the archive makes of it; that is for tests.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::harness::HarnessError;

/// A store that moves no byte for so long is given up.
const IO_PATIENCE: Duration = Duration::from_secs(10);
const WAKE_PATIENCE: Duration = Duration::from_secs(1);
/// Longest head of a request or an answer.
const HEAD_BYTES_MAX: usize = 64 * 1024;
const CHUNK_BYTES: usize = 64 * 1024;
/// Connections served at once; more are closed.
const CONNECTIONS_MAX: usize = 64;

/// What the proxy does to requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Hands everything on.
    Pass,
    /// Takes connections and closes them at once.
    HangUp,
    /// Answers with this status, e.g. 503, and hands nothing on.
    Status(u16),
    /// Takes requests and answers nothing, until the mode changes.
    Silent,
    /// Hands on so many bytes of what is put, then closes both sides.
    CutUpload(usize),
    /// Hands out so many bytes of an object, then closes.
    CutDownload(usize),
    /// Turns one bit of an object on its way out: the lowest of the byte at this place, or of its last one.
    CorruptDownload(usize),
}

/// What all threads share.
#[derive(Debug)]
struct Shared {
    store: SocketAddr,
    mode: Mutex<Mode>,
    /// Told when the mode changes or the proxy ends.
    changed: Condvar,
    stop: AtomicBool,
    faults: AtomicU64,
}

/// A running proxy on a loopback port; it ends with all its threads when it is dropped.
#[derive(Debug)]
pub struct S3Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl S3Proxy {
    /// Starts one in front of a store at `http://127.0.0.1:PORT`; it passes everything.
    ///
    /// # Errors
    /// When the address is none, or no port is to be had.
    pub fn start(endpoint: &str) -> Result<Self, HarnessError> {
        let failed = |why: String| HarnessError::new(format!("no proxy for {endpoint}: {why}"));
        let store = endpoint.trim_start_matches("http://").trim_end_matches('/').parse::<SocketAddr>();
        let store = store.map_err(|error| failed(error.to_string()))?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|error| failed(error.to_string()))?;
        let address = listener.local_addr().map_err(|error| failed(error.to_string()))?;
        let shared = Arc::new(Shared {
            store,
            mode: Mutex::new(Mode::Pass),
            changed: Condvar::new(),
            stop: AtomicBool::new(false),
            faults: AtomicU64::new(0),
        });
        let serving = Arc::clone(&shared);
        let thread = thread::Builder::new().name("s3-proxy".to_owned()).spawn(move || serve(&listener, &serving));
        Ok(Self { address, shared, thread: Some(thread.map_err(|error| failed(error.to_string()))?) })
    }

    /// Where it listens, `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Does this to every request from now on; those that were left without an answer are closed.
    pub fn set(&self, mode: Mode) {
        *self.shared.mode.lock().unwrap_or_else(PoisonError::into_inner) = mode;
        self.shared.changed.notify_all();
    }

    /// Requests that were spoilt since the start.
    #[must_use]
    pub fn faults(&self) -> u64 {
        self.shared.faults.load(Ordering::Relaxed)
    }
}

impl Drop for S3Proxy {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        self.shared.changed.notify_all();
        // A connection wakes the thread. If none can be made, its socket is gone and with it the thread.
        let woken = TcpStream::connect_timeout(&self.address, WAKE_PATIENCE);
        drop(woken);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            eprintln!("the proxy's thread had panicked");
        }
    }
}

fn serve(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut connections: Vec<JoinHandle<()>> = Vec::new();
    for client in listener.incoming() {
        if shared.stop.load(Ordering::Relaxed) {
            break;
        }
        connections.retain(|connection| !connection.is_finished());
        let Ok(client) = client else { continue };
        if connections.len() >= CONNECTIONS_MAX {
            eprintln!("the proxy has {CONNECTIONS_MAX} connections; one more is closed");
            continue;
        }
        let serving = Arc::clone(shared);
        // A connection that breaks is what a proxy of faults sees all day.
        let talk = move || drop(exchange(&client, &serving));
        match thread::Builder::new().name("s3-proxy-client".to_owned()).spawn(talk) {
            Ok(connection) => connections.push(connection),
            Err(error) => eprintln!("the proxy has no thread for a connection: {error}"),
        }
    }
    for connection in connections {
        if connection.join().is_err() {
            eprintln!("a thread of the proxy had panicked");
        }
    }
}

/// The head of a request or an answer, with its empty line, and what was read behind it.
struct Head {
    text: Vec<u8>,
    rest: Vec<u8>,
}

impl Head {
    /// Reads up to the empty line; `None` when the other side closes before it.
    fn read(from: &mut impl Read) -> io::Result<Option<Self>> {
        let mut text = Vec::new();
        let mut chunk = [0; 4096];
        loop {
            if let Some(end) = text.windows(4).position(|four| four == b"\r\n\r\n") {
                let rest = text.split_off(end + 4);
                return Ok(Some(Self { text, rest }));
            }
            if text.len() > HEAD_BYTES_MAX {
                return Err(io::ErrorKind::InvalidData.into());
            }
            match from.read(&mut chunk)? {
                0 => return Ok(None),
                read => text.extend_from_slice(&chunk[..read]),
            }
        }
    }

    /// Words of the first line.
    fn words(&self) -> Vec<String> {
        let line = self.text.split(|&byte| byte == b'\r').next().unwrap_or_default();
        String::from_utf8_lossy(line).split(' ').map(ToOwned::to_owned).collect()
    }

    /// What the header `Content-Length` says, 0 without one.
    fn body_len(&self) -> u64 {
        let text = String::from_utf8_lossy(&self.text);
        let header = text.lines().filter_map(|line| line.split_once(':'));
        let mut len = header.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        len.next().and_then(|(_, value)| value.trim().parse().ok()).unwrap_or(0)
    }

    /// The head with one more header.
    fn with(&self, header: &str) -> Vec<u8> {
        let line = self.text.iter().position(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        [&self.text[..line], header.as_bytes(), b"\r\n", &self.text[line..]].concat()
    }
}

/// Serves the one request of a connection.
fn exchange(client: &TcpStream, shared: &Shared) -> io::Result<()> {
    let mode = *shared.mode.lock().unwrap_or_else(PoisonError::into_inner);
    let spoilt = || {
        shared.faults.fetch_add(1, Ordering::Relaxed);
    };
    if mode == Mode::HangUp {
        spoilt();
        return client.shutdown(Shutdown::Both);
    }
    patient(client)?;
    let mut from_client = client;
    let Some(request) = Head::read(&mut from_client)? else { return Ok(()) };
    let words = request.words();
    let method = words.first().map_or("", String::as_str);
    // Lists and what is asked of the bucket have no name of a file.
    let is_object = words.get(1).is_some_and(|path| path.ends_with(".mp4") || path.ends_with(".jsonl"));
    let body = request.rest.as_slice().chain(from_client).take(request.body_len());
    match mode {
        Mode::Status(status) => {
            spoilt();
            // Read before it is answered, as a store does: else the client sees a broken connection.
            io::copy(&mut { body }, &mut io::sink())?;
            let answer = format!("HTTP/1.1 {status} Fault\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            return from_client.write_all(answer.as_bytes());
        }
        Mode::Silent => {
            spoilt();
            wait_for_another_mode(shared);
            return client.shutdown(Shutdown::Both);
        }
        Mode::Pass | Mode::HangUp | Mode::CutUpload(_) | Mode::CutDownload(_) | Mode::CorruptDownload(_) => {}
    }
    let store = TcpStream::connect_timeout(&shared.store, IO_PATIENCE)?;
    patient(&store)?;
    let mut to_store = &store;
    to_store.write_all(&request.with("Connection: close"))?;
    match mode {
        Mode::CutUpload(after) if method == "PUT" && is_object => {
            spoilt();
            let sent = io::copy(&mut { body }.take(after as u64), &mut to_store);
            store.shutdown(Shutdown::Both)?;
            client.shutdown(Shutdown::Both)?;
            return sent.map(drop);
        }
        _ => io::copy(&mut { body }, &mut to_store)?,
    };
    let Some(answer) = Head::read(&mut to_store)? else { return client.shutdown(Shutdown::Both) };
    let is_content = answer.words().get(1).is_some_and(|status| status == "200" || status == "206");
    let content = answer.rest.as_slice().chain(to_store);
    from_client.write_all(&answer.text)?;
    match mode {
        Mode::CutDownload(after) if method == "GET" && is_object && is_content => {
            spoilt();
            io::copy(&mut { content }.take(after as u64), &mut from_client)?;
        }
        Mode::CorruptDownload(at) if method == "GET" && is_object && is_content => {
            spoilt();
            corrupt(content, answer.body_len(), at, &mut from_client)?;
        }
        _ => {
            io::copy(&mut { content }, &mut from_client)?;
        }
    }
    client.shutdown(Shutdown::Both)
}

/// No read or write lasts longer.
fn patient(stream: &TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(IO_PATIENCE))?;
    stream.set_write_timeout(Some(IO_PATIENCE))
}

fn wait_for_another_mode(shared: &Shared) {
    let mut mode = shared.mode.lock().unwrap_or_else(PoisonError::into_inner);
    while *mode == Mode::Silent && !shared.stop.load(Ordering::Relaxed) {
        // Looked at again now and then: the end may have been told just before this began to wait.
        let waited = shared.changed.wait_timeout(mode, WAKE_PATIENCE);
        mode = waited.unwrap_or_else(PoisonError::into_inner).0;
    }
}

/// Copies `len` bytes with one bit of the byte at `place`, or of the last one, turned.
fn corrupt(mut from: impl Read, len: u64, place: usize, to: &mut impl Write) -> io::Result<()> {
    let place = (place as u64).min(len.saturating_sub(1));
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut done = 0_u64;
    loop {
        let read = from.read(&mut chunk)?;
        if read == 0 {
            return Ok(());
        }
        let at = place.checked_sub(done).and_then(|at| usize::try_from(at).ok());
        if let Some(at) = at
            && let Some(byte) = chunk[..read].get_mut(at)
        {
            *byte ^= 1;
        }
        to.write_all(&chunk[..read])?;
        done += read as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OBJECT: &str = "a good object";

    /// A store that answers so many requests with the same object, and gives back what was put into it.
    fn store(requests: usize) -> (String, JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let thread = thread::spawn(move || {
            let mut bodies = Vec::new();
            for _ in 0..requests {
                let (client, _) = listener.accept().expect("a client");
                let mut socket = &client;
                let head = Head::read(&mut socket).expect("read").expect("a request");
                assert!(String::from_utf8_lossy(&head.text).contains("\r\nConnection: close\r\n"));
                let mut body = String::new();
                let len = head.body_len();
                head.rest.as_slice().chain(socket).take(len).read_to_string(&mut body).expect("a body");
                bodies.push(body);
                let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{OBJECT}", OBJECT.len());
                // Who was cut off does not listen any more.
                let _ = (&client).write_all(answer.as_bytes());
            }
            bodies
        });
        (endpoint, thread)
    }

    /// Everything that comes back; empty when the connection is closed without an answer.
    fn ask(proxy: &S3Proxy, request: &str) -> String {
        let mut socket = TcpStream::connect(proxy.address).expect("connected");
        let mut answer = Vec::new();
        // Closed on the way is one of the answers that are looked for.
        let _ = socket.write_all(request.as_bytes());
        let _ = socket.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    const GET: &str = "GET /b/v1/1.mp4 HTTP/1.1\r\nHost: x\r\n\r\n";
    const PUT: &str = "PUT /b/v1/1.mp4 HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n0123456789";

    #[test]
    fn each_mode_does_what_it_says_and_no_more() {
        let (endpoint, store) = store(5);
        let proxy = S3Proxy::start(&endpoint).expect("a proxy");
        assert!(ask(&proxy, GET).ends_with(OBJECT));
        proxy.set(Mode::CutDownload(6));
        assert!(ask(&proxy, GET).ends_with("\r\n\r\na good"));
        proxy.set(Mode::CorruptDownload(0));
        assert!(ask(&proxy, GET).ends_with("` good object"));
        proxy.set(Mode::CutUpload(4));
        assert!(ask(&proxy, PUT).is_empty());
        proxy.set(Mode::Status(503));
        assert!(ask(&proxy, PUT).starts_with("HTTP/1.1 503 "));
        proxy.set(Mode::HangUp);
        assert!(ask(&proxy, GET).is_empty());
        assert_eq!(proxy.faults(), 5);
        proxy.set(Mode::Pass);
        assert!(ask(&proxy, PUT).ends_with(OBJECT));
        assert_eq!(proxy.faults(), 5);
        assert_eq!(store.join().expect("the store"), ["", "", "", "0123", "0123456789"]);
    }

    #[test]
    fn what_is_left_without_an_answer_ends_with_the_mode_and_with_the_proxy() {
        let proxy = S3Proxy::start("http://127.0.0.1:9").expect("a proxy");
        proxy.set(Mode::Silent);
        thread::scope(|scope| {
            let waiting = scope.spawn(|| ask(&proxy, GET));
            crate::harness::wait_for("the request is there", IO_PATIENCE, || proxy.faults() == 1).expect("it is");
            proxy.set(Mode::HangUp);
            assert!(waiting.join().expect("it ends").is_empty());
        });
        proxy.set(Mode::Silent);
        let mut left = TcpStream::connect(proxy.address).expect("connected");
        left.write_all(GET.as_bytes()).expect("sent");
        drop(proxy);
        assert_eq!(left.read(&mut [0]).unwrap_or(0), 0, "it is closed");
    }
}
