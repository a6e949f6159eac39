//! Set-ups broken on Drive's side, on the backend's, or by time; as in `mends`.

use std::time::Duration;

use serde_json::Value;

use super::clinic::{Clinic, mode};
use crate::support::receiver::{Receiver, Reply};
use crate::support::world::{ADMIN, finish};

#[tokio::test(flavor = "multi_thread")]
async fn a_parent_folder_that_is_hidden_trashed_or_may_not_be_shared() {
    let clinic = Clinic::new("a_parent_folder_that_is_hidden").await;
    let (control, robot, parent) = (clinic.world.control(), clinic.world.robot(), clinic.world.parent.clone());
    control.update(ADMIN, &parent, serde_json::json!({"writersCanShare": false})).expect("closed");
    assert!(clinic.says("parent", "not share").await.contains("let editors share"));
    control.update(ADMIN, &parent, serde_json::json!({"writersCanShare": true})).expect("opened");
    control.trash(ADMIN, &parent).expect("trashed");
    assert!(clinic.says("parent", "in the trash").await.contains("restore"));
    control.untrash(ADMIN, &parent).expect("restored");
    control.unshare(ADMIN, &parent, &robot).expect("unshared");
    let fix = clinic.says("parent", "cannot see it").await;
    assert!(fix.contains(&format!("share the folder with {robot} as Editor")), "{fix}");
    control.share(ADMIN, &parent, &robot, "writer").expect("shared");
    clinic.is_well("parent").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shared_drive_that_the_settings_do_not_name() {
    let clinic = Clinic::new("a_shared_drive_that_the_settings_do_not_name").await;
    let control = clinic.world.control();
    let drive = control.shared_drive("Operação", ADMIN).expect("a drive");
    control.drive_member(&drive, &clinic.world.robot(), "organizer").expect("a member");
    let folder = control.mkdir(ADMIN, &drive, "Tecnicos").expect("a folder");
    clinic.config(|text| text.replace(&clinic.world.parent, &folder));
    let fix = clinic.says("parent", "its changes would not be seen").await;
    let line = fix.split_once("under [drive]: ").expect("the line").1;
    clinic.config(|text| text.replace("[drive]\n", &format!("[drive]\n{line}\n")));
    clinic.is_well("parent").await;

    // A role too small for sharing folders.
    control.drive_member(&drive, &clinic.world.robot(), "writer").expect("a lesser member");
    let fix = clinic.says("parent", "not share").await;
    assert!(fix.contains("a Manager, or in its settings"), "{fix}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_wrong() {
    let clinic = Clinic::new("a_clock_that_is_wrong").await;
    clinic.world.control().clock_advance(Duration::from_secs(200)).expect("advanced");
    assert!(clinic.says("clock", "behind Google's").await.starts_with("`sudo timedatectl set-ntp true`"));
    let now = tecnico::domain::clock::rfc3339(tecnico::domain::clock::now());
    clinic.world.control().clock_set(&now).expect("set");
    clinic.is_well("clock").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_google_took_back_though_a_token_is_still_good() {
    let clinic = Clinic::new("a_key_that_google_took_back").await;
    clinic.is_well("token").await;
    clinic.world.control().revoke_keys(&clinic.world.robot()).expect("revoked");
    let fix = clinic.says("token", "refused the credentials").await;
    assert!(fix.contains("make a new one") && fix.contains("drive.credentials"), "{fix}");
    let key = clinic.world.control().service_account("tecnico").expect("a new key");
    clinic.world.write_secret("service-account.json", &key);
    clinic.is_well("token").await;
}

/// The account of a virtual machine that was given too small an access scope.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_may_only_read() {
    let clinic = Clinic::new("a_token_that_may_only_read").await;
    // For this test's own client; only the first one counts.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let machine = Receiver::start().await.expect("a metadata server");
    let give = async |scope: &str| {
        let scope = format!("https://www.googleapis.com/auth/{scope}");
        let file = clinic.world.control().authorized_user_for(ADMIN, &scope).expect("a login");
        let login: Value = serde_json::from_str(&file).expect("JSON");
        let part = |name: &str| login[name].as_str().expect("text").to_owned();
        let form = [("client_id", part("client_id")), ("client_secret", part("client_secret")), ("refresh_token", part("refresh_token"))];
        let form: Vec<(&str, String)> = form.into_iter().chain([("grant_type", "refresh_token".to_owned())]).collect();
        let answer = reqwest::Client::builder().no_proxy().build().expect("a client").post(part("token_uri")).form(&form).send().await;
        let token = answer.expect("an answer").text().await.expect("text");
        machine.reply(Reply::With(200, vec![("content-type", "application/json".into())], token));
    };
    clinic.config(|text| text.replace("credentials = \"service-account.json\"", "credentials = \"\""));
    let doctor = async || {
        let mut command = clinic.world.command(&["doctor", "--only", "scope", "--json"]);
        command.env("GCE_METADATA_HOST", machine.url().trim_start_matches("http://")).env("HOME", clinic.world.path(""));
        finish(command).await
    };
    for small in ["drive.readonly", "drive.file"] {
        give(small).await;
        let fix = Clinic::fix_in(&doctor().await.expect(1).json(), "scope", "");
        assert!(fix.contains("https://www.googleapis.com/auth/drive"), "{fix}");
    }
    give("drive").await;
    doctor().await.expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_refuses_or_is_down() {
    let clinic = Clinic::new("a_backend_that_refuses").await;
    let backend = Receiver::start().await.expect("a backend");
    backend.reply(Reply::status(401));
    clinic.world.write_secret("callback.secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n");
    clinic.config(|text| text + &format!("[callback]\nurl = \"{}\"\nsecret_file = \"callback.secret\"\n", backend.url()));
    let fix = clinic.says("backend", "answered 401").await;
    assert!(fix.contains("callback.secret_file"), "{fix}");
    backend.reply(Reply::status(200));
    clinic.is_well("backend").await;
    mode(&clinic.world.path("callback.secret"), 0o644);
    let fix = clinic.says("backend", "").await;
    assert!(fix.contains("chmod 600"), "{fix}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_that_used_nearly_all_of_the_quota() {
    let clinic = Clinic::new("a_day_that_used_nearly_all_of_the_quota").await;
    clinic.world.json(0, &["create", "42", "--name", "Ana Maria"]).await;
    clinic.world.json(0, &["watch"]).await;
    let report = clinic.world.json(0, &["doctor", "--only", "quota", "-v"]).await;
    let said = report["findings"].as_array().expect("findings").iter().find(|f| f["check"] == "quota").expect("counted")["message"].clone();
    let calls: u64 = said.as_str().and_then(|m| m.split(' ').next()).and_then(|n| n.parse().ok()).expect("a number");
    let sent = clinic.world.emulator.control().requests().len() as u64;
    assert!(calls >= 8 && calls <= sent, "{said}: the emulator saw {sent}");
    let ledger = tecnico::ledger::Ledger::open(&clinic.world.path("ledger.db")).await.expect("opens");
    let much = tecnico::ledger::Units { calls: 4_000_000, units: 390_000_000, writes: 0 };
    ledger.add_units(much, tecnico::domain::clock::now()).await.expect("counted");
    ledger.close().await;
    assert!(clinic.says("quota", "quota units today").await.contains("a longer interval"));
}

/// The key belongs beside the config that is in use, with its other keys where they have a folder.
#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_cannot_tell_who_speaks() {
    let clinic = Clinic::new("a_backend_that_cannot_tell_who_speaks").await;
    let backend = Receiver::start().await.expect("a backend");
    clinic.config(|text| text + &format!("[callback]\nurl = \"{}\"\n", backend.url()));
    let beside = clinic.world.path("callback.secret").display().to_string();
    assert!(clinic.says("backend", "not signed").await.contains(&format!("secret_file = {beside:?}")));
    std::fs::create_dir(clinic.world.path("keys")).expect("made");
    let fix = clinic.says("backend", "not signed").await;
    assert!(fix.contains(&format!("secret_file = {:?}", clinic.world.path("keys/callback.secret").display().to_string())), "{fix}");
    clinic.run(&fix).await;
    clinic.config(|text| text + "secret_file = \"keys/callback.secret\"\n");
    clinic.is_well("backend").await;
    // A key that is gone stops the work, whether or not there is a backend.
    std::fs::remove_file(clinic.world.path("keys/callback.secret")).expect("removed");
    clinic.config(|text| text.replace("url = ", "timeout = \"5s\" # "));
    clinic.printed_command_mends("backend", "callback.secret_file", "urandom").await;
}
