//! Deviations as settings of a [`Profile`], and the file that keeps them.

use super::report::Finding;
use crate::conformance::case::{Severity, Verdict};
use crate::profile::{MessageOrder, Profile, PubDate};
use limosa_reports::run::operation::Operation;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt::{self, Write};

/// One deviation that a profile can describe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waiver {
    /// The API lives under this path.
    Prefix(String),
    /// The operation succeeds with this status.
    Success(Operation, u16),
    /// Wrong credentials get this status.
    Unauthorized(u16),
    /// An unknown user gets this status.
    UnknownUser(u16),
    /// A name that is taken gets this status.
    RegisterTaken(u16),
    /// An invalid register gets this status.
    RegisterInvalid(u16),
    /// Bytes follow the head of a 204.
    BodyOn204,
    /// A key of the JSON answers, and how this server spells it.
    Key(Key, String),
    /// `pub_date` holds something else.
    PubDate(PubDate),
    /// Messages come in another order.
    MessageOrder(MessageOrder),
    /// A repeated follow lists the name once more.
    DuplicateEdges,
    /// Reads need `no`.
    RequiresNo,
    /// Reads need `latest`.
    RequiresLatest,
    /// The value of `no` that reads all.
    MaxNo(i64),
    /// `latest` holds 32 bits.
    LatestBits32,
    /// What `latest` is before any command.
    LatestInitial(i64),
    /// A refused request does not record its `latest`.
    LatestNotOnRefused,
    /// A GET does not record its `latest`.
    LatestNotOnReads,
}

/// A key of the JSON answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// `latest` in `GET /latest`.
    Latest,
    /// `content` of a message.
    Content,
    /// `user` of a message.
    User,
    /// `pub_date` of a message.
    PubDate,
    /// `follows` in `GET /fllws/{user}`.
    Follows,
}

impl Key {
    /// Where `profile` keeps this server's spelling.
    pub(super) fn of(self, profile: &mut Profile) -> &mut String {
        match self {
            Self::Latest => &mut profile.keys.latest,
            Self::Content => &mut profile.keys.content,
            Self::User => &mut profile.keys.user,
            Self::PubDate => &mut profile.keys.pub_date,
            Self::Follows => &mut profile.keys.follows,
        }
    }
}

impl Waiver {
    /// Makes `profile` describe the deviation too.
    pub fn apply(&self, profile: &mut Profile) {
        match self {
            Self::Prefix(prefix) => profile.prefix.clone_from(prefix),
            Self::Success(operation, status) => profile.add_success(*operation, *status),
            Self::Unauthorized(status) => profile.unauthorized.insert(*status),
            Self::UnknownUser(status) => profile.unknown_user.insert(*status),
            Self::RegisterTaken(status) => profile.register_taken.insert(*status),
            Self::RegisterInvalid(status) => profile.register_invalid.insert(*status),
            Self::BodyOn204 => profile.body_on_204 = true,
            Self::Key(key, spelling) => key.of(profile).clone_from(spelling),
            Self::PubDate(kind) => profile.pub_date = *kind,
            Self::MessageOrder(order) => profile.message_order = *order,
            Self::DuplicateEdges => profile.duplicate_edges = true,
            Self::RequiresNo => profile.requires_no = true,
            Self::RequiresLatest => profile.requires_latest = true,
            Self::MaxNo(no) => profile.max_no = *no,
            Self::LatestBits32 => profile.latest_bits = 32,
            Self::LatestInitial(value) => profile.latest_initial = *value,
            Self::LatestNotOnRefused => profile.latest_on_refused = false,
            Self::LatestNotOnReads => profile.latest_on_reads = false,
        }
    }

    /// Whether `profile` describes the deviation already.
    pub fn is_known_to(&self, profile: &Profile) -> bool {
        let mut applied = profile.clone();
        self.apply(&mut applied);
        applied == *profile
    }
}

/// The setting as a profile would hold it, were it the only one: `unauthorized = [401, 403]`.
impl fmt::Display for Waiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut profile = Profile::default();
        self.apply(&mut profile);
        let settings: Vec<String> =
            settings(&profile).into_iter().map(|(key, value)| format!("{key} = {value}")).collect();
        f.write_str(&settings.join(", "))
    }
}

impl Serialize for Waiver {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The settings of `profile` that differ from the protocol, as dotted keys and TOML values.
fn settings(profile: &Profile) -> Vec<(String, String)> {
    fn table(profile: &Profile) -> toml::Table {
        toml::Table::try_from(profile).unwrap_or_default()
    }
    let protocol = table(&Profile::default());
    let mut settings = Vec::new();
    for (key, value) in table(profile) {
        let usual = protocol.get(&key);
        match value {
            toml::Value::Table(inner) => {
                for (name, value) in inner {
                    if usual.and_then(|usual| usual.get(&name)) != Some(&value) {
                        settings.push((format!("{key}.{name}"), value.to_string()));
                    }
                }
            }
            value if usual != Some(&value) && key != "accepted" => {
                settings.push((key, value.to_string()));
            }
            _ => {}
        }
    }
    settings
}

/// A profile file that waives what was found, on top of what `given` waives already.
///
/// Each setting is preceded by what was seen. A deviation that no setting describes goes to
/// `accepted`: switched on where the harness copes, commented out where it is an error, since
/// accepting that is a decision for a person.
pub fn profile_file(target: &str, given: &Profile, findings: &[Finding]) -> String {
    let mut profile = given.clone();
    let mut seen: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut accepted = String::new();
    for finding in findings {
        let Verdict::Deviates(deviation) = &finding.verdict else {
            continue;
        };
        let comment = one_line(&format!("{}: {}", finding.id, deviation.got));
        for waiver in &deviation.waivers {
            waiver.apply(&mut profile);
            let mut alone = Profile::default();
            waiver.apply(&mut alone);
            for (key, _) in settings(&alone) {
                seen.entry(key).or_default().push(comment.clone());
            }
        }
        if deviation.waivers.is_empty() {
            let off = finding.severity == Severity::Error && !given.accepted.contains(finding.id);
            let off = if off { "# " } else { "" };
            let severity = finding.severity.name();
            let _ = writeln!(accepted, "  # {severity}, {comment}\n  {off}\"{}\",", finding.id);
        }
    }
    for id in &given.accepted {
        if !accepted.contains(&format!("\"{id}\"")) {
            let _ = writeln!(accepted, "  \"{id}\",");
        }
    }

    let mut file = format!(
        "# What {} does otherwise than the simulator API, as `limosa check` found it.\n\
         # Replay, read-back and audit honour these settings.\n",
        one_line(target)
    );
    for (key, value) in settings(&profile) {
        file.push('\n');
        for comment in seen.get(&key).into_iter().flatten() {
            let _ = writeln!(file, "# {comment}");
        }
        let _ = writeln!(file, "{key} = {value}");
    }
    if !accepted.is_empty() {
        let _ = write!(
            file,
            "\n# Deviations that no setting describes. Accepted here, they no longer fail the \
             check;\n# the audit still reports what comes of them.\naccepted = [\n{accepted}]\n"
        );
    }
    file
}

/// Without line breaks, which would end a comment.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
