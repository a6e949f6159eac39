//! What the settings and flags of the agent say is what it does.

use std::os::unix::fs::PermissionsExt;

use drive_emulator::control::{Effect, Fault};

use super::{ANA, Rig, configure};

#[tokio::test(flavor = "multi_thread")]
async fn the_processor_is_told_whose_file_which_file_and_which_try() {
    // The path comes last: the name of the file looks like a placeholder, and stays a name.
    let rig = Rig::new(
        "command = [\"sh\", \"-c\", \"printf '%s|' \\\"$@\\\" $TECNICO_ITEM_ID $TECNICO_USER $TECNICO_ATTEMPT ${GOOGLE_APPLICATION_CREDENTIALS:-none} >> ../said\", \
         \"sh\", \"{user}\", \"{file_id}\", \"{path}\"]\n",
    )
    .await;
    let file = rig.drop_file("{user}.pdf", "bom");
    assert!(rig.cycle().await.is_clean());
    let item = rig.world.json(0, &["why", &file]).await["items"][0]["item_id"].as_str().expect("an id").to_owned();
    let said = std::fs::read_to_string(rig.world.vm().join("said")).expect("it ran");
    let path = std::fs::canonicalize(rig.world.vm()).expect("a path").join("Ana_Maria/pdfs/novos/{user}.pdf");
    let words: Vec<&str> = said.split('|').collect();
    assert_eq!(words[..2], ["42", file.as_str()]);
    assert_eq!(std::path::Path::new(words[2]).file_name(), path.file_name());
    assert_eq!(words[3..], [item.as_str(), "42", "1", "none", ""]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_accepted_and_ignored_is_for_the_settings_to_say() {
    let rig = Rig::new("accept = [\"*.xml\", \"OS-??.pdf\"]\nignore = [\"rascunho*\"]\ngoogle_docs = \"reject\"\n").await;
    let taken = [rig.drop_file("nota.XML", "bom"), rig.drop_file("os-07.pdf", "bom")];
    let refused = rig.drop_file("16517189.pdf", "bom");
    let doc = rig.world.control().google_doc(ANA, &rig.novos, "Relatório", "document").expect("made");
    let left = rig.drop_file("Rascunho 1.pdf", "bom");
    assert!(rig.cycle().await.is_clean());
    assert!(taken.iter().all(|f| rig.place(f).0 == "processados"));
    assert_eq!(rig.place(&refused), ("erro".into(), "tipo de arquivo não aceito (aceitos: *.xml, OS-??.pdf)".into()));
    assert_eq!(rig.place(&doc), ("erro".into(), "documentos do Google não são aceitos: envie um PDF".into()));
    assert_eq!((rig.place(&left).0, rig.told(&left).len()), ("novos".into(), 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_processors_run_at_once_than_the_settings_allow() {
    let overlap = "command = [\"sh\", \"-c\", \"mkdir ../lock || echo x >> ../overlap; sleep 0.05; rmdir ../lock; true\", \"{path}\"]\n";
    let rig = Rig::new(overlap).await;
    let config = std::fs::read_to_string(rig.world.path("config.toml")).expect("read");
    std::fs::write(rig.world.path("config.toml"), config.replace("[watch]\n", "[watch]\nconcurrency = 1\n")).expect("written");
    for n in 0..8 {
        rig.drop_file(&format!("{n}.pdf"), &format!("bom {n}"));
    }
    assert_eq!(rig.cycle().await.filed.len(), 8);
    assert!(!rig.world.vm().join("overlap").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_settles_is_left_alone_and_a_single_watch_stays_for_it() {
    let rig = Rig::new("").await;
    rig.cycle().await;
    super::configure_with(&rig.world, &rig.backend, "1s", "");
    let file = rig.drop_file("1.pdf", "bom");
    let report = rig.cycle().await;
    assert_eq!((report.found, report.filed.len(), report.drive.calls), (1, 0, 1), "it may still be written");
    let report = rig.world.json(0, &["watch"]).await;
    assert_eq!(report["filed"].as_array().map(Vec::len), Some(1));
    assert_eq!(rig.told(&file), ["processado"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_file_can_be_processed_by_itself() {
    let rig = Rig::new("").await;
    let [first, second] = ["1.pdf", "2.pdf"].map(|name| rig.drop_file(name, "bom"));
    let done = rig.world.json(0, &["process", "--file", &second]).await;
    assert_eq!((done["filed"].as_array().map(Vec::len), done["filed"][0]["file_id"].as_str()), (Some(1), Some(second.as_str())));
    assert_eq!((rig.place(&first).0, rig.place(&second).0), ("novos".into(), "processados".into()));
    let again = rig.world.json(0, &["process", "--file", &second]).await;
    assert_eq!(again["filed"].as_array().map(Vec::len), Some(0), "what is done stays done");
    assert_eq!(again["notes"], serde_json::json!(["2.pdf has been processed"]));
    let refused = rig.drop_file("3.pdf", "ruim");
    rig.world.json(0, &["process", "--file", &refused]).await;
    let told = rig.world.run(&["process", "--file", &refused]).await.expect(0).stderr;
    assert!(told.contains(&format!("3.pdf is in erro: `tecnico retry --file {refused}`")), "{told}");
    for unknown in ["nenhum-arquivo-assim", rig.erro.as_str()] {
        assert_eq!(rig.world.json(65, &["process", "--file", unknown]).await["faults"][0]["code"], "file_unknown");
    }
    let everyones = rig.world.json(0, &["process", "--all"]).await;
    assert_eq!(everyones["filed"].as_array().map(Vec::len), Some(1));
    rig.assert_promise();
}

/// The feed for people's own scripts goes on from where it stopped, and leaves the agent's own place alone.
#[tokio::test(flavor = "multi_thread")]
async fn changes_go_on_from_the_token_that_was_printed_last() {
    let rig = Rig::new("").await;
    rig.cycle().await;
    let line = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("a JSON line");
    let mut next = line(&rig.world.run(&["changes"]).await.expect(0).stdout)["next"].as_str().expect("a token").to_owned();
    for n in 1..=3 {
        let file = rig.drop_file(&format!("{n}.pdf"), "bom");
        let printed = rig.world.run(&["changes", "--since", &next]).await.expect(0).stdout;
        let lines: Vec<_> = printed.lines().map(line).collect();
        let new: Vec<&str> = lines.iter().filter_map(|l| l["file"]["name"].as_str()).collect();
        assert_eq!(new, [format!("{n}.pdf")], "each change once");
        assert_eq!(lines[0]["file_id"].as_str(), Some(file.as_str()));
        lines.last().and_then(|l| l["next"].as_str()).expect("a token").clone_into(&mut next);
    }
    let wrong = rig.world.run(&["changes", "--since", "nenhum"]).await;
    assert!(wrong.code != Some(0) && wrong.stderr.contains("fix:"), "{wrong:?}");
    assert_eq!(rig.cycle().await.filed.len(), 3, "the agent's own place was left alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn status_says_in_a_line_how_it_stands_and_in_its_code_whether_somebody_is_needed() {
    let rig = Rig::new("").await;
    assert_eq!(rig.world.json(1, &["status"]).await["problems"][0]["code"], "no_cycle_yet");
    rig.drop_file("1.pdf", "bom");
    rig.drop_file("2.pdf", "ruim");
    rig.cycle().await;
    let well = rig.world.run(&["status"]).await.expect(0).stdout;
    assert!(well.lines().count() == 1 && well.starts_with("ok ") && well.contains("0 pending") && well.contains("1 in erro"), "{well}");

    // One failed cycle is no alarm yet, but it is said.
    rig.world.control().fault(Fault::new(Effect::Unauthorized).op("files.update")).expect("a rule that can strike");
    rig.drop_file("3.pdf", "bom");
    assert!(!rig.cycle().await.is_clean());
    let failed = rig.world.run(&["status"]).await.expect(0).stdout;
    assert!(failed.lines().count() == 1 && failed.contains("the last one failed: "), "{failed}");
    let doctor = rig.world.run(&["doctor", "--only", "work"]).await.expect(0).stdout;
    assert!(doctor.contains("warning work: the last cycle failed: "), "{doctor}");
    configure(&rig.world, &rig.backend, "[status]\nstuck = \"1ms\"\n");
    let stuck = rig.world.json(1, &["status"]).await;
    assert!(stuck["problems"].as_array().expect("a list").iter().any(|p| p["code"] == "stuck"), "{stuck}");
    assert_eq!((stuck["stuck"][0]["name"].as_str(), stuck["pending"].as_u64()), (Some("3.pdf"), Some(1)));
    let told = rig.world.run(&["status"]).await.expect(1).stdout;
    assert!(told.starts_with("not ok ") && told.contains(" why item_") && told.contains("3.pdf"), "{told}");
}

/// A clock that was behind: what it put off is not put off until it catches up, and what it wrote ends.
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_goes_back_holds_nothing_up() {
    let rig = Rig::new("").await;
    rig.cycle().await;
    let waits = rig.drop_file("1.pdf", "depois");
    rig.backend.reply(crate::support::receiver::Reply::status(500));
    let told_late = rig.drop_file("2.pdf", "bom");
    rig.cycle().await;
    // An hour back: longer than any wait there is so far.
    rig.pass(-60);
    rig.backend.reply(crate::support::receiver::Reply::status(200));
    configure(&rig.world, &rig.backend, "command = [\"true\", \"{path}\"]\n");
    let new = rig.drop_file("3.pdf", "bom");
    assert_eq!(rig.cycle().await.filed.iter().filter(|f| f.file_id == new).count(), 1, "new files are not held up");
    rig.pass(24 * 60);
    rig.cycle().await;
    for file in [&waits, &told_late, &new] {
        assert_eq!(rig.told(file), ["processado"]);
    }
    rig.assert_promise();
}

/// Another program's user joins the group: what it is to read and move carries the modes it was promised (CONTRACT 1.2, 1.4).
#[tokio::test(flavor = "multi_thread")]
async fn c1_2_c1_4_the_modes_of_what_other_programs_use_are_the_configured_ones() {
    let rig = Rig::new("").await;
    let config = rig.world.path("config.toml");
    let text = std::fs::read_to_string(&config).expect("read");
    let text = text.replacen("[vm]\n", "[vm]\nfolder_mode = \"0770\"\nfile_mode = \"0660\"\n", 1);
    std::fs::write(&config, text).expect("written");
    let before = rig.world.json(1, &["check"]).await;
    assert!(before["findings"].as_array().is_some_and(|all| all.iter().all(|f| f["problem"] == "local_mode")), "{before:#}");
    rig.world.json(0, &["check", "--repair"]).await;
    rig.world.json(0, &["create", "43", "--email", "bea@example.com", "--name", "Bea Souza"]).await;
    rig.drop_file("1.pdf", "bom");
    assert!(rig.cycle().await.is_clean());
    let mode = |path: &str| std::fs::metadata(rig.world.vm().join(path)).expect(path).permissions().mode() & 0o7777;
    for folder in ["Ana_Maria", "Ana_Maria/pdfs/novos", "Bea_Souza", "Bea_Souza/pdfs/erro"] {
        assert_eq!(mode(folder), 0o770, "{folder}");
    }
    for file in ["tecnicos.json", "Ana_Maria/pdfs/processados/1.pdf"] {
        assert_eq!(mode(file), 0o660, "{file}");
    }
    rig.world.json(0, &["check"]).await;
}
