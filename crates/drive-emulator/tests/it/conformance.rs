//! CONFORMANCE.md says which items of Drive's behaviour are held by which tests. It is made here: `UPDATE=1 cargo
//! test -p drive-emulator --test it conformance` writes it, and a test fails when it is stale.
//!
//! A test holds the items its name begins with, `b1_17_…` for 1.17, and those its body names and says in words what of
//! them it holds: `// b1_41: an unfinished upload is no change.` A mark alone holds nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use drive_emulator::{Switches, served, unserved_methods};

/// Section and number.
type Number = (u32, u32);

struct Item {
    number: Number,
    title: String,
    switches: Vec<String>,
    left_out: Option<String>,
}

struct Section {
    title: String,
    items: Vec<Item>,
}

fn crate_dir() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sections() -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    for line in include_str!("../../conformance/items.txt").lines() {
        let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
        let section = sections.last_mut();
        match (first, section) {
            ("" | "#", _) => {}
            ("=", _) => sections.push(Section { title: rest.to_owned(), items: Vec::new() }),
            ("~" | "!", Some(section)) => {
                let item = section.items.last_mut().unwrap_or_else(|| panic!("no item above {line}"));
                if first == "~" {
                    item.switches.push(rest.to_owned());
                } else {
                    item.left_out = Some(rest.to_owned());
                }
            }
            (number, Some(section)) => {
                let number = number.split_once('.').and_then(|(section, item)| Some((section.parse().ok()?, item.parse().ok()?)));
                let number = number.unwrap_or_else(|| panic!("no number: {line}"));
                section.items.push(Item { number, title: rest.to_owned(), switches: Vec::new(), left_out: None });
            }
            (_, None) => panic!("an item without a section: {line}"),
        }
    }
    sections
}

fn sources(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).expect("a directory of sources").filter_map(|entry| Some(entry.ok()?.path()));
    let (dirs, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let rust = files.into_iter().filter(|path| path.extension().is_some_and(|end| end == "rs"));
    rust.chain(dirs.iter().flat_map(|dir| sources(dir))).collect()
}

/// The `b1_17` in a text.
fn marks(text: &str) -> Vec<Number> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let mut found = Vec::new();
    for word in words {
        let parts: Vec<&str> = word.split('_').collect();
        for pair in parts.windows(2) {
            let section = pair[0].strip_prefix('b').and_then(|digits| digits.parse().ok());
            if let (Some(section), Ok(item)) = (section, pair[1].parse()) {
                found.push((section, item));
            }
        }
    }
    found
}

/// Whether there is more in a line than marks.
fn says_something(line: &str) -> bool {
    let words = line.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty());
    words.into_iter().any(|word| marks(word).is_empty())
}

#[test]
fn a_mark_alone_holds_no_conformance_item() {
    assert!(says_something("// b1_41: an unfinished upload is no change.") && says_something("async fn b1_46_extensions_follow() {"));
    assert!(!says_something("// b1_41") && !says_something("// b6_13, b6_14."));
}

/// Which tests hold an item.
fn held() -> BTreeMap<Number, BTreeSet<String>> {
    let mut held: BTreeMap<Number, BTreeSet<String>> = BTreeMap::new();
    for source in ["src", "tests"].iter().flat_map(|dir| sources(&crate_dir().join(dir))) {
        if source.ends_with("conformance.rs") {
            continue;
        }
        let text = fs::read_to_string(&source).expect("a source");
        let mut test: Option<String> = None;
        let mut announced = false;
        for line in text.lines() {
            let code = line.trim();
            if code.starts_with("#[test]") || code.starts_with("#[tokio::test") {
                announced = true;
            } else if let Some((_, name)) = code.split_once("fn ").filter(|_| announced) {
                test = name.split('(').next().map(str::to_owned);
                announced = false;
            } else if code.contains("fn ") && code.ends_with('{') {
                test = None;
            }
            if let Some(name) = test.as_ref().filter(|_| says_something(code)) {
                for number in marks(code) {
                    held.entry(number).or_default().insert(name.clone());
                }
            }
        }
    }
    held
}

fn document() -> String {
    let (sections, held) = (sections(), held());
    let items = || sections.iter().flat_map(|section| &section.items);
    let count = |wanted: &dyn Fn(&Item) -> bool| items().filter(|item| wanted(item)).count();
    let left_out = count(&|item| item.left_out.is_some());
    let switchable = count(&|item| item.left_out.is_none() && !item.switches.is_empty());
    let mut out = format!(
        "# What of Drive's behaviour the emulator holds\n\n\
         Made from `conformance/items.txt` and the names of the tests by\n\
         `UPDATE=1 cargo test -p drive-emulator --test it conformance`; a test fails when it is stale.\n\n\
         {} items: {} held by tests, {switchable} of them switchable, {left_out} left out.\n\n\
         Methods served: {}.\n\n\
         Listed by Google and answered 501, each by its name: {}.\n\n\
         What is served is checked against Google's own description of the API, and Google's clients for Python and\n\
         Node and rclone run against it (`tests/clients`).\n",
        items().count(),
        items().count() - left_out,
        served().map(|method| format!("`{}`", method.op)).collect::<Vec<_>>().join(", "),
        unserved_methods().map(|op| format!("`{op}`")).collect::<Vec<_>>().join(", "),
    );
    for section in &sections {
        let _ = write!(out, "\n## {}\n\n| Item | What | How |\n|---|---|---|\n", section.title);
        for item in &section.items {
            let tests: Vec<String> = held.get(&item.number).into_iter().flatten().map(|name| format!("`{name}`")).collect();
            let switches: Vec<String> = item.switches.iter().map(|name| format!("`{name}`")).collect();
            let mut how = tests.join("<br>");
            if let Some(reason) = &item.left_out {
                how = format!("left out: {reason}");
            } else if !switches.is_empty() {
                how = format!("switchable by {}<br>{how}", switches.join(", "));
            }
            let _ = writeln!(out, "| {}.{} | {} | {how} |", item.number.0, item.number.1, item.title);
        }
    }
    out
}

#[test]
fn conformance_md_is_up_to_date() {
    let path = crate_dir().join("CONFORMANCE.md");
    let document = document();
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &document).expect("it is written");
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(written == document, "CONFORMANCE.md is stale; UPDATE=1 cargo test -p drive-emulator --test it conformance");
}

#[test]
fn every_conformance_item_is_held_or_left_out_for_a_reason() {
    let held = held();
    let neither: Vec<Number> = sections()
        .iter()
        .flat_map(|section| &section.items)
        .filter(|item| item.left_out.is_none() && !held.contains_key(&item.number))
        .map(|item| item.number)
        .collect();
    assert!(neither.is_empty(), "neither held nor left out: {neither:?}");
    let both: Vec<Number> = sections()
        .iter()
        .flat_map(|section| &section.items)
        .filter(|item| item.left_out.is_some() && held.contains_key(&item.number))
        .map(|item| item.number)
        .collect();
    assert!(both.is_empty(), "left out and yet held: {both:?}");
}

#[test]
fn the_switches_of_conformance_items_exist() {
    let switches = serde_json::to_value(Switches::default()).expect("they are JSON");
    for item in sections().iter().flat_map(|section| &section.items) {
        for name in &item.switches {
            assert!(switches.get(name).is_some(), "{:?}: no switch {name}", item.number);
        }
    }
}

/// No number twice, none skipped: the sections are whole.
#[test]
fn the_conformance_items_are_numbered_without_a_gap() {
    for section in sections() {
        let first = section.items[0].number.0;
        let numbers: Vec<Number> = section.items.iter().map(|item| item.number).collect();
        let wanted: Vec<Number> = (1..).map(|item| (first, item)).take(numbers.len()).collect();
        assert_eq!(numbers, wanted, "{}", section.title);
    }
}
