//! What this machine can do to a creation: keys, disks, damaged files, and input that is wrong.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use super::support::{ANA, ANA_TREE, everything, paths, refused};
use crate::support::mounts;
use crate::support::world::{World, finish};

/// Nothing was written anywhere.
#[track_caller]
fn untouched(world: &World, before: &std::collections::BTreeSet<String>) {
    assert_eq!(everything(world), *before);
    assert!(!world.vm().join("Ana_Maria").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_e_mail() {
    let world = World::new().await;
    let before = everything(&world);
    for email in ["ana", "ana@", "@example.com", "ana maria@example.com", "ana@example", "ana@example.com,bea@example.com", ""] {
        refused(&world, &["create", "42", "--email", email, "--name", "Ana Maria"], 65, "email_invalid", "correct it").await;
    }
    world.run(&ANA).await.expect(0);
    refused(&world, &["share", "42", "--with", "bea"], 65, "email_invalid", "nothing was changed").await;
    assert_eq!(everything(&world).len(), before.len() + 5);
}

/// Two technicians cannot have one address: which novos would they be meant to use?
#[tokio::test(flavor = "multi_thread")]
async fn an_e_mail_that_is_somebody_elses() {
    let world = World::new().await;
    world.run(&ANA).await.expect(0);
    refused(&world, &["create", "43", "--email", "Ana@Example.com", "--name", "Outra"], 65, "email_taken", "tecnico create 42").await;
    refused(&world, &["create", "ana@example.com"], 65, "email_taken", "tecnico create 42").await;
    assert_eq!(paths(&world), ANA_TREE);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_csv_file_is_checked_whole_before_the_first_write() {
    let world = World::new().await;
    let before = everything(&world);
    let csv = world.path("t.csv");
    let from = ["create", "--from", csv.to_str().expect("UTF-8")];
    std::fs::write(
        &csv,
        "user,email,name\n42,ana@example.com,Ana Maria\n43,bea,Bea Souza\n44,ANA@example.com,Outra\n42,j@example.com,J\n,x@example.com,X\n",
    )
    .expect("written");
    let error = refused(&world, &from, 65, "csv_rows", "correct the lines").await;
    for says in ["line 3: ", "line 4: the e-mail ana@example.com stands in line 2", "line 5: the user 42 stands in line 2", "line 6: "] {
        assert!(error.contains(says), "{says}: {error}");
    }
    std::fs::write(&csv, "usuario;email\n42;ana@example.com\n").expect("written");
    refused(&world, &from, 65, "csv_header", "correct the first line").await;
    std::fs::write(&csv, b"user,name\n42,Jos\xe9\n").expect("written");
    refused(&world, &from, 65, "csv_unreadable", "UTF-8").await;
    refused(&world, &["create", "--from", "/nonexistent.csv"], 65, "csv_unreadable", "name a CSV file").await;
    untouched(&world, &before);
    let done = world
        .run_with_stdin(&["create", "--from", "-", "--json"], "user,email,name\n42,ana@example.com,Ana Maria\n")
        .await
        .expect(0)
        .json();
    assert_eq!(done["rows"][0]["status"], "created");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_others_can_read_or_that_cannot_be_read() {
    let world = World::new().await;
    let before = everything(&world);
    let key = world.path("service-account.json");
    let mode = |mode| std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).expect("set");
    mode(0o644);
    refused(&world, &ANA, 77, "key_readable_by_others", "chmod 600").await;
    mode(0o000);
    // Root reads everything unless it gives that power up.
    let mut plain = world.command(&ANA);
    plain.arg("--json");
    let mut command = Command::new("setpriv");
    if rustix::process::geteuid().is_root() {
        let without = "-dac_override,-dac_read_search";
        command.args([format!("--inh-caps={without}"), format!("--bounding-set={without}")]);
        command.arg("--").arg(plain.get_program()).args(plain.get_args());
    } else {
        command = plain;
    }
    let error = finish(command).await.expect(77).json();
    assert_eq!(error["error"]["code"], "key_unreadable");
    assert!(error["error"]["hint"].as_str().is_some_and(|h| h.contains("chown")), "{error}");
    mode(0o600);
    std::fs::write(&key, "{\"type\": \"service_account\"").expect("written");
    refused(&world, &ANA, 77, "key_malformed", "download the key again").await;
    std::fs::remove_file(&key).expect("removed");
    refused(&world, &ANA, 78, "key_missing", "drive.credentials").await;
    untouched(&world, &before);
}

/// The portal password is asked for and the Fernet key is not there: told before anything is written.
#[tokio::test(flavor = "multi_thread")]
async fn a_fernet_key_missing_readable_or_wrong() {
    let world = World::new().await;
    let before = everything(&world);
    let key = world.path("segredo.key");
    let args = ["create", "42", "--name", "Ana Maria", "--portal-user", "ana", "--portal-password-stdin", "--json"];
    let mut tried = Vec::new();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o640)).expect("set");
    tried.push(world.run_with_stdin(&args, "s3nha\n").await.expect(77).json());
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).expect("set");
    std::fs::write(&key, "curta\n").expect("written");
    tried.push(world.run_with_stdin(&args, "s3nha\n").await.expect(78).json());
    std::fs::remove_file(&key).expect("removed");
    tried.push(world.run_with_stdin(&args, "s3nha\n").await.expect(78).json());
    let codes: Vec<&str> = tried.iter().filter_map(|e| e["error"]["code"].as_str()).collect();
    assert_eq!(codes, ["key_readable_by_others", "key_invalid", "key_missing"]);
    assert!(tried.iter().all(|e| e["error"]["hint"].is_string()), "{tried:?}");
    world.write_secret("segredo.key", "VGVjbmljbyB0ZXN0IGtleSwgMzIgYnl0ZXMgbG9uZyE=\n");
    let empty = world.run_with_stdin(&args, "\n").await.expect(65).json();
    assert_eq!(empty["error"]["code"], "password_empty");
    untouched(&world, &before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_ledger_stops_everything_and_stays_as_it_is() {
    let world = World::new().await;
    let first = world.json(0, &ANA).await;
    let before = everything(&world);
    std::fs::write(world.path("ledger.db"), "this is no database, it is a text that somebody put here\n".repeat(99)).expect("written");
    let _ = std::fs::remove_file(world.path("ledger.db-wal"));
    let bytes = std::fs::read(world.path("ledger.db")).expect("read");
    for args in [&ANA[..], &["check"], &["check", "--repair"], &["list"], &["share", "42"]] {
        refused(&world, args, 65, "ledger_damaged", "tecnico ledger rebuild").await;
    }
    assert_eq!(std::fs::read(world.path("ledger.db")).expect("read"), bytes);
    assert_eq!(everything(&world), before);
    // The way out that the message names.
    std::fs::rename(world.path("ledger.db"), world.path("ledger.db.damaged")).expect("moved");
    let registry = world.vm().join("tecnicos.json").display().to_string();
    world.run(&["import", &registry]).await.expect(0);
    assert_eq!(world.json(0, &["list"]).await["technicians"][0]["user"], "42", "the mark on Drive says who it is");
    let again = world.json(0, &ANA).await;
    assert_eq!((again["status"].as_str(), &again["drive_folders"]), (Some("unchanged"), &first["drive_folders"]));
    assert_eq!(everything(&world), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn c6_3_a_damaged_registry_is_left_as_it_is_and_nothing_is_made() {
    let world = World::new().await;
    world.json(0, &["create", "41"]).await;
    let before = everything(&world);
    let file = world.vm().join("tecnicos.json");
    let half = std::fs::read_to_string(&file).expect("read").split_at(60).0.to_owned();
    std::fs::write(&file, &half).expect("written");
    for args in [&ANA[..], &["check"], &["check", "--repair"]] {
        refused(&world, args, 65, "registry_damaged", "check --repair").await;
    }
    assert_eq!(std::fs::read_to_string(&file).expect("read"), half);
    untouched(&world, &before);
    std::fs::rename(&file, world.vm().join("tecnicos.json.damaged")).expect("set aside");
    world.json(0, &["check", "--repair"]).await;
    assert_eq!(world.registry()[0]["nome"], "Usuario_41");
    world.json(0, &ANA).await;
}

/// A disk that is full under the base directory, in a mount of the process's own; where that is not allowed, a limit on
/// the size of files, which fails each write in the same place.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_and_the_rerun_goes_on() {
    const ON_A_SMALL_DISK: &str = r#"
        mount -t tmpfs -o size=16k tmpfs "$VM" || exit 9
        head -c 1M /dev/zero > "$VM/cheio" 2>/dev/null
        "$@"; echo; echo "exit $?"; ls -A "$VM" | tr '\n' ' '; echo
        rm "$VM/cheio"; "$@" && cp "$VM/tecnicos.json" "$OUT""#;
    const WITH_A_LIMIT: &str = r#"
        (trap '' XFSZ; ulimit -f 0; "$@"); echo; echo "exit $?"; ls -A "$VM" | tr '\n' ' '; echo
        "$@" && cp "$VM/tecnicos.json" "$OUT""#;
    let world = World::new().await;
    world.json(0, &["list"]).await;
    std::fs::create_dir_all(world.vm()).expect("made");
    let mut plain = world.command(&ANA);
    plain.arg("--json");
    let mut command = mounts::shell(ON_A_SMALL_DISK, WITH_A_LIMIT, &plain);
    command.env("VM", world.vm()).env("OUT", world.path("out.json"));
    let ran = finish(command).await.expect(0);
    let lines: Vec<&str> = ran.stdout.lines().filter(|l| !l.is_empty()).collect();
    let error: serde_json::Value = serde_json::from_str(lines[0]).expect("JSON");
    assert!(error["error"]["hint"].is_string(), "{error}");
    if mounts::may_mount() {
        assert_eq!(error["error"]["code"], "disk_full");
        assert!(!lines[2].contains(".tmp") && !lines[2].contains("tecnicos.json"), "half a file stayed: {}", lines[2]);
    }
    let made: serde_json::Value = serde_json::from_str(lines[3]).expect("JSON");
    assert_eq!(made["drive_folders"]["compartilhado"], true);
    assert_eq!(paths(&world), ANA_TREE);
    assert_eq!(crate::support::world::read_json(&world.path("out.json"))[0]["nome"], "Ana Maria");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_config_and_no_place_for_the_trees() {
    let world = World::new().await;
    let before = everything(&world);
    let mut command = world.command(&["create", "42", "--json"]);
    command.args(["--config", "/nonexistent/config.toml"]);
    std::fs::remove_file(world.path("config.toml")).expect("removed");
    let error = refused(&world, &ANA, 78, "config_unreadable", "config --example").await;
    assert!(error.contains("tecnico demo"), "{error}");
    world.write_config("");
    let right = std::fs::read_to_string(world.path("config.toml")).expect("read");
    std::fs::write(world.path("config.toml"), right.replace("\"vm\"", "\"not/there/vm\"")).expect("written");
    refused(&world, &ANA, 78, "base_dir_missing", "vm.base_dir").await;
    std::fs::write(world.path("config.toml"), right.replace("\"ledger.db\"", "\"not/there/ledger.db\"")).expect("written");
    refused(&world, &ANA, 73, "ledger_directory", "ledger.path").await;
    untouched(&world, &before);
}

/// A disk that is not mounted: an empty folder in its place would be taken for the technicians', and hide theirs.
#[tokio::test(flavor = "multi_thread")]
async fn a_base_directory_that_is_gone_is_made_by_nobody() {
    let world = World::new().await;
    world.json(0, &ANA).await;
    let away = world.path("away");
    std::fs::rename(world.vm(), &away).expect("moved");
    for args in [&["watch"][..], &["process", "--all"], &["check", "--repair"], &["create", "43"]] {
        let refused = world.json(75, args).await;
        assert_eq!(refused["error"]["code"], "base_dir_missing", "{args:?}: {refused}");
        assert!(refused["error"]["hint"].as_str().is_some_and(|h| h.contains("sudo mount -a")), "{refused}");
        assert!(!world.vm().exists(), "{args:?} made one");
    }
    let status = world.json(1, &["status"]).await;
    assert!(status["problems"].as_array().is_some_and(|all| all.iter().any(|p| p["code"] == "base_dir_missing")), "{status}");
    let doctor = world.json(1, &["doctor", "--only", "disk"]).await.to_string();
    assert!(doctor.contains("sudo mount -a") && !doctor.contains("install -d"), "{doctor}");
    std::fs::rename(&away, world.vm()).expect("mounted");
    world.json(0, &["watch"]).await;
}

/// The folder that a disk is mounted on is there without the disk, and empty.
#[tokio::test(flavor = "multi_thread")]
async fn an_empty_base_directory_is_taken_for_the_technicians_by_nobody() {
    let world = World::new().await;
    world.json(0, &ANA).await;
    let away = world.path("away");
    std::fs::rename(world.vm(), &away).expect("moved");
    std::fs::create_dir(world.vm()).expect("made");
    std::fs::create_dir(world.vm().join("lost+found")).expect("made");
    for args in
        [&["watch"][..], &["process", "--all"], &["check"], &["check", "--repair"], &["create", "43"], &["rename", "42", "--name", "Ana"]]
    {
        let refused = world.json(75, args).await;
        assert_eq!(refused["error"]["code"], "base_dir_empty", "{args:?}: {refused}");
        assert!(refused["error"]["hint"].as_str().is_some_and(|h| h.contains("sudo mount -a") && h.contains("--anew")), "{refused}");
        assert_eq!(std::fs::read_dir(world.vm()).expect("read").count(), 1, "{args:?} made something");
    }
    let status = world.json(1, &["status"]).await;
    assert!(status["problems"].as_array().is_some_and(|all| all.iter().any(|p| p["code"] == "base_dir_empty")), "{status}");
    // Lost for good: the folders are made anew, by whoever says so.
    world.json(0, &["check", "--repair", "--anew"]).await;
    assert!(world.vm().join("Ana_Maria/pdfs/novos").is_dir() && world.vm().join("tecnicos.json").is_file());
    world.json(0, &["watch"]).await;
}
