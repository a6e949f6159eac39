//! `POST /token`: the JWT-bearer and refresh-token grants, checked in Google's order (7.3-7.10).

use rusqlite::{Connection, OptionalExtension as _, params};
use serde_json::{Value, json};

use super::error::TokenError;
use super::jwt::Assertion;
use super::keys::{self, OAuthClient};

/// How long an access token lives, in ms; the answer says a second less (7.2).
const LIFE_MS: i64 = 3_600_000;
/// An assertion may be dated this far ahead, in seconds (7.5).
const SKEW_S: i64 = 300;
/// An assertion may live this long, in seconds (7.1).
const MAX_LIFE_S: i64 = 3_600;

/// Scopes of Drive, and those its clients ask for beside them. A scope that is none of these gives
/// no access token (7.4).
const SCOPES: [&str; 15] = [
    "https://www.googleapis.com/auth/drive",
    "https://www.googleapis.com/auth/drive.activity",
    "https://www.googleapis.com/auth/drive.activity.readonly",
    "https://www.googleapis.com/auth/drive.appdata",
    "https://www.googleapis.com/auth/drive.apps.readonly",
    "https://www.googleapis.com/auth/drive.file",
    "https://www.googleapis.com/auth/drive.meet.readonly",
    "https://www.googleapis.com/auth/drive.metadata",
    "https://www.googleapis.com/auth/drive.metadata.readonly",
    "https://www.googleapis.com/auth/drive.photos.readonly",
    "https://www.googleapis.com/auth/drive.readonly",
    "https://www.googleapis.com/auth/drive.scripts",
    "https://www.googleapis.com/auth/cloud-platform",
    "https://www.googleapis.com/auth/userinfo.email",
    "openid",
];

/// Endpoints an assertion may name as its audience, beside the emulator's own.
const GOOGLE: [&str; 3] =
    ["https://oauth2.googleapis.com/token", "https://accounts.google.com/o/oauth2/token", "https://www.googleapis.com/oauth2/v4/token"];

/// What a token request is judged by.
#[derive(Debug)]
pub struct Grantor<'a> {
    /// The store, in a write transaction: the token is recorded there.
    pub db: &'a Connection,
    /// Emulated now, in ms: access tokens expire by it.
    pub now_ms: i64,
    /// The machine's clock, in seconds: assertions are dated by the client, who does not know the
    /// emulated clock.
    pub machine_s: i64,
    /// Addresses of the emulator under which `/token` may be named as audience, without a slash
    /// at the end.
    pub base_urls: Vec<String>,
}

/// The pairs of a form body.
pub fn form(body: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(body).into_owned().collect()
}

/// Answers a token request: the JSON of a 200.
pub fn token(grantor: &Grantor<'_>, form: &[(String, String)]) -> Result<Value, TokenError> {
    let field = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    match field("grant_type") {
        Some("urn:ietf:params:oauth:grant-type:jwt-bearer") => grantor.assertion(field("assertion").unwrap_or_default()),
        Some("refresh_token") => {
            grantor.refresh(field("client_id").unwrap_or_default(), field("client_secret").unwrap_or_default(), field("refresh_token"))
        }
        Some(other) => Err(TokenError::new("unsupported_grant_type", format!("Invalid grant_type: {other}"))),
        None => Err(TokenError::new("invalid_request", "Missing required parameter: grant_type")),
    }
}

impl Grantor<'_> {
    fn assertion(&self, text: &str) -> Result<Value, TokenError> {
        let assertion = Assertion::read(text).ok_or_else(TokenError::bad_request)?;
        let bad_signature = || TokenError::invalid_grant("Invalid JWT Signature.");
        if !assertion.is_rs256() {
            return Err(bad_signature());
        }
        let client = assertion.text("iss").unwrap_or_default().to_lowercase();
        let keys = keys::public_keys(self.db, &client)?.ok_or_else(|| TokenError::invalid_grant("Invalid grant: account not found"))?;
        if !keys.iter().any(|key| assertion.signed_by(key)) {
            return Err(bad_signature());
        }
        self.check_times(&assertion)?;
        let asked = assertion.text("scope").unwrap_or_default();
        let well_formed = |scope: &str| scope == "openid" || scope.starts_with("https://");
        if asked.is_empty() || !asked.split_whitespace().all(well_formed) {
            return Err(TokenError::new("invalid_scope", "Invalid OAuth scope or ID token audience provided."));
        }
        let audience = assertion.text("aud").unwrap_or_default();
        let ours = self.base_urls.iter().any(|base| audience.strip_prefix(base.as_str()) == Some("/token"));
        if !ours && !GOOGLE.contains(&audience) {
            return Err(TokenError::invalid_grant("Invalid JWT: Failed audience check."));
        }
        let subject = assertion.text("sub").map(str::to_lowercase).filter(|subject| *subject != client);
        if let Some(subject) = &subject {
            self.check_delegation(&client, subject)?;
        }
        let scopes: Vec<&str> = asked.split_whitespace().filter(|scope| SCOPES.contains(scope)).collect();
        if scopes.is_empty() {
            // An id_token alone (7.4). Nobody here reads it; it only has to be there.
            return Ok(json!({ "id_token": format!("e30.e30.{}", keys::hex(16)) }));
        }
        let app = keys::project_of(&client).unwrap_or(&client);
        let token = self.issue(subject.as_deref().unwrap_or(&client), app, &scopes.join(" "))?;
        Ok(json!({ "access_token": token, "expires_in": 3_599, "token_type": "Bearer" }))
    }

    fn check_times(&self, assertion: &Assertion<'_>) -> Result<(), TokenError> {
        let time = |name: &str, long: &str| {
            assertion.seconds(name).ok_or_else(|| TokenError::invalid_grant(format!("Invalid JWT: {name} ({long}) is not set.")))
        };
        let issued = time("iat", "issued at")?;
        let expires = time("exp", "expiration time")?;
        let now = self.machine_s;
        let life = expires.saturating_sub(issued);
        if issued > now.saturating_add(SKEW_S) || expires <= now || !(0..=MAX_LIFE_S).contains(&life) {
            return Err(TokenError::invalid_grant(
                "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. \
                 Check your iat and exp values in the JWT claim.",
            ));
        }
        Ok(())
    }

    fn check_delegation(&self, client: &str, subject: &str) -> Result<(), TokenError> {
        if !subject.contains('@') {
            return Err(TokenError::invalid_grant("Not a valid email"));
        }
        let subjects = keys::subjects(self.db, client)?;
        if subjects.is_empty() {
            return Err(TokenError::unauthorized_client());
        }
        if !self.is_user(subject)? {
            return Err(TokenError::invalid_grant("Invalid email or User ID"));
        }
        if !subjects.iter().any(|granted| granted == subject) {
            return Err(TokenError::unauthorized_client());
        }
        Ok(())
    }

    fn refresh(&self, client: &str, secret: &str, token: Option<&str>) -> Result<Value, TokenError> {
        if client != OAuthClient::ID || secret != OAuthClient::SECRET {
            return Err(TokenError::invalid_client());
        }
        let Some(token) = token else {
            return Err(TokenError::new("invalid_request", "Missing required parameter: refresh_token"));
        };
        let known: Option<(String, String, bool)> = self
            .db
            .prepare_cached("SELECT email, scopes, revoked FROM refresh_tokens WHERE token = ?1")?
            .query_row([token], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        let (email, scopes, revoked) = known.ok_or_else(|| TokenError::invalid_grant("Bad Request"))?;
        if revoked || !self.is_user(&email)? {
            return Err(TokenError::invalid_grant("Token has been expired or revoked."));
        }
        let token = self.issue(&email, client, &scopes)?;
        Ok(json!({ "access_token": token, "expires_in": 3_599, "scope": scopes, "token_type": "Bearer" }))
    }

    fn is_user(&self, email: &str) -> Result<bool, TokenError> {
        let mut statement = self.db.prepare_cached("SELECT 1 FROM users WHERE email = ?1")?;
        Ok(statement.exists([email])?)
    }

    fn issue(&self, email: &str, app: &str, scopes: &str) -> Result<String, TokenError> {
        let token = format!("ya29.emu-{}", keys::hex(24));
        self.db.execute(
            "INSERT INTO tokens(token, email, app, scopes, expires) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![token, email, app, scopes, self.now_ms.saturating_add(LIFE_MS)],
        )?;
        Ok(token)
    }
}
