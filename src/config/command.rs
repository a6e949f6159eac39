//! `process.command`: what can be told of it before it runs. A program that does not learn which file it is to judge
//! refuses the good ones as well.

use super::settings::Mode;

/// What is filled in.
const KNOWN: [&str; 3] = ["{path}", "{user}", "{file_id}"];
/// How like a known placeholder one must be to be taken for a slip of the pen.
const LIKE: f64 = 0.7;

/// What is wrong with a command, and what mends it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub why: String,
    pub hint: String,
}

/// Words as the config writes them.
pub fn array(words: &[String]) -> String {
    toml::Value::Array(words.iter().cloned().map(toml::Value::String).collect()).to_string()
}

/// The fault of a command that could never do what it is for.
pub(super) fn fault(command: &[String], mode: Mode) -> Option<Wrong> {
    let [program, arguments @ ..] = command else { return None };
    let wrong = |why: String, hint: String| Some(Wrong { why, hint });
    let has_path = arguments.iter().any(|a| placeholders(a).any(|p| p == "{path}"));
    if program.trim().is_empty() {
        let whole = with_path(&["/usr/local/bin/judge".to_owned()], arguments, has_path);
        return wrong("its first word is empty, and has to be the program".into(), format!("command = {whole}; no program at all: []"));
    }
    if let Some(first) = placeholders(program).next() {
        return wrong(
            format!("{first} in the program itself is not filled in"),
            "name the program, and give it to that as an argument".into(),
        );
    }
    if let Some(unknown) = arguments.iter().flat_map(|a| placeholders(a)).find(|p| !KNOWN.contains(p)) {
        let why = format!("{unknown} is not filled in; {} and {} are", KNOWN[..2].join(", "), KNOWN[2]);
        let hint = match meant(unknown).or((!has_path).then_some("{path}")) {
            Some(meant) => format!("command = {}", array(&command.iter().map(|w| w.replace(unknown, meant)).collect::<Vec<_>>())),
            None => "take it out; braces that are meant as such have a blank inside: { print }".to_owned(),
        };
        return wrong(why, hint);
    }
    if let Some((word, closed)) = arguments.iter().find_map(|a| Some((a, closed(a)?))).filter(|_| mode == Mode::Command && !has_path) {
        let whole = array(&command.iter().map(|w| if w == word { closed.clone() } else { w.clone() }).collect::<Vec<_>>());
        return wrong(format!("the braces of {word:?} have only one end"), format!("command = {whole}"));
    }
    if mode == Mode::Command && !has_path {
        let whole = with_path(std::slice::from_ref(program), arguments, false);
        return wrong("there is no {path} in it, so the program would not learn which file to judge".into(), format!("command = {whole}"));
    }
    None
}

/// The known placeholder that a slip of the pen stands for.
fn meant(unknown: &str) -> Option<&'static str> {
    let bare = |p: &str| p.trim_matches(['{', '}']).to_lowercase();
    let likeness = |known: &str| strsim::jaro_winkler(&bare(unknown), &bare(known));
    KNOWN.into_iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b))).filter(|known| likeness(known) > LIKE)
}

/// The word with the brace that one of ours lacks at its end or its beginning: `{path`, `--in={path`, `path}`.
fn closed(word: &str) -> Option<String> {
    let (open, close) = (word.matches('{').count(), word.matches('}').count());
    let known = |half: &dyn Fn(&str) -> bool, text: String| KNOWN.into_iter().any(half).then_some(text);
    match (open, close) {
        (1, 0) => known(&|k| word.ends_with(&k[..k.len() - 1]), format!("{word}}}")),
        (0, 1) => known(&|k| word == &k[1..], format!("{{{word}")),
        _ => None,
    }
}

fn with_path(program: &[String], arguments: &[String], has_path: bool) -> String {
    let path = (!has_path).then(|| "{path}".to_owned());
    array(&program.iter().chain(arguments).cloned().chain(path).collect::<Vec<_>>())
}

/// Words in braces, except the shell's own `${word}`.
fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices('{').filter_map(|(at, _)| {
        let rest = &text[at..];
        let end = rest.find('}')?;
        let name = &rest[1..end];
        let is_name = name.starts_with(|c: char| c.is_alphabetic()) && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
        (is_name && !text[..at].ends_with('$')).then(|| &rest[..=end])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(words: &[&str]) -> Option<(String, String)> {
        let words: Vec<String> = words.iter().map(ToString::to_string).collect();
        fault(&words, Mode::Command).map(|w| (w.why, w.hint))
    }

    #[test]
    fn a_command_that_does_not_name_the_file_is_refused_and_its_mend_keeps_the_other_words() {
        for (words, why, hint) in [
            (&["/usr/local/bin/judge"][..], "no {path}", r#"command = ["/usr/local/bin/judge", "{path}"]"#),
            (&["judge", "--strict"], "no {path}", r#"command = ["judge", "--strict", "{path}"]"#),
            (
                &["judge", "-v", "{pth}"],
                "{pth} is not filled in; {path}, {user} and {file_id} are",
                r#"command = ["judge", "-v", "{path}"]"#,
            ),
            (&["judge", "{PATH}"], "{PATH} is not", r#"command = ["judge", "{path}"]"#),
            (&["judge", "{name}"], "{name} is not", r#"command = ["judge", "{path}"]"#),
            (&["judge", "{path}", "{fileid}"], "{fileid} is not", r#"command = ["judge", "{path}", "{file_id}"]"#),
            (&["judge", "{path}", "{zzz}"], "{zzz} is not", "take it out"),
            (&["judge", "{path"], r#""{path" have only one end"#, r#"command = ["judge", "{path}"]"#),
            (&["judge", "--in={path"], "only one end", r#"command = ["judge", "--in={path}"]"#),
            (&["judge", "-v", "path}"], "only one end", r#"command = ["judge", "-v", "{path}"]"#),
            (&[""], "first word is empty", r#"command = ["/usr/local/bin/judge", "{path}"]"#),
            (&["", "-x", "{path}"], "first word is empty", r#"command = ["/usr/local/bin/judge", "-x", "{path}"]"#),
            (&["{path}"], "in the program itself", "name the program"),
            (&["sh", "-c", "judge \"${path}\""], "no {path}", "{path}"),
        ] {
            let (said, mend) = told(words).unwrap_or_else(|| panic!("{words:?} passed"));
            assert!(said.contains(why) && mend.contains(hint), "{words:?}: {said} / {mend}");
        }
    }

    #[test]
    fn what_a_shell_or_another_language_writes_in_braces_is_theirs() {
        for words in [
            &[][..],
            &["judge", "{path}"],
            &["judge", "--in={path}", "--for={user}/{file_id}"],
            &["sh", "-c", "exec judge \"${OPTIONS}\" \"${1:-x}\" {} '{\"os\": 1}' { print }", "sh", "{path}"],
        ] {
            assert_eq!(told(words), None, "{words:?}");
        }
        assert_eq!(fault(&["judge".to_owned()], Mode::External), None, "nothing runs it");
    }
}
