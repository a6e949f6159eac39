//! Set-ups broken on this machine: the doctor names each with what mends it, and what it says, done word for word, does mend it.

use super::clinic::{Clinic, executable, mode};
use crate::support::receiver::{Receiver, Reply};
use crate::support::waiting::until_answered;
use crate::support::world::{ADMIN, World};

#[tokio::test(flavor = "multi_thread")]
async fn settings_of_another_version() {
    let clinic = Clinic::new("settings_of_another_version").await;
    clinic.config(|text| text + "[watch]\nintervall = \"10s\"\n");
    let fix = clinic.says("config", "there is no setting watch.intervall").await;
    assert_eq!(fix, "did you mean watch.interval?");
    clinic.config(|text| text.replace("intervall", "interval"));
    clinic.is_well("config").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_file_that_others_can_read() {
    let clinic = Clinic::new("a_key_file_that_others_can_read").await;
    mode(&clinic.world.path("service-account.json"), 0o644);
    clinic.printed_command_mends("credentials", "can be used by others", "chmod 600").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_key_that_others_can_read_or_that_is_missing() {
    let clinic = Clinic::new("a_password_key_that_is_missing").await;
    mode(&clinic.world.path("segredo.key"), 0o640);
    clinic.printed_command_mends("key", "can be used by others", "chmod 600").await;
    std::fs::remove_file(clinic.world.path("segredo.key")).expect("removed");
    clinic.printed_command_mends("key", "does not exist", "urandom").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_key_that_others_can_read_or_that_is_missing() {
    let clinic = Clinic::new("an_api_key_that_others_can_read").await;
    clinic.world.write_secret("api.key", "chave-de-teste-0123456789abcdef\n");
    clinic.config(|text| text + "[serve]\napi_key_file = \"api.key\"\n");
    clinic.is_well("key").await;
    mode(&clinic.world.path("api.key"), 0o640);
    clinic.printed_command_mends("key", "serve.api_key_file", "chmod 600").await;
    std::fs::remove_file(clinic.world.path("api.key")).expect("removed");
    assert!(clinic.says("key", "serve.api_key_file").await.contains("mode 600"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_base_directory_that_is_missing() {
    let clinic = Clinic::new("a_base_directory_that_is_missing").await;
    std::fs::remove_dir(clinic.world.vm()).expect("removed");
    // Where nobody ever was, nothing is wrong: `create` makes it.
    clinic.world.run(&["doctor", "--only", "disk"]).await.expect(0);
    clinic.printed_command_mends("disk", "does not exist yet", "is its disk mounted? `findmnt --fstab`").await;
    std::fs::remove_dir(clinic.world.vm()).expect("removed");
    clinic.world.json(0, &["create", "42"]).await;
    std::fs::rename(clinic.world.vm(), clinic.world.path("unmounted")).expect("renamed");
    clinic.world.run(&["doctor", "--only", "disk"]).await.expect(1);
    std::fs::rename(clinic.world.path("unmounted"), clinic.world.vm()).expect("renamed");
    // Nor is it the first time where somebody was taken out.
    clinic.world.json(0, &["remove", "42", "--confirm", "42"]).await;
    std::fs::rename(clinic.world.vm(), clinic.world.path("unmounted")).expect("renamed");
    clinic.world.run(&["doctor", "--only", "disk"]).await.expect(1);
}

/// An empty folder in the place of a disk that is not mounted is no base directory, however well it can be written to.
#[tokio::test(flavor = "multi_thread")]
async fn a_base_directory_without_the_technicians_folders() {
    let clinic = Clinic::new("a_base_directory_without_the_technicians_folders").await;
    for (user, name) in [("42", "Ana Maria"), ("43", "Bea Souza")] {
        clinic.world.json(0, &["create", user, "--name", name]).await;
    }
    clinic.is_well("disk").await;
    let away = clinic.world.path("away");
    std::fs::rename(clinic.world.vm(), &away).expect("unmounted");
    std::fs::create_dir(clinic.world.vm()).expect("made");
    let fix = clinic.says("disk", "holds no technician's folder, and the ledger knows 2 folders").await;
    assert!(fix.starts_with("is its disk mounted?"), "{fix}");
    std::fs::remove_dir(clinic.world.vm()).expect("removed");
    std::fs::rename(&away, clinic.world.vm()).expect("mounted");
    clinic.is_well("disk").await;
    std::fs::rename(clinic.world.vm().join("Bea_Souza"), &away).expect("moved");
    let fix = clinic.says("disk", "1 folder of 2 technicians' are missing").await;
    assert!(fix.contains("`tecnico check`"), "{fix}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_accounts_key_that_is_gone() {
    let clinic = Clinic::new("a_service_accounts_key_that_is_gone").await;
    let (key, away) = (clinic.world.path("service-account.json"), clinic.world.path("away.json"));
    std::fs::rename(&key, &away).expect("moved");
    let fix = clinic.says("credentials", "does not exist").await;
    assert!(fix.starts_with(&format!("put the key back at {} (owner ", key.display())), "{fix}");
    std::fs::rename(&away, &key).expect("put back");
    clinic.is_well("credentials").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_may_not_run_or_was_written_on_windows() {
    let clinic = Clinic::new("a_program_written_on_windows").await;
    let judge = clinic.world.path("judge");
    clinic.config(|text| text + &format!("[process]\ncommand = [\"{}\", \"{{path}}\"]\n", judge.display()));
    executable(&judge, "#!/bin/sh\r\nexit 0\r\n");
    mode(&judge, 0o644);
    let fix = clinic.says("processor", "which this user may not start").await;
    assert!(fix.contains("chmod a+rx"), "{fix}");
    clinic.run(&fix).await;
    clinic.printed_command_mends("processor", "end as on Windows", "sed -i").await;
    // Started at last, and asked about a file.
    std::fs::write(clinic.world.path("ordem.pdf"), "%PDF-1.7").expect("written");
    let file = clinic.world.path("ordem.pdf").display().to_string();
    let tried = clinic.world.run(&["doctor", "--only", "processor", "--try-file", &file]).await.expect(0);
    assert!(tried.stdout.contains("would go to processados"), "{}", tried.stdout);
    executable(&judge, "#!/bin/sh\necho 'sem número de OS' >&2\nexit 3\n");
    let tried = clinic.world.run(&["doctor", "--only", "processor", "--try-file", &file]).await.expect(0);
    assert!(tried.stdout.contains("would go to erro: sem número de OS"), "{}", tried.stdout);
    assert!(clinic.world.path("ordem.pdf").exists());
    let none = clinic.world.run(&["doctor", "--only", "processor", "--try-file", "/nao/existe.pdf"]).await.expect(1);
    assert!(none.stdout.contains("/nao/existe.pdf, cannot be read: No such file"), "{}", none.stdout);
    assert!(none.stdout.contains("fix: name a file that this user can read"), "{}", none.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_program_at_all() {
    let clinic = Clinic::new("no_program_at_all").await;
    let fix = clinic.says("processor", "every file is filed as processado unread").await;
    assert!(fix.contains("command = [\"/usr/local/bin/judge\", \"{path}\"]"), "{fix}");
    clinic.config(|text| text + "[process]\nmode = \"external\"\n");
    clinic.is_well("processor").await;
}

/// A good file must not be refused by a program that was never told of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_does_not_name_the_file() {
    let clinic = Clinic::new("a_command_that_does_not_name_the_file").await;
    for (words, says, mend) in [
        (r#"["true", "-x"]"#, "there is no {path} in it", r#"command = ["true", "-x", "{path}"]"#),
        (r#"["true", "{pth}"]"#, "{pth} is not filled in; {path}, {user} and {file_id} are", r#"command = ["true", "{path}"]"#),
        (r#"[""]"#, "its first word is empty", r#"command = ["/usr/local/bin/judge", "{path}"]"#),
    ] {
        clinic.world.write_config(&format!("[process]\ncommand = {words}\n"));
        assert!(clinic.says("config", says).await.contains(mend), "{words}");
        let refused = clinic.world.json(78, &["watch"]).await;
        assert_eq!(refused["error"]["code"], "config_wrong", "{refused}");
    }
    // A program beside the config, and one that is not there.
    executable(&clinic.world.path("judge.sh"), "#!/bin/sh\nexit 0\n");
    clinic.world.write_config("[process]\ncommand = [\"./judge.sh\", \"{path}\"]\n");
    clinic.is_well("processor").await;
    std::fs::remove_file(clinic.world.path("judge.sh")).expect("removed");
    let fix = clinic.says("processor", &format!("{:?}, which does not exist", clinic.world.path("judge.sh"))).await;
    assert!(!fix.contains("command = "), "{fix}");
}

/// Drive down is one trouble, told once, with what was met.
#[tokio::test(flavor = "multi_thread")]
async fn a_drive_that_is_down_and_a_config_that_is_wrong_are_told_once() {
    let world = World::new().await;
    let config = std::fs::read_to_string(world.path("config.toml")).expect("a config");
    let endpoint = format!("endpoint = \"{}/\"", world.emulator.url());
    std::fs::write(world.path("config.toml"), config.replace(&endpoint, "endpoint = \"http://127.0.0.1:9/\"")).expect("written");
    let told = world.run(&["doctor", "--only", "feed,roundtrip"]).await.expect(1).stdout;
    let problems: Vec<&str> = told.lines().filter(|l| l.starts_with("problem")).collect();
    assert!(problems.len() == 1 && problems[0].contains("Connection refused"), "{told}");
    assert!(told.contains("1 to mend") && told.contains("not tried until that works (-v names them)"), "{told}");

    world.write_config("[watch]\nintervall = \"10s\"\n");
    let told = world.run(&["doctor"]).await.expect(1).stdout;
    assert_eq!(told.lines().count(), 3, "{told}");
    // All build on the settings.
    let others = tecnico::doctor::CHECKS.len() - 1;
    assert!(told.contains(&format!("1 check: 1 to mend; {others} not tried")), "{told}");
    let whole = world.run(&["doctor", "-v"]).await.expect(1).stdout;
    assert_eq!(whole.lines().filter(|l| l.starts_with("skipped")).count(), others, "{whole}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_ledger() {
    let clinic = Clinic::new("a_damaged_ledger").await;
    clinic.world.json(0, &["create", "42", "--name", "Ana Maria"]).await;
    std::fs::write(clinic.world.path("ledger.db"), "not a ledger, but longer than nothing").expect("written");
    clinic.printed_command_mends("ledger", "is damaged", "tecnico ledger rebuild").await;
    let known = clinic.world.json(0, &["list"]).await;
    assert_eq!(known["technicians"][0]["user"], "42", "{known}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cycle_that_does_not_end() {
    let clinic = Clinic::new("a_cycle_that_does_not_end").await;
    clinic.config(|text| {
        text + "[status]\nsilence = \"1s\"\n[watch]\nsettle = \"0s\"\nconcurrency = 1\n[process]\ncommand = [\"sh\", \"-c\", \"sleep 5\", \"{path}\"]\n"
    });
    let made = clinic.world.json(0, &["create", "42", "--name", "Ana Maria"]).await;
    let novos = made["drive_folders"]["novos_folder_id"].as_str().expect("an id");
    for n in 0..50 {
        clinic.world.control().put(ADMIN, novos, &format!("{n}.pdf"), b"%PDF-1.7", "application/pdf").expect("put");
    }
    let mut cycle = clinic.world.command(&["watch"]).spawn().expect("starts");
    until_answered("the cycle has the lock for too long", async || {
        let report = clinic.world.run(&["doctor", "--only", "lock", "--json"]).await.json();
        report["findings"].as_array().expect("findings").iter().any(|f| f["verdict"] == "warning" && f["check"] == "lock")
    })
    .await;
    let fix = clinic.says("lock", &format!("process {}", cycle.id())).await;
    assert!(fix.contains(&format!("`kill {}`", cycle.id())), "{fix}");
    clinic.run(&fix).await;
    tokio::task::spawn_blocking(move || cycle.wait()).await.expect("waited").expect("ended");
    clinic.is_well("lock").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn callbacks_that_were_given_up() {
    let clinic = Clinic::new("callbacks_that_were_given_up").await;
    let backend = Receiver::start().await.expect("a backend");
    backend.reply(Reply::status(410));
    clinic.config(|text| text + &format!("[callback]\nurl = \"{}\"\n", backend.url()));
    clinic.world.json(0, &["create", "42", "--name", "Ana Maria"]).await;
    clinic.world.run(&["watch"]).await;
    let fix = clinic.says("work", "wants no callbacks any more").await;
    backend.reply(Reply::status(200));
    clinic.run(&fix).await;
    clinic.world.run(&["watch"]).await.expect(0);
    clinic.is_well("work").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn technicians_of_the_old_system() {
    let clinic = Clinic::new("technicians_of_the_old_system").await;
    clinic.world.forget().await;
    let control = clinic.world.control();
    let root = control.mkdir(ADMIN, &clinic.world.parent, "Bea_Souza").expect("made");
    let pdfs = control.mkdir(ADMIN, &root, "pdfs").expect("made");
    let [novos, _, _] = ["novos", "processados", "erro"].map(|part| control.mkdir(ADMIN, &pdfs, part).expect("made"));
    for part in ["pdfs/novos", "pdfs/processados", "pdfs/erro", "logs"] {
        std::fs::create_dir_all(clinic.world.vm().join("Bea_Souza").join(part)).expect("made");
    }
    let entry = serde_json::json!([{"nome": "Bea Souza", "email": "bea@example.com", "usuario_portal": "bea",
        "pasta_vm": clinic.world.vm().join("Bea_Souza"), "pasta_drive_id": root, "pasta_novos_id": novos}]);
    std::fs::write(clinic.world.vm().join("tecnicos.json"), entry.to_string()).expect("written");
    clinic.printed_command_mends("leftovers", "names Bea Souza", "tecnico import ").await;
}
