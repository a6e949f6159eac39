//! The connections: one TLS provider (ring), one hyper client for google-drive3 and yup-oauth2.

use std::sync::Arc;
use std::time::Duration;

use google_drive3::{DriveHub, common};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use url::Url;

use crate::error::{Exit, Failure};

/// What every request of ours says it is.
pub(super) const USER_AGENT: &str = concat!("tecnico/", env!("CARGO_PKG_VERSION"));
/// The longest a TCP connection may take to come about. Nothing below sets one (DEPENDENCIES 1.4).
pub(super) const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// The connector both Google crates get.
pub(super) type Connector = HttpsConnector<HttpConnector>;
/// google-drive3's entry point on that connector.
pub(super) type Hub = DriveHub<Connector>;

/// TLS on ring with the system's roots. Reading them takes a while, so a run that only talks to loopback leaves them out.
pub(super) fn tls(with_roots: bool) -> Result<rustls::ClientConfig, Failure> {
    let mut roots = rustls::RootCertStore::empty();
    if with_roots {
        for certificate in rustls_native_certs::load_native_certs().certs {
            // One odd certificate in the system's store must not cost the others.
            roots.add(certificate).ok();
        }
        if roots.is_empty() {
            return Err(Failure::new(
                Exit::Config,
                "no_ca_certificates",
                "this machine has no CA certificates, so Drive cannot be trusted",
            )
            .hint("install them, e.g. `apt-get install ca-certificates`"));
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| Failure::new(Exit::Bug, "tls", "TLS cannot be set up").because(e))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

/// Connects over https, and over http where config has let it through (loopback only).
pub(super) fn connector(tls: rustls::ClientConfig) -> Connector {
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_connect_timeout(Some(CONNECT_LIMIT));
    http.set_nodelay(true);
    http.set_keepalive(Some(Duration::from_secs(30)));
    HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().enable_http2().wrap_connector(http)
}

/// A pooling client for any body.
pub(super) fn client<B>(connector: Connector) -> Client<Connector, B>
where
    B: hyper::body::Body + Send + 'static,
    B::Data: Send,
{
    Client::builder(TokioExecutor::new())
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(Duration::from_mins(1))
        .http2_keep_alive_interval(Duration::from_secs(20))
        .http2_keep_alive_timeout(Duration::from_secs(10))
        .build(connector)
}

/// A hub that sends this token with whatever it asks. One is made for each attempt: it costs three short strings, and
/// so the crate's own choice of scopes, mostly `drive.meet.readonly` (9.6), never comes into it.
pub(super) fn hub(client: &common::Client<Connector>, endpoint: &Url, token: String) -> Hub {
    let mut hub = DriveHub::new(client.clone(), token);
    hub.base_url(format!("{endpoint}drive/v3/"));
    hub.root_url(endpoint.to_string());
    hub.user_agent(USER_AGENT.into());
    hub
}
