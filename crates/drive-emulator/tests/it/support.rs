//! One emulator and callers of it.

use drive_emulator::{Control, DriveEmulator, User};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;

/// A running emulator with two people: Ana owns things, Bea is somebody else.
pub struct Rig {
    pub emulator: DriveEmulator,
    pub control: Control,
    pub ana: User,
    pub bea: User,
    pub http: Client,
}

/// Status and JSON body (null where the body is none).
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

impl Answer {
    /// `errors[0].reason`.
    pub fn reason(&self) -> &str {
        self.body["error"]["errors"][0]["reason"].as_str().unwrap_or("none")
    }

    /// The body of a success.
    pub fn ok(self) -> Value {
        assert!((200..300).contains(&self.status), "{self:?}");
        self.body
    }

    /// Holds that this is a refusal.
    pub fn refused(self, status: u16, reason: &str) -> Value {
        assert_eq!((self.status, self.reason()), (status, reason), "{self:?}");
        self.body
    }
}

impl Rig {
    pub async fn start() -> Self {
        let emulator = DriveEmulator::start().await;
        let control = emulator.control();
        let ana = control.user("ana@example.com").expect("an account is made");
        let bea = control.user("bea@example.com").expect("an account is made");
        Self { emulator, control, ana, bea, http: Client::new() }
    }

    /// A request as `user`; `path` is below `/drive/v3/` unless it starts with a slash.
    pub fn request(&self, user: &User, method: Method, path: &str) -> RequestBuilder {
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/drive/v3/{path}") };
        self.http.request(method, format!("{}{path}", self.emulator.url())).bearer_auth(&user.token)
    }

    pub async fn get(&self, user: &User, path: &str) -> Answer {
        send(self.request(user, Method::GET, path)).await
    }

    pub async fn post(&self, user: &User, path: &str, body: Value) -> Answer {
        send(self.request(user, Method::POST, path).json(&body)).await
    }

    pub async fn patch(&self, user: &User, path: &str, body: Value) -> Answer {
        send(self.request(user, Method::PATCH, path).json(&body)).await
    }

    pub async fn delete(&self, user: &User, path: &str) -> Answer {
        send(self.request(user, Method::DELETE, path)).await
    }

    /// A request to the control API; `path` is below `/_emulator/`.
    pub async fn control_call(&self, method: Method, path: &str, body: Value) -> Answer {
        send(self.http.request(method, format!("{}/_emulator/{path}", self.emulator.url())).json(&body)).await
    }

    /// A list with this `q`, its files only.
    pub async fn list(&self, user: &User, q: &str) -> Vec<Value> {
        let request = self.request(user, Method::GET, "files").query(&[("q", q), ("fields", "files(id,name,parents,trashed)")]);
        send(request).await.ok()["files"].as_array().cloned().unwrap_or_default()
    }
}

/// Sends and reads the answer.
pub async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.expect("the emulator answers");
    let status = response.status().as_u16();
    let text = response.text().await.expect("the body arrives");
    let body = serde_json::from_str(&text).unwrap_or(Value::Null);
    Answer { status, body }
}

/// The form by which a refresh token is exchanged, of an `authorized_user` file, and where it goes.
pub fn refresh(file: &Value) -> (String, [(&'static str, String); 4]) {
    let field = |name: &str| text(file, name).to_owned();
    let form = [
        ("grant_type", "refresh_token".to_owned()),
        ("client_id", field("client_id")),
        ("client_secret", field("client_secret")),
        ("refresh_token", field("refresh_token")),
    ];
    (field("token_uri"), form)
}

/// The text at a key.
pub fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_else(|| panic!("no text at {key} in {value}"))
}

/// The names in a list, sorted.
pub fn names(files: &[Value]) -> Vec<String> {
    let mut names: Vec<String> = files.iter().map(|file| text(file, "name").to_owned()).collect();
    names.sort();
    names
}
