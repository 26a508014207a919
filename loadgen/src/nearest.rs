//! The nearest of the names that would have been right, for messages about one that is not.

/// The name that takes the fewest changes of a character, where there is one to choose.
pub fn nearest<'a>(given: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    names.into_iter().min_by_key(|name| strsim::damerau_levenshtein(given, name))
}

/// Turns "unknown field `a`, expected one of `b`, `c`", as serde says it, into one sentence with the
/// nearest key.
pub fn with_nearest_key(message: &str) -> String {
    let mut quoted = message.split('`').skip(1).step_by(2);
    match quoted.next() {
        Some(given) if message.starts_with("unknown ") => match nearest(given, quoted) {
            Some(nearest) => format!("unknown key `{given}`; the nearest is `{nearest}`"),
            None => format!("unknown key `{given}`"),
        },
        _ => message.replace('\n', ", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_the_one_that_was_meant() {
        let names = ["p50", "p99", "p999", "errors"];
        assert_eq!(nearest("p98", names), Some("p99"));
        assert_eq!(nearest("erorrs", names), Some("errors"));
        assert_eq!(nearest("x", []), None);
    }
}
