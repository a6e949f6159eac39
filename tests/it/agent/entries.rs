//! What can lie in a novos: hostile names, twins, empty and strange files, folders, documents.

use drive_emulator::control::{Effect, Fault, When};

use super::{ANA, Rig};
use crate::support::promise::{live_files, names};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_work_order_goes_to_erro_with_the_reason_and_unread() {
    let rig = Rig::new("").await;
    let control = rig.world.control();
    let empty = rig.drop_file("vazio.pdf", "");
    let text = rig.drop_file("nota.txt", "oi");
    let shortcut = control.shortcut(ANA, &rig.novos, "atalho.pdf", &text).expect("made");
    let abusive = rig.drop_file("virus.pdf", "bom");
    control.mark_abusive(&abusive, true).expect("marked");
    let left = rig.drop_file("~$16517189.pdf", "temporário");
    let report = rig.cycle().await;
    assert!(report.is_clean(), "{:?}", report.faults);
    for (file, why) in [
        (&empty, "o arquivo está vazio"),
        (&text, "tipo de arquivo não aceito (aceitos: *.pdf)"),
        (&shortcut, "é um atalho, não um arquivo: envie o próprio arquivo"),
        (&abusive, "o Drive marcou o arquivo como malicioso e não permite baixá-lo"),
    ] {
        assert_eq!(rig.place(file), ("erro".into(), why.into()));
        assert_eq!(rig.told(file), ["erro"]);
    }
    assert_eq!(rig.place(&left).0, "novos", "what is to be ignored is left alone");
    assert!(rig.told(&left).is_empty() && rig.calls().is_empty() && rig.local("erro").is_empty());
    assert!(rig.local("novos").is_empty(), "no half of a download stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_of_one_name_and_hostile_names_stay_apart_and_inside() {
    let rig = Rig::new("").await;
    let hostile =
        ["16517189.pdf", "16517189.pdf", "x/../../../../fora.pdf", "a/b.pdf", ".oculto.PDF.pdf", "\u{202e}fdp.pdf", "-rf $(x) ;.pdf"];
    let files: Vec<String> = hostile.iter().enumerate().map(|(n, name)| rig.drop_file(name, &format!("bom {n}"))).collect();
    let long = rig.drop_file(&format!("{}.pdf", "é".repeat(300)), "bom");
    let report = rig.cycle().await;
    assert!(report.is_clean(), "{:?}", report.faults);
    for file in files.iter().chain([&long]) {
        assert_eq!(rig.place(file).0, "processados");
    }
    assert_eq!(rig.local("processados").len(), 8);
    assert!(rig.local("processados").contains(&"16517189.pdf".to_owned()));
    assert_eq!(names(&rig.world.vm()).into_iter().filter(|n| !n.starts_with('.')).collect::<Vec<_>>(), ["Ana_Maria", "tecnicos.json"]);
    rig.assert_promise();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_local_file_of_the_same_name_is_never_overwritten() {
    let rig = Rig::new("").await;
    for folder in ["novos", "processados"] {
        std::fs::write(rig.world.vm().join("Ana_Maria/pdfs").join(folder).join("1.pdf"), "alheio").expect("written");
    }
    let file = rig.drop_file("1.pdf", "bom");
    assert!(rig.cycle().await.is_clean());
    assert_eq!(rig.place(&file).0, "processados");
    let local = rig.local("processados");
    assert_eq!(local.len(), 2);
    let text = |name: &str| std::fs::read_to_string(rig.world.vm().join("Ana_Maria/pdfs/processados").join(name)).expect("read");
    assert_eq!(text("1.pdf"), "alheio");
    let own = local.iter().find(|n| *n != "1.pdf").expect("ours");
    assert_eq!(text(own), "bom");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_google_document_is_taken_as_pdf() {
    let rig = Rig::new("").await;
    let doc = rig.world.control().google_doc(ANA, &rig.novos, "Relatório", "document").expect("made");
    let report = rig.cycle().await;
    assert!(report.is_clean(), "{:?}", report.faults);
    assert_eq!(rig.place(&doc).0, "processados");
    let local = rig.local("processados");
    assert!(local.len() == 1 && local[0].starts_with("Relatório (") && local[0].ends_with(").pdf"), "{local:?}");
    assert!(rig.cycle().await.is_quiet(), "filing it made no new version of it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_edited_while_it_is_judged_is_a_version_of_its_own() {
    let rig = Rig::new(super::WAITING).await;
    let doc = rig.world.control().google_doc(ANA, &rig.novos, "Relatório", "document").expect("made");
    let report = rig.meanwhile(|| rig.world.control().replace(ANA, &doc, b"texto novo").expect("edited")).await;
    assert!(report.is_clean(), "{:?}", report.faults);
    assert_eq!(rig.told(&doc), ["processado", "processado"]);
    assert_eq!((rig.place(&doc).0, rig.local("processados").len()), ("processados".to_owned(), 2));
    assert!(rig.cycle().await.is_quiet(), "filing it made no new version of it");
    rig.assert_promise();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_folder_is_emptied_and_moved_on_and_late_files_are_found() {
    let rig = Rig::new("").await;
    let control = rig.world.control();
    let folder = control.mkdir(ANA, &rig.novos, "lote").expect("made");
    let inner = control.mkdir(ANA, &folder, "segunda").expect("made");
    let empty = control.mkdir(ANA, &rig.novos, "nova pasta").expect("made");
    let put = |parent: &str, name: &str| control.put(ANA, parent, name, b"bom", "application/pdf").expect("put");
    let files = [put(&folder, "1.pdf"), put(&inner, "2.pdf")];
    let report = rig.cycle().await;
    assert!(report.is_clean(), "{:?}", report.faults);
    for file in &files {
        assert_eq!(rig.place(file).0, "processados");
        assert_eq!(rig.told(file), ["processado"]);
    }
    assert_eq!(rig.place(&folder).0, "processados", "the emptied folder is moved on whole");
    assert_eq!(rig.place(&empty).0, "novos", "a folder nobody has used yet stays");
    let late = put(&empty, "3.pdf");
    let later = put(&inner, "4.pdf");
    assert!(rig.cycle().await.is_clean());
    assert_eq!((rig.place(&late).0, rig.place(&later).0), ("processados".into(), "processados".into()));
    assert_eq!(rig.place(&empty).0, "processados");
    assert_eq!(rig.local("processados"), ["1.pdf", "2.pdf", "3.pdf", "4.pdf"]);
    assert_eq!(live_files(&rig.world).len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_folder_can_be_refused_whole_or_keep_its_path_in_the_name() {
    let rig = Rig::new("folders = \"reject\"\n").await;
    let control = rig.world.control();
    let folder = control.mkdir(ANA, &rig.novos, "lote").expect("made");
    let file = control.put(ANA, &folder, "1.pdf", b"bom", "application/pdf").expect("put");
    assert!(rig.cycle().await.is_clean());
    assert_eq!(rig.place(&folder), ("erro".into(), "pastas não são aceitas em novos: envie os arquivos soltos".into()));
    assert_eq!((rig.place(&file).0, rig.told(&folder)), (folder, vec!["erro".to_owned()]));
    assert!(rig.cycle().await.is_quiet());

    super::configure(&rig.world, &rig.backend, "folders = \"keep\"\n");
    let folder = control.mkdir(ANA, &rig.novos, "junho").expect("made");
    let file = control.put(ANA, &folder, "1.pdf", b"bom", "application/pdf").expect("put");
    assert!(rig.cycle().await.is_clean());
    assert_eq!((rig.place(&file).0, rig.local("processados")), ("processados".into(), vec!["junho_1.pdf".to_owned()]));
}

#[tokio::test(flavor = "multi_thread")]
async fn templates_make_a_folder_for_the_month_once() {
    let rig = Rig::new("[layout]\nprocessed = \"pdfs/processados/{year}/{month}\"\n").await;
    let files: Vec<String> = (0..6).map(|n| rig.drop_file(&format!("{n}.pdf"), &format!("bom {n}"))).collect();
    let report = rig.cycle().await;
    assert!(report.is_clean(), "{:?}", report.faults);
    let month = rig.place(&files[0]).0;
    assert!(files.iter().all(|f| rig.place(f).0 == month));
    let tree = rig.world.drive_tree();
    assert_eq!(tree.keys().filter(|p| p.starts_with("Ana_Maria/pdfs/processados/") && !p.contains(".pdf")).count(), 2, "{tree:?}");
    assert_eq!(rig.world.json(0, &["check"]).await["findings"].as_array().map(Vec::len), Some(0));
    assert!(rig.cycle().await.is_quiet());
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_do_not_match_are_fetched_anew_and_never_judged() {
    let rig = Rig::new("").await;
    rig.cycle().await;
    let file = rig.drop_file("1.pdf", "bom bom bom");
    rig.world
        .control()
        .fault(Fault::new(Effect::CorruptBody).op("files.get").when(When::Calls { calls: vec![1, 3] }))
        .expect("a rule that can strike");
    assert!(rig.cycle().await.is_clean());
    assert_eq!((rig.place(&file).0, rig.calls().len()), ("processados".into(), 1));
    assert_eq!(rig.world.control().gate().faults()[0].struck, 2, "the downloads were really damaged");

    let file = rig.drop_file("2.pdf", "bom bom bom bom");
    rig.world.control().clear_faults();
    rig.world
        .control()
        .fault(Fault::new(Effect::CorruptBody).op("files.get").when(When::Calls { calls: vec![1, 3, 5] }))
        .expect("a rule that can strike");
    let report = rig.cycle().await;
    assert_eq!((report.faults[0].failure.code(), report.exit() as u8), ("content_mismatch", 1));
    assert_eq!((rig.place(&file).0, rig.calls().len()), ("novos".into(), 1));
    rig.world.control().clear_faults();
    rig.pass(60);
    assert!(rig.cycle().await.is_clean());
    rig.assert_promise();
}

/// What Drive said of the file was wrong, not its content: it is asked again, not mistrusted for ever.
#[tokio::test(flavor = "multi_thread")]
async fn a_checksum_that_was_read_wrongly_is_read_anew() {
    let rig = Rig::new("").await;
    rig.cycle().await;
    super::configure_with(&rig.world, &rig.backend, "1h", "");
    let file = rig.drop_file("1.pdf", "bom");
    assert_eq!(rig.cycle().await.found, 1);
    let mut wrong = rig.ledger.open_items(None).await.expect("reads").remove(0).sighted;
    (wrong.md5, wrong.size) = (Some("0cc175b9c0f1b6a831c399e269772661".into()), Some(2));
    rig.ledger.found(&[wrong], tecnico::ledger::Source::Glance, 1).await.expect("noted");
    super::configure(&rig.world, &rig.backend, "");
    rig.pass(120);
    let report = rig.cycle().await;
    assert!(report.is_clean(), "{:?}", report.faults);
    assert_eq!((rig.told(&file), rig.local("processados")), (vec!["processado".to_owned()], vec!["1.pdf".to_owned()]));
    rig.assert_promise();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_cut_in_the_middle_goes_on_where_it_stopped() {
    let rig = Rig::new("").await;
    rig.cycle().await;
    let control = rig.world.control();
    let file = control.put_generated(ANA, &rig.novos, "grande.pdf", 3_000_000).expect("put");
    control
        .fault(Fault::new(Effect::CutBodyAfter { bytes: 1_000_000 }).op("files.get").when(When::Next { next: 1 }))
        .expect("a rule that can strike");
    control.clear_requests();
    assert!(rig.cycle().await.is_clean());
    assert_eq!(rig.place(&file).0, "processados");
    let sent: Vec<u64> = control.requests().iter().filter(|r| r.op == "files.get").map(|r| r.bytes_out).collect();
    assert_eq!(sent.len(), 2, "{sent:?}");
    assert_eq!(sent[1], 2_000_000, "the rest only was asked for");
}

#[tokio::test(flavor = "multi_thread")]
async fn c1_4_a_blank_at_the_end_of_a_name_is_no_reason_to_refuse_and_can_be_seen() {
    let rig = Rig::new("").await;
    let file = rig.drop_file("16517189.pdf ", "bom");
    let shown = rig.world.run(&["watch", "-v"]).await.expect(0).stdout;
    assert!(shown.contains("processado  42  \"16517189.pdf \"\n"), "{shown}");
    assert_eq!((rig.place(&file).0, rig.local("processados")), ("processados".into(), vec!["16517189.pdf".to_owned()]));
    let why = rig.world.run(&["why", "16517189.pdf "]).await.expect(0).stdout;
    assert!(why.starts_with("\"16517189.pdf \"  of 42: processado"), "{why}");
    rig.assert_promise();
}

/// A processor that notes the name it was given finds that file, and no other, under it afterwards.
#[tokio::test(flavor = "multi_thread")]
async fn c1_4_the_name_a_file_was_judged_under_is_the_one_it_keeps() {
    let rig = Rig::new("command = [\"sh\", \"-c\", \"echo $(basename '{path}') $(cat '{path}') >> ../judged\"]\n").await;
    for n in 0..6 {
        rig.drop_file("f1.pdf", &format!("bom{n}"));
    }
    assert_eq!(rig.cycle().await.filed.len(), 6);
    let judged = std::fs::read_to_string(rig.world.vm().join("judged")).expect("written");
    let mut at_the_end: Vec<String> = rig
        .local("processados")
        .iter()
        .map(|name| {
            format!("{name} {}", std::fs::read_to_string(rig.world.vm().join("Ana_Maria/pdfs/processados").join(name)).expect("read"))
        })
        .collect();
    let mut judged: Vec<String> = judged.lines().map(str::to_owned).collect();
    judged.sort();
    at_the_end.sort();
    assert_eq!(judged, at_the_end);
    rig.assert_promise();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_folder_in_novos_is_named_by_status_and_left_alone() {
    let rig = Rig::new("").await;
    let control = rig.world.control();
    let outer = control.mkdir(ANA, &rig.novos, "semana 48").expect("made");
    control.mkdir(ANA, &outer, "segunda").expect("made");
    rig.cycle().await;
    let status = rig.world.json(0, &["status"]).await;
    assert_eq!(
        (status["empty_folders"].as_array().map(Vec::len), status["empty_folders"][0]["path"].as_str()),
        (Some(1), Some("semana 48"))
    );
    assert!(rig.world.run(&["status"]).await.expect(0).stdout.contains("empty  42  semana 48/ lies in novos since"));
    assert_eq!(rig.place(&outer).0, "novos");
    control.put(ANA, &outer, "1.pdf", b"bom", "application/pdf").expect("put");
    rig.cycle().await;
    assert_eq!(rig.world.json(0, &["status"]).await["empty_folders"].as_array().map(Vec::len), Some(0));
}
