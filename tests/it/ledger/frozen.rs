//! Ledgers as each schema wrote them open with this program, and nothing in them is lost.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tecnico::ledger::Ledger;

use super::{email, user};
use crate::support::world::World;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn frozen(version: usize) -> PathBuf {
    Path::new(ROOT).join(format!("tests/it/ledger/frozen/{version}.sql"))
}

fn newest() -> usize {
    std::fs::read_dir(Path::new(ROOT).join("src/ledger/migrations")).expect("migrations").count()
}

/// Puts a frozen ledger into its place, and looks that it has data in every table.
async fn thaw(version: usize, to: &Path) {
    let path = frozen(version);
    let sql = std::fs::read_to_string(&path).unwrap_or_else(|e| {
        panic!("{}: {e}; a new migration needs a ledger of its schema with data in every table, kept as SQL", path.display())
    });
    // A dump gives its tables in the order of their names.
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(to).create_if_missing(true).foreign_keys(false);
    let pool = sqlx::SqlitePool::connect_with(options).await.expect("connects");
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&pool).await.expect("the dump is read");
    let tables: Vec<String> =
        sqlx::query_scalar("SELECT name FROM sqlite_master WHERE type = 'table'").fetch_all(&pool).await.expect("tables");
    for table in tables {
        let count = format!("SELECT COUNT(*) FROM {table}");
        let rows: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(count)).fetch_one(&pool).await.expect("counted");
        assert!(rows > 0, "{}: {table} is empty", path.display());
    }
    pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_schema_opens_with_all_it_held() {
    assert!(newest() >= 4 && !frozen(newest() + 1).exists());
    for version in 1..=newest() {
        let world = World::new().await;
        thaw(version, &world.path("ledger.db")).await;
        let checked = world.json(0, &["ledger", "check"]).await;
        assert_eq!(checked["technicians"], 1, "schema {version}");
        let listed = world.json(0, &["list"]).await;
        let ana = &listed["technicians"][0];
        let of = |key: &str| ana[key].as_str().map(str::to_owned);
        assert_eq!((of("user"), of("name"), of("folder")), (Some("42".into()), Some("Ana Maria".into()), Some("Ana_Maria".into())));
        assert_eq!(of("novos_folder_id"), Some("1NovosAnaMaria0000000000000000000".into()));
        if version >= 2 {
            files_and_events(&world, version).await;
        }
        let ledger = Ledger::open(&world.path("ledger.db")).await.expect("opens");
        let grants = ledger.wanted_grants(&user("42")).await.expect("grants");
        assert_eq!((grants[0].email.clone(), grants[0].role.as_str()), (email("chefe@example.com"), "reader"));
        assert_eq!(ledger.spare_ids().await.expect("ids"), 1);
        assert!(ledger.technician(&user("43")).await.expect("read").expect("kept").removed_at.is_some());
        let dropped = ledger.dropped_folders(None).await.expect("folders");
        assert_eq!(dropped.len(), usize::from(version >= 3));
        // It is one of today's now: it takes what today's takes.
        ledger.add_spare_ids(&["1Another0000000000000000000000000"]).await.expect("written");
        ledger.close().await;
        world.json(0, &["ledger", "check"]).await;
    }
}

async fn files_and_events(world: &World, version: usize) {
    let why = world.json(0, &["why", "16517189.pdf"]).await;
    let item = &why["items"][0];
    assert_eq!((item["outcome"].as_str(), item["history"].as_array().map(Vec::len)), (Some("processado"), Some(5)), "schema {version}");
    assert!(item["callback"]["delivered_at"].is_string(), "{why}");
    let events = world.json(0, &["callbacks", "list", "--all"]).await;
    let states: Vec<&Value> = events["events"].as_array().expect("events").iter().map(|e| &e["state"]).collect();
    assert_eq!(states, ["held", "delivered"], "the newest first");
    let status = world.json(1, &["status"]).await;
    assert_eq!((status["pending"].as_u64(), status["refused"].as_u64()), (Some(1), Some(1)), "{status}");
}
