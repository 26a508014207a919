//! What the target answered to a read.

use super::ReadError;
use crate::profile::{MessageOrder, Profile};
use limosa_reports::run::operation::Operation;
use limosa_reports::run::readback::Message;
use serde::de::{Deserializer as _, Error as _, SeqAccess, Visitor};
use serde_json::Value;
use std::fmt;

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) path: String,
    pub(super) status: u16,
    pub(super) content_type: String,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn success<T>(
        self,
        profile: &Profile,
        operation: Operation,
        parse: impl FnOnce(&[u8]) -> Option<T>,
    ) -> Result<T, ReadError> {
        let parsed = Some(&self.body)
            .filter(|_| profile.is_success(operation, self.status))
            .and_then(|body| parse(body));
        parsed.ok_or(ReadError::NotTheApi {
            path: self.path,
            status: self.status,
            content_type: self.content_type,
        })
    }
}

/// The messages of a listing by wanted authors, newest first. A listing may be of all that the
/// target holds: one message at a time is taken out of it.
pub(super) fn listed(
    profile: &Profile,
    body: &[u8],
    mut is_wanted: impl FnMut(&str) -> bool,
) -> Option<Vec<(String, Message)>> {
    let mut messages = Vec::new();
    let take = |message: Value| {
        let read = profile.parse_messages(&Value::Array(vec![message]))?.pop()?;
        if is_wanted(&read.user) {
            let message = Message { content: read.content, pub_date: read.pub_date };
            messages.push((read.user, message));
        }
        Some(())
    };
    let mut json = serde_json::Deserializer::from_slice(body);
    json.deserialize_seq(Elements(take)).ok()?;
    json.end().ok()?;
    if profile.message_order == MessageOrder::OldestFirst {
        messages.reverse();
    }
    Some(messages)
}

/// Hands the elements of an array to a function, until that finds one that it cannot take.
struct Elements<F>(F);

impl<'de, F: FnMut(Value) -> Option<()>> Visitor<'de> for Elements<F> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list of messages")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut elements: A) -> Result<(), A::Error> {
        while let Some(element) = elements.next_element()? {
            (self.0)(element).ok_or_else(|| A::Error::custom("not a message"))?;
        }
        Ok(())
    }
}
