//! What lies in packaging/ holds together with the program: units, the cron line, the example of an SSH key.

use std::path::Path;
use std::process::{Command, Output};

use crate::support::etc::{SERVICES, packaging};
use crate::support::world::World;

const MISSING: &str = "systemd-analyze is missing: run scripts/test, which installs what the tests need";

fn read(path: &str) -> String {
    std::fs::read_to_string(packaging(path)).expect("there")
}

/// `systemd-analyze verify` of the units with the program at its place; one of them changed by `change`.
fn verify(change: impl Fn(String) -> String) -> Output {
    let dir = tempfile::tempdir().expect("a directory");
    let mut units = Vec::new();
    for name in SERVICES.into_iter().chain(["tecnico-watch.timer"]) {
        let text = read(&format!("systemd/{name}")).replace("/usr/bin/tecnico", env!("CARGO_BIN_EXE_tecnico"));
        let unit = dir.path().join(name);
        std::fs::write(&unit, change(text)).expect("written");
        units.push(unit);
    }
    Command::new("systemd-analyze").args(["verify", "--man=no"]).args(units).output().expect(MISSING)
}

#[test]
fn systemd_finds_nothing_wrong_with_the_units() {
    let output = verify(|unit| unit);
    assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let wrong = verify(|unit| unit.replace("ProtectHome=yes", "ProtectHome=perhaps\nProtectHouse=yes"));
    let said = String::from_utf8_lossy(&wrong.stderr);
    assert!(said.contains("ProtectHouse") && said.contains("perhaps"), "verify finds what is wrong: {said}");
}

/// systemd tells tecnico alone that it is to end: a program that judges would end as well, and say that of a good file. No unit
/// ends another.
#[test]
fn the_end_of_a_unit_reaches_no_processor_and_the_start_of_one_ends_no_other() {
    for name in SERVICES {
        let unit = read(&format!("systemd/{name}"));
        assert!(unit.contains("\nKillMode=mixed\n") && !unit.contains("\nConflicts="), "{name}");
    }
}

/// A service that ends for good over a lost or damaged ledger is not started again and again; a test shows that it does so end.
#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_mend_itself_is_not_tried_again_and_again() {
    let world = World::new().await;
    std::fs::write(world.path("ledger.db"), "not a ledger, but longer than nothing").expect("written");
    world.write_secret("api.key", "chave-de-teste-0123456789abcdef\n");
    world.write_config("[serve]\napi_key_file = \"api.key\"\n");
    for (unit, args) in [("agent", &["watch", "--follow"][..]), ("serve", &["serve", "--listen", "127.0.0.1:0"])] {
        let ended = world.run(args).await.expect(65);
        assert!(ended.stderr.contains("ledger"), "{ended:?}");
        let text = read(&format!("systemd/tecnico-{unit}.service"));
        let prevented = text.lines().find_map(|l| l.strip_prefix("RestartPreventExitStatus=")).expect("some");
        assert!(prevented.split(' ').any(|code| code == "65"), "{unit}: {prevented}");
    }
}

/// `postrm purge` in a folder that stands for the machine; gives what it says.
fn purge(machine: &Path, answer: &str) -> String {
    let here = machine.display();
    let debconf = format!(
        "db_version() {{ :; }}\ndb_fset() {{ :; }}\ndb_input() {{ :; }}\ndb_go() {{ :; }}\ndb_purge() {{ :; }}\ndb_get() {{ RET={answer}; }}\n"
    );
    std::fs::write(machine.join("confmodule"), debconf).expect("written");
    let script = read("debian/postrm").replace("/usr/share/debconf/confmodule", "/confmodule").replace(" /", &format!(" {here}/"));
    let script = script.replace("config=/", &format!("config={here}/")).replace("=\"/etc", &format!("=\"{here}/etc"));
    let script = script.replace("in /var", &format!("in {here}/var"));
    let output = Command::new("sh").args(["-c", &script, "postrm", "purge"]).output().expect("sh");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    said.replace(&format!("{here}"), "")
}

#[test]
fn a_purge_says_what_it_keeps_by_the_config_and_removes_the_drop_ins_that_are_ours() {
    let dir = tempfile::tempdir().expect("a directory");
    let at = |path: &str| dir.path().join(path);
    let write = |path: &str, text: &str| {
        std::fs::create_dir_all(at(path).parent().expect("a folder")).expect("made");
        std::fs::write(at(path), text).expect("written");
    };
    let (ours, theirs) =
        ("etc/systemd/system/tecnico-agent.service.d/tecnico-paths.conf", "etc/systemd/system/tecnico-watch.service.d/theirs.conf");
    for file in [ours, theirs, "etc/systemd/system/tecnico-watch.service.d/tecnico-paths.conf", "var/lib/tecnico/ledger.db"] {
        write(file, "");
    }
    for (config, folder) in [
        (
            "[drive]\nbase_dir = \"/not/this\"\n[vm]\n# base_dir = \"/nor/this\"\nbase_dir = \"/data/our files\" # \"x\"\n[ledger]\n",
            "/data/our files",
        ),
        ("[vm]\nbase_dir = '/data/the \"new\" disk'\n", "/data/the \"new\" disk"),
        ("[vm]\n[ledger]\npath = \"ledger.db\"\n", "/srv/tecnicos"),
    ] {
        write("etc/tecnico/config.toml", config);
        let said = purge(dir.path(), "false");
        assert!(said.contains(&format!("tecnico: kept {folder} and the user tecnico\n")) && !said.contains("/etc/ssh"), "{said}");
        assert!(said.contains("kept /etc/tecnico, /var/lib/tecnico and /var/log/tecnico") && at(ours).exists(), "{said}");
    }
    for file in ["etc/ssh/sshd_config.d/tecnico.conf", "etc/ssh/authorized_keys.d/tecnico"] {
        write(file, "");
    }
    let elsewhere = at("data/ledger.db");
    write("data/ledger.db", "");
    write("etc/tecnico/config.toml", &format!("[vm]\nbase_dir = \"/data/t\"\n[ledger]\npath = \"{}\"\n", elsewhere.display()));
    let said = purge(dir.path(), "true");
    for kept in
        ["/data/t and the user tecnico", "/data/ledger.db", "/etc/ssh/sshd_config.d/tecnico.conf", "/etc/ssh/authorized_keys.d/tecnico"]
    {
        assert!(said.contains(&format!("tecnico: kept {kept}\n")), "{kept}: {said}");
    }
    assert!(elsewhere.exists() && at(theirs).exists(), "{said}");
    for gone in ["etc/tecnico", "var/lib/tecnico", ours, "etc/systemd/system/tecnico-watch.service.d/tecnico-paths.conf"] {
        assert!(!at(gone).exists(), "{gone}");
    }
    assert!(!at("etc/systemd/system/tecnico-agent.service.d").exists(), "an empty folder goes too");
}

#[test]
fn the_packages_changelog_is_about_this_version() {
    let changelog = read("debian/changelog");
    assert!(changelog.starts_with(&format!("tecnico ({}-", env!("CARGO_PKG_VERSION"))), "{changelog}");
}

/// A real sshd's own reading of the example.
#[test]
fn for_the_services_user_sshd_reads_roots_file_of_keys_and_for_others_what_it_did() {
    let dir = tempfile::tempdir().expect("a directory");
    let (host, config) = (dir.path().join("host"), dir.path().join("sshd_config"));
    let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&host).status();
    assert!(made.is_ok_and(|made| made.success()), "OpenSSH is missing: run scripts/test, which installs what the tests need");
    let text = format!("HostKey {}\nInclude {}\nX11Forwarding yes\n", host.display(), packaging("ssh/sshd.conf").display());
    std::fs::write(&config, text).expect("written");
    let sshd = crate::ssh::sshd::sshd();
    for (user, keys) in [("tecnico", "/etc/ssh/authorized_keys.d/%u"), ("ana", ".ssh/authorized_keys .ssh/authorized_keys2")] {
        let output =
            Command::new(sshd).arg("-T").arg("-f").arg(&config).args(["-C", &format!("user={user},host=x,addr=127.0.0.1")]).output();
        let output = output.expect("starts");
        let settings = String::from_utf8_lossy(&output.stdout);
        assert!(
            settings.lines().any(|l| l == format!("authorizedkeysfile {keys}")),
            "{settings}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(settings.contains("\nx11forwarding yes\n"), "what stands after it is for everybody");
    }
}

#[test]
fn the_units_are_exposed_less_than_two() {
    for name in SERVICES {
        let unit = packaging("systemd").join(name);
        // The threshold counts tenths: 20 is 2.0.
        let output =
            Command::new("systemd-analyze").args(["security", "--offline=true", "--threshold=20", "--no-pager"]).arg(unit).output();
        let output = output.expect(MISSING);
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains("Overall exposure level"), "{text}");
    }
}

/// The commands of the units and of cron are command lines that the program takes.
#[test]
fn what_the_units_start_is_understood() {
    let help = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_tecnico")).args(args).arg("--help").output().expect("starts");
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    for unit in ["systemd/tecnico-watch.service", "systemd/tecnico-agent.service", "systemd/tecnico-serve.service"] {
        let text = read(unit);
        let line = text.lines().find_map(|l| l.strip_prefix("ExecStart=/usr/bin/tecnico ")).expect("starts tecnico");
        help(&line.split(' ').collect::<Vec<_>>());
    }
    let cron = read("cron.d/tecnico");
    assert!(cron.contains("|| tecnico --quiet watch ||"), "{cron}");
    help(&["--quiet", "watch"]);
}

#[test]
fn the_cron_line_is_quiet_about_a_busy_cycle_and_loud_about_the_rest() {
    let cron = read("cron.d/tecnico");
    let line = cron.lines().find(|l| l.starts_with('*')).expect("a line");
    let command = line.split_once("  tecnico  ").expect("the user").1;
    let dir = tempfile::tempdir().expect("a directory");
    let here = dir.path().display();
    std::fs::write(dir.path().join("config.toml"), "").expect("written");
    // The machine the tests run on may have systemd and no config: the line is held against a place that has neither.
    let command =
        command.replace("/run/systemd/system", &format!("{here}/none")).replace("/etc/tecnico/config.toml", &format!("{here}/config.toml"));
    for (ends, cron_sees) in [(0, 0), (75, 0), (1, 1), (78, 1)] {
        let output = Command::new("sh").args(["-c", &format!("tecnico() {{ return {ends}; }}; {command}")]).output().expect("sh");
        assert_eq!((output.status.code(), output.stdout.len()), (Some(cron_sees), 0), "tecnico ended with {ends}");
    }
}

#[test]
fn the_example_of_an_ssh_key_is_a_gate_that_starts() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = dir.path().join("ssh.log");
    let example = read("ssh/authorized_keys.example");
    let mut keys = 0;
    for line in example.lines().filter(|l| !l.starts_with('#') && !l.is_empty()) {
        let rest = line.strip_prefix("restrict,command=\"/usr/bin/tecnico ").expect("restricted, and the gate");
        let (words, key) = rest.split_once("\" ").expect("a key after the command");
        assert!(key.starts_with("ssh-ed25519 "));
        let words = words.replace("/var/log/tecnico/ssh.log", &log.display().to_string());
        let mut gate = Command::new(env!("CARGO_BIN_EXE_tecnico"));
        let output = gate.args(words.split(' ')).env("SSH_ORIGINAL_COMMAND", "id").output().expect("starts");
        assert_eq!(output.status.code(), Some(77), "{}", String::from_utf8_lossy(&output.stdout));
        keys += 1;
    }
    assert_eq!(std::fs::read_to_string(log).expect("a log").lines().count(), keys);
}
