//! Removing and restoring: what is pending ends, nobody outside keeps access, nothing is deleted, and it can be stopped
//! anywhere.

use std::path::Path;

use drive_emulator::control::Match;
use serde_json::Value;

use super::support::{as_tecnico, everything, grants};
use crate::agent::Rig;
use crate::support::waiting::{PATIENCE, until};
use crate::support::world::{ADMIN, World, read_json};

const REMOVE: [&str; 4] = ["remove", "42", "--confirm", "42"];

/// Ana with a file that came to an end, shared in every way there is.
pub async fn shared_rig() -> Rig {
    let rig = Rig::new("").await;
    let control = rig.world.control();
    rig.drop_file("16517189.pdf", "bom");
    rig.world.run(&["process", "42"]).await.expect(0);
    rig.world.run(&["share", "42", "--with", "boss@example.com", "--role", "reader"]).await.expect(0);
    let robot = rig.world.robot();
    let tree = rig.world.drive_tree();
    // A link, a person on a folder in between, and a person on a file inside.
    control.share(&robot, &rig.novos, "anyone", "reader").expect("shared");
    control.group("equipe@example.org", &["caio@example.org"]).expect("a group");
    control.share(&robot, &rig.novos, "equipe@example.org", "reader").expect("shared");
    let domain = serde_json::json!({ "type": "domain", "domain": "example.net", "role": "reader" });
    as_tecnico(&rig.world, "POST", &format!("files/{}/permissions", rig.novos), &domain).await;
    control.share(&robot, &tree["Ana_Maria/pdfs"], "bea@example.com", "writer").expect("shared");
    let file = tree["Ana_Maria/pdfs/processados/16517189.pdf"].clone();
    control.share(ANA, &file, "amiga@example.com", "reader").expect("shared");
    rig
}

pub const ANA: &str = "ana@example.com";

/// Everybody with a grant on anything in the tree, who is neither its owner nor tecnico nor the admin.
#[track_caller]
fn outsiders(world: &World) -> Vec<String> {
    let robot = world.robot();
    let mut who = Vec::new();
    for id in world.drive_tree().values() {
        who.extend(grants(world, id).into_iter().filter(|g| !g.starts_with(ADMIN) && !g.starts_with(&robot)));
    }
    who.sort();
    who.dedup();
    who
}

#[track_caller]
pub fn archived(world: &World) {
    let tree = world.drive_tree();
    for path in ["arquivo/Ana_Maria", "arquivo/Ana_Maria/pdfs/novos", "arquivo/Ana_Maria/pdfs/processados/16517189.pdf"] {
        assert!(tree.contains_key(path), "{path} is not in {:?}", tree.keys());
    }
    assert!(!tree.contains_key("Ana_Maria"));
    assert_eq!(outsiders(world), Vec::<String>::new());
    assert!(world.vm().join("arquivo/Ana_Maria/pdfs/processados/16517189.pdf").is_file());
    assert!(!world.vm().join("Ana_Maria").exists());
    assert_eq!(world.registry().as_array().map(Vec::len), Some(0));
}

/// The paths of all files below a folder.
fn files_below(dir: &Path) -> Vec<String> {
    let mut open = vec![dir.to_owned()];
    let mut found = Vec::new();
    while let Some(at) = open.pop() {
        for entry in std::fs::read_dir(at).expect("listed") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.push(path.file_name().expect("a name").to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn without_confirmation_it_says_what_it_would_do_and_does_nothing() {
    let rig = shared_rig().await;
    let before = (everything(&rig.world), outsiders(&rig.world));
    for args in [&["remove", "42"][..], &["remove", "42", "--confirm", "43"]] {
        let error = rig.world.json(64, args).await;
        assert_eq!(error["error"]["code"], "not_confirmed");
        assert!(error["error"]["hint"].as_str().is_some_and(|h| h.contains("tecnico remove 42 --confirm 42")), "{error}");
    }
    let plan = rig.world.json(0, &["remove", "42", "--dry-run"]).await;
    let steps: Vec<&str> = plan["steps"].as_array().expect("steps").iter().filter_map(|s| s["problem"].as_str()).collect();
    assert_eq!(steps.iter().filter(|s| **s == "access").count(), 7, "{plan}");
    assert_eq!(&steps[7..], ["not_archived", "local_not_archived", "registry_unwanted"]);
    assert_eq!((everything(&rig.world), outsiders(&rig.world)), before);
    let unknown = rig.world.json(65, &["remove", "99", "--confirm", "99"]).await;
    assert_eq!(unknown["error"]["code"], "user_unknown");
    // The link, the group and the domain are nobody's wish, and that is all there is to say.
    let check = rig.world.json(1, &["check"]).await;
    assert_eq!(super::support::problems(&check), ["grant_unwanted"; 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_technician_is_out_everywhere_and_nothing_is_gone() {
    let rig = shared_rig().await;
    let (ids, files) = (everything(&rig.world), files_below(&rig.world.vm()));
    let pending = rig.drop_file("16517190.pdf", "bom");
    let removed = rig.world.json(0, &REMOVE).await;
    assert_eq!((removed["schema"].as_str(), removed["status"].as_str()), (Some("tecnico.remove/1"), Some("removed")));
    assert_eq!(rig.told(&pending), ["processado"], "what was pending ended first");
    archived(&rig.world);
    assert!(everything(&rig.world).is_superset(&ids));
    assert!(files.iter().all(|f| files_below(&rig.world.vm()).contains(f)));
    let who: Vec<&str> = removed["revoked"].as_array().expect("revoked").iter().filter_map(|r| r["who"].as_str()).collect();
    for one in [ANA, "anyone", "example.net", "equipe@example.org", "boss@example.com", "bea@example.com", "amiga@example.com"] {
        assert!(who.contains(&one), "{one} is not in {removed}");
    }
    // Her own files stay hers, and it is said.
    assert_eq!(removed["owned_by_others"], serde_json::json!([{ "who": ANA, "items": 2 }]));
    // The backend heard.
    let told: Vec<Value> = rig
        .backend
        .requests()
        .iter()
        .filter(|r| r.target.ends_with("/folders"))
        .filter_map(|r| serde_json::from_str(&r.body).ok())
        .collect();
    let last = told.last().expect("told");
    assert_eq!((last["status"].as_str(), &last["result"]["drive_folders"]["compartilhado"]), (Some("success"), &Value::Bool(false)));
    assert!(
        last["result"]["message"].as_str().is_some_and(|m| m.contains("arquivadas")) && last["result"]["change"] == "removed",
        "{last}"
    );
    assert!(last["result"]["vm_folders"]["novos_folder"].as_str().is_some_and(|p| p.ends_with("arquivo/Ana_Maria/pdfs/novos")), "{last}");

    // Nothing of theirs is seen, checked or processed any more.
    assert_eq!(rig.world.json(0, &["list"]).await["technicians"], serde_json::json!([]));
    assert!(rig.world.json(0, &["list", "--all"]).await["technicians"][0]["removed_at"].is_string());
    let check = rig.world.json(0, &["check"]).await;
    assert_eq!((check["checked"].as_u64(), check["left"].as_u64()), (Some(0), Some(0)), "{check}");
    assert_eq!(rig.world.json(0, &["check", "42"]).await["left"], 0);
    let stray = rig.world.control().put(ADMIN, &rig.novos, "tarde.pdf", b"bom", "application/pdf").expect("an admin may");
    for args in [&["watch"][..], &["process", "--all"]] {
        rig.world.run(args).await.expect(0);
    }
    assert_eq!(rig.place(&stray).0, "novos");
    for args in [&["process", "42"][..], &["share", "42", "--with", "bea@example.com"], &["rename", "42", "--name", "Bea"]] {
        assert_eq!(rig.world.json(65, args).await["error"]["code"], "user_removed");
    }
    // Again: looked at once more, nothing to do.
    let again = rig.world.json(0, &REMOVE).await;
    assert_eq!((again["status"].as_str(), again["drive"]["writes"].as_u64()), (Some("unchanged"), Some(0)));
    assert_eq!(again["waiting_in_novos"], serde_json::json!(["tarde.pdf"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_creation_brings_a_removed_technician_back_as_they_were() {
    let rig = shared_rig().await;
    let registry = rig.world.vm().join("tecnicos.json");
    let mut entries = read_json(&registry);
    entries[0]["equipe"] = "Sul".into();
    std::fs::write(&registry, entries.to_string()).expect("written");
    let (tree, files) = (rig.world.drive_tree(), files_below(&rig.world.vm()));
    rig.world.run(&REMOVE).await.expect(0);
    let stray = rig.world.control().put(ADMIN, &rig.novos, "tarde.pdf", b"bom", "application/pdf").expect("an admin may");
    let plan = rig.world.json(0, &["create", "42", "--dry-run"]).await;
    assert!(plan["steps"].to_string().contains("local_elsewhere"), "{plan}");
    let back = rig.world.json(0, &["create", "42"]).await;
    assert_eq!((back["status"].as_str(), back["drive_folders"]["compartilhado"].as_bool()), (Some("restored"), Some(true)));
    let now = rig.world.drive_tree();
    for (path, id) in &tree {
        assert_eq!(now.get(path), Some(id), "{path}");
    }
    assert_eq!(files_below(&rig.world.vm()), files);
    assert_eq!(outsiders(&rig.world), ["ana@example.com writer", "boss@example.com reader"]);
    assert_eq!(rig.world.registry()[0]["equipe"], "Sul");
    assert_eq!(rig.world.json(0, &["check"]).await["left"], 0);
    // What came meanwhile is taken up by the next cycle.
    rig.world.run(&["watch"]).await.expect(0);
    assert_eq!(rig.place(&stray).0, "processados");
    let again = rig.world.json(0, &["create", "42"]).await;
    assert_eq!((again["status"].as_str(), again["drive"]["writes"].as_u64()), (Some("unchanged"), Some(0)));
}

/// The mark on Drive says where to look on the VM.
#[tokio::test(flavor = "multi_thread")]
async fn a_removed_technician_comes_back_whole_although_the_ledger_is_lost() {
    let rig = shared_rig().await;
    rig.world.run(&REMOVE).await.expect(0);
    rig.world.forget().await;
    rig.world.run(&["create", "42", "--email", ANA, "--name", "Ana Maria"]).await.expect(0);
    assert_eq!(rig.world.drive_tree().get("Ana_Maria/pdfs/novos"), Some(&rig.novos));
    assert!(rig.world.vm().join("Ana_Maria/pdfs/processados/16517189.pdf").is_file());
    assert!(!rig.world.vm().join("arquivo/Ana_Maria").exists());
}

/// In a shared drive nobody owns a file, grants stand on the items alone, and everything is asked for item by item.
#[tokio::test(flavor = "multi_thread")]
async fn in_a_shared_drive_nobody_keeps_anything() {
    let world = World::new().await;
    let control = world.control();
    let (robot, drive) = (world.robot(), control.shared_drive("Operação", ADMIN).expect("a drive"));
    control.drive_member(&drive, &robot, "organizer").expect("a member");
    let parent = control.mkdir(ADMIN, &drive, "Tecnicos").expect("made");
    let config = std::fs::read_to_string(world.path("config.toml")).expect("read");
    let there = format!("parent_folder_id = \"{parent}\"\nshared_drive_id = \"{drive}\"");
    std::fs::write(world.path("config.toml"), config.replace(&format!("parent_folder_id = \"{}\"", world.parent), &there))
        .expect("written");
    control.user(ANA).expect("an account");
    let made = world.json(0, &["create", "42", "--email", ANA, "--name", "Ana Maria"]).await;
    let novos = made["drive_folders"]["novos_folder_id"].as_str().expect("an id");
    let file = control.put(ANA, novos, "16517189.pdf", b"bom", "application/pdf").expect("dropped");
    control.share(&robot, &file, "bea@example.com", "reader").expect("shared");
    let removed = world.json(0, &REMOVE).await;
    let mut who: Vec<&str> = removed["revoked"].as_array().expect("revoked").iter().filter_map(|r| r["who"].as_str()).collect();
    who.sort_unstable();
    assert_eq!((who, removed["owned_by_others"].as_array().map(Vec::len)), (vec![ANA, "bea@example.com"], Some(0)), "{removed}");
    for id in [novos, &file] {
        let left = grants(&world, id);
        assert!(!left.iter().any(|g| g.starts_with("ana@") || g.starts_with("bea@")), "{left:?}");
    }
    assert_eq!(world.json(0, &["create", "42"]).await["status"], "restored");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_end_now_stops_it_before_anything_is_changed() {
    let rig = Rig::new("").await;
    rig.drop_file("16517190.pdf", "depois");
    let before = outsiders(&rig.world);
    let error = rig.world.json(75, &REMOVE).await;
    assert_eq!(error["error"]["code"], "not_drained");
    assert!(error["error"]["message"].as_str().is_some_and(|m| m.contains("16517190.pdf")), "{error}");
    assert!(error["error"]["hint"].as_str().is_some_and(|h| h.contains("run the same command again after")), "{error}");
    assert_eq!(outsiders(&rig.world), before);
    assert_eq!(rig.world.json(0, &["check"]).await["left"], 0, "nothing is half done");
}

/// The world stands still at the first grant taken away; a file comes; the world goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_comes_between_the_first_look_and_the_end_of_access_is_not_lost() {
    let rig = shared_rig().await;
    let control = rig.world.control();
    control.gate().pause_after_matching(Match { op: Some("permissions.delete".into()), ..Match::default() }, 0);
    let run = tokio::spawn(crate::support::world::finish(rig.world.command(&REMOVE)));
    tokio::time::timeout(PATIENCE, control.wait_paused()).await.expect("it gets there");
    let late = rig.drop_file("16517191.pdf", "bom");
    control.resume();
    run.await.expect("ran").expect(0);
    assert_eq!(rig.told(&late), ["processado"]);
    archived(&rig.world);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_in_the_archive_get_a_number_and_nothing_is_overwritten() {
    let rig = shared_rig().await;
    std::fs::create_dir_all(rig.world.vm().join("arquivo/Ana_Maria")).expect("made");
    std::fs::write(rig.world.vm().join("arquivo/Ana_Maria/alheio"), "meu").expect("written");
    let archive = rig.world.control().mkdir(ADMIN, &rig.world.parent, "arquivo").expect("made");
    rig.world.control().mkdir(ADMIN, &archive, "Ana_Maria_2").expect("made");
    let removed = rig.world.json(0, &REMOVE).await;
    assert_eq!((removed["archived_as"].as_str(), removed["archive_folder_id"].as_str()), (Some("Ana_Maria_3"), Some(archive.as_str())));
    assert_eq!(std::fs::read_to_string(rig.world.vm().join("arquivo/Ana_Maria/alheio")).expect("there"), "meu");
    assert!(rig.world.vm().join("arquivo/Ana_Maria_3/pdfs/novos").is_dir());
    rig.world.run(&["create", "42"]).await.expect(0);
    assert!(rig.world.drive_tree().contains_key("Ana_Maria/pdfs/novos") && rig.world.vm().join("Ana_Maria/pdfs/novos").is_dir());
}

#[tokio::test(flavor = "multi_thread")]
async fn access_from_the_folder_above_is_named_and_the_removal_is_not_called_done() {
    for (who, named) in [(ANA, ANA), ("anyone", "anyone")] {
        let rig = shared_rig().await;
        rig.world.control().share(ADMIN, &rig.world.parent, who, "reader").expect("shared");
        let error = rig.world.json(77, &REMOVE).await;
        assert_eq!(error["error"]["code"], "access_left");
        assert!(error["error"]["message"].as_str().is_some_and(|m| m.contains(named)), "{error}");
        let check = rig.world.json(1, &["check"]).await;
        assert_eq!(check["findings"][0]["problem"], "removal_unfinished", "{check}");
        rig.world.control().unshare(ADMIN, &rig.world.parent, who).expect("unshared");
        assert_eq!(rig.world.json(0, &REMOVE).await["status"], "removed");
        archived(&rig.world);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_in_the_trash_is_left_there_and_another_is_made() {
    let rig = shared_rig().await;
    rig.world.run(&["create", "43", "--name", "Bea Souza"]).await.expect(0);
    rig.world.run(&["remove", "43", "--confirm", "43"]).await.expect(0);
    let first = rig.world.drive_tree()["arquivo"].clone();
    rig.world.control().trash(&rig.world.robot(), &first).expect("trashed");
    rig.world.run(&REMOVE).await.expect(0);
    archived(&rig.world);
    assert_ne!(rig.world.drive_tree()["arquivo"], first);
    rig.world.run(&["create", "43"]).await.expect(0);
    assert!(rig.world.drive_tree().contains_key("Bea_Souza/pdfs/novos"), "and what lies in the trashed one can be had back");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_at_once_and_a_watch_beside_them() {
    let rig = shared_rig().await;
    let mut follow = super::support::start(&rig.world, &["watch", "--follow", "--interval", "1s"]);
    let pending: Vec<String> = (0..10).map(|n| rig.drop_file(&format!("1651800{n}.pdf"), &format!("bom {n}"))).collect();
    let args: Vec<&str> = REMOVE.iter().copied().chain(["--json"]).collect();
    let runs = (0..2).map(|_| crate::support::world::finish(rig.world.command(&args)));
    let ran = futures_util::future::join_all(runs).await;
    let status: Vec<String> = ran.into_iter().map(|r| r.expect(0).json()["status"].as_str().expect("a status").to_owned()).collect();
    assert_eq!(status.iter().filter(|s| *s == "removed").count(), 1, "{status:?}");
    archived(&rig.world);
    for file in &pending {
        assert_eq!(rig.told(file), ["processado"]);
    }
    assert!(follow.try_wait().expect("asked").is_none(), "the watch goes on");
    super::support::kill(follow);
}

/// A `check --repair` or a `share` that waited for the lock must not bring back what was taken away.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_waited_for_the_removal_does_not_undo_it() {
    let rig = shared_rig().await;
    rig.world.control().set_latency(std::time::Duration::from_millis(40));
    let removing = tokio::spawn(crate::support::world::finish(rig.world.command(&REMOVE)));
    until("the removal has the lock", || rig.world.path("ledger.db.locks").read_dir().is_ok_and(|d| d.count() > 1)).await;
    let share = crate::support::world::finish(rig.world.command(&["share", "42", "--with", "bea@example.com", "--json"]));
    let share = share.await;
    assert!(matches!(share.code, Some(65)), "{share:?}");
    removing.await.expect("ran").expect(0);
    archived(&rig.world);
}
