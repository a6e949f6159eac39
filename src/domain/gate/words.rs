//! From one line of text to words, as a shell would split it, without anything else a shell does.
//!
//! Quotes and backslashes only group and protect. Whatever would make a shell act (expand, run, redirect, match
//! files) is refused rather than taken literally: who wrote it expected something that will not happen.

use super::Why;
use crate::domain::technician::is_unprintable;
use crate::domain::text::shell_word;

/// The longest command line, in bytes. The longest honest one (a name, an address, a callback) stays below 1 KiB.
pub const LINE_BYTES: usize = 8 * 1024;

/// What makes a shell act outside quotes.
const ACTIVE: &str = "$`;&|<>(){}[]*?!#~^=%";

/// Splits a command line into words.
pub fn words(line: &str) -> Result<Vec<String>, Why> {
    if line.len() > LINE_BYTES {
        return Err(Why::TooLong);
    }
    if line.chars().any(|c| is_unprintable(c) && c != '\t') {
        return Err(Why::Unprintable);
    }
    let mut words = Vec::new();
    let mut rest = line.chars();
    // The word being read; `""` is a word too, so it is not the same as an empty string.
    let mut word: Option<String> = None;
    while let Some(c) = rest.next() {
        match c {
            ' ' | '\t' => words.extend(word.take()),
            '\'' => single(&mut rest, word.get_or_insert_default())?,
            '"' => double(&mut rest, word.get_or_insert_default())?,
            '\\' => word.get_or_insert_default().push(rest.next().ok_or(Why::Unfinished)?),
            // A shell gives these a meaning at the start of a word only; `--flag=value` and `a~b` are plain words.
            '=' | '~' | '#' | '%' | '^' if word.is_some() => word.get_or_insert_default().push(c),
            c if ACTIVE.contains(c) => return Err(Why::Shell(c)),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

/// Up to the closing `'`: every character stands for itself.
fn single(rest: &mut std::str::Chars<'_>, word: &mut String) -> Result<(), Why> {
    for c in rest {
        if c == '\'' {
            return Ok(());
        }
        word.push(c);
    }
    Err(Why::Unfinished)
}

/// Up to the closing `"`: a backslash protects `"`, `\`, `$` and `` ` `` and stands for itself before anything else.
fn double(rest: &mut std::str::Chars<'_>, word: &mut String) -> Result<(), Why> {
    while let Some(c) = rest.next() {
        match c {
            '"' => return Ok(()),
            '$' | '`' => return Err(Why::Shell(c)),
            '\\' => match rest.next().ok_or(Why::Unfinished)? {
                protected @ ('"' | '\\' | '$' | '`') => word.push(protected),
                plain => word.extend(['\\', plain]),
            },
            c => word.push(c),
        }
    }
    Err(Why::Unfinished)
}

/// Writes words so that [`words`] reads them back, for messages and tests.
pub fn quoted(words: &[String]) -> String {
    words.iter().map(|w| shell_word(w)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(line: &str) -> Result<Vec<String>, Why> {
        words(line)
    }

    #[test]
    fn words_are_split_as_a_shell_splits_them() {
        for (line, expected) in [
            ("create 42", &["create", "42"][..]),
            ("  create\t 42  ", &["create", "42"]),
            ("--name 'Ana Maria'", &["--name", "Ana Maria"]),
            ("--name=\"Ana Maria\"", &["--name=Ana Maria"]),
            (r"--name Ana\ Maria", &["--name", "Ana Maria"]),
            ("a''b '' \"\"", &["ab", "", ""]),
            (r#""a\"b\\c\$d" 'e\f$`;'"#, &["a\"b\\c$d", r"e\f$`;"]),
            (r"it\'s \; \$x", &["it's", ";", "$x"]),
            (r#""\a""#, &[r"\a"]),
            ("joão@example.com", &["joão@example.com"]),
            ("", &[]),
        ] {
            assert_eq!(split(line).as_deref(), Ok(expected.iter().map(ToString::to_string).collect::<Vec<_>>().as_slice()), "{line}");
        }
    }

    #[test]
    fn what_a_shell_would_act_on_is_refused() {
        for line in [
            "list; id",
            "list && id",
            "list | id",
            "list > f",
            "list < f",
            "list & id",
            "$(id)",
            "`id`",
            "\"$(id)\"",
            "\"`id`\"",
            "${HOME}",
            "list $HOME",
            "list *",
            "list ?",
            "list [a]",
            "list {a,b}",
            "!!",
            "list ~/x",
            "list #x",
            "(list)",
        ] {
            assert!(matches!(split(line), Err(Why::Shell(_))), "{line}: {:?}", split(line));
        }
    }

    #[test]
    fn what_a_person_would_not_see_is_refused() {
        for line in ["list\nid", "list\rid", "list\0id", "list \u{1b}[2J", "list \u{202e}di", "'list\nid'", "list\\\nid", "li\u{200b}st"] {
            assert_eq!(split(line), Err(Why::Unprintable), "{line:?}");
        }
    }

    #[test]
    fn open_quotes_and_endless_lines_are_refused() {
        for line in ["'a", "\"a", "a\\", "\"a\\", "a 'b c"] {
            assert_eq!(split(line), Err(Why::Unfinished), "{line:?}");
        }
        assert_eq!(split(&"a".repeat(LINE_BYTES + 1)), Err(Why::TooLong));
        assert!(split(&"a".repeat(LINE_BYTES)).is_ok());
    }

    proptest! {
        #[test]
        fn any_line_is_words_or_refused(line in any::<String>()) {
            if let Ok(words) = words(&line) {
                let length: usize = words.iter().map(String::len).sum();
                prop_assert!(length <= line.len(), "words never grow");
                prop_assert!(words.iter().all(|w| !w.chars().any(|c| c.is_control() && c != '\t')));
            }
        }

        #[test]
        fn quoting_brings_every_word_back(list in proptest::collection::vec("[ -~ãéç]{0,20}", 0..8)) {
            prop_assert_eq!(words(&quoted(&list)), Ok(list));
        }

        #[test]
        fn an_unquoted_shell_character_is_never_let_through(before in "[a-z ]{0,10}", c in "[$`;&|<>(){}*?!]", after in "[a-z ]{0,10}") {
            let line = format!("{before}{c}{after}");
            prop_assert!(words(&line).is_err());
        }
    }
}
