//! A ledger that is lost: rebuilt from Drive, the VM and `tecnicos.json`, after which a cycle changes nothing.

use std::future::Future;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::agent::Rig;
use crate::support::promise::live_files;
use crate::support::world::World;

const ANA: &str = "ana@example.com";
const MONTHS: &str = "[layout]\nprocessed = \"pdfs/processados/{year}/{month}\"\n";

/// Every file on Drive and on the VM, by path.
fn trees(world: &World) -> Vec<String> {
    let mut all: Vec<String> = live_files(world).into_iter().map(|f| format!("Drive {} {}", f.path, f.id)).collect();
    all.extend(world.drive_tree().into_iter().map(|(path, id)| format!("Drive {path} {id}")));
    below(&world.vm(), &mut all);
    all.sort();
    all
}

fn below(folder: &Path, all: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            below(&path, all);
        }
        all.push(format!("VM {}", path.display()));
    }
}

/// Cycles until one has nothing to do.
async fn settle(rig: &Rig) {
    for _ in 0..6 {
        let report = rig.world.json(0, &["watch"]).await;
        if report["found"] == 0 && report["filed"].as_array().is_some_and(Vec::is_empty) && report["drive"]["writes"] == 0 {
            return;
        }
    }
    panic!("it never comes to rest");
}

/// Three technicians, of whom Ana has files of every end and one that waits.
async fn lived_through() -> Rig {
    let rig = Rig::new(MONTHS).await;
    let (world, control) = (&rig.world, rig.world.control());
    for (who, email) in [("43", "bea@example.com"), ("chefe", "chefe@example.com")] {
        control.user(email).expect("an account");
        if who != "chefe" {
            world.json(0, &["create", who, "--email", email, "--name", "Bea Souza", "--portal-user", "bea"]).await;
        }
    }
    world.json(0, &["create", "44"]).await;
    world.json(0, &["share", "42", "--with", "chefe@example.com", "--role", "reader"]).await;
    let renamed = rig.drop_file("1.pdf", "bom 1");
    for (name, text) in [("2.pdf", "bom 2"), ("3.pdf", "ruim 3"), ("vazio.pdf", ""), ("4.pdf", "depois 4"), ("5.txt", "bom 5")] {
        rig.drop_file(name, text);
    }
    let lote = control.mkdir(ANA, &rig.novos, "lote 1").expect("made");
    control.put(ANA, &lote, "6.pdf", b"bom 6", "application/pdf").expect("put");
    settle(&rig).await;
    control.rename(ANA, &renamed, "outro nome.pdf").expect("renamed");
    settle(&rig).await;
    assert_eq!(world.json(0, &["check"]).await["left"], 0);
    rig
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cycle_after_it_changes_nothing() {
    let rig = lived_through().await;
    let world = &rig.world;
    let (before, told, listed) = (trees(world), rig.requests().len(), world.json(0, &["list"]).await);
    let refused = world.json(73, &["ledger", "rebuild"]).await;
    assert!(
        refused["error"]["code"] == "ledger_exists" && refused["error"]["hint"].as_str().is_some_and(|h| h.contains("rebuild --set-aside")),
        "{refused}"
    );
    world.lose_ledger();
    let dry = world.json(0, &["ledger", "rebuild", "--dry-run"]).await;
    assert!(!world.path("ledger.db").exists(), "a dry run writes nothing");
    let rebuilt = world.json(0, &["ledger", "rebuild"]).await;
    assert_eq!(dry["technicians"], rebuilt["technicians"]);
    assert_eq!((rebuilt["drive"]["writes"].as_u64(), trees(world) == before), (Some(0), true));
    let ana = &rebuilt["technicians"].as_array().expect("lines").iter().find(|t| t["user"] == "42").expect("Ana");
    let count = |key: &str| ana[key].as_u64().expect("a number");
    assert_eq!([count("processados"), count("erro"), count("unfinished"), count("novos")], [3, 3, 0, 1], "{ana}");
    assert_eq!((ana["grants"][0]["email"].as_str(), ana["grants"][0]["role"].as_str()), (Some("chefe@example.com"), Some("reader")));

    let check = world.json(0, &["check"]).await;
    assert_eq!((check["checked"].as_u64(), check["left"].as_u64()), (Some(3), Some(0)), "{check}");
    let again = world.json(0, &["list"]).await;
    for (was, is) in listed["technicians"].as_array().expect("lines").iter().zip(again["technicians"].as_array().expect("lines")) {
        for key in ["user", "name", "email", "folder", "user_folder_id", "novos_folder_id"] {
            assert_eq!(was[key], is[key], "{key} of {}", was["user"]);
        }
    }
    for round in 0..2 {
        let cycle = world.json(0, &["watch"]).await;
        assert_eq!(cycle["drive"]["writes"], 0, "round {round}: {cycle}");
        assert!(cycle["filed"].as_array().is_some_and(Vec::is_empty), "{cycle}");
    }
    assert_eq!((trees(world), rig.requests().len()), (before, told), "nothing is moved, nobody is told anything");
    assert_eq!(world.json(0, &["why", "3.pdf"]).await["items"][0]["reason"], "número de OS inválido");
    assert_eq!(world.json(73, &["ledger", "rebuild"]).await["error"]["code"], "ledger_exists");

    // And it works: a refused file goes through again, a new one is filed.
    assert_eq!(world.json(0, &["retry", "42"]).await["items"].as_array().map(Vec::len), Some(3));
    let new = rig.drop_file("7.pdf", "bom 7");
    settle(&rig).await;
    assert_eq!(rig.told(&new), ["processado"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_taken_out_is_known_again_and_comes_back() {
    let rig = lived_through().await;
    let world = &rig.world;
    world.json(0, &["remove", "43", "--confirm", "43"]).await;
    let (before, told) = (trees(world), rig.requests().len());
    world.lose_ledger();
    let rebuilt = world.json(0, &["ledger", "rebuild"]).await;
    assert_eq!((rebuilt["removed"][0]["user"].as_str(), rebuilt["removed"].as_array().map(Vec::len)), (Some("43"), Some(1)), "{rebuilt}");
    assert!(rebuilt["removed"][0]["removed_at"].is_string() && trees(world) == before, "{rebuilt}");
    let all = world.json(0, &["list", "--all"]).await;
    let users: Vec<(&str, bool)> = all["technicians"]
        .as_array()
        .expect("lines")
        .iter()
        .map(|t| (t["user"].as_str().expect("a user"), t["removed_at"].is_string()))
        .collect();
    assert_eq!(users.iter().filter(|(_, removed)| *removed).collect::<Vec<_>>(), [&("43", true)], "{all}");
    assert_eq!(world.json(65, &["process", "43"]).await["error"]["code"], "user_removed");
    assert_eq!(world.json(0, &["check"]).await["left"], 0);
    let cycle = world.json(0, &["watch"]).await;
    assert_eq!((cycle["drive"]["writes"].as_u64(), rig.requests().len()), (Some(0), told), "{cycle}");

    let back = world.json(0, &["create", "43", "--email", "bea@example.com", "--portal-user", "bea"]).await;
    assert_eq!((back["status"].as_str(), back["drive_folders"]["compartilhado"].as_bool()), (Some("restored"), Some(true)), "{back}");
    assert!(!world.vm().join("arquivo").read_dir().expect("an archive").any(|e| e.is_ok()), "the tree on the VM came along");
    assert_eq!(world.json(0, &["check"]).await["left"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_half_put_away_is_finished_and_told() {
    let rig = Rig::new("").await;
    let file = rig.drop_file("1.pdf", "bom 1");
    settle(&rig).await;
    // As a crash leaves it: Drive is first, then the VM, then the record.
    let pdfs = rig.world.vm().join("Ana_Maria/pdfs");
    std::fs::rename(pdfs.join("processados/1.pdf"), pdfs.join("novos/1.pdf")).expect("moved");
    let told = rig.requests().len();
    rig.world.lose_ledger();
    let rebuilt = rig.world.json(0, &["ledger", "rebuild"]).await;
    assert_eq!(rebuilt["technicians"][0]["unfinished"], 1, "{rebuilt}");
    let cycle = rig.world.json(0, &["watch"]).await;
    assert_eq!((cycle["drive"]["writes"].as_u64(), cycle["filed"][0]["outcome"].as_str()), (Some(0), Some("processado")), "{cycle}");
    assert_eq!((rig.local("processados"), rig.local("novos")), (vec!["1.pdf".to_owned()], Vec::new()));
    assert_eq!((rig.requests().len(), rig.place(&file).0.as_str()), (told + 1, "processados"));
    assert_eq!(rig.calls().len(), 1, "it is not processed twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_in_the_local_novos_is_taken_up_where_it_is() {
    let rig = Rig::new("").await;
    rig.drop_file("1.pdf", "depois 1");
    rig.world.json(0, &["watch"]).await;
    assert_eq!(rig.local("novos"), ["1.pdf"]);
    rig.world.lose_ledger();
    rig.world.json(0, &["ledger", "rebuild"]).await;
    rig.world.control().clear_requests();
    rig.world.json(0, &["watch"]).await;
    let fetched = rig.world.control().requests().iter().filter(|r| r.query.contains("alt=media")).count();
    assert_eq!((rig.local("novos"), fetched), (vec!["1.pdf".to_owned()], 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn tecnicos_json_missing_damaged_or_of_another_mind() {
    let rig = Rig::new("").await;
    let world = &rig.world;
    let file = world.vm().join("tecnicos.json");
    let whole = std::fs::read_to_string(&file).expect("there");
    let elsewhere = whole.replace(world.drive_tree()["Ana_Maria"].as_str(), "1SomewhereElse000000000000000000");
    for (what, text) in [("missing", None), ("damaged", Some("[{\"nome\": ")), ("of another mind", Some(elsewhere.as_str()))] {
        match text {
            None => std::fs::remove_file(&file).expect("removed"),
            Some(text) => std::fs::write(&file, text).expect("written"),
        }
        world.lose_ledger();
        let rebuilt = world.json(1, &["ledger", "rebuild"]).await;
        let ana = &rebuilt["technicians"][0];
        let of = |key: &str| ana[key].as_str().unwrap_or_default().to_owned();
        assert_eq!([of("user"), of("name"), of("email"), of("folder")], ["42", "Ana Maria", ANA, "Ana_Maria"], "{what}");
        assert!(!rebuilt["notes"].as_array().expect("notes").is_empty(), "{what}: {rebuilt}");
        assert_eq!(std::fs::read_to_string(&file).ok().as_deref(), text, "{what}: it is left as it is");
        std::fs::write(&file, &whole).expect("mended");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).expect("set");
        assert_eq!(world.json(0, &["check"]).await["left"], 0, "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_with_the_mark_is_nothing_to_rebuild() {
    let world = World::new().await;
    assert_eq!(world.json(65, &["ledger", "rebuild"]).await["error"]["code"], "nothing_to_rebuild");
    assert!(!world.path("ledger.db").exists());
}

fn is_paused(world: &World) -> bool {
    let control = world.control();
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    std::pin::pin!(control.wait_paused()).poll(&mut context).is_ready()
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_call_it_leaves_no_half_ledger() {
    let rig = lived_through().await;
    let world = &rig.world;
    world.lose_ledger();
    let mut killed = 0;
    for call in 0.. {
        world.control().pause_after(call);
        let mut child =
            world.command(&["ledger", "rebuild"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary starts");
        let deadline = Instant::now() + Duration::from_mins(2);
        let ended = loop {
            if let Some(status) = child.try_wait().expect("waits") {
                break Some(status);
            }
            if is_paused(world) {
                child.kill().expect("killed");
                child.wait().expect("ends");
                break None;
            }
            assert!(Instant::now() < deadline, "it neither ends nor calls");
            tokio::time::sleep(Duration::from_millis(2)).await;
        };
        world.control().resume();
        if let Some(status) = ended {
            assert!(status.success(), "what was left by {killed} killed ones is in nobody's way: {status}");
            break;
        }
        killed += 1;
        assert!(!world.path("ledger.db").exists(), "killed at call {call}");
    }
    assert!(killed > 8, "only {killed} calls");
    let left: Vec<String> =
        std::fs::read_dir(world.path("")).expect("a folder").flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect();
    assert!(!left.iter().any(|name| name.contains("rebuilt")), "{left:?}");
    let cycle: Value = world.json(0, &["watch"]).await;
    assert_eq!((cycle["drive"]["writes"].as_u64(), world.json(0, &["check"]).await["left"].as_u64()), (Some(0), Some(0)), "{cycle}");
}
