use proptest::prelude::*;

use super::*;

fn gate(verbs: &[&str], prefix: Option<&str>) -> Gate {
    Gate::new(&verbs.iter().map(ToString::to_string).collect::<Vec<_>>(), prefix).expect("known verbs")
}

fn everything() -> Gate {
    gate(&VERBS.iter().map(|v| v.name).collect::<Vec<_>>(), None)
}

fn argv(gate: &Gate, line: &str) -> Result<String, Why> {
    gate.admit(line).map(|a| a.argv.join("|"))
}

#[test]
fn a_line_is_rebuilt_so_that_nothing_can_be_misread() {
    let g = gate(&["create", "check"], None);
    assert_eq!(
        argv(&g, "tecnico create 42 --email ana@example.com --name 'Ana Maria' --json").as_deref(),
        Ok("create|--email=ana@example.com|--name=Ana Maria|--json|--|42")
    );
    assert_eq!(argv(&g, "create --name=--config -- --config").as_deref(), Ok("create|--name=--config|--|--config"));
    assert_eq!(argv(&g, "check").as_deref(), Ok("check"));
}

#[test]
fn somebody_can_be_removed_or_renamed_only_where_that_was_allowed_and_only_ones_own() {
    let g = gate(&["remove", "rename"], Some("b1-"));
    assert_eq!(argv(&g, "remove b1-7 --confirm b1-7").as_deref(), Ok("remove|--confirm=b1-7|--|b1-7"));
    assert_eq!(argv(&g, "rename b1-7 --name=../x --dry-run").as_deref(), Ok("rename|--name=../x|--dry-run|--|b1-7"));
    for line in ["remove b2-7 --confirm b2-7", "remove --confirm b1-7", "rename b1-7 b2-7 --name x", "remove 42"] {
        assert!(g.admit(line).is_err(), "{line}");
    }
    for line in ["remove b1-7 --force", "rename b1-7 --config /tmp/x", "rename b1-7 --base-dir /", "remove b1-7 --sandbox /tmp"] {
        assert!(matches!(g.admit(line), Err(Why::Flag(..))), "{line}");
    }
    assert!(matches!(gate(&["create"], None).admit("remove 42 --confirm 42"), Err(Why::Verb(_))));
}

#[test]
fn verbs_are_denied_unless_allowed() {
    let g = gate(&["list"], None);
    for line in
        ["create 42", "ssh-gate --allow create", "config", "man .", "LIST", "list2", "/usr/bin/id", "internal-sftp", "scp -t /tmp", "''"]
    {
        assert!(matches!(g.admit(line), Err(Why::Verb(_))), "{line}");
    }
    assert_eq!(g.admit(""), Err(Why::Nothing));
    assert_eq!(g.admit("tecnico"), Err(Why::Nothing));
    assert!(matches!(g.admit("tecnico tecnico list"), Err(Why::Verb(_))), "the name is taken off once");
    assert!(matches!(g.admit("--config=/tmp/x list"), Err(Why::Verb(_))));
    assert!(Gate::new(&["ssh-gate".into()], None).is_err() && Gate::new(&["import".into()], None).is_err());
    assert!(Gate::new(&["list".into()], Some("")).is_err());
}

#[test]
fn flags_that_name_files_or_places_are_on_no_list() {
    let g = everything();
    for flag in [
        "--config",
        "--config=/tmp/x",
        "--sandbox",
        "--base-dir",
        "--credentials",
        "--from",
        "--parallel",
        "--follow",
        "-v",
        "-q",
        "--help",
        "-h",
        "--version",
        "--color",
        "--jso",
        "--JSON",
        "---json",
        "-",
    ] {
        for verb in VERBS {
            let operand = if verb.operands == Operands::None { "" } else { "42" };
            assert!(matches!(g.admit(&format!("{} {operand} {flag}", verb.name)), Err(Why::Flag(..))), "{} {flag}", verb.name);
        }
    }
}

#[test]
fn a_flag_takes_what_it_takes() {
    let g = everything();
    assert_eq!(g.admit("create 42 --name --json"), Err(Why::Value("--name")));
    assert_eq!(g.admit("create 42 --name"), Err(Why::Value("--name")));
    assert_eq!(g.admit("create 42 --json=1"), Err(Why::Value("--json")));
    assert_eq!(g.admit("create"), Err(Why::Operands("create")));
    assert_eq!(g.admit("create 42 43"), Err(Why::Operands("create")));
    assert_eq!(g.admit("list 42"), Err(Why::Operands("list")));
}

#[test]
fn a_command_of_a_verb_stands_before_what_it_is_about() {
    let g = everything();
    let argv = |line: &str| g.admit(line).expect(line).argv.join(" ");
    assert_eq!(argv("callbacks"), "callbacks");
    assert_eq!(argv("callbacks retry"), "callbacks retry");
    assert_eq!(argv("callbacks --json show e1"), "callbacks show --json -- e1");
    for line in ["callbacks forget", "callbacks show", "callbacks list e1", "callbacks retry e1 e2"] {
        assert_eq!(g.admit(line), Err(Why::Operands("callbacks")), "{line}");
    }
}

#[test]
fn a_prefix_holds_every_user_and_never_everybody() {
    let g = gate(&["create", "check", "process", "list", "status", "why", "callbacks"], Some("b1-"));
    assert!(g.admit("create b1-42").is_ok() && g.admit("check b1-42 b1-43").is_ok() && g.admit("process b1-1").is_ok());
    for line in [
        "create 42",
        "create B1-42",
        "create ' b1-42'",
        "check b1-42 43",
        "check",
        "check --json",
        "process --all b1-1",
        "process b1-1 --file 1AbC",
        "process",
        "list",
        "status",
        "why b1-x.pdf",
        "callbacks retry",
        "create --name b1-x 42",
    ] {
        assert_eq!(g.admit(line), Err(Why::User), "{line}");
    }
}

#[test]
fn the_log_holds_no_value_that_may_be_secret() {
    let a = everything().admit("create 42 --callback-url 'https://backend.example.com/?token=s3cret' --name Ana").expect("admitted");
    assert!(a.argv.join(" ").contains("s3cret") && !a.shown.join(" ").contains("s3cret"), "{a:?}");
    assert_eq!(
        outline("create 42 --portal-password=hunter2 --portal-password hunter2 x y").join(" "),
        "create … --portal-password --portal-password …"
    );
    assert_eq!(outline("Hunter2 --Hunter2 --name").join(" "), "… --name");
}

fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("create".to_owned()),
        Just("check".into()),
        Just("tecnico".into()),
        Just("--config".into()),
        Just("--config=/etc/x".into()),
        Just("--sandbox=/tmp".into()),
        Just("--json".into()),
        Just("--name".into()),
        Just("--".into()),
        Just("b1-42".into()),
        Just("'b1-1'".into()),
        Just("\"--from\"".into()),
        Just("\\--from".into()),
        "[ -~]{0,6}",
        any::<String>(),
    ]
}

proptest! {
    /// The program itself must read what comes out as what the gate meant: flags of the list, then operands only.
    #[test]
    fn what_comes_out_holds_listed_flags_and_allowed_users_only(pieces in proptest::collection::vec(piece(), 0..8), glue in "[ =]?") {
        let gate = gate(&["create", "check"], Some("b1-"));
        if let Ok(admitted) = gate.admit(&pieces.join(if glue.is_empty() { " " } else { &glue })) {
            let verb = Verb::named(&admitted.argv[0]).expect("a verb");
            prop_assert!(["create", "check"].contains(&verb.name));
            let end = admitted.argv.iter().position(|w| w == "--").expect("with a prefix there is always a user");
            for flag in &admitted.argv[1..end] {
                let name = flag.split_once('=').map_or(flag.as_str(), |(name, _)| name);
                prop_assert!(verb.flag(name).is_some(), "{flag}");
            }
            prop_assert!(admitted.argv[end + 1..].iter().all(|user| user.starts_with("b1-")));
            prop_assert!(admitted.argv.iter().all(|w| !w.contains('\0')));
        }
    }

    #[test]
    fn an_outline_never_repeats_a_value(secret in "[A-Z0-9]{4,12}") {
        let line = format!("create {secret} --name {secret} --x={secret} {secret}");
        prop_assert!(!outline(&line).join(" ").contains(&secret));
    }
}
