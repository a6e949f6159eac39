//! The adapter against the emulator: a Drive with rules of its own, which shares no type with it.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::support::switches;
use drive_emulator::DriveEmulator;
use drive_emulator::control::{Effect, Fault, Quota, When};
use tecnico::config::settings::{Credentials, DriveSettings};
use tecnico::drive::{Change, Created, Drive, DriveError, Entry, FileId, Kind, NewFolder, NewGrant, Query};
use tecnico::error::Exit;
use tempfile::TempDir;

pub const ROBOT: &str = "robot@project.iam.gserviceaccount.com";
pub const BOSS: &str = "boss@example.com";

/// An emulator, a folder of the boss's that the robot may write to, and the robot.
pub struct World {
    pub emulator: DriveEmulator,
    pub cache: TempDir,
    pub settings: DriveSettings,
    pub parent: FileId,
}

pub fn id(text: &str) -> FileId {
    FileId::new(text).expect("an id")
}

impl World {
    pub async fn new() -> Self {
        let emulator = DriveEmulator::start().await;
        let control = emulator.control();
        let usual = switches::usual().expect("known switches");
        control.set_switches(|switches| *switches = usual).expect("turned");
        let boss = control.user(BOSS).expect("the boss");
        let key = control.service_account("robot").expect("a key");
        let parent = control.mkdir(BOSS, &boss.root_id, "Técnicos").expect("a folder");
        control.share(BOSS, &parent, ROBOT, "writer").expect("shared");
        let settings = DriveSettings {
            parent_folder_id: parent.clone(),
            credentials: Credentials::Embedded(key),
            subject: None,
            shared_drive_id: None,
            endpoint: format!("{}/", emulator.url()).parse().expect("an address"),
            timeout: Duration::from_secs(10),
            concurrency: 8,
            calls_per_minute: 0,
            writes_per_second: 0,
        };
        Self { emulator, cache: tempfile::tempdir().expect("a directory"), settings, parent: id(&parent) }
    }

    pub async fn drive(&self) -> Drive {
        Drive::connect(&self.settings, self.cache.path()).await.expect("connected")
    }

    pub fn fault(&self, op: &str, when: When, effect: Effect) {
        self.emulator.control().fault(Fault::new(effect).op(op).when(when)).expect("a rule that can strike");
    }
}

fn next(n: u64) -> When {
    When::Next { next: n }
}

pub async fn folder(drive: &Drive, parent: &FileId, name: &str) -> Result<Entry, DriveError> {
    let new_id = drive.generate_ids(1).await?.remove(0);
    let app_properties = BTreeMap::from([("tecnico".to_owned(), "42".to_owned())]);
    let new = NewFolder { id: new_id.clone(), name: name.into(), parent: parent.clone(), app_properties };
    match drive.create_folder(&new).await? {
        Created::New(entry) => Ok(entry),
        Created::Existing => Ok(drive.get(&new_id).await?.expect("it exists")),
    }
}

#[tokio::test]
async fn a_folder_is_made_found_moved_changed_and_trashed() {
    let world = World::new().await;
    let drive = world.drive().await;
    let novos = folder(&drive, &world.parent, "novos 'de' Ana").await.expect("created");
    let erro = folder(&drive, &world.parent, "erro").await.expect("created");
    assert!(novos.is_folder() && novos.owned_by_me && novos.parents == [world.parent.clone()]);
    assert!(novos.web_view_link.as_deref().is_some_and(|l| l.contains(novos.id.as_str())), "{novos:?}");

    let by_name = Query::children_of(&world.parent).named("novos 'de' Ana").folders_only().trashed(false);
    assert_eq!(drive.list(&by_name).await.expect("listed").iter().map(|e| &e.id).collect::<Vec<_>>(), [&novos.id]);
    assert_eq!(drive.list(&Query::with_property("tecnico", "42")).await.expect("listed").len(), 2);
    assert!(drive.list(&Query::with_property("tecnico", "43")).await.expect("listed").is_empty());

    let change = Change {
        add_parent: Some(erro.id.clone()),
        remove_parent: Some(world.parent.clone()),
        description: Some("PDF sem número".into()),
        app_properties: BTreeMap::from([("tecnico".into(), None), ("papel".into(), Some("novos".into()))]),
        ..Change::default()
    };
    let moved = drive.update(&novos.id, &change).await.expect("moved");
    assert_eq!((moved.parents.as_slice(), moved.description.as_deref()), ([erro.id.clone()].as_slice(), Some("PDF sem número")));
    assert_eq!(moved.app_properties, BTreeMap::from([("papel".to_owned(), "novos".to_owned())]));
    // The same again is done already.
    assert_eq!(drive.update(&novos.id, &change).await.expect("done before").parents, moved.parents);

    let trashed = drive.update(&novos.id, &Change { trashed: Some(true), ..Change::default() }).await.expect("trashed");
    assert!(trashed.trashed && trashed.explicitly_trashed);
    assert_eq!(drive.get(&id("nothing-like-this")).await.expect("no failure"), None);
}

#[tokio::test]
async fn whatever_happens_to_a_create_there_is_one_folder() {
    for effect in [Effect::LostAfterCommit, Effect::CutBefore, Effect::Unauthorized, Effect::Status(status(503, "backendError"))] {
        let world = World::new().await;
        let drive = world.drive().await;
        world.fault("files.create", next(1), effect.clone());
        folder(&drive, &world.parent, "novos").await.expect("created in the end");
        let there = world.emulator.control().children(world.parent.as_str()).expect("children");
        assert_eq!(there.len(), 1, "{effect:?}");
    }
}

fn status(code: u16, reason: &str) -> drive_emulator::control::Status {
    drive_emulator::control::Status::new(code, reason)
}

#[tokio::test]
async fn a_move_whose_answer_is_lost_is_done_once() {
    let world = World::new().await;
    let drive = world.drive().await;
    let (file, to) = (folder(&drive, &world.parent, "a").await.expect("a"), folder(&drive, &world.parent, "b").await.expect("b"));
    world.fault("files.update", next(1), Effect::LostAfterCommit);
    let change = Change { add_parent: Some(to.id.clone()), remove_parent: Some(world.parent.clone()), ..Change::default() };
    assert_eq!(drive.update(&file.id, &change).await.expect("moved").parents, [to.id]);
}

#[tokio::test]
async fn more_than_a_thousand_files_come_all() {
    let world = World::new().await;
    let control = world.emulator.control();
    for n in 0..1005 {
        control.mkdir(BOSS, world.parent.as_str(), &format!("{n}")).expect("a folder");
    }
    let drive = world.drive().await;
    let all = drive.list(&Query::children_of(&world.parent).trashed(false)).await.expect("listed");
    assert_eq!((all.len(), drive.meter().calls), (1005, 2));
}

#[tokio::test]
async fn ten_connections_one_token_and_two_after_it_was_revoked() {
    let world = World::new().await;
    for _ in 0..10 {
        assert_eq!(world.drive().await.about().await.expect("about").email, ROBOT);
    }
    let tokens = || world.emulator.control().counts().get("token").copied();
    assert_eq!(tokens(), Some(1));
    world.emulator.control().revoke_tokens(ROBOT).expect("revoked");
    world.drive().await.about().await.expect("about with a new token");
    assert_eq!(tokens(), Some(2));
}

#[tokio::test]
async fn a_revoked_key_is_told_as_such() {
    let world = World::new().await;
    world.emulator.control().revoke_keys(ROBOT).expect("revoked");
    let failure = world.drive().await.about().await.expect_err("no token").into_failure("doctor");
    assert_eq!((failure.exit(), failure.code()), (Exit::Refused, "credentials_revoked"), "{failure}");
}

#[tokio::test]
async fn acting_for_a_user_needs_the_grant_and_then_is_that_user() {
    let mut world = World::new().await;
    world.settings.subject = Some(BOSS.into());
    let failure = world.drive().await.about().await.expect_err("not granted").into_failure("doctor");
    assert_eq!(failure.code(), "delegation_missing", "{failure}");
    world.emulator.control().grant_delegation(ROBOT, BOSS).expect("granted");
    assert_eq!(world.drive().await.about().await.expect("about").email, BOSS);
}

#[tokio::test]
async fn a_parent_out_of_sight_or_read_only_is_told_with_whom_to_share() {
    let world = World::new().await;
    let (drive, control) = (world.drive().await, world.emulator.control());
    let root = control.user(BOSS).expect("the boss").root_id;
    let private = control.mkdir(BOSS, &root, "private").expect("a folder");
    let failure = folder(&drive, &id(&private), "x").await.expect_err("invisible").into_failure("42");
    assert_eq!((failure.exit(), failure.code()), (Exit::Refused, "drive_not_found"));
    assert!(failure.hint_text().expect("a hint").contains(ROBOT));
    control.share(BOSS, &private, ROBOT, "reader").expect("shared");
    let failure = folder(&drive, &id(&private), "x").await.expect_err("read only").into_failure("42");
    assert_eq!((failure.exit(), failure.code()), (Exit::Refused, "parent_not_writable"));
    assert!(failure.hint_text().expect("a hint").contains(ROBOT));
}

#[tokio::test]
async fn shares_are_made_once_changed_and_taken_away() {
    let world = World::new().await;
    let drive = world.drive().await;
    let novos = folder(&drive, &world.parent, "novos").await.expect("created").id;
    let ana = NewGrant { email: "ana@example.com".into(), role: "writer".into(), notify: false };
    let first = drive.grant(&novos, &ana).await.expect("shared");
    world.fault("permissions.create", next(1), Effect::LostAfterCommit);
    assert_eq!(drive.grant(&novos, &ana).await.expect("shared again").id, first.id);
    let of_ana = |grants: Vec<tecnico::drive::Grant>| {
        grants.into_iter().filter(|g| g.email.as_deref() == Some("ana@example.com")).collect::<Vec<_>>()
    };
    let grants = of_ana(drive.permissions(&novos).await.expect("listed"));
    assert_eq!(grants.iter().map(|g| (g.role.as_str(), g.inherited)).collect::<Vec<_>>(), [("writer", false)]);
    assert_eq!(drive.regrant(&novos, &first.id, "reader").await.expect("changed").role, "reader");
    drive.revoke(&novos, &first.id).await.expect("taken away");
    drive.revoke(&novos, &first.id).await.expect("taken away before");
    let left = drive.permissions(&novos).await.expect("listed");
    assert!(left.iter().any(|g| g.inherited && g.email.as_deref() == Some(BOSS)), "{left:?}");
    assert!(of_ana(left).is_empty());
}

#[tokio::test]
async fn sharing_meets_policies_and_people_without_an_account() {
    let world = World::new().await;
    let (drive, control) = (world.drive().await, world.emulator.control());
    let novos = folder(&drive, &world.parent, "novos").await.expect("created").id;
    control.set_switches(|s| s.no_google_account = vec!["bea@example.com".into()]).expect("switched");
    let bea = NewGrant { email: "bea@example.com".into(), role: "writer".into(), notify: false };
    assert_eq!(drive.grant(&novos, &bea).await.expect_err("no mail was asked for").advice().1, "invitation_needed");
    drive.grant(&novos, &NewGrant { notify: true, ..bea.clone() }).await.expect("invited");
    control.set_switches(|s| s.sharing_mail_fails = true).expect("switched");
    let ana = NewGrant { email: "ana@example.com".into(), role: "writer".into(), notify: true };
    assert_eq!(drive.grant(&novos, &ana).await.expect("the share exists").email.as_deref(), Some("ana@example.com"));
    world.fault("permissions.create", next(1), Effect::Status(status(403, "sharingRateLimitExceeded")));
    let before = drive.meter().calls;
    let error = drive.grant(&novos, &NewGrant { notify: false, ..bea }).await.expect_err("parked");
    assert_eq!((error.kind, drive.meter().calls - before), (Kind::SharingLimited, 1));
}

#[tokio::test]
async fn a_shared_drive_is_worked_in_and_listed_as_a_whole() {
    let mut world = World::new().await;
    let campo = world.emulator.control().shared_drive("Campo", BOSS).expect("a drive");
    world.settings.shared_drive_id = Some(campo.clone());
    let drive = world.drive().await;
    assert_eq!(drive.shared_drive(&id(&campo)).await.expect("no failure"), None);
    world.emulator.control().drive_member(&campo, ROBOT, "organizer").expect("a member");
    let shared = drive.shared_drive(&id(&campo)).await.expect("read").expect("there");
    assert!(shared.name == "Campo" && shared.can_add_children);
    let made = folder(&drive, &id(&campo), "Ana_Maria").await.expect("created");
    assert_eq!(made.drive_id.as_ref().map(FileId::as_str), Some(campo.as_str()));
    assert_eq!(drive.list(&Query::with_property("tecnico", "42")).await.expect("listed").len(), 1);
}

#[tokio::test]
async fn a_ceiling_on_writes_is_found_and_kept() {
    let world = World::new().await;
    let drive = world.drive().await;
    world.emulator.control().set_quota(Quota { writes_per_second: Some(20), ..Quota::default() });
    let ids = drive.generate_ids(200).await.expect("ids");
    let all = ids.iter().enumerate().map(|(n, new)| {
        let new = NewFolder { id: new.clone(), name: format!("{n}"), parent: world.parent.clone(), app_properties: BTreeMap::new() };
        let drive = drive.clone();
        async move { drive.create_folder(&new).await }
    });
    let made = futures_util::future::join_all(all).await;
    assert!(made.iter().all(|m| matches!(m, Ok(Created::New(_)))));
    let calls = world.emulator.control().requests();
    let refused = calls.iter().filter(|r| r.status == Some(403)).count();
    // How near it comes to the ceiling is the bench's to say; here, that a ceiling once found is not crept below.
    let made_at: Vec<i64> = calls.iter().filter(|r| r.op == "files.create" && r.status == Some(200)).map(|r| r.time_ms).collect();
    let busiest = made_at.iter().map(|from| made_at.iter().filter(|at| (*from..from + 1000).contains(*at)).count()).max();
    assert!(busiest > Some(10), "at most {busiest:?} of 20 in a second");
    assert!(refused < 40, "{refused} refusals for 200 folders");
}

#[tokio::test]
async fn hundreds_of_calls_with_faults_all_end_well() {
    let world = World::new().await;
    let drive = world.drive().await;
    let odds = |seed| When::Probability { probability: 0.03, seed };
    let control = world.emulator.control();
    control.fault(Fault::new(Effect::Status(status(503, "backendError"))).when(odds(1))).expect("a rule that can strike");
    control.fault(Fault::new(Effect::Status(status(403, "userRateLimitExceeded"))).when(odds(2))).expect("a rule that can strike");
    control.fault(Fault::new(Effect::LostAfterCommit).only_writes().when(odds(3))).expect("a rule that can strike");
    let all = (0..150).map(|n| {
        let (drive, parent) = (drive.clone(), world.parent.clone());
        async move { folder(&drive, &parent, &format!("{n}")).await }
    });
    let made = futures_util::future::join_all(all).await;
    assert!(made.iter().all(Result::is_ok));
    assert_eq!(control.children(world.parent.as_str()).expect("children").len(), 150);
    assert_eq!(control.calls(), drive.meter().calls);
}
