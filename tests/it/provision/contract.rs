//! CONTRACT.md, line by line: what the programs around tecnico rely on.

use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use super::support::{ANA, ANA_TREE, everyone, everything, grants, paths};
use crate::support::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn c1_1_one_folder_a_technician_on_the_vm() {
    let world = World::new().await;
    world.json(0, &ANA).await;
    for (folder, mode) in
        [("", 0o750), ("pdfs", 0o750), ("pdfs/novos", 0o750), ("pdfs/processados", 0o750), ("pdfs/erro", 0o750), ("logs", 0o750)]
    {
        let facts = std::fs::metadata(world.vm().join("Ana_Maria").join(folder)).expect(folder);
        assert!(facts.is_dir(), "{folder}");
        assert_eq!(facts.permissions().mode() & 0o7777, mode, "{folder}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c1_2_tecnicos_json_to_the_letter() {
    let world = World::new().await;
    let made = world.json(0, &["create", "7", "--email", "joao@example.com", "--name", "João Silva", "--portal-user", "joao"]).await;
    let text = std::fs::read_to_string(world.vm().join("tecnicos.json")).expect("read");
    let vm = world.vm().canonicalize().expect("absolute").join("João_Silva");
    let folders = &made["drive_folders"];
    let wanted = format!(
        "[\n  {{\n    \"nome\": \"João Silva\",\n    \"email\": \"joao@example.com\",\n    \"usuario_portal\": \"joao\",\n    \
         \"pasta_vm\": \"{}\",\n    \"pasta_drive_id\": {},\n    \"pasta_novos_id\": {}\n  }}\n]\n",
        vm.display(),
        folders["user_folder_id"],
        folders["novos_folder_id"]
    );
    assert_eq!(text, wanted);
    assert_eq!(std::fs::metadata(world.vm().join("tecnicos.json")).expect("there").permissions().mode() & 0o7777, 0o640);
}

/// Read whole at any moment, while eight rows at once and a second process write it; no entry is lost.
#[tokio::test(flavor = "multi_thread")]
async fn c1_2_c6_3_a_reader_never_sees_half_a_registry_and_no_writer_loses_an_entry() {
    let world = World::new().await;
    let mut children = Vec::new();
    for batch in ["a", "b", "c"] {
        let rows: Vec<String> = (0..40).map(|i| format!("{batch}{i},{batch}{i}@example.com,Pessoa {batch} {i}")).collect();
        let csv = world.path(&format!("{batch}.csv"));
        std::fs::write(&csv, format!("user,email,name\n{}\n", rows.join("\n"))).expect("written");
        children.push(super::support::start(&world, &["create", "--from", csv.to_str().expect("UTF-8")]));
    }
    let file = world.vm().join("tecnicos.json");
    let mut reads = 0;
    while children.iter_mut().any(|c| c.try_wait().expect("asked").is_none()) {
        if let Ok(text) = std::fs::read_to_string(&file) {
            let whole: Result<Vec<Value>, _> = serde_json::from_str(&text);
            assert!(whole.is_ok_and(|entries| !entries.is_empty()), "half a file: {text:?}");
            reads += 1;
        }
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    for mut child in children {
        assert!(child.wait().expect("it ended").success());
    }
    assert!(reads > 10, "read {reads} times");
    assert_eq!(world.registry().as_array().map(Vec::len), Some(120));
}

#[tokio::test(flavor = "multi_thread")]
async fn c1_3_credenciais_json_has_two_keys_and_is_its_owners_alone() {
    let world = World::new().await;
    let args = ["create", "42", "--name", "Ana Maria", "--portal-user", "ana.maria", "--portal-password-stdin"];
    world.run_with_stdin(&args, "s3nha-João\n").await.expect(0);
    let file = world.vm().join("Ana_Maria/credenciais.json");
    let text = std::fs::read_to_string(&file).expect("read");
    let object: serde_json::Map<String, Value> = serde_json::from_str(&text).expect("JSON");
    assert_eq!(object.keys().collect::<Vec<_>>(), ["usuario_portal", "senha_portal"]);
    assert!(text.starts_with("{\n  \"usuario_portal\": \"ana.maria\",\n  \"senha_portal\": \"gAAAA"), "{text}");
    assert_eq!(std::fs::metadata(&file).expect("there").permissions().mode() & 0o7777, 0o600);
    let again: Value = {
        let args: Vec<&str> = args.iter().copied().chain(["--json"]).collect();
        world.run_with_stdin(&args, "s3nha-João\n").await.expect(0).json()
    };
    assert_eq!(again["status"], "unchanged");
    assert_eq!(std::fs::read_to_string(&file).expect("read"), text, "the same password is not written again");
}

#[tokio::test(flavor = "multi_thread")]
async fn c2_1_the_same_tree_under_the_parent_folder() {
    let world = World::new().await;
    world.json(0, &ANA).await;
    assert_eq!(paths(&world), ANA_TREE);
}

#[tokio::test(flavor = "multi_thread")]
async fn c2_2_only_novos_is_shared_as_writer_and_google_sends_no_e_mail() {
    let world = World::new().await;
    world.json(0, &ANA).await;
    let owner = format!("{} owner", world.robot());
    let tree = world.drive_tree();
    assert_eq!(tree.len(), ANA_TREE.len());
    for (path, id) in tree {
        let wanted = if path == "Ana_Maria/pdfs/novos" { vec!["ana@example.com writer", &owner] } else { vec![&*owner] };
        assert_eq!(everyone(&world, &id), wanted, "{path}");
    }
    let share = world.control().requests().into_iter().find(|r| r.op == "permissions.create").expect("a share");
    assert!(share.query.contains("sendNotificationEmail=false"), "{}", share.query);

    world.write_config("[share]\nnotify = true\n");
    world.json(0, &["create", "43", "--email", "bea@example.com"]).await;
    let share = world.control().requests().into_iter().rfind(|r| r.op == "permissions.create").expect("a share");
    assert!(share.query.contains("sendNotificationEmail=true"), "{}", share.query);
}

#[tokio::test(flavor = "multi_thread")]
async fn c3_3_the_fields_of_a_creation_under_their_names() {
    let world = World::new().await;
    let made = world.json(0, &ANA).await;
    let keys = |value: &Value| value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&made), ["schema", "user", "email", "name", "folder", "status", "drive_folders", "vm_folders", "drive"]);
    assert_eq!(
        keys(&made["drive_folders"]),
        ["user_folder_id", "novos_folder_id", "processados_folder_id", "erros_folder_id", "novos_folder_link", "compartilhado"]
    );
    assert_eq!(keys(&made["vm_folders"]), ["user_folder", "novos_folder", "processados_folder", "erros_folder"]);
    assert_eq!(keys(&made["drive"]), ["calls", "units", "writes"]);
    let tree = world.drive_tree();
    for (field, path) in [
        ("user_folder_id", "Ana_Maria"),
        ("novos_folder_id", "Ana_Maria/pdfs/novos"),
        ("processados_folder_id", "Ana_Maria/pdfs/processados"),
        ("erros_folder_id", "Ana_Maria/pdfs/erro"),
    ] {
        assert_eq!(made["drive_folders"][field], tree[path].as_str());
    }
    assert!(made["drive_folders"]["novos_folder_link"].as_str().is_some_and(|l| l.contains(&tree["Ana_Maria/pdfs/novos"])));
    for (field, path) in
        [("user_folder", ""), ("novos_folder", "/pdfs/novos"), ("processados_folder", "/pdfs/processados"), ("erros_folder", "/pdfs/erro")]
    {
        let path = format!("{}/Ana_Maria{path}", world.vm().canonicalize().expect("absolute").display());
        assert_eq!(made["vm_folders"][field], path.as_str());
    }
}

/// The names the old system used, above the config file and below a flag.
#[tokio::test(flavor = "multi_thread")]
async fn c5_1_c5_5_environment_names_still_work() {
    let world = World::new().await;
    for folder in ["from-env", "from-flag"] {
        std::fs::create_dir(world.path(folder)).expect("made");
    }
    std::fs::rename(world.path("service-account.json"), world.path("other.json")).expect("moved");
    let mut command = world.command(&ANA);
    command.env("VM_BASE_FOLDER", world.path("from-env")).env("GOOGLE_APPLICATION_CREDENTIALS", world.path("other.json"));
    crate::support::world::finish(command).await.expect(0);
    assert!(world.path("from-env/Ana_Maria/pdfs/novos").is_dir() && !world.vm().exists());

    // Ana's folders should lie in the other one too, as far as the same ledger knows.
    std::fs::rename(world.path("ledger.db"), world.path("anas.db")).expect("moved");
    let mut command = world.command(&["create", "43", "--name", "Bea", "--base-dir"]);
    command
        .arg(world.path("from-flag"))
        .env("VM_BASE_FOLDER", world.path("from-env"))
        .env("GOOGLE_APPLICATION_CREDENTIALS", "/nonexistent");
    command.arg("--credentials").arg(world.path("other.json"));
    crate::support::world::finish(command).await.expect(0);
    assert!(world.path("from-flag/Bea").is_dir() && !world.path("from-env/Bea").exists());
}

/// A layout of the company's own, the same on both sides, with the month kept out of the standing tree.
#[tokio::test(flavor = "multi_thread")]
async fn another_layout_is_the_same_on_both_sides() {
    let world = World::new().await;
    world.write_config(
        "[layout]\ninbox = \"entrada\"\nprocessed = \"feitos/{year}/{month}\"\nfailed = \"pdfs/ruins\"\nlocal_only = [\"logs\", \"tmp/x\"]\n",
    );
    let made = world.json(0, &ANA).await;
    let wanted = ["Ana_Maria", "Ana_Maria/entrada", "Ana_Maria/feitos", "Ana_Maria/pdfs", "Ana_Maria/pdfs/ruins"];
    assert_eq!(paths(&world), wanted);
    assert_eq!(made["drive_folders"]["novos_folder_id"], world.drive_tree()["Ana_Maria/entrada"].as_str());
    assert!(wanted.iter().chain(&["Ana_Maria/tmp/x", "Ana_Maria/logs"]).all(|p| world.vm().join(p).is_dir()));
    assert_eq!(world.json(0, &ANA).await["status"], "unchanged");
}

/// The same in a shared drive, where nobody owns anything and grants come from the drive.
#[tokio::test(flavor = "multi_thread")]
async fn c6_7_a_shared_drive() {
    let world = World::new().await;
    let control = world.control();
    let admin = crate::support::world::ADMIN;
    let drive = control.shared_drive("Campo", admin).expect("a drive");
    control.drive_member(&drive, &world.robot(), "organizer").expect("a member");
    let parent = control.mkdir(admin, &drive, "Tecnicos").expect("a folder");
    let config = std::fs::read_to_string(world.path("config.toml")).expect("read");
    let config = config.replace(&world.parent, &parent).replace("[secrets]", &format!("shared_drive_id = \"{drive}\"\n[secrets]"));
    std::fs::write(world.path("config.toml"), config).expect("written");
    let made = world.json(0, &ANA).await;
    assert_eq!(made["status"], "created");
    let novos = made["drive_folders"]["novos_folder_id"].as_str().expect("an id");
    assert!(grants(&world, novos).contains(&"ana@example.com writer".to_owned()));
    let again = world.json(0, &ANA).await;
    assert_eq!((again["status"].as_str(), again["drive"]["writes"].as_u64()), (Some("unchanged"), Some(0)), "{again}");
    let check = world.json(0, &["check"]).await;
    assert_eq!(check["left"], 0, "{check}");
    control.trash(admin, novos).expect("trashed");
    world.json(1, &["check"]).await;
    let before = everything(&world);
    world.json(0, &["check", "--repair"]).await;
    assert_eq!(world.json(0, &["check"]).await["left"], 0);
    assert_eq!(everything(&world), before);
}
