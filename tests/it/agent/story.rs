//! `why`: the whole story of a file, under every name a person may know it by.

use super::{ANA, Rig, WAITING};

#[tokio::test(flavor = "multi_thread")]
async fn why_tells_the_drive_id_the_folder_and_where_nothing_was_fetched() {
    let rig = Rig::new("").await;
    let control = rig.world.control();
    let [first, second] = ["semana 46", "semana 47"].map(|name| control.mkdir(ANA, &rig.novos, name).expect("made"));
    let files = [&first, &second].map(|folder| control.put(ANA, folder, "f1.pdf", folder.as_bytes(), "application/pdf").expect("put"));
    let inner = control.mkdir(ANA, &second, "segunda").expect("made");
    let deep = control.put(ANA, &inner, "f2.pdf", b"bom", "application/pdf").expect("put");
    let note = rig.drop_file("nota.txt", "oi");
    rig.cycle().await;

    let told = rig.world.run(&["why", "f1.pdf"]).await.expect(0).stdout;
    for (file, folder) in files.iter().zip(["semana 46", "semana 47"]) {
        assert!(told.contains(&format!("  Drive {file}, from novos/{folder}\n")), "{told}");
    }
    let folder = rig.world.json(0, &["why", "semana 47"]).await;
    assert_eq!(
        (folder["folders"][0]["folder_id"].as_str(), folder["items"][0]["file_id"].as_str()),
        (Some(second.as_str()), Some(files[1].as_str()))
    );
    let found = folder["items"].as_array().expect("items");
    assert!(folder["folders"][0]["ended_at"].is_string() && found.len() == 2 && found[1]["file_id"] == deep.as_str(), "{folder}");
    let unread = rig.world.run(&["why", &note]).await.expect(0).stdout;
    assert!(unread.contains("filed      on Drive only: there is no copy on the VM"), "{unread}");
}

#[tokio::test(flavor = "multi_thread")]
async fn why_finds_a_file_by_the_name_it_was_given_after_it_was_judged() {
    let rig = Rig::new(WAITING).await;
    let file = rig.drop_file("1.pdf", "bom");
    rig.meanwhile(|| rig.world.control().rename(ANA, &file, "novo nome.pdf").expect("renamed")).await;
    rig.cycle().await;
    for name in ["1.pdf", "novo nome.pdf"] {
        let found = rig.world.json(0, &["why", name]).await;
        assert_eq!(
            (found["items"][0]["file_id"].as_str(), found["items"][0]["renamed_to"].as_str()),
            (Some(file.as_str()), Some("novo nome.pdf"))
        );
    }
    // And by the newest one, which only the feed tells of.
    rig.world.control().rename(ANA, &file, "terceiro.pdf").expect("renamed");
    rig.cycle().await;
    assert_eq!(rig.world.json(0, &["why", "terceiro.pdf"]).await["items"][0]["file_id"], file.as_str());
    assert_eq!(rig.told(&file), ["processado"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_killed_leaves_a_line() {
    let rig = Rig::new("").await;
    let script = rig.world.path("processor");
    std::fs::write(&script, "#!/bin/sh\n[ -e \"$0.twice\" ] && exit 0\ntouch \"$0.twice\"; kill -9 $PPID; exit 75\n").expect("written");
    rig.drop_file("1.pdf", "bom");
    assert_eq!(rig.world.run(&["watch"]).await.code, None, "killed");
    let before = rig.world.run(&["why", "1.pdf"]).await.expect(0).stdout;
    assert!(before.contains("next try with the next cycle"), "{before}");
    rig.world.run(&["watch"]).await.expect(0);
    let after = rig.world.run(&["why", "1.pdf"]).await.expect(0).stdout;
    assert!(after.contains("was cut off; this one goes on from here") && after.contains("filed "), "{after}");
    rig.assert_promise();
}
