//! Where broken set-ups are brought: the doctor names what is wrong, and what it prints is done word for word.
//!
//! What a person would read is also left in `target/tmp/doctor`, where `scripts/test` shows it.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::support::world::{Ran, World, finish};

/// A broken world, with a shell in which the printed commands run: `tecnico` and `sudo` are on its path.
pub struct Clinic {
    pub world: World,
    name: &'static str,
}

impl Clinic {
    pub async fn new(name: &'static str) -> Self {
        let world = World::new().await;
        std::fs::create_dir_all(world.path("bin")).expect("made");
        std::fs::create_dir_all(world.vm()).expect("made");
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_tecnico"), world.path("bin/tecnico")).expect("linked");
        executable(&world.path("bin/sudo"), "#!/bin/sh\n[ \"$1\" = -u ] && shift 2\nexec \"$@\"\n");
        Self { world, name }
    }

    pub fn shell(&self, command: &str) -> Command {
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
    pub fn fix_in(report: &Value, check: &str, says: &str) -> String {
        let findings = report["findings"].as_array().expect("findings");
        let named = findings
            .iter()
            .find(|f| f["check"] == check && f["verdict"] != "good" && f["message"].as_str().is_some_and(|m| m.contains(says)));
        let named = named.unwrap_or_else(|| panic!("{check} should say {says:?}: {report:#}"));
        named["fix"].as_str().unwrap_or_else(|| panic!("{check} says no mend: {report:#}")).to_owned()
    }

    /// Runs the doctor, which must say this of that check, and gives what mends it.
    pub async fn says(&self, check: &str, says: &str) -> String {
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
    pub async fn run(&self, fix: &str) -> Ran {
        let quoted: Vec<&str> = fix.split('`').skip(1).step_by(2).collect();
        let command = match fix.split_once('\n') {
            Some((_, command)) => command.trim().to_owned(),
            None if quoted.is_empty() => fix.to_owned(),
            None => quoted.join(" && "),
        };
        finish(self.shell(&command)).await.expect(0)
    }

    /// Nothing is wrong with this check any more.
    pub async fn is_well(&self, check: &str) {
        let report = self.world.json(0, &["doctor", "--only", check]).await;
        let findings = report["findings"].as_array().expect("findings");
        assert!(findings.iter().all(|f| f["check"] != check || f["verdict"] == "good"), "{report:#}");
    }

    pub fn config(&self, change: impl Fn(String) -> String) {
        let path = self.world.path("config.toml");
        let text = std::fs::read_to_string(&path).expect("a config");
        std::fs::write(path, change(text)).expect("written");
    }

    /// The same as [`Clinic::says`], the printed command, and [`Clinic::is_well`].
    pub async fn printed_command_mends(&self, check: &str, says: &str, command: &str) {
        let fix = self.says(check, says).await;
        assert!(fix.contains(command), "{fix}");
        self.run(&fix).await;
        self.is_well(check).await;
    }
}

pub fn executable(path: &std::path::Path, text: &str) {
    std::fs::write(path, text).expect("written");
    mode(path, 0o755);
}

pub fn mode(path: &std::path::Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("changed");
}
