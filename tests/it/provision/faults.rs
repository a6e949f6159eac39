//! What Drive can do to a creation: each fault is told with its fix and its exit code, and once it is over, the same
//! command makes one whole tree.

use drive_emulator::control::{BodyShape, Effect, Fault, Status};

use super::support::{ANA, ANA_TREE, paths, refused};
use crate::support::world::{ADMIN, World};

/// Refused while the fault lasts, whole afterwards, and no twin of anything.
async fn fails_then_goes_on(fault: Fault, exit: i32, code: &str, fix: &str) {
    let world = World::new().await;
    world.control().fault(fault).expect("a rule that can strike");
    refused(&world, &ANA, exit, code, fix).await;
    world.control().clear_faults();
    goes_on(&world).await;
}

async fn goes_on(world: &World) {
    let made = world.json(0, &ANA).await;
    assert_eq!(made["drive_folders"]["compartilhado"], true);
    assert_eq!(paths(world), ANA_TREE);
    assert_eq!(world.registry().as_array().map(Vec::len), Some(1));
    let check = world.json(0, &["check"]).await;
    assert_eq!(check["left"], 0, "{check}");
}

fn status(code: u16, reason: &str) -> Status {
    Status::new(code, reason)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_limit_that_asks_for_a_long_wait_ends_the_run_at_once() {
    for (code, reason) in [(429, "rateLimitExceeded"), (403, "userRateLimitExceeded"), (403, "rateLimitExceeded")] {
        let slow = Status { retry_after: Some(120), ..status(code, reason) };
        fails_then_goes_on(Fault::new(Effect::Status(slow)).only_writes(), 75, "rate_limited", "120 s").await;
    }
}

/// Without `Retry-After` a limit is outwaited for two minutes; a short one costs nothing but time.
#[tokio::test(flavor = "multi_thread")]
async fn a_rate_limit_that_passes_is_outwaited() {
    use drive_emulator::control::When;
    let world = World::new().await;
    for (code, reason) in [(429, "rateLimitExceeded"), (403, "userRateLimitExceeded")] {
        world
            .control()
            .fault(Fault::new(Effect::Status(status(code, reason))).when(When::Every { every: 4 }))
            .expect("a rule that can strike");
    }
    goes_on(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limit_on_sharing_parks_the_share() {
    let fault = Fault::new(Effect::Status(status(403, "sharingRateLimitExceeded"))).op("permissions.create");
    fails_then_goes_on(fault, 75, "sharing_rate_limited", "wait some minutes").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_of_drives_own_that_does_not_go_away() {
    let html = Status { body: BodyShape::Html, ..status(503, "backendError") };
    let json = status(500, "internalError");
    tokio::join!(
        fails_then_goes_on(Fault::new(Effect::Status(html)), 69, "drive_unavailable", "run the same command again later"),
        fails_then_goes_on(Fault::new(Effect::Status(json)).op("permissions.create"), 69, "drive_unavailable", "goes on where it stopped"),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_is_always_cut_before_or_after_the_commit() {
    let unreachable = |fault| fails_then_goes_on(fault, 69, "drive_unreachable", "drive.endpoint");
    tokio::join!(
        unreachable(Fault::new(Effect::CutBefore)),
        unreachable(Fault::new(Effect::CutBefore).op("files.create")),
        unreachable(Fault::new(Effect::CutBodyAfter { bytes: 20 }).op("files.list")),
    );
}

/// What was carried out although nobody heard so is found by the next run.
#[tokio::test(flavor = "multi_thread")]
async fn a_share_that_was_made_but_never_confirmed() {
    let world = World::new().await;
    world.control().fault(Fault::new(Effect::LostAfterCommit).op("permissions.create")).expect("a rule that can strike");
    assert_eq!(world.json(69, &ANA).await["error"]["code"], "drive_unreachable");
    world.control().clear_faults();
    goes_on(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drive_that_never_answers() {
    let world = World::new().await;
    world.write_config("[share]\nnotify = false\n");
    let config = std::fs::read_to_string(world.path("config.toml")).expect("read").replace("timeout = \"5s\"", "timeout = \"500ms\"");
    std::fs::write(world.path("config.toml"), config).expect("written");
    world.control().fault(Fault::new(Effect::Hang).op("files.create")).expect("a rule that can strike");
    refused(&world, &ANA, 69, "drive_timeout", "drive.timeout").await;
    world.control().clear_faults();
    goes_on(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_listens_where_drive_should_be() {
    let world = World::new().await;
    let right = std::fs::read_to_string(world.path("config.toml")).expect("read");
    let wrong = right.replace(&format!("endpoint = \"{}/\"", world.emulator.url()), "endpoint = \"http://127.0.0.1:9/\"");
    assert_ne!(wrong, right);
    std::fs::write(world.path("config.toml"), wrong).expect("written");
    refused(&world, &ANA, 69, "drive_unreachable", "check the network").await;
    std::fs::write(world.path("config.toml"), right).expect("written");
    goes_on(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_also_with_a_token_at_hand() {
    let world = World::new().await;
    let revoked = || Fault::new(Effect::Status(status(400, "invalid_grant"))).op("token");
    world.control().fault(revoked()).expect("a rule that can strike");
    refused(&world, &ANA, 77, "credentials_revoked", "make a new one").await;
    world.control().clear_faults();
    world.json(0, &["create", "41"]).await;
    let robot = world.robot();
    world.control().revoke_tokens(&robot).expect("revoked");
    world.control().fault(revoked()).expect("a rule that can strike");
    refused(&world, &ANA, 77, "credentials_revoked", &robot).await;
    world.control().clear_faults();
    assert_eq!(world.json(0, &ANA).await["status"], "created");
    assert_eq!(paths(&world).iter().filter(|p| p.starts_with("Ana_Maria")).count(), 5);
}

/// A failed share is a failed create, and said so.
#[tokio::test(flavor = "multi_thread")]
async fn c6_2_a_domain_that_forbids_outside_sharing() {
    let world = World::new().await;
    let domain = world.robot().split_once('@').map(|(_, domain)| domain.to_owned()).expect("a domain");
    world.control().set_switches(|s| s.no_outside_sharing = vec![domain]).expect("set");
    refused(&world, &ANA, 77, "sharing_forbidden_by_policy", "administrator").await;
    let check = world.json(1, &["check"]).await;
    assert!(check["findings"].to_string().contains("novos is not shared with ana@example.com"), "{check}");
    world.control().set_switches(|s| s.no_outside_sharing.clear()).expect("set");
    goes_on(&world).await;
}

/// CONTRACT 2.2: no e-mail of Google's unless asked for. Such an address can only be invited by one, so it is asked for.
#[tokio::test(flavor = "multi_thread")]
async fn an_address_without_a_google_account() {
    let world = World::new().await;
    world.control().set_switches(|s| s.no_google_account = vec!["ana@example.com".into()]).expect("set");
    let refused = world.json(65, &ANA).await;
    assert_eq!(refused["error"]["code"], "invitation_needed");
    assert!(refused["error"]["hint"].as_str().is_some_and(|h| h.contains("--notify")), "{refused}");
    world.run(&["share", "42", "--notify"]).await.expect(0);
    goes_on(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_account_without_storage() {
    let fault = Fault::new(Effect::Status(status(403, "storageQuotaExceeded"))).op("files.create");
    fails_then_goes_on(fault, 77, "service_account_has_no_storage", "drive.shared_drive_id").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parent_folder_missing_hidden_or_not_to_be_written() {
    let world = World::new().await;
    let right = std::fs::read_to_string(world.path("config.toml")).expect("read");
    let control = world.control();
    let admin = control.user(ADMIN).expect("an admin");
    let hidden = control.mkdir(ADMIN, &admin.root_id, "Privado").expect("made");
    let readable = control.mkdir(ADMIN, &admin.root_id, "Leitura").expect("made");
    control.share(ADMIN, &readable, &world.robot(), "reader").expect("shared");
    let file = control.put(ADMIN, &world.parent, "a.txt", b"x", "text/plain").expect("put");
    let robot = world.robot();
    for (parent, code) in [
        ("1Nowhere0000000000000000000000000", "parent_not_found"),
        (hidden.as_str(), "parent_not_found"),
        (readable.as_str(), "parent_not_writable"),
    ] {
        std::fs::write(world.path("config.toml"), right.replace(&world.parent, parent)).expect("written");
        let error = refused(&world, &ANA, 77, code, &robot).await;
        assert!(error.contains("writer (Editor)"), "{error}");
        assert!(control.children(&readable).expect("children").is_empty());
    }
    std::fs::write(world.path("config.toml"), right.replace(&world.parent, &file)).expect("written");
    refused(&world, &ANA, 78, "parent_not_a_folder", "drive.parent_folder_id").await;
    control.delete(ADMIN, &file).expect("deleted");
    std::fs::write(world.path("config.toml"), right).expect("written");
    goes_on(&world).await;
}

/// New folders in a folder that is in the trash would be seen by nobody.
#[tokio::test(flavor = "multi_thread")]
async fn a_parent_folder_in_the_trash() {
    let world = World::new().await;
    world.control().trash(ADMIN, &world.parent).expect("trashed");
    refused(&world, &ANA, 77, "parent_trashed", "out of the trash").await;
    world.control().untrash(ADMIN, &world.parent).expect("back");
    goes_on(&world).await;
}

/// A listing that lags and one that answers nothing do not make a second tree.
#[tokio::test(flavor = "multi_thread")]
async fn listings_that_lag_or_answer_nothing_make_no_twin() {
    let world = World::new().await;
    world.control().set_switches(|s| s.list_lag_ms = 3_600_000).expect("set");
    world.json(0, &ANA).await;
    let again = world.json(0, &ANA).await;
    assert_eq!((again["status"].as_str(), again["drive"]["writes"].as_u64()), (Some("unchanged"), Some(0)));
    world.control().set_switches(|s| (s.list_lag_ms, s.multi_parent_query_is_empty) = (0, true)).expect("set");
    assert_eq!(world.json(0, &ANA).await["drive"]["writes"], 0);
    goes_on(&world).await;
}
