//! Set-ups broken in twenty ways: the doctor names each with what mends it, and what it says, done word for word, does mend it.
//!
//! What a person would read is also left in `target/tmp/doctor`, where `scripts/test` shows it.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::receiver::{Receiver, Reply};
use crate::support::world::{ADMIN, Ran, World, finish};

const PATIENCE: Duration = Duration::from_mins(1);

/// A broken world, with a shell in which the printed commands run: `tecnico` and `sudo` are on its path.
struct Clinic {
    world: World,
    name: &'static str,
}

impl Clinic {
    async fn new(name: &'static str) -> Self {
        let world = World::new().await;
        std::fs::create_dir_all(world.path("bin")).expect("made");
        std::fs::create_dir_all(world.vm()).expect("made");
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_tecnico"), world.path("bin/tecnico")).expect("linked");
        executable(&world.path("bin/sudo"), "#!/bin/sh\n[ \"$1\" = -u ] && shift 2\nexec \"$@\"\n");
        Self { world, name }
    }

    fn shell(&self, command: &str) -> Command {
        let mut shell = Command::new("sh");
        let path = format!("{}:{}", self.world.path("bin").display(), std::env::var("PATH").unwrap_or_default());
        shell.args(["-c", command]).current_dir(self.world.vm().ancestors().find(|p| p.is_dir()).expect("a folder"));
        shell.env("PATH", path).env("TECNICO_CONFIG", self.world.path("config.toml"));
        // Who says sudo has another name than the service.
        shell.env("USER", "ana").env_remove("BACKEND_URL");
        shell
    }

    /// What mends the finding of `check` that says `says`; it must be the only kind of trouble there.
    #[track_caller]
    fn fix_in(report: &Value, check: &str, says: &str) -> String {
        let findings = report["findings"].as_array().expect("findings");
        let named = findings
            .iter()
            .find(|f| f["check"] == check && f["verdict"] != "good" && f["message"].as_str().is_some_and(|m| m.contains(says)));
        let named = named.unwrap_or_else(|| panic!("{check} should say {says:?}: {report:#}"));
        named["fix"].as_str().unwrap_or_else(|| panic!("{check} says no mend: {report:#}")).to_owned()
    }

    /// Runs the doctor, which must say this of that check, and gives what mends it.
    async fn says(&self, check: &str, says: &str) -> String {
        let shown = self.world.run(&["doctor", "--only", check]).await;
        let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("doctor");
        std::fs::create_dir_all(&dir).expect("made");
        std::fs::write(dir.join(format!("{}.txt", self.name)), format!("{}{}", shown.stdout, shown.stderr)).expect("written");
        assert!(shown.stdout.contains("    fix: "), "a person reads no mend: {}", shown.stdout);
        let report = self.world.run(&["doctor", "--only", check, "--json"]).await;
        assert_eq!(report.code == Some(0), report.json()["healthy"] == true);
        Self::fix_in(&report.json(), check, says)
    }

    /// Does what the doctor printed: a command on a line of its own, those in backticks, or the whole.
    async fn run(&self, fix: &str) -> Ran {
        let quoted: Vec<&str> = fix.split('`').skip(1).step_by(2).collect();
        let command = match fix.split_once('\n') {
            Some((_, command)) => command.trim().to_owned(),
            None if quoted.is_empty() => fix.to_owned(),
            None => quoted.join(" && "),
        };
        finish(self.shell(&command)).await.expect(0)
    }

    /// Nothing is wrong with this check any more.
    async fn is_well(&self, check: &str) {
        let report = self.world.json(0, &["doctor", "--only", check]).await;
        let findings = report["findings"].as_array().expect("findings");
        assert!(findings.iter().all(|f| f["check"] != check || f["verdict"] == "good"), "{report:#}");
    }

    fn config(&self, change: impl Fn(String) -> String) {
        let path = self.world.path("config.toml");
        let text = std::fs::read_to_string(&path).expect("a config");
        std::fs::write(path, change(text)).expect("written");
    }

    /// The same as [`Clinic::says`], the printed command, and [`Clinic::is_well`].
    async fn printed_command_mends(&self, check: &str, says: &str, command: &str) {
        let fix = self.says(check, says).await;
        assert!(fix.contains(command), "{fix}");
        self.run(&fix).await;
        self.is_well(check).await;
    }
}

fn executable(path: &std::path::Path, text: &str) {
    std::fs::write(path, text).expect("written");
    mode(path, 0o755);
}

fn mode(path: &std::path::Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("changed");
}

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
    clinic.printed_command_mends("credentials", "can be read by others", "chmod 600").await;
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
    assert!(clinic.says("key", "cannot read serve.api_key_file").await.contains("mode 600"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_base_directory_that_is_missing() {
    let clinic = Clinic::new("a_base_directory_that_is_missing").await;
    std::fs::remove_dir(clinic.world.vm()).expect("removed");
    clinic.printed_command_mends("disk", "does not exist", "install -d").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_may_not_run_or_was_written_on_windows() {
    let clinic = Clinic::new("a_program_written_on_windows").await;
    let judge = clinic.world.path("judge");
    clinic.config(|text| text + &format!("[process]\ncommand = [\"{}\", \"{{path}}\"]\n", judge.display()));
    executable(&judge, "#!/bin/sh\r\nexit 0\r\n");
    mode(&judge, 0o644);
    clinic.printed_command_mends_twice().await;
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
    assert!(told.contains(&format!("1 checked: 1 to mend; {others} not tried")), "{told}");
    let whole = world.run(&["doctor", "-v"]).await.expect(1).stdout;
    assert_eq!(whole.lines().filter(|l| l.starts_with("skipped")).count(), others, "{whole}");
}

impl Clinic {
    async fn printed_command_mends_twice(&self) {
        let fix = self.says("processor", "which this user may not start").await;
        assert!(fix.contains("chmod a+rx"), "{fix}");
        self.run(&fix).await;
        self.printed_command_mends("processor", "end as on Windows", "sed -i").await;
    }
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
    let deadline = Instant::now() + PATIENCE;
    let slow =
        |report: &Value| report["findings"].as_array().expect("findings").iter().any(|f| f["verdict"] == "warning" && f["check"] == "lock");
    while !slow(&clinic.world.run(&["doctor", "--only", "lock", "--json"]).await.json()) {
        assert!(Instant::now() < deadline, "the cycle never took the lock");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
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
    assert_eq!(clinic.says("clock", "behind Google's").await, "sudo timedatectl set-ntp true");
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
