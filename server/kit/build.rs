//! Whether there are databases to test with. The library tells other crates; its own build script
//! cannot use it yet, and takes the same file.

#[allow(dead_code, unreachable_pub, missing_docs, reason = "a build script uses a part of it")]
#[path = "src/programs.rs"]
mod programs;

fn main() {
    programs::tell_cargo();
}
