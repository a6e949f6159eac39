//! The listening socket and its connections, each bounded in number, size and time.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Api;
use crate::error::{Exit, Failure};

/// Connections at once; more wait in the kernel.
const CONNECTIONS: usize = 512;
/// How long the head of a request may take to arrive.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// Bytes of a head, at most.
const HEAD_BYTES: usize = 16 * 1024;
/// Headers, at most.
const HEADERS: usize = 64;
/// What a request may take beside its work: its body, the ledger, the answer on its way.
const MARGIN: Duration = Duration::from_secs(25);
/// How long to wait when no connection can be taken (out of file handles).
const BREATH: Duration = Duration::from_millis(100);

/// Opens the socket. Addresses that other machines reach are refused unless `network` says that this is meant.
///
/// Fails with `listen_refused` (64) or `listen_failed` (73).
pub async fn listen(address: SocketAddr, network: bool) -> Result<TcpListener, Failure> {
    if !address.ip().is_loopback() && !network {
        let why = format!("{address} can be reached by other machines, and keys would cross the network unencrypted");
        return Err(Failure::new(Exit::Usage, "listen_refused", why)
            .hint("listen on 127.0.0.1 and put a proxy with TLS in front of it; --allow-network does it all the same"));
    }
    TcpListener::bind(address).await.map_err(|e| {
        Failure::new(Exit::CannotCreate, "listen_failed", format!("cannot listen on {address}"))
            .hint("name another port with --listen, or end what uses this one (ss -ltnp shows it)")
            .because(e)
    })
}

/// The longest the handling of one request may take.
pub(super) fn request_limit(api: &Api) -> Duration {
    api.0.agent.settings.serve.timeout + MARGIN
}

/// Takes connections until told to stop, and then ends with the last of them.
pub(super) async fn serve(listener: TcpListener, router: Router, api: Api) {
    // Should this break, the rest ends too: a service that hears nobody is none.
    let _guard = api.0.stop.clone().drop_guard();
    let (places, connections) = (Arc::new(Semaphore::new(CONNECTIONS)), TaskTracker::new());
    let limit = HEAD_TIME + request_limit(&api) + MARGIN;
    loop {
        let (place, taken) = tokio::select! {
            () = api.0.stop.cancelled() => break,
            next = async {
                // Nobody closes it.
                let place = places.clone().acquire_owned().await;
                (place, listener.accept().await)
            } => next,
        };
        match taken {
            Ok((stream, _)) => {
                let (router, stop) = (router.clone(), api.0.stop.clone());
                connections.spawn(async move {
                    if tokio::time::timeout(limit, connection(stream, router, stop)).await.is_err() {
                        tracing::debug!("a connection was cut: it took too long");
                    }
                    drop(place);
                });
            }
            Err(e) => {
                tracing::warn!("cannot take a connection: {e}");
                tokio::time::sleep(BREATH).await;
            }
        }
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

/// One request: its time is bounded as a whole, and who holds a connection open holds it for that long at most.
async fn connection(stream: TcpStream, router: Router, stop: CancellationToken) {
    // An answer must not wait for the client's acknowledgement of an earlier one; failing to say so costs only time.
    let _ = stream.set_nodelay(true);
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME).max_buf_size(HEAD_BYTES).max_headers(HEADERS).keep_alive(false);
    // A caller who hangs up after the request has asked for it all the same.
    http.half_close(true);
    let mut serving = std::pin::pin!(http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router)));
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = stop.cancelled() => {
            // One that has sent nothing yet is closed; a request under way is answered.
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(e) = ended {
        tracing::debug!("a connection ended early: {e}");
    }
}
