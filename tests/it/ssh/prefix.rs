//! What a key that is kept to a prefix can do to those outside it, and what it hears of them.

use serde_json::Value;

use crate::support::receiver::{Receiver, Reply};
use crate::support::world::{ADMIN, Ran, World, finish};

const ANA: &str = "ana@example.com";
/// Nothing of these may stand in an answer.
const OUTSIDE: [&str; 4] = ["Ana", "Bea", "b2-42", "1bcd"];

/// One call with a key kept to `b1-`.
async fn call(world: &World, line: &str) -> Ran {
    let mut command = world.command(&["ssh-gate", "--allow", "create,check,share,process,rename,remove,retry", "--user-prefix", "b1-"]);
    command.env("SSH_ORIGINAL_COMMAND", line);
    finish(command).await
}

#[track_caller]
fn names_nobody(ran: &Ran, line: &str) {
    let said = format!("{}{}", ran.stdout, ran.stderr);
    let named: Vec<&str> = OUTSIDE.into_iter().filter(|name| said.contains(name) && !line.contains(name)).collect();
    assert!(named.is_empty(), "{line}: {named:?} in {said}");
}

async fn refused(world: &World, line: &str, code: &str) {
    let ran = call(world, &format!("{line} --json")).await;
    names_nobody(&ran, line);
    assert_eq!(ran.json()["error"]["code"], code, "{line}: {ran:?}");
}

async fn done(world: &World, line: &str) -> Value {
    let ran = call(world, &format!("{line} --json")).await.expect(0);
    names_nobody(&ran, line);
    ran.json()
}

async fn users(world: &World) -> Vec<String> {
    let list = world.json(0, &["list", "--all"]).await;
    list["technicians"].as_array().expect("a list").iter().map(|t| t["user"].as_str().expect("an id").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_outside_the_prefix_is_taken_over_by_an_address() {
    let world = World::new().await;
    world.run(&["create", ANA, "--name", "Ana Maria"]).await.expect(0);
    world.run(&["create", "b2-42", "--email", "bea@example.com", "--name", "Bea Souza"]).await.expect(0);
    let novos = world.drive_tree()["Ana_Maria/pdfs/novos"].clone();
    refused(&world, "create b1-7 --email ana@example.com", "email_taken").await;
    refused(&world, "create b1-7 --email bea@example.com", "email_taken").await;
    refused(&world, "share b1-7 --with evil@example.com", "user_unknown").await;
    assert_eq!(users(&world).await, [ANA, "b2-42"]);
    assert!(!world.control().file(&novos).expect("there")["permissions"].to_string().contains("evil"));

    done(&world, "create b1-7 --email caio@example.com --name 'Caio Reis'").await;
    refused(&world, "rename b1-7 --email bea@example.com", "email_taken").await;
    done(&world, "remove b1-7 --confirm b1-7").await;
    world.run(&["create", "b2-8", "--email", "caio@example.com", "--name", "Bea Velha"]).await.expect(0);
    refused(&world, "create b1-7", "email_taken").await;

    // Somebody who was taken out stays out, and stays who they were.
    world.run(&["remove", ANA, "--confirm", ANA]).await.expect(0);
    let made = done(&world, "create b1-9 --email ana@example.com").await;
    assert_ne!(made["drive_folders"]["novos_folder_id"], *novos);
    assert!(users(&world).await.iter().any(|user| user == ANA));
    assert!(world.vm().join("arquivo/Ana_Maria").is_dir());
    // Their own who were imported by an address get the backend's id as ever.
    world.run(&["create", "b1-dora@example.com", "--name", "Dora Lima"]).await.expect(0);
    let dora = done(&world, "create b1-10 --email b1-dora@example.com").await;
    assert_eq!(dora["folder"], "Dora_Lima");
}

/// A tree of the old system says by its grants whose it is; a key chooses name and address of its own users freely.
#[tokio::test(flavor = "multi_thread")]
async fn a_tree_that_nobody_has_imported_is_not_taken_by_name_and_address() {
    let world = World::new().await;
    let control = world.control();
    let root = control.mkdir(ADMIN, &world.parent, "Pasta_Velha").expect("made");
    let pdfs = control.mkdir(ADMIN, &root, "pdfs").expect("made");
    let novos = control.mkdir(ADMIN, &pdfs, "novos").expect("made");
    control.share(ADMIN, &novos, ANA, "writer").expect("shared");
    std::fs::create_dir_all(world.vm()).expect("made");
    let entry = r#"[{"nome": "Ana Maria", "email": "zoe@example.com", "pasta_vm": "/x/Ana_Maria", "pasta_drive_id": "1bcd"}]"#;
    assert_eq!(users(&world).await, [""; 0]);
    refused(&world, "create b1-7 --name 'Pasta Velha'", "folder_exists_on_drive").await;
    done(&world, "create b1-7 --name 'Caio Reis' --email ana@example.com").await;
    let before = control.file(&root).expect("there");
    for line in ["rename b1-7 --name 'Pasta Velha'", "check b1-7 --repair", "create b1-7", "check b1-7"] {
        let document = done(&world, line).await;
        assert!(!document.to_string().contains(&root), "{line}: {document}");
    }
    assert_eq!(control.file(&root).expect("there"), before, "it was taken");
    assert_eq!(control.file(&novos).expect("there")["parents"][0], *pdfs);

    std::fs::write(world.vm().join("tecnicos.json"), entry).expect("written");
    refused(&world, "create b1-8 --email zoe@example.com", "made_by_old_system").await;
}

/// Callbacks go out with any run, whosever they are: neither what a backend answers nor the log is for this caller.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_along_the_way_is_about_nobody_outside() {
    let world = World::new().await;
    let backend = Receiver::start().await.expect("a backend");
    backend.reply(Reply::With(500, Vec::new(), "unknown user b2-42 of Ana".into()));
    world.write_config(&format!("[callback]\nurl = \"{}\"\n", backend.url()));
    world.run(&["create", "b2-42", "--email", "bea@example.com", "--name", "Bea Souza"]).await;
    let created = call(&world, "create b1-7 --email caio@example.com --name 'Caio Reis'").await.expect(0);
    names_nobody(&created, "");
    for line in ["process b1-7", "process b1-7 --json", "share b1-7 --list", "retry b1-7"] {
        world.run(&["callbacks", "retry"]).await;
        names_nobody(&call(&world, line).await.expect(0), line);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limit_holds_behind_the_gate_too_and_no_caller_has_a_word_in_it() {
    let world = World::new().await;
    world.run(&["create", "b2-42", "--email", "bea@example.com"]).await.expect(0);
    for args in [
        &["create", "b2-43"][..],
        &["create", "b2-42"],
        &["create", "--dry-run", "b2-43"],
        &["check", "b2-42"],
        &["share", "b2-42", "--list"],
        &["rename", "b2-42", "--name", "X"],
        &["remove", "b2-42", "--confirm", "b2-42"],
        &["process", "b2-42"],
        &["retry", "b2-42"],
    ] {
        let args: Vec<&str> = ["--within=b1-", "--json"].into_iter().chain(args.iter().copied()).collect();
        let ran = world.run(&args).await.expect(77);
        assert_eq!(ran.json()["error"]["code"], "gate_refused", "{args:?}: {ran:?}");
    }
    for line in ["create b1-7 --within b", "create --within=b b1-7", "check b1-7 --within=", "--within=b check b2-42"] {
        refused(&world, line, "gate_refused").await;
    }
    world.run(&["create", "b1-7", "--within", "b"]).await.expect(64);
    assert!(!world.run(&["--help"]).await.stdout.contains("--within"));
}
