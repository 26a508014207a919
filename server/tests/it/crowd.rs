//! Ten thousand connections that do nothing, and what they cost.
//!
//! The server is a process of its own here, which is this test program again: the open files of ten
//! thousand clients and of their server are more than many systems allow one process, and its memory
//! can be measured without theirs.

use crate::kit::config;
use limosa_server::{listen, run};
use rustix::process::{Resource, getrlimit, setrlimit};
use std::{
    env, fs,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

const CROWD: usize = 10_000;
/// Set for the process that is the server.
const ROLE: &str = "LIMOSA_TEST_CROWD_SERVER";

struct Server {
    child: Child,
    address: SocketAddr,
    /// Kept open: a process that says something to nobody is ended by that.
    _said: BufReader<ChildStdout>,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ended_before = self.child.kill();
        let _reaped = self.child.wait();
    }
}

fn allow_open_files() {
    let mut limit = getrlimit(Resource::Nofile);
    let needed = CROWD as u64 + 256;
    assert!(
        limit.maximum.is_none_or(|maximum| maximum >= needed),
        "this test needs {needed} open files: ulimit -Hn {needed}"
    );
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).unwrap();
}

/// Becomes the server where the test program was started as such.
fn serve() {
    allow_open_files();
    let directory = tempfile::tempdir().unwrap();
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(async {
        let listener = listen(([127, 0, 0, 1], 0).into()).unwrap();
        let mut out = std::io::stdout();
        writeln!(out, "\nlistening {}", listener.local_addr().unwrap()).unwrap();
        let mut config = config(directory.path());
        config.max_connections = CROWD;
        // Ends with the test, whose end of the pipe is closed then.
        let ended = tokio::task::spawn_blocking(|| std::io::stdin().read(&mut [0; 1]));
        run(listener, config, async { drop(ended.await) }).await.unwrap();
    });
}

fn start() -> Server {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "crowd::ten_thousand_idle_connections_cost_little"])
        .env(ROLE, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("listening ") {
        line.clear();
        assert!(said.read_line(&mut line).unwrap() > 0, "the server did not start");
    }
    let address = line.trim().trim_start_matches("listening ").parse().unwrap();
    Server { child, address, _said: said }
}

impl Server {
    /// The memory that the process holds, in KiB.
    fn resident(&self) -> usize {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream
    }
}

/// Has each ask for `latest`, all at once, and panics where one is not answered.
fn ask(streams: &mut [TcpStream]) {
    for stream in &mut *streams {
        stream.write_all(b"GET /latest HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    }
    for stream in streams {
        let mut answer = Vec::new();
        while !answer.ends_with(b"{\"latest\":-1}") {
            let mut some = [0; 512];
            let read = stream.read(&mut some).unwrap();
            assert!(read > 0, "no answer but {:?}", String::from_utf8_lossy(&answer));
            answer.extend_from_slice(&some[..read]);
        }
        assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"));
    }
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "reads the memory of a process from /proc")]
fn ten_thousand_idle_connections_cost_little() {
    if env::var_os(ROLE).is_some() {
        return serve();
    }
    allow_open_files();
    let server = start();
    ask(&mut [server.connect()]);
    let before = server.resident();
    // Each is used once: a connection that never was costs less.
    let gather = || {
        let mut crowd: Vec<_> = (0..CROWD).map(|_| server.connect()).collect();
        ask(&mut crowd);
        (crowd, server.resident() - before)
    };
    let (mut crowd, first) = gather();
    let each = first as f64 / CROWD as f64;
    eprintln!("an idle connection costs {each:.1} KiB");
    assert!(each < 32.0, "an idle connection costs {each:.1} KiB");
    // Those who come later are served, though all places are taken ...
    std::thread::sleep(Duration::from_millis(1100));
    ask(&mut [(); 100].map(|()| server.connect()));
    // ... by those who have been idle for longest, and by nobody else.
    ask(&mut crowd[1000..]);
    drop(crowd);
    // Nobody leaves anything behind. The allocator keeps what it has in pieces, so that a second crowd
    // needs more than a first; but there is an end to that.
    let mut last = first;
    let settled = (0..15).any(|_| {
        let (_crowd, now) = gather();
        let grown = now.saturating_sub(last);
        last = now;
        grown < CROWD / 2
    });
    assert!(settled, "each crowd needs more memory than the one before, the last {last} KiB");
}

/// Nor do large bodies, whether they are taken or refused.
#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "reads the memory of a process from /proc")]
fn large_bodies_leave_nothing_behind() {
    let server = start();
    let send = |length: usize| {
        let mut stream = server.connect();
        let head = format!(
            "POST /register HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
             Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n{length:x}\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        // Where the server has heard enough it may close before it has heard all.
        let _cut_off = stream.write_all(&vec![b'x'; length]);
        let _cut_off = stream.write_all(b"\r\n0\r\n\r\n");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    };
    let rounds =
        |count| (0..count).for_each(|n| send(if n % 2 == 0 { 10_000_000 } else { 1_000_000 }));
    rounds(10);
    let before = server.resident();
    rounds(60);
    let grown = server.resident().saturating_sub(before);
    assert!(grown < 16 * 1024, "{grown} KiB more after 60 bodies");
}
