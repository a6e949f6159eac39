use super::*;

const TASK: Task<'_> = Task { user_id: "42", job_id: "job-7", name: "Ana Maria" };

fn folders() -> Folders {
    Folders {
        drive_folders: DriveFolders {
            user_folder_id: "1U".into(),
            novos_folder_id: "1N".into(),
            processados_folder_id: "1P".into(),
            erros_folder_id: "1E".into(),
            novos_folder_link: "https://drive.google.com/drive/folders/1N".into(),
            compartilhado: true,
        },
        vm_folders: VmFolders {
            user_folder: "/srv/Ana_Maria".into(),
            novos_folder: "/srv/Ana_Maria/pdfs/novos".into(),
            processados_folder: "/srv/Ana_Maria/pdfs/processados".into(),
            erros_folder: "/srv/Ana_Maria/pdfs/erro".into(),
        },
    }
}

fn report(name: &str, outcome: Outcome) -> FileReport {
    let reason = (outcome == Outcome::Erro).then(|| "número de OS inválido".to_owned());
    FileReport {
        file_id: format!("1{name}"),
        name: name.into(),
        fate: Fate::Ended(outcome),
        reason,
        checksum: Some("900150983cd24fb0d6963f7d28e17f72".into()),
        data: None,
    }
}

fn value(text: &str) -> Value {
    serde_json::from_str(text).expect("a payload is JSON")
}

#[test]
fn c3_2_c3_3_folders_at_the_top_level_of_result() {
    let expected = concat!(
        r#"{"user_id":"42","job_id":"job-7","status":"success","result":{"#,
        r#""drive_folders":{"user_folder_id":"1U","novos_folder_id":"1N","processados_folder_id":"1P","erros_folder_id":"1E","#,
        r#""novos_folder_link":"https://drive.google.com/drive/folders/1N","compartilhado":true},"#,
        r#""vm_folders":{"user_folder":"/srv/Ana_Maria","novos_folder":"/srv/Ana_Maria/pdfs/novos","#,
        r#""processados_folder":"/srv/Ana_Maria/pdfs/processados","erros_folder":"/srv/Ana_Maria/pdfs/erro"},"#,
        r#""message":"As pastas de Ana Maria foram criadas."}}"#,
    );
    assert_eq!(folders_done(TASK, Done::Created, &folders()), expected);
}

#[test]
fn what_the_old_system_never_did_has_a_word_for_programs() {
    let change = |done| value(&folders_done(TASK, done, &folders()))["result"].get("change").cloned();
    assert_eq!([Done::Removed, Done::Restored, Done::Renamed].map(change), ["removed", "restored", "renamed"].map(|w| Some(json!(w))));
    assert_eq!([Done::Created, Done::Unchanged, Done::Repaired, Done::Shared, Done::Revoked].map(change), [const { None }; 5]);
}

#[test]
fn c3_3_a_failure_has_a_code_and_what_stands() {
    let mut partial = folders();
    partial.drive_folders.compartilhado = false;
    let told = value(&folders_failed(TASK, Attempt::Prepare, "sharing_refused", Some(&partial)));
    assert_eq!((&told["status"], &told["result"]["code"]), (&json!("error"), &json!("sharing_refused")));
    assert_eq!(told["result"]["drive_folders"]["compartilhado"], json!(false));
    assert_eq!(told["result"]["message"], "Não foi possível preparar as pastas de Ana Maria: ocorreu uma falha (código sharing_refused).");
    assert_eq!(value(&folders_failed(TASK, Attempt::Prepare, "disk_full", None))["result"].get("drive_folders"), None);
}

#[test]
fn c3_4_each_file_has_its_outcome_reason_and_checksum() {
    let files = [
        FileReport { data: Some("{\"os\": 16517189}".into()), ..report("16517189.pdf", Outcome::Processado) },
        report("x.pdf", Outcome::Erro),
        FileReport { checksum: None, ..report("y.pdf", Outcome::Retirado) },
    ];
    let expected = concat!(
        r#"{"user_id":"42","job_id":"job-7","status":"success","result":{"#,
        r#""message":"3 arquivos: 1 processado, 1 com erro, 1 retirado.","files_processed":1,"files":["#,
        r#"{"file_id":"116517189.pdf","name":"16517189.pdf","outcome":"processado","checksum":"900150983cd24fb0d6963f7d28e17f72","data":{"os":16517189}},"#,
        r#"{"file_id":"1x.pdf","name":"x.pdf","outcome":"erro","reason":"número de OS inválido","checksum":"900150983cd24fb0d6963f7d28e17f72"},"#,
        r#"{"file_id":"1y.pdf","name":"y.pdf","outcome":"retirado"}]}}"#,
    );
    assert_eq!(process_done(TASK, &files), expected);
}

#[test]
fn the_sentences_fit_their_numbers() {
    let message = |files: &[FileReport]| value(&process_done(TASK, files))["result"]["message"].as_str().map(str::to_owned);
    let (good, bad) = (report("a.pdf", Outcome::Processado), report("b.pdf", Outcome::Erro));
    assert_eq!(message(&[]).as_deref(), Some("Não havia arquivos novos."));
    assert_eq!(message(std::slice::from_ref(&good)).as_deref(), Some("O arquivo a.pdf foi processado."));
    assert_eq!(message(std::slice::from_ref(&bad)).as_deref(), Some("O arquivo b.pdf foi recusado: número de OS inválido"));
    assert_eq!(message(&[good.clone(), bad]).as_deref(), Some("2 arquivos: 1 processado, 1 com erro."));
    assert_eq!(message(&[good.clone(), good.clone()]).as_deref(), Some("2 arquivos: 2 processados."));
    let waits =
        FileReport { fate: Fate::Waiting(Some(0)), reason: Some("o portal está fora do ar".into()), ..report("c.pdf", Outcome::Erro) };
    let told = "1 aguardando: o arquivo c.pdf ainda não foi processado: o portal está fora do ar. Nova tentativa a partir de 1970-01-01T00:00:00.000Z.";
    assert_eq!(message(std::slice::from_ref(&waits)).as_deref(), Some(told));
    assert_eq!(message(&[good, waits]).as_deref(), Some("2 arquivos: 1 processado, 1 aguardando."));
    let gone = FileReport { reason: Some("o arquivo foi para a lixeira".into()), ..report("d.pdf ", Outcome::Retirado) };
    assert_eq!(message(&[gone]).as_deref(), Some("O arquivo \"d.pdf \" foi retirado: o arquivo foi para a lixeira."));
}

#[test]
fn a_run_that_failed_keeps_the_files_it_handled() {
    let told = value(&process_failed(TASK, "disk_full", &[report("a.pdf", Outcome::Processado)]));
    assert_eq!((&told["status"], &told["result"]["files_processed"]), (&json!("error"), &json!(1)));
    assert_eq!(told["result"]["message"], "Não foi possível processar os arquivos de Ana Maria: o disco da VM está cheio.");
    assert_eq!(told["result"]["files"][0]["outcome"], "processado");
}
