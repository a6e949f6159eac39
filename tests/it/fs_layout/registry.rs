//! `tecnicos.json`: many writers, readers at any moment.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tecnico::error::Exit;
use tecnico::fs_layout::{Base, Entry, Written};

use super::{base, mode, respawn};

fn entry(n: usize) -> Entry {
    Entry {
        nome: format!("João Silva {n}"),
        email: format!("joao{n}@example.com"),
        usuario_portal: format!("joao{n}"),
        pasta_vm: format!("/srv/tecnicos/João_Silva_{n}"),
        pasta_drive_id: format!("1D{n}"),
        pasta_novos_id: format!("1N{n}"),
    }
}

#[test]
fn added_changed_unchanged() -> anyhow::Result<()> {
    let (_dir, base) = base()?;
    let registry = base.registry();
    assert_eq!(registry.read()?, []);
    assert_eq!(registry.upsert(&entry(1))?, Written::Added);
    assert_eq!(registry.upsert_all(&[entry(1), entry(2)])?, [Written::Unchanged, Written::Added]);
    assert_eq!(registry.upsert(&Entry { email: "outro@example.com".into(), ..entry(1) })?, Written::Changed);
    assert_eq!(registry.read()?, [Entry { email: "outro@example.com".into(), ..entry(1) }, entry(2)]);
    assert_eq!((mode(&registry.path())?, registry.mode()?), (0o640, Some(0o640)));
    Ok(())
}

#[test]
fn an_unchanged_registry_is_not_touched() -> anyhow::Result<()> {
    use std::os::unix::fs::MetadataExt;
    let (_dir, base) = base()?;
    // As the old system wrote it: no line end at the end, escapes, keys in another order.
    let text = r#"[{"email": "ana@example.com", "nome": "Jo\u00e3o", "pasta_drive_id": "1D", "pasta_vm": "/v", "pasta_novos_id": "1N", "usuario_portal": "u"}]"#;
    std::fs::write(base.registry().path(), text)?;
    let before = std::fs::metadata(base.registry().path())?;
    let entry = base.registry().read()?.remove(0);
    assert_eq!(entry.nome, "João");
    assert_eq!(base.registry().upsert(&entry)?, Written::Unchanged);
    let after = std::fs::metadata(base.registry().path())?;
    assert_eq!((before.ino(), before.mtime_nsec()), (after.ino(), after.mtime_nsec()));
    assert_eq!(std::fs::read_to_string(base.registry().path())?, text);
    assert_eq!(std::fs::read_dir(base.path())?.count(), 1, "not even a lock file");
    Ok(())
}

#[test]
fn a_damaged_registry_stops_the_write_and_stays() -> anyhow::Result<()> {
    let (_dir, base) = base()?;
    for damage in [&b"[\n  {\"nome\": \"Ana\""[..], b"", b"[\n\"\xff\"]"] {
        std::fs::write(base.registry().path(), damage)?;
        let failure = base.registry().upsert(&entry(1)).expect_err("damaged");
        assert_eq!((failure.code(), failure.exit()), ("registry_damaged", Exit::Data));
        assert!(failure.to_string().contains("line "), "{failure}");
        assert_eq!(std::fs::read(base.registry().path())?, damage);
    }
    Ok(())
}

#[test]
fn a_link_in_its_place_is_refused() -> anyhow::Result<()> {
    let (dir, base) = base()?;
    std::fs::write(dir.path().join("fora.json"), "[]")?;
    std::os::unix::fs::symlink("../fora.json", base.registry().path())?;
    assert_eq!(base.registry().upsert(&entry(1)).expect_err("a link").code(), "link_refused");
    assert_eq!(std::fs::read_to_string(dir.path().join("fora.json"))?, "[]");
    Ok(())
}

#[test]
fn a_writer_that_waits_too_long_says_so() -> anyhow::Result<()> {
    let (_dir, base) = base()?;
    let lock = std::fs::File::create(base.path().join(".tecnicos.lock"))?;
    lock.lock()?;
    let failure = base.registry().with_patience(Duration::from_millis(20)).upsert(&entry(1)).expect_err("locked");
    assert_eq!((failure.code(), failure.exit()), ("registry_busy", Exit::Later));
    drop(lock);
    assert_eq!(base.registry().upsert(&entry(1))?, Written::Added);
    Ok(())
}

#[test]
fn writers_in_many_processes_lose_no_entry_and_readers_see_whole_files() -> anyhow::Result<()> {
    const CHILD: &str = "TECNICO_TEST_REGISTRY_WRITER";
    const EACH: usize = 15;
    if let Ok(what) = std::env::var(CHILD) {
        let (first, dir) = what.split_once(' ').expect("a number and a directory");
        let first: usize = first.parse()?;
        let registry = Base::open(std::path::Path::new(dir), tecnico::config::settings::Modes::default())?.registry();
        for n in first..first + EACH {
            registry.upsert(&entry(n))?;
        }
        return Ok(());
    }
    let (_dir, base) = base()?;
    base.registry().upsert(&entry(0))?;
    let done = AtomicBool::new(false);
    let test = "fs_layout::registry::writers_in_many_processes_lose_no_entry_and_readers_see_whole_files";
    let children: anyhow::Result<Vec<_>> =
        (0..3).map(|n| respawn(test, CHILD, &format!("{} {}", 100 * (n + 1), base.path().display()))).collect();
    let mut children = children?;
    std::thread::scope(|scope| -> anyhow::Result<()> {
        let reader = scope.spawn(|| -> anyhow::Result<usize> {
            let mut most = 0;
            while !done.load(Ordering::Relaxed) {
                let text = std::fs::read_to_string(base.registry().path())?;
                let now = serde_json::from_str::<Vec<serde_json::Value>>(&text)?.len();
                anyhow::ensure!(now >= most, "entries went from {most} to {now}");
                most = now;
            }
            Ok(most)
        });
        let threads: Vec<_> = (4..7)
            .map(|n| {
                let registry = base.registry();
                scope.spawn(move || (0..EACH).try_for_each(|i| registry.upsert(&entry(100 * n + i)).map(drop)))
            })
            .collect();
        // The reader stops before anything is judged: a writer that fails must fail the test, not hang it.
        let threads: Vec<_> = threads.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
        let children: Vec<_> = children.iter_mut().map(std::process::Child::wait).collect();
        done.store(true, Ordering::Relaxed);
        let reader = reader.join().expect("the reader does not panic");
        for thread in threads {
            thread.expect("no thread panics")?;
        }
        for child in children {
            anyhow::ensure!(child?.success(), "a writer failed");
        }
        reader?;
        Ok(())
    })?;
    assert_eq!(base.registry().read()?.len(), 1 + 6 * EACH);
    Ok(())
}
