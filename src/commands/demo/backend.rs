//! A backend in miniature: takes callbacks and verifies their signatures with the Standard Webhooks library.

use std::collections::BTreeSet;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use tokio::net::TcpListener;
use url::Url;

use super::files::Drops;
use super::{heading, work};
use crate::callback::{Client, Delivery, Keys, new_key};
use crate::context::Context;
use crate::domain::clock;
use crate::domain::text::visible;

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
    body: Value,
}

impl Backend {
    /// Listens on a free port of this machine, with a key of its own.
    pub async fn start(dir: &Path) -> anyhow::Result<Self> {
        let secret = new_key();
        let secret_file = dir.join("callback.secret");
        let mut file = std::fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&secret_file)?;
        writeln!(file, "{}", *secret)?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = Url::parse(&format!("http://{}/", listener.local_addr()?))?;
        let received = Received::default();
        let router = Router::new().fallback(take).with_state((Arc::new(Webhook::new(&secret)?), received.clone()));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { url, secret_file, received })
    }

    /// Sends what somebody might who knows the address and not the key.
    pub async fn forge(&self) -> anyhow::Result<()> {
        let file = json!({ "file_id": "1", "name": "99999999.pdf", "outcome": "processado" });
        let body = json!({ "user_id": "42", "job_id": "1", "status": "success", "result": { "files_processed": 1, "files": [file] } });
        let client = Client::with_keys(Duration::from_secs(10), Keys::parse(&new_key()))?;
        let url = self.url.join("api/callbacks/process")?;
        client.deliver(Delivery { id: "evt_forged", url: url.as_str(), payload: &body.to_string() }, clock::now()).await;
        Ok(())
    }

    /// What arrived, as the backend read it: creations, then files in the order they were dropped in.
    pub fn show(&self, drops: &Drops, context: &Context) {
        let ui = &context.ui;
        heading(4, "The backend is told of each, and verifies the signatures", context);
        let mut received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        // Deliveries go side by side; ids are in order of time, and so the versions of a file are.
        received.sort_by_key(|c| {
            let file = Some(c.file_id()).filter(|id| !id.is_empty()).map(|id| drops.place_of(id));
            (!c.verified, file, c.id.clone())
        });
        let files: Vec<&str> = received.iter().map(Callback::file_id).collect();
        for (at, callback) in received.iter().enumerate() {
            let version = if callback.file_id().is_empty() { "" } else { work::version(at, files.iter().copied()) };
            callback.show(version, context);
        }
        let good = received.iter().filter(|c| c.verified);
        let ids: BTreeSet<&str> = good.clone().map(|c| c.id.as_str()).collect();
        let refused = received.iter().filter(|c| !c.verified).count();
        ui.say(ui.dim(format!("  {} events under {} ids, all signed by tecnico (verified by the Standard", good.count(), ids.len())));
        ui.say(ui.dim(format!("  Webhooks library); {refused} signed with another key, and refused with 401")));
    }
}

impl Callback {
    /// The file it is about; empty where it is about folders.
    fn file_id(&self) -> &str {
        self.body["result"]["files"][0]["file_id"].as_str().unwrap_or_default()
    }

    fn show(&self, version: &str, context: &Context) {
        let ui = &context.ui;
        let text = |v: &Value| visible(v.as_str().unwrap_or_default()).into_owned();
        let (result, user) = (&self.body["result"], text(&self.body["user_id"]));
        let file = &result["files"][0];
        let mark = if self.verified { ui.good("✓") } else { ui.bad("✗") };
        let line = if file.is_null() {
            text(&result["message"])
        } else {
            let remark = match &file["reason"] {
                _ if !self.verified => "forged: the demo sent it".to_owned(),
                Value::String(reason) => visible(reason).into_owned(),
                _ => version.to_owned(),
            };
            format!("{:<11} {:<23} {}", text(&file["outcome"]), text(&file["name"]), ui.dim(remark))
        };
        ui.say(format!("  {mark}  {user}  {}", line.trim_end()));
    }
}

async fn take(State((key, received)): State<(Arc<Webhook>, Received)>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let id = headers.get("webhook-id").and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    let verified = key.verify(&body, &headers).is_ok();
    let body = serde_json::from_slice(&body).unwrap_or_default();
    received.lock().unwrap_or_else(PoisonError::into_inner).push(Callback { id, verified, body });
    if verified { StatusCode::NO_CONTENT } else { StatusCode::UNAUTHORIZED }
}
