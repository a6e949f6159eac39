//! What `tecnico --version` says about where the program comes from.
//!
//! A release names its commit: $TECNICO_COMMIT, or the file that `git archive` filled in, or the repository. The same source
//! gives the same answer everywhere. A development build names none, so that a commit rebuilds nothing.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=packaging/commit");
    println!("cargo::rerun-if-env-changed=TECNICO_COMMIT");
    let release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let commit = given().or_else(archived).or_else(|| if release { checked_out() } else { None });
    let built = match commit {
        Some(commit) => format!("commit {commit}"),
        None if release => "commit unknown".to_owned(),
        None => "development build".to_owned(),
    };
    let target = std::env::var("TARGET").unwrap_or_default();
    println!("cargo::rustc-env=TECNICO_BUILT={built}, {target}");
}

fn given() -> Option<String> {
    std::env::var("TECNICO_COMMIT").ok().and_then(|text| commit(&text))
}

/// `.gitattributes` has `git archive` put the commit in place of the format.
fn archived() -> Option<String> {
    std::fs::read_to_string("packaging/commit").ok().and_then(|text| commit(&text))
}

fn checked_out() -> Option<String> {
    println!("cargo::rerun-if-changed=.git/HEAD");
    println!("cargo::rerun-if-changed=.git/logs/HEAD");
    let output = Command::new("git").args(["rev-parse", "HEAD"]).output().ok()?;
    commit(&String::from_utf8_lossy(&output.stdout))
}

/// The first twelve digits of what is a commit.
fn commit(text: &str) -> Option<String> {
    let text = text.trim();
    (text.len() >= 12 && text.chars().all(|c| c.is_ascii_hexdigit())).then(|| text[..12].to_owned())
}
