//! The plain story: what is dropped is judged, filed on both sides, and told.

use super::Rig;

#[tokio::test(flavor = "multi_thread")]
async fn a_good_file_and_a_refused_one_end_where_they_belong() {
    let rig = Rig::new("").await;
    let good = rig.drop_file("16517189.pdf", "bom");
    let bad = rig.drop_file("16517190.pdf", "ruim");
    let report = rig.cycle().await;
    assert!(report.is_clean(), "{:?}", report.faults);
    assert_eq!((report.found, report.filed.len(), report.delivered), (2, 2, 2));
    assert_eq!(rig.place(&good), ("processados".into(), String::new()));
    assert_eq!(rig.place(&bad), ("erro".into(), "número de OS inválido".into()));
    assert_eq!(
        (rig.local("novos"), rig.local("processados"), rig.local("erro")),
        (vec![], vec!["16517189.pdf".into()], vec!["16517190.pdf".into()])
    );
    let body: serde_json::Value =
        rig.requests().iter().find(|r| r.body.contains(&good)).map(|r| serde_json::from_str(&r.body)).expect("told").expect("JSON");
    assert_eq!(body["result"]["files"][0]["data"]["os"], 16_517_189);
    assert_eq!(
        (body["user_id"].as_str(), body["status"].as_str(), body["result"]["files_processed"].as_u64()),
        (Some("42"), Some("success"), Some(1))
    );
    rig.assert_promise();

    let again = rig.cycle().await;
    assert!(again.is_quiet(), "{again:?}");
    assert_eq!(again.drive.calls, 1, "an idle cycle reads the feed and nothing else");
    assert_eq!(rig.calls().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn in_the_steady_state_a_file_costs_two_calls_and_its_share_of_the_feed() {
    let rig = Rig::new("").await;
    rig.cycle().await;
    for n in 0..10 {
        rig.drop_file(&format!("{n}.pdf"), &format!("bom {n}"));
    }
    let report = rig.cycle().await;
    assert_eq!((report.filed.len(), report.drive.calls), (10, 21), "{report:?}");
    rig.assert_promise();
}
