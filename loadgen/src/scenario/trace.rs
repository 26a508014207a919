//! The trace of a scenario: a file, or one that is generated.

use super::{Scenario, Source};
use fs_err as fs;
use limosa_scenarios::generate::{Generator, Options};
use limosa_scenarios::{Profile, ProfileError, TraceWriter, WriteError, digest};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

/// How much of the digest a file's name holds: enough to tell a user's traces apart.
const DIGITS: usize = 8;

/// Why there is no trace.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// It cannot be generated.
    #[error("[generate]: {0}")]
    Generate(#[from] ProfileError),
    /// It cannot be written.
    #[error("the generated trace cannot be written: {0}")]
    Write(#[from] WriteError),
    /// The operating system refused.
    #[error("the generated trace: {0}")]
    Io(#[from] std::io::Error),
    /// It cannot be read again.
    #[error(transparent)]
    Read(#[from] limosa_scenarios::TraceError),
}

impl Scenario {
    /// The trace's file. One that is generated is put into `folder`, under a name that tells its
    /// content, so that the runs that were made of it can be gone on with.
    ///
    /// # Errors
    /// [`TraceError`] where it cannot be generated or written.
    pub fn trace(&self, folder: &Path) -> Result<PathBuf, TraceError> {
        match &self.source {
            Source::File(path) => Ok(path.clone()),
            Source::Generate { profile, options, seed } => {
                let options = Options {
                    seed: seed.unwrap_or(self.template.seed),
                    commands: options.commands.or_else(|| self.timetable.commands()),
                    ..*options
                };
                self.generate(profile, options, folder)
            }
        }
    }

    fn generate(
        &self,
        profile: &Profile,
        options: Options,
        folder: &Path,
    ) -> Result<PathBuf, TraceError> {
        let generator = Generator::new(profile, options)?;
        fs::create_dir_all(folder)?;
        // Beside its place first: another process may be making the same.
        let beside = folder.join(format!(".{}-{}.tsv", self.name, std::process::id()));
        let mut writer = TraceWriter::new(BufWriter::new(fs::File::create(&beside)?));
        for command in generator {
            writer.write(&command)?;
        }
        writer.finish()?;
        let digest = digest(&beside)?;
        let tag = digest.get(..DIGITS).unwrap_or(&digest);
        let path = folder.join(format!("{}-{tag}.tsv", self.name));
        fs::rename(&beside, &path)?;
        Ok(path)
    }
}
