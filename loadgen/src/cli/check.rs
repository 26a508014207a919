//! `limosa check`: where does a server deviate from the simulator API?

use super::exit::Exit;
use crate::client::{BaseUrl, Trust};
use crate::conformance::table::table;
use crate::conformance::waiver::profile_file;
use crate::conformance::{Options, walk};
use crate::profile::{self, Profile};
use anyhow::{Context, bail};
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

/// Walks the simulator API of a server and tells where it deviates
///
/// It writes to the target: about 25 users whose names begin with `limosa-`, some 150 messages of
/// theirs and a few edges between them stay behind. The value of `latest` is put back at the end.
/// Names are new in each walk, so that it can be repeated on a live server.
///
/// A deviation is an error (it breaks the simulator or the audit), a warning (replay and audit
/// cope, or can be told to by a profile) or a note (an odd corner that no trace touches).
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  limosa check http://127.0.0.1:5001
  limosa check http://127.0.0.1:5001 --write-profile server.toml
  limosa check http://127.0.0.1:5001 --profile server.toml --all

Exit codes:
  0  the target conforms, but for warnings, notes and what the profile waives
  1  it deviates: at least one error is not waived
  2  it cannot be reached, or is not this API, or the usage is bad")]
pub struct Args {
    /// The base URL, such as http://127.0.0.1:5001, https://HOST/PREFIX or unix:/run/app.sock
    #[arg(env = "LIMOSA_TARGET", value_name = "TARGET")]
    target: BaseUrl,

    /// Trust the authorities in this PEM file too, for an https target whose certificate the
    /// system does not know
    #[arg(long, env = "LIMOSA_CA_CERT", value_name = "FILE")]
    ca_cert: Option<PathBuf>,

    /// The path that the API lives under, such as /api; the usual ones are tried without this
    #[arg(long, env = "LIMOSA_PREFIX", value_name = "PATH", value_parser = profile::parse_prefix)]
    prefix: Option<String>,

    /// A TOML file of known deviations: they are listed as waived and do not fail the check
    #[arg(long, env = "LIMOSA_PROFILE", value_name = "FILE")]
    profile: Option<PathBuf>,

    /// Write what was found as a profile; the file must be new, or the one given by --profile
    #[arg(long, value_name = "FILE")]
    write_profile: Option<PathBuf>,

    /// Show every case, not only those that deviate
    #[arg(long)]
    all: bool,

    /// Print JSON on standard output, and the table on standard error
    #[arg(long)]
    json: bool,

    /// The longest wait for one answer, in seconds
    #[arg(long, env = "LIMOSA_CHECK_TIMEOUT", value_name = "SECONDS", default_value_t = 5,
        value_parser = clap::value_parser!(u64).range(1..=600))]
    timeout: u64,

    /// The longest walk, in seconds; what is left then is skipped
    #[arg(long, env = "LIMOSA_CHECK_MAX_TIME", value_name = "SECONDS", default_value_t = 120,
        value_parser = clap::value_parser!(u64).range(1..=86_400))]
    max_time: u64,
}

impl Args {
    /// Walks, prints what was found, and writes the profile that was asked for.
    ///
    /// # Errors
    /// Where the target cannot be reached or is not this API, or a file cannot be read or written.
    pub fn run(self) -> anyhow::Result<Exit> {
        let mut profile = match &self.profile {
            Some(path) => Profile::load(path)
                .with_context(|| "--profile must name a profile, as --write-profile writes it")?,
            None => Profile::default(),
        };
        if let Some(prefix) = &self.prefix {
            profile.prefix.clone_from(prefix);
        }
        if let Some(path) = &self.write_profile
            && self.profile.as_ref() != Some(path)
            && path.exists()
        {
            bail!(
                "--write-profile: {path} exists; remove it, or give --profile {path} to extend it",
                path = path.display()
            );
        }
        let options = Options {
            timeout: Duration::from_secs(self.timeout),
            total: Duration::from_secs(self.max_time),
            suffix: format!("{:08x}", rand::random::<u32>()),
            profile,
        };
        let target = match &self.ca_cert {
            Some(file) => self.target.trusting(Trust::with_ca_cert(file)?),
            None => self.target,
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let report = runtime.block_on(walk(&target, &options))?;

        let table = table(&report, self.all);
        if self.json {
            let mut json = serde_json::to_string_pretty(&report)?;
            json.push('\n');
            std::io::stderr().write_all(table.as_bytes())?;
            std::io::stdout().write_all(json.as_bytes())?;
        } else {
            std::io::stdout().write_all(table.as_bytes())?;
        }
        if let Some(path) = &self.write_profile {
            let file = profile_file(&target.to_string(), &options.profile, &report.findings);
            fs_err::write(path, file)?;
            writeln!(std::io::stderr(), "profile written to {}", path.display())?;
        }
        Ok(if report.fails() { Exit::Fail } else { Exit::Pass })
    }
}
