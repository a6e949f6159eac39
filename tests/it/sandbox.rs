//! `--sandbox` and `demo`, as somebody meets them who has nothing else.

use std::path::Path;
use std::process::Command;

use crate::support::documents;
use crate::support::promise::names;
use crate::support::world::{Ran, read_json};

/// What a small terminal shows.
const WIDTH: usize = 80;

#[track_caller]
fn run(dir: &Path, code: i32, words: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tecnico"));
    let ran = Ran::of(&command.arg("--sandbox").arg(dir).args(words).env("COLUMNS", WIDTH.to_string()).output().expect("runs"));
    ran.expect(code)
}

#[test]
fn only_what_begins_one_makes_a_sandbox_and_only_where_nothing_is() {
    let dir = tempfile::tempdir().expect("a directory");
    let (mine, new) = (dir.path().join("mine"), dir.path().join("new"));
    std::fs::create_dir(&mine).expect("made");
    std::fs::write(mine.join("tese.txt"), "precious").expect("written");
    let looking: [&[&str]; 9] = [
        &["status"],
        &["why", "1.pdf"],
        &["retry"],
        &["watch"],
        &["check"],
        &["list"],
        &["doctor", "--only", "config"],
        &["create", "42", "--dry-run"],
        &["sandbox", "drop", "42", "1.pdf"],
    ];
    for words in looking {
        for place in [&mine, &new] {
            let ran = run(place, if words[0] == "doctor" { 1 } else { 78 }, words);
            let said = ran.stdout + &ran.stderr;
            assert!(said.contains(&format!("there is no sandbox in {}", place.display())) && said.contains("tecnico demo"), "{said}");
        }
        assert!(names(&mine) == ["tese.txt"] && !new.exists(), "{words:?} left {:?}", names(&mine));
    }
    let refused = run(&mine, 73, &["create", "42"]);
    assert!(refused.stderr.contains("holds something else") && names(&mine) == ["tese.txt"], "{}", refused.stderr);
    std::fs::create_dir(&new).expect("made");
    run(&new, 0, &["create", "42", "--email", "ana@example.com"]);
    run(&new, 0, &["list"]);
    run(&new, 0, &["create", "43"]);
}

#[test]
fn a_newcomer_plays_technician_with_one_command() {
    let dir = tempfile::tempdir().expect("a directory");
    let (sandbox, order, folder) = (dir.path().join("s b"), dir.path().join("16517189.pdf"), dir.path().join("semana"));
    std::fs::write(&order, "%PDF-1.7").expect("written");
    std::fs::create_dir_all(folder.join("seg")).expect("made");
    std::fs::write(folder.join("seg/2.pdf"), "%PDF-1.7 2").expect("written");
    let created = run(&sandbox, 0, &["create", "42", "--email", "ana@example.com", "--name", "Ana Maria"]);
    let typed = format!("'{}'", sandbox.display());
    assert!(created.stderr.contains(&format!("`tecnico sandbox {typed} drop 42 FILE`")), "{}", created.stderr);
    assert!(!created.stdout.contains("drive.google.com"), "no browser opens that: {}", created.stdout);

    let shared = run(&sandbox, 0, &["share", "42", "--list"]).stdout;
    let of = |who: &str| shared.lines().find(|l| l.starts_with(who)).unwrap_or_else(|| panic!("no {who} in {shared}")).to_owned();
    assert!(
        of("tecnico@").ends_with("tecnico itself") && of("admin@").ends_with("has a folder above, and so all that is in it"),
        "{shared}"
    );

    let mut command = Command::new(env!("CARGO_BIN_EXE_tecnico"));
    // Leads round in a circle, and is not followed; a link to a file is that file under the link's name.
    std::os::unix::fs::symlink(".", folder.join("roda")).expect("linked");
    let dropped = command.arg("sandbox").arg(&sandbox).args(["drop", "42"]).args([&order, &folder]).output().expect("runs");
    let dropped = Ran::of(&dropped).expect(0);
    assert!(dropped.stdout.contains("16517189.pdf is in novos of 42, dropped by ana@example.com"), "{}", dropped.stdout);
    assert!(dropped.stderr.contains(&format!("`tecnico --sandbox {typed} watch`")), "{}", dropped.stderr);
    let doctor = run(&sandbox, 0, &["doctor"]).stdout;
    assert!(!doctor.contains("systemctl") && !doctor.contains("service account"), "{doctor}");
    assert!(doctor.contains(&format!("fix: `tecnico --sandbox {typed} watch`")), "{doctor}");
    let watched = run(&sandbox, 0, &["watch", "-v"]).stdout;
    assert!(watched.contains("processado  42  16517189.pdf\n") && watched.contains("processado  42  2.pdf\n"), "{watched}");
    let processados = names(&sandbox.join("vm/Ana_Maria/pdfs/processados"));
    assert_eq!(processados, ["16517189.pdf", "2.pdf"]);

    let again = run(&sandbox, 0, &["sandbox", "drop", "42", &order.display().to_string(), "--json"]).json();
    assert_eq!((again["email"].as_str(), again["files"][0]["name"].as_str()), (Some("ana@example.com"), Some("16517189.pdf")), "{again}");
    assert!(documents::all().contains(&"tecnico.sandbox.drop/1".to_owned()));
    run(&sandbox, 65, &["sandbox", "drop", "42", "/nowhere/1.pdf"]);
    let unknown = run(&sandbox, 65, &["sandbox", "drop", "99", &order.display().to_string()]).stderr;
    assert!(unknown.contains(&format!("`tecnico --sandbox {typed} create 99` makes one")), "{unknown}");
    let mut nowhere = Command::new(env!("CARGO_BIN_EXE_tecnico"));
    Ran::of(&nowhere.args(["sandbox", "drop", "42", "1.pdf"]).output().expect("runs")).expect(64);
}

#[test]
fn an_account_has_one_token_on_the_disk() {
    let dir = tempfile::tempdir().expect("a directory");
    let sandbox = dir.path().join("sb");
    run(&sandbox, 0, &["create", "42"]);
    let first = names(&sandbox.join("cache/tokens"));
    let content = || std::fs::read(sandbox.join("cache/tokens").join(&first[0])).expect("readable");
    let token = content();
    for words in [&["check"][..], &["watch"], &["check"]] {
        run(&sandbox, 0, words);
    }
    assert_eq!((first.len(), &names(&sandbox.join("cache/tokens"))), (1, &first));
    assert_eq!(content(), token, "the second run goes on with the first one's token");
}

/// The demo's output, its directory and its time put aside.
fn demo(dir: &Path) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tecnico"));
    let ran = Ran::of(&command.arg("demo").arg(dir).env("COLUMNS", WIDTH.to_string()).output().expect("runs")).expect(0);
    assert_eq!(ran.stderr, "");
    let program = format!("  {} ", env!("CARGO_BIN_EXE_tecnico"));
    ran.stdout.replace(&dir.display().to_string(), "DIR").replace(&program, "  tecnico ")
}

#[test]
fn the_demo_tells_the_story_in_the_width_of_a_small_terminal() {
    let dir = tempfile::tempdir().expect("a directory");
    let sandbox = dir.path().join("demo");
    let told = demo(&sandbox);
    for line in told.lines() {
        assert!(line.chars().count() <= WIDTH, "{} columns: {line}", line.chars().count());
    }
    assert!(told.lines().count() <= 93, "{} lines are no minute's reading", told.lines().count());
    for says in [
        // Words nobody can know.
        "Portuguese for \"new ones\"",
        "(\"processed\") or erro (\"error\")",
        "server, the VM",
        "quota units (what Google counts by",
        // The files of the issue, and how each ended.
        "  processado   42  16517189.pdf\n",
        "  erro         42  16517190.pdf            o arquivo não é um PDF\n",
        "  processado   42  16517191.pdf            replaced while the program had it\n",
        "  processado   42  16517191.pdf            the newer version\n",
        "  processado   43  16517200.pdf\n  processado   43  16517200.pdf\n  processado   43  ../../etc/16517201.pdf\n",
        "  processado   44  16517301.pdf\n  processado   44  16517302.pdf\n",
        // Both trees, before and after.
        "Before                     on Drive                  on the VM\n",
        "  Ana_Maria/novos          16517189.pdf\n",
        "  Each novos is shared with its technician:\n    ana@example.com, joao@example.com, bea@example.com\n",
        "After                      on Drive                  on the VM\n",
        "  Ana_Maria/erro           16517190.pdf              16517190.pdf\n",
        "../../etc/16517201.pdf    _._.._etc_16517201.pdf\n",
        // The backend, a creation, a reason, and what was not from tecnico.
        "  ✓  42  processado  16517191.pdf            the newer version\n",
        "  ✓  42  As pastas de Ana Maria foram criadas.\n",
        "  ✓  42  erro        16517190.pdf            o arquivo não é um PDF\n",
        "  ✗  42  processado  99999999.pdf            forged",
        "12 events under 12 ids",
        "tecnico --sandbox DIR why 16517191.pdf\n",
        "tecnico sandbox DIR drop 42 FILE\n",
    ] {
        assert!(told.contains(says), "{says:?} is not in\n{told}");
    }
    run(&sandbox, 0, &["why", "16517191.pdf"]);
    run(&sandbox, 0, &["status"]);
    run(&sandbox, 0, &["check"]);
    let order = dir.path().join("1.pdf");
    std::fs::write(&order, "%PDF-1.7").expect("written");
    run(&sandbox, 0, &["sandbox", "drop", "42", &order.display().to_string()]);
    assert!(run(&sandbox, 0, &["watch", "-v"]).stdout.contains("processado  42  1.pdf\n"));
}

#[test]
fn the_demo_is_the_same_each_time() {
    let dir = tempfile::tempdir().expect("a directory");
    let steady = |text: &str| {
        // A part of a file's id in a name, what it cost, and how long it took differ.
        let lines = text.lines().filter(|l| !l.starts_with("Cost: ") && !l.contains("quota units"));
        lines.map(|l| l.split_once(" (").map_or(l, |(before, _)| before).to_owned()).collect::<Vec<_>>()
    };
    let [first, second] = ["one", "two"].map(|name| demo(&dir.path().join(name)));
    assert_eq!(steady(&first), steady(&second));
    let report = dir.path().join("three");
    let mut command = Command::new(env!("CARGO_BIN_EXE_tecnico"));
    let ran = Ran::of(&command.args(["demo", "--json"]).arg(&report).output().expect("runs")).expect(0);
    assert_eq!(ran.json()["dir"].as_str(), Some(report.display().to_string().as_str()));
    assert!(read_json(&report.join("vm/tecnicos.json")).as_array().is_some_and(|t| t.len() == 3));
}
