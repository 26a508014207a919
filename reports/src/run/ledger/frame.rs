//! Frames: their fields, and their bytes.

use crate::run::operation::{Ack, Failure, Operation};

/// Stands for "no value" in the fields that may lack one.
const NONE_NS: u64 = u64::MAX;
const NONE_LATEST: i64 = i64::MIN;
const NONE_FAILURE: u8 = u8::MAX;

const TAG_INTENT: u8 = 1;
const TAG_OUTCOME: u8 = 2;
const TAG_MARK: u8 = 3;
/// The payload of the frame that ends a segment which was closed: a file that was cut lacks it.
pub(super) const END: [u8; 1] = [4];

/// One record of the ledger. Times are nanoseconds since the part began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// A request that is about to be sent.
    Intent(Intent),
    /// What came of it.
    Outcome(Outcome),
    /// Something that happened around the requests.
    Mark(Mark),
}

/// A request that is about to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// The request's number in the schedule, from 0; a shard leaves out those of the others. Joins the
    /// outcome to the intent.
    pub sequence: u64,
    /// The simulator's id of the command (sent as `?latest=`); for a read, the id of the last
    /// command before it.
    pub command_id: i64,
    /// What is asked.
    pub operation: Operation,
    /// Requests of one lane never overlap; 0 is no lane.
    pub lane: u32,
    /// When it should be sent by the schedule; `None` in the closed model.
    pub intended_ns: Option<u64>,
    /// The earliest instant at which the schedule and the order allowed it: the later of its
    /// intended instant and the end of what it had to wait for.
    pub ready_ns: u64,
    /// When it was recorded, just before the send.
    pub called_ns: u64,
    /// The user who acts; empty where none does.
    pub user: String,
    /// The message, the other user, or the e-mail address (empty where the register lacks a name or a
    /// password). Never a password.
    pub detail: String,
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The request's number in its part.
    pub sequence: u64,
    /// When sending began: the connect where there was one, else the first byte.
    pub sent_ns: u64,
    /// When the answer was whole, or given up.
    pub done_ns: u64,
    /// The replica that was asked, an index into the manifest's targets.
    pub replica: u16,
    /// The HTTP status; 0 where there was none.
    pub status: u16,
    /// What the sender knows of the effect.
    pub ack: Ack,
    /// Why it was not a plain success.
    pub failure: Option<Failure>,
    /// The value that `GET /latest` reported.
    pub latest: Option<i64>,
}

/// Something that happened around the requests, with its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// When.
    pub at_ns: u64,
    /// What.
    pub name: String,
}

/// What [`LedgerWriter::append`](super::LedgerWriter::append) takes: the fields of one frame.
pub trait Record {
    /// An upper bound of the payload's bytes.
    fn size_hint(&self) -> usize;

    /// Writes the payload into `out`, which holds at least [`Record::size_hint`] bytes, and
    /// returns how many it took.
    fn encode(&self, out: &mut [u8]) -> usize;
}

const FIXED_BYTES: usize = 80;

impl Record for Intent {
    fn size_hint(&self) -> usize {
        FIXED_BYTES + self.user.len() + self.detail.len()
    }

    fn encode(&self, out: &mut [u8]) -> usize {
        let mut cursor = Encoder { out, at: 0 };
        cursor.bytes(&[TAG_INTENT, self.operation as u8]);
        cursor.bytes(&self.sequence.to_le_bytes());
        cursor.bytes(&self.command_id.to_le_bytes());
        cursor.bytes(&self.lane.to_le_bytes());
        cursor.bytes(&self.intended_ns.unwrap_or(NONE_NS).to_le_bytes());
        cursor.bytes(&self.ready_ns.to_le_bytes());
        cursor.bytes(&self.called_ns.to_le_bytes());
        cursor.text(&self.user);
        cursor.text(&self.detail);
        cursor.at
    }
}

impl Record for Outcome {
    fn size_hint(&self) -> usize {
        FIXED_BYTES
    }

    fn encode(&self, out: &mut [u8]) -> usize {
        let failure = self.failure.map_or(NONE_FAILURE, |failure| failure as u8);
        let mut cursor = Encoder { out, at: 0 };
        cursor.bytes(&[TAG_OUTCOME, self.ack as u8, failure]);
        cursor.bytes(&self.sequence.to_le_bytes());
        cursor.bytes(&self.sent_ns.to_le_bytes());
        cursor.bytes(&self.done_ns.to_le_bytes());
        cursor.bytes(&self.replica.to_le_bytes());
        cursor.bytes(&self.status.to_le_bytes());
        cursor.bytes(&self.latest.unwrap_or(NONE_LATEST).to_le_bytes());
        cursor.at
    }
}

impl Record for Mark {
    fn size_hint(&self) -> usize {
        FIXED_BYTES + self.name.len()
    }

    fn encode(&self, out: &mut [u8]) -> usize {
        let mut cursor = Encoder { out, at: 0 };
        cursor.bytes(&[TAG_MARK]);
        cursor.bytes(&self.at_ns.to_le_bytes());
        cursor.text(&self.name);
        cursor.at
    }
}

impl Record for Frame {
    fn size_hint(&self) -> usize {
        match self {
            Self::Intent(intent) => intent.size_hint(),
            Self::Outcome(outcome) => outcome.size_hint(),
            Self::Mark(mark) => mark.size_hint(),
        }
    }

    fn encode(&self, out: &mut [u8]) -> usize {
        match self {
            Self::Intent(intent) => intent.encode(out),
            Self::Outcome(outcome) => outcome.encode(out),
            Self::Mark(mark) => mark.encode(out),
        }
    }
}

impl Frame {
    /// The frame that a payload holds; `None` where it holds none.
    pub(super) fn decode(payload: &[u8]) -> Option<Self> {
        let mut cursor = Decoder { rest: payload };
        let frame = match cursor.byte()? {
            TAG_INTENT => Self::Intent(Intent {
                operation: Operation::from_code(cursor.byte()?)?,
                sequence: cursor.u64()?,
                command_id: cursor.i64()?,
                lane: u32::from_le_bytes(cursor.array()?),
                intended_ns: Some(cursor.u64()?).filter(|ns| *ns != NONE_NS),
                ready_ns: cursor.u64()?,
                called_ns: cursor.u64()?,
                user: cursor.text()?,
                detail: cursor.text()?,
            }),
            TAG_OUTCOME => {
                let ack = Ack::from_code(cursor.byte()?)?;
                let failure = match cursor.byte()? {
                    NONE_FAILURE => None,
                    code => Some(Failure::from_code(code)?),
                };
                Self::Outcome(Outcome {
                    ack,
                    failure,
                    sequence: cursor.u64()?,
                    sent_ns: cursor.u64()?,
                    done_ns: cursor.u64()?,
                    replica: u16::from_le_bytes(cursor.array()?),
                    status: u16::from_le_bytes(cursor.array()?),
                    latest: Some(cursor.i64()?).filter(|id| *id != NONE_LATEST),
                })
            }
            TAG_MARK => Self::Mark(Mark { at_ns: cursor.u64()?, name: cursor.text()? }),
            _ => return None,
        };
        cursor.rest.is_empty().then_some(frame)
    }
}

struct Encoder<'a> {
    out: &'a mut [u8],
    at: usize,
}

impl Encoder<'_> {
    fn bytes(&mut self, bytes: &[u8]) {
        self.out[self.at..self.at + bytes.len()].copy_from_slice(bytes);
        self.at += bytes.len();
    }

    fn text(&mut self, text: &str) {
        self.bytes(&(text.len() as u32).to_le_bytes());
        self.bytes(text.as_bytes());
    }
}

struct Decoder<'a> {
    rest: &'a [u8],
}

impl Decoder<'_> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        Some(*head)
    }

    fn byte(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn i64(&mut self) -> Option<i64> {
        self.array().map(i64::from_le_bytes)
    }

    fn text(&mut self) -> Option<String> {
        let length = u32::from_le_bytes(self.array()?) as usize;
        let (head, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        String::from_utf8(head.to_vec()).ok()
    }
}
