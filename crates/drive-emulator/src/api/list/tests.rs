//! Which index a list walks: what keeps it flat from a thousand files to a million.

use super::*;
use crate::store::Store;
use crate::store::accounts::{self, Principal};
use crate::store::settings::Settings;

/// How SQLite goes about a list.
fn plan(corpus: Corpus, q: &str) -> String {
    let store = Store::temporary().expect("a store");
    let told = store.write(|db| {
        let settings = Settings::load(db)?;
        let who = Principal::acting(&accounts::ensure(db, &settings, "ana@example.com", false)?);
        let cx = Cx::new(db, store.dir(), "http://127.0.0.1", settings, who);
        let scan = Scan { cx: &cx, corpus, expr: Expr::parse(q)?, space: "drive" };
        let sorted = order::Sorted::new(&OrderBy::parse("")?, "ana@example.com");
        let Condition { sql, values } = scan.sql(&sorted, None);
        let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
        let rows = statement.query_map(rusqlite::params_from_iter(values), |row| row.get::<_, String>(3))?;
        Ok(rows.collect::<Result<Vec<_>, _>>()?.join("; "))
    });
    told.expect("a plan")
}

fn shared() -> Corpus {
    Corpus::Drive("0Adrive".to_owned())
}

#[test]
fn a_folder_is_walked_and_not_the_drive_it_lies_in() {
    for corpus in [shared(), Corpus::User { all_drives: false }, Corpus::User { all_drives: true }, Corpus::Everything] {
        let plan = plan(corpus, "'1folder' in parents and trashed = false");
        assert!(plan.contains("files_parent (parent=?)"), "{plan}");
        assert!(!plan.contains("TEMP B-TREE"), "the index gives the order: {plan}");
    }
    let plan = plan(shared(), "'1folder' in parents and name = 'novos'");
    assert!(plan.contains("files_child (parent=? AND name_key=?)"), "{plan}");
}

#[test]
fn without_a_folder_the_drive_is_walked_and_not_everybody_s() {
    for q in ["", "trashed = false", "mimeType = 'application/pdf'"] {
        for corpus in [shared(), Corpus::User { all_drives: false }] {
            let plan = plan(corpus, q);
            assert!(plan.contains("files_drive (drive=?)"), "{q}: {plan}");
        }
    }
    let plan = plan(shared(), "name = 'a.pdf'");
    assert!(plan.contains("files_name (name_key=?)"), "{plan}");
}
