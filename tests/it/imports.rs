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
    let wrong: Vec<String> = sources("src").iter().flat_map(|(path, text)| against_the_arrows(path, text)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_arrow_that_goes_up_is_seen_however_it_is_written() {
    let seen = |path: &str, text: &str| against_the_arrows(Path::new(path), text).len();
    for up in [
        "use crate::agent::Plan;",
        "use crate::{domain::clock, agent::{Plan, Scope}};",
        "use crate::{\n    domain::{clock, folder},\n    agent::Plan,\n};",
        "use super::super::agent::Plan;",
        "use super::super::{\n    domain::clock,\n    agent,\n};",
        "use super::{super::agent, entry};",
        "fn run() {\n    crate::agent::run();\n}",
        "mod tests {\n    use super::super::super::agent::Plan;\n}",
    ] {
        assert_eq!(seen("src/drive/call.rs", up), 1, "{up}");
    }
    for (path, down) in [
        ("src/drive/call.rs", "use crate::{domain::agent, error::{agent, Exit}};\n// crate::agent\nuse super::agent;"),
        ("src/drive/media/upload.rs", "use super::super::agent;"),
        ("src/drive/call.rs", "mod tests {\n    use super::super::agent;\n}\nuse super::super::error::Exit;"),
        ("src/drive/mod.rs", "use super::domain::clock;"),
    ] {
        assert_eq!(seen(path, down), 0, "{path}: {down}");
    }
    assert_eq!(seen("src/drive/media/upload.rs", "use super::super::super::agent;"), 1);
    assert_eq!(seen("src/drive/mod.rs", "use super::agent;"), 1);
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

/// What this file names and may not.
fn against_the_arrows(path: &Path, text: &str) -> Vec<String> {
    let may: BTreeMap<&str, &[&str]> = MAY_NAME.into_iter().collect();
    let room = room(path);
    let allowed = may.get(room).unwrap_or_else(|| panic!("src/{room} is a new room: say in MAY_NAME what it may name"));
    let named = rooms_named(path, text).into_iter().filter(|n| n != room && may.contains_key(&**n) && !allowed.contains(&&**n));
    named.map(|name| format!("{} names {name}", path.display())).collect()
}

/// The names right below the crate that a file reaches, by `crate::` or by as many `super::` as its module is deep.
fn rooms_named(path: &Path, text: &str) -> Vec<String> {
    let below = path.strip_prefix("src").expect("below src").with_extension("");
    let of_file = below.components().filter(|c| !["mod", "main", "lib"].iter().any(|n| c.as_os_str() == *n)).count();
    let code: String = text.split_inclusive('\n').filter(|l| !l.trim_start().starts_with("//")).collect();
    let mut names = Vec::new();
    // The indents of the modules that are open at a line.
    let mut open: Vec<usize> = Vec::new();
    let mut at = 0;
    for line in code.split_inclusive('\n') {
        let (words, indent) = (line.trim(), line.len() - line.trim_start().len());
        for (begin, depth) in [("crate::", 0), ("super::", of_file + open.len())] {
            let starts = line.match_indices(begin).filter(|(n, _)| !line[..*n].ends_with(|c: char| c.is_alphanumeric() || c == '_'));
            for (n, _) in starts.filter(|(n, _)| !line[..*n].ends_with("super::")) {
                reached(&code[at + n + begin.len()..], depth.saturating_sub(1), &mut names);
            }
        }
        if words == "}" && open.last() == Some(&indent) {
            open.pop();
        } else if words.ends_with('{') && words.trim_start_matches("pub ").starts_with("mod ") {
            open.push(indent);
        }
        at += line.len();
    }
    names
}

/// The names that follow once `above` more modules are left: `{a, b::c}` gives `a` and `b`.
fn reached(rest: &str, above: usize, names: &mut Vec<String>) {
    if let Some(list) = rest.strip_prefix('{') {
        items(list).for_each(|item| reached(item, above, names));
    } else if above == 0 {
        names.push(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
    } else if let Some(rest) = rest.strip_prefix("super::") {
        reached(rest, above - 1, names);
    }
}

/// The items of a list up to its closing brace, those of lists inside left where they are.
fn items(list: &str) -> impl Iterator<Item = &str> {
    let (mut depth, mut begin, mut items) = (0, 0, Vec::new());
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            ',' | '}' if depth == 0 => {
                items.push(list[begin..at].trim_start());
                begin = at + 1;
            }
            '}' => depth -= 1,
            _ => {}
        }
        if c == '}' && depth == 0 && begin == at + 1 {
            break;
        }
    }
    items.into_iter()
}
