//! The technician does something with the file while it is handled.

use super::{ANA, Rig, WAITING, configure, configure_with};

#[tokio::test(flavor = "multi_thread")]
async fn a_file_trashed_while_it_is_judged_is_told_as_taken_back() {
    let rig = Rig::new(WAITING).await;
    let file = rig.drop_file("1.pdf", "bom");
    let report = rig.meanwhile(|| rig.world.control().trash(ANA, &file).expect("trashed")).await;
    assert!(report.is_clean(), "{:?}", report.faults);
    assert_eq!(rig.told(&file), ["retirado"]);
    assert_eq!((rig.local("novos"), rig.local("processados"), rig.local("erro")), (vec![], vec![], vec!["1.pdf".into()]));

    // Out of the trash and back in novos it is taken up again: the same item.
    rig.world.control().untrash(ANA, &file).expect("untrashed");
    assert!(rig.cycle().await.is_clean());
    assert_eq!((rig.place(&file).0, rig.told(&file)), ("processados".into(), vec!["processado".into(), "retirado".into()]));
    assert_eq!((rig.local("erro"), rig.local("processados")), (vec![], vec!["1.pdf".to_owned()]));
    rig.assert_promise();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_moved_away_or_deleted_while_it_is_judged_is_told_as_taken_back() {
    let rig = Rig::new(WAITING).await;
    let control = rig.world.control();
    let ana = control.user(ANA).expect("ana");
    let file = rig.drop_file("1.pdf", "bom");
    rig.meanwhile(|| control.move_to(ANA, &file, &ana.root_id).expect("moved")).await;
    assert!(rig.told(&file).is_empty(), "once not found is no proof");
    rig.pass(2);
    rig.cycle().await;
    assert_eq!((rig.told(&file), rig.place(&file).0), (vec!["retirado".to_owned()], ana.root_id));

    std::fs::remove_file(rig.world.vm().join("Ana_Maria/go")).expect("removed");
    let file = rig.drop_file("2.pdf", "bom");
    rig.meanwhile(|| control.delete(ANA, &file).expect("deleted")).await;
    rig.pass(2);
    rig.cycle().await;
    assert_eq!((rig.told(&file), rig.local("novos").len()), (vec!["retirado".to_owned()], 0));
    assert!(rig.cycle().await.is_quiet());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renamed_file_is_filed_under_its_new_name_on_drive() {
    let rig = Rig::new(WAITING).await;
    let file = rig.drop_file("1.pdf", "bom");
    rig.meanwhile(|| rig.world.control().rename(ANA, &file, "16517189.pdf").expect("renamed")).await;
    assert_eq!((rig.place(&file).0, rig.told(&file)), ("processados".into(), vec!["processado".to_owned()]));
    rig.assert_promise();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_put_in_its_place_while_it_is_judged_is_an_item_of_its_own() {
    let rig = Rig::new(WAITING).await;
    let file = rig.drop_file("1.pdf", "bom");
    let report = rig.meanwhile(|| rig.world.control().replace(ANA, &file, b"ruim").expect("replaced")).await;
    assert!(report.is_clean(), "{:?}", report.faults);
    assert_eq!(rig.told(&file), ["erro", "processado"], "each version was told");
    assert_eq!(rig.place(&file).0, "erro", "the file lies where its newest version belongs");
    assert_eq!((rig.local("novos"), rig.local("processados"), rig.local("erro")), (vec![], vec!["1.pdf".into()], vec!["1.pdf".into()]));
    assert!(rig.cycle().await.is_quiet());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_replaced_before_it_was_fetched_is_told_and_the_newer_one_handled() {
    let rig = Rig::new("").await;
    rig.cycle().await;
    let file = rig.drop_file("1.pdf", "ruim velho");
    // Seen, but not taken yet: it settles.
    super::configure_with(&rig.world, &rig.backend, "1h", "");
    assert_eq!(rig.cycle().await.found, 1);
    rig.world.control().replace(ANA, &file, b"bom").expect("replaced");
    configure(&rig.world, &rig.backend, "");
    rig.pass(120);
    let report = rig.cycle().await;
    assert!(report.is_clean(), "{:?}", report.faults);
    assert_eq!((rig.told(&file), rig.place(&file).0), (vec!["processado".to_owned(), "retirado".into()], "processados".into()));
    let why = rig.world.json(0, &["why", "1.pdf"]).await;
    assert_eq!(why["items"][0]["reason"], "substituído por uma versão mais nova, antes de ser processado");
    rig.assert_promise();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_taken_back_before_it_is_fetched_is_told_and_not_fetched() {
    let rig = Rig::new("").await;
    rig.cycle().await;
    let file = rig.drop_file("1.pdf", "bom");
    super::configure_with(&rig.world, &rig.backend, "1h", "");
    rig.cycle().await;
    rig.world.control().trash(ANA, &file).expect("trashed");
    assert_eq!(rig.cycle().await.filed.len(), 1);
    assert_eq!((rig.told(&file), rig.calls().len(), rig.local("erro").len()), (vec!["retirado".to_owned()], 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_file_goes_through_again_on_request_or_when_it_is_put_back() {
    let rig = Rig::new("").await;
    let file = rig.drop_file("1.pdf", "ruim");
    rig.cycle().await;
    assert_eq!(rig.place(&file).0, "erro");
    let retried = rig.world.json(0, &["retry", "42"]).await;
    assert_eq!(retried["items"][0]["reason"], "número de OS inválido");
    assert!(rig.cycle().await.is_clean());
    assert_eq!((rig.place(&file), rig.told(&file).len()), (("erro".into(), "número de OS inválido".into()), 2));

    // Now the processor accepts everything.
    configure(&rig.world, &rig.backend, "command = [\"true\", \"{path}\"]\n");
    rig.world.json(0, &["retry", "--file", &file]).await;
    assert!(rig.cycle().await.is_clean());
    assert_eq!(rig.place(&file), ("processados".into(), String::new()), "the old reason is gone");
    assert_eq!((rig.local("erro"), rig.local("processados")), (vec![], vec!["1.pdf".to_owned()]));

    rig.world.control().move_to(super::ADMIN, &file, &rig.novos).expect("put back");
    let report = rig.cycle().await;
    assert_eq!((report.found, report.filed.len()), (1, 1), "{report:?}");
    let attempts: Vec<String> = rig.calls().iter().map(|c| c.split(' ').nth(2).unwrap_or_default().to_owned()).collect();
    assert_eq!(attempts, ["1", "2"]);
    rig.assert_promise();
}

/// One run was killed after its download and one after its move to erro, neither of which the ledger knows.
#[tokio::test(flavor = "multi_thread")]
async fn what_killed_runs_fetched_and_put_away_is_the_withdrawn_files() {
    let rig = Rig::new("").await;
    rig.cycle().await;
    configure_with(&rig.world, &rig.backend, "10s", "");
    let file = rig.drop_file("1.pdf", "bom");
    assert_eq!(rig.cycle().await.found, 1, "seen, not taken yet: it settles");
    std::fs::write(rig.world.vm().join("Ana_Maria/pdfs/erro/1.pdf"), "bom").expect("written");
    rig.world.control().trash(ANA, &file).expect("trashed");
    rig.cycle().await;
    assert_eq!(rig.told(&file), ["retirado"]);
    assert_eq!(rig.world.json(0, &["why", "1.pdf"]).await["items"][0]["local_path"], "pdfs/erro/1.pdf");
    rig.assert_promise();
}
