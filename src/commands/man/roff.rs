//! The last touch on generated pages, so that `mandoc -T lint` has nothing to say.

/// The longest line of source text.
const WIDTH: usize = 78;

/// Text as roff source on a line of its own.
pub(super) fn escaped(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq").replace('`', "\\(ga");
    if text.starts_with(['.', '\'']) { format!("\\&{text}") } else { text }
}

/// An entry of a list: a heading, as a request, and the words under it.
pub(super) fn entry(heading: &str, words: &str) -> String {
    format!(".TP\n{heading}\n{}\n", escaped(words))
}

/// Breaks long lines, sets indented lines as examples, and takes out blanks and breaks that do nothing.
pub(super) fn polished(page: &str) -> String {
    let lines: Vec<&str> = page.lines().map(str::trim_end).collect();
    let mut out: Vec<String> = Vec::new();
    let mut example = false;
    for line in lines {
        let indented = line.strip_prefix("    ").or_else(|| line.strip_prefix("\\&    "));
        if indented.is_some() != example && (indented.is_some() || !line.is_empty()) {
            example = indented.is_some();
            let marks: &[&str] = if example { &[".RS 4", ".nf"] } else { &[".fi", ".RE"] };
            if example && out.last().is_some_and(|last| last == ".PP") {
                out.pop();
                out.push(".sp".to_owned());
            }
            out.extend(marks.iter().map(ToString::to_string));
        }
        match indented {
            Some(code) => out.push(code.to_owned()),
            None if line.is_empty() => {}
            // A break beside a break, or before a heading, does nothing.
            None if line == ".br" && out.last().is_some_and(|last| last == ".br") => {}
            None if line.starts_with('.') => {
                let idle = line.starts_with(".SH") || line == ".PP";
                while idle && out.last().is_some_and(|last| matches!(last.as_str(), ".br" | ".PP" | ".sp")) {
                    out.pop();
                }
                // Right after a heading there is a paragraph already, and after an example too.
                if line != ".PP" || out.last().is_none_or(|last| !last.starts_with(".SH")) {
                    out.push(line.to_owned());
                }
            }
            None => wrap(line, &mut out),
        }
    }
    if example {
        out.extend([".fi".to_owned(), ".RE".to_owned()]);
    }
    out.join("\n") + "\n"
}

/// The length of a line as roff reads it: what is not ASCII stands there as `\[u2026]`.
fn length(text: &str) -> usize {
    text.chars().map(|c| if c.is_ascii() { 1 } else { 8 }).sum()
}

fn wrap(line: &str, out: &mut Vec<String>) {
    let mut current = String::new();
    for word in line.split_whitespace() {
        if !current.is_empty() && length(&current) + 1 + length(word) > WIDTH {
            out.push(std::mem::take(&mut current));
        }
        if current.is_empty() {
            // A line may not begin like a request.
            let request = word.starts_with(['.', '\'']);
            current = if request { format!("\\&{word}") } else { word.to_owned() };
        } else {
            current = format!("{current} {word}");
        }
    }
    out.push(current);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_broken_and_none_becomes_a_request() {
        let text = format!("{} .hidden word", "word ".repeat(15).trim_end());
        let page = polished(&text);
        assert!(page.lines().all(|l| l.len() <= WIDTH) && page.contains("\n\\&.hidden word"), "{page}");
    }

    #[test]
    fn indented_lines_are_examples() {
        let page = polished("Try:\n.PP\n    tecnico demo\n    tecnico list\n.PP\nMore.\n");
        assert_eq!(page, "Try:\n.sp\n.RS 4\n.nf\ntecnico demo\ntecnico list\n.fi\n.RE\n.PP\nMore.\n");
    }

    #[test]
    fn what_does_nothing_is_left_out() {
        assert_eq!(polished("a \n.br\n\n.br\nb\n.PP\n.SH C\n.PP\nd\n"), "a\n.br\nb\n.SH C\nd\n");
    }
}
