//! The migrations are compiled in: a changed one must not be missed. And which databases there are
//! to test with.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
    limosa_kit::tell_cargo();
}
