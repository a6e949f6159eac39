use super::super::{Flags, resolve};
use crate::error::{Exit, Failure};

fn resolve_text(text: &str, env: &[(&str, &str)]) -> Result<super::Settings, Failure> {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("config.toml");
    std::fs::write(&path, text).expect("written");
    let flags = Flags { config: Some(path), ..Flags::default() };
    resolve(&flags, &|name| env.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()))
}

const MINIMAL: &str = "[drive]\nparent_folder_id = \"1AbC\"\n";

#[test]
fn the_example_is_the_default() {
    let s = resolve_text(MINIMAL, &[]).expect("resolves");
    assert_eq!((s.layout.inbox.as_str(), s.share.role.as_str(), s.watch.concurrency), ("pdfs/novos", "writer", 8));
    assert_eq!(s.process.max_size, 5_000_000_000);
}

#[test]
fn a_wrong_key_names_its_line_and_the_nearest() {
    let fault = resolve_text("[drive]\n\nparent_folder = \"x\"\n", &[]).expect_err("unknown");
    assert!(fault.to_string().contains("config.toml, line 3: there is no setting drive.parent_folder"), "{fault}");
    assert_eq!(fault.hint_text(), Some("did you mean drive.parent_folder_id?"));
    assert_eq!(fault.exit(), Exit::Config);
}

#[test]
fn a_file_of_another_version_hears_of_all_its_keys_at_once() {
    let text = "[vm]\ncredentials = \"k.json\"\n[drive]\nparent_folder = \"x\"\n[queue]\nredis = \"x\"\n";
    let fault = resolve_text(text, &[]).expect_err("unknown");
    for says in [
        "line 2: there is no setting vm.credentials",
        "line 4: there is no setting drive.parent_folder",
        "line 5: there is no setting queue",
    ] {
        assert!(fault.to_string().contains(says), "{fault}");
    }
    let hint = fault.hint_text().expect("a hint");
    assert!(hint.contains("drive.credentials, drive.parent_folder_id?") && hint.contains("tecnico config --example"), "{hint}");
}

#[test]
fn wrong_values_name_their_line() {
    for (line, says) in [
        ("[drive]\nparent_folder_id = 7\n", "line 2: drive.parent_folder_id"),
        ("[drive]\nparent_folder_id = \"a/b\"\n", "line 2: drive.parent_folder_id: \"a/b\" is not a Drive id"),
        ("[drive]\nparent_folder_id = \"a\"\ntimeout = \"soon\"\n", "line 3: drive.timeout: \"soon\" is not a length of time"),
        (
            "[drive]\nparent_folder_id = \"a\"\nendpoint = \"http://drive.example.com/\"\n",
            "line 3: drive.endpoint: \"http://drive.example.com/\" is refused: only https",
        ),
        ("[layout]\ninbox = \"../x\"\n[drive]\nparent_folder_id = \"a\"\n", "line 2: layout.inbox"),
        ("[layout]\nfailed = \"pdfs/novos\"\n[drive]\nparent_folder_id = \"a\"\n", "three different folders"),
        ("[layout]\narchive = \"a/b\"\n[drive]\nparent_folder_id = \"a\"\n", "line 2: layout.archive: \"a/b\" is not the name of one"),
        ("[share]\nrole = \"owner\"\n[drive]\nparent_folder_id = \"a\"\n", "line 2: share.role: \"owner\" is not one of"),
        ("[serve]\nlisten = \"localhost\"\n[drive]\nparent_folder_id = \"a\"\n", "line 2: serve.listen"),
        ("[process]\ncommand = \"judge\"\n[drive]\nparent_folder_id = \"a\"\n", "line 2: process.command: this is one text"),
        ("[process]\ncommand = [\"judge\", \"{pth}\"]\n[drive]\nparent_folder_id = \"a\"\n", "line 2: process.command: {pth} is not"),
        ("vm = 3\n", "line 1: vm is a section"),
        (
            "[callback]\nurl = \"https://nome:segredo@backend.example.com/\"\n[drive]\nparent_folder_id = \"a\"\n",
            "line 2: callback.url: holds a user name or a password",
        ),
        (
            "[drive]\nparent_folder_id = \"a\"\ntimeout = \"9223372036854775807s\"\n",
            "line 3: drive.timeout: \"9223372036854775807s\" is not",
        ),
        ("[process]\naccept = [\"\"]\n[drive]\nparent_folder_id = \"a\"\n", "line 2: process.accept: accepts nothing"),
        ("[process]\nignore = [\"*\"]\n[drive]\nparent_folder_id = \"a\"\n", "line 2: process.ignore: ignores everything"),
        ("[process]\nmax_size = \"0\"\n[drive]\nparent_folder_id = \"a\"\n", "line 2: process.max_size: \"0\" is not a size"),
        ("[layout]\ninbox = \"no\\u202Evos\"\n[drive]\nparent_folder_id = \"a\"\n", "line 2: layout.inbox"),
        ("[vm]\nfolder_mode = \"rwxr-x---\"\n[drive]\nparent_folder_id = \"a\"\n", "line 2: vm.folder_mode: \"rwxr-x---\" is not a mode"),
        ("[vm]\nfolder_mode = \"0577\"\n[drive]\nparent_folder_id = \"a\"\n", "line 2: vm.folder_mode: \"0577\" shuts this user out"),
        ("[vm]\nfile_mode = \"0666\"\n[drive]\nparent_folder_id = \"a\"\n", "line 2: vm.file_mode: \"0666\" lets everybody"),
        ("[drive\n", "line 1: not valid TOML"),
        ("", "drive.parent_folder_id: is not set"),
    ] {
        let fault = resolve_text(line, &[]).expect_err(line);
        assert!(fault.to_string().contains(says) && fault.hint_text().is_some(), "{line:?} gave {fault}");
    }
}

#[test]
fn c5_1_c5_2_c5_5_environment_is_below_a_flag_and_above_the_file() {
    let text = "[drive]\nparent_folder_id = \"a\"\ncredentials = \"/from/file.json\"\n[vm]\nbase_dir = \"/from/file\"\n\
                [callback]\nurl = \"https://file.example.com\"\n";
    let env = [
        ("VM_BASE_FOLDER", "/from/env"),
        ("BACKEND_URL", "https://backend.example.com"),
        ("GOOGLE_APPLICATION_CREDENTIALS", "/from/sa.json"),
    ];
    let s = resolve_text(text, &env).expect("resolves");
    assert_eq!(s.base_dir.to_str(), Some("/from/env"));
    assert_eq!(s.callback.url.map(|u| u.to_string()).as_deref(), Some("https://backend.example.com/"));
    assert!(matches!(s.drive.credentials, super::Credentials::File(p) if p.to_str() == Some("/from/sa.json")));
    let s = resolve_text(text, &[]).expect("resolves");
    assert_eq!(
        (s.base_dir.to_str(), s.callback.url.as_ref().map(url::Url::as_str)),
        (Some("/from/file"), Some("https://file.example.com/"))
    );
    assert!(matches!(s.drive.credentials, super::Credentials::File(p) if p.to_str() == Some("/from/file.json")));

    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("c.toml");
    std::fs::write(&path, text).expect("written");
    let flags = Flags { config: Some(path), base_dir: Some("/from/flag".into()), credentials: Some("/from/flag.json".into()) };
    let s = resolve(&flags, &|name| env.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned())).expect("resolves");
    assert_eq!(s.base_dir.to_str(), Some("/from/flag"));
    assert!(matches!(s.drive.credentials, super::Credentials::File(p) if p.to_str() == Some("/from/flag.json")));
}

#[test]
fn relative_paths_count_from_the_file() {
    let s = resolve_text(&format!("{MINIMAL}[ledger]\npath = \"state/l.db\"\n"), &[]).expect("resolves");
    assert!(s.ledger_path.is_absolute() && s.ledger_path.ends_with("state/l.db"));
}

#[test]
fn a_fault_comes_with_its_mend() {
    let hint = |text: &str| resolve_text(&format!("{MINIMAL}{text}"), &[]).expect_err(text).hint_text().unwrap_or_default().to_owned();
    assert_eq!(hint("[process]\ncommand = \"judge '{path}' -x\"\n"), r#"command = ["judge", "{path}", "-x"]"#);
    assert_eq!(hint("[process]\naccept = \"*.pdf\"\n"), r#"accept = ["*.pdf"]"#);
    assert_eq!(hint("[watch]\nsettle = 5\n"), "settle = \"5\"");
    assert!(hint("[callback]\nurl = \"http://backend.example.com\"\n").contains("https://"));
    assert!(hint("[share]\nrole = \"owner\"\n").contains("man 5 tecnico-config"));
}

#[test]
fn a_program_with_a_path_counts_from_the_file_and_a_bare_name_stays_one() {
    let program = |word: &str| {
        let s = resolve_text(&format!("{MINIMAL}[process]\ncommand = [\"{word}\", \"{{path}}\"]\n"), &[]).expect("resolves");
        std::path::PathBuf::from(&s.process.command[0])
    };
    assert!(program("./judge.sh").is_absolute() && program("./judge.sh").ends_with("judge.sh"));
    assert!(!program("./judge.sh").display().to_string().contains("/./"));
    assert!(program("bin/judge").is_absolute());
    assert_eq!((program("judge"), program("/opt/judge")), ("judge".into(), "/opt/judge".into()));
}

#[test]
fn without_a_config_the_fault_names_the_demo() {
    let fault = resolve(&Flags::default(), &|n| (n == "HOME").then(|| "/nowhere".into())).expect_err("none there");
    assert_eq!(fault.exit(), Exit::Config);
    assert!(fault.hint_text().is_some_and(|h| h.contains("tecnico demo")));
}
