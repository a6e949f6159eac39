//! Text from outside, as it is shown to people: names, reasons, paths.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::path::Path;

use super::technician::is_unprintable;

/// The text with whatever could move a cursor, turn a line round or hide written out (`\n`, `\u{202e}`). Everything a
/// person can see stays as it is, quotes and backslashes too, so that a name can be copied back into a command.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unprintable) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' => shown.extend(c.escape_default()),
            c if is_unprintable(c) => shown.extend(c.escape_unicode()),
            c => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

/// The same between quotation marks, for a sentence.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", visible(text))
}

/// So many, with the word for one or for many.
pub fn count<N: Copy + fmt::Display + PartialEq + From<u8>>(n: N, one: &str, many: &str) -> String {
    let word = if n == N::from(1) { one } else { many };
    format!("{n} {word}")
}

/// The text as one word that somebody types in a shell.
pub fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-+@:".contains(c);
    match visible(text) {
        Cow::Borrowed(_) if !text.is_empty() && text.chars().all(plain) => text.to_owned(),
        Cow::Borrowed(_) => format!("'{}'", text.replace('\'', r"'\''")),
        // bash, zsh and ksh read `\n` and `\u202e` between these.
        Cow::Owned(_) => format!("$'{}'", ansi_c(text)),
    }
}

/// The path as one word that somebody types in a shell.
pub fn shell_path(path: &Path) -> String {
    shell_word(&path.to_string_lossy())
}

/// The path with something after its last name, for what lies beside it: `ledger.db-wal`.
pub fn beside(path: &Path, suffix: &str) -> String {
    shell_word(&format!("{}{suffix}", path.display()))
}

/// The command that sets a damaged file aside, and keeps it.
pub fn sets_aside(path: &Path) -> String {
    format!("mv {} {}", shell_path(path), beside(path, ".damaged"))
}

fn ansi_c(text: &str) -> String {
    let mut word = String::new();
    for c in text.chars() {
        match c {
            '\'' | '\\' => word.extend(['\\', c]),
            '\n' | '\r' | '\t' => word.extend(c.escape_default()),
            // Writing to a string cannot fail.
            c if is_unprintable(c) => _ = write!(word, "\\U{:08x}", u32::from(c)),
            c => word.push(c),
        }
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_seen_stays() {
        for text in ["Zé d'Ávila.pdf", r#""João d'Ávila" C:\x"#, "e\u{301}.pdf", "工单 🧾.pdf", ""] {
            assert_eq!(visible(text), text);
        }
    }

    #[test]
    fn what_cannot_be_seen_is_written_out() {
        assert_eq!(visible("a\nb\t\u{1b}[31m"), r"a\nb\t\u{1b}[31m");
        assert_eq!(visible("\u{202e}fdp\u{200b}.\u{e0041}"), r"\u{202e}fdp\u{200b}.\u{e0041}");
    }

    #[test]
    fn a_shell_reads_the_word_as_it_was() {
        for text in ["a.pdf", "Zé d'Ávila.pdf", r#"a "b" C:\x $HOME `id`"#, "", "a\nb\u{1b}'\\", "-x"] {
            let script = format!("printf %s {}", shell_word(text));
            let ran = std::process::Command::new("bash").arg("-c").arg(&script).output().expect("bash runs");
            // A word that begins with - is the program's to take for one.
            assert_eq!(String::from_utf8_lossy(&ran.stdout), if text == "-x" { "-x" } else { text }, "{script}");
        }
    }
}
