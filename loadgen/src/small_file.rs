//! Reading the files that people write.

use fs_err as fs;
use std::io::{self, Read};
use std::path::Path;

/// No file that a person writes is longer, in bytes.
const LONGEST: u64 = 1 << 20;

/// Reads a whole file that a person wrote. A device that never ends, or a trace in its place, is
/// refused after the first mebibyte.
///
/// # Errors
/// Where it cannot be read, is no UTF-8, or is too long; the message names it.
pub fn read(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(LONGEST + 1).read_to_end(&mut bytes)?;
    let refused = |why: &str| {
        io::Error::new(io::ErrorKind::InvalidData, format!("{}: {why}", path.display()))
    };
    if bytes.len() as u64 > LONGEST {
        return Err(refused("it is longer than 1 MiB, so it is not the file that was meant"));
    }
    String::from_utf8(bytes).map_err(|_| refused("it is no text in UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_ends_is_refused_by_its_name() {
        let said = read(Path::new("/dev/zero")).unwrap_err().to_string();
        assert!(said.starts_with("/dev/zero: it is longer than 1 MiB"), "{said}");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.toml");
        std::fs::write(&path, b"\xff").unwrap();
        assert!(read(&path).unwrap_err().to_string().ends_with("x.toml: it is no text in UTF-8"));
        std::fs::write(&path, "name = 'x'").unwrap();
        assert_eq!(read(&path).unwrap(), "name = 'x'");
        std::fs::remove_file(&path).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("x.toml"));
    }
}
