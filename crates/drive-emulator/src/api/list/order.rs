//! `orderBy` as SQL, and page tokens that say where in that order a page ended.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rusqlite::Row;
use rusqlite::types::Value as Sql;
use serde_json::{Value, json};

use crate::query::{Condition, OrderBy, SortKey};
use crate::store::files;

/// An order: SQL expressions, never NULL, each with its direction; the last one is unique.
pub struct Sorted {
    keys: Vec<(String, bool)>,
    fingerprint: String,
}

impl Sorted {
    /// The order of a request. Without keys newer files come first.
    pub fn new(order: &OrderBy, email: &str) -> Self {
        let mut keys: Vec<(String, bool)> = order.keys.iter().map(|(key, descending)| (expression(*key, email), *descending)).collect();
        keys.push(("rid".to_owned(), order.keys.is_empty()));
        let fingerprint = format!("{:?}", order.keys);
        Self { keys, fingerprint }
    }

    /// The expressions, to be selected behind the file's columns.
    pub fn columns(&self) -> String {
        let all: Vec<&str> = self.keys.iter().map(|(sql, _)| sql.as_str()).collect();
        all.join(", ")
    }

    /// The ORDER BY.
    pub fn order(&self) -> String {
        let all: Vec<String> = self.keys.iter().map(|(sql, down)| format!("{sql}{}", if *down { " DESC" } else { "" })).collect();
        all.join(", ")
    }

    /// A row's place in the order.
    pub fn key_of(&self, row: &Row<'_>) -> rusqlite::Result<Vec<Sql>> {
        let first = files::COLUMNS.split(',').count();
        (0..self.keys.len()).map(|index| row.get(first + index)).collect()
    }

    /// What comes behind a place.
    pub fn after(&self, place: &[Sql]) -> Condition {
        let mut alternatives = Vec::new();
        let mut values = Vec::new();
        for (index, (key, down)) in self.keys.iter().enumerate() {
            let mut parts = Vec::new();
            for (earlier, value) in self.keys[..index].iter().zip(place) {
                parts.push(format!("{} = ?", earlier.0));
                values.push(value.clone());
            }
            parts.push(format!("{key} {} ?", if *down { "<" } else { ">" }));
            values.push(place[index].clone());
            alternatives.push(format!("({})", parts.join(" AND ")));
        }
        Condition { sql: alternatives.join(" OR "), values }
    }

    /// A place as an opaque token.
    pub fn token(&self, place: &[Sql]) -> String {
        let values: Vec<Value> = place
            .iter()
            .map(|value| match value {
                Sql::Integer(number) => json!(number),
                Sql::Text(text) => json!(text),
                _ => Value::Null,
            })
            .collect();
        format!("~!!~{}", URL_SAFE_NO_PAD.encode(json!([self.fingerprint, values]).to_string()))
    }

    /// Reads a token of the same order; nothing else is one.
    pub fn read_token(&self, token: &str) -> Option<Vec<Sql>> {
        let bytes = URL_SAFE_NO_PAD.decode(token.strip_prefix("~!!~")?).ok()?;
        let (fingerprint, values): (String, Vec<Value>) = serde_json::from_slice(&bytes).ok()?;
        let place: Vec<Sql> = values
            .iter()
            .map(|value| match value {
                Value::Number(number) => number.as_i64().map(Sql::Integer),
                Value::String(text) => Some(Sql::Text(text.clone())),
                _ => None,
            })
            .collect::<Option<_>>()?;
        (fingerprint == self.fingerprint && place.len() == self.keys.len()).then_some(place)
    }
}

fn expression(key: SortKey, email: &str) -> String {
    // The address is the caller's own, from the store; quotes are doubled all the same.
    let email = email.replace('\'', "''");
    let own = |column: &str| format!("coalesce((SELECT {column} FROM user_files u WHERE u.email = '{email}' AND u.file = files.id), 0)");
    match key {
        SortKey::CreatedTime => "created".to_owned(),
        SortKey::Folder => format!("(mime <> '{}')", crate::store::accounts::FOLDER),
        SortKey::ModifiedByMeTime => own("modified"),
        SortKey::ModifiedTime | SortKey::Recency => "modified".to_owned(),
        SortKey::Name => "name_key".to_owned(),
        SortKey::NameNatural => "natural_key(name)".to_owned(),
        SortKey::QuotaBytesUsed => "coalesce(size, 0)".to_owned(),
        SortKey::SharedWithMeTime => {
            format!("coalesce((SELECT granted FROM perms p WHERE p.file = files.id AND p.email = '{email}'), 0)")
        }
        SortKey::Starred => format!("(1 - {})", own("starred")),
        SortKey::ViewedByMeTime => own("viewed"),
    }
}
