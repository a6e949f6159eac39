//! `tecnico serve`: the HTTP API of the old system (CONTRACT §4), spoken to over real sockets.

mod contract;
mod crash;
mod files;
mod hostile;

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use reqwest::Method;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::support::receiver::{Received, Receiver};
use crate::support::waiting::{PATIENCE, until, until_answered};
use crate::support::world::World;

/// What callers send.
const KEY: &str = "chave-de-teste-0123456789abcdef";
/// What callbacks are signed with.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A world with a backend that knows the signing key.
async fn world_and_backend() -> (World, Receiver) {
    let world = World::new().await;
    let backend = Receiver::start().await.expect("a backend");
    world.write_secret("callback.secret", SECRET);
    world.write_secret("api.key", &format!("{KEY}\n"));
    configure(&world, &backend, "");
    (world, backend)
}

/// The config of such a world, with more at its end.
fn configure(world: &World, backend: &Receiver, more: &str) {
    world.write_config(&format!(
        "[serve]\napi_key_file = \"api.key\"\n[watch]\nsettle = \"0s\"\n\
         [callback]\nurl = \"{}\"\nsecret_file = \"callback.secret\"\ntimeout = \"5s\"\nallowed_hosts = [\"127.0.0.1\"]\n{more}",
        backend.url()
    ));
}

/// A running `tecnico serve`; killed with the test.
struct Service {
    child: Child,
    url: String,
    http: reqwest::Client,
}

impl Service {
    /// Starts one on a free port and waits until it listens.
    fn start(world: &World) -> Self {
        Self::start_with(world, &[], &[])
    }

    fn start_with(world: &World, args: &[&str], environment: &[(&str, &str)]) -> Self {
        let args: Vec<&str> = ["serve", "--listen", "127.0.0.1:0"].into_iter().chain(args.iter().copied()).collect();
        let mut command = world.command(&args);
        let log = std::fs::OpenOptions::new().create(true).append(true).open(world.path("serve.log")).expect("a log");
        let mut child = command.envs(environment.iter().copied()).stdout(Stdio::piped()).stderr(log).spawn().expect("the binary starts");
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        stdout.read_line(&mut line).expect("read");
        let log = || std::fs::read_to_string(world.path("serve.log")).unwrap_or_default();
        let url = line.trim().strip_prefix("listening on ").unwrap_or_else(|| panic!("{line:?}\n{}", log())).to_owned();
        // The answers are ours: no certificate is ever looked at.
        rustls::crypto::ring::default_provider().install_default().ok();
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().expect("a client");
        Self { child, url, http }
    }

    async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.send(Method::POST, path, Some(KEY), Some(("application/json", body.to_string()))).await
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.send(Method::GET, path, Some(KEY), None).await
    }

    async fn send(&self, method: Method, path: &str, key: Option<&str>, body: Option<(&str, String)>) -> (u16, Value) {
        let mut request = self.http.request(method, format!("{}{path}", self.url));
        if let Some(key) = key {
            request = request.header("X-API-Key", key);
        }
        if let Some((media, text)) = body {
            request = request.header("Content-Type", media).body(text);
        }
        let answer = request.send().await.expect("an answer");
        let status = answer.status().as_u16();
        let text = answer.text().await.expect("a body");
        (status, serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {status} {text:?}")))
    }

    /// An accepted job; gives its id.
    async fn accepted(&self, path: &str, body: &Value) -> String {
        let (status, answer) = self.post(path, body).await;
        assert_eq!(status, 202, "{answer}");
        assert_eq!(answer.as_object().expect("an object").keys().collect::<Vec<_>>(), ["status", "message", "job_id"]);
        assert_eq!(answer["status"], "accepted");
        answer["job_id"].as_str().expect("an id").to_owned()
    }

    /// Where a job stands once it has ended.
    async fn ended(&self, job: &str) -> Value {
        let mut answer = Value::Null;
        until_answered("the job ends", async || {
            let (status, now) = self.get(&format!("/api/status/{job}")).await;
            assert_eq!(status, 200, "{now}");
            answer = now;
            answer["status"] == "success" || answer["status"] == "error"
        })
        .await;
        answer
    }

    /// SIGKILL.
    fn kill(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("ends");
    }

    /// SIGTERM.
    fn ask_to_end(&self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).expect("asked to end");
    }

    /// Waits for its end, which must be a good one.
    async fn ends_well(&mut self) {
        let mut ended = None;
        until("it ends", || {
            ended = self.child.try_wait().expect("asked");
            ended.is_some()
        })
        .await;
        assert_eq!(ended.and_then(|status| status.code()), Some(0));
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn ana() -> Value {
    json!({ "user_id": "42", "user_email": "ana@example.com", "user_name": "Ana Maria" })
}

/// The bodies of those requests that answer a job, each verified; and the ids they came under.
fn told_of(requests: &[Received], job: &str) -> (Vec<Value>, std::collections::BTreeSet<String>) {
    let key = standardwebhooks::Webhook::new(SECRET).expect("a key");
    let mut told = (Vec::new(), std::collections::BTreeSet::new());
    for request in requests {
        let body: Value = serde_json::from_str(&request.body).expect("JSON");
        let seconds = request.headers["webhook-timestamp"].parse().expect("a number");
        let signature = key.sign(&request.headers["webhook-id"], seconds, request.body.as_bytes()).expect("signed");
        assert_eq!(request.headers["webhook-signature"], signature);
        if body["job_id"] == job {
            told.0.push(body);
            told.1.insert(request.headers["webhook-id"].clone());
        }
    }
    told
}

/// Waits until the backend has heard of a job.
async fn until_told(backend: &Receiver, job: &str) -> Vec<Value> {
    let told = || told_of(&backend.requests(), job).0;
    until("the backend hears of the job", || !told().is_empty()).await;
    told()
}
