//! The machine in the way: file systems that cannot be written to, root where it should not be, a home without XDG.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::process::Command;

use serde_json::Value;

use crate::support::mounts::{mounted, read_only};
use crate::support::receiver::Receiver;
use crate::support::waiting::until_answered;
use crate::support::world::{ADMIN, Ran, World, finish};

#[track_caller]
fn told(ran: &Ran, code: &str) -> String {
    let error = ran.json();
    assert!(matches!(ran.code, Some(73 | 74)), "{ran:?}");
    assert_eq!(error["error"]["code"], code, "{error}");
    error["error"]["hint"].as_str().expect("a hint").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_on_a_read_only_file_system() {
    let world = World::new().await;
    std::fs::create_dir(world.path("state")).expect("made");
    let config = std::fs::read_to_string(world.path("config.toml")).expect("read").replace("ledger.db", "state/ledger.db");
    std::fs::write(world.path("config.toml"), config).expect("written");
    // Neither one that is to be made nor one that is there.
    for _ in 0..2 {
        let Some(ran) = read_only(&world.path("state"), world.command(&["create", "42", "--json"])).await else { return };
        assert!(told(&ran, "ledger_unwritable").contains("ledger.path"));
        world.json(0, &["list"]).await;
    }
    let report =
        read_only(&world.path("state"), world.command(&["doctor", "--only", "ledger", "--json"])).await.expect("mounted").expect(1).json();
    assert!(report.to_string().contains("cannot be opened for writing"), "{report:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn technicians_folders_on_a_read_only_file_system() {
    let world = World::new().await;
    let made = world.json(0, &["create", "42", "--name", "Ana Maria"]).await;
    let Some(ran) = read_only(&world.vm(), world.command(&["create", "43", "--name", "Bea Souza", "--json"])).await else { return };
    assert!(matches!(ran.code, Some(73 | 74)), "{ran:?}");
    assert!(ran.json()["error"]["hint"].is_string(), "{}", ran.stdout);

    // A file that cannot be fetched waits; once there is room for it, it goes its way.
    let novos = made["drive_folders"]["novos_folder_id"].as_str().expect("an id");
    world.control().put(ADMIN, novos, "16517189.pdf", b"%PDF-1.7", "application/pdf").expect("put");
    let stuck = read_only(&world.vm(), world.command(&["watch", "--json"])).await.expect("mounted");
    assert!(stuck.code != Some(0) && stuck.stdout.contains("ead-only"), "{stuck:?}");
    let report = read_only(&world.vm(), world.command(&["doctor", "--only", "disk", "--json"])).await.expect("mounted").expect(1).json();
    assert!(report.to_string().contains("cannot write to"), "{report:#}");
    assert!(world.vm().join("Ana_Maria/pdfs/novos").read_dir().expect("listed").next().is_none(), "half a file stayed");

    world.json(0, &["create", "43", "--name", "Bea Souza"]).await;
    until_answered("the file goes its way", async || {
        world.run(&["process", "--all"]).await;
        world.vm().join("Ana_Maria/pdfs/processados/16517189.pdf").exists()
    })
    .await;
}

/// What is moved by renaming it cannot cross a border: the doctor says so before a file has to.
#[tokio::test(flavor = "multi_thread")]
async fn folders_on_another_file_system_are_named() {
    let world = World::new().await;
    world.json(0, &["create", "42", "--name", "Ana Maria"]).await;
    std::fs::create_dir(world.vm().join("arquivo")).expect("made");
    for apart in ["Ana_Maria/pdfs/erro", "arquivo"] {
        let doctor = world.command(&["doctor", "--only", "disk", "--json"]);
        let Some(ran) = mounted("mount -t tmpfs tmpfs \"$0\"", &world.vm().join(apart), doctor).await else { return };
        let report = ran.expect(1).json();
        let named = report["findings"].as_array().expect("findings").iter().find(|f| f["verdict"] == "problem").expect("a problem");
        let says = |key: &str, what: &str| named[key].as_str().is_some_and(|m| m.contains(apart) && m.contains(what));
        assert!(says("message", "on another file system") && says("fix", "umount"), "{report:#}");
    }
    world.json(0, &["doctor", "--only", "disk"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn init_where_nothing_can_be_written() {
    let world = World::new().await;
    for (folder, code, hint) in [("etc", "init_unwritable", "--config"), ("srv", "base_dir_unwritable", "may write to")] {
        std::fs::create_dir(world.path(folder)).expect("made");
        let answers = world.path("answers.toml");
        let text = format!(
            "credentials = \"{}\"\nparent_folder = \"{}\"\nbase_dir = \"{}\"\nendpoint = \"{}/\"\n",
            world.path("service-account.json").display(),
            world.parent,
            world.path(if folder == "srv" { "srv/vm" } else { "vm" }).display(),
            world.emulator.url()
        );
        std::fs::write(&answers, text).expect("written");
        let mut command = Command::new(env!("CARGO_BIN_EXE_tecnico"));
        command.arg("--config").arg(world.path("etc/tecnico/config.toml")).args(["init", "--json", "--answers"]).arg(&answers);
        let Some(ran) = read_only(&world.path(folder), command).await else { return };
        assert!(told(&ran, code).contains(hint));
        assert!(!world.path("etc/tecnico/config.toml").exists());
    }
}

/// Root looks, and leaves nothing behind that the service cannot use; root works, and is told not to.
#[tokio::test(flavor = "multi_thread")]
async fn root_does_not_get_into_the_services_way() {
    const SERVICE: u32 = 54_321;
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let world = World::new().await;
    let backend = Receiver::start().await.expect("a backend");
    world.write_config(&format!("[callback]\nurl = \"{}\"\n", backend.url()));
    std::fs::create_dir(world.vm()).expect("made");
    let everything = world.path("");
    std::fs::set_permissions(&everything, std::fs::Permissions::from_mode(0o755)).expect("opened");
    for path in ["", "config.toml", "service-account.json", "segredo.key", "vm"] {
        std::os::unix::fs::chown(world.path(path), Some(SERVICE), Some(SERVICE)).expect("given away");
    }
    // The service cannot reach the program where cargo made it.
    let program = world.path("tecnico");
    if std::fs::hard_link(env!("CARGO_BIN_EXE_tecnico"), &program).is_err() {
        std::fs::copy(env!("CARGO_BIN_EXE_tecnico"), &program).expect("copied");
    }
    let run = async |uid: u32, args: &[&str]| {
        let mut command = Command::new(&program);
        command.arg("--config").arg(world.path("config.toml")).args(args).arg("--json").uid(uid).gid(uid).env("HOME", &everything);
        finish(command).await
    };
    // Everything root may do: it makes the ledger, its locks, a token.
    let report: Value = run(0, &["doctor"]).await.expect(0).json();
    let user = report["findings"].as_array().expect("findings").iter().find(|f| f["check"] == "user").expect("looked at");
    assert!(user["verdict"] == "warning" && user["fix"] == format!("sudo -u '#{SERVICE}' tecnico doctor"), "{user}");
    run(0, &["list"]).await.expect(0);
    for made in ["ledger.db", "ledger.db.locks", "ledger.db.locks/cycle"] {
        assert_eq!(world.path(made).metadata().expect(made).uid(), SERVICE, "{made}");
    }

    for work in [&["create", "42"][..], &["watch"], &["process", "--all"], &["check", "--repair"], &["ledger", "rebuild"]] {
        let refused = run(0, work).await.expect(77).json();
        assert_eq!(refused["error"]["code"], "wrong_user", "{refused}");
        assert!(refused["error"]["hint"].as_str().is_some_and(|h| h.contains(&format!("sudo -u '#{SERVICE}' tecnico"))), "{refused}");
    }
    // The backend hears of it only where it waits for the answer to a task.
    run(0, &["create", "43", "--job-id", "tarefa-43"]).await.expect(77);
    let told = run(SERVICE, &["callbacks"]).await.expect(0).json();
    let tasks: Vec<&str> = told["events"].as_array().expect("callbacks").iter().filter_map(|c| c["user"].as_str()).collect();
    assert_eq!(tasks, ["43"], "{told}");
    // One file of root's among them stops everything, and is named.
    let lock = world.path("ledger.db.locks/cycle");
    std::os::unix::fs::chown(&lock, Some(0), Some(0)).expect("taken");
    let mend = format!("sudo chown {SERVICE}: {}", lock.display());
    let refused = run(SERVICE, &["watch"]).await.expect(73).json();
    assert_eq!((refused["error"]["code"].as_str(), refused["error"]["hint"].as_str()), (Some("lock_unusable"), Some(mend.as_str())));
    assert!(refused["error"]["message"].as_str().is_some_and(|m| m.contains("belongs to root")), "{refused}");
    let report = run(SERVICE, &["doctor", "--only", "user"]).await.expect(1).json();
    let user = report["findings"].as_array().expect("findings").iter().find(|f| f["check"] == "user").expect("looked at");
    assert_eq!((user["verdict"].as_str(), user["fix"].as_str()), (Some("problem"), Some(mend.as_str())), "{user}");
    std::os::unix::fs::chown(&lock, Some(SERVICE), Some(SERVICE)).expect("given back");

    // A folder that root is told to make belongs to whom the ledger belongs.
    std::fs::remove_dir(world.vm()).expect("removed");
    let report = run(0, &["doctor", "--only", "disk"]).await.expect(0).json();
    let disk = report["findings"].as_array().expect("findings").iter().find(|f| f["check"] == "disk").expect("looked at");
    let makes = format!("\n    sudo install -d -o {SERVICE} -g {SERVICE} -m 750 {}", world.vm().display());
    assert!(disk["fix"].as_str().is_some_and(|f| f.contains("is its disk mounted?") && f.ends_with(&makes)), "{disk}");
    std::fs::create_dir(world.vm()).expect("made");
    std::os::unix::fs::chown(world.vm(), Some(SERVICE), Some(SERVICE)).expect("given away");

    // A config that this user may not read is not missing.
    std::os::unix::fs::chown(world.path("config.toml"), Some(0), Some(0)).expect("taken");
    std::fs::set_permissions(world.path("config.toml"), std::fs::Permissions::from_mode(0o600)).expect("closed");
    let refused = run(SERVICE, &["list"]).await.expect(78).json();
    assert_eq!(refused["error"]["code"], "config_unreadable", "{refused}");
    assert!(refused["error"]["message"].as_str().is_some_and(|m| m.contains("may not read")), "{refused}");
    assert!(refused["error"]["causes"][0].as_str().is_some_and(|c| c.contains("Permission denied")), "{refused}");
    let hint = refused["error"]["hint"].as_str().expect("a hint");
    assert!(hint.contains("tecnico …") || hint.contains(&format!("sudo chown root:{SERVICE} ")), "{hint}");
    std::os::unix::fs::chown(world.path("config.toml"), Some(SERVICE), Some(SERVICE)).expect("given back");
    run(SERVICE, &["create", "42", "--name", "Ana Maria"]).await.expect(0);
    run(SERVICE, &["watch"]).await.expect(0);
    run(SERVICE, &["doctor"]).await.expect(0);

    // A copy that root makes can be put back, and root's try at a lost ledger is in nobody's way.
    let copy = world.path("copy.db").display().to_string();
    run(0, &["ledger", "backup", &copy]).await.expect(0);
    assert_eq!(world.path("copy.db").metadata().expect("made").uid(), SERVICE);
    world.lose_ledger();
    assert_eq!(run(0, &["ledger", "rebuild"]).await.expect(77).json()["error"]["code"], "wrong_user");
    run(SERVICE, &["ledger", "rebuild"]).await.expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_home_without_xdg_and_no_home_at_all() {
    let world = World::new().await;
    let bare = |home: Option<&std::path::Path>| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tecnico"));
        command.args(["list", "--json"]).env_clear().env("PATH", "/usr/bin:/bin");
        home.map(|home| command.env("HOME", home));
        command
    };
    let text = std::fs::read_to_string(world.path("config.toml")).expect("read");
    std::fs::create_dir_all(world.path("home/.config/tecnico")).expect("made");
    let text = text.replace("\"ledger.db\"", &format!("\"{}\"", world.path("ledger.db").display()));
    std::fs::write(world.path("home/.config/tecnico/config.toml"), text).expect("written");
    assert_eq!(finish(bare(Some(&world.path("home")))).await.expect(0).json()["schema"], "tecnico.list/1");
    // A machine that tecnico is installed on has /etc/tecnico/config.toml, and then that is the one.
    if !std::path::Path::new("/etc/tecnico/config.toml").exists() {
        for home in [None, Some(world.path("nowhere"))] {
            let refused = finish(bare(home.as_deref())).await.expect(78).json();
            assert_eq!(refused["error"]["code"], "config_missing");
            assert!(
                refused["error"]["hint"]
                    .as_str()
                    .is_some_and(|h| h.contains("tecnico config --example") && h.contains("sudo tecnico init")),
                "{refused}"
            );
        }
    }
}

#[test]
fn the_version_says_where_the_program_comes_from() {
    let run = |flag: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_tecnico")).arg(flag).output().expect("starts");
        assert!(output.status.success());
        String::from_utf8(output.stdout).expect("text")
    };
    assert_eq!(run("-V"), format!("tecnico {}\n", env!("CARGO_PKG_VERSION")));
    let long = run("--version");
    let built = long.lines().next().and_then(|l| l.split_once(" (")).expect("the build").1;
    let commit = built.strip_prefix("commit ").is_some_and(|c| c.split(',').next().is_some_and(|c| c.len() == 12));
    assert!(commit || built.starts_with("development build, "), "{long}");
    assert!(long.lines().nth(1).is_some_and(|l| l.contains("SQLite") && l.contains("rustls")), "{long}");
}
