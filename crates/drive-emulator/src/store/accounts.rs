//! People, service accounts, groups and access tokens.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::error::ApiResult;
use crate::ids;
use crate::store::settings::Settings;

/// The mimeType of folders (1.2).
pub const FOLDER: &str = "application/vnd.google-apps.folder";
/// The project of tokens nobody asked another project for.
pub const DEFAULT_APP: &str = "drive-emulator";
/// The one scope that allows everything.
pub const FULL_SCOPE: &str = "https://www.googleapis.com/auth/drive";

/// An account as the store keeps it.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// Address, lower case.
    pub email: String,
    /// Display name.
    pub name: String,
    /// A bearer token that never expires.
    pub token: String,
    /// Id of the My Drive root.
    pub root_id: String,
    /// Stable id as a grantee (3.2).
    pub permission_id: String,
    /// A service account: owns no bytes (7.15).
    pub service: bool,
    /// Storage in bytes; none without limit.
    pub storage_limit: Option<i64>,
}

/// Whom a request acts for.
#[derive(Clone, PartialEq, Eq)]
pub struct Principal {
    /// Address, lower case.
    pub email: String,
    /// A service account acting as itself.
    pub service: bool,
    /// The Cloud project of the client: `appProperties` are seen per project (1.48).
    pub app: String,
    /// Scopes of the token.
    pub scopes: Vec<String>,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Account").field(&self.email).finish()
    }
}

impl std::fmt::Debug for Principal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Principal").field(&self.email).finish()
    }
}

impl Principal {
    /// Acts as `email` with every right that account has.
    pub fn acting(account: &Account) -> Self {
        Self { email: account.email.clone(), service: account.service, app: DEFAULT_APP.to_owned(), scopes: vec![FULL_SCOPE.to_owned()] }
    }

    /// The part of the address after `@`.
    pub fn domain(&self) -> &str {
        domain_of(&self.email)
    }
}

/// The part of an address after the last `@`.
pub fn domain_of(email: &str) -> &str {
    email.rsplit_once('@').map_or("", |(_, domain)| domain)
}

const COLUMNS: &str = "email, name, token, root_id, permission_id, kind, storage_limit";

fn from_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Account> {
    Ok(Account {
        email: row.get(0)?,
        name: row.get(1)?,
        token: row.get(2)?,
        root_id: row.get(3)?,
        permission_id: row.get(4)?,
        service: row.get::<_, String>(5)? == "service",
        storage_limit: row.get(6)?,
    })
}

/// The account of an address, if it is one here.
pub fn find(connection: &Connection, email: &str) -> ApiResult<Option<Account>> {
    Ok(connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM users WHERE email = ?1"))?
        .query_row([email.to_lowercase()], from_row)
        .optional()?)
}

/// Every account, in order of address.
pub fn all(connection: &Connection) -> ApiResult<Vec<Account>> {
    let mut statement = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM users ORDER BY email"))?;
    let rows = statement.query_map([], from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The account of an address, made with its My Drive on first sight.
pub fn ensure(connection: &Connection, settings: &Settings, email: &str, service: bool) -> ApiResult<Account> {
    let email = email.to_lowercase();
    if let Some(account) = find(connection, &email)? {
        return Ok(account);
    }
    let now = settings.now();
    let local = email.split('@').next().unwrap_or_default();
    let account = Account {
        name: local.to_owned(),
        token: ids::random("ya29.emu-", 24),
        root_id: ids::random("0A", 12) + "Uk9PVA",
        permission_id: ids::permission_id(&email),
        service,
        // A new service account's limit reads 0 (7.23).
        storage_limit: service.then_some(0),
        email,
    };
    connection.execute(
        "INSERT INTO users VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            account.email,
            account.name,
            account.token,
            account.root_id,
            account.permission_id,
            if service { "service" } else { "user" },
            account.storage_limit,
            now
        ],
    )?;
    issue(connection, &account.token, &account.email, DEFAULT_APP, FULL_SCOPE, None)?;
    connection.execute(
        "INSERT INTO files(id, name, name_key, mime, owner, app, space, created, modified, last_user)
         VALUES (?1, 'My Drive', 'my drive', ?2, ?3, ?4, 'drive', ?5, ?5, ?3)",
        params![account.root_id, FOLDER, account.email, DEFAULT_APP, now],
    )?;
    connection.execute(
        "INSERT INTO perms(file, id, kind, role, email, granted) VALUES (?1, ?2, 'user', 'owner', ?3, ?4)",
        params![account.root_id, account.permission_id, account.email, now],
    )?;
    Ok(account)
}

/// Records an access token. `expires` is emulated ms, none for ever.
pub fn issue(connection: &Connection, token: &str, email: &str, app: &str, scopes: &str, expires: Option<i64>) -> ApiResult<()> {
    connection.execute(
        "INSERT OR REPLACE INTO tokens(token, email, app, scopes, expires) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![token, email, app, scopes, expires],
    )?;
    Ok(())
}

/// Whom a bearer token stands for; none when it is unknown, expired or revoked.
pub fn by_token(connection: &Connection, token: &str, now: i64) -> ApiResult<Option<Principal>> {
    Ok(connection
        .prepare_cached(
            "SELECT t.email, u.kind, t.app, t.scopes FROM tokens t JOIN users u ON u.email = t.email
             WHERE t.token = ?1 AND t.revoked = 0 AND (t.expires IS NULL OR t.expires > ?2)",
        )?
        .query_row(params![token, now], |row| {
            Ok(Principal {
                email: row.get(0)?,
                service: row.get::<_, String>(1)? == "service",
                app: row.get(2)?,
                scopes: row.get::<_, String>(3)?.split(' ').map(str::to_owned).collect(),
            })
        })
        .optional()?)
}

/// Revokes every token of an account, static ones too.
pub fn revoke_tokens(connection: &Connection, email: &str) -> ApiResult<()> {
    connection.execute("UPDATE tokens SET revoked = 1 WHERE email = ?1", [email.to_lowercase()])?;
    Ok(())
}

/// A new static token for an account in place of the one it had.
pub fn renew_token(connection: &Connection, account: Account) -> ApiResult<Account> {
    let account = Account { token: ids::random("ya29.emu-", 24), ..account };
    connection.execute("UPDATE users SET token = ?2 WHERE email = ?1", [&account.email, &account.token])?;
    issue(connection, &account.token, &account.email, DEFAULT_APP, FULL_SCOPE, None)?;
    Ok(account)
}

/// Addresses of the groups an account is in.
pub fn groups_of(connection: &Connection, email: &str) -> ApiResult<Vec<String>> {
    let mut statement = connection.prepare_cached("SELECT group_email FROM members WHERE email = ?1")?;
    let rows = statement.query_map([email], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
