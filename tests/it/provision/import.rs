//! Trees the old system made, and a ledger that is lost: adopted by id, nothing doubled.

use std::os::unix::fs::PermissionsExt;

use drive_emulator::control::{Effect, Fault, Status, When};
use serde_json::{Value, json};
use tecnico::domain::folder::{Role, WantedFolder};
use tecnico::domain::technician::UserId;
use tecnico::ledger::{Adopt, Ledger, WantedTechnician};

use super::support::{ANA, ANA_TREE, everything, grants, paths, problems, refused};
use crate::support::world::{ADMIN, World};

/// A tree as the old script made it: by the admin, without marks, shared by hand; and its entry.
fn old_tree(world: &World, name: &str, email: &str) -> Value {
    let control = world.control();
    let folder = name.replace(' ', "_");
    let root = control.mkdir(ADMIN, &world.parent, &folder).expect("made");
    let pdfs = control.mkdir(ADMIN, &root, "pdfs").expect("made");
    let [novos, _, _] = ["novos", "processados", "erro"].map(|part| control.mkdir(ADMIN, &pdfs, part).expect("made"));
    control.share(ADMIN, &novos, email, "writer").expect("shared");
    let vm = world.vm().join(&folder);
    for part in ["pdfs/novos", "pdfs/processados", "pdfs/erro", "logs"] {
        std::fs::create_dir_all(vm.join(part)).expect("made");
    }
    json!({"nome": name, "email": email, "usuario_portal": "portal", "pasta_vm": vm, "pasta_drive_id": root, "pasta_novos_id": novos})
}

fn write_registry(world: &World, entries: &[Value]) -> String {
    std::fs::create_dir_all(world.vm()).expect("made");
    let file = world.vm().join("tecnicos.json");
    std::fs::write(&file, serde_json::to_string_pretty(entries).expect("JSON")).expect("written");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).expect("set");
    file.display().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn c6_1_old_trees_are_adopted_by_id_and_nothing_is_doubled() {
    let world = World::new().await;
    let entries = [old_tree(&world, "Ana Maria", "ana@example.com"), old_tree(&world, "João Silva", "joao@example.com")];
    // A ledger that knows nobody: where there is none, nothing but the import is allowed.
    assert_eq!(world.json(0, &["list"]).await["technicians"], json!([]));
    let file = write_registry(&world, &entries);
    let (before, text) = (everything(&world), std::fs::read_to_string(&file).expect("read"));

    // Before the import a creation is not allowed to double it.
    refused(&world, &["create", "7", "--email", "ana@example.com"], 65, "made_by_old_system", "tecnico import").await;
    refused(&world, &["create", "8", "--name", "Ana Maria"], 65, "folder_exists_on_drive", &format!("tecnico import {file}")).await;

    let dry = world.json(0, &["import", &file, "--dry-run"]).await;
    assert_eq!((dry["rows"][0]["status"].as_str(), dry["drive"]["writes"].as_u64()), (Some("adoptable"), Some(0)));
    assert_eq!(world.json(0, &["list"]).await["technicians"], json!([]), "a dry run writes nothing in the ledger either");
    assert_eq!(std::fs::read_to_string(&file).expect("read"), text);

    let done = world.json(0, &["import", &file]).await;
    assert_eq!(done["rows"].as_array().expect("rows").iter().filter(|r| r["status"] == "adopted").count(), 2, "{done}");
    assert_eq!(everything(&world), before, "nothing made, nothing gone");
    assert_eq!(world.registry(), Value::Array(entries.to_vec()), "the entries are as they were");
    let check = world.json(0, &["check"]).await;
    assert_eq!((check["checked"].as_u64(), problems(&check)), (Some(2), Vec::<String>::new()), "{check}");
    let again = world.json(0, &["import", &file]).await;
    assert_eq!((again["rows"][0]["status"].as_str(), again["drive"]["writes"].as_u64()), (Some("unchanged"), Some(0)));

    // The backend's id takes the adopted technician over.
    let taken = world.json(0, &["create", "7", "--email", "ana@example.com"]).await;
    assert_eq!(taken["drive_folders"]["user_folder_id"], entries[0]["pasta_drive_id"]);
    assert_eq!(
        (taken["user"].as_str(), taken["name"].as_str(), taken["folder"].as_str()),
        (Some("7"), Some("Ana Maria"), Some("Ana_Maria"))
    );
    let users: Vec<String> =
        world.json(0, &["list"]).await["technicians"].as_array().expect("a list").iter().map(|t| t["user"].to_string()).collect();
    assert_eq!(users, ["\"7\"", "\"joao@example.com\""]);
    assert_eq!(world.json(0, &["create", "7"]).await["drive"]["writes"], 0);
    assert_eq!(everything(&world), before);
    assert_eq!(world.json(0, &["check"]).await["left"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_makes_what_is_missing_and_tells_what_cannot_be_adopted() {
    let world = World::new().await;
    let ana = old_tree(&world, "Ana Maria", "ana@example.com");
    let control = world.control();
    control.delete(ADMIN, &world.drive_tree()["Ana_Maria/pdfs/erro"]).expect("deleted");
    control.unshare(ADMIN, ana["pasta_novos_id"].as_str().expect("an id"), "ana@example.com").expect("unshared");
    std::fs::remove_dir_all(world.vm().join("Ana_Maria")).expect("removed");
    let gone = json!({"nome": "Bea Souza", "email": "bea@example.com", "usuario_portal": "", "pasta_vm": world.vm().join("Bea_Souza"),
        "pasta_drive_id": "1Gone00000000000000000000000000000", "pasta_novos_id": ""});
    let wrong =
        json!({"nome": "", "email": "nobody", "usuario_portal": "", "pasta_vm": "/x/..", "pasta_drive_id": "a/b", "pasta_novos_id": ""});
    let file = write_registry(&world, &[ana, gone, wrong]);
    let done = world.json(1, &["import", &file]).await;
    let statuses: Vec<&str> = done["rows"].as_array().expect("rows").iter().filter_map(|r| r["status"].as_str()).collect();
    assert_eq!(statuses, ["adopted", "failed", "failed"], "{done}");
    assert!(done["rows"][1]["message"].as_str().is_some_and(|m| m.contains("1Gone") && m.contains(&world.robot())), "{done}");
    assert_eq!(paths(&world), ANA_TREE);
    assert!(world.vm().join("Ana_Maria/pdfs/erro").is_dir());
    assert_eq!(world.registry().as_array().map(Vec::len), Some(3), "entries of others stay");
    assert_eq!(problems(&world.json(1, &["check"]).await), ["registry_unknown", "registry_unknown"]);
    refused(&world, &["import", "/nonexistent.json"], 65, "import_unreadable", "tecnicos.json").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_ledger_is_found_again_by_the_marks() {
    let world = World::new().await;
    let first = world.json(0, &["create", "42", "--email", "ana@example.com", "--name", "Ana Maria", "--portal-user", "ana"]).await;
    let (before, registry) = (everything(&world), world.registry());
    for _ in 0..2 {
        world.forget().await;
        // What was said once is remembered from tecnicos.json.
        let again = world.json(0, &["create", "42"]).await;
        assert_eq!((again["status"].as_str(), &again["drive_folders"]), (Some("unchanged"), &first["drive_folders"]));
        assert_eq!((again["name"].as_str(), again["email"].as_str()), (Some("Ana Maria"), Some("ana@example.com")));
        assert_eq!(everything(&world), before);
        assert_eq!(world.registry(), registry);
        assert_eq!(world.json(0, &["check"]).await["left"], 0);
    }
    for name in ["tecnicos.json", ".tecnicos.lock"] {
        std::fs::remove_file(world.vm().join(name)).expect("removed");
    }
    world.lose_ledger();
    world.json(0, &ANA).await;
    assert_eq!(everything(&world), before, "by the marks alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn share_with_revoke_and_list() {
    let world = World::new().await;
    let novos = world.json(0, &ANA).await["drive_folders"]["novos_folder_id"].as_str().expect("an id").to_owned();
    let shared = world.json(0, &["share", "42", "--with", "boss@example.com", "--role", "reader"]).await;
    assert_eq!(shared["changed"], true);
    assert!(grants(&world, &novos).contains(&"boss@example.com reader".to_owned()));
    assert_eq!(world.json(0, &["check"]).await["left"], 0, "what was said here is wanted");
    assert_eq!(world.json(0, &["share", "42", "--with", "boss@example.com", "--role", "reader"]).await["changed"], false);
    assert_eq!(world.json(0, &["share", "42", "--with", "boss@example.com", "--revoke", "--dry-run"]).await["changed"], false);
    world.json(0, &["share", "42", "--with", "boss@example.com", "--role", "writer"]).await;
    let list = world.json(0, &["share", "42", "--list"]).await;
    let lines = list["grants"].as_array().expect("grants");
    assert!(lines.iter().any(|g| g["who"] == "boss@example.com" && g["role"] == "writer"), "{list}");
    assert_eq!(list["drive"]["writes"], 0);
    world.json(0, &["share", "42", "--with", "boss@example.com", "--revoke"]).await;
    assert!(!grants(&world, &novos).iter().any(|g| g.starts_with("boss@")));

    // Taken from the technician, it stays so until somebody shares it again.
    world.json(0, &["share", "42", "--revoke"]).await;
    assert_eq!(world.json(0, &["create", "42"]).await["drive_folders"]["compartilhado"], false);
    assert_eq!(world.json(0, &["check", "--repair"]).await["left"], 0);
    assert!(!grants(&world, &novos).iter().any(|g| g.starts_with("ana@")));
    world.json(0, &["share", "42"]).await;
    assert_eq!(world.json(0, &["create", "42"]).await["drive_folders"]["compartilhado"], true);
    assert!(grants(&world, &novos).contains(&"ana@example.com writer".to_owned()));

    world.json(0, &["create", "43"]).await;
    refused(&world, &["share", "43"], 65, "email_missing", "--with").await;
}

/// `--dry-run` says what would be done, and does nothing on either side or in the ledger.
#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_writes_nothing() {
    let world = World::new().await;
    let before = everything(&world);
    let args: Vec<&str> = ANA.iter().copied().chain(["--dry-run"]).collect();
    let plan = world.json(0, &args).await;
    assert!(plan["steps"].as_array().is_some_and(|s| s.len() > 10), "{plan}");
    assert_eq!(plan["drive"]["writes"], 0);
    assert_eq!(everything(&world), before);
    assert_eq!(world.json(0, &["list"]).await["technicians"], json!([]));
    assert!(!world.vm().join("Ana_Maria").exists() && !world.vm().join("tecnicos.json").exists());
}

/// Whoever reads what the old system left by its modes is told before, and finds where to say otherwise.
#[tokio::test(flavor = "multi_thread")]
async fn an_import_says_which_modes_it_changes() {
    let world = World::new().await;
    let entries = [old_tree(&world, "Ana Maria", "ana@example.com")];
    let file = write_registry(&world, &entries);
    let set = |path: &str, mode| std::fs::set_permissions(world.vm().join(path), std::fs::Permissions::from_mode(mode)).expect("set");
    for (path, mode) in [("Ana_Maria/pdfs/novos", 0o777), ("Ana_Maria/pdfs/erro", 0o755), ("tecnicos.json", 0o644)] {
        set(path, mode);
    }
    let dry = world.json(0, &["import", &file, "--dry-run"]).await["rows"][0]["message"].to_string();
    assert!(dry.contains("0755 and 0777, would become 0750 (vm.folder_mode)"), "{dry}");
    let done = world.run(&["import", &file]).await.expect(0);
    assert!(done.stdout.contains("0755 and 0777, became 0750"), "{}", done.stdout);
    assert!(done.stderr.contains("tecnicos.json, 0644, became 0640 (vm.file_mode)"), "{}", done.stderr);
    world.json(0, &["check"]).await;
}

/// An entry may name any folder that the account sees: the one of all trees, the archive, somebody else's.
#[tokio::test(flavor = "multi_thread")]
async fn an_import_refuses_what_is_not_one_persons_tree_and_leaves_nobody_behind() {
    let world = World::new().await;
    let control = world.control();
    let ana = world.json(0, &ANA).await["drive_folders"].clone();
    let id = |key: &str| ana[key].as_str().expect("an id").to_owned();
    world.json(0, &["create", "43", "--email", "joao@example.com", "--name", "Joao"]).await;
    world.json(0, &["remove", "43", "--confirm", "43"]).await;
    let tree = world.drive_tree();
    let above = control.mkdir(ADMIN, &control.user(ADMIN).expect("an admin").root_id, "Empresa").expect("made");
    control.move_to(ADMIN, &world.parent, &above).expect("moved");
    control.share(ADMIN, &above, &world.robot(), "writer").expect("shared");
    let elsewhere = control.mkdir(ADMIN, &above, "Outro").expect("made");
    let bea = old_tree(&world, "Bea Souza", "bea@example.com");
    let other = |field: &str, value: &str| {
        let mut entry = bea.clone();
        entry[field] = Value::String(value.to_owned());
        entry
    };
    let entries = [
        (other("pasta_drive_id", &world.parent), "holds the trees of all"),
        (other("pasta_drive_id", &above), "holds the trees of all"),
        (other("pasta_drive_id", &tree["arquivo"]), "is the archive"),
        (other("pasta_drive_id", &elsewhere), "does not lie directly in"),
        (other("pasta_drive_id", &tree["arquivo/Joao"]), "is the folder of 43"),
        (other("pasta_drive_id", &id("user_folder_id")), "is the folder of 42"),
        (other("pasta_drive_id", &id("novos_folder_id")), "is pdfs/novos of 42"),
        (other("pasta_novos_id", &id("novos_folder_id")), "does not lie in its folder"),
        (other("pasta_novos_id", bea["pasta_drive_id"].as_str().expect("an id")), "is the technician's folder itself"),
    ];
    let before = (everything(&world), control.snapshot().expect("a snapshot")["files"].clone());
    let users = world.json(0, &["list", "--all"]).await["technicians"].clone();
    for (entry, why) in &entries {
        let file = world.path("entrada.json");
        std::fs::write(&file, serde_json::to_string(&[entry]).expect("JSON")).expect("written");
        for more in [&["--dry-run"][..], &[]] {
            let done = world.json(1, &[&["import", file.to_str().expect("a path")][..], more].concat()).await;
            assert!(done["rows"][0]["status"] == "failed" && done["rows"][0]["message"].to_string().contains(why), "{why}: {done}");
        }
    }
    assert_eq!(world.json(0, &["list", "--all"]).await["technicians"], users, "nobody came to be in the ledger");
    assert_eq!((everything(&world), control.snapshot().expect("a snapshot")["files"].clone()), before, "and nothing changed on Drive");
    // Broken off in the middle: nobody's yet, and adopted the next time.
    let file = world.path("entrada.json");
    std::fs::write(&file, serde_json::to_string(&[&bea]).expect("JSON")).expect("written");
    let args = ["import", file.to_str().expect("a path")];
    let fault = Fault::new(Effect::Status(Status::new(403, "insufficientFilePermissions"))).op("files.update");
    control.fault(fault.when(When::Next { next: 1 })).expect("a rule that can strike");
    world.json(1, &args).await;
    assert_eq!(world.json(0, &["list", "--all"]).await["technicians"], users);
    assert_eq!(world.json(0, &args).await["rows"][0]["status"], "adopted");
    assert_eq!(world.json(0, &["check"]).await["left"], 0);
}

/// As a version of before left it: the folder of all trees recorded as one technician's, or another's tree inside theirs.
#[tokio::test(flavor = "multi_thread")]
async fn a_removal_takes_nothing_from_anybody_else() {
    let world = World::new().await;
    let control = world.control();
    let ana = world.json(0, &ANA).await["drive_folders"].clone();
    world.json(0, &["create", "43", "--email", "bea@example.com", "--name", "Bea Souza"]).await;
    control.share(ADMIN, &world.parent, "boss@example.com", "writer").expect("shared");
    let ledger = Ledger::open(&world.path("ledger.db")).await.expect("opens");
    let user = UserId::parse("44").expect("an id");
    let wanted = WantedTechnician { folder: "Caio".into(), ..WantedTechnician::default() };
    ledger.reserve(&user, &wanted, &[].into(), 1).await.expect("reserves");
    let root = (WantedFolder { path: String::new(), role: Role::Usuario }, world.parent.clone());
    ledger.adopt_ids(&user, &[root], Adopt::KeepOurs).await.expect("adopts");
    ledger.close().await;
    let before = control.snapshot().expect("a snapshot")["files"].clone();
    refused(&world, &["remove", "44", "--confirm", "44"], 77, "tree_holds_others", "ledger rebuild").await;
    assert_eq!(control.snapshot().expect("a snapshot")["files"], before);

    let tree = world.drive_tree();
    control.move_to(&world.robot(), &tree["Bea_Souza"], ana["user_folder_id"].as_str().expect("an id")).expect("moved");
    refused(&world, &["remove", "42", "--confirm", "42"], 77, "tree_holds_others", "tecnico check 43 --repair").await;
    assert_eq!(grants(&world, &tree["Bea_Souza/pdfs/novos"]).iter().filter(|g| g.starts_with("bea@")).count(), 1);
    world.json(0, &["check", "43", "--repair"]).await;
    world.json(0, &["remove", "42", "--confirm", "42"]).await;
    assert!(world.drive_tree().contains_key("Bea_Souza/pdfs/novos"));
}
