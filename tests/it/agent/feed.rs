//! A change feed that lags, repeats itself, drops entries or forgets its tokens.

use std::time::Duration;

use super::{ANA, Rig};

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_token_begins_anew_with_every_novos_listed() {
    let rig = Rig::new("").await;
    rig.cycle().await;
    let file = rig.drop_file("1.pdf", "bom");
    rig.world.control().set_feed(|f| f.reject_tokens = true).expect("set");
    let report = rig.cycle().await;
    assert!(report.notes.iter().any(|n| n.contains("rejects the token")), "{report:?}");
    assert!(report.is_clean(), "{:?}", report.faults);
    rig.world.control().set_feed(|f| f.reject_tokens = false).expect("set");
    assert_eq!(rig.place(&file).0, "processados");
    assert!(rig.cycle().await.is_quiet());
    rig.assert_promise();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_repeats_itself_makes_nothing_twice() {
    let rig = Rig::new("").await;
    rig.cycle().await;
    for n in 0..5 {
        rig.drop_file(&format!("{n}.pdf"), &format!("bom {n}"));
    }
    rig.cycle().await;
    for _ in 0..3 {
        rig.world.control().set_feed(|f| f.repeat_pages = 2).expect("set");
        assert!(rig.cycle().await.is_quiet());
    }
    assert_eq!((rig.calls().len(), rig.requests().len()), (5, 5));
    rig.assert_promise();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delayed_feed_finds_everything_late_and_nothing_twice() {
    let rig = Rig::new("").await;
    rig.cycle().await;
    let control = rig.world.control();
    control.set_feed(|f| f.delay_ms = 600_000).expect("set");
    let file = rig.drop_file("1.pdf", "bom");
    assert!(rig.cycle().await.is_quiet());
    assert_eq!(rig.world.json(0, &["process", "42"]).await["filed"].as_array().map(Vec::len), Some(1));
    control.clock_advance(Duration::from_mins(11)).expect("passes");
    assert!(rig.cycle().await.is_quiet(), "what the feed tells late is known");
    assert_eq!((rig.told(&file), rig.calls().len()), (vec!["processado".to_owned()], 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_feed_drops_the_listing_finds() {
    let rig = Rig::new("").await;
    rig.cycle().await;
    let control = rig.world.control();
    control.set_feed(|f| f.drop_entries = 100).expect("set");
    let found = rig.drop_file("1.pdf", "bom");
    control.set_feed(|f| f.drop_entries = 0).expect("set");
    assert!(rig.cycle().await.is_quiet());
    rig.pass(7 * 60);
    assert_eq!(rig.cycle().await.filed.len(), 1);
    assert_eq!(rig.place(&found).0, "processados");
    rig.assert_promise();
}

#[tokio::test(flavor = "multi_thread")]
async fn noise_costs_no_call_beyond_the_feed() {
    let rig = Rig::new("").await;
    let control = rig.world.control();
    let ana = control.user(ANA).expect("ana");
    let file = rig.drop_file("1.pdf", "bom");
    rig.cycle().await;
    for what in ["view", "star"] {
        control.touch_noise(ANA, &file, what).expect("noise");
    }
    let own = control.put(ANA, &ana.root_id, "privado.pdf", b"x", "application/pdf").expect("put");
    control.share(ANA, &own, super::ADMIN, "reader").expect("shared");
    let gone = rig.world.control().put(ANA, &rig.erro.clone(), "x.pdf", b"x", "application/pdf");
    assert!(gone.is_err(), "ana cannot write to erro");
    let report = rig.cycle().await;
    assert!(report.is_quiet(), "{report:?}");
    assert_eq!(report.drive.calls, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_cycle_over_many_technicians_is_one_call() {
    let rig = Rig::new("").await;
    let rows: Vec<String> = (100..140).map(|n| format!("{n},t{n}@example.com,Técnico {n},")).collect();
    let csv = format!("user,email,name,portal_user\n{}\n", rows.join("\n"));
    rig.world.run_with_stdin(&["create", "--from", "-"], &csv).await.expect(0);
    rig.cycle().await;
    let report = rig.cycle().await;
    assert!(report.is_quiet());
    assert_eq!(report.drive.calls, 1);
    let changes = rig.world.run(&["changes", "--json"]).await.expect(0);
    let next = changes.json()["next"].as_str().expect("a token").to_owned();
    rig.drop_file("1.pdf", "bom");
    let lines = rig.world.run(&["changes", "--since", &next]).await.expect(0).stdout;
    assert!(lines.lines().count() >= 2 && lines.contains("\"1.pdf\""), "{lines}");
}
