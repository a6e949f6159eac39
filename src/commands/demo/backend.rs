//! A backend in miniature: takes callbacks and verifies their signatures with the Standard Webhooks library.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rand::RngCore;
use standardwebhooks::Webhook;
use tokio::net::TcpListener;
use url::Url;

use crate::context::Context;

/// A listening backend.
pub(super) struct Backend {
    /// Its base address.
    pub url: Url,
    /// The key both sides know.
    pub secret_file: PathBuf,
    received: Received,
}

type Received = Arc<Mutex<Vec<Callback>>>;

struct Callback {
    id: String,
    verified: bool,
    body: serde_json::Value,
}

impl Backend {
    /// Listens on a free port of this machine, with a key of its own.
    pub async fn start(dir: &Path) -> anyhow::Result<Self> {
        let mut bytes = [0; 32];
        rand::rng().fill_bytes(&mut bytes);
        let secret = format!("whsec_{}", STANDARD.encode(bytes));
        let secret_file = dir.join("callback.secret");
        let mut file = std::fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&secret_file)?;
        writeln!(file, "{secret}")?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = Url::parse(&format!("http://{}/", listener.local_addr()?))?;
        let received = Received::default();
        let router = Router::new().fallback(take).with_state((Arc::new(Webhook::new(&secret)?), received.clone()));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { url, secret_file, received })
    }

    /// What arrived, as the backend read it.
    pub fn show(&self, context: &Context) {
        let ui = &context.ui;
        ui.say("");
        ui.say(ui.bold("What the backend received"));
        for callback in self.received.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let verified = if callback.verified { ui.good("✓ signature") } else { ui.bad("✗ signature") };
            let file = &callback.body["result"]["files"][0];
            let text = |v: &serde_json::Value| v.as_str().unwrap_or_default().escape_debug().to_string();
            let outcome = text(&file["outcome"]);
            ui.say(format!(
                "  {verified}  {}  user {:<3} {outcome:<11} {}",
                callback.id,
                text(&callback.body["user_id"]),
                text(&file["name"])
            ));
        }
    }
}

async fn take(State((key, received)): State<(Arc<Webhook>, Received)>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let id = headers.get("webhook-id").and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    let verified = key.verify(&body, &headers).is_ok();
    let body = serde_json::from_slice(&body).unwrap_or_default();
    received.lock().unwrap_or_else(PoisonError::into_inner).push(Callback { id, verified, body });
    StatusCode::NO_CONTENT
}
