//! The program that judges: whether it can be started, and what it says to a file.

use std::ffi::OsStr;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use rustix::fs::Access;

use super::{Finding, Findings};
use crate::config::settings::Mode;
use crate::config::{self, Settings};
use crate::domain::text::shell_path;

/// The longest first line of a script that Linux reads.
const FIRST_LINE: u64 = 256;

/// Whether the program that judges can be started. What it does to a file only a trial tells (`--try-file`): it may
/// have effects elsewhere, so nothing runs unless a file is given for it.
pub fn processor(settings: &Settings) -> Findings {
    let command = &settings.process.command;
    match (settings.process.mode, command.first()) {
        (Mode::External, _) => {
            vec![Finding::good("processor", "another program takes the files from the local novos (process.mode = \"external\")")]
        }
        (Mode::Command, None) => vec![Finding::warning(
            "processor",
            "no command: every file is filed as processado unread (process.command is empty)",
            "name the program that judges them in the config, under [process]: command = [\"/usr/local/bin/judge\", \"{path}\"]",
        )],
        (Mode::Command, Some(program)) => vec![judge(program, command, std::env::var_os("PATH").as_deref())],
    }
}

fn judge(program: &str, command: &[String], path: Option<&OsStr>) -> Finding {
    let Some(found) = find_program(program, path) else { return missing(program, command, path) };
    let shown = found.display();
    match interpreter(&found) {
        Some(line) if line.ends_with('\r') => {
            let message = format!("the lines of {shown} end as on Windows, so its first one names no program");
            Finding::problem("processor", message, format!("sudo sed -i 's/\\r$//' {}", shell_path(&found)))
        }
        Some(line) if !starts(&line, path) => {
            let message = format!("the first line of {shown} names {line:?}, which is no program here");
            Finding::problem("processor", message, "install it, or correct that line")
        }
        _ => Finding::good("processor", format!("{shown} can be started (to see it judge: `tecnico doctor --try-file FILE`)")),
    }
}

/// Why there is no such program, and what makes one. The other words of the command stay as they are.
fn missing(program: &str, command: &[String], path: Option<&OsStr>) -> Finding {
    let problem = |why: String, fix: String| Finding::problem("processor", format!("process.command names {program:?}, {why}"), fix);
    if !program.contains('/') {
        let whole: Vec<String> = std::iter::once(format!("/WHERE/IT/IS/{program}")).chain(command.iter().skip(1).cloned()).collect();
        let looked = path.unwrap_or_default().to_string_lossy().into_owned();
        let fix = format!("install it in one of these, or write its whole path: command = {}", config::array(&whole));
        return problem(format!("which is in no folder of PATH ({looked})"), fix);
    }
    let (at, shown) = (Path::new(program), shell_path(Path::new(program)));
    match at.metadata() {
        Ok(found) if found.is_file() => problem("which this user may not start".into(), format!("sudo chmod a+rx {shown}")),
        Ok(_) => problem("which is no file".into(), "name the program itself in process.command".into()),
        Err(e) if e.kind() == ErrorKind::PermissionDenied => {
            problem("which lies in a folder that this user may not enter".into(), format!("`namei -l {shown}` shows which one"))
        }
        Err(e) if e.kind() == ErrorKind::NotFound => {
            problem("which does not exist".into(), "put the program there, or correct its path in process.command".into())
        }
        Err(e) => problem(format!("which cannot be looked at: {e}"), format!("`namei -l {shown}` shows what is on the way")),
    }
}

/// What the first line of a script names, behind `#!`.
fn interpreter(program: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    std::fs::File::open(program).ok()?.take(FIRST_LINE).read_to_end(&mut bytes).ok()?;
    let line = bytes.strip_prefix(b"#!")?.split(|b| *b == b'\n').next()?;
    Some(String::from_utf8_lossy(line).trim_matches(' ').to_owned())
}

/// Whether this is the start of a program; behind `env`, whether that finds it.
fn starts(line: &str, path: Option<&OsStr>) -> bool {
    let mut words = line.split([' ', '\t']);
    let first = words.next().unwrap_or_default();
    let named = words.find(|w| !w.starts_with('-') && !w.contains('='));
    match named {
        Some(named) if first.ends_with("/env") => find_program(first, path).is_some() && find_program(named, path).is_some(),
        _ => find_program(first, path).is_some(),
    }
}

/// The file that a name without a shell leads to.
fn find_program(program: &str, path: Option<&OsStr>) -> Option<PathBuf> {
    let can_run = |p: &PathBuf| p.is_file() && rustix::fs::access(p, Access::EXEC_OK).is_ok();
    if program.contains('/') {
        return Some(PathBuf::from(program)).filter(can_run);
    }
    std::env::split_paths(path?).map(|dir| dir.join(program)).find(can_run)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn a_program_is_found_as_it_would_be_started() {
        let path = Some(OsStr::new("/nowhere:/bin:/usr/bin"));
        assert!(find_program("sh", path).is_some() && find_program("/bin/sh", None).is_some());
        for none in ["no-such-program", "/etc/passwd", "/bin", ""] {
            assert_eq!(find_program(none, path), None, "{none}");
        }
    }

    #[test]
    fn a_script_needs_what_its_first_line_names() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = Some(OsStr::new("/bin:/usr/bin"));
        let script = dir.path().join("judge");
        for (line, says) in [
            ("#!/bin/sh", None),
            ("#! /usr/bin/env sh", None),
            ("#!/usr/bin/env -S sh -e", None),
            ("#!/bin/sh\r", Some("end as on Windows")),
            ("#!/usr/bin/env no-such-program", Some("no-such-program")),
            ("#!/opt/none/python3", Some("/opt/none/python3")),
        ] {
            std::fs::write(&script, format!("{line}\nexit 0\n")).expect("written");
            std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).expect("changed");
            let finding = judge(&script.display().to_string(), &[], path);
            let good = finding.verdict == Verdict::Good;
            assert!(says.map_or(good, |s| !good && finding.message.contains(s)), "{line:?}: {finding:?}");
        }
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o644)).expect("changed");
        let finding = judge(&script.display().to_string(), &[], path);
        assert_eq!(finding.fix.as_deref(), Some(format!("sudo chmod a+rx {}", script.display()).as_str()));
    }

    #[test]
    fn a_missing_program_is_told_with_where_it_was_looked_for_and_the_mend_keeps_the_arguments() {
        let command = ["judge-x", "--strict", "{path}"].map(String::from);
        let finding = judge("judge-x", &command, Some(OsStr::new("/bin:/usr/bin")));
        assert!(finding.message.contains("PATH (/bin:/usr/bin)"), "{finding:?}");
        assert!(finding.fix.is_some_and(|f| f.contains(r#"["/WHERE/IT/IS/judge-x", "--strict", "{path}"]"#)));
        let finding = judge("/usr/local/bin/no-judge", &command, None);
        assert!(finding.message.contains("does not exist") && finding.fix.is_some_and(|f| !f.contains("/usr/local")), "proposes itself");
    }
}
