//! The committed man pages are those the program writes, and a reader of man pages finds no fault in them.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

fn pages_in(dir: &Path) -> BTreeMap<String, String> {
    let read = std::fs::read_dir(dir).expect("a directory of man pages: `mkdir man && cargo run -- man man`").flatten();
    read.map(|e| (e.file_name().to_string_lossy().into_owned(), std::fs::read_to_string(e.path()).expect("a page"))).collect()
}

fn committed() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/man"))
}

#[test]
fn the_pages_are_those_the_program_writes() {
    let dir = tempfile::tempdir().expect("a directory");
    let status = Command::new(env!("CARGO_BIN_EXE_tecnico")).arg("man").arg(dir.path()).status().expect("starts");
    assert!(status.success());
    let (written, committed) = (pages_in(dir.path()), pages_in(committed()));
    for name in written.keys().chain(committed.keys()) {
        assert!(written.get(name) == committed.get(name), "man/{name} is stale: `rm man/*; cargo run -- man man`");
    }
}

#[test]
fn every_command_and_the_settings_have_a_page() {
    let pages = pages_in(committed());
    let help = Command::new(env!("CARGO_BIN_EXE_tecnico")).arg("-h").output().expect("starts");
    let help = String::from_utf8(help.stdout).expect("text");
    let commands = help.lines().skip_while(|l| *l != "Commands:").skip(1).take_while(|l| l.starts_with("  "));
    let mut seen = 0;
    // Lines that go on where a long one was broken are indented further.
    let commands = commands.filter(|l| !l.starts_with("   ")).filter_map(|l| l.split_whitespace().next());
    for command in commands.filter(|c| *c != "help") {
        assert!(pages.contains_key(&format!("tecnico-{command}.1")), "{command} has no page");
        seen += 1;
    }
    assert!(seen > 5 && pages.contains_key("tecnico.1") && pages.contains_key("tecnico-config.5"), "{help}");
}

#[test]
fn mandoc_has_nothing_to_say() {
    let mut files: Vec<_> = pages_in(committed()).into_keys().collect();
    files.sort();
    let lint = Command::new("mandoc").args(["-T", "lint"]).args(&files).current_dir(committed()).output();
    let lint = lint.expect("mandoc is missing: run scripts/test, which installs what the tests need");
    assert!(lint.status.success() && lint.stdout.is_empty(), "{}", String::from_utf8_lossy(&lint.stdout));
}
