//! The listening socket, and which part of the emulator a path belongs to.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use futures_util::FutureExt as _;
use http::Request;
use http::header::{DATE, HeaderValue};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpSocket};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::acting::Control;
use crate::api::{batch, serve};
use crate::app::App;
use crate::auth;
use crate::clock;
use crate::control::{self, Door, Op};
use crate::error::ApiError;
use crate::socket::{Connection, Ending};
use crate::store::settings::Settings;

/// How long a connection may be without a whole request's head, at its beginning or between two requests. Longer than
/// clients keep an unused one, so that none is closed under a request.
const HEAD_TIME: Duration = Duration::from_mins(2);

/// How many connections may wait to be taken.
const QUEUE: u32 = 4096;

/// A running emulator. It stops when this is dropped.
#[derive(Debug)]
pub struct DriveEmulator {
    app: Arc<App>,
    /// Ends the socket and its connections when it goes.
    _ends: DropGuard,
    task: tokio::task::JoinHandle<()>,
}

/// How an emulator is to run.
#[derive(Debug, Clone, Default)]
pub struct Builder {
    data: Option<PathBuf>,
    port: u16,
    public_base_url: Option<String>,
    address: Option<std::net::IpAddr>,
    head_time: Option<Duration>,
}

impl Builder {
    /// Keeps everything in `dir`. Without it a temporary directory is used and removed.
    #[must_use]
    pub fn data(mut self, dir: impl AsRef<Path>) -> Self {
        self.data = Some(dir.as_ref().to_path_buf());
        self
    }

    /// Listens on this port; 0 takes a free one.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// The address clients reach it by, where that is another one: behind TLS the `Location` of an upload
    /// session must say `https://www.googleapis.com` (1.27).
    #[must_use]
    pub fn public_base_url(mut self, url: impl Into<String>) -> Self {
        self.public_base_url = Some(url.into().trim_end_matches('/').to_owned());
        self
    }

    /// Listens on another address than loopback. The emulator has no protection of its own: whoever reaches
    /// it can read and change everything in it and act as anybody.
    #[must_use]
    pub fn expose_to_everyone_who_reaches(mut self, address: std::net::IpAddr) -> Self {
        self.address = Some(address);
        self
    }

    /// Closes a connection on which no whole head of a request comes for so long, two minutes where nothing is said:
    /// who stalls must not hold one for ever.
    #[must_use]
    pub fn head_within(mut self, time: Duration) -> Self {
        self.head_time = Some(time);
        self
    }

    /// Starts serving.
    ///
    /// # Errors
    /// The data directory cannot be used, or the port is taken.
    #[expect(clippy::unused_async, reason = "it needs the runtime of whoever waits for it")]
    pub async fn start(self) -> anyhow::Result<DriveEmulator> {
        let app = App::open(self.data.as_deref(), self.public_base_url)?;
        let address = SocketAddr::new(self.address.unwrap_or(Ipv4Addr::LOCALHOST.into()), self.port);
        let listener = listen(address).with_context(|| format!("cannot listen on {address}"))?;
        let url = format!("http://{}", listener.local_addr()?);
        // Nobody set it before: the application was made above.
        let _ = app.url.set(url);
        let ended = CancellationToken::new();
        let mut listener = Ending { listener, ended: ended.clone() };
        let serving = Arc::clone(&app);
        let (stop, head_time) = (ended.clone(), self.head_time.unwrap_or(HEAD_TIME));
        let task = tokio::spawn(async move {
            while let Some(connection) = stop.run_until_cancelled(listener.accept()).await {
                tokio::spawn(converse(Arc::clone(&serving), connection, head_time));
            }
        });
        Ok(DriveEmulator { app, _ends: ended.drop_guard(), task })
    }
}

impl DriveEmulator {
    /// An emulator with temporary data on a free port.
    ///
    /// # Panics
    /// There is no temporary directory or no free port: a test cannot go on.
    pub async fn start() -> Self {
        match Self::builder().start().await {
            Ok(emulator) => emulator,
            Err(error) => panic!("the Drive emulator does not start: {error:#}"),
        }
    }

    /// An emulator to be set up.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    pub fn url(&self) -> &str {
        self.app.url()
    }

    /// What tests turn and whom they act as.
    pub fn control(&self) -> Control {
        Control::new(Arc::clone(&self.app))
    }

    /// Serves until the process ends.
    pub async fn run_forever(mut self) {
        // A task that ended leaves nothing to wait for.
        let _ = (&mut self.task).await;
    }
}

impl Drop for DriveEmulator {
    fn drop(&mut self) {
        // Ends what is in hand at once; the guard breaks the connections.
        self.app.gate.close();
    }
}

/// A socket that listens. The usual queue of 128 is short for a thousand callers at once: the kernel resets those that
/// overflow it.
fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A port that was in use a moment ago is free.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(QUEUE)
}

/// Answers the requests of a connection, one after the other.
async fn converse(app: Arc<App>, connection: Connection, head_time: Duration) {
    let turn = connection.turn.clone();
    let service = service_fn(|request: Request<Incoming>| {
        let (app, in_hand) = (Arc::clone(&app), turn.begin());
        async move {
            let response = route(&app, request.map(Body::new)).await;
            Ok::<_, Infallible>(response.map(|body| in_hand.until_sent(body)))
        }
    });
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(head_time);
    // Who breaks off, stalls, or sends what is no request, has been answered or has left.
    let _ = server.serve_connection(TokioIo::new(connection), service).await;
}

/// Answers a request. A defect costs that request a 500, not the caller's connection.
async fn route(app: &Arc<App>, request: Request<Body>) -> Response {
    let answered = AssertUnwindSafe(answer(app, request)).catch_unwind().await;
    let mut response = answered.unwrap_or_else(|_| ApiError::broke().into_response());
    // Without it the server would put the machine's own time there, whatever the emulated clock says.
    let now = app.store.read(|db| Ok(Settings::load(db)?.now()));
    if let Some(date) = now.ok().and_then(|now| HeaderValue::try_from(clock::http_date(now)).ok()) {
        response.headers_mut().insert(DATE, date);
    }
    response
}

async fn answer(app: &Arc<App>, request: Request<Body>) -> Response {
    app.gate
        .run(request, |request| async {
            let (parts, body) = request.into_parts();
            match Op::of(&parts).door {
                Door::Control => control::serve(&Control::new(Arc::clone(app)), parts, body).await,
                Door::Token => auth::serve(app, parts, body).await,
                Door::Drive if parts.uri.path().starts_with("/batch") => batch::serve(app, parts, body).await,
                Door::Drive => serve::serve(app, parts, body).await,
            }
        })
        .await
}
