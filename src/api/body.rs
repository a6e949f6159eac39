//! What a request brings, read with limits on everything.

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use http_body_util::BodyExt;
use serde_json::{Map, Value};

use super::reply::Reply;

/// More than any request of the API needs.
const BODY_BYTES: usize = 64 * 1024;
/// Of a body that is too large so much more is read and thrown away: many clients hear no answer before all is sent.
const SWALLOWED_BYTES: usize = 4 * 1024 * 1024;
/// How long a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(10);

/// The JSON object a request brought.
#[derive(Debug)]
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    /// Those of a request that is here whole. Answers 415 or 400 where there are none.
    pub(super) async fn of(request: Request) -> Result<Self, Reply> {
        let media = request.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let is_json = media.split(';').next().is_some_and(|m| m.trim().eq_ignore_ascii_case("application/json"));
        let bytes = read(request.into_body()).await?;
        if !is_json {
            let message = "O pedido precisa do cabeçalho Content-Type: application/json.";
            return Err(Reply::refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
        }
        match serde_json::from_slice(&bytes) {
            Ok(Value::Object(fields)) if fields.is_empty() => Err(Reply::wrong("Nenhum dado foi enviado.")),
            Ok(Value::Object(fields)) => Ok(Self(fields)),
            Ok(_) => Err(Reply::wrong("Os dados precisam ser um objeto JSON.")),
            Err(_) if bytes.is_empty() => Err(Reply::wrong("Nenhum dado foi enviado.")),
            Err(_) => Err(Reply::wrong("Os dados não são JSON válido.")),
        }
    }

    /// A text; a whole number counts as one, as the backend's ids may be numbers. Missing, null and empty are the same.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>, Reply> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(Value::Number(number)) if number.is_i64() || number.is_u64() => Ok(Some(number.to_string())),
            Some(_) => Err(Reply::wrong(format!("O campo {name} precisa ser um texto."))),
        }
    }

    /// A yes or no.
    pub(super) fn flag(&self, name: &str, default: bool) -> Result<bool, Reply> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(default),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(Reply::wrong(format!("O campo {name} precisa ser true ou false."))),
        }
    }
}

/// Waits until a request has come whole, whatever is answered then: a client that is still sending when the connection is
/// closed may never see the answer. Answers 413, 408 or 400 itself.
pub(super) async fn whole(request: Request) -> Result<Request, Reply> {
    let (head, body) = request.into_parts();
    match tokio::time::timeout(BODY_TIME, read(body)).await {
        Ok(bytes) => Ok(Request::from_parts(head, Body::from(bytes?))),
        Err(_) => Err(Reply::refused(StatusCode::REQUEST_TIMEOUT, "Os dados demoraram demais a chegar.")),
    }
}

async fn read(mut body: Body) -> Result<Vec<u8>, Reply> {
    let mut bytes = Vec::new();
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Reply::wrong("O pedido chegou incompleto."))?;
        let Some(data) = frame.data_ref() else { continue };
        length += data.len();
        if length > BODY_BYTES + SWALLOWED_BYTES {
            break;
        }
        if length <= BODY_BYTES {
            bytes.extend_from_slice(data);
        }
    }
    if length > BODY_BYTES {
        return Err(Reply::refused(StatusCode::PAYLOAD_TOO_LARGE, "O pedido é grande demais."));
    }
    Ok(bytes)
}
