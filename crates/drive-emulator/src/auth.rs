//! The token endpoint, service account keys and delegation (`drive-v3-behaviour` 7).
//!
//! What is kept lies in the tables of [`TABLES`], beside the accounts and access tokens of the store.

mod acts;
mod error;
mod grant;
mod jwt;
mod keys;

pub(crate) use acts::serve;
pub use error::TokenError;
pub use grant::{Grantor, form, token};
pub use keys::{
    OAuthClient, authorized_user, delegate, revoke_keys, revoke_refresh_tokens, service_account_email, service_account_key, undelegate,
};

/// The tables this module keeps; made when the store is opened.
pub const TABLES: &str = "
-- Keys of service accounts: the public half verifies assertions. A revoked key is as good as none (7.3).
CREATE TABLE IF NOT EXISTS service_keys(
  id TEXT PRIMARY KEY, email TEXT NOT NULL, public TEXT NOT NULL,
  revoked INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS service_keys_email ON service_keys(email);

-- Which service account may act for whom (7.6).
CREATE TABLE IF NOT EXISTS delegations(
  client TEXT NOT NULL, subject TEXT NOT NULL, PRIMARY KEY(client, subject)) WITHOUT ROWID;

-- Refresh tokens of people (7.9); scopes are joined by spaces.
CREATE TABLE IF NOT EXISTS refresh_tokens(
  token TEXT PRIMARY KEY, email TEXT NOT NULL, scopes TEXT NOT NULL,
  revoked INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS refresh_tokens_email ON refresh_tokens(email);
";

#[cfg(test)]
mod tests;
