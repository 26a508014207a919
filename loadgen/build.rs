//! Which databases there are to test with.

fn main() {
    limosa_kit::tell_cargo();
}
