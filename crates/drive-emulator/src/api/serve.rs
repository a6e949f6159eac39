//! From a request to its answer.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode, header};
use tokio::sync::Semaphore;

use crate::api::bearer::bearer;
use crate::api::call::{Call, Reply, empty, json_response};
use crate::api::params::Query;
use crate::api::routes::{self, Endpoint};
use crate::api::{media, scopes, upload};
use crate::app::App;
use crate::error::{ApiError, ApiResult};
use crate::mask::Mask;
use crate::rules::cx::Cx;
use crate::store::accounts::Principal;

/// Largest JSON body.
const MAX_BODY: usize = 8 << 20;
/// Bodies up to this long are read whenever they come, in bytes.
const SMALL_BODY: usize = 64 << 10;
/// Longer ones, so many at once.
static LARGE_BODIES: Semaphore = Semaphore::const_new(32);
/// How long one may take, from its first byte to its last.
const BODY_TIME: Duration = Duration::from_mins(1);

/// Where a path leads.
#[derive(Debug, Clone)]
pub enum Target {
    /// A call with its body in memory.
    Plain(&'static Endpoint, Vec<String>),
    /// A call whose body holds media, or a chunk of an upload session.
    Upload(&'static Endpoint, Vec<String>),
}

/// What a method and a path ask for. Paths outside the API are 404, known methods not served are 501.
pub fn target(method: &Method, path: &str) -> ApiResult<Target> {
    let missing = || ApiError::not_found_path(path);
    for mount in ["/upload/drive/v3/", "/resumable/upload/drive/v3/"] {
        if let Some(rest) = path.strip_prefix(mount) {
            // A session's chunks come as PUT or POST to the address it was started at (1.28).
            let starts = if rest == "files" { Method::POST } else { Method::PATCH };
            let (endpoint, ids) = routes::find(&starts, rest).ok_or_else(missing)?;
            return match endpoint.op {
                "files.create" | "files.update" => Ok(Target::Upload(endpoint, ids)),
                _ => Err(missing()),
            };
        }
    }
    let rest = path.strip_prefix("/drive/v3/").ok_or_else(missing)?;
    // First: `files/generateCseToken` would be taken for an id.
    if let Some(op) = routes::unserved(method, rest) {
        return Err(ApiError::not_implemented(op));
    }
    let (endpoint, ids) = routes::find(method, rest).ok_or_else(missing)?;
    Ok(Target::Plain(endpoint, ids))
}

/// Answers a call of the API.
pub async fn serve(app: &Arc<App>, mut parts: Parts, body: Body) -> Response {
    let mut query = Query::parse(parts.uri.query().unwrap_or_default());
    let mut body = body;
    if let Some(method) = overridden(&parts) {
        // A long GET: its query comes as a form (0.9).
        if method == Method::GET {
            match collect(body).await {
                Ok(form) => query.extend(&form),
                Err(error) => return error.respond(query.pretty()),
            }
            body = Body::empty();
        }
        parts.method = method;
    }
    let pretty = query.pretty();
    match answer(app, parts, query, body).await {
        Ok(response) => response,
        Err(error) => error.respond(pretty),
    }
}

async fn answer(app: &Arc<App>, parts: Parts, query: Query, body: Body) -> ApiResult<Response> {
    let path = parts.uri.path().to_owned();
    match target(&parts.method, &path)? {
        Target::Upload(endpoint, ids) => {
            let call = Call { endpoint, ids, query, method: parts.method, path, headers: parts.headers, body: Bytes::new() };
            upload::serve(app, call, body).await
        }
        Target::Plain(endpoint, ids) => {
            let body = collect(body).await?;
            let call = Call { endpoint, ids, query, method: parts.method, path, headers: parts.headers, body };
            plain(app, call).await
        }
    }
}

/// Answers a call whose body is in memory.
pub async fn plain(app: &Arc<App>, call: Call) -> ApiResult<Response> {
    let run = call.endpoint.run;
    let (pretty, call) = (call.query.pretty(), Arc::new(call));
    let reply = app
        .blocking(move |app| {
            let who = authenticate(app, &call.method, &call.headers, &call.query)?;
            execute(app, &who, &call, |cx, mask| run(cx, &call, mask))
        })
        .await?;
    respond(app, reply, pretty).await
}

/// Checks what all calls have in common, runs one in its transaction, masks its answer.
pub fn execute(app: &Arc<App>, who: &Principal, call: &Call, run: impl FnOnce(&Cx<'_>, &Mask) -> ApiResult<Reply>) -> ApiResult<Reply> {
    call.query.check()?;
    scopes::check(call.endpoint.op, who)?;
    let mask = match call.endpoint.kind {
        Some(kind) => Mask::of_request(call.query.get("fields"), kind),
        None => Ok(Mask::all()),
    };
    let guarded = |cx: &Cx<'_>, mask: &Mask| {
        if cx.settings.switches.api_disabled {
            return Err(ApiError::api_disabled(&who.app));
        }
        let reply = run(cx, mask)?;
        Ok(match reply {
            Reply::Json(value) => Reply::Json(mask.apply(value)),
            Reply::Done if cx.settings.switches.delete_answers_json => Reply::Json(serde_json::json!({})),
            other => other,
        })
    };
    if call.endpoint.writes {
        // A write is refused for a bad mask before anything happens; a read looks the file up first (2.2).
        let mask = mask?;
        return app.act(who, |cx| guarded(cx, &mask));
    }
    match mask {
        Ok(mask) => app.view(who, |cx| guarded(cx, &mask)),
        Err(error) => app.view(who, |cx| guarded(cx, &Mask::default())).and(Err(error)),
    }
}

/// Sends what a handler answered.
pub async fn respond(app: &Arc<App>, reply: Reply, pretty: bool) -> ApiResult<Response> {
    match reply {
        Reply::Json(value) => Ok(json_response(&value, pretty)),
        Reply::Done => Ok(empty(StatusCode::NO_CONTENT)),
        Reply::Media(media) => media.response(app.store.dir()).await,
        Reply::Bytes(mime, bytes) => {
            let mut response = Response::new(Body::from(bytes));
            if let Ok(mime) = header::HeaderValue::from_str(&mime) {
                response.headers_mut().insert(header::CONTENT_TYPE, mime);
            }
            media::attached(response.headers_mut());
            Ok(response)
        }
        Reply::Complaint(error) => Err(error),
    }
}

/// Who calls.
pub fn authenticate(app: &App, method: &Method, headers: &HeaderMap, query: &Query) -> ApiResult<Principal> {
    match bearer(headers, query) {
        Some(token) => app.principal(token),
        None => Err(ApiError::no_credential(method, query.alt_media())),
    }
}

/// The method that a request says it would have, which only a POST may (0.9).
pub fn overridden(parts: &Parts) -> Option<Method> {
    let wanted = parts.headers.get("x-http-method-override")?;
    if parts.method != Method::POST {
        return None;
    }
    Method::from_bytes(wanted.as_bytes()).ok()
}

/// The body in memory. Only so many large ones at once, each for so long: a thousand callers must not fill it.
pub(crate) async fn collect(body: Body) -> ApiResult<Bytes> {
    let late = |_| ApiError::new(408, "requestTimeout", "The request body did not arrive in time.");
    tokio::time::timeout(BODY_TIME, gather(body)).await.map_err(late)?
}

async fn gather(body: Body) -> ApiResult<Bytes> {
    let mut pieces = body.into_data_stream();
    let mut whole = BytesMut::new();
    let mut place = None;
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|_| upload::broken())?;
        if whole.len() + piece.len() > MAX_BODY {
            return Err(ApiError::new(413, "uploadTooLarge", "The request body is too large."));
        }
        // Who has not sent much yet holds no place: others must not wait for somebody who stalls.
        if place.is_none() && whole.len() + piece.len() > SMALL_BODY {
            place = LARGE_BODIES.acquire().await.ok();
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole.freeze())
}
