//! What the answers promised.

use std::collections::{BTreeSet, HashMap};

use md5::{Digest as _, Md5};
use serde_json::{Value, json};

use super::writers::Caller;

/// By file and aspect of it, what it may be now: what the last answer said, and what a write that was not answered would
/// have made of it.
#[derive(Debug, Default)]
pub struct Facts(HashMap<(String, String), Vec<Value>>);

impl Facts {
    /// A write is on its way that may make it so.
    pub fn may(&mut self, id: &str, aspect: &str, value: impl Into<Value>) {
        self.0.entry((id.to_owned(), aspect.to_owned())).or_default().push(value.into());
    }

    /// A write was answered: it is so.
    pub fn is(&mut self, id: &str, aspect: &str, value: impl Into<Value>) {
        self.0.insert((id.to_owned(), aspect.to_owned()), vec![value.into()]);
    }

    pub fn extend(&mut self, more: Self) {
        self.0.extend(more.0);
    }

    pub fn aspects(&self) -> BTreeSet<&str> {
        self.0.keys().map(|(_, aspect)| aspect.split(':').next().unwrap_or_default()).collect()
    }

    /// Holds all of it against everything there is. From then on what was unsettled is what it turned out to be.
    pub fn hold(&mut self, snapshot: &Value) {
        let files: HashMap<&str, &Value> =
            snapshot["files"].as_array().expect("files").iter().map(|file| (file["id"].as_str().expect("an id"), file)).collect();
        for ((id, aspect), allowed) in &mut self.0 {
            let found = match (files.get(&id[..]), &aspect[..]) {
                (file, "there") => json!(file.is_some()),
                // Whether it may be gone is a fact of its own.
                (None, _) => continue,
                (Some(file), "parent") => file["parents"][0].clone(),
                (Some(file), role) if role.starts_with("role:") => {
                    let grants = file["permissions"].as_array().into_iter().flatten();
                    let grant = grants.into_iter().find(|grant| grant["emailAddress"].as_str() == role.strip_prefix("role:"));
                    grant.map_or(Value::Null, |grant| grant["role"].clone())
                }
                (Some(file), field) => file[field].clone(),
            };
            assert!(allowed.contains(&found), "{aspect} of {id} is {found}; answered, or under way: {allowed:?}");
            *allowed = vec![found];
        }
    }

    /// Holds that the bytes are those of the sums.
    pub async fn hold_bytes(&self, caller: &Caller) {
        for ((id, aspect), allowed) in &self.0 {
            if aspect == "md5Checksum" && self.0[&(id.clone(), "there".to_owned())] == [json!(true)] {
                let bytes = caller.bytes(id).await;
                assert_eq!(json!(sum(&bytes)), allowed[0], "{id}");
            }
        }
    }
}

pub fn sum(bytes: &[u8]) -> String {
    format!("{:x}", Md5::digest(bytes))
}
