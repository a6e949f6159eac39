//! Holds the dependency rule of ARCHITECTURE.md by reading the imports: arrows go down only.

use std::collections::BTreeMap;
use std::path::Path;

use crate::support::sources::sources;

/// What each room may name of the others. A room may always name itself.
const MAY_NAME: [(&str, &[&str]); 23] = [
    ("main", &[]),
    ("app", &["cli", "commands", "context", "error", "log", "ui", "verdict"]),
    ("cli", &["commands", "context"]),
    (
        "commands",
        &[
            "agent",
            "api",
            "callback",
            "config",
            "context",
            "creation",
            "doctor",
            "document",
            "domain",
            "drive",
            "embedded",
            "error",
            "fs_layout",
            "ledger",
            "provision",
            "ui",
            "verdict",
        ],
    ),
    ("context", &["agent", "callback", "config", "domain", "drive", "embedded", "error", "fs_layout", "ledger", "provision", "ui"]),
    ("verdict", &["document", "drive", "error"]),
    ("provision", &["config", "domain", "drive", "error", "fs_layout", "ledger"]),
    ("agent", &["callback", "config", "domain", "drive", "error", "fs_layout", "ledger", "verdict"]),
    ("api", &["agent", "callback", "config", "creation", "domain", "error", "fs_layout", "ledger", "provision", "verdict"]),
    ("creation", &["callback", "domain", "fs_layout", "provision"]),
    ("doctor", &["callback", "config", "domain", "drive", "error", "fs_layout", "ledger"]),
    ("embedded", &["config", "domain", "error", "fs_layout"]),
    ("drive", &["config", "domain", "error"]),
    ("fs_layout", &["config", "domain", "error"]),
    ("callback", &["config", "domain", "error"]),
    ("ledger", &["config", "domain", "error"]),
    ("config", &["domain", "error"]),
    ("domain", &[]),
    ("error", &[]),
    ("document", &[]),
    ("ui", &["document", "log"]),
    ("log", &[]),
    ("lib", &[]),
];

/// Outside names that have one home.
const HOMES: [(&str, &[&str]); 9] = [
    ("google_drive3", &["drive"]),
    ("yup_oauth2", &["drive"]),
    ("reqwest", &["drive/media", "callback"]),
    ("axum", &["api", "commands/demo/backend"]),
    ("notify", &["agent/wake"]),
    ("sd_notify", &["commands/service"]),
    ("indicatif", &["ui"]),
    ("sqlx", &["ledger"]),
    ("drive_emulator", &["embedded"]),
];

#[test]
fn arrows_go_down_only() {
    let may: BTreeMap<&str, &[&str]> = MAY_NAME.into_iter().collect();
    let mut wrong = Vec::new();
    for (path, text) in sources("src") {
        let room = room(&path);
        let allowed = may.get(room).unwrap_or_else(|| panic!("src/{room} is a new room: say in MAY_NAME what it may name"));
        for named in names_after(&text, "crate::") {
            if named != room && may.contains_key(named) && !allowed.contains(&named) {
                wrong.push(format!("{} names {named}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn outside_names_have_one_home() {
    let mut wrong = Vec::new();
    for (path, text) in sources("src") {
        for (name, homes) in HOMES {
            let used = names_crate(&text, name);
            let below = path.strip_prefix("src").expect("below src").with_extension("").display().to_string();
            if used && !homes.iter().any(|h| below == *h || below.starts_with(&format!("{h}/"))) {
                wrong.push(format!("{} names {name}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What nothing names is built, audited and brought up to date for nothing.
#[test]
fn every_dependency_is_named_in_the_sources_of_its_package() {
    let mut idle = Vec::new();
    for (package, table, folders) in [
        (".", "dependencies", &["src"][..]),
        (".", "dev-dependencies", &["src", "tests"]),
        ("crates/drive-emulator", "dependencies", &["crates/drive-emulator/src"]),
        ("crates/drive-emulator", "dev-dependencies", &["crates/drive-emulator/src", "crates/drive-emulator/tests"]),
    ] {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(package).join("Cargo.toml");
        let manifest: toml::Table = std::fs::read_to_string(file).expect("a manifest").parse().expect("TOML");
        let texts: Vec<String> = folders.iter().flat_map(|folder| sources(folder)).map(|(_, text)| text).collect();
        for name in manifest[table].as_table().expect("a table").keys() {
            // The one library that is not called like its package.
            let library = if name == "md-5" { "md5".to_owned() } else { name.replace('-', "_") };
            if !texts.iter().any(|text| names_crate(text, &library)) {
                idle.push(format!("{package}: {name}"));
            }
        }
    }
    assert!(idle.is_empty(), "nothing names {idle:?}");
}

#[test]
fn the_emulator_knows_nothing_of_tecnico() {
    for (path, text) in sources("crates/drive-emulator/src") {
        assert!(!text.contains("tecnico::"), "{} names tecnico", path.display());
    }
}

/// Whether the text names something of this crate, comments left out. `sd_notify::` is not `notify::`.
fn names_crate(text: &str, name: &str) -> bool {
    let path = format!("{name}::");
    let begins = |line: &str, at: usize| !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
    let names = |line: &str| line.match_indices(&path).any(|(at, _)| begins(line, at)) || line.trim() == format!("use {name};");
    text.lines().any(|line| !line.trim_start().starts_with("//") && names(line))
}

/// `src/drive/call.rs` → `drive`; `src/app.rs` → `app`.
fn room(path: &Path) -> &str {
    let first = path.components().nth(1).and_then(|c| c.as_os_str().to_str()).expect("a room");
    first.trim_end_matches(".rs")
}

/// The first name after each `prefix`, comments left out; `crate::{a, b::c}` gives `a` and `b`.
fn names_after<'t>(text: &'t str, prefix: &str) -> Vec<&'t str> {
    let mut names = Vec::new();
    for line in text.lines().filter(|l| !l.trim_start().starts_with("//")) {
        for (at, _) in line.match_indices(prefix) {
            let rest = &line[at + prefix.len()..];
            let list = rest.strip_prefix('{').map_or(rest, |r| r.trim_end_matches(['}', ';']));
            for part in if rest.starts_with('{') { list.split(',').collect() } else { vec![list] } {
                names.push(part.trim().split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default());
            }
        }
    }
    names
}
