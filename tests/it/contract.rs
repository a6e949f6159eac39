//! Every numbered line of CONTRACT.md is named by at least one test, and no test names a line there is not.
//!
//! A test names lines in the words of its own name: `c1_2_…` holds 1.2, `c3_1_c3_2_…` holds two. Sections 5 and 6 have no
//! numbers of their own: there the names and the faults are counted in the order in which they stand.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::sources::sources;

const LINES: [(&str, &str); 29] = [
    ("1.1", "one folder a technician on the VM"),
    ("1.2", "tecnicos.json"),
    ("1.3", "credenciais.json, read and written with Python's cryptography"),
    ("1.4", "the PDF pipeline moves the local file; names stay"),
    ("2.1", "the same tree on Drive"),
    ("2.2", "only novos is shared, as writer, without Google's e-mail"),
    ("3.1", "where callbacks go"),
    ("3.2", "user_id, job_id, status, result"),
    ("3.3", "the result of a creation"),
    ("3.4", "the result of a run over files"),
    ("3.5", "only 2xx is a delivery; one id for ever"),
    ("4.1", "POST /api/folders/create"),
    ("4.2", "POST /api/folders/status"),
    ("4.3", "POST /api/folders/process"),
    ("4.4", "GET /api/status/<job_id> and /api/health"),
    ("4.5", "clients set the content type and raise from 400 on"),
    ("5.1", "GOOGLE_APPLICATION_CREDENTIALS"),
    ("5.2", "BACKEND_URL"),
    ("5.3", "VM_API_URL, the clients' own"),
    ("5.4", "VM_API_KEY"),
    ("5.5", "VM_BASE_FOLDER"),
    ("6.1", "creation twice made a second tree; two of one name shared a folder"),
    ("6.2", "a failed share was a success; half a tree stayed half"),
    ("6.3", "half a tecnicos.json was seen; a writer's entry was lost"),
    ("6.4", "jobs were popped before the work; one PDF was taken twice"),
    ("6.5", "files in erro and processados were overwritten"),
    ("6.6", "callbacks went out once, unsigned, without a limit; channels were never renewed"),
    ("6.7", "only 100 files were seen; no shared drives"),
    ("6.8", "one password for everybody, on a command line"),
];

#[test]
fn every_line_of_the_contract_is_named_by_a_test() {
    let named = named();
    let missing: Vec<String> =
        LINES.iter().filter(|(line, _)| !named.contains_key(*line)).map(|(line, what)| format!("{line} ({what})")).collect();
    assert!(missing.is_empty(), "no test names {}", missing.join(", "));
    let lines: BTreeSet<&str> = LINES.iter().map(|(line, _)| *line).collect();
    let unknown: Vec<_> = named.iter().filter(|(line, _)| !lines.contains(line.as_str())).collect();
    assert!(unknown.is_empty(), "not in the contract: {unknown:?}");
}

#[test]
fn names_are_read_as_they_are_meant() {
    let read = |name: &str| lines_in(name).collect::<Vec<_>>();
    assert_eq!(read("c1_2_c6_3_a_reader_never_sees_half"), ["1.2", "6.3"]);
    assert_eq!(read("c4_1_at_once"), ["4.1"]);
    assert!(read("a_cycle_c_1_of_2").is_empty() && read("c12").is_empty() && read("c3_x").is_empty());
}

/// The lines that tests name, with the tests.
fn named() -> BTreeMap<String, Vec<String>> {
    let mut named: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (_, text) in [sources("src"), sources("tests")].concat() {
        for test in tests_in(&text) {
            for line in lines_in(&test) {
                named.entry(line).or_default().push(test.clone());
            }
        }
    }
    named
}

/// The names of functions that have an attribute `#[test]` or `#[tokio::test…]`.
fn tests_in(text: &str) -> Vec<String> {
    let mut tests = Vec::new();
    let mut is_test = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            is_test = true;
        } else if let Some((_, rest)) = line.split_once("fn ").filter(|_| is_test) {
            tests.push(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
            is_test = false;
        }
    }
    tests
}

/// `c1_2_…` → `1.2`.
fn lines_in(name: &str) -> impl Iterator<Item = String> {
    let words: Vec<&str> = name.split('_').collect();
    let number = |word: &str| (!word.is_empty() && word.chars().all(|c| c.is_ascii_digit())).then(|| word.to_owned());
    let pairs: Vec<String> =
        words.windows(2).filter_map(|pair| Some(format!("{}.{}", number(pair[0].strip_prefix('c')?)?, number(pair[1])?))).collect();
    pairs.into_iter()
}
