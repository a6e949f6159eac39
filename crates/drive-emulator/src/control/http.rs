//! The control API under `/_emulator/`: what [`Control`] does, over HTTP and in JSON. Its manual is CONTROL.md.

mod acts;
mod look;
mod rig;

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use http::header::{HOST, HeaderValue, ORIGIN, USER_AGENT, X_CONTENT_TYPE_OPTIONS};
use http::request::Parts;
use http::{Method, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::acting::Control;
use crate::api::call::{json_response, object};
use crate::api::serve::collect;
use crate::control::page;
use crate::error::{ApiError, ApiResult};

/// A control request, its body read.
struct Ask {
    method: Method,
    /// The path below `/_emulator/`.
    path: Vec<String>,
    query: Map<String, Value>,
    body: Map<String, Value>,
}

/// What a control request is answered with.
#[derive(Debug)]
enum Told {
    Json(Value),
    Bytes(Vec<u8>),
}

impl Ask {
    /// The method and the path, to be matched.
    fn line(&self) -> (&str, Vec<&str>) {
        (self.method.as_str(), self.path.iter().map(String::as_str).collect())
    }

    /// A field that must be there, in letters.
    fn text(&self, name: &str) -> ApiResult<&str> {
        self.optional(name)?.ok_or_else(|| ApiError::required_parameter(name))
    }

    /// The same, where it need not be there.
    fn optional(&self, name: &str) -> ApiResult<Option<&str>> {
        self.field(name, "a text", Value::as_str)
    }

    /// A field of the body that need not be there, or is null; one of another kind is refused, since what is misread
    /// would do something else than was meant.
    fn field<'a, T>(&'a self, name: &str, kind: &str, read: impl FnOnce(&'a Value) -> Option<T>) -> ApiResult<Option<T>> {
        understood(name, self.body.get(name), kind, read)
    }

    /// A number of the body or the query that must be there.
    fn number(&self, name: &str) -> ApiResult<u64> {
        self.optional_number(name)?.ok_or_else(|| ApiError::required_parameter(name))
    }

    fn optional_number(&self, name: &str) -> ApiResult<Option<u64>> {
        let value = self.query.get(name).or_else(|| self.body.get(name));
        understood(name, value, "a whole number of 0 or more", |value| value.as_u64().or_else(|| value.as_str()?.parse().ok()))
    }

    /// The whole body as one thing.
    fn read<T: DeserializeOwned>(&self) -> ApiResult<T> {
        serde_json::from_value(Value::Object(self.body.clone()))
            .map_err(|error| ApiError::bad_request(format!("The body is not understood: {error}.")))
    }
}

fn understood<'a, T>(name: &str, value: Option<&'a Value>, kind: &str, read: impl FnOnce(&'a Value) -> Option<T>) -> ApiResult<Option<T>> {
    let Some(value) = value.filter(|value| !value.is_null()) else { return Ok(None) };
    read(value).map(Some).ok_or_else(|| ApiError::invalid(format!("{name} is {value} and must be {kind}.")).at_parameter(name))
}

/// Answers the page and the control API.
pub(crate) async fn serve(control: &Control, parts: Parts, body: Body) -> Response {
    if parts.uri.path() == "/" {
        return page::response();
    }
    let mut response = match answer(control, parts, body).await {
        Ok(Told::Json(value)) => json_response(&value, true),
        Ok(Told::Bytes(bytes)) => bytes.into_response(),
        Err(error) => error.into_response(),
    };
    // Names and bytes in it come from users: no browser is to take it for something else.
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

async fn answer(control: &Control, parts: Parts, body: Body) -> ApiResult<Told> {
    from_here(&parts)?;
    let below = parts.uri.path().trim_start_matches("/_emulator").trim_matches('/');
    let decode = |part: &str| percent_encoding::percent_decode_str(part).decode_utf8_lossy().into_owned();
    let query = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes())
        .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
        .collect();
    let ask = Ask { method: parts.method, path: below.split('/').map(decode).collect(), query, body: object(&collect(body).await?)? };
    if ask.line() == ("GET", vec!["pause", "wait"]) {
        control.gate().wait_paused().await;
        return Ok(Told::Json(json!({ "paused": true })));
    }
    let handle = control.clone();
    control.app.blocking(move |_| dispatch(&handle, &ask)).await
}

fn dispatch(control: &Control, ask: &Ask) -> ApiResult<Told> {
    let unknown = || {
        ApiError::new(
            StatusCode::NOT_FOUND.as_u16(),
            "notFound",
            format!("The control API has no {} /_emulator/{}.", ask.method, ask.path.join("/")),
        )
    };
    if let Some(told) = look::answer(control, ask)? {
        return Ok(told);
    }
    if let Some(value) = rig::answer(control, ask)? {
        return Ok(Told::Json(value));
    }
    acts::answer(control, ask)?.map(Told::Json).ok_or_else(unknown)
}

/// Refuses what a web page from elsewhere makes a browser send.
fn from_here(parts: &Parts) -> ApiResult<()> {
    let header = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
    // A name somebody else controls may lead here too: then page and request agree, and are still not ours.
    let address = |host: &&str| host.parse::<std::net::IpAddr>().is_ok() || *host == "localhost";
    let here = |host: &&str| {
        let name = host.rsplit_once(':').map_or(*host, |(name, _)| name).trim_matches(['[', ']']);
        address(&name)
    };
    let Some(origin) = parts.headers.get(ORIGIN) else {
        // Reading its own server, a page says no origin, and every browser says that it is one.
        let browser = header(USER_AGENT).is_some_and(|agent| agent.starts_with("Mozilla/"));
        return if browser && !header(HOST).is_some_and(|host| here(&host)) { Err(elsewhere()) } else { Ok(()) };
    };
    let ours = header(HOST).filter(here).map(|host| format!("http://{host}"));
    if ours.is_some_and(|ours| origin.as_bytes() == ours.as_bytes()) {
        return Ok(());
    }
    Err(elsewhere())
}

fn elsewhere() -> ApiError {
    ApiError::forbidden("forbidden", "The control API takes no requests from other sites.")
}
