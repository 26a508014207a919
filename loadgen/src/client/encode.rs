//! Commands as the bytes of HTTP requests.

use super::BaseUrl;
use crate::profile::Profile;
use crate::schedule::{Payload, ScheduledRequest};
use limosa_reports::run::operation::Operation;
use limosa_scenarios::Action;
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use std::io::Write as _;

/// Whose requests are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ClientKind {
    /// Limosa's own: one connection kept alive.
    Limosa,
    /// The course's simulator, byte for byte: a new connection for each request, 0.3 s to connect,
    /// 0.3 s for each read, no retry.
    Simulator,
}

/// Everything but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What the simulator's library (Python's `requests`) encodes in a path. It leaves `?` and `#`
/// alone, which would end the path; they are encoded here all the same.
const SIMULATOR_PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}')
    .add(b'?')
    .add(b'#');

/// The same, for a name with a `%` that is no escape: the library then encodes every `%`.
const SIMULATOR_PATH_WITH_PERCENT: &AsciiSet = &SIMULATOR_PATH.add(b'%');

/// The release of `requests` whose bytes the simulator client sends.
const SIMULATOR_AGENT: &str = "python-requests/2.34.2";

/// Writes requests for one target. What does not change from one request to the next is written
/// once.
#[derive(Debug, Clone)]
pub struct RequestEncoder {
    kind: ClientKind,
    /// What comes before the resource: the prefix.
    prefix: String,
    /// The prefix of pages, which are not below the simulator's.
    pages: String,
    /// What comes between the id and the body's length.
    middle: String,
    /// What comes after a read's path.
    page_end: String,
    read_end: String,
}

impl RequestEncoder {
    /// An encoder for `target`, which deviates as `profile` says.
    pub fn new(kind: ClientKind, target: &BaseUrl, profile: &Profile) -> Self {
        Self::with(kind, target, profile, "")
    }

    /// The same, with requests that say that no other one follows on their connection: RFC 9112,
    /// section 9.6, asks it of a client that connects anew for each. The simulator says it anyway.
    pub fn closing(kind: ClientKind, target: &BaseUrl, profile: &Profile) -> Self {
        Self::with(kind, target, profile, "Connection: close\r\n")
    }

    fn with(kind: ClientKind, target: &BaseUrl, profile: &Profile, connection: &str) -> Self {
        let host = target.authority();
        let authorization = &profile.authorization;
        let agent = concat!("limosa/", env!("CARGO_PKG_VERSION"));
        let middle = match kind {
            ClientKind::Limosa => format!(
                " HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {agent}\r\n{connection}\
                 Authorization: {authorization}\r\nContent-Type: application/json\r\n\
                 Content-Length: "
            ),
            ClientKind::Simulator => format!(
                " HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {SIMULATOR_AGENT}\r\n\
                 Accept-Encoding: gzip, deflate\r\nAccept: */*\r\nConnection: close\r\n\
                 Content-Type: application/json\r\nAuthorization: {authorization}\r\n\
                 Content-Length: "
            ),
        };
        let read = format!(" HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {agent}\r\n{connection}");
        Self {
            kind,
            prefix: format!("{}{}", target.prefix(), profile.prefix),
            pages: target.prefix().to_owned(),
            middle,
            page_end: format!("{read}\r\n"),
            read_end: format!("{read}Authorization: {authorization}\r\n\r\n"),
        }
    }

    /// Writes a scheduled request into `out`, which is cleared first.
    pub fn request(&self, request: &ScheduledRequest, out: &mut Vec<u8>) {
        match &request.payload {
            Payload::Command(action) => self.command(request.command_id, action, out),
            Payload::Read { operation, user } => self.read(*operation, user.as_deref(), out),
        }
    }

    /// Writes the request for a command into `out`, which is cleared first.
    pub fn command(&self, id: i64, action: &Action, out: &mut Vec<u8>) {
        let (resource, user) = match action {
            Action::Register { .. } => ("/register", None),
            Action::Tweet { user, .. } => ("/msgs/", Some(user)),
            Action::Follow { user, .. } | Action::Unfollow { user, .. } => ("/fllws/", Some(user)),
        };
        out.clear();
        out.extend_from_slice(b"POST ");
        out.extend_from_slice(self.prefix.as_bytes());
        out.extend_from_slice(resource.as_bytes());
        if let Some(user) = user {
            self.push_path_segment(out, user);
        }
        out.extend_from_slice(b"?latest=");
        out.extend_from_slice(itoa::Buffer::new().format(id).as_bytes());
        out.extend_from_slice(self.middle.as_bytes());
        // The body's length comes before the body, and is known after it.
        let length_at = out.len();
        self.push_body(action, out);
        let body = length_at..out.len();
        let mut length = itoa::Buffer::new();
        let length = length.format(body.len()).as_bytes();
        out.extend_from_slice(length);
        out.extend_from_slice(b"\r\n\r\n");
        out[length_at..].rotate_left(body.len());
    }

    /// Writes a read into `out`, which is cleared first. Always Limosa's own request: the simulator
    /// never sends a GET. It has no `?latest=`, which would be taken for a command's.
    pub fn read(&self, operation: Operation, user: Option<&str>, out: &mut Vec<u8>) {
        let (prefix, resource, end) = match operation {
            Operation::UserMessages => (&self.prefix, "/msgs/", &self.read_end),
            Operation::Messages => (&self.prefix, "/msgs", &self.read_end),
            Operation::Follows => (&self.prefix, "/fllws/", &self.read_end),
            Operation::Public => (&self.pages, "/public", &self.page_end),
            _ => (&self.prefix, "/latest", &self.page_end),
        };
        out.clear();
        for part in ["GET ", prefix, resource] {
            out.extend_from_slice(part.as_bytes());
        }
        if let Some(user) = user {
            push_encoded(out, user, RESERVED);
        }
        out.extend_from_slice(end.as_bytes());
    }

    fn push_path_segment(&self, out: &mut Vec<u8>, name: &str) {
        let set = match self.kind {
            ClientKind::Limosa => RESERVED,
            ClientKind::Simulator if has_lone_percent(name) => SIMULATOR_PATH_WITH_PERCENT,
            ClientKind::Simulator => SIMULATOR_PATH,
        };
        push_encoded(out, name, set);
    }

    fn push_body(&self, action: &Action, out: &mut Vec<u8>) {
        let fields: &[(&str, &str)] = match action {
            Action::Register { user, email, password } => {
                &[("username", user), ("email", email), ("pwd", password)]
            }
            Action::Tweet { text, .. } => &[("content", text)],
            Action::Follow { whom, .. } => &[("follow", whom)],
            Action::Unfollow { whom, .. } => &[("unfollow", whom)],
        };
        let ascii = self.kind == ClientKind::Simulator;
        let (between, after_key) = if ascii { (", ", ": ") } else { (",", ":") };
        out.push(b'{');
        for (index, (key, value)) in fields.iter().enumerate() {
            if index > 0 {
                out.extend_from_slice(between.as_bytes());
            }
            push_json_text(out, key, ascii);
            out.extend_from_slice(after_key.as_bytes());
            push_json_text(out, value, ascii);
        }
        out.push(b'}');
    }
}

fn push_encoded(out: &mut Vec<u8>, name: &str, set: &'static AsciiSet) {
    for part in utf8_percent_encode(name, set) {
        out.extend_from_slice(part.as_bytes());
    }
}

fn has_lone_percent(name: &str) -> bool {
    let bytes = name.as_bytes();
    let is_hex = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_hexdigit);
    bytes.iter().enumerate().any(|(at, byte)| *byte == b'%' && !(is_hex(at + 1) && is_hex(at + 2)))
}

/// A JSON string. `ascii` writes all but printable ASCII as `\uXXXX`, as Python's `json.dumps`
/// does; otherwise only what JSON demands is escaped.
fn push_json_text(out: &mut Vec<u8>, text: &str, ascii: bool) {
    out.push(b'"');
    let mut rest = text;
    loop {
        let (plain, after) = rest.split_at(plain_length(rest.as_bytes(), ascii));
        out.extend_from_slice(plain.as_bytes());
        let Some(c) = after.chars().next() else { break };
        push_json_escape(out, c);
        rest = &after[c.len_utf8()..];
    }
    out.push(b'"');
}

/// How many bytes stand for themselves before the first that does not, or the end. That one begins
/// a character: of a longer one, all bytes are plain or none is.
fn plain_length(bytes: &[u8], ascii: bool) -> usize {
    let last = if ascii { b'~' } else { u8::MAX };
    // Without a branch, the compiler looks at a whole block by vector instructions.
    let is_plain = |byte: u8| (byte != b'"') & (byte != b'\\') & (byte >= b' ') & (byte <= last);
    let (blocks, _) = bytes.as_chunks::<16>();
    let whole = |block: &&[u8; 16]| block.iter().fold(true, |all, byte| all & is_plain(*byte));
    let begun = 16 * blocks.iter().take_while(whole).count();
    begun + bytes[begun..].iter().take_while(|byte| is_plain(**byte)).count()
}

fn push_json_escape(out: &mut Vec<u8>, c: char) {
    match c {
        '"' => out.extend_from_slice(b"\\\""),
        '\\' => out.extend_from_slice(b"\\\\"),
        '\n' => out.extend_from_slice(b"\\n"),
        '\r' => out.extend_from_slice(b"\\r"),
        '\t' => out.extend_from_slice(b"\\t"),
        '\u{8}' => out.extend_from_slice(b"\\b"),
        '\u{c}' => out.extend_from_slice(b"\\f"),
        _ => {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a vector cannot fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encoded(kind: ClientKind, id: i64, action: &Action) -> String {
        let target: BaseUrl = "http://127.0.0.1:54707".parse().unwrap();
        let mut out = Vec::new();
        RequestEncoder::new(kind, &target, &Profile::default()).command(id, action, &mut out);
        String::from_utf8(out).unwrap()
    }

    /// Taken from a socket that `requests.post(host + path, data=json.dumps(...),
    /// params={"latest": id}, headers=..., timeout=0.3)` of requests 2.34.2 wrote to.
    #[test]
    fn the_simulator_client_sends_what_the_simulator_sends() {
        let head = |line: &str, length: usize| {
            format!(
                "POST {line} HTTP/1.1\r\nHost: 127.0.0.1:54707\r\n\
                 User-Agent: python-requests/2.34.2\r\nAccept-Encoding: gzip, deflate\r\n\
                 Accept: */*\r\nConnection: close\r\nContent-Type: application/json\r\n\
                 Authorization: Basic c2ltdWxhdG9yOnN1cGVyX3NhZmUh\r\nContent-Length: {length}\r\n\r\n"
            )
        };
        let register = Action::Register {
            user: "Roger Histand".into(),
            email: "Roger+Histand@hotmail.com".into(),
            password: "]=)[X{Km{z\"\\".into(),
        };
        assert_eq!(
            encoded(ClientKind::Simulator, 0, &register),
            head("/register?latest=0", 92)
                + r#"{"username": "Roger Histand", "email": "Roger+Histand@hotmail.com", "pwd": "]=)[X{Km{z\"\\"}"#
        );
        let tweet = Action::Tweet {
            user: "Zoë O'Neil (a)+x,~!$*=:@&;".into(),
            text: "Größe \u{201c}x\u{201d} \u{1f600} \u{7f} \u{1} \u{feff} \t".into(),
        };
        assert_eq!(
            encoded(ClientKind::Simulator, 3, &tweet),
            head("/msgs/Zo%C3%AB%20O'Neil%20(a)+x,~!$*=:@&;?latest=3", 81)
                + r#"{"content": "Gr\u00f6\u00dfe \u201cx\u201d \ud83d\ude00 \u007f \u0001 \ufeff \t"}"#
        );
        let follow =
            Action::Follow { user: "Roger Histand".into(), whom: "Geoffrey Stieff".into() };
        assert_eq!(
            encoded(ClientKind::Simulator, 7, &follow),
            head("/fllws/Roger%20Histand?latest=7", 29) + r#"{"follow": "Geoffrey Stieff"}"#
        );
    }

    #[test]
    fn who_connects_anew_each_time_says_so_once() {
        let target: BaseUrl = "unix:/run/app.sock:/api".parse().unwrap();
        let tweet = Action::Tweet { user: "a".into(), text: "b".into() };
        for kind in [ClientKind::Limosa, ClientKind::Simulator] {
            let profile = Profile::default();
            for (encoder, expected) in [
                (
                    RequestEncoder::new(kind, &target, &profile),
                    usize::from(kind == ClientKind::Simulator),
                ),
                (RequestEncoder::closing(kind, &target, &profile), 1),
            ] {
                let mut out = Vec::new();
                encoder.command(1, &tweet, &mut out);
                let request = String::from_utf8(out).unwrap();
                let head = "POST /api/msgs/a?latest=1 HTTP/1.1\r\nHost: localhost\r\n";
                assert!(request.starts_with(head), "{request}");
                assert_eq!(request.matches("Connection: close\r\n").count(), expected, "{request}");
            }
        }
        let encoder = RequestEncoder::closing(ClientKind::Limosa, &target, &Profile::default());
        for operation in [Operation::Latest, Operation::Messages, Operation::Public] {
            let mut out = Vec::new();
            encoder.read(operation, None, &mut out);
            let request = String::from_utf8(out).unwrap();
            assert_eq!(request.matches("\r\nConnection: close\r\n").count(), 1, "{request}");
        }
    }

    #[test]
    fn a_percent_in_a_name_is_encoded_unless_it_reads_as_an_escape() {
        let line = |name: &str| {
            let tweet = Action::Tweet { user: name.into(), text: String::new() };
            let request = encoded(ClientKind::Simulator, 1, &tweet);
            request.split(' ').nth(1).unwrap().to_owned()
        };
        assert_eq!(line("a%20b"), "/msgs/a%20b?latest=1");
        assert_eq!(line("100%"), "/msgs/100%25?latest=1");
        assert_eq!(line("a%20b%"), "/msgs/a%2520b%25?latest=1");
    }

    proptest! {
        #[test]
        fn every_name_and_text_arrives_whole(user in "\\PC{1,20}", text in any::<String>(), id in any::<i64>()) {
            let tweet = Action::Tweet { user: user.clone(), text: text.clone() };
            for kind in [ClientKind::Limosa, ClientKind::Simulator] {
                let request = encoded(kind, id, &tweet);
                let (head, body) = request.split_once("\r\n\r\n").unwrap();
                let json: serde_json::Value = serde_json::from_str(body).unwrap();
                prop_assert_eq!(json["content"].as_str(), Some(text.as_str()));
                let length_line = format!("Content-Length: {}", body.len());
                prop_assert!(head.ends_with(&length_line) || head.contains(&length_line));
                if kind == ClientKind::Limosa {
                    let path = head.split(' ').nth(1).unwrap();
                    let name = path.strip_prefix("/msgs/").unwrap().split_once('?').unwrap().0;
                    let decoded = percent_encoding::percent_decode_str(name).decode_utf8().unwrap();
                    prop_assert_eq!(decoded.as_ref(), user.as_str());
                }
            }
        }
    }
}
