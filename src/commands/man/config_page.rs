//! `tecnico-config(5)`, from the comments of the embedded example: what a setting means is written once.

use super::roff::{escaped, polished};

/// The page; `example` is `config.example.toml`.
pub(super) fn page(example: &str, date: &str) -> String {
    let mut text = format!(
        ".TH TECNICO\\-CONFIG 5 {date} \"tecnico {}\"\n.SH NAME\ntecnico\\-config \\- the settings of tecnico\n.SH DESCRIPTION\n",
        env!("CARGO_PKG_VERSION")
    );
    let mut comment: Vec<&str> = Vec::new();
    let mut section = "";
    for line in example.lines() {
        if let Some(words) = line.strip_prefix('#') {
            comment.push(words.trim());
        } else if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            section = name;
            text.push_str(&[".SH [", &name.to_uppercase(), "]\n", &paragraph(&mut comment)].concat());
        } else if let Some((key, value)) = line.split_once(" = ") {
            let heading = format!(".TP\n.BR {section}.{key} \" = {}\"\n", quoted(value));
            text.push_str(&[heading, paragraph(&mut comment)].concat());
        } else {
            text.push_str(&paragraph(&mut comment));
        }
    }
    text.push_str(
        ".SH EXAMPLE\nThe least that is needed:\n    [drive]\n    parent_folder_id = \\(dq1AbCdEfGhIjKlMnOpQrStUvWxYz\\(dq\n    \
         credentials = \\(dq/etc/tecnico/service\\-account.json\\(dq\n.PP\nEvery setting at its default is printed by\n\
         .BR \"tecnico config \\-\\-example\" .\n.SH SEE ALSO\n.BR tecnico (1),\n.BR tecnico-config (1)\n",
    );
    polished(&text)
}

/// What was said so far, as one paragraph; blank comment lines begin a new one.
fn paragraph(comment: &mut Vec<&str>) -> String {
    let mut text = String::new();
    for block in std::mem::take(comment).split(|line| line.is_empty()) {
        if !text.is_empty() {
            text.push_str(".PP\n");
        }
        text.push_str(&escaped(&block.join(" ")));
        text.push('\n');
    }
    text
}

/// A value inside a quoted argument of a request.
fn quoted(value: &str) -> String {
    escaped(value).replace('"', "\\(dq")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_of_the_example_has_an_entry_and_words() {
        let page = page(crate::config::EXAMPLE, "2026-01-01");
        let settings = crate::config::EXAMPLE.lines().filter(|l| !l.starts_with('#') && l.contains(" = ")).count();
        let lines: Vec<&str> = page.lines().collect();
        let entries: Vec<usize> = (0..lines.len()).filter(|i| lines[*i].starts_with(".BR ") && lines[*i].contains(" = ")).collect();
        assert_eq!(entries.len(), settings);
        for at in entries {
            assert!(lines.get(at + 1).is_some_and(|next| !next.starts_with('.')), "{} is not described", lines[at]);
        }
    }
}
