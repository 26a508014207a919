//! Passwords, hashed and verified: argon2id, off the async threads, on a bounded number of cores.
//!
//! Costs are those of the OWASP Password Storage Cheat Sheet,
//! <https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html>.

use argon2::{
    Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version,
    password_hash::phc::PasswordHash,
};
use metrics::Histogram;
use std::{fmt, str::FromStr, sync::Arc, time::Instant};
use tokio::sync::Semaphore;

/// How dear a hash is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PasswordCost {
    /// 46 MiB, 1 pass: OWASP's first choice; about the same time as `minimum`, more memory.
    Interactive,
    /// 19 MiB, 2 passes: the least that OWASP recommends, and the default.
    #[default]
    Minimum,
    /// 8 KiB, 1 pass: as good as no hash; for tests that register users by the thousand.
    Test,
}

impl PasswordCost {
    /// Every profile, dearest first.
    pub const ALL: [Self; 3] = [Self::Interactive, Self::Minimum, Self::Test];

    /// The word that names the profile.
    pub fn name(self) -> &'static str {
        match self {
            Self::Interactive => "interactive",
            Self::Minimum => "minimum",
            Self::Test => "test",
        }
    }

    fn params(self) -> Result<Params, argon2::Error> {
        let (memory_kib, passes) = match self {
            Self::Interactive => (46 * 1024, 1),
            Self::Minimum => (19 * 1024, 2),
            Self::Test => (Params::MIN_M_COST, Params::MIN_T_COST),
        };
        Params::new(memory_kib, passes, 1, None)
    }
}

impl fmt::Display for PasswordCost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A word that names no profile.
#[derive(Debug, thiserror::Error)]
#[error("unknown password cost {0:?}; use interactive, minimum or test")]
pub struct UnknownCost(String);

impl FromStr for PasswordCost {
    type Err = UnknownCost;

    fn from_str(word: &str) -> Result<Self, UnknownCost> {
        Self::ALL.into_iter().find(|cost| cost.name() == word).ok_or(UnknownCost(word.to_owned()))
    }
}

/// Why a password was neither hashed nor verified.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// More passwords wait than the bound allows.
    #[error("too many passwords are waiting; try again later")]
    Overloaded,
    /// The hashing itself failed, or its thread.
    #[error("the password could not be hashed: {0}")]
    Failed(String),
}

/// Hashes and verifies passwords, a few at a time.
#[derive(Clone)]
pub struct Passwords {
    argon2: Argon2<'static>,
    cores: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    seconds: Histogram,
}

impl Passwords {
    /// `cores` hashes run at the same time, `queue` more wait for a core.
    ///
    /// # Errors
    /// Never in practice: the costs are constants that argon2 accepts.
    pub fn new(
        cost: PasswordCost,
        cores: usize,
        queue: usize,
        seconds: Histogram,
    ) -> Result<Self, argon2::Error> {
        Ok(Self {
            argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, cost.params()?),
            cores: Arc::new(Semaphore::new(cores)),
            waiting: Arc::new(Semaphore::new(cores.saturating_add(queue))),
            seconds,
        })
    }

    /// The password's hash with a random salt, as a PHC string.
    ///
    /// # Errors
    /// [`HashError::Overloaded`] at once where too many wait.
    pub async fn hash(&self, password: String) -> Result<String, HashError> {
        self.bounded(move |argon2| {
            argon2.hash_password(password.as_bytes()).map(|hash| hash.to_string())
        })
        .await?
        .map_err(|error| HashError::Failed(error.to_string()))
    }

    /// Whether this is the password that the hash was made of, whatever costs it was made at.
    ///
    /// # Errors
    /// [`HashError::Overloaded`] at once where too many wait.
    pub async fn verify(&self, password: String, hash: String) -> Result<bool, HashError> {
        self.bounded(move |argon2| match PasswordHash::new(&hash) {
            Ok(hash) => argon2.verify_password(password.as_bytes(), &hash).is_ok(),
            Err(error) => {
                tracing::warn!(%error, "a stored password hash cannot be read; nobody can log in");
                false
            }
        })
        .await
    }

    /// Runs it off the async threads, on one of the cores.
    async fn bounded<T: Send + 'static>(
        &self,
        work: impl FnOnce(Argon2<'static>) -> T + Send + 'static,
    ) -> Result<T, HashError> {
        let begun = Instant::now();
        let failed = |error: &dyn fmt::Display| HashError::Failed(error.to_string());
        let _place = self.waiting.try_acquire().map_err(|_full| HashError::Overloaded)?;
        let core = Arc::clone(&self.cores).acquire_owned().await.map_err(|e| failed(&e))?;
        let argon2 = self.argon2.clone();
        let done = tokio::task::spawn_blocking(move || {
            // Held by the thread, not by the request: a client that goes away frees no core.
            let _core = core;
            work(argon2)
        })
        .await
        .map_err(|e| failed(&e))?;
        self.seconds.record(begun.elapsed().as_secs_f64());
        Ok(done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passwords(cost: PasswordCost, cores: usize, queue: usize) -> Passwords {
        Passwords::new(cost, cores, queue, Histogram::noop()).unwrap()
    }

    #[tokio::test]
    async fn every_profile_verifies_its_own_hashes_and_no_other_password() {
        for cost in [PasswordCost::Minimum, PasswordCost::Test] {
            let hash = passwords(cost, 1, 1).hash("geheim æøå".to_owned()).await.unwrap();
            assert!(hash.starts_with("$argon2id$v=19$"), "{hash}");
            // By a server that hashes at another cost.
            let other = passwords(PasswordCost::Interactive, 1, 1);
            for (word, right) in [("geheim æøå", true), ("geheim", false), ("", false)] {
                let verified = other.verify(word.to_owned(), hash.clone()).await.unwrap();
                assert_eq!(verified, right, "{word}");
            }
        }
    }

    #[tokio::test]
    async fn what_is_no_hash_lets_nobody_in() {
        let passwords = passwords(PasswordCost::Test, 1, 1);
        for hash in ["", "word", "pbkdf2:sha256:1000$salt$00", "$argon2id$"] {
            assert!(!passwords.verify("word".to_owned(), hash.to_owned()).await.unwrap());
        }
    }

    #[tokio::test]
    async fn a_password_hashed_twice_has_two_salts() {
        let passwords = passwords(PasswordCost::Test, 1, 1);
        let first = passwords.hash("same".to_owned()).await.unwrap();
        assert_ne!(first, passwords.hash("same".to_owned()).await.unwrap());
    }

    #[tokio::test]
    async fn who_finds_no_place_to_wait_is_told_at_once() {
        let passwords = passwords(PasswordCost::Test, 0, 1);
        let waiting = tokio::spawn({
            let passwords = passwords.clone();
            async move { passwords.hash("first".to_owned()).await }
        });
        tokio::task::yield_now().await;
        let second = passwords.hash("second".to_owned()).await;
        assert!(matches!(second, Err(HashError::Overloaded)), "{second:?}");
        let third = passwords.verify("third".to_owned(), "hash".to_owned()).await;
        assert!(matches!(third, Err(HashError::Overloaded)), "{third:?}");
        waiting.abort();
    }

    #[test]
    fn a_cost_is_read_back_from_its_name() {
        for cost in PasswordCost::ALL {
            assert_eq!(cost.to_string().parse::<PasswordCost>().unwrap(), cost);
        }
        assert!("cheap".parse::<PasswordCost>().unwrap_err().to_string().contains("\"cheap\""));
    }
}
