//! Query parameters, read as leniently as the original server reads them: a value that is not a
//! number counts as missing.

use crate::store::Limit;
use percent_encoding::percent_decode_str;
use std::borrow::Cow;

/// How many rows are returned where a request does not say.
const DEFAULT_ROWS: u64 = 100;

/// The command id of `?latest=`; -1 means that there is none.
pub(super) fn command_id(query: Option<&str>) -> Option<i64> {
    number(query, "latest").filter(|&id| id != -1)
}

/// The limit of `?no=`: missing or not a number is the default, negative is all.
pub(super) fn limit(query: Option<&str>) -> Limit {
    match number(query, "no") {
        None => Limit::AtMost(DEFAULT_ROWS),
        Some(rows) => u64::try_from(rows).map_or(Limit::All, Limit::AtMost),
    }
}

/// The first value of the parameter, if it is a whole number of 64 bits.
fn number(query: Option<&str>, name: &str) -> Option<i64> {
    let (_, value) =
        query?.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name)?;
    // In a query, unlike in a path, a plus is a space.
    let value = if value.contains('+') { value.replace('+', " ").into() } else { Cow::from(value) };
    percent_decode_str(&value).decode_utf8().ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn latest_is_any_number_but_minus_one() {
        let ids = [
            ("latest=0", Some(0)),
            ("no=3&latest=7", Some(7)),
            ("latest=7&latest=8", Some(7)),
            ("latest=%37", Some(7)),
            ("latest=+7", Some(7)),
            ("latest=-2", Some(-2)),
            ("latest=9223372036854775807", Some(i64::MAX)),
            ("latest=-9223372036854775808", Some(i64::MIN)),
            ("latest=9223372036854775808", None),
            ("latest=-1", None),
            ("latest=", None),
            ("latest", None),
            ("latest=7.0", None),
            ("latest=%FF", None),
            ("Latest=7", None),
            ("", None),
        ];
        for (query, id) in ids {
            assert_eq!(command_id(Some(query)), id, "{query}");
        }
        assert_eq!(command_id(None), None);
    }

    #[test]
    fn no_falls_back_to_one_hundred() {
        let limits = [
            ("no=0", Limit::AtMost(0)),
            ("no=30", Limit::AtMost(30)),
            ("no=-1", Limit::All),
            ("no=-5", Limit::All),
            ("no=ten", Limit::AtMost(100)),
            ("no=", Limit::AtMost(100)),
            ("no=99999999999999999999", Limit::AtMost(100)),
            ("latest=5", Limit::AtMost(100)),
        ];
        for (query, expected) in limits {
            assert_eq!(limit(Some(query)), expected, "{query}");
        }
    }

    proptest! {
        #[test]
        fn every_number_is_read_back(rows: i64, before in "[a-m]{0,3}=[a-z0-9]{0,3}") {
            let expected = u64::try_from(rows).map_or(Limit::All, Limit::AtMost);
            prop_assert_eq!(limit(Some(&format!("{before}&no={rows}"))), expected);
        }

        #[test]
        fn no_query_makes_it_panic_or_invents_a_number(query in "\\PC*") {
            if !query.contains("no=") {
                prop_assert_eq!(limit(Some(&query)), Limit::AtMost(100));
            }
            limit(Some(&query));
        }
    }
}
