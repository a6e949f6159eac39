//! Resumable uploads (1d): sessions live in the store, their bytes under `tmp/`, so any process serving the
//! store may take the next chunk.

mod session;

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::StreamExt as _;
use http::{HeaderValue, Method, StatusCode, header};
use rusqlite::params;
use session::{Session, forget, load, path};
use tokio::io::{AsyncSeekExt as _, AsyncWriteExt as _};

use crate::api::call::{Call, Reply, empty, object};
use crate::api::{files, serve};
use crate::app::App;
use crate::error::{ApiError, ApiResult};
use crate::mask::Mask;
use crate::ranges::{Chunk, LARGEST, stored_range};
use crate::rules::create::Content;
use crate::rules::cx::Cx;
use crate::rules::meta::Meta;
use crate::store::accounts::Principal;
use crate::store::blobs::{self, Staged};
use crate::store::lock;
use crate::store::settings::Settings;

/// Chunks but the last are multiples of this (1.29).
const UNIT: u64 = 256 * 1024;

/// Starts a session (1.25). What would refuse the finished file refuses the start.
pub async fn start(app: &Arc<App>, call: Call, body: Body) -> ApiResult<Response> {
    let body = serve::collect(body).await?;
    let base = match &app.public_base_url {
        Some(base) => base.clone(),
        None => match call.header("host") {
            Some(host) => format!("http://{host}"),
            None => app.url().to_owned(),
        },
    };
    let path = call.path.clone();
    let id = app.blocking(move |app| open(app, &call, &body)).await?;
    let location = format!("{base}{path}?uploadType=resumable&upload_id={id}");
    let mut response = empty(StatusCode::OK);
    for (name, value) in [("location", location.as_str()), ("x-guploader-uploadid", id.as_str())] {
        let value = HeaderValue::from_str(value).map_err(|_| ApiError::bad_request("The Host header is no address."))?;
        response.headers_mut().insert(name, value);
    }
    Ok(response)
}

fn open(app: &Arc<App>, call: &Call, body: &[u8]) -> ApiResult<String> {
    let who = serve::authenticate(app, &call.method, &call.headers, &call.query)?;
    let meta = object(body)?;
    let mime = call.header("x-upload-content-type").map(str::to_owned);
    let total: Option<i64> = match call.header("x-upload-content-length") {
        Some(length) => {
            let length = length.trim().parse().ok().filter(|length| (0..=LARGEST.cast_signed()).contains(length));
            Some(length.ok_or_else(|| ApiError::invalid("Invalid X-Upload-Content-Length."))?)
        }
        None => None,
    };
    rehearse(app, &who, call, &meta, mime.clone())?;
    let id = crate::ids::random("AE", 48);
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(call.query.pairs()).finish();
    app.store.write(|db| {
        db.execute(
            "INSERT INTO uploads(id, file, who, meta, query, mime, total, touched) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                id,
                call.ids.first(),
                serde_json::to_string(&(&who.email, who.service, &who.app, &who.scopes))?,
                serde_json::to_string(&meta)?,
                query,
                mime,
                total,
                Settings::load(db)?.now()
            ],
        )?;
        Ok(())
    })?;
    Ok(id)
}

/// Does the create or update with no bytes and takes it back.
fn rehearse(app: &Arc<App>, who: &Principal, call: &Call, meta: &Meta, mime: Option<String>) -> ApiResult<()> {
    let mut went_well = false;
    let outcome = serve::execute(app, who, call, |cx, mask| {
        let content = Content { staged: Staged::default(), mime, keep: false };
        apply(cx, call, meta, content, mask)?;
        went_well = true;
        Err(ApiError::internal("a rehearsal is taken back"))
    });
    if went_well { Ok(()) } else { outcome.map(drop) }
}

fn apply(cx: &Cx<'_>, call: &Call, meta: &Meta, content: Content, mask: &Mask) -> ApiResult<Reply> {
    match call.endpoint.op {
        "files.create" => files::create_with(cx, call, meta, Some(content), mask),
        _ => files::update_with(cx, call, meta, Some(content), mask),
    }
}

/// Takes a chunk, a probe or a cancellation (1.28 to 1.40). No credential: the address is one.
pub async fn chunk(app: &Arc<App>, mut call: Call, body: Body) -> ApiResult<Response> {
    let id = call.query.get("upload_id").unwrap_or_default().to_owned();
    let turn = Arc::clone(lock(&app.uploads).entry(id.clone()).or_default());
    let _turn = turn.lock().await;
    let loaded = {
        let id = id.clone();
        app.blocking(move |app| load(app, &id)).await
    };
    let mut session = loaded.inspect_err(|_| {
        // No such session: nobody waits for its turn, and invented ids must not pile up.
        lock(&app.uploads).remove(call.query.get("upload_id").unwrap_or_default());
    })?;
    call.query = session.query.clone();
    if call.method == Method::DELETE {
        forget(app, &id).await?;
        let status = StatusCode::from_u16(499).unwrap_or(StatusCode::BAD_REQUEST);
        return Ok(empty(status));
    }
    if let Some(file) = session.result.take() {
        return finished(app, session, call, file).await;
    }
    match Chunk::parse(call.header("content-range"))? {
        Chunk::All => {
            session.received = 0;
            let stored = receive(app, &session, 0, u64::MAX, body).await?;
            if session.total.is_some_and(|total| stored < total) {
                return Ok(incomplete(keep_whole_units(app, &session.id, stored).await?));
            }
            complete(app, session, call, stored).await
        }
        // All bytes came without a total, or there are none: now the total is named.
        Chunk::Probe { total: Some(total) } if session.received == total => complete(app, session, call, total).await,
        Chunk::Probe { .. } => Ok(incomplete(session.received)),
        Chunk::Bytes { first, last, total } => {
            if total.is_some() && session.total.is_some() && total != session.total {
                return Err(ApiError::malformed_content_range());
            }
            if first > session.received {
                return Ok(incomplete(session.received));
            }
            let stored = receive(app, &session, session.received - first, last + 1 - session.received.min(last + 1), body).await?;
            let total = total.or(session.total);
            if total.is_some_and(|total| stored >= total) {
                return complete(app, session, call, stored).await;
            }
            let kept = keep_whole_units(app, &session.id, stored).await?;
            Ok(incomplete(kept))
        }
    }
}

/// 308 with what is stored (1.31).
fn incomplete(stored: u64) -> Response {
    let mut response = empty(StatusCode::PERMANENT_REDIRECT);
    if let Some(range) = stored_range(stored).and_then(|range| HeaderValue::from_str(&range).ok()) {
        response.headers_mut().insert(header::RANGE, range);
    }
    response
}

/// Appends at most `most` bytes of the body after skipping what is stored already (1.39); what is stored then.
async fn receive(app: &Arc<App>, session: &Session, mut skip: u64, most: u64, body: Body) -> ApiResult<u64> {
    let path = path(app, &session.id);
    let mut file = tokio::fs::OpenOptions::new().create(true).truncate(false).write(true).open(&path).await?;
    file.set_len(session.received).await?;
    file.seek(std::io::SeekFrom::End(0)).await?;
    let mut stored = session.received;
    let mut left = most;
    let mut pieces = body.into_data_stream();
    let mut whole = true;
    while let Some(piece) = pieces.next().await {
        let Ok(mut piece) = piece else {
            whole = false;
            break;
        };
        let skipped = skip.min(piece.len() as u64);
        skip -= skipped;
        piece = piece.slice(usize::try_from(skipped).unwrap_or(piece.len())..);
        let fits = usize::try_from(left).unwrap_or(usize::MAX).min(piece.len());
        let piece: Bytes = piece.slice(..fits);
        file.write_all(&piece).await?;
        stored += piece.len() as u64;
        left -= piece.len() as u64;
    }
    file.flush().await?;
    if !whole {
        keep_whole_units(app, &session.id, stored).await?;
        return Err(super::broken());
    }
    Ok(stored)
}

/// Records how much of an unfinished upload is kept: whole units (1.30), or a refusal where the switch says so.
async fn keep_whole_units(app: &Arc<App>, id: &str, stored: u64) -> ApiResult<u64> {
    let id = id.to_owned();
    app.blocking(move |app| {
        app.store.write(|db| {
            let settings = Settings::load(db)?;
            if !stored.is_multiple_of(UNIT) && !settings.switches.odd_chunk_keeps_prefix {
                return Err(ApiError::bad_request("Chunks but the last must be multiples of 262144 bytes."));
            }
            let kept = stored / UNIT * UNIT;
            db.execute(
                "UPDATE uploads SET received = max(received, ?2), touched = ?3 WHERE id = ?1",
                params![id, i64::try_from(kept).unwrap_or(i64::MAX), settings.now()],
            )?;
            let kept: i64 = db.query_row("SELECT received FROM uploads WHERE id = ?1", [&id], |row| row.get(0))?;
            Ok(u64::try_from(kept).unwrap_or(0))
        })
    })
    .await
}

/// All bytes are here: makes the file and remembers it, in one transaction (1.41).
async fn complete(app: &Arc<App>, session: Session, call: Call, stored: u64) -> ApiResult<Response> {
    let path = path(app, &session.id);
    let (pretty, id) = (call.query.pretty(), session.id.clone());
    let outcome = app
        .blocking(move |app| {
            let staged = if stored == 0 { blobs::Sums::default().finish(Some(path)) } else { blobs::stage_file(path)? };
            let keep = call.query.flag("keepRevisionForever", false);
            let content = Content { staged, mime: session.mime, keep };
            serve::execute(app, &session.who, &call, |cx, _| {
                // The answer is masked later; the id is needed whatever the caller asked for.
                let all = Mask::all();
                let reply = apply(cx, &call, &session.meta, content, &all)?;
                let made = match &reply {
                    Reply::Json(value) => value["id"].as_str().unwrap_or_default().to_owned(),
                    _ => String::new(),
                };
                cx.db.execute("UPDATE uploads SET result = ?2, touched = ?3 WHERE id = ?1", params![session.id, made, cx.now])?;
                Ok(reply)
            })
        })
        .await;
    match outcome {
        Ok(reply) => {
            lock(&app.uploads).remove(&id);
            serve::respond(app, reply, pretty).await
        }
        Err(error) => {
            // On any 4xx a client starts over (1.36).
            forget(app, &id).await?;
            Err(error)
        }
    }
}

/// The file of a session that was finished before: its answer was lost.
async fn finished(app: &Arc<App>, session: Session, call: Call, file: String) -> ApiResult<Response> {
    let pretty = call.query.pretty();
    let reply = app
        .blocking(move |app| {
            let mask = Mask::of_request(call.query.get("fields"), crate::mask::Kind::File)?;
            app.view(&session.who, |cx| {
                let (file, _) = cx.visible(&file, true)?;
                let value = crate::api::render::file(cx, &file, &|field| mask.wants(field))?;
                Ok(Reply::Json(mask.apply(value)))
            })
        })
        .await?;
    serve::respond(app, reply, pretty).await
}
