//! What google-drive3 cannot send, over reqwest on the same TLS: creating without media, bodies that hold `null`, ranged
//! downloads, exports, and resumable uploads (drive-v3-behaviour 9.17 to 9.28).

mod download;
mod upload;

use google_drive3::api::File;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

pub use download::Downloaded;
pub use upload::NewFile;

use super::answer;
use super::call::{Cost, SharedDoor};
use super::connect::{CONNECT_LIMIT, USER_AGENT};
use super::error::{DriveError, Kind};
use crate::domain::clock::Millis;
use crate::error::{Exit, Failure};

/// No answer in JSON is larger.
const LONGEST_JSON: usize = 16 * 1024 * 1024;

/// The second client, behind the same door.
#[derive(Clone)]
pub(super) struct Raw {
    http: reqwest::Client,
    door: SharedDoor,
}

impl Raw {
    /// Proxies are left alone: google-drive3's client knows none, and half of the calls through one would puzzle everybody.
    pub(super) fn new(tls: rustls::ClientConfig, door: SharedDoor) -> Result<Self, Failure> {
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .user_agent(USER_AGENT)
            .connect_timeout(CONNECT_LIMIT)
            .read_timeout(door.limit)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(|e| Failure::new(Exit::Bug, "tls", "the HTTP client cannot be set up").because(e))?;
        Ok(Self { http, door })
    }

    /// Creates with a JSON body.
    pub(super) async fn post(&self, what: &str, path: &str, query: &[(&str, &str)], body: &Value) -> Result<File, DriveError> {
        self.edit(what, &Method::POST, path, query, body).await
    }

    /// Changes with a JSON body, `null` included.
    pub(super) async fn patch(&self, what: &str, path: &str, query: &[(&str, &str)], body: &Value) -> Result<File, DriveError> {
        self.edit(what, &Method::PATCH, path, query, body).await
    }

    /// The `Date` of an answer; asked without a token, so the answer itself is a refusal.
    pub(super) async fn date(&self) -> Result<Option<Millis>, DriveError> {
        let address = format!("{}drive/v3/about?fields=user", self.door.endpoint);
        let response = self.http.get(address).timeout(self.door.limit).send().await.map_err(broken)?;
        let date = response.headers().get(reqwest::header::DATE).and_then(|value| value.to_str().ok());
        let time = date.and_then(|text| jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok());
        Ok(time.map(jiff::Timestamp::as_millisecond))
    }

    async fn edit(&self, what: &str, method: &Method, path: &str, query: &[(&str, &str)], body: &Value) -> Result<File, DriveError> {
        self.door
            .call(what, Cost::Edit, |token| async move {
                let request = self.request(method.clone(), &format!("drive/v3/{path}"), &token).query(query).json(body);
                file(accepted(request.send().await.map_err(broken)?).await?).await
            })
            .await
    }

    fn request(&self, method: Method, path: &str, token: &SecretString) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.door.endpoint)).bearer_auth(token.expose_secret())
    }
}

/// An answer that is a success, or what it means that it is none.
async fn accepted(response: Response) -> Result<Response, DriveError> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let retry_after = response.headers().get("retry-after").and_then(|h| h.to_str().ok()).map(str::to_owned);
    // A refusal whose body is cut is still that refusal.
    let body = limited(response).await.unwrap_or_default();
    Err(answer::refusal(status.as_u16(), retry_after.as_deref(), &body))
}

/// A file's metadata.
async fn file(response: Response) -> Result<File, DriveError> {
    let no_content = response.status() == StatusCode::NO_CONTENT;
    let body = limited(response).await?;
    serde_json::from_slice(&body).map_err(|cause| {
        // An empty answer where one is due is a line that broke at the worst moment.
        let kind = if body.is_empty() && !no_content { Kind::Network } else { Kind::Unreadable };
        DriveError::new(kind, "Drive's answer could not be understood").because(cause)
    })
}

/// A whole body of bounded length.
async fn limited(mut response: Response) -> Result<Vec<u8>, DriveError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(broken)? {
        if body.len() + chunk.len() > LONGEST_JSON {
            return Err(DriveError::new(Kind::Unreadable, "Drive's answer is too long"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// A request that got no answer. The address is left out of the cause: an upload's is a key to it.
fn broken(error: reqwest::Error) -> DriveError {
    let error = error.without_url();
    let (kind, text) = match () {
        () if error.is_timeout() && !error.is_connect() => (Kind::Timeout, "Drive stopped answering"),
        () if error.is_connect() => (Kind::Network, "Drive cannot be reached"),
        () if error.is_builder() => (Kind::BadRequest, "the request could not be made"),
        () => (Kind::Network, "the connection to Drive broke"),
    };
    DriveError::new(kind, text).because(error)
}
