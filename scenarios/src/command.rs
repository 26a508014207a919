//! What the simulator asks of a service: one [`Command`] a row of a trace.

/// One command of a trace: an id that `GET /latest` must echo, a time, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The command's id, sent as `?latest=<id>`.
    pub id: i64,
    /// When the command was issued in the traced world, in milliseconds since the Unix epoch.
    pub at_ms: i64,
    /// What to do.
    pub action: Action,
}

/// What a command does. Every name is a user name, exactly as the trace spells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Create the account `user`.
    Register {
        /// The new user's name.
        user: String,
        /// The new user's e-mail address.
        email: String,
        /// The new user's password, in clear.
        password: String,
    },
    /// Post a message.
    Tweet {
        /// The author.
        user: String,
        /// The message.
        text: String,
    },
    /// Let `user` follow `whom`.
    Follow {
        /// The follower.
        user: String,
        /// The user to be followed.
        whom: String,
    },
    /// Let `user` follow `whom` no longer.
    Unfollow {
        /// The follower.
        user: String,
        /// The user to be followed no longer.
        whom: String,
    },
}

impl Action {
    /// The user who acts.
    pub fn user(&self) -> &str {
        match self {
            Self::Register { user, .. }
            | Self::Tweet { user, .. }
            | Self::Follow { user, .. }
            | Self::Unfollow { user, .. } => user,
        }
    }

    /// The other user that the action names, if it names one.
    pub fn whom(&self) -> Option<&str> {
        match self {
            Self::Follow { whom, .. } | Self::Unfollow { whom, .. } => Some(whom),
            Self::Register { .. } | Self::Tweet { .. } => None,
        }
    }

    /// The word that stands for the action in a trace: `register`, `tweet`, `follow`, `unfollow`.
    pub fn keyword(&self) -> &'static str {
        match self {
            Self::Register { .. } => "register",
            Self::Tweet { .. } => "tweet",
            Self::Follow { .. } => "follow",
            Self::Unfollow { .. } => "unfollow",
        }
    }
}
