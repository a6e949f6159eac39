//! Writers that go on until the server is killed under them, each on files of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rand::rngs::StdRng;
use rand::{Rng as _, RngCore as _, SeedableRng as _};
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};

use super::facts::{Facts, sum};
use super::letters;

/// How many kinds of writers there are.
pub const KINDS: u64 = 5;
const CHUNK: usize = 256 << 10;
const FOLDER: &str = "application/vnd.google-apps.folder";

/// Somebody who calls the server.
#[derive(Clone)]
pub struct Caller {
    pub http: Client,
    pub url: String,
    pub token: String,
    pub answered: Arc<AtomicUsize>,
}

/// An upload that is not complete, and how much of it the server said it has.
pub struct Session {
    path: String,
    bytes: Vec<u8>,
    stored: usize,
}

impl Caller {
    pub async fn control(&self, path: &str, body: Option<Value>) -> Value {
        let url = format!("{}/_emulator/{path}", self.url);
        let request = body.map_or_else(|| self.http.get(&url), |body| self.http.post(&url).json(&body));
        request.send().await.expect("it answers").json().await.expect("JSON")
    }

    pub async fn bytes(&self, id: &str) -> Vec<u8> {
        let response = self.call(Method::GET, &format!("/drive/v3/files/{id}?alt=media")).send().await.expect("it answers");
        response.bytes().await.expect("bytes").to_vec()
    }

    fn call(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url)).bearer_auth(&self.token)
    }

    /// The answer to a write; none when the server was killed.
    async fn send(&self, request: RequestBuilder) -> Option<Response> {
        let response = request.send().await.ok()?;
        let status = response.status().as_u16();
        assert!(matches!(status, 200..300 | 308), "{status} {:?}", response.text().await);
        self.answered.fetch_add(1, Ordering::Relaxed);
        Some(response)
    }

    /// Its JSON; an answer that breaks off is none.
    async fn json(&self, request: RequestBuilder) -> Option<Value> {
        self.send(request).await?.json().await.ok()
    }

    async fn create(&self, facts: &mut Facts, body: Value) -> Option<String> {
        let parent = body["parents"][0].clone();
        let made = self.json(self.call(Method::POST, "/drive/v3/files?fields=id,parents").json(&body)).await?;
        let id = letters(&made, "id");
        facts.is(&id, "there", true);
        facts.is(&id, "name", body["name"].clone());
        facts.is(&id, "trashed", false);
        facts.is(&id, "parent", if parent.is_null() { made["parents"][0].clone() } else { parent });
        Some(id)
    }

    /// A change of one aspect of a file.
    async fn change(&self, facts: &mut Facts, id: &str, aspect: &str, value: Value, request: RequestBuilder) -> Option<()> {
        facts.may(id, aspect, value.clone());
        self.send(request).await?;
        facts.is(id, aspect, value);
        Some(())
    }
}

/// Writes until the server is gone: what was answered, and uploads that are not complete.
pub async fn write(caller: Caller, kind: u64, seed: u64) -> (Facts, Vec<Session>) {
    let (mut facts, mut sessions, mut dice) = (Facts::default(), Vec::new(), StdRng::seed_from_u64(seed));
    loop {
        let all_answered = match kind {
            0 => contents(&caller, &mut facts, &mut dice).await,
            1 => moves(&caller, &mut facts).await,
            2 => trash_and_deletes(&caller, &mut facts).await,
            3 => grants(&caller, &mut facts).await,
            _ => uploads(&caller, &mut facts, &mut sessions, &mut dice).await,
        };
        if all_answered.is_none() {
            return (facts, sessions);
        }
    }
}

fn some_bytes(dice: &mut StdRng, most: usize) -> Vec<u8> {
    let mut bytes = vec![0; dice.gen_range(1..most)];
    dice.fill_bytes(&mut bytes);
    bytes
}

/// A file with bytes, and other bytes for it.
async fn contents(caller: &Caller, facts: &mut Facts, dice: &mut StdRng) -> Option<()> {
    let bytes = some_bytes(dice, 60_000);
    let (md5, request) = (sum(&bytes), caller.call(Method::POST, "/upload/drive/v3/files?uploadType=media").body(bytes));
    let id = letters(&caller.json(request).await?, "id");
    facts.is(&id, "there", true);
    facts.is(&id, "md5Checksum", md5);
    let bytes = some_bytes(dice, 60_000);
    let md5 = sum(&bytes);
    let request = caller.call(Method::PATCH, &format!("/upload/drive/v3/files/{id}?uploadType=media")).body(bytes);
    caller.change(facts, &id, "md5Checksum", json!(md5), request).await
}

/// Two folders, and a file that goes from one to the other and back, and is renamed on the way.
async fn moves(caller: &Caller, facts: &mut Facts) -> Option<()> {
    let one = caller.create(facts, json!({"name": "one", "mimeType": FOLDER})).await?;
    let two = caller.create(facts, json!({"name": "two", "mimeType": FOLDER, "parents": [one]})).await?;
    let id = caller.create(facts, json!({"name": "a.pdf", "parents": [one]})).await?;
    for (to, from) in [(&two, &one), (&one, &two), (&two, &one)] {
        let request = caller.call(Method::PATCH, &format!("/drive/v3/files/{id}?addParents={to}&removeParents={from}")).json(&json!({}));
        caller.change(facts, &id, "parent", json!(to), request).await?;
        let request = caller.call(Method::PATCH, &format!("/drive/v3/files/{id}")).json(&json!({"name": to}));
        caller.change(facts, &id, "name", json!(to), request).await?;
    }
    Some(())
}

async fn trash_and_deletes(caller: &Caller, facts: &mut Facts) -> Option<()> {
    let id = caller.create(facts, json!({"name": "b.pdf"})).await?;
    for trashed in [true, false, true] {
        let request = caller.call(Method::PATCH, &format!("/drive/v3/files/{id}")).json(&json!({"trashed": trashed}));
        caller.change(facts, &id, "trashed", json!(trashed), request).await?;
    }
    let kept = caller.create(facts, json!({"name": "c.pdf"})).await?;
    let request = caller.call(Method::PATCH, &format!("/drive/v3/files/{kept}")).json(&json!({"trashed": true}));
    caller.change(facts, &kept, "trashed", json!(true), request).await?;
    caller.change(facts, &id, "there", json!(false), caller.call(Method::DELETE, &format!("/drive/v3/files/{id}"))).await
}

async fn grants(caller: &Caller, facts: &mut Facts) -> Option<()> {
    let id = caller.create(facts, json!({"name": "novos", "mimeType": FOLDER})).await?;
    let path = format!("/drive/v3/files/{id}/permissions");
    for who in ["bea@example.com", "caio@example.com", "dora@example.com"] {
        let aspect = format!("role:{who}");
        facts.is(&id, &aspect, Value::Null);
        facts.may(&id, &aspect, "reader");
        let body = json!({"type": "user", "role": "reader", "emailAddress": who});
        let made = caller.json(caller.call(Method::POST, &format!("{path}?sendNotificationEmail=false")).json(&body)).await?;
        facts.is(&id, &aspect, "reader");
        let path = format!("{path}/{}", letters(&made, "id"));
        let request = caller.call(Method::PATCH, &path).json(&json!({"role": "writer"}));
        caller.change(facts, &id, &aspect, json!("writer"), request).await?;
        if who.starts_with("caio") {
            caller.change(facts, &id, &aspect, Value::Null, caller.call(Method::DELETE, &path)).await?;
        }
    }
    Some(())
}

/// A resumable upload, chunk by chunk.
async fn uploads(caller: &Caller, facts: &mut Facts, open: &mut Vec<Session>, dice: &mut StdRng) -> Option<()> {
    let bytes = some_bytes(dice, 8 * CHUNK);
    let request = caller.call(Method::POST, "/upload/drive/v3/files?uploadType=resumable").json(&json!({"name": "large.bin"}));
    let answer = caller.send(request).await?;
    let location = answer.headers()["location"].to_str().expect("text");
    let path = location.strip_prefix(&caller.url).expect("its own address").to_owned();
    let mut session = Session { path, bytes, stored: 0 };
    let done = session.send(caller, facts).await;
    if done.is_none() {
        open.push(session);
    }
    done
}

impl Session {
    /// Sends what is missing.
    async fn send(&mut self, caller: &Caller, facts: &mut Facts) -> Option<()> {
        loop {
            let (from, total) = (self.stored, self.bytes.len());
            let to = total.min(from + CHUNK);
            let request = caller.call(Method::PUT, &self.path).header("Content-Range", format!("bytes {from}-{}/{total}", to - 1));
            let answer = caller.send(request.body(self.bytes[from..to].to_vec())).await?;
            if answer.status() != 308 {
                return Self::complete(&self.bytes, answer.json().await.ok(), facts);
            }
            assert_eq!(stored(&answer), to);
            self.stored = to;
        }
    }

    fn complete(bytes: &[u8], file: Option<Value>, facts: &mut Facts) -> Option<()> {
        let id = letters(&file?, "id");
        facts.is(&id, "there", true);
        facts.is(&id, "md5Checksum", sum(bytes));
        Some(())
    }

    /// After the server has started again: it has what it said it has, and takes the rest.
    pub async fn go_on(mut self, caller: &Caller, facts: &mut Facts) {
        let request = caller.call(Method::PUT, &self.path).header("Content-Range", format!("bytes */{}", self.bytes.len()));
        let answer = caller.send(request.body("")).await.expect("it answers");
        if answer.status() != 308 {
            return Self::complete(&self.bytes, answer.json().await.ok(), facts).expect("the file");
        }
        let stored = stored(&answer);
        assert!(stored >= self.stored, "it said it had {} bytes and has {stored}", self.stored);
        self.stored = stored;
        self.send(caller, facts).await.expect("it takes the rest");
    }
}

/// How many bytes an answer says are stored.
fn stored(answer: &Response) -> usize {
    let Some(range) = answer.headers().get("range") else { return 0 };
    let last = range.to_str().expect("text").strip_prefix("bytes=0-").expect("from the start");
    last.parse::<usize>().expect("a number") + 1
}
