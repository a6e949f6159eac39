//! A backup that takes the ledger's place, whatever was left lying there, and what it replaces is kept.

use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;
use tecnico::ledger::Ledger;

use crate::agent::Rig;
use crate::provision::support::{kill, start};
use crate::support::traced::{self, Effect};
use crate::support::waiting::until;
use crate::support::world::{Ran, World};

/// A backup of the time when only Ana was there, and a ledger that knows João too and whose agent was killed: its log is left.
struct Story {
    rig: Rig,
    backup: String,
}

async fn story() -> Story {
    let rig = Rig::new("").await;
    let world = &rig.world;
    rig.drop_file("1.pdf", "bom 1");
    world.json(0, &["watch"]).await;
    let backup = world.path("backup.db").display().to_string();
    world.json(0, &["ledger", "backup", &backup]).await;
    world.json(0, &["create", "43", "--email", "joao@example.com"]).await;
    rig.let_go_of_ledger().await;
    let agent = start(world, &["watch", "--follow", "--interval", "100ms"]);
    let second = rig.drop_file("2.pdf", "bom 2");
    until("the agent files the second file", || rig.place(&second).0 == "processados").await;
    kill(agent);
    assert!(world.path("ledger.db-wal").metadata().expect("a log is left").len() > 0);
    Story { rig, backup }
}

async fn users(world: &World) -> Vec<String> {
    let list = world.json(0, &["list"]).await;
    let lines = list["technicians"].as_array().expect("lines");
    lines.iter().map(|t| t["user"].as_str().expect("an id").to_owned()).collect()
}

/// What lies beside the ledger and is part of it or was, with its bytes; locks and tokens aside.
fn ledger_files(world: &World) -> BTreeMap<PathBuf, Vec<u8>> {
    fn below(folder: &Path, all: &mut BTreeMap<PathBuf, Vec<u8>>) {
        for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_file() {
                all.insert(path.clone(), std::fs::read(&path).expect("read"));
            } else if path.file_name().is_some_and(|n| n.to_string_lossy().contains("ledger.db") && n != "ledger.db.locks") {
                below(&path, all);
            }
        }
    }
    let mut all = BTreeMap::new();
    below(&world.path(""), &mut all);
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_kill_the_log_that_is_left_damages_nothing() {
    let Story { rig, backup } = story().await;
    let world = &rig.world;
    let (whole, log) = (std::fs::read(&backup).expect("read"), std::fs::read(world.path("ledger.db-wal")).expect("read"));
    let dry = world.json(0, &["ledger", "restore", &backup, "--dry-run"]).await;
    assert_eq!((dry["technicians"].as_u64(), dry["dry_run"].as_bool()), (Some(1), Some(true)), "{dry}");
    assert_eq!(std::fs::read(world.path("ledger.db-wal")).expect("still there"), log);

    let restored = world.json(0, &["ledger", "restore", &backup]).await;
    assert_eq!((restored["technicians"].as_u64(), restored["open_items"].as_u64()), (Some(1), Some(0)), "{restored}");
    assert!(restored["last_cycle_at"].is_string() && restored["modified_at"].is_string(), "{restored}");
    let kept = PathBuf::from(restored["set_aside"][0].as_str().expect("a folder"));
    assert!(kept.display().to_string().contains("ledger.db.before-20"), "{restored}");
    assert_eq!(std::fs::read(kept.join("ledger.db-wal")).expect("kept"), log);
    assert_eq!(std::fs::read(&backup).expect("there"), whole, "the backup stays as it is");
    assert_eq!(world.path("ledger.db").metadata().expect("there").permissions().mode() & 0o777, 0o600);

    assert_eq!(world.json(0, &["ledger", "check"]).await["technicians"], 1);
    assert_eq!(users(world).await, ["42"]);
    let new = rig.drop_file("3.pdf", "bom 3");
    world.json(0, &["watch"]).await;
    assert_eq!((rig.place(&new).0.as_str(), rig.told(&new)), ("processados", vec!["processado".to_owned()]));
    world.run(&["status"]).await.expect(0);

    // And back again: what was set aside is whole, with what stood in its log alone.
    let told = world.run(&["ledger", "restore", &kept.join("ledger.db").display().to_string()]).await.expect(0).stdout;
    assert!(told.contains("2 technicians") && told.contains("is kept in") && told.contains(" check`"), "{told}");
    assert_eq!(users(world).await, ["42", "43"]);
    world.json(0, &["why", "2.pdf"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_anywhere_it_leaves_the_old_or_the_new_and_the_next_run_ends_it() {
    let Story { rig, backup } = story().await;
    let world = &rig.world;
    let before: Vec<(&str, Vec<u8>)> =
        ["ledger.db", "ledger.db-wal", "ledger.db-shm"].map(|name| (name, std::fs::read(world.path(name)).expect("read"))).into();
    let (mut killed, mut missing) = (0, 0);
    for n in 1.. {
        let traced = traced::run(&world.command(&["ledger", "restore", &backup]), Some((Effect::Rename, n))).expect("watched");
        if traced.code.is_some() {
            assert_eq!(traced.code, Some(0));
            break;
        }
        killed += 1;
        if world.path("ledger.db").exists() {
            assert_eq!(users(world).await, ["42"], "after rename {n} the new one");
        } else {
            missing += 1;
            for args in [&["list"][..], &["watch"], &["create", "44"], &["status"]] {
                let refused = world.json(65, args).await;
                let told = refused["error"].to_string();
                assert!(["ledger_missing", "ledger_damaged"].iter().any(|code| refused["error"]["code"] == *code), "{refused}");
                assert!(told.contains(&format!("tecnico ledger restore {backup}")), "after rename {n}: {told}");
            }
            world.json(0, &["ledger", "restore", &backup]).await;
            assert_eq!(users(world).await, ["42"]);
        }
        let kept: Vec<PathBuf> = ledger_files(world).into_keys().filter(|p| p.display().to_string().contains("before-")).collect();
        for (name, bytes) in &before {
            let of: Vec<&PathBuf> = kept.iter().filter(|p| p.ends_with(name)).collect();
            assert!(of.len() == 1 && &std::fs::read(of[0]).expect("read") == bytes, "after rename {n} {name} is kept once: {kept:?}");
        }
        assert!(kept.iter().all(|p| p.parent() == kept[0].parent()), "together: {kept:?}");
        for entry in std::fs::read_dir(world.path("")).expect("a folder").flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            assert!(!name.contains(".aside"), "{name}");
            if name.contains("before-") {
                std::fs::remove_dir_all(entry.path()).expect("removed");
            }
        }
        world.lose_ledger();
        for (name, bytes) in &before {
            std::fs::write(world.path(name), bytes).expect("written");
        }
    }
    assert!(killed >= 5 && missing >= 4, "killed at {killed} points, {missing} of them without a ledger");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_whole_backup_is_refused_and_nothing_changes() {
    let world = World::new().await;
    world.json(0, &["create", "42", "--email", "ana@example.com"]).await;
    let path = |name: &str| world.path(name).display().to_string();
    for name in ["short.db", "newer.db"] {
        world.json(0, &["ledger", "backup", &path(name)]).await;
    }
    let file = std::fs::File::options().write(true).open(path("short.db")).expect("opens");
    file.set_len(20_000).expect("cut short");
    std::fs::write(path("text.db"), "somebody's notes, and more than a header long").expect("written");
    std::fs::write(path("empty.db"), "").expect("written");
    let other = sqlx::SqlitePool::connect(&format!("sqlite://{}?mode=rwc", path("other.db"))).await.expect("makes");
    sqlx::raw_sql("CREATE TABLE notes (text TEXT)").execute(&other).await.expect("made");
    other.close().await;
    let newer = sqlx::SqlitePool::connect(&format!("sqlite://{}", path("newer.db"))).await.expect("connects");
    sqlx::raw_sql("INSERT INTO schema_version (version) VALUES (1000)").execute(&newer).await.expect("inserted");
    newer.close().await;
    let strange = sqlx::SqlitePool::connect(&format!("sqlite://{}?mode=rwc", path("strange.db"))).await.expect("makes");
    sqlx::raw_sql("CREATE TABLE schema_version (version BIGINT); CREATE TABLE items (id TEXT)").execute(&strange).await.expect("made");
    strange.close().await;
    std::fs::copy(path("newer.db"), path("devoured.db")).expect("copied");
    std::os::unix::fs::symlink("/dev/zero", path("devoured.db-wal")).expect("linked");
    let before = ledger_files(&world);
    let unusable = (65, "backup_unusable");
    for (name, (exit, code)) in [
        ("none.db", unusable),
        ("vm", unusable),
        ("text.db", unusable),
        ("empty.db", unusable),
        ("other.db", unusable),
        ("short.db", unusable),
        ("ledger.db", unusable),
        ("strange.db", unusable),
        ("devoured.db", unusable),
        ("newer.db", (78, "ledger_newer")),
    ] {
        for more in [&[][..], &["--dry-run"]] {
            let file = path(name);
            let refused = world.json(exit, &[&["ledger", "restore", &file][..], more].concat()).await;
            assert_eq!(refused["error"]["code"], code, "{name}: {refused}");
            let (message, hint) = (refused["error"]["message"].to_string(), refused["error"]["hint"].as_str().unwrap_or_default());
            assert!(message.contains(&file) && !hint.is_empty(), "{name}: {refused}");
        }
        let after = ledger_files(&world);
        let changed: Vec<&PathBuf> = before.keys().filter(|p| before.get(*p) != after.get(*p) && !p.ends_with("ledger.db-shm")).collect();
        let made: Vec<&PathBuf> = after.keys().filter(|p| !before.contains_key(*p)).collect();
        assert!(changed.is_empty() && made.is_empty(), "{name}: {changed:?} {made:?}");
    }
    assert_eq!(users(&world).await, ["42"]);
    assert!(!world.path(".ledger.db.rebuilt").exists(), "no half copy stays");
}

/// Somebody who opens the ledger in the moment it is replaced works with the new one.
#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_the_old_one_gets_the_new_one() {
    let world = World::new().await;
    world.json(0, &["create", "42", "--email", "ana@example.com"]).await;
    let backup = world.path("backup.db").display().to_string();
    world.json(0, &["ledger", "backup", &backup]).await;
    world.json(0, &["create", "43", "--email", "joao@example.com"]).await;
    let old = std::fs::File::options().read(true).write(true).open(world.path("ledger.db")).expect("opens");
    rustix::fs::fcntl_lock(&old, rustix::fs::FlockOperation::NonBlockingLockExclusive).expect("alone");
    let child = world.command(&["list", "--json"]).stdout(Stdio::piped()).spawn().expect("starts");
    let open = format!("/proc/{}/fd", child.id());
    let has_it = |fd: std::fs::DirEntry| std::fs::read_link(fd.path()).is_ok_and(|to| to == world.path("ledger.db"));
    until("it has the old one open", || std::fs::read_dir(&open).is_ok_and(|fds| fds.flatten().any(has_it))).await;
    std::fs::rename(world.path("ledger.db"), world.path("old.db")).expect("moved");
    std::fs::rename(&backup, world.path("ledger.db")).expect("put there");
    drop(old);
    let list = Ran::of(&child.wait_with_output().expect("ended")).expect(0).json();
    assert_eq!(list["technicians"].as_array().map(Vec::len), Some(1), "{list}");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_somebody_works_with_it_it_is_refused_and_says_whom_to_end() {
    let world = World::new().await;
    world.json(0, &["create", "42", "--email", "ana@example.com"]).await;
    let backup = world.path("backup.db").display().to_string();
    world.json(0, &["ledger", "backup", &backup]).await;
    let refused = async |who: &str, end: &str| -> Value {
        let refused = world.json(75, &["ledger", "restore", &backup]).await;
        let (message, hint) = (refused["error"]["message"].to_string(), refused["error"]["hint"].to_string());
        assert_eq!(refused["error"]["code"], "ledger_in_use", "{refused}");
        assert!(message.contains(who) && hint.contains(end), "{refused}");
        assert_eq!(world.json(75, &["ledger", "rebuild", "--set-aside"]).await["error"]["code"], "ledger_in_use");
        refused
    };
    for (args, who, unit) in [
        (&["watch", "--follow"][..], "watch --follow", "systemctl stop tecnico-agent.service"),
        (&["serve", "--listen", "127.0.0.1:0"], "serve", "systemctl stop tecnico-serve.service"),
    ] {
        let mut command = world.command(args);
        command.env("VM_API_KEY", "0123456789abcdef0123456789abcdef").stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().expect("starts");
        let lock = world.path("ledger.db.locks").join(if who == "serve" { "serve" } else { "follow" });
        until("it is at work", || std::fs::read_to_string(&lock).is_ok_and(|l| l.starts_with(&child.id().to_string()))).await;
        refused(&child.id().to_string(), unit).await;
        child.kill().expect("killed");
        child.wait().expect("ended");
    }
    // One that only has it open, and a cycle.
    let ledger = Ledger::open(&world.path("ledger.db")).await.expect("opens");
    let us = std::process::id().to_string();
    refused(&us, &format!("ps -fp {us}")).await;
    let cycle = ledger.try_lock("cycle").expect("tried").expect("free");
    refused("a cycle", "systemctl stop tecnico-watch.timer").await;
    drop(cycle);
    ledger.close().await;
    // Nor is one restored that somebody writes to.
    let open = Ledger::open(Path::new(&backup)).await.expect("opens");
    assert_eq!(world.json(75, &["ledger", "restore", &backup]).await["error"]["code"], "ledger_in_use");
    open.close().await;
    world.json(0, &["ledger", "restore", &backup]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_schema_is_brought_up_to_date_and_its_file_is_not() {
    let world = World::new().await;
    let old = world.path("old.db");
    let pool = sqlx::SqlitePool::connect(&format!("sqlite://{}?mode=rwc", old.display())).await.expect("makes");
    for sql in [
        include_str!("../../../src/ledger/migrations/0001_technicians.sql"),
        "CREATE TABLE schema_version (version BIGINT NOT NULL PRIMARY KEY)",
        "INSERT INTO schema_version (version) VALUES (1)",
        "INSERT INTO technicians (user_id, name, folder, folder_key, created_at) VALUES ('42', 'Ana Maria', 'Ana_Maria', 'ana_maria', 7)",
    ] {
        sqlx::raw_sql(sql).execute(&pool).await.expect("makes the old schema");
    }
    pool.close().await;
    let bytes = std::fs::read(&old).expect("read");
    // Where there is none yet, nothing is set aside.
    let restored = world.json(0, &["ledger", "restore", &old.display().to_string()]).await;
    assert_eq!((restored["technicians"].as_u64(), restored["set_aside"].as_array().map(Vec::len)), (Some(1), Some(0)), "{restored}");
    assert_eq!((users(&world).await, std::fs::read(&old).expect("read")), (vec!["42".to_owned()], bytes));
}

/// What root restores, the service goes on with.
#[tokio::test(flavor = "multi_thread")]
async fn root_leaves_nothing_of_its_own() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let world = World::new().await;
    world.json(0, &["create", "42", "--email", "ana@example.com"]).await;
    let backup = world.path("backup.db").display().to_string();
    world.json(0, &["ledger", "backup", &backup]).await;
    std::fs::remove_dir_all(world.path("ledger.db.locks")).expect("removed");
    for name in ["", "ledger.db"] {
        std::os::unix::fs::chown(world.path(name), Some(4711), Some(4711)).expect("given");
    }
    let restored = world.json(0, &["ledger", "restore", &backup]).await;
    let kept = PathBuf::from(restored["set_aside"][0].as_str().expect("a folder"));
    let locks = std::fs::read_dir(world.path("ledger.db.locks")).expect("locks").flatten().map(|e| e.path());
    for path in [world.path("ledger.db"), world.path("ledger.db.locks"), kept.clone(), kept.join("ledger.db")].into_iter().chain(locks) {
        assert_eq!(path.metadata().expect("there").uid(), 4711, "{}", path.display());
    }
}

/// A page that nothing reads is damaged all the same, and what SQLite answers from such a file is worth nothing.
#[tokio::test(flavor = "multi_thread")]
async fn status_says_that_a_ledger_is_damaged_that_can_still_be_read() {
    let world = World::new().await;
    world.json(0, &["create", "42", "--email", "ana@example.com"]).await;
    world.json(0, &["watch"]).await;
    let pool = sqlx::SqlitePool::connect(&format!("sqlite://{}", world.path("ledger.db").display())).await.expect("connects");
    let root: i64 = sqlx::query_scalar("SELECT rootpage FROM sqlite_master WHERE name = 'archives'").fetch_one(&pool).await.expect("there");
    pool.close().await;
    let mut bytes = std::fs::read(world.path("ledger.db")).expect("read");
    let at = (usize::try_from(root).expect("a page") - 1) * 4096;
    bytes[at..at + 100].fill(0xff);
    std::fs::write(world.path("ledger.db"), bytes).expect("written");
    let said = world.json(65, &["status"]).await;
    assert_eq!(said["error"]["code"], "ledger_damaged", "{said}");
    // The way out that it names, which keeps what is there.
    assert!(said["error"]["hint"].as_str().is_some_and(|h| h.contains("`tecnico ledger rebuild`")), "{said}");
    let rebuilt = world.json(0, &["ledger", "rebuild"]).await;
    assert!(PathBuf::from(rebuilt["set_aside"][0].as_str().expect("a folder")).join("ledger.db").exists(), "{rebuilt}");
    assert_eq!(users(&world).await, ["42"]);
    // A whole one only where it is said so.
    assert_eq!(world.json(73, &["ledger", "rebuild"]).await["error"]["code"], "ledger_exists");
    assert_eq!(world.json(0, &["ledger", "rebuild", "--set-aside"]).await["set_aside"].as_array().map(Vec::len), Some(1));
    assert_eq!(users(&world).await, ["42"]);
}
