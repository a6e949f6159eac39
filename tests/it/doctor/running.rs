//! What runs on a machine with systemd, which here is a `systemctl` that says what the test has it say.

use std::process::Command;

use serde_json::Value;

use super::clinic::executable;
use crate::support::etc::stand_in;
use crate::support::mounts::mounted;
use crate::support::world::World;

/// A machine with the package's units, whose config is that of the machine.
struct Machine(World);

/// `/etc` and `/run` are the test's: `/run/systemd/system` is there while systemd runs.
const BOOTED: &str = "mount --bind \"$0\" /etc && mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/system";

impl Machine {
    async fn new() -> Self {
        let world = World::new().await;
        let etc = world.path("etc");
        for folder in ["etc/tecnico/keys", "etc/cron.d", "bin", "vm"] {
            std::fs::create_dir_all(world.path(folder)).expect("made");
        }
        let may_write = format!("\n[Service]\nReadWritePaths={}\n", world.path("").display());
        stand_in(&etc, |unit| unit.replace("ProtectHome=yes", "") + &may_write);
        let config = std::fs::read_to_string(world.path("config.toml")).expect("a config");
        let here = |name: &str| (format!("\"{name}\""), format!("\"{}\"", world.path(name).display()));
        let config = ["service-account.json", "segredo.key", "ledger.db", "vm"].into_iter().fold(config, |text, name| {
            let (relative, absolute) = here(name);
            text.replace(&relative, &absolute)
        });
        std::fs::write(etc.join("tecnico/config.toml"), config).expect("written");
        Self(world)
    }

    /// `systemctl show` says this of each unit: its `UnitFileState` and `ActiveState`.
    fn systemd_says(&self, units: &[(&str, &str, &str)]) {
        let blocks: Vec<String> = units
            .iter()
            .map(|(name, file, active)| format!("Id={name}\nLoadState=loaded\nActiveState={active}\nSubState=x\nUnitFileState={file}\n"))
            .collect();
        executable(&self.0.path("bin/systemctl"), &format!("#!/bin/sh\ncat <<'END'\n{}END\n", blocks.join("\n")));
    }

    async fn run(&self, args: &[&str], exit: i32) -> Option<Value> {
        let mut command = Command::new("env");
        let path = format!("PATH={}:{}", self.0.path("bin").display(), std::env::var("PATH").unwrap_or_default());
        command.arg(path).arg(env!("CARGO_BIN_EXE_tecnico")).args(["--config", "/etc/tecnico/config.toml", "--json"]).args(args);
        Some(mounted(BOOTED, &self.0.path("etc"), command).await?.expect(exit).json())
    }

    /// What `doctor` finds wrong with what runs, with what mends it.
    async fn trouble(&self, exit: i32) -> Option<Vec<(String, String)>> {
        let report = self.run(&["doctor", "--only", "services"], exit).await?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let findings = report["findings"].as_array().expect("findings").iter();
        Some(
            findings
                .filter(|f| f["check"] == "services" && f["verdict"] != "good")
                .map(|f| (text(&f["message"]), text(&f["fix"])))
                .collect(),
        )
    }
}

const TIMER: &str = "tecnico-watch.timer";
const AGENT: &str = "tecnico-agent.service";

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_on_which_nothing_runs_is_not_well() {
    let machine = Machine::new().await;
    machine.systemd_says(&[(TIMER, "disabled", "inactive"), (AGENT, "enabled", "failed")]);
    let Some(told) = machine.trouble(1).await else { return };
    assert!(told.len() == 1 && told[0].0.contains("tecnico-agent.service is enabled but failed"), "{told:?}");
    assert!(told[0].0.contains("no new file is fetched") && told[0].1 == "sudo systemctl start tecnico-agent.service", "{told:?}");

    // Before anything has run it is the work's to say how it begins, by what is enabled.
    let report = machine.run(&["status"], 1).await.expect("mounted");
    assert_eq!(report["problems"][0]["fix"], "sudo systemctl start tecnico-agent.service", "{report}");
    machine.systemd_says(&[(TIMER, "disabled", "inactive"), (AGENT, "disabled", "inactive")]);
    assert_eq!(machine.trouble(0).await.expect("mounted"), []);

    machine.run(&["watch"], 0).await.expect("mounted");
    let told = machine.trouble(1).await.expect("mounted");
    assert!(told.len() == 1 && told[0].0.contains("nothing is enabled: no new file is fetched"), "{told:?}");
    assert_eq!(told[0].1, "sudo systemctl enable --now tecnico-watch.timer");
    std::fs::write(machine.0.path("etc/cron.d/ours"), "* * * * * tecnico tecnico --quiet watch\n").expect("written");
    assert_eq!(machine.trouble(0).await.expect("mounted"), [], "cron does the work");

    machine.systemd_says(&[(TIMER, "enabled", "active"), (AGENT, "masked", "inactive")]);
    assert_eq!(machine.trouble(0).await.expect("mounted"), []);
    executable(&machine.0.path("bin/systemctl"), "#!/bin/sh\necho 'Failed to connect to bus' >&2\nexit 1\n");
    let told = machine.trouble(0).await.expect("mounted");
    assert!(told.len() == 1 && told[0].0.contains("does not say what runs: Failed to connect to bus"), "{told:?}");
}
