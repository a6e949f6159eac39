//! Uploads: simple, multipart and resumable, below both mounts (0.1, 1c, 1d).

mod resumable;

use std::path::PathBuf;
use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use http::Method;
use tokio::io::AsyncWriteExt as _;

use crate::api::call::{Call, object};
use crate::api::{files, serve};
use crate::app::App;
use crate::error::{ApiError, ApiResult};
use crate::multipart;
use crate::rules::create::Content;
use crate::rules::meta::Meta;
use crate::store::blobs::{self, Staged, Sums};

/// Bytes below this stay in memory until they are kept.
const SMALL: usize = 256 * 1024;

/// Answers a request below an upload mount.
pub async fn serve(app: &Arc<App>, call: Call, body: Body) -> ApiResult<Response> {
    let starts = call.method == if call.ids.is_empty() { Method::POST } else { Method::PATCH };
    let kind = call.query.get("uploadType").or_else(|| call.query.get("upload_protocol")).unwrap_or_default();
    if call.query.filled("upload_id").is_some() {
        return resumable::chunk(app, call, body).await;
    }
    match kind {
        "resumable" if starts => resumable::start(app, call, body).await,
        "media" | "raw" if starts => media(app, call, body).await,
        "multipart" if starts => multi(app, call, body).await,
        _ if starts && call.header("content-type").is_some_and(|kind| kind.starts_with("multipart/")) => multi(app, call, body).await,
        "" if starts => media(app, call, body).await,
        _ => Err(ApiError::invalid_value("uploadType")),
    }
}

/// `uploadType=media`: the body is the bytes (1.21).
async fn media(app: &Arc<App>, call: Call, body: Body) -> ApiResult<Response> {
    let who = identify(app, &call).await?;
    let mime = call.header("content-type").map(str::to_owned);
    let staged = stage(app, body.into_data_stream().map(|piece| piece.map_err(|_| broken()))).await?;
    finish(app, who, call, Meta::new(), Some(staged), mime).await
}

/// `uploadType=multipart`: metadata, then the bytes (1.21 to 1.23).
async fn multi(app: &Arc<App>, call: Call, body: Body) -> ApiResult<Response> {
    let who = identify(app, &call).await?;
    let kind = call.header("content-type").unwrap_or_default().to_owned();
    let upload = multipart::upload(&kind, body.into_data_stream()).await?;
    let meta = object(&upload.metadata.body)?;
    let mime = upload.media_type().map(str::to_owned);
    let staged = stage(app, upload.media).await?;
    finish(app, who, call, meta, Some(staged), mime).await
}

/// The caller, checked before their bytes are taken.
async fn identify(app: &Arc<App>, call: &Call) -> ApiResult<crate::store::accounts::Principal> {
    let (method, headers, query) = (call.method.clone(), call.headers.clone(), call.query.clone());
    app.blocking(move |app| {
        let who = serve::authenticate(app, &method, &headers, &query)?;
        query.check()?;
        Ok(who)
    })
    .await
}

/// Runs the create or update the bytes belong to.
pub(crate) async fn finish(
    app: &Arc<App>,
    who: crate::store::accounts::Principal,
    call: Call,
    meta: Meta,
    staged: Option<Staged>,
    mime: Option<String>,
) -> ApiResult<Response> {
    let pretty = call.query.pretty();
    let reply = app
        .blocking(move |app| {
            let keep = call.query.flag("keepRevisionForever", false);
            let content = staged.map(|staged| Content { staged, mime, keep });
            serve::execute(app, &who, &call, |cx, mask| match call.endpoint.op {
                "files.create" => files::create_with(cx, &call, &meta, content, mask),
                _ => files::update_with(cx, &call, &meta, content, mask),
            })
        })
        .await?;
    serve::respond(app, reply, pretty).await
}

/// Writes a stream under `tmp/` with its checksums; small ones in one go.
pub(crate) async fn stage(app: &Arc<App>, pieces: impl Stream<Item = ApiResult<Bytes>> + Send) -> ApiResult<Staged> {
    let mut pieces = std::pin::pin!(pieces);
    let mut head: Vec<u8> = Vec::new();
    let mut file: Option<(Leftover, tokio::fs::File, Sums)> = None;
    while let Some(piece) = pieces.next().await {
        let piece = piece?;
        if let Some((_, file, sums)) = &mut file {
            sums.update(&piece);
            file.write_all(&piece).await?;
            continue;
        }
        head.extend_from_slice(&piece);
        if head.len() > SMALL {
            let path = Leftover(Some(blobs::temp_path(app.store.dir())));
            let mut created = tokio::fs::File::create(path.path()).await?;
            let mut sums = Sums::default();
            sums.update(&head);
            created.write_all(&head).await?;
            head = Vec::new();
            file = Some((path, created, sums));
        }
    }
    match file {
        Some((mut path, mut file, sums)) => {
            file.flush().await?;
            Ok(sums.finish(path.0.take()))
        }
        None => app.blocking(move |app| Ok(blobs::stage_bytes(app.store.dir(), &head)?)).await,
    }
}

/// A file under `tmp/` that goes when its upload is abandoned.
struct Leftover(Option<PathBuf>);

impl Leftover {
    fn path(&self) -> PathBuf {
        self.0.clone().unwrap_or_default()
    }
}

impl Drop for Leftover {
    fn drop(&mut self) {
        if let Some(path) = self.0.take() {
            // Only disk space is at stake.
            let _ = std::fs::remove_file(path);
        }
    }
}

pub(crate) fn broken() -> ApiError {
    ApiError::bad_request("The request body broke off.")
}
