//! What the generator runs on, for the manifest.

use limosa_reports::run::manifest::Machine;

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

/// The first value of `key: value` in a file of such lines.
fn field(path: &str, key: &str) -> Option<String> {
    let text = fs_err::read_to_string(path).ok()?;
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.trim() == key)
        .map(|(_, value)| value.trim().to_owned())
}
