//! First contact: is the simulator API there at all, and under which prefix?

use super::client::{Answer, Body, Client, Unanswered, excerpt};
use reqwest::Method;
use serde_json::Value;

/// Where the API is looked for when it is not at the base URL itself.
const PREFIXES: [&str; 4] = ["/api", "/simulator", "/sim", "/api/v1"];

/// Why nothing could be judged.
#[derive(Debug, thiserror::Error)]
pub enum NotTheApi {
    /// Nobody has taken the connection, or answered in time.
    #[error("cannot reach {url}: {reason}; is the server running there?")]
    Unreachable {
        /// What was asked for.
        url: String,
        /// What happened.
        reason: String,
    },
    /// Somebody is there, and yet no answer came.
    #[error("cannot check {url}: {reason}")]
    NoAnswer {
        /// What was asked for.
        url: String,
        /// What happened.
        reason: String,
    },
    /// An answer came, and not from the simulator API.
    #[error("GET {url} answered {got}: is {base} the API's base URL? try --prefix")]
    Other {
        /// What was asked for.
        url: String,
        /// The base URL, with its prefix.
        base: String,
        /// What was answered.
        got: String,
    },
}

/// Finds the API at the given prefix, or without one at the usual ones.
pub(super) async fn first_contact(
    client: &mut Client,
    given: &str,
) -> Result<(String, Answer), NotTheApi> {
    let url = client.base().at(&format!("{given}/latest"));
    let mut ask = async |prefix: &str| {
        let path = format!("{prefix}/latest");
        client.ask(Method::GET, &path, None, Body::None).await
    };
    let first = match ask(given).await {
        Ok(answer) => answer,
        Err(Unanswered { reason, is_absence: true, .. }) => {
            return Err(NotTheApi::Unreachable { url, reason });
        }
        Err(Unanswered { reason, .. }) => return Err(NotTheApi::NoAnswer { url, reason }),
    };
    if latest_in(&first).is_some() {
        return Ok((given.to_owned(), first));
    }
    if given.is_empty() {
        for prefix in PREFIXES {
            if let Ok(answer) = ask(prefix).await
                && latest_in(&answer).is_some()
            {
                return Ok((prefix.to_owned(), answer));
            }
        }
    }
    Err(NotTheApi::Other {
        base: url.trim_end_matches("/latest").to_owned(),
        url,
        got: excerpt(&first.seen(), 100),
    })
}

/// The key and the value in an answer to `GET /latest`, however the key is spelled.
pub(super) fn latest_in(answer: &Answer) -> Option<(String, i64)> {
    if !answer.is_success() {
        return None;
    }
    let json = answer.json()?;
    let object = json.as_object()?;
    let (key, value) = object
        .get_key_value("latest")
        .or_else(|| object.iter().find(|(key, _)| key.eq_ignore_ascii_case("latest")))
        .or_else(|| object.iter().next().filter(|_| object.len() == 1))?;
    let value = match value {
        Value::String(text) => text.trim().parse().ok()?,
        number => number.as_i64()?,
    };
    Some((key.clone(), value))
}
