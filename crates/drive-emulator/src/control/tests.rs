//! The gate in front of a small real server, seen through real connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(20);

struct Fixed;

impl Surroundings for Fixed {
    fn now_ms(&self) -> i64 {
        0
    }
    fn principal(&self, token: &str) -> Option<String> {
        (token == "tok").then(|| "ana@example.com".to_owned())
    }
}

/// A server whose every call counts itself and answers 26 letters.
struct Rig {
    gate: Gate,
    executed: Arc<AtomicU64>,
    address: std::net::SocketAddr,
    client: reqwest::Client,
}

impl Rig {
    async fn new() -> Self {
        let gate = Gate::new(Fixed);
        let executed = Arc::new(AtomicU64::new(0));
        let (through, count) = (gate.clone(), executed.clone());
        let app = Router::new()
            .fallback(move || {
                count.fetch_add(1, Ordering::SeqCst);
                async { "abcdefghijklmnopqrstuvwxyz" }
            })
            .layer(from_fn(move |request: Request, next: Next| {
                let gate = through.clone();
                async move { gate.run(request, |request| next.run(request)).await }
            }));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        tokio::spawn(async move { axum::serve(listener, app).await });
        // No connection is used twice, so that a cut one is never tried again by the client.
        let client = reqwest::Client::builder().pool_max_idle_per_host(0).build().expect("a client");
        Self { gate, executed, address, client }
    }

    fn get(&self, path: &str) -> reqwest::RequestBuilder {
        self.client.get(format!("http://{}{path}", self.address)).bearer_auth("tok").timeout(PATIENCE)
    }

    async fn status(&self, path: &str) -> Option<u16> {
        let response = self.get(path).send().await.ok()?;
        Some(response.status().as_u16())
    }

    fn executed(&self) -> u64 {
        self.executed.load(Ordering::SeqCst)
    }

    /// Everything the server sends to one request before it closes the connection.
    async fn raw(&self) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.address).await.expect("it listens");
        let request = "GET /drive/v3/files HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).await.expect("it is sent");
        let mut answer = Vec::new();
        let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
        // A reset is as good an end as a close.
        let _ = read.expect("the connection ends");
        answer
    }
}

const FILES: &str = "/drive/v3/files";

#[tokio::test]
async fn a_cut_before_executes_nothing_and_sends_nothing() {
    let rig = Rig::new().await;
    rig.gate.fault(Fault::new(Effect::CutBefore)).expect("a rule that can strike");
    assert_eq!(rig.raw().await, b"");
    let error = rig.get(FILES).send().await.expect_err("there is no answer");
    assert!(!error.is_timeout() && !error.is_status(), "{error:?}");
    assert_eq!(rig.executed(), 0);
}

#[tokio::test]
async fn a_lost_answer_was_executed_and_sends_nothing() {
    let rig = Rig::new().await;
    rig.gate.fault(Fault::new(Effect::LostAfterCommit).when(When::Next { next: 2 })).expect("a rule that can strike");
    assert_eq!(rig.raw().await, b"");
    assert!(rig.get(FILES).send().await.is_err());
    assert_eq!(rig.executed(), 2);
    assert_eq!(rig.status(FILES).await, Some(200));
    let log = rig.gate.requests();
    assert_eq!((log[1].status, log[1].fault), (None, Some("lost_after_commit")));
    assert_eq!((log[2].status, log[2].fault), (Some(200), None));
}

#[tokio::test]
async fn a_body_breaks_off_after_exactly_so_many_bytes() {
    let rig = Rig::new().await;
    rig.gate.fault(Fault::new(Effect::CutBodyAfter { bytes: 10 })).expect("a rule that can strike");
    let raw = String::from_utf8(rig.raw().await).expect("letters");
    let (head, body) = raw.split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(head.to_lowercase().contains("content-length: 26"), "{head}");
    assert_eq!(body, "abcdefghij");
    let response = rig.get(FILES).send().await.expect("the head arrives");
    assert!(response.bytes().await.is_err(), "the client sees that it is cut");
}

#[tokio::test]
async fn a_corrupt_body_has_its_length() {
    let rig = Rig::new().await;
    rig.gate.fault(Fault::new(Effect::CorruptBody)).expect("a rule that can strike");
    let body = rig.get(FILES).send().await.expect("an answer").bytes().await.expect("whole");
    assert_eq!(body.len(), 26);
    assert_ne!(&body[..], b"abcdefghijklmnopqrstuvwxyz");
}

#[tokio::test]
async fn errors_and_their_order() {
    let rig = Rig::new().await;
    let busy = Status { retry_after: Some(4), body: BodyShape::Html, ..Status::new(503, "backendError") };
    let first = rig.gate.fault(Fault::new(Effect::Status(busy)).op("files.list")).expect("a rule that can strike");
    rig.gate.fault(Fault::new(Effect::Unauthorized).when(When::Calls { calls: vec![2] })).expect("a rule that can strike");
    let response = rig.get(FILES).send().await.expect("an answer");
    assert_eq!((response.status().as_u16(), &response.headers()["retry-after"]), (503, &"4".parse().expect("ok")));
    assert!(response.text().await.expect("a page").starts_with("<!DOCTYPE html>"));
    assert_eq!(rig.status("/drive/v3/about").await, Some(401));
    assert!(rig.gate.remove_fault(first));
    assert!(!rig.gate.remove_fault(first));
    assert_eq!(rig.status(FILES).await, Some(200));
    assert_eq!(rig.executed(), 1);
    assert_eq!((rig.gate.faults()[0].seen, rig.gate.faults()[0].struck), (3, 1));
}

#[tokio::test]
async fn a_hanging_call_ends_when_the_client_leaves() {
    let rig = Rig::new().await;
    rig.gate.fault(Fault::new(Effect::Hang).when(When::Next { next: 1 })).expect("a rule that can strike");
    let error = rig.get(FILES).timeout(Duration::from_millis(200)).send().await.expect_err("no answer comes");
    assert!(error.is_timeout());
    assert_eq!(rig.status(FILES).await, Some(200));
    assert_eq!(rig.executed(), 1);
}

#[tokio::test]
async fn latency_and_delays_add_up() {
    let rig = Rig::new().await;
    rig.gate.set_latency(Duration::from_millis(60));
    rig.gate.fault(Fault::new(Effect::DelayMs(60))).expect("a rule that can strike");
    assert_eq!(rig.status(FILES).await, Some(200));
    assert!(rig.gate.requests()[0].took_ms >= 120);
}

#[tokio::test]
async fn token_calls_are_struck_only_by_name_and_in_their_own_shape() {
    let rig = Rig::new().await;
    rig.gate.fault(Fault::new(Effect::CutBefore)).expect("a rule that can strike");
    assert_eq!(rig.status("/token").await, Some(200));
    rig.gate.fault(Fault::new(Effect::Status(Status::new(400, "invalid_grant"))).op("token")).expect("a rule that can strike");
    let text = rig.get("/token").send().await.expect("an answer").text().await.expect("a body");
    assert!(text.contains("\"error\": \"invalid_grant\""), "{text}");
    assert_eq!(rig.gate.calls(), 0);
}

#[tokio::test]
async fn a_quota_refuses_and_the_log_says_so() {
    let rig = Rig::new().await;
    rig.gate.set_quota(Quota { calls_per_minute: Some(2), ..Quota::default() });
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(rig.status(FILES).await);
    }
    assert_eq!(statuses, [Some(200), Some(200), Some(403)]);
    let last = rig.gate.requests().pop().expect("it is logged");
    assert_eq!((last.op, last.fault, last.units), ("files.list", Some("quota"), 100));
    assert_eq!(last.principal.as_deref(), Some("ana@example.com"));
    assert_eq!(rig.gate.counts()["files.list"], 3);
    rig.gate.set_quota(Quota::default());
    assert_eq!(rig.status(FILES).await, Some(200));
}

#[tokio::test]
async fn a_pause_executes_exactly_so_many_and_cuts_the_rest() {
    let rig = Rig::new().await;
    rig.gate.pause_after(2);
    assert_eq!(rig.status(FILES).await, Some(200));
    let held: Vec<_> = (0..3).map(|_| tokio::spawn(rig.get(FILES).send())).collect();
    tokio::time::timeout(PATIENCE, rig.gate.wait_paused()).await.expect("the world stops");
    assert_eq!(rig.executed(), 2);
    rig.gate.resume();
    for call in held {
        assert!(call.await.expect("it ends").is_err(), "a held call has no answer");
    }
    assert_eq!(rig.executed(), 2);
    assert_eq!(rig.status(FILES).await, Some(200));
}

#[tokio::test]
async fn a_pause_after_nothing_holds_the_first_call() {
    let rig = Rig::new().await;
    rig.gate.pause_after_matching(Match { op: Some("files.list".into()), ..Match::default() }, 0);
    assert_eq!(rig.status("/drive/v3/about").await, Some(200));
    let held = tokio::spawn(rig.get(FILES).send());
    tokio::time::timeout(PATIENCE, rig.gate.wait_paused()).await.expect("the world stops");
    rig.gate.resume();
    assert!(held.await.expect("it ends").is_err());
    assert_eq!(rig.executed(), 1);
}

#[tokio::test]
async fn a_client_that_left_does_not_block_a_pause() {
    let rig = Rig::new().await;
    rig.gate.fault(Fault::new(Effect::Hang).when(When::Next { next: 1 })).expect("a rule that can strike");
    rig.gate.pause_after(1);
    assert!(rig.get(FILES).timeout(Duration::from_millis(100)).send().await.is_err());
    tokio::time::timeout(PATIENCE, rig.gate.wait_paused()).await.expect("the world stops");
}

#[tokio::test]
async fn a_closed_gate_answers_nobody_and_lets_go_of_those_who_wait() {
    let rig = Rig::new().await;
    rig.gate.fault(Fault::new(Effect::Hang).when(When::Next { next: 1 })).expect("a rule that can strike");
    let waiting = tokio::spawn(rig.get(FILES).send());
    tokio::time::timeout(PATIENCE, async {
        while rig.gate.calls() == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("the call arrives");
    rig.gate.close();
    let error = waiting.await.expect("it ends").expect_err("there is no answer");
    assert!(!error.is_timeout(), "{error:?}");
    assert_eq!(rig.raw().await, b"");
    assert_eq!(rig.executed(), 0);
}

/// The response type the gate works with is what axum answers with.
#[test]
fn a_cut_is_a_response_like_any_other() {
    let response: Response = wire::cut();
    assert_eq!(response.status(), 200);
}
