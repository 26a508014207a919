//! Where a request comes from: one of our own pages, another site, or no browser at all.
//!
//! `Sec-Fetch-Site` is set by the browser and by no page, <https://www.w3.org/TR/fetch-metadata/>;
//! browsers send it over TLS and to localhost. Elsewhere the `Origin` of a POST is compared with
//! the `Host` it was sent to.

use axum::http::{
    HeaderMap,
    header::{ACCEPT, HOST, ORIGIN},
};

const SITE: &str = "sec-fetch-site";

/// Whether another site, or another server of this site, made the browser send this POST.
pub(super) fn is_foreign(headers: &HeaderMap) -> bool {
    if let Some(site) = headers.get(SITE) {
        return site != "same-origin" && site != "none";
    }
    let Some(origin) = headers.get(ORIGIN) else {
        return false;
    };
    let authority = |origin: &str| origin.split_once("://").map(|(_, host)| host.to_owned());
    let origin = origin.to_str().ok().and_then(authority);
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    match (origin, host) {
        (Some(origin), Some(host)) => !origin.eq_ignore_ascii_case(host),
        _ => true,
    }
}

/// Whether this GET is that of a person who went somewhere, or who was led there.
pub(super) fn is_browser(headers: &HeaderMap) -> bool {
    headers.contains_key(SITE) || wants_html(headers)
}

/// Whether the answer is for a person to read.
pub(super) fn wants_html(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).into_iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split([',', ';'])).any(|kind| kind.trim() == "text/html")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|&(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn a_form_is_taken_from_our_own_pages_and_from_what_is_no_browser() {
        let host = ("host", "mini.example:5001");
        for (foreign, pairs) in [
            (false, &[host][..]),
            (false, &[host, (SITE, "same-origin")]),
            (false, &[host, (SITE, "none")]),
            (true, &[host, (SITE, "same-site")]),
            (true, &[host, (SITE, "cross-site")]),
            (true, &[host, (SITE, "")]),
            (false, &[host, ("origin", "http://mini.example:5001")]),
            (false, &[host, ("origin", "https://Mini.Example:5001")]),
            (true, &[host, ("origin", "http://mini.example:5002")]),
            (true, &[host, ("origin", "http://mini.example")]),
            (true, &[host, ("origin", "http://evil.example:5001")]),
            (true, &[host, ("origin", "null")]),
            (true, &[host, ("origin", "")]),
            (true, &[("origin", "http://mini.example:5001")]),
            // What the browser itself says weighs more than what is compared.
            (true, &[host, (SITE, "cross-site"), ("origin", "http://mini.example:5001")]),
            (false, &[host, (SITE, "same-origin"), ("origin", "http://behind.a.proxy")]),
        ] {
            assert_eq!(is_foreign(&headers(pairs)), foreign, "{pairs:?}");
        }
    }

    #[test]
    fn a_browser_is_known_by_what_it_asks_for() {
        for (browser, pairs) in [
            (false, &[][..]),
            (false, &[("accept", "*/*")]),
            (false, &[("accept", "application/json")]),
            (true, &[("accept", "text/html")]),
            (true, &[("accept", "application/xml;q=0.9, text/html;q=0.8")]),
            // A picture on a page of a neighbour.
            (true, &[("accept", "image/avif,*/*;q=0.8"), (SITE, "same-site")]),
        ] {
            assert_eq!(is_browser(&headers(pairs)), browser, "{pairs:?}");
        }
    }
}
