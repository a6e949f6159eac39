//! Holds README and docs true: links, command lines, error codes, translations, and the receivers of the backend's page.

mod receivers;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Parser;
use tecnico::cli::Cli;

/// README and every page below docs, with its text.
fn pages() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages = vec![root.join("README.md"), root.join("ARCHITECTURE.md"), root.join("CONTRIBUTING.md")];
    for folder in ["docs", "docs/pt"] {
        let entries = std::fs::read_dir(root.join(folder)).expect(folder).flatten();
        pages.extend(entries.map(|e| e.path()).filter(|p| p.extension().is_some_and(|e| e == "md")));
    }
    pages.into_iter().map(|path| (path.clone(), std::fs::read_to_string(&path).expect("readable"))).collect()
}

fn page(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name)).expect(name)
}

/// The lines of a page's blocks of this kind, without what they are indented by in a list.
fn blocks(text: &str, kind: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut indent = None;
    for line in text.lines() {
        match indent {
            None if line.trim_start() == format!("```{kind}") => indent = Some(line.len() - line.trim_start().len()),
            Some(_) if line.trim_start().starts_with("```") => indent = None,
            Some(n) => lines.push(line.get(n..).unwrap_or_default().to_owned()),
            None => {}
        }
    }
    lines
}

#[test]
fn every_relative_link_leads_somewhere() {
    let mut broken = Vec::new();
    for (path, text) in pages() {
        for (at, _) in text.match_indices("](") {
            let target = text[at + 2..].split(')').next().unwrap_or_default();
            let file = target.split('#').next().unwrap_or_default();
            if target.contains("://") || file.is_empty() {
                continue;
            }
            if !path.parent().expect("a folder").join(file).exists() {
                broken.push(format!("{}: {target}", path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_command_shown_is_one() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for (path, text) in pages() {
        for line in blocks(&text, "console") {
            let Some(command) = line.strip_prefix("$ ") else { continue };
            let command = command.strip_prefix("sudo -u tecnico ").or(command.strip_prefix("sudo ")).unwrap_or(command);
            let Some(arguments) = command.strip_prefix("tecnico ") else { continue };
            seen += 1;
            if let Err(fault) = Cli::try_parse_from(std::iter::once("tecnico".to_owned()).chain(words(arguments))) {
                wrong.push(format!("{}: {line}\n{fault}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen > 40, "only {seen} command lines were found: is the search at fault?");
}

/// The words of a command line up to the first pipe or redirection.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for c in line.chars() {
        match (quote, c) {
            (None, '|' | '>' | '<') => break,
            (None, '"' | '\'') => quote = Some(c),
            (Some(q), c) if q == c => quote = None,
            (None, ' ') => words.push(String::new()),
            (_, c) => words.last_mut().expect("one").push(c),
        }
    }
    words.retain(|w| !w.is_empty());
    words
}

#[test]
fn every_error_stands_in_both_pages_and_none_that_is_not() {
    let real = codes();
    assert!(real.len() > 100, "only {} codes were found: is the search at fault?", real.len());
    for name in ["troubleshooting.md", "pt/troubleshooting.md"] {
        let text = page(name);
        let listed = text.lines().filter_map(|l| l.strip_prefix("| `")?.split('`').next()).map(str::to_owned);
        let mut told = BTreeSet::new();
        for code in listed {
            assert!(told.insert(code.clone()), "docs/{name} has {code} twice");
        }
        let missing: Vec<_> = real.difference(&told).collect();
        let unknown: Vec<_> = told.difference(&real).collect();
        assert!(
            missing.is_empty() && unknown.is_empty(),
            "docs/{name}: add a line for each of {missing:?}, what it means and what mends it; take out {unknown:?}, which src does not name"
        );
    }
}

/// The stable codes in the source: the word after an exit code, or the first of the few functions that take one.
fn codes() -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = open.pop() {
        for path in std::fs::read_dir(folder).expect("a folder").flatten().map(|e| e.path()) {
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            for (at, _) in text.match_indices("Exit::") {
                let rest = text[at + 6..].trim_start_matches(char::is_alphanumeric);
                codes.extend(rest.strip_prefix(',').and_then(code));
            }
            for before in ["refused(", "wrong(", "defect(", "code: ", "missing: ", "unreadable: ", "open: "] {
                let after = text.match_indices(before).map(|(at, _)| &text[at + before.len()..]);
                // A sentence in the same place is followed by no more arguments.
                codes.extend(after.filter_map(|rest| code(rest).filter(|code| rest.trim_start().starts_with(&format!("\"{code}\",")))));
            }
        }
    }
    codes
}

/// The string literal that a text begins with, where it could be a code.
fn code(text: &str) -> Option<String> {
    let word = text.trim_start().strip_prefix('"')?.split('"').next()?;
    let fits = !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    fits.then(|| word.to_owned())
}

#[test]
fn the_portuguese_pages_show_the_same_commands() {
    for name in ["install.md", "operate.md", "troubleshooting.md"] {
        let (english, portuguese) = (page(name), page(&format!("pt/{name}")));
        for kind in ["console", "json", "text", "toml"] {
            assert_eq!(blocks(&portuguese, kind), blocks(&english, kind), "{kind} blocks of docs/pt/{name}");
        }
        let headings = |text: &str| text.lines().filter(|l| l.starts_with('#')).count();
        assert_eq!(headings(&portuguese), headings(&english), "sections of docs/pt/{name}");
    }
}
