//! Credentials the emulator gives out: key files of service accounts, refresh tokens, delegation.

use rand::Rng as _;
use rusqlite::{Connection, OptionalExtension as _, params};
use serde_json::{Value, json};

use crate::error::ApiResult;

/// THE TEST KEY: public knowledge, made for this emulator, worth nothing anywhere else. All
/// service accounts share it, since making a key takes seconds.
const PRIVATE_KEY: &str = include_str!("test_key.pem");
/// Its public half.
const PUBLIC_KEY: &str = include_str!("test_key.pub.pem");

/// The project all service accounts belong to.
const PROJECT: &str = "project";

/// The OAuth client of people's refresh tokens.
pub struct OAuthClient;

impl OAuthClient {
    /// Its id.
    pub const ID: &'static str = "407408718192-emulator.apps.googleusercontent.com";
    /// Its secret, no secret here.
    pub const SECRET: &'static str = "emulator-client-secret";
}

/// The address of a service account (7.22). A whole address is taken as it is.
pub fn service_account_email(name: &str) -> String {
    if name.contains('@') {
        return name.to_lowercase();
    }
    format!("{}@{PROJECT}.iam.gserviceaccount.com", name.to_lowercase())
}

/// The project of a service account's address.
pub(super) fn project_of(email: &str) -> Option<&str> {
    email.split_once('@')?.1.strip_suffix(".iam.gserviceaccount.com")
}

/// The key file of a service account, as JSON. The account keeps the key it has, unless that was
/// revoked. `base_url` is where the token endpoint is, without a slash at the end.
pub fn service_account_key(connection: &Connection, email: &str, base_url: &str) -> ApiResult<String> {
    let known: Option<String> = connection
        .prepare_cached("SELECT id FROM service_keys WHERE email = ?1 AND revoked = 0")?
        .query_row([email], |row| row.get(0))
        .optional()?;
    let id = if let Some(id) = known {
        id
    } else {
        let id = hex(20);
        connection.execute("INSERT INTO service_keys(id, email, public) VALUES (?1, ?2, ?3)", params![id, email, PUBLIC_KEY])?;
        id
    };
    let number = u64::from_str_radix(&id[..15], 16).unwrap_or_default();
    let file = json!({
        "type": "service_account",
        "project_id": project_of(email).unwrap_or(PROJECT),
        "private_key_id": id,
        "private_key": PRIVATE_KEY,
        "client_email": email,
        "client_id": format!("1{number:020}"),
        "auth_uri": format!("{base_url}/o/oauth2/auth"),
        "token_uri": format!("{base_url}/token"),
        "auth_provider_x509_cert_url": format!("{base_url}/oauth2/v1/certs"),
        "client_x509_cert_url": format!("{base_url}/robot/v1/metadata/x509/{email}"),
        "universe_domain": "googleapis.com",
    });
    Ok(format!("{file:#}\n"))
}

/// Revokes every key of a service account: its assertions fail from now on (7.3).
pub fn revoke_keys(connection: &Connection, email: &str) -> ApiResult<()> {
    connection.execute("UPDATE service_keys SET revoked = 1 WHERE email = ?1", [email])?;
    Ok(())
}

/// The public halves of the keys of an account, PEM; none where it never had a key.
pub(super) fn public_keys(connection: &Connection, email: &str) -> rusqlite::Result<Option<Vec<String>>> {
    let mut statement = connection.prepare_cached("SELECT public, revoked FROM service_keys WHERE email = ?1")?;
    let keys: Vec<(String, bool)> = statement.query_map([email], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    if keys.is_empty() {
        return Ok(None);
    }
    Ok(Some(keys.into_iter().filter(|(_, revoked)| !revoked).map(|(key, _)| key).collect()))
}

/// Lets a service account act for `subject` (7.6).
pub fn delegate(connection: &Connection, client: &str, subject: &str) -> ApiResult<()> {
    connection
        .execute("INSERT OR IGNORE INTO delegations(client, subject) VALUES (?1, ?2)", [client.to_lowercase(), subject.to_lowercase()])?;
    Ok(())
}

/// Takes the right to act for `subject` back. Tokens already issued go on until they expire.
pub fn undelegate(connection: &Connection, client: &str, subject: &str) -> ApiResult<()> {
    connection.execute("DELETE FROM delegations WHERE client = ?1 AND subject = ?2", [client.to_lowercase(), subject.to_lowercase()])?;
    Ok(())
}

/// The subjects a service account may act for.
pub(super) fn subjects(connection: &Connection, client: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare_cached("SELECT subject FROM delegations WHERE client = ?1")?;
    statement.query_map([client], |row| row.get(0))?.collect()
}

/// An `authorized_user` credentials file for a person, with a new refresh token (7.9, 7.11).
/// `scopes` are joined by spaces.
pub fn authorized_user(connection: &Connection, email: &str, scopes: &str, base_url: &str) -> ApiResult<Value> {
    let token = format!("1//0emu-{}", hex(24));
    connection
        .execute("INSERT INTO refresh_tokens(token, email, scopes) VALUES (?1, ?2, ?3)", params![token, email.to_lowercase(), scopes])?;
    Ok(json!({
        "type": "authorized_user",
        "client_id": OAuthClient::ID,
        "client_secret": OAuthClient::SECRET,
        "refresh_token": token,
        "token_uri": format!("{base_url}/token"),
        "universe_domain": "googleapis.com",
    }))
}

/// Revokes every refresh token of a person (7.10).
pub fn revoke_refresh_tokens(connection: &Connection, email: &str) -> ApiResult<()> {
    connection.execute("UPDATE refresh_tokens SET revoked = 1 WHERE email = ?1", [email.to_lowercase()])?;
    Ok(())
}

/// `bytes` random bytes in hexadecimal letters.
pub(super) fn hex(bytes: usize) -> String {
    let mut rng = rand::thread_rng();
    (0..bytes * 2).filter_map(|_| char::from_digit(rng.gen_range(0..16), 16)).collect()
}
