//! `--help`, on the width of a small terminal.

use std::process::{Command, Stdio};

use clap::CommandFactory;
use tecnico::cli::Cli;

const WIDTH: usize = 80;

fn help(words: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tecnico"));
    let output = command.args(words).arg("--help").env("COLUMNS", WIDTH.to_string()).stdin(Stdio::null()).output().expect("runs");
    String::from_utf8(output.stdout).expect("text")
}

/// Every command that a person sees, as its words.
fn commands() -> Vec<Vec<String>> {
    fn below(command: &clap::Command, words: &[String], all: &mut Vec<Vec<String>>) {
        for sub in command.get_subcommands().filter(|c| !c.is_hide_set()) {
            let words = [words, &[sub.get_name().to_owned()]].concat();
            below(sub, &words, all);
            all.push(words);
        }
    }
    let mut all = vec![Vec::new()];
    below(&Cli::command(), &[], &mut all);
    all
}

#[test]
fn it_fits_and_its_paragraphs_are_broken_only_where_they_must_be() {
    let all = commands();
    assert!(all.len() > 20, "{all:?}");
    for words in all {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let text = help(&words);
        for line in text.lines() {
            assert!(line.chars().count() <= WIDTH, "{words:?}: {line}");
        }
        let about: Vec<&str> = text.lines().take_while(|l| !l.starts_with("Usage:")).collect();
        for pair in about.windows(2).filter(|p| p.iter().all(|l| !l.is_empty() && !l.starts_with(' '))) {
            let next = pair[1].split(' ').next().unwrap_or_default();
            assert!(pair[0].chars().count() + 1 + next.chars().count() > WIDTH, "{words:?} is broken after {:?}", pair[0]);
        }
    }
}

#[test]
fn what_every_command_takes_is_explained_once_and_named_everywhere() {
    let whole = help(&[]);
    assert!(whole.contains("Global options:") && whole.contains("Never ask"), "{whole}");
    for words in [&["why"][..], &["callbacks", "retry"], &["create"]] {
        let text = help(words);
        assert!(!text.contains("Never ask"), "{text}");
        assert!(text.contains("--sandbox") && text.contains("--json") && text.contains("tecnico --help"), "{text}");
    }
}

#[test]
fn process_says_what_it_may_be_given() {
    let ran = Command::new(env!("CARGO_BIN_EXE_tecnico")).arg("process").output().expect("runs");
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(
        ran.status.code() == Some(64) && said.contains("tecnico process") && said.contains("--all") && said.contains("--file ID"),
        "{said}"
    );
}
