//! What the generator runs on: described for the manifest, and asked for open files.

use limosa_reports::run::manifest::Machine;
use rustix::process::{Resource, getrlimit, setrlimit};

/// Describes this machine; what cannot be told is called `unknown`.
pub fn describe() -> Machine {
    let system = rustix::system::uname();
    let word = |text: &std::ffi::CStr| text.to_string_lossy().into_owned();
    Machine {
        os: format!("{} {}", word(system.sysname()), word(system.release())),
        cpu: field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".to_owned()),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        memory_mib: field("/proc/meminfo", "MemTotal")
            .and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok())
            .map_or(0, |kib| kib / 1024),
    }
}

/// Raises this process's limit of open files to what is wanted, as far as it may, and returns the
/// limit that holds then.
pub fn allow_open_files(wanted: u64) -> u64 {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < wanted) {
        limit.current = Some(limit.maximum.map_or(wanted, |maximum| maximum.min(wanted)));
        let _kept_where_refused = setrlimit(Resource::Nofile, limit);
    }
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// The first value of `key: value` in a file of such lines.
fn field(path: &str, key: &str) -> Option<String> {
    let text = fs_err::read_to_string(path).ok()?;
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.trim() == key)
        .map(|(_, value)| value.trim().to_owned())
}
