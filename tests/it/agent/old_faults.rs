//! What the old system got wrong (CONTRACT 6), where files are concerned.

use std::time::Duration;

use super::Rig;
use crate::support::world::finish;

#[tokio::test(flavor = "multi_thread")]
async fn c6_4_of_several_workers_at_once_one_judges_a_pdf_and_once() {
    let rig = Rig::new("").await;
    for n in 0..5 {
        rig.drop_file(&format!("{n}.pdf"), &format!("bom {n}"));
    }
    let workers = ["watch", "process", "watch", "process", "process"].map(|verb| {
        let args: &[&str] = if verb == "watch" { &["watch"] } else { &["process", "42"] };
        finish(rig.world.command(args))
    });
    for ran in futures_util::future::join_all(workers).await {
        assert!(matches!(ran.code, Some(0 | 75)), "{ran:?}");
    }
    let mut calls: Vec<String> = rig.calls().iter().map(|c| c.split(' ').next().unwrap_or_default().to_owned()).collect();
    calls.sort();
    let judged = calls.len();
    calls.dedup();
    assert_eq!((judged, calls.len()), (5, 5), "each file once");
    rig.assert_promise();
}

#[tokio::test(flavor = "multi_thread")]
async fn c1_4_c6_5_the_next_file_of_a_name_lies_beside_the_first_and_begins_with_its_number() {
    let rig = Rig::new("").await;
    for (text, folder) in [("bom", "processados"), ("bom outra vez", "processados"), ("ruim", "erro"), ("ruim outra vez", "erro")] {
        let file = rig.drop_file("16517189.pdf", text);
        rig.cycle().await;
        assert_eq!(rig.place(&file).0, folder);
    }
    for folder in ["processados", "erro"] {
        let names = rig.local(folder);
        assert_eq!(names.len(), 2, "{names:?}");
        assert!(names.contains(&"16517189.pdf".to_owned()), "a name changes only where it must: {names:?}");
        assert!(
            names.iter().all(|n| n.starts_with("16517189") && std::path::Path::new(n).extension().is_some_and(|e| e == "pdf")),
            "{names:?}"
        );
        let contents: std::collections::BTreeSet<Vec<u8>> =
            names.iter().map(|n| std::fs::read(rig.world.vm().join("Ana_Maria/pdfs").join(folder).join(n)).expect("read")).collect();
        assert_eq!(contents.len(), 2, "none was overwritten");
    }
    rig.assert_promise();
}

/// Google's channels last a day, or a week; the old system never renewed its own. None is needed here.
#[tokio::test(flavor = "multi_thread")]
async fn c6_6_after_a_month_of_silence_a_file_is_found_as_on_the_first_day() {
    let rig = Rig::new("").await;
    rig.cycle().await;
    rig.world.control().clock_advance(Duration::from_hours(31 * 24)).expect("time passes");
    rig.pass(31 * 24 * 60);
    let file = rig.drop_file("1.pdf", "bom");
    rig.cycle().await;
    assert_eq!(rig.place(&file).0, "processados");
    let asked = rig.world.control().requests();
    assert!(!asked.is_empty() && !asked.iter().any(|r| r.op.contains("watch") || r.op.contains("channels")), "no channel was opened");
    rig.assert_promise();
}
