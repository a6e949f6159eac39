//! Where an event may be sent.

use std::net::IpAddr;

use url::{Host, Url};

use crate::config::settings::CallbackSettings;
use crate::error::{Exit, Failure};

/// The two addresses of CONTRACT 3.1 below the configured base: `kind` is `folders` or `process`.
/// `None` where no backend is configured: nobody is told.
pub fn of_backend(settings: &CallbackSettings, kind: &str) -> Option<Url> {
    let mut url = settings.url.clone()?;
    url.set_query(None);
    url.set_fragment(None);
    // Not `join`: a base of `https://example.com/backend` keeps its path.
    url.set_path(&format!("{}/api/callbacks/{kind}", url.path().trim_end_matches('/')));
    Some(url)
}

/// An address a caller names for its own request. Its host must be the backend's or one of `callback.allowed_hosts`
/// (`host`, or `host:port` for that port alone); anything else could be used to make this machine call others.
///
/// Fails with `callback_url_refused` (exit 64).
pub fn named_by_caller(settings: &CallbackSettings, raw: &str) -> Result<Url, Failure> {
    let refused = |why: String| Failure::new(Exit::Usage, "callback_url_refused", format!("the callback address is refused: {why}"));
    let url = Url::parse(raw.trim()).map_err(|e| refused(format!("it is no address ({e})")))?;
    sendable(&url).map_err(|why| refused(why.to_owned()).hint("https is needed, except to this machine itself"))?;
    let host = url.host_str().unwrap_or_default().to_ascii_lowercase();
    let with_port = format!("{host}:{}", url.port_or_known_default().unwrap_or_default());
    let backend = settings.url.as_ref().is_some_and(|b| b.host() == url.host() && b.port_or_known_default() == url.port_or_known_default());
    let allowed = settings.allowed_hosts.iter().map(|h| h.trim().to_ascii_lowercase()).any(|h| h == host || h == with_port);
    if backend || allowed {
        return Ok(url);
    }
    Err(refused(format!("{host} is not a host of callback.allowed_hosts"))
        .hint(format!("where it is right, add it to the config: allowed_hosts = [\"{host}\"]")))
}

/// Whether anything may be sent there at all: https, or http to loopback, and no user or password in it.
pub(super) fn sendable(url: &Url) -> Result<(), &'static str> {
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it holds a user name or password");
    }
    match url.scheme() {
        "https" if url.has_host() => Ok(()),
        "http" if is_loopback(url) => Ok(()),
        "http" => Err("it is plain http and not on this machine"),
        _ => Err("it is neither https nor http"),
    }
}

/// Whether the host is this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => IpAddr::V4(ip).is_loopback(),
        Some(Host::Ipv6(ip)) => IpAddr::V6(ip).is_loopback(),
        None => false,
    }
}

/// The address for people and logs: without its query, which may hold a caller's secret.
pub(super) fn shown(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn settings(url: &str, allowed: &[&str]) -> CallbackSettings {
        CallbackSettings {
            url: Url::parse(url).ok(),
            secret_file: None,
            timeout: Duration::from_secs(15),
            allowed_hosts: allowed.iter().map(ToString::to_string).collect(),
        }
    }

    #[test]
    fn c3_1_the_two_addresses_below_the_base() {
        for base in ["https://backend.example.com", "https://backend.example.com/", "https://backend.example.com/?x=1"] {
            let url = of_backend(&settings(base, &[]), "folders").map(|u| u.to_string());
            assert_eq!(url.as_deref(), Some("https://backend.example.com/api/callbacks/folders"));
        }
        let url = of_backend(&settings("http://127.0.0.1:3000/base/", &[]), "process").map(|u| u.to_string());
        assert_eq!(url.as_deref(), Some("http://127.0.0.1:3000/base/api/callbacks/process"));
        assert_eq!(of_backend(&settings("", &[]), "process"), None);
    }

    #[test]
    fn a_caller_names_only_allowed_hosts() {
        let settings = settings("https://backend.example.com", &["Hooks.example.com", "painel.example.com:8443", "127.0.0.1"]);
        for good in [
            "https://backend.example.com/x?token=1",
            "https://hooks.example.com:9000/",
            "https://painel.example.com:8443/y",
            "http://127.0.0.1:5000/z",
        ] {
            assert!(named_by_caller(&settings, good).is_ok(), "{good}");
        }
        for bad in [
            "https://backend.example.com:8443/",
            "https://backend.example.com.evil.example/",
            "https://painel.example.com/",
            "https://evil.example/",
            "http://hooks.example.com/",
            "https://hooks.example.com@evil.example/",
            "https://ana:x@hooks.example.com/",
            "ftp://hooks.example.com/",
            "file:///etc/passwd",
            "http://localhost:5000/",
            "http://169.254.169.254/",
            "backend.example.com",
            "",
        ] {
            let failure = named_by_caller(&settings, bad).expect_err(bad);
            assert_eq!((failure.code(), failure.exit()), ("callback_url_refused", Exit::Usage));
        }
    }

    #[test]
    fn what_is_shown_leaves_the_query_out() -> Result<(), url::ParseError> {
        assert_eq!(shown(&Url::parse("https://b.example.com/x?token=segredo#y")?), "https://b.example.com/x");
        Ok(())
    }
}
