//! A backend: a real HTTP server that records what it gets and whose answer can change in the middle of a test.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::Response;

use super::waiting::until;

/// How the backend answers.
#[derive(Debug, Clone)]
pub enum Reply {
    /// A status, headers and a body.
    With(u16, Vec<(&'static str, String)>, String),
    /// Never.
    Hang,
    /// 200, but never to this request of all and those after it, counted from 1.
    HangFrom(usize),
    /// 200 and the beginning of a body, then the line is cut.
    CutBody,
}

impl Reply {
    /// A status alone.
    pub fn status(status: u16) -> Self {
        Self::With(status, Vec::new(), String::new())
    }
}

/// One request as it came.
#[derive(Debug, Clone)]
pub struct Received {
    /// Path and query.
    pub target: String,
    /// Headers, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// Body.
    pub body: String,
}

#[derive(Clone)]
struct Shared(Arc<Mutex<(Reply, Vec<Received>)>>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, (Reply, Vec<Received>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running backend; stops when dropped.
pub struct Receiver {
    url: String,
    shared: Shared,
    task: tokio::task::JoinHandle<()>,
}

impl Receiver {
    /// Starts one on a free port of loopback that answers 200.
    pub async fn start() -> anyhow::Result<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let shared = Shared(Arc::new(Mutex::new((Reply::status(200), Vec::new()))));
        let app = axum::Router::new().fallback(receive).with_state(shared.clone());
        let task = tokio::spawn(async move {
            // Ends with the test; what it ends with does not matter.
            let _ = axum::serve(listener, app).await;
        });
        Ok(Self { url, shared, task })
    }

    /// The base address, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What is answered from now on.
    pub fn reply(&self, reply: Reply) {
        self.shared.lock().0 = reply;
    }

    /// All requests so far.
    pub fn requests(&self) -> Vec<Received> {
        self.shared.lock().1.clone()
    }

    /// Waits until `n` requests have come.
    pub async fn wait_for(&self, n: usize) -> Vec<Received> {
        until(&format!("{n} requests come"), || self.requests().len() >= n).await;
        self.requests()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn receive(State(shared): State<Shared>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap_or_default();
    let headers = parts.headers.iter().map(|(n, v)| (n.to_string(), String::from_utf8_lossy(v.as_bytes()).into_owned())).collect();
    let received = Received { target: parts.uri.to_string(), headers, body: String::from_utf8_lossy(&body).into_owned() };
    let reply = {
        let mut state = shared.lock();
        state.1.push(received);
        match &state.0 {
            Reply::HangFrom(n) if state.1.len() >= *n => Reply::Hang,
            Reply::HangFrom(_) => Reply::status(200),
            reply => reply.clone(),
        }
    };
    match reply {
        Reply::With(status, headers, body) => {
            let builder = headers.iter().fold(Response::builder().status(status), |b, (n, v)| b.header(*n, v));
            builder.body(Body::from(body)).expect("tests give valid headers")
        }
        Reply::Hang | Reply::HangFrom(_) => std::future::pending().await,
        Reply::CutBody => {
            let beginning = futures_util::stream::iter([Ok(Bytes::from_static(b"{\"ok\""))]);
            let cut = futures_util::stream::once(async {
                // The server writes out what it has before it asks for more: the status must have left.
                tokio::task::yield_now().await;
                Err(std::io::Error::other("cut"))
            });
            Response::new(Body::from_stream(futures_util::StreamExt::chain(beginning, cut)))
        }
    }
}
