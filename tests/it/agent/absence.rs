//! A file that Drive does not find: one "not found" takes nobody's file back, a lasting one does.

use drive_emulator::control::{Effect, Fault, Status, When};

use super::{ANA, Rig, configure_with};

/// Drive forgets this file, at the calls with these numbers from now on.
fn forgets(rig: &Rig, file: &str, op: &str, calls: Vec<u64>) {
    let mut fault = Fault::new(Effect::Status(Status::new(404, "notFound"))).op(op).when(When::Calls { calls });
    fault.calls.path_prefix = Some(format!("/drive/v3/files/{file}"));
    rig.world.control().fault(fault).expect("a rule that can strike");
}

/// The answer to the move is lost, and every look right after it is told that there is no such file.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_not_found_right_after_its_move_is_not_taken_back() {
    for (text, end) in [("bom", "processado"), ("ruim", "erro")] {
        let rig = Rig::new("").await;
        rig.cycle().await;
        let file = rig.drop_file("1.pdf", text);
        rig.world
            .control()
            .fault(Fault::new(Effect::LostAfterCommit).op("files.update").when(When::Calls { calls: vec![1] }))
            .expect("a rule that can strike");
        // The move is tried again, from where the file lies no more.
        forgets(&rig, &file, "files.update", vec![2]);
        // The first read is the download; then the move is looked at, and the file.
        forgets(&rig, &file, "files.get", vec![2, 3]);
        let report = rig.cycle().await;
        assert_eq!((report.filed.len(), report.waiting.len()), (0, 1), "{report:?}");
        assert!(rig.told(&file).is_empty(), "{:?}", rig.told(&file));
        rig.pass(2);
        assert!(rig.cycle().await.is_clean());
        assert_eq!((rig.told(&file), rig.calls().len()), (vec![end.to_owned()], 1));
        rig.assert_promise();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_a_listing_misses_and_a_look_does_not_find_is_looked_for_again() {
    let rig = Rig::new("").await;
    rig.cycle().await;
    // Seen, but not taken yet: it settles.
    configure_with(&rig.world, &rig.backend, "10s", "");
    let file = rig.drop_file("1.pdf", "bom");
    assert_eq!(rig.cycle().await.found, 1);
    // Away and back: what the feed told of it in between made a look necessary, and the look found nothing.
    let root = rig.world.control().user(ANA).expect("ana").root_id;
    rig.world.control().move_to(ANA, &file, &root).expect("moved");
    forgets(&rig, &file, "files.get", vec![1]);
    rig.cycle().await;
    assert!(rig.told(&file).is_empty());
    rig.world.control().move_to(ANA, &file, &rig.novos).expect("moved back");
    rig.pass(2);
    assert!(rig.cycle().await.is_clean());
    assert_eq!(rig.told(&file), ["processado"]);
    rig.assert_promise();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_stays_away_is_taken_back_at_the_second_look() {
    let rig = Rig::new("").await;
    rig.cycle().await;
    configure_with(&rig.world, &rig.backend, "10s", "");
    let file = rig.drop_file("1.pdf", "bom");
    rig.cycle().await;
    rig.world.control().delete(ANA, &file).expect("deleted");
    for _ in 0..3 {
        assert!(rig.cycle().await.is_clean());
        assert!(rig.told(&file).is_empty(), "not at once, however often it is looked at");
    }
    let why = rig.world.json(0, &["why", "1.pdf"]).await;
    assert_eq!(why["items"][0]["reason"], "o Drive não encontra o arquivo");
    rig.pass(2);
    assert_eq!(rig.cycle().await.filed.len(), 1);
    assert_eq!((rig.told(&file), rig.calls().len()), (vec!["retirado".to_owned()], 0));
    assert!(rig.cycle().await.is_quiet());
}

/// The look finds nothing twice, but the folder we moved it to lists it.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_folder_lists_is_not_gone_however_often_it_is_not_found() {
    let rig = Rig::new("[layout]\nprocessed = \"pdfs/processados/{year}/{month}\"\n").await;
    rig.cycle().await;
    let file = rig.drop_file("1.pdf", "bom");
    rig.world
        .control()
        .fault(Fault::new(Effect::LostAfterCommit).op("files.update").when(When::Calls { calls: vec![1] }))
        .expect("a rule that can strike");
    forgets(&rig, &file, "files.update", vec![2]);
    // After the download: the move, the file, and the file again.
    forgets(&rig, &file, "files.get", vec![2, 3, 4]);
    rig.cycle().await;
    rig.pass(2);
    rig.cycle().await;
    assert!(rig.told(&file).is_empty(), "{:?}", rig.told(&file));
    rig.pass(2);
    assert!(rig.cycle().await.is_clean());
    assert_eq!(rig.told(&file), ["processado"]);
    assert!(rig.local("novos").is_empty() && !rig.local("processados").is_empty());
}

/// The folder of a template is made when the first file goes there: until then nothing lies in it.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_taken_back_before_its_template_has_a_folder_ends_all_the_same() {
    let rig = Rig::new("").await;
    let layout = "[layout]\nfailed = \"pdfs/erro/{year}\"\nprocessed = \"pdfs/processados/{year}/{month}\"\n";
    super::configure_with(&rig.world, &rig.backend, "1m", layout);
    let file = rig.drop_file("1.pdf", "bom");
    rig.cycle().await;
    rig.world.control().trash(ANA, &file).expect("trashed");
    assert!(rig.cycle().await.is_clean());
    assert_eq!(rig.told(&file), ["retirado"]);
    // Refused, while its local copy is gone, and nothing was filed as accepted yet.
    super::configure(&rig.world, &rig.backend, &format!("command = [\"sh\", \"-c\", \"rm '{{path}}'; exit 1\"]\n{layout}"));
    let file = rig.drop_file("2.pdf", "ruim");
    let report = rig.cycle().await;
    assert!(report.is_clean(), "{:?}", report.faults);
    assert_eq!(rig.told(&file), ["erro"]);
}
