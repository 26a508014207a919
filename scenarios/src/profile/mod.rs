//! What a trace is like, in figures from which another of its kind can be generated.

mod fit;
mod quantiles;

pub use quantiles::{Quantiles, Skew};

pub(crate) use quantiles::apportion;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The built-in profile: fitted to the trace of the ITU DevOps course's simulator.
const COURSE: &str = include_str!("../../data/course.toml");

/// Why a profile cannot be used.
#[derive(Debug, Error)]
pub enum ProfileError {
    /// It is not a profile in TOML.
    #[error("not a profile; `limosa trace generate --print-profile` prints one to start from")]
    Toml(#[from] toml::de::Error),
    /// It could not be written as TOML.
    #[error("a figure of the profile does not fit into TOML; was it fitted to a damaged trace?")]
    Write(#[from] toml::ser::Error),
    /// A setting makes no sense.
    #[error("the profile's {setting} must be {rule}")]
    Setting {
        /// The setting.
        setting: &'static str,
        /// What it must be.
        rule: &'static str,
    },
    /// There must be a command for each user's registration.
    #[error(
        "{users} users cannot be registered by {commands} commands; ask for at least one user and at least as many commands as users"
    )]
    Users {
        /// The number of users asked for.
        users: u64,
        /// The number of commands asked for.
        commands: u64,
    },
}

/// What a trace is like. Shares are between 0 and 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Profile {
    /// How many commands the trace had; the default of what is generated.
    pub commands: u64,
    /// How many users registered.
    pub users: u64,
    /// The time of the first command, in milliseconds since the Unix epoch.
    pub start_ms: i64,
    /// From the first command to the last, in milliseconds.
    pub span_ms: i64,
    /// Share of the unfollows that name an edge that does not stand.
    pub unfollows_of_no_edge: f64,
    /// Share of the texts that equal an earlier one.
    pub duplicate_texts: f64,
    /// Share of the texts with a character beyond ASCII.
    pub non_ascii_texts: f64,
    /// How many characters beyond ASCII such a text has on average, from 1 to 2.
    pub wide_chars: f64,
    /// Share of the e-mail addresses with a `+`.
    pub plus_emails: f64,
    /// Length of a password, in characters.
    pub password_chars: Quantiles,
    /// Length of a text, in characters.
    pub text_chars: Quantiles,
    /// Time between two commands, relative to the mean of their phase.
    pub gaps: Quantiles,
    /// Who posts.
    pub authors: Skew,
    /// Who follows.
    pub followers: Skew,
    /// Who is followed; the first rank is the first who registered.
    pub followees: Skew,
    /// The trace cut into phases of equal duration: how many registers, tweets, follows and
    /// unfollows fall into each.
    pub phases: Vec<[u64; 4]>,
}

impl Profile {
    /// The built-in profile of the course's trace.
    ///
    /// # Errors
    /// Never, as a test makes sure of; the built-in profile goes the same way as any other.
    pub fn course() -> Result<Self, ProfileError> {
        Self::from_toml(COURSE)
    }

    /// Reads a profile, and checks it.
    ///
    /// # Errors
    /// [`ProfileError::Toml`] when it is not TOML with all settings, [`ProfileError::Setting`] when
    /// one makes no sense.
    pub fn from_toml(text: &str) -> Result<Self, ProfileError> {
        let profile: Self = toml::from_str(text)?;
        profile.check()?;
        Ok(profile)
    }

    /// The profile as TOML, which [`Profile::from_toml`] reads.
    ///
    /// # Errors
    /// [`ProfileError::Write`] when a figure does not fit into TOML.
    pub fn to_toml(&self) -> Result<String, ProfileError> {
        Ok(toml::to_string(self)?)
    }

    /// Checks that every setting makes sense.
    ///
    /// # Errors
    /// [`ProfileError`] for the first that does not.
    pub fn check(&self) -> Result<(), ProfileError> {
        for (setting, share) in [
            ("unfollows-of-no-edge", self.unfollows_of_no_edge),
            ("duplicate-texts", self.duplicate_texts),
            ("non-ascii-texts", self.non_ascii_texts),
            ("plus-emails", self.plus_emails),
        ] {
            require((0.0..=1.0).contains(&share), setting, "a share between 0 and 1")?;
        }
        let wide = (1.0..=2.0).contains(&self.wide_chars);
        require(wide, "wide-chars", "a number from 1 to 2")?;
        require(self.span_ms >= 0, "span-ms", "0 or more milliseconds")?;
        require(!self.phases.is_empty(), "phases", "a list of at least one phase")?;
        self.password_chars.check("password-chars")?;
        self.text_chars.check("text-chars")?;
        self.gaps.check("gaps")?;
        self.authors.check("authors")?;
        self.followers.check("followers")?;
        self.followees.check("followees")?;
        if self.users == 0 || self.users > self.commands {
            return Err(ProfileError::Users { users: self.users, commands: self.commands });
        }
        Ok(())
    }
}

fn require(holds: bool, setting: &'static str, rule: &'static str) -> Result<(), ProfileError> {
    match holds {
        true => Ok(()),
        false => Err(ProfileError::Setting { setting, rule }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_profile_is_valid_and_survives_a_round_trip() {
        let course = Profile::course().unwrap();
        assert_eq!(Profile::from_toml(&course.to_toml().unwrap()).unwrap(), course);
    }

    #[test]
    fn a_senseless_setting_is_named() {
        let spoilt = |from: &str, to: &str| {
            let text = COURSE.replacen(from, to, 1);
            assert_ne!(text, COURSE, "{from} is not in the profile");
            let error = Profile::from_toml(&text).unwrap_err();
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            format!("{error}: {}", cause.unwrap_or_default())
        };
        assert!(spoilt("plus-emails = 0", "plus-emails = 7").contains("plus-emails must be"));
        assert!(spoilt("wide-chars = 1", "wide-chars = 3").contains("wide-chars must be"));
        assert!(spoilt("users = 200", "users = 0").contains("0 users cannot"));
        assert!(spoilt("users = 200", "users = 99999").contains("99999 users cannot"));
        assert!(spoilt("users", "losers").contains("unknown field `losers`"));
    }
}
