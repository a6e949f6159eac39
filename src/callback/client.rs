//! One delivery: an HTTP POST with limits on everything.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Response, StatusCode};
use standardwebhooks::{HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP};
use url::Url;

use super::Keys;
use super::address::{is_loopback, sendable, shown};
use crate::config::settings::CallbackSettings;
use crate::domain::clock::Millis;
use crate::domain::technician::is_unprintable;
use crate::error::{Exit, Failure};

const USER_AGENT: &str = concat!("tecnico/", env!("CARGO_PKG_VERSION"));
/// How much of an answer's body is read: enough for a reason, too little to hurt.
const BODY_BYTES: usize = 2048;
/// How much of it is kept for people.
const REASON_CHARS: usize = 200;

/// What is sent.
#[derive(Debug, Clone, Copy)]
pub struct Delivery<'a> {
    /// The event's id, the same on every try (CONTRACT 3.5).
    pub id: &'a str,
    /// Where to.
    pub url: &'a str,
    /// The JSON body, sent and signed byte for byte.
    pub payload: &'a str,
}

/// How a delivery ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The backend took it (2xx).
    Delivered {
        /// The status.
        status: u16,
    },
    /// It did not; try again.
    Failed {
        /// Why, in one line, without secrets.
        error: String,
        /// How long the backend asks us to wait.
        retry_after: Option<Duration>,
    },
    /// The backend wants nothing at this address any more (410): stop sending there.
    Gone {
        /// Why, in one line.
        error: String,
    },
}

/// Sends events. Cheap to clone; clones share connections.
#[derive(Debug, Clone)]
pub struct Client {
    keys: Option<Arc<Keys>>,
    timeout: Duration,
    /// For this machine itself: no proxy in between.
    local: reqwest::Client,
    /// For everywhere else, https only; made when first needed, because reading the system's certificates takes a while.
    remote: Arc<OnceLock<Result<reqwest::Client, String>>>,
}

impl Client {
    /// Reads the signing keys, where a file is configured.
    pub fn new(settings: &CallbackSettings) -> Result<Self, Failure> {
        let keys = settings.secret_file.as_deref().map(Keys::load).transpose()?;
        Self::with_keys(settings.timeout, keys)
    }

    /// A client with keys from elsewhere; `None`: events go out unsigned. `timeout` bounds a whole delivery.
    pub fn with_keys(timeout: Duration, keys: Option<Keys>) -> Result<Self, Failure> {
        let bug = |e: String| Failure::new(Exit::Bug, "callback_client", format!("the HTTP client cannot be set up: {e}"));
        let local = tls(rustls::RootCertStore::empty())
            .and_then(|tls| builder(timeout, tls).no_proxy().build().map_err(|e| e.to_string()))
            .map_err(bug)?;
        Ok(Self { keys: keys.map(Arc::new), timeout, local, remote: Arc::default() })
    }

    /// Sends once, now. Never fails: what went wrong is the answer. Ends within the time limit.
    pub async fn deliver(&self, delivery: Delivery<'_>, now: Millis) -> Answer {
        let failed = |error: String| Answer::Failed { error, retry_after: None };
        let url = match Url::parse(delivery.url) {
            Ok(url) => url,
            Err(e) => return failed(format!("the address is no address: {e}")),
        };
        if let Err(why) = sendable(&url) {
            return failed(format!("{} is not sent to: {why}", shown(&url)));
        }
        let Some(headers) = self.headers(delivery, now) else {
            return failed(format!("the event id {:?} cannot be sent in a header", delivery.id));
        };
        let sending = self.send(&url, headers, delivery.payload.to_owned(), now);
        // reqwest has the same limit; this one also covers what it does not count.
        match tokio::time::timeout(self.timeout + Duration::from_millis(500), sending).await {
            Ok(answer) => answer,
            Err(_) => failed(format!("{} did not answer within {:?}", shown(&url), self.timeout)),
        }
    }

    async fn send(&self, url: &Url, headers: HeaderMap, body: String, now: Millis) -> Answer {
        let client = if is_loopback(url) {
            &self.local
        } else {
            match self.remote.get_or_init(|| remote(self.timeout)) {
                Ok(client) => client,
                Err(e) => return Answer::Failed { error: e.clone(), retry_after: None },
            }
        };
        match client.post(url.clone()).headers(headers).body(body).send().await {
            Ok(response) => judge(url, response, now).await,
            Err(e) => Answer::Failed { error: format!("{}: {}", shown(url), in_words(&e, self.timeout)), retry_after: None },
        }
    }

    fn headers(&self, delivery: Delivery<'_>, now: Millis) -> Option<HeaderMap> {
        let seconds = now.div_euclid(1000);
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(HEADER_WEBHOOK_ID, HeaderValue::from_str(delivery.id).ok()?);
        headers.insert(HEADER_WEBHOOK_TIMESTAMP, seconds.into());
        if let Some(keys) = &self.keys {
            let mut signature = HeaderValue::from_str(&keys.sign(delivery.id, seconds, delivery.payload)).ok()?;
            signature.set_sensitive(true);
            headers.insert(HEADER_WEBHOOK_SIGNATURE, signature);
        }
        Some(headers)
    }
}

async fn judge(url: &Url, response: Response, now: Millis) -> Answer {
    let status = response.status();
    if status.is_success() {
        // Taken, whatever becomes of the rest of the answer.
        return Answer::Delivered { status: status.as_u16() };
    }
    let retry_after = response.headers().get(RETRY_AFTER).and_then(|v| v.to_str().ok()).and_then(|v| wait_of(v, now));
    let mut error = format!("{} answered {}", shown(url), status.as_u16());
    if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
        error.push_str(" (is the key in callback.secret_file the one the backend checks with?)");
    }
    if status.is_redirection() {
        error.push_str(" (redirects are not followed: configure the final address)");
    } else {
        let reason = reason(response).await;
        if !reason.is_empty() {
            error = format!("{error}: {reason}");
        }
    }
    if status == StatusCode::GONE { Answer::Gone { error } } else { Answer::Failed { error, retry_after } }
}

/// The beginning of the body as one printable line; a body that does not come is no matter.
async fn reason(mut response: Response) -> String {
    let mut bytes = Vec::new();
    while bytes.len() < BODY_BYTES
        && let Ok(Some(chunk)) = response.chunk().await
    {
        bytes.extend_from_slice(&chunk[..chunk.len().min(BODY_BYTES - bytes.len())]);
    }
    let text = String::from_utf8_lossy(&bytes);
    let line: String = text.chars().map(|c| if is_unprintable(c) { ' ' } else { c }).collect();
    line.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(REASON_CHARS).collect()
}

/// `Retry-After`: seconds, or an HTTP date.
fn wait_of(value: &str, now: Millis) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let at = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(value.trim()).ok()?;
    let wait = at.as_millisecond().saturating_sub(Timestamp::from_millisecond(now).ok()?.as_millisecond());
    Some(Duration::from_millis(u64::try_from(wait).unwrap_or(0)))
}

/// What reqwest met, without the address: its query may hold a caller's secret.
fn in_words(error: &reqwest::Error, limit: Duration) -> String {
    if error.is_timeout() {
        return format!("no answer within {limit:?}");
    }
    let mut deepest: &dyn std::error::Error = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    let what = if error.is_connect() { "cannot connect" } else { "the line was cut before an answer" };
    if std::ptr::addr_eq(deepest, error) { what.to_owned() } else { format!("{what}: {deepest}") }
}

fn builder(timeout: Duration, tls: rustls::ClientConfig) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .user_agent(USER_AGENT)
        .redirect(Policy::none())
        .timeout(timeout)
        .connect_timeout(timeout.min(Duration::from_secs(10)))
        .pool_idle_timeout(Duration::from_secs(30))
}

fn remote(timeout: Duration) -> Result<reqwest::Client, String> {
    let mut roots = rustls::RootCertStore::empty();
    for certificate in rustls_native_certs::load_native_certs().certs {
        // One odd certificate in the system's store must not cost the others.
        roots.add(certificate).ok();
    }
    if roots.is_empty() {
        return Err("this machine has no CA certificates, so no https backend can be trusted; install ca-certificates".into());
    }
    builder(timeout, tls(roots)?).https_only(true).build().map_err(|e| format!("the HTTP client cannot be set up: {e}"))
}

/// TLS on ring, the one provider of the program.
fn tls(roots: rustls::RootCertStore) -> Result<rustls::ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(|e| e.to_string())?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_in_seconds_or_as_a_date() {
        let now = 784_111_777_000; // Sun, 06 Nov 1994 08:49:37 GMT
        assert_eq!(wait_of("120", now), Some(Duration::from_mins(2)));
        assert_eq!(wait_of("Sun, 06 Nov 1994 08:50:37 GMT", now), Some(Duration::from_mins(1)));
        assert_eq!(wait_of("Sun, 06 Nov 1994 08:40:00 GMT", now), Some(Duration::ZERO));
        assert_eq!(wait_of("soon", now), None);
    }

    #[tokio::test]
    async fn nothing_is_sent_in_the_clear_to_another_machine() -> anyhow::Result<()> {
        let client = Client::with_keys(Duration::from_secs(1), None)?;
        for url in ["http://backend.example.com/x?token=segredo", "http://ana:segredo@127.0.0.1/", "ftp://127.0.0.1/", "nonsense"] {
            let Answer::Failed { error, .. } = client.deliver(Delivery { id: "evt_1", url, payload: "{}" }, 0).await else {
                anyhow::bail!("{url} was sent to");
            };
            assert!(!error.contains("segredo"), "{error}");
        }
        Ok(())
    }
}
