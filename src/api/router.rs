//! Which request goes where, and what holds for all of them.

use std::panic::AssertUnwindSafe;
use std::time::Instant;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::FutureExt;
use serde_json::json;

use super::reply::Reply;
use super::{Api, body, create, jobs, key, process, server, status};

/// How much of a path is logged.
const PATH_CHARS: usize = 80;

/// The routes of CONTRACT §4. All but the health want the key.
pub(super) fn of(api: &Api) -> Router {
    Router::new()
        .route("/api/folders/create", post(create::accept))
        .route("/api/folders/status", post(status::look_up))
        .route("/api/folders/process", post(process::accept))
        .route("/api/status/{job_id}", get(jobs::stand))
        .route_layer(middleware::from_fn_with_state(api.clone(), key::check))
        .route("/api/health", get(health))
        .method_not_allowed_fallback(|| async {
            Reply::refused(StatusCode::METHOD_NOT_ALLOWED, "Este endereço não aceita este método HTTP.")
        })
        .fallback(|| async { Reply::not_found("Este endereço não existe.") })
        .layer(middleware::from_fn_with_state(api.clone(), around))
        .with_state(api.clone())
}

/// A request is read whole, logged without what it brought, ends in time, and a defect costs nobody else anything.
async fn around(State(api): State<Api>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let method = request.method().clone();
    let path: String = request.uri().path().chars().take(PATH_CHARS).collect();
    let handled = async {
        match body::whole(request).await {
            Ok(request) => next.run(request).await,
            Err(reply) => reply.into_response(),
        }
    };
    let answered = AssertUnwindSafe(handled).catch_unwind();
    let response = match tokio::time::timeout(server::request_limit(&api), answered).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => Reply::refused(StatusCode::INTERNAL_SERVER_ERROR, "Ocorreu uma falha interna.").into_response(),
        Err(_) => Reply::refused(StatusCode::SERVICE_UNAVAILABLE, "O pedido demorou demais; tente de novo.").into_response(),
    };
    tracing::info!(%method, path, status = response.status().as_u16(), ms = began.elapsed().as_millis(), "request");
    response
}

/// Whether requests can be taken: the ledger answers.
async fn health(State(api): State<Api>) -> Result<Reply, Reply> {
    api.0.agent.ledger.job("").await?;
    Ok(Reply::new(StatusCode::OK, json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") })))
}
