//! The vocabulary of the ledger: what was asked, and what came of it.

use serde::{Deserialize, Serialize};

/// What one request asks of the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// `POST /register`.
    Register,
    /// `POST /msgs/{user}`.
    Tweet,
    /// `POST /fllws/{user}` with `follow`.
    Follow,
    /// `POST /fllws/{user}` with `unfollow`.
    Unfollow,
    /// `GET /latest`.
    Latest,
    /// `GET /msgs`.
    Messages,
    /// `GET /msgs/{user}`.
    UserMessages,
    /// `GET /fllws/{user}`.
    Follows,
    /// `GET /public`.
    Public,
}

impl Operation {
    /// Every operation, in the order in which reports list them.
    pub const ALL: [Self; 9] = [
        Self::Register,
        Self::Tweet,
        Self::Follow,
        Self::Unfollow,
        Self::Latest,
        Self::Messages,
        Self::UserMessages,
        Self::Follows,
        Self::Public,
    ];

    /// The operation's name in tags, tables and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::Tweet => "tweet",
            Self::Follow => "follow",
            Self::Unfollow => "unfollow",
            Self::Latest => "latest",
            Self::Messages => "messages",
            Self::UserMessages => "user_messages",
            Self::Follows => "follows",
            Self::Public => "public",
        }
    }

    /// Whether the operation is a command of the simulator, which changes the target's state.
    pub fn is_write(self) -> bool {
        matches!(self, Self::Register | Self::Tweet | Self::Follow | Self::Unfollow)
    }

    /// The operation that a ledger byte stands for.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }
}

/// What the sender knows of a request's effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ack {
    /// Answered with success: the effect was promised.
    Acknowledged,
    /// Answered with a refusal (4xx): no effect was promised.
    Rejected,
    /// Provably never sent: no connection could be made.
    NotSent,
    /// Sent, and no answer that tells: a timeout, a reset, a 5xx. The effect may be there or not,
    /// and may still come.
    Indeterminate,
}

impl Ack {
    /// Every kind, in the order in which reports list them.
    pub const ALL: [Self; 4] =
        [Self::Acknowledged, Self::Rejected, Self::NotSent, Self::Indeterminate];

    /// The kind that a ledger byte stands for.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }
}

/// Why a request did not end with a well-formed answer of the expected status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// No connection: refused, unreachable, or the name did not resolve.
    ConnectRefused,
    /// No connection within the connect timeout.
    ConnectTimeout,
    /// No answer within the response timeout.
    ResponseTimeout,
    /// The connection was closed or reset before the answer was whole.
    ConnectionClosed,
    /// The answer was not HTTP/1.1, or broke its own framing.
    MalformedAnswer,
    /// A well-formed answer with a status that is no success.
    Status,
}

impl Failure {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::ConnectRefused,
        Self::ConnectTimeout,
        Self::ResponseTimeout,
        Self::ConnectionClosed,
        Self::MalformedAnswer,
        Self::Status,
    ];

    /// The kind that a ledger byte stands for.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_finds_its_value_again() {
        for operation in Operation::ALL {
            assert_eq!(Operation::from_code(operation as u8), Some(operation));
        }
        for ack in Ack::ALL {
            assert_eq!(Ack::from_code(ack as u8), Some(ack));
        }
        for failure in Failure::ALL {
            assert_eq!(Failure::from_code(failure as u8), Some(failure));
        }
        assert_eq!(Operation::from_code(9), None);
    }
}
