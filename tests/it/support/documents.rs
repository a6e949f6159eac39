//! What the binary prints for programs is held to the schemas in docs/schema, whatever test ran it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::Value;

use super::world::read_json;

/// By the name that documents carry.
static SCHEMAS: LazyLock<BTreeMap<String, Validator>> = LazyLock::new(|| {
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/schema");
    let files = std::fs::read_dir(dir).expect("schemas: `cargo run -- schema docs/schema`").flatten();
    files
        .map(|file| {
            let schema = read_json(&file.path());
            let validator = jsonschema::validator_for(&schema).unwrap_or_else(|e| panic!("{}: {e}", file.path().display()));
            (schema["title"].as_str().expect("a title").to_owned(), validator)
        })
        .collect()
});

/// The names of all schemas.
pub fn all() -> Vec<String> {
    SCHEMAS.keys().cloned().collect()
}

/// The schemas of the documents in this output, one document a whole line; each must be as its schema says.
#[track_caller]
pub fn names(stdout: &str) -> Vec<String> {
    let lines = stdout.split_inclusive('\n').filter(|line| line.ends_with('\n') && line.starts_with('{'));
    lines.filter_map(|line| serde_json::from_str(line).ok()).map(|document: Value| valid(&document)).collect()
}

#[track_caller]
fn valid(document: &Value) -> String {
    let name = document["schema"].as_str().unwrap_or_else(|| panic!("a document without the name of its schema: {document}"));
    let schema = SCHEMAS.get(name).unwrap_or_else(|| panic!("{name} is not in docs/schema: list it in src/commands/schema.rs"));
    let faults: Vec<String> = schema.iter_errors(document).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(faults.is_empty(), "not as docs/schema says of {name}: {faults:#?}\n{document:#}");
    name.to_owned()
}
