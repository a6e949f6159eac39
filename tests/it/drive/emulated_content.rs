//! Content and feeds against the emulator.

use std::collections::BTreeMap;

use drive_emulator::control::{Effect, When};
use md5::{Digest, Md5};
use tecnico::config::settings::DriveSettings;
use tecnico::drive::{Created, Drive, Kind, NewFile};
use tecnico::error::Exit;

use super::emulated::{BOSS, ROBOT, World, folder, id};

#[tokio::test]
async fn the_feed_tells_of_files_that_come_and_go() {
    let world = World::new().await;
    let (drive, control) = (world.drive().await, world.emulator.control());
    let mut token = drive.start_token(None).await.expect("a token");
    let file = control.put(BOSS, world.parent.as_str(), "16517189.pdf", b"%PDF", "application/pdf").expect("put");
    let mut seen = Vec::new();
    loop {
        let page = drive.changes(&token, None).await.expect("a page");
        seen.extend(page.changes);
        match (page.next, page.new_start) {
            (Some(next), _) => token = next,
            (None, Some(start)) => {
                token = start;
                break;
            }
            (None, None) => unreachable!("a page says how to go on"),
        }
    }
    let entry = seen.iter().find(|c| c.file_id.as_str() == file).and_then(|c| c.entry.clone()).expect("the file is in the feed");
    assert_eq!((entry.name.as_str(), entry.size, entry.parents.as_slice()), ("16517189.pdf", Some(4), [world.parent.clone()].as_slice()));
    assert!(entry.md5.is_some() && entry.head_revision.is_some() && entry.can.download);
    control.delete(BOSS, &file).expect("deleted");
    let page = drive.changes(&token, None).await.expect("a page");
    assert!(page.changes.iter().any(|c| c.removed && c.file_id.as_str() == file && c.entry.is_none()), "{page:?}");
    control.set_feed(|f| f.reject_tokens = true).expect("switched");
    assert_eq!(drive.changes(&token, None).await.expect_err("rejected").kind, Kind::BadToken);
}

#[tokio::test]
async fn content_comes_whole_after_cuts_and_its_checksum_holds() {
    let world = World::new().await;
    let (drive, control) = (world.drive().await, world.emulator.control());
    let bytes: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).take(3_000_000).collect();
    let file = id(&control.put(BOSS, world.parent.as_str(), "big.pdf", &bytes, "application/pdf").expect("put"));
    world.fault("files.get", When::Calls { calls: vec![1, 2] }, Effect::CutBodyAfter { bytes: 1_000_000 });
    let mut sink = Vec::new();
    let done = drive.download(&file, 0, &mut sink).await.expect("downloaded");
    assert_eq!((done.written, done.total), (3_000_000, Some(3_000_000)));
    let md5 = format!("{:x}", Md5::digest(&sink));
    assert_eq!(drive.get(&file).await.expect("read").expect("there").md5, Some(md5));
    assert!(sink == bytes);
    let mut rest = Vec::new();
    drive.download(&file, 2_999_990, &mut rest).await.expect("the end of it");
    assert!(rest == bytes[2_999_990..]);
    assert_eq!(drive.download(&file, 3_000_000, &mut rest).await.expect("nothing more").written, 0);

    let doc = id(&control.google_doc(BOSS, world.parent.as_str(), "Relatório", "document").expect("a document"));
    assert!(drive.download(&doc, 0, &mut rest).await.expect_err("no bytes").is_reason("fileNotDownloadable"));
    assert!(!drive.export(&doc, "application/pdf").await.expect("exported").is_empty());
}

#[tokio::test]
async fn a_service_account_cannot_store_files_but_a_user_can() {
    let mut world = World::new().await;
    // This side of what nobody knows for certain (11.6).
    world.emulator.control().set_switches(|s| s.service_accounts_own_files = false).expect("turned");
    let local = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(local.path(), b"%PDF-1.7").expect("written");
    let upload = async |drive: &Drive| {
        let new = NewFile {
            id: drive.generate_ids(1).await.expect("ids").remove(0),
            name: "a.pdf".into(),
            parent: world.parent.clone(),
            mime_type: "application/pdf".into(),
            app_properties: BTreeMap::new(),
        };
        drive.upload(&new, local.path()).await
    };
    let failure = upload(&world.drive().await).await.expect_err("no storage").into_failure("42");
    assert_eq!((failure.exit(), failure.code()), (Exit::Refused, "service_account_has_no_storage"), "{failure}");
    world.emulator.control().grant_delegation(ROBOT, BOSS).expect("granted");
    let settings = DriveSettings { subject: Some(BOSS.into()), ..world.settings.clone() };
    let boss = Drive::connect(&settings, world.cache.path()).await.expect("connected");
    let Created::New(entry) = upload(&boss).await.expect("uploaded") else { panic!("nobody had that id") };
    assert_eq!(world.emulator.control().content(entry.id.as_str()).expect("content"), b"%PDF-1.7");
    world.settings = settings;
}

#[tokio::test]
async fn a_shared_drive_has_a_feed_of_its_own() {
    let mut world = World::new().await;
    let campo = world.emulator.control().shared_drive("Campo", BOSS).expect("a drive");
    world.emulator.control().drive_member(&campo, ROBOT, "organizer").expect("a member");
    world.settings.shared_drive_id = Some(campo.clone());
    let drive = world.drive().await;
    let made = folder(&drive, &id(&campo), "Ana_Maria").await.expect("created");
    let token = drive.start_token(Some(&id(&campo))).await.expect("a token");
    folder(&drive, &made.id, "novos").await.expect("created");
    let page = drive.changes(&token, Some(&id(&campo))).await.expect("a page");
    assert!(page.changes.iter().any(|c| c.entry.as_ref().is_some_and(|e| e.name == "novos")), "{page:?}");
}
