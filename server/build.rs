//! The migrations are compiled in; a changed one must not be missed.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
