//! A server that answers as it is told, byte by byte where it must: for what the wire really carries, and for answers a
//! well-behaved server cannot give.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tecnico::config::settings::{Credentials, DriveSettings};
use tecnico::drive::Drive;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// One request as it came.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: String,
    /// Without the query.
    pub path: String,
    pub query: HashMap<String, String>,
    /// Names in lower case.
    pub headers: HashMap<String, String>,
    pub body: Vec<u8>,
}

impl Seen {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

/// What the server does with a request.
#[derive(Debug, Clone)]
pub enum Reply {
    /// A whole answer: status, further header lines, body.
    Whole(u16, String, Vec<u8>),
    /// The head promises more than is sent before the line is cut.
    CutBody(u16, String, Vec<u8>, usize),
    /// The line is cut without an answer.
    Cut,
    /// Nothing ever comes.
    Hang,
}

impl Reply {
    pub fn json(value: &Value) -> Self {
        Self::status(200, value)
    }

    pub fn status(status: u16, value: &Value) -> Self {
        Self::Whole(status, "Content-Type: application/json; charset=UTF-8\r\n".into(), value.to_string().into_bytes())
    }

    pub fn refused(status: u16, reason: &str) -> Self {
        Self::status(
            status,
            &json!({"error": {"code": status, "message": format!("About {reason}."),
            "errors": [{"domain": "global", "reason": reason, "message": "m"}]}}),
        )
    }

    pub fn empty(status: u16) -> Self {
        Self::Whole(status, String::new(), Vec::new())
    }
}

type Log = Arc<Mutex<Vec<Seen>>>;
type Side = (Log, Answer);
type Answer = Box<dyn Fn(&Seen, usize) -> Reply + Send + Sync>;

/// A running server. Token requests are answered by `tokens`, everything else by the script, which is told how many
/// requests it saw before.
pub struct Script {
    pub url: String,
    seen: Log,
    tokens: Log,
    task: JoinHandle<()>,
}

impl Drop for Script {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Script {
    pub async fn start(answer: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static) -> Self {
        Self::with_tokens(
            |_, n| Reply::json(&json!({"access_token": format!("tok{n}"), "expires_in": 3599, "token_type": "Bearer"})),
            answer,
        )
        .await
    }

    pub async fn with_tokens(
        token: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static,
        answer: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (seen, tokens) = (Arc::default(), Arc::default());
        let sides: Arc<[Side; 2]> = Arc::new([(Arc::clone(&tokens), Box::new(token)), (Arc::clone(&seen), Box::new(answer))]);
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.expect("a connection");
                let sides = Arc::clone(&sides);
                tokio::spawn(async move { serve(stream, &sides).await });
            }
        });
        Self { url, seen, tokens, task }
    }

    /// The requests so far, tokens left out.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("no panic").clone()
    }

    /// How many tokens were asked for.
    pub fn tokens(&self) -> usize {
        self.tokens.lock().expect("no panic").len()
    }

    pub fn settings(&self) -> DriveSettings {
        settings(&self.url)
    }

    pub async fn drive(&self, cache: &Path) -> Drive {
        Drive::connect(&self.settings(), cache).await.expect("the key is good")
    }
}

/// Settings for a server at `url`, with a service account whose tokens come from there too.
pub fn settings(url: &str) -> DriveSettings {
    let key = json!({
        "type": "service_account", "client_email": "robot@project.iam.gserviceaccount.com",
        "private_key": include_str!("../../../crates/drive-emulator/src/auth/test_key.pem"), "token_uri": format!("{url}/token"),
    });
    DriveSettings {
        parent_folder_id: "parent".into(),
        credentials: Credentials::Embedded(key.to_string()),
        subject: None,
        shared_drive_id: None,
        endpoint: format!("{url}/").parse().expect("an address"),
        timeout: Duration::from_secs(5),
        concurrency: 8,
        calls_per_minute: 0,
        writes_per_second: 0,
    }
}

async fn serve(mut stream: TcpStream, sides: &[Side; 2]) {
    let mut pending = Vec::new();
    while let Some(seen) = read(&mut stream, &mut pending).await {
        let (log, answer) = &sides[usize::from(seen.path != "/token")];
        let number = {
            let mut log = log.lock().expect("no panic");
            log.push(seen.clone());
            log.len() - 1
        };
        let head = |status: u16, headers: &str, length: usize| {
            format!("HTTP/1.1 {status} X\r\n{headers}Content-Length: {length}\r\n\r\n").into_bytes()
        };
        match answer(&seen, number) {
            Reply::Whole(status, headers, body) => {
                let mut bytes = head(status, &headers, body.len());
                bytes.extend(body);
                if stream.write_all(&bytes).await.is_err() {
                    return;
                }
            }
            Reply::CutBody(status, headers, body, promised) => {
                let mut bytes = head(status, &headers, promised);
                bytes.extend(body);
                // The client may be gone already; then there is nobody to cut off.
                stream.write_all(&bytes).await.ok();
                return;
            }
            Reply::Cut => return,
            Reply::Hang => std::future::pending().await,
        }
    }
}

async fn read(stream: &mut TcpStream, pending: &mut Vec<u8>) -> Option<Seen> {
    let end = loop {
        if let Some(end) = pending.windows(4).position(|w| w == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(pending).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(pending[..end].to_vec()).ok()?;
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: HashMap<String, String> =
        lines.filter_map(|l| l.split_once(':')).map(|(k, v)| (k.to_ascii_lowercase(), v.trim().to_owned())).collect();
    let length: usize = headers.get("content-length").and_then(|l| l.parse().ok()).unwrap_or(0);
    while pending.len() < end + 4 + length {
        if stream.read_buf(pending).await.ok()? == 0 {
            return None;
        }
    }
    let body = pending[end + 4..end + 4 + length].to_vec();
    pending.drain(..end + 4 + length);
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let query = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    Some(Seen { method, path: path.to_owned(), query, headers, body })
}
