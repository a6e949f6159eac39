//! `tecnico doctor`: a healthy set-up, and broken ones, each of which it names with what mends it.

mod clinic;
mod mends;
mod mends_drive;
mod running;

use std::os::unix::fs::PermissionsExt;

use drive_emulator::control::{Effect, Fault};
use serde_json::Value;

use crate::support::receiver::{Receiver, Reply};
use crate::support::world::{ADMIN, World};

/// The findings of one check.
fn of<'r>(report: &'r Value, check: &str) -> Vec<&'r Value> {
    report["findings"].as_array().expect("findings").iter().filter(|f| f["check"] == check).collect()
}

/// Runs the doctor on a broken world: the check must be in trouble, and tell what mends it.
#[track_caller]
fn assert_named(report: &Value, check: &str, says: &str, fix: &str) {
    let named = of(report, check).into_iter().any(|f| {
        f["verdict"] == "problem"
            && f["message"].as_str().is_some_and(|m| m.contains(says))
            && f["fix"].as_str().is_some_and(|m| m.contains(fix))
    });
    assert!(named && report["healthy"] == false, "{check} should say {says:?} and {fix:?}: {report:#}");
}

fn account(world: &World) -> String {
    let key = std::fs::read_to_string(world.path("service-account.json")).expect("a key");
    let key: Value = serde_json::from_str(&key).expect("JSON");
    key["client_email"].as_str().expect("an e-mail").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn all_is_well_and_nothing_is_left_behind() {
    let world = World::new().await;
    let backend = Receiver::start().await.expect("a backend");
    world.write_secret("callback.secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n");
    let program = "[process]\ncommand = [\"true\", \"{path}\"]\n";
    world.write_config(&format!("[callback]\nurl = \"{}\"\nsecret_file = \"callback.secret\"\n{program}", backend.url()));
    world.json(0, &["create", "ana@example.com"]).await;
    world.json(0, &["watch"]).await;
    let before = world.drive_tree();
    let told = backend.requests().len();
    let report = world.json(0, &["doctor", "--as", ADMIN]).await;
    assert_eq!((report["schema"].as_str(), report["healthy"].as_bool()), (Some("tecnico.doctor/1"), Some(true)), "{report:#}");
    let good = report["findings"].as_array().expect("findings").iter().filter(|f| f["verdict"] == "good").count();
    assert!(good >= 12 && report["skipped"] == 0, "{report:#}");
    assert_eq!(world.drive_tree(), before, "something is left on Drive");
    let ping = backend.requests().pop().expect("a ping");
    assert_eq!(backend.requests().len(), told + 1);
    assert!(ping.headers.contains_key("webhook-signature") && ping.body.contains("\"job_id\":\"ping\""), "{ping:?}");
    let people = world.run(&["doctor", "--only", "disk"]).await.expect(0);
    assert_eq!(people.stdout.lines().count(), 1, "{}", people.stdout);
}

/// Sharing is tried without anybody's address too; a refusal of that alone proves nothing, one of `--as` does.
#[tokio::test(flavor = "multi_thread")]
async fn sharing_is_tried_with_the_account_itself_or_with_whom_one_names() {
    for world in [World::new().await, World::in_shared_drive().await] {
        let said = world.json(0, &["doctor", "--only", "roundtrip"]).await;
        let [trip] = of(&said, "roundtrip")[..] else { panic!("{said:#}") };
        assert!(trip["verdict"] == "good" && trip["message"].as_str().is_some_and(|m| m.contains(&world.robot())), "{trip}");
        let status = drive_emulator::control::Status::new(403, "shareOutNotPermitted");
        world.control().fault(Fault::new(Effect::Status(status)).op("permissions.create")).expect("a rule that can strike");
        let report = world.json(0, &["doctor", "--only", "roundtrip"]).await;
        let warning = of(&report, "roundtrip").into_iter().find(|f| f["verdict"] == "warning").expect("a warning");
        assert!(warning["fix"].as_str().is_some_and(|f| f.contains("--as E-MAIL")), "{report:#}");
        let report = world.json(1, &["doctor", "--only", "roundtrip", "--as", ADMIN]).await;
        assert!(of(&report, "roundtrip").iter().any(|f| f["verdict"] == "problem" && f["fix"].is_string()), "{report:#}");
        assert!(world.drive_tree().is_empty(), "something is left on Drive");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_config_is_told_and_the_rest_is_not_tried() {
    let world = World::new().await;
    world.write_config("[watch]\nintervall = \"10s\"\n");
    let report = world.json(1, &["doctor"]).await;
    assert_named(&report, "config", "there is no setting watch.intervall", "watch.interval");
    assert!(of(&report, "roundtrip")[0]["verdict"] == "skipped" && of(&report, "disk")[0]["verdict"] == "skipped");
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_others_can_read_or_google_took_back() {
    let world = World::new().await;
    let key = world.path("service-account.json");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).expect("changed");
    let report = world.json(1, &["doctor"]).await;
    assert_named(&report, "credentials", "can be used by others", "chmod 600");
    assert_eq!(of(&report, "parent")[0]["verdict"], "skipped");

    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).expect("changed");
    world.control().revoke_keys(&account(&world)).expect("revoked");
    let report = world.json(1, &["doctor"]).await;
    assert!(of(&report, "token")[0]["verdict"] == "problem" && of(&report, "token")[0]["fix"].is_string(), "{report:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parent_folder_that_is_hidden_read_only_or_in_the_trash() {
    let world = World::new().await;
    let me = account(&world);
    let control = world.control();
    control.unshare(ADMIN, &world.parent, &me).expect("unshared");
    assert_named(&world.json(1, &["doctor"]).await, "parent", "cannot see it", &me);
    control.share(ADMIN, &world.parent, &me, "reader").expect("shared");
    let report = world.json(1, &["doctor"]).await;
    assert_named(&report, "parent", "not write", "Editor");
    assert_eq!(of(&report, "roundtrip")[0]["verdict"], "skipped");
    control.unshare(ADMIN, &world.parent, &me).expect("unshared");
    control.share(ADMIN, &world.parent, &me, "writer").expect("shared");
    control.trash(ADMIN, &world.parent).expect("trashed");
    assert_named(&world.json(1, &["doctor"]).await, "parent", "trash", "restore");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shared_drive_that_the_settings_do_not_name() {
    let world = World::new().await;
    let control = world.control();
    let drive = control.shared_drive("Operação", ADMIN).expect("a drive");
    control.drive_member(&drive, &account(&world), "fileOrganizer").expect("a member");
    let folder = control.mkdir(ADMIN, &drive, "Tecnicos").expect("a folder");
    let config = std::fs::read_to_string(world.path("config.toml")).expect("a config");
    std::fs::write(world.path("config.toml"), config.replace(&world.parent, &folder)).expect("written");
    assert_named(&world.json(1, &["doctor"]).await, "parent", "would not be seen", &format!("shared_drive_id = \"{drive}\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_content_manager_who_may_not_share_folders() {
    let world = World::new().await;
    let control = world.control();
    let drive = control.shared_drive("Operação", ADMIN).expect("a drive");
    let me = account(&world);
    control.drive_member(&drive, &me, "fileOrganizer").expect("a member");
    let folder = control.mkdir(ADMIN, &drive, "Tecnicos").expect("a folder");
    let config = std::fs::read_to_string(world.path("config.toml")).expect("a config");
    let parent = format!("parent_folder_id = \"{}\"", world.parent);
    let config = config.replace(&parent, &format!("parent_folder_id = \"{folder}\"\nshared_drive_id = \"{drive}\""));
    std::fs::write(world.path("config.toml"), config).expect("written");
    assert_named(&world.json(1, &["doctor"]).await, "parent", "not share", "a Manager");
    let refused = world.json(77, &["create", "ana@example.com"]).await;
    assert_eq!(refused["error"]["code"], "no_permission");
    assert!(refused["error"]["hint"].as_str().is_some_and(|h| h.contains("a Manager")), "{refused}");
    control.drive_member(&drive, &me, "organizer").expect("promoted");
    world.json(0, &["doctor"]).await;
    world.json(0, &["create", "ana@example.com"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn this_machine_a_missing_program_a_missing_disk_a_damaged_ledger() {
    let world = World::new().await;
    world.write_config("[process]\ncommand = [\"no-such-program\", \"{path}\"]\n");
    std::fs::write(world.path("ledger.db"), "not a ledger").expect("written");
    let report = world.json(1, &["--base-dir", "/nowhere/vm", "doctor"]).await;
    assert_named(&report, "processor", "no-such-program", "install it");
    assert_named(&report, "disk", "/nowhere/vm does not exist", "install -d");
    assert!(of(&report, "ledger")[0]["verdict"] == "problem" && of(&report, "work")[0]["verdict"] == "skipped", "{report:#}");
    assert_eq!(of(&report, "roundtrip")[0]["verdict"], "good", "what does not depend on it is tried all the same");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_refuses_the_signature() {
    let world = World::new().await;
    let backend = Receiver::start().await.expect("a backend");
    backend.reply(Reply::status(401));
    world.write_config(&format!("[callback]\nurl = \"{}\"\n", backend.url()));
    let report = world.json(1, &["doctor", "--only", "backend"]).await;
    assert_named(&report, "backend", "401", "callback.secret_file");
    assert!(of(&report, "backend").iter().any(|f| f["verdict"] == "warning"), "unsigned is worth a word: {report:#}");
    assert!(of(&report, "roundtrip").is_empty() && of(&report, "config").len() == 1, "only what was asked for: {report:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_wrong() {
    let world = World::new().await;
    world.control().clock_advance(std::time::Duration::from_secs(200)).expect("advanced");
    assert_named(&world.json(1, &["doctor"]).await, "clock", "behind", "timedatectl");
}

#[tokio::test(flavor = "multi_thread")]
async fn technicians_of_the_old_system_are_told_of() {
    let world = World::new().await;
    std::fs::create_dir(world.vm()).expect("made");
    let old = r#"[{"nome":"Bea Souza","email":"bea@example.com","usuario_portal":"bea","pasta_vm":"/srv/Bea_Souza","pasta_drive_id":"1old","pasta_novos_id":"1novos"}]"#;
    std::fs::write(world.vm().join("tecnicos.json"), old).expect("written");
    let report = world.json(1, &["doctor", "--only", "leftovers"]).await;
    let [finding] = of(&report, "ledger")[..] else { panic!("{report:#}") };
    assert!(finding["fix"].as_str().is_some_and(|f| f.contains("`tecnico import /")), "{report:#}");
    world.forget().await;
    let report = world.json(0, &["doctor", "--only", "leftovers"]).await;
    let [finding] = of(&report, "leftovers")[..] else { panic!("{report:#}") };
    assert!(finding["verdict"] == "warning" && finding["fix"].as_str().is_some_and(|f| f.starts_with("tecnico import ")), "{report:#}");
}
