//! Opening: what is made, and what is refused.

use std::os::unix::fs::PermissionsExt;

use tecnico::error::Exit;
use tecnico::ledger::Ledger;

use super::{fixture, user, wanted};

#[tokio::test]
async fn a_new_ledger_is_private_and_so_is_its_directory() {
    let dir = tempfile::tempdir().expect("temp dir");
    let path = dir.path().join("state").join("ledger.db");
    let ledger = Ledger::open(&path).await.expect("opens");
    ledger.reserve(&user("42"), &wanted("Ana_Maria"), &[].into(), 1).await.expect("reserves");
    let mode = |p: &std::path::Path| std::fs::metadata(p).expect("is there").permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(&path.with_file_name("ledger.db-wal")), 0o600);
    assert_eq!(mode(path.parent().expect("a parent")), 0o750);
    ledger.close().await;
    let left: Vec<_> = std::fs::read_dir(path.parent().expect("a parent")).expect("lists").collect();
    assert_eq!(left.len(), 1, "only the ledger is left: {left:?}");
}

#[tokio::test]
async fn a_missing_directory_above_is_a_failure_that_names_it() {
    let dir = tempfile::tempdir().expect("temp dir");
    let path = dir.path().join("a").join("b").join("ledger.db");
    let refused = Ledger::open(&path).await.expect_err("cannot be made");
    assert_eq!((refused.exit(), refused.code()), (Exit::CannotCreate, "ledger_directory"));
    assert!(refused.to_string().contains("/a/b"), "{refused}");
    assert!(!dir.path().join("a").exists());
}

#[tokio::test]
async fn damage_stops_the_program_and_the_file_stays_as_it_is() {
    let f = fixture().await;
    for n in 0..200 {
        f.ledger.reserve(&user(&n.to_string()), &wanted("Ana_Maria"), &[].into(), 1).await.expect("reserves");
    }
    f.ledger.clone().close().await;
    let whole = std::fs::read(&f.path).expect("reads");
    assert!(whole.len() > 16 * 1024, "several pages");
    let mut overwritten = whole.clone();
    overwritten[..100].fill(b'x');
    for (what, bytes) in [("emptied", Vec::new()), ("cut short", whole[..5000].to_vec()), ("overwritten", overwritten)] {
        std::fs::write(&f.path, &bytes).expect("writes");
        let refused = match Ledger::open(&f.path).await {
            Err(refused) => refused,
            Ok(ledger) => ledger.check().await.expect_err("the check finds it"),
        };
        assert_eq!((refused.exit(), refused.code()), (Exit::Data, "ledger_damaged"), "{what}");
        let hint = refused.hint_text().expect("says how to recover");
        assert!(hint.contains("backup") && hint.contains("tecnico ledger rebuild"), "{hint}");
        assert_eq!(std::fs::read(&f.path).expect("reads"), bytes, "{what}: untouched");
    }
}

#[tokio::test]
async fn damage_in_the_middle_is_found_when_asked_for() {
    let f = fixture().await;
    for n in 0..200 {
        f.ledger.reserve(&user(&n.to_string()), &wanted("Ana_Maria"), &[].into(), 1).await.expect("reserves");
    }
    f.ledger.check().await.expect("is whole");
    f.ledger.clone().close().await;
    let mut bytes = std::fs::read(&f.path).expect("reads");
    let last_page = bytes.len() - 4096;
    bytes[last_page..last_page + 64].fill(0xff);
    std::fs::write(&f.path, &bytes).expect("writes");
    let found = match Ledger::open(&f.path).await {
        Err(refused) => refused,
        Ok(ledger) => ledger.check().await.expect_err("the check finds it"),
    };
    assert_eq!(found.code(), "ledger_damaged");
}

#[tokio::test]
async fn a_log_without_its_ledger_is_not_a_new_ledger() {
    let dir = tempfile::tempdir().expect("temp dir");
    std::fs::write(dir.path().join("ledger.db-wal"), b"left over").expect("writes");
    let refused = Ledger::open(&dir.path().join("ledger.db")).await.expect_err("refused");
    assert_eq!(refused.code(), "ledger_damaged");
    assert!(!dir.path().join("ledger.db").exists());
}

#[tokio::test]
async fn a_newer_schema_and_a_foreign_database_are_refused() {
    let f = fixture().await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&f.path);
    let pool = sqlx::SqlitePool::connect_with(options).await.expect("connects");
    sqlx::query("INSERT INTO schema_version (version) VALUES (1000)").execute(&pool).await.expect("inserts");
    let refused = Ledger::open(&f.path).await.expect_err("newer");
    assert_eq!((refused.exit(), refused.code()), (Exit::Config, "ledger_newer"));
    sqlx::query("DROP TABLE schema_version").execute(&pool).await.expect("drops");
    let refused = Ledger::open(&f.path).await.expect_err("foreign");
    assert_eq!((refused.exit(), refused.code()), (Exit::Data, "ledger_damaged"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn eight_who_open_at_once_make_one_ledger() {
    let dir = tempfile::tempdir().expect("temp dir");
    let path = dir.path().join("ledger.db");
    let opening: Vec<_> = (0..8)
        .map(|n| {
            let path = path.clone();
            tokio::spawn(async move {
                let ledger = Ledger::open(&path).await.expect("opens");
                ledger.reserve(&user(&n.to_string()), &wanted("Ana_Maria"), &[].into(), 1).await.expect("reserves");
            })
        })
        .collect();
    for one in opening {
        one.await.expect("does not panic");
    }
    assert_eq!(Ledger::open(&path).await.expect("opens").technicians().await.expect("reads").len(), 8);
}

#[tokio::test]
async fn a_ledger_of_the_first_schema_is_brought_up_to_date_with_what_it_holds() {
    let dir = tempfile::tempdir().expect("temp dir");
    let path = dir.path().join("ledger.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let old = sqlx::SqlitePool::connect_with(options).await.expect("connects");
    for sql in [
        include_str!("../../../src/ledger/migrations/0001_technicians.sql"),
        "CREATE TABLE schema_version (version BIGINT NOT NULL PRIMARY KEY)",
        "INSERT INTO schema_version (version) VALUES (1)",
        "INSERT INTO technicians (user_id, name, folder, folder_key, created_at) VALUES ('42', 'Ana Maria', 'Ana_Maria', 'ana_maria', 7)",
    ] {
        sqlx::raw_sql(sql).execute(&old).await.expect("makes the old schema");
    }
    old.close().await;
    for _ in 0..2 {
        let ledger = Ledger::open(&path).await.expect("opens");
        assert_eq!(ledger.technicians().await.expect("reads").len(), 1);
        assert!(ledger.open_items(None).await.expect("the new tables are there").is_empty());
    }
}
