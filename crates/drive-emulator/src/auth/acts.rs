//! Credentials through the control API, and the token endpoint over HTTP.

use std::sync::Arc;

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use http::header::HOST;
use http::request::Parts;
use serde_json::Value;

use super::{Grantor, TokenError, keys};
use crate::acting::{Control, check};
use crate::api::call::json_response;
use crate::api::serve::collect;
use crate::app::App;
use crate::clock;
use crate::error::ApiResult;
use crate::store::accounts::{self, FULL_SCOPE};
use crate::store::settings::Settings;

impl Control {
    /// A service account, made on first use, and its key file as JSON. Its `token_uri` is this
    /// emulator's; the account is `<name>@project.iam.gserviceaccount.com`.
    pub fn service_account(&self, name: &str) -> ApiResult<String> {
        check::service_name(name)?;
        let email = keys::service_account_email(name);
        let base = self.app.base_url();
        self.app.store.write(|db| {
            accounts::ensure(db, &Settings::load(db)?, &email, true)?;
            keys::service_account_key(db, &email, base)
        })
    }

    /// The credentials file of a person, type `authorized_user`, with a refresh token of its own.
    pub fn authorized_user(&self, email: &str) -> ApiResult<String> {
        self.authorized_user_for(email, FULL_SCOPE)
    }

    /// The same, for a person who consented to these scopes only (separated by blanks).
    pub fn authorized_user_for(&self, email: &str, scopes: &str) -> ApiResult<String> {
        self.account(email, false)?;
        let base = self.app.base_url();
        let file = self.app.store.write(|db| keys::authorized_user(db, email, scopes, base))?;
        Ok(format!("{file:#}\n"))
    }

    /// Lets a service account act for `subject`, who is made if need be (7.6).
    pub fn grant_delegation(&self, client_email: &str, subject: &str) -> ApiResult<()> {
        self.known(client_email)?;
        self.account(subject, false)?;
        self.app.store.write(|db| keys::delegate(db, client_email, subject))
    }

    /// Takes the right to act for `subject` back.
    pub fn revoke_delegation(&self, client_email: &str, subject: &str) -> ApiResult<()> {
        self.known(client_email)?;
        self.app.store.write(|db| keys::undelegate(db, client_email, subject))
    }

    /// Revokes the keys of a service account and the refresh tokens of a person: no new access
    /// tokens. Those already issued go on; see [`Control::revoke_tokens`].
    pub fn revoke_keys(&self, email: &str) -> ApiResult<()> {
        let email = keys::service_account_email(email);
        self.known(&email)?;
        self.app.store.write(|db| {
            keys::revoke_keys(db, &email)?;
            keys::revoke_refresh_tokens(db, &email)
        })
    }
}

/// Answers `POST /token`.
pub(crate) async fn serve(app: &Arc<App>, parts: Parts, body: Body) -> Response {
    match answer(app, parts, body).await {
        Ok(value) => json_response(&value, true),
        Err(error) => error.into_response(),
    }
}

async fn answer(app: &Arc<App>, parts: Parts, body: Body) -> Result<Value, TokenError> {
    if parts.method != http::Method::POST {
        return Err(TokenError::bad_request());
    }
    let form = super::form(&collect(body).await?);
    let mut base_urls = vec![app.url().to_owned(), app.base_url().to_owned()];
    // The name by which the client reaches this emulator is as good as its own.
    if let Some(host) = parts.headers.get(HOST).and_then(|host| host.to_str().ok()) {
        base_urls.extend([format!("http://{host}"), format!("https://{host}")]);
    }
    let grant = move |app: &Arc<App>| {
        // A refusal writes nothing, so the transaction may end well either way.
        app.store.write(|db| {
            let grantor = Grantor { db, now_ms: Settings::load(db)?.now(), machine_s: clock::machine_ms() / 1_000, base_urls };
            Ok(super::token(&grantor, &form))
        })
    };
    app.blocking(grant).await?
}
