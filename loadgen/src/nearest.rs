//! Messages about a file that a person wrote: the nearest of the names that would have been right, and
//! types by the words of the file instead of the program's.

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
        _ => with_types_in_words(&message.replace('\n', ", ")),
    }
}

/// Turns "invalid type: string "x", expected i64", as serde says it, into words that TOML has.
fn with_types_in_words(message: &str) -> String {
    let Some((given, expected)) = message.split_once(", expected ") else {
        return message.replacen("missing field", "missing key", 1);
    };
    let given = ["invalid type: ", "invalid value: "]
        .into_iter()
        .find_map(|prefix| given.strip_prefix(prefix))
        .unwrap_or(given);
    let given = given.replacen("map", "a table", usize::from(given == "map"));
    let given = given.replacen("sequence", "a list", usize::from(given == "sequence"));
    let expected = match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number from 0",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a boolean" => "true or false",
        "a string" | "path string" => "a text in quotes",
        "a sequence" => "a list",
        "a map" => "a table",
        other if other.starts_with("struct ") => "a table",
        other => other,
    };
    format!("{given} is not what belongs here: give {expected}")
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

    #[test]
    fn types_are_told_in_the_words_of_the_file() {
        for (serde, said) in [
            (
                "invalid type: string \"x\", expected i64",
                "string \"x\" is not what belongs here: give a whole number",
            ),
            ("invalid type: map, expected f64", "a table is not what belongs here: give a number"),
            (
                "invalid type: sequence, expected struct Generate",
                "a list is not what belongs here: give a table",
            ),
            (
                "invalid value: integer `-5`, expected usize",
                "integer `-5` is not what belongs here: give a whole number from 0",
            ),
            ("missing field `name`", "missing key `name`"),
            ("two\nlines", "two, lines"),
        ] {
            assert_eq!(with_nearest_key(serde), said);
        }
    }
}
