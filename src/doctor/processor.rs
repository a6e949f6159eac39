//! The program that judges: whether it can be started, and what it says to a file.

use std::io::Read;
use std::path::{Path, PathBuf};

use rustix::fs::Access;

use super::{Finding, Findings};
use crate::config::Settings;
use crate::config::settings::Mode;

/// The longest first line of a script that Linux reads.
const FIRST_LINE: u64 = 256;

/// Whether the program that judges can be started. What it does to a file only a trial tells (`--try-file`): it may
/// have effects elsewhere, so nothing runs unless a file is given for it.
pub fn processor(settings: &Settings) -> Findings {
    let Some(program) = settings.process.command.first() else {
        let message = match settings.process.mode {
            Mode::External => "another program takes the files from the local novos (process.mode = \"external\")",
            Mode::Command => "no program judges the files: fetching them is all there is (process.command is empty)",
        };
        return vec![Finding::good("processor", message)];
    };
    vec![judge(program, std::env::var_os("PATH").as_deref())]
}

fn judge(program: &str, path: Option<&std::ffi::OsStr>) -> Finding {
    let Some(found) = find_program(program, path) else {
        let message = format!("process.command names {program:?}, which is no program this user can start");
        let name = program.rsplit('/').next().unwrap_or(program);
        let fix = if Path::new(program).is_file() {
            format!("chmod +x '{program}'")
        } else {
            format!("install it, or correct its path: command = [\"/usr/local/bin/{name}\"]")
        };
        return Finding::problem("processor", message, fix);
    };
    let shown = found.display();
    match interpreter(&found) {
        Some(line) if line.ends_with('\r') => {
            let message = format!("the lines of {shown} end as on Windows, so its first one names no program");
            Finding::problem("processor", message, format!("sed -i 's/\\r$//' '{shown}'"))
        }
        Some(line) if !starts(&line, path) => {
            let message = format!("the first line of {shown} names {line:?}, which is no program here");
            Finding::problem("processor", message, "install it, or correct that line")
        }
        _ => Finding::good("processor", format!("{shown} can be started (to see it judge: `tecnico doctor --try-file FILE`)")),
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
fn starts(line: &str, path: Option<&std::ffi::OsStr>) -> bool {
    let mut words = line.split([' ', '\t']);
    let first = words.next().unwrap_or_default();
    let named = words.find(|w| !w.starts_with('-') && !w.contains('='));
    match named {
        Some(named) if first.ends_with("/env") => find_program(first, path).is_some() && find_program(named, path).is_some(),
        _ => find_program(first, path).is_some(),
    }
}

/// The file that a name without a shell leads to.
fn find_program(program: &str, path: Option<&std::ffi::OsStr>) -> Option<PathBuf> {
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
        let path = Some(std::ffi::OsStr::new("/nowhere:/bin:/usr/bin"));
        assert!(find_program("sh", path).is_some() && find_program("/bin/sh", None).is_some());
        for none in ["no-such-program", "/etc/passwd", "/bin", ""] {
            assert_eq!(find_program(none, path), None, "{none}");
        }
    }

    #[test]
    fn a_script_needs_what_its_first_line_names() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = Some(std::ffi::OsStr::new("/bin:/usr/bin"));
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
            let finding = judge(&script.display().to_string(), path);
            let good = finding.verdict == Verdict::Good;
            assert!(says.map_or(good, |s| !good && finding.message.contains(s)), "{line:?}: {finding:?}");
        }
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o644)).expect("changed");
        let finding = judge(&script.display().to_string(), path);
        assert_eq!(finding.fix.as_deref(), Some(format!("chmod +x '{}'", script.display()).as_str()));
    }
}
