//! Names from Drive are data: the one place where they become names of local files.
//!
//! A name changes only where it must, because the work-order number is read from it (CONTRACT 1.4).

use crate::domain::technician::is_unprintable;

/// Longest file name in bytes on the usual file systems.
pub const NAME_BYTES: usize = 255;
/// What stands where a name says nothing.
const NAMELESS: &str = "sem_nome";
/// Longest ending that is taken for an extension, with its dot.
const EXTENSION_BYTES: usize = 16;
/// How much of the file id is enough to tell two files of one name apart nearly always.
const SHORT_ID: usize = 6;

/// The local name of a Drive file: always one plain path component of at most 255 bytes.
///
/// Separators, control and invisible characters become `_`, and so does a leading dot: hidden files
/// are ours (`.tecnico-….part`) and `*.pdf` does not see them. Nor does it see a name with a blank at its end: those go.
pub fn local_name(drive_name: &str) -> String {
    let mut name: String =
        drive_name.trim_end().chars().map(|c| if matches!(c, '/' | '\\') || is_unprintable(c) { '_' } else { c }).collect();
    if name.chars().all(char::is_whitespace) {
        return NAMELESS.to_owned();
    }
    if name.starts_with('.') {
        name.replace_range(..1, "_");
    }
    match shortened(&name, "").trim_end() {
        "" => NAMELESS.to_owned(),
        name => name.to_owned(),
    }
}

/// The name for a second file of one name: `16517189.pdf` → `16517189 (AbCdEf).pdf`, from the end of its file id.
pub fn with_suffix(name: &str, id: &str) -> String {
    let id = clean(id);
    suffixed(name, &id[id.len().saturating_sub(SHORT_ID)..])
}

/// The names to try for a file, in order and without end: its own, with a short id, with the whole id, then numbered.
pub fn candidates(drive_name: &str, id: &str) -> impl Iterator<Item = String> + use<> {
    let name = local_name(drive_name);
    let id = clean(id);
    let first = [name.clone(), with_suffix(&name, &id), suffixed(&name, &id)];
    first.into_iter().chain((2_u32..).map(move |n| suffixed(&name, &format!("{id}-{n}"))))
}

fn suffixed(name: &str, suffix: &str) -> String {
    shortened(&local_name(name), &format!(" ({suffix})"))
}

/// Drive ids are `[A-Za-z0-9_-]`, some 33 of them; whatever else comes cannot do harm here.
fn clean(id: &str) -> String {
    id.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).take(100).collect()
}

/// `stem` + `insert` + extension, the stem cut so that all fits.
fn shortened(name: &str, insert: &str) -> String {
    let (stem, extension) = split_extension(name);
    let mut room = NAME_BYTES.saturating_sub(insert.len() + extension.len()).min(stem.len());
    while !stem.is_char_boundary(room) {
        room -= 1;
    }
    format!("{}{insert}{extension}", &stem[..room])
}

fn split_extension(name: &str) -> (&str, &str) {
    match name.rfind('.') {
        Some(at) if at > 0 && name.len() - at <= EXTENSION_BYTES => name.split_at(at),
        _ => (name, ""),
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Component, Path};

    use proptest::prelude::*;

    use super::*;

    fn is_plain(name: &str) -> bool {
        let mut parts = Path::new(name).components();
        matches!((parts.next(), parts.next()), (Some(Component::Normal(n)), None) if n == name)
            && name.len() <= NAME_BYTES
            && !name.starts_with('.')
            && !name.chars().any(is_unprintable)
    }

    #[test]
    fn hostile_names_become_plain_ones() {
        for (from, to) in [
            ("", "sem_nome"),
            ("  \u{a0}", "sem_nome"),
            (".", "_"),
            ("..", "_."),
            ("../../etc/passwd", "_._.._etc_passwd"),
            ("a\\b.pdf", "a_b.pdf"),
            (".tecnico-1.part", "_tecnico-1.part"),
            ("16517189\u{202e}fdp.exe", "16517189_fdp.exe"),
            ("a\nb\0.pdf", "a_b_.pdf"),
            ("16517189.pdf \u{a0}", "16517189.pdf"),
            (". ", "_"),
        ] {
            assert_eq!(local_name(from), to, "{from:?}");
        }
    }

    #[test]
    fn a_long_name_keeps_its_beginning_and_its_extension() {
        let name = local_name(&format!("16517189{}.pdf", "é".repeat(200)));
        assert!(name.starts_with("16517189é") && name.ends_with("é.pdf"), "{name}");
        assert!(name.len() >= NAME_BYTES - 1);
    }

    #[test]
    fn c1_4_the_second_of_one_name_keeps_its_number_first() {
        assert_eq!(with_suffix("16517189.pdf", "1XyZ-AbCdEf"), "16517189 (AbCdEf).pdf");
        let names: Vec<_> = candidates("16517189.pdf", "1XyZ-AbCdEf").take(4).collect();
        assert_eq!(names, ["16517189.pdf", "16517189 (AbCdEf).pdf", "16517189 (1XyZ-AbCdEf).pdf", "16517189 (1XyZ-AbCdEf-2).pdf"]);
    }

    proptest! {
        #[test]
        fn any_name_becomes_one_plain_component(raw in any::<String>(), long in "\\PC{0,400}") {
            for name in [raw, long] {
                let local = local_name(&name);
                prop_assert!(is_plain(&local), "{name:?} -> {local:?}");
                prop_assert_eq!(local_name(&local), local.clone());
            }
        }

        #[test]
        fn ordinary_names_do_not_change(name in "[A-Za-z0-9À-ÿ_][A-Za-z0-9À-ÿ _().-]{0,60}\\.(pdf|PDF|jpeg)") {
            prop_assert_eq!(local_name(&name), name);
        }

        #[test]
        fn candidates_are_plain_and_all_different(name in "\\PC{0,400}", id in "[A-Za-z0-9_-]{19,44}") {
            let names: Vec<_> = candidates(&name, &id).take(6).collect();
            prop_assert!(names.iter().all(|n| is_plain(n)), "{names:?}");
            let different: std::collections::BTreeSet<_> = names.iter().collect();
            prop_assert_eq!(different.len(), names.len());
        }
    }
}
