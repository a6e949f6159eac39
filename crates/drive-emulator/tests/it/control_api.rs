//! The control API over HTTP does what `Control` does.

use drive_emulator::control::{Effect, Fault, When};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

use crate::support;

struct Rig(support::Rig);

impl Rig {
    async fn new() -> Self {
        // No connection is used twice: a cut one must not be tried again behind the test's back.
        let http = Client::builder().pool_max_idle_per_host(0).build().expect("a client");
        Self(support::Rig { http, ..support::Rig::start().await })
    }

    async fn send(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        let answer = self.0.control_call(method, path, body).await;
        (answer.status, answer.body)
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.send(Method::POST, path, body).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    async fn get(&self, path: &str) -> Value {
        let (status, answer) = self.send(Method::GET, path, json!({})).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    /// A Drive call with Ana's token.
    async fn about(&self, token: &str) -> Result<StatusCode, reqwest::Error> {
        let url = format!("{}/drive/v3/about?fields=user", self.0.emulator.url());
        Ok(self.0.http.get(url).bearer_auth(token).send().await?.status())
    }
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("{name} in {value}")).to_owned()
}

#[tokio::test]
async fn users_act_and_everything_can_be_looked_at() {
    let rig = Rig::new().await;
    let ana = rig.post("users", json!({"email": "ana@example.com"})).await;
    assert_eq!(rig.about(&text(&ana, "token")).await.expect("it answers"), 200);
    let novos = text(&rig.post("acts/mkdir", json!({"email": "ana@example.com", "name": "novos"})).await, "id");
    let put = json!({"email": "ana@example.com", "parent": novos, "name": "a.pdf", "content": "hello"});
    let file = text(&rig.post("acts/put", put).await, "id");
    let act = async |act: &str, mut body: Value| {
        body["email"] = json!("ana@example.com");
        body["id"] = json!(file);
        rig.post(&format!("acts/{act}"), body).await
    };
    act("rename", json!({"name": "b.pdf"})).await;
    act("replace", json!({"content_base64": "aGVsbG8h"})).await;
    act("share", json!({"with": "bea@example.com", "role": "reader"})).await;
    act("trash", json!({})).await;
    let seen = rig.get(&format!("files/{file}")).await;
    assert_eq!((&seen["name"], &seen["size"], &seen["trashed"]), (&json!("b.pdf"), &json!(6), &json!(true)));
    act("untrash", json!({})).await;
    act("noise", json!({"what": "star"})).await;
    let url = format!("{}/_emulator/content/{file}", rig.0.emulator.url());
    let bytes = rig.0.http.get(url).send().await.expect("it answers").bytes().await.expect("a body");
    assert_eq!(&bytes[..], b"hello!");
    assert_eq!(rig.get(&format!("children/{novos}")).await[0]["id"], json!(file));
    let root = text(&ana, "root_id");
    act("move", json!({"parent": root})).await;
    assert_eq!(rig.get(&format!("children/{novos}")).await, json!([]));
    act("unshare", json!({"with": "bea@example.com"})).await;
    act("delete", json!({})).await;
    let (status, _) = rig.send(Method::GET, &format!("files/{file}"), json!({})).await;
    assert_eq!(status, 404);
    let users = rig.get("users").await;
    assert_eq!(users[0]["email"], "ana@example.com", "{users}");
    assert!(rig.get("snapshot").await["files"].is_array());
    assert!(rig.get("changes").await.as_array().is_some_and(|changes| !changes.is_empty()));
}

#[tokio::test]
async fn the_clock_the_switches_and_the_feed_are_turned() {
    let rig = Rig::new().await;
    let clock = rig.post("clock", json!({"set": "2030-01-02T03:04:05Z"})).await;
    assert!(text(&clock, "now").starts_with("2030-01-02T03:04:0"), "{clock}");
    let later = rig.post("clock", json!({"advance_ms": 86_400_000})).await;
    assert!(text(&later, "now").starts_with("2030-01-03T03:04:0"), "{later}");
    let (status, switches) = rig.send(Method::PATCH, "switches", json!({"delete_answers_json": true})).await;
    assert_eq!((status, &switches["delete_answers_json"]), (200, &json!(true)));
    assert!(rig.0.control.switches().expect("they are there").delete_answers_json);
    let (status, _) = rig.send(Method::PATCH, "switches", json!({"no_such_switch": true})).await;
    assert_eq!(status, 400);
    let (_, feed) = rig.send(Method::PATCH, "feed", json!({"delay_ms": 600_000})).await;
    assert_eq!(feed["delay_ms"], 600_000);
}

#[tokio::test]
async fn faults_latency_quota_and_the_log_over_http() {
    let rig = Rig::new().await;
    let ana = rig.0.control.user("ana@example.com").expect("she is made").token;
    let rule = json!({"match": {"op": "about.get"}, "when": {"calls": [2]}, "effect": "cut_before"});
    let id = rig.post("faults", rule).await["id"].clone();
    assert_eq!(rig.about(&ana).await.expect("it answers"), 200);
    assert!(rig.about(&ana).await.is_err());
    assert_eq!(rig.get("faults").await[0]["struck"], 1);
    let (_, gone) = rig.send(Method::DELETE, &format!("faults/{id}"), json!({})).await;
    assert_eq!(gone["removed"], true);
    rig.send(Method::PUT, "latency", json!({"ms": 30})).await;
    assert_eq!(rig.about(&ana).await.expect("it answers"), 200);
    let requests = rig.get("requests?op=about.get&limit=1").await;
    assert_eq!((&requests[0]["seq"], &requests[0]["principal"]), (&json!(3), &json!("ana@example.com")));
    assert!(requests[0]["took_ms"].as_u64() >= Some(30), "{requests}");
    rig.send(Method::PUT, "quota", json!({"calls_per_minute": 0, "too_many_requests": true})).await;
    assert_eq!(rig.about(&ana).await.expect("it answers"), 429);
    assert_eq!(rig.get("counts").await, json!({"calls": 4, "by_op": {"about.get": 4}}));
    rig.send(Method::DELETE, "requests", json!({})).await;
    assert_eq!(rig.get("counts").await["calls"], 0);
    let (status, _) = rig.send(Method::POST, "faults", json!({"effect": "explode"})).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn a_lost_answer_leaves_the_file_and_its_id_in_use() {
    let rig = Rig::new().await;
    let control = &rig.0.control;
    let ana = control.user("ana@example.com").expect("she is made");
    control.fault(Fault::new(Effect::LostAfterCommit).op("files.create").when(When::Next { next: 1 })).expect("a rule that can strike");
    let ids = format!("{}/drive/v3/files/generateIds?count=1", rig.0.emulator.url());
    let ids: Value = rig.0.http.get(ids).bearer_auth(&ana.token).send().await.expect("ids").json().await.expect("JSON");
    let create = || {
        let body = json!({"id": ids["ids"][0], "name": "novos", "mimeType": "application/vnd.google-apps.folder"});
        rig.0.http.post(format!("{}/drive/v3/files", rig.0.emulator.url())).bearer_auth(&ana.token).json(&body).send()
    };
    assert!(create().await.is_err());
    assert_eq!(create().await.expect("it answers").status(), 409);
    assert_eq!(control.children(&ana.root_id).expect("they are there").len(), 1);
}

#[tokio::test]
async fn a_pause_over_http_holds_and_resumes() {
    let rig = Rig::new().await;
    let ana = rig.0.control.user("ana@example.com").expect("she is made").token;
    rig.post("pause", json!({"after": 1})).await;
    let (held, paused) = tokio::join!(rig.about(&ana), async {
        let paused = rig.get("pause/wait").await;
        rig.post("resume", json!({})).await;
        paused
    });
    assert_eq!(paused["paused"], true);
    assert!(held.is_err());
    assert_eq!(rig.about(&ana).await.expect("it answers"), 200);
}

#[tokio::test]
async fn what_the_control_api_does_not_have_is_404_and_other_sites_are_refused() {
    let rig = Rig::new().await;
    let (status, answer) = rig.send(Method::POST, "nothing", json!({})).await;
    assert_eq!(status, 404);
    assert_eq!(answer["error"]["errors"][0]["reason"], "notFound");
    let (status, answer) = rig.send(Method::POST, "users", json!({})).await;
    assert_eq!((status, &answer["error"]["message"]), (400, &json!("Required parameter: email")));
    let url = format!("{}/_emulator/users", rig.0.emulator.url());
    let ask = |origin: String| rig.0.http.get(&url).header("Origin", origin).send();
    assert_eq!(ask("https://elsewhere.example".to_owned()).await.expect("it answers").status(), 403);
    assert_eq!(ask(rig.0.emulator.url().to_owned()).await.expect("it answers").status(), 200);
}

#[tokio::test]
async fn every_call_of_the_manual_exists() {
    let rig = Rig::new().await;
    let manual = include_str!("../../CONTROL.md");
    let calls: Vec<(&str, &str)> = manual
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`')?.0.split_once(' '))
        .filter(|(_, path)| *path != "pause/wait")
        .collect();
    assert!(calls.len() > 50, "the manual is read: {calls:?}");
    for (method, path) in calls {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let (_, answer) = rig.send(method, path, json!({})).await;
        let message = answer["error"]["message"].as_str().unwrap_or_default();
        assert!(!message.starts_with("The control API has no"), "{path}: {message}");
    }
}
