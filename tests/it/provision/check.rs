//! `tecnico check`: each finding made by hand, as a person would, shown with its fix, and put right.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use super::support::{ANA, ANA_TREE, as_tecnico, everything, grants, paths, problems};
use crate::support::world::{ADMIN, World};

/// Ana's world, and what was on Drive when everything was as wanted.
struct Case {
    world: World,
    robot: String,
    made: Value,
}

impl Case {
    async fn new() -> Self {
        let world = World::new().await;
        let made = world.json(0, &ANA).await;
        let key: Value = serde_json::from_str(&std::fs::read_to_string(world.path("service-account.json")).expect("read")).expect("JSON");
        let robot = key["client_email"].as_str().expect("an e-mail").to_owned();
        Self { world, robot, made }
    }

    fn id(&self, field: &str) -> String {
        self.made["drive_folders"][field].as_str().expect("an id").to_owned()
    }

    fn user_folder(&self) -> String {
        self.id("user_folder_id")
    }

    fn novos(&self) -> String {
        self.id("novos_folder_id")
    }

    fn pdfs(&self) -> String {
        self.world.drive_tree()["Ana_Maria/pdfs"].clone()
    }

    /// Shows `codes` and the fix, writes nothing; repairs them; then finds nothing, and nothing that was on Drive is gone.
    async fn shown_and_repaired(&self, codes: &[&str]) {
        let before = everything(&self.world);
        self.shown(codes).await;
        assert_eq!(everything(&self.world), before, "check alone writes nothing");
        let repaired = self.world.json(0, &["check", "--repair"]).await;
        assert_eq!((problems(&repaired), repaired["left"].as_u64()), (codes.iter().map(|c| (*c).to_owned()).collect(), Some(0)));
        self.clean().await;
        let after = everything(&self.world);
        assert!(before.is_subset(&after), "gone: {:?}", before.difference(&after).collect::<BTreeSet<_>>());
        assert_eq!(paths(&self.world).iter().filter(|p| ANA_TREE.contains(&p.as_str())).count(), 5);
        let registry = self.world.registry();
        let tree = self.world.drive_tree();
        let ana = registry.as_array().expect("an array").iter().find(|e| e["nome"] == "Ana Maria").expect("her entry");
        assert_eq!(
            (ana["pasta_drive_id"].as_str(), ana["pasta_novos_id"].as_str()),
            (Some(tree["Ana_Maria"].as_str()), Some(tree["Ana_Maria/pdfs/novos"].as_str()))
        );
    }

    async fn shown(&self, codes: &[&str]) {
        let check = self.world.json(1, &["check"]).await;
        assert_eq!(problems(&check), codes, "{check:#}");
        for finding in check["findings"].as_array().expect("findings") {
            assert!(finding["fix"].as_str().is_some_and(|f| !f.is_empty()), "{finding}");
            assert!(finding["message"].as_str().is_some_and(|f| !f.is_empty()), "{finding}");
        }
        let said = self.world.run(&["check"]).await.expect(1).stdout;
        assert!(codes.iter().all(|c| said.contains(c)) && said.contains("fix: "), "{said}");
        assert_eq!(self.world.json(1, &["check", "--repair", "--dry-run"]).await["repaired"], 0);
    }

    async fn clean(&self) {
        let check = self.world.json(0, &["check"]).await;
        assert_eq!((problems(&check), check["drive"]["writes"].as_u64()), (Vec::new(), Some(0)), "{check:#}");
    }

    /// A second folder with tecnico's mark, as an older program could have left it.
    async fn marked(&self, parent: &str, name: &str, path: &str) -> String {
        let folder = json!({"name": name, "parents": [parent], "mimeType": "application/vnd.google-apps.folder",
            "appProperties": {"tecnico_user": "42", "tecnico_path": path}});
        as_tecnico(&self.world, "POST", "files", &folder).await["id"].as_str().expect("an id").to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_is_as_wanted_after_a_creation() {
    let case = Case::new().await;
    case.clean().await;
    let said = case.world.run(&["check"]).await.expect(0).stdout;
    assert!(said.contains("1 technician checked: all as wanted"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_deleted_for_good() {
    let case = Case::new().await;
    case.world.control().delete(&case.robot, &case.novos()).expect("deleted");
    case.shown_and_repaired(&["folder_gone", "grant_missing"]).await;
    assert!(grants(&case.world, &case.world.drive_tree()["Ana_Maria/pdfs/novos"]).contains(&"ana@example.com writer".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_tree_deleted_for_good() {
    let case = Case::new().await;
    case.world.control().delete(&case.robot, &case.user_folder()).expect("deleted");
    case.shown_and_repaired(&["folder_gone", "folder_gone", "folder_gone", "folder_gone", "folder_gone", "grant_missing"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_in_the_trash_by_itself_or_with_the_one_above() {
    let case = Case::new().await;
    let pdf = case.world.control().put("ana@example.com", &case.novos(), "1.pdf", b"%PDF", "application/pdf").expect("put");
    case.world.control().trash(&case.robot, &case.novos()).expect("trashed");
    case.shown_and_repaired(&["folder_trashed"]).await;
    case.world.control().trash(&case.robot, &case.user_folder()).expect("trashed");
    case.shown_and_repaired(&["folder_trashed"]).await;
    assert_eq!(case.world.drive_tree()["Ana_Maria/pdfs/novos"], case.novos(), "the same folder, out of the trash");
    assert_eq!(case.world.control().file(&pdf).expect("still there")["trashed"], false);
}

/// The folder that holds every tree is thrown away: nobody sees anything any more, although no tree was touched.
#[tokio::test(flavor = "multi_thread")]
async fn the_parent_folder_in_the_trash_is_told() {
    let case = Case::new().await;
    case.world.control().trash(ADMIN, &case.world.parent).expect("trashed");
    let check = case.world.json(1, &["check"]).await;
    assert_eq!(problems(&check), ["parent_trashed"]);
    assert!(check["findings"][0]["fix"].as_str().is_some_and(|f| f.contains("trash")), "{check}");
    assert_eq!(case.world.json(1, &["check", "--repair"]).await["repaired"], 0, "that is for its owner to decide");
    case.world.control().untrash(ADMIN, &case.world.parent).expect("back");
    case.clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn novos_no_longer_shared() {
    let case = Case::new().await;
    case.world.control().unshare(&case.robot, &case.novos(), "ana@example.com").expect("unshared");
    case.shown_and_repaired(&["grant_missing"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_with_another_role() {
    let case = Case::new().await;
    case.world.control().unshare(&case.robot, &case.novos(), "ana@example.com").expect("unshared");
    case.world.control().share(&case.robot, &case.novos(), "ana@example.com", "reader").expect("shared");
    case.shown_and_repaired(&["grant_role"]).await;
    assert!(grants(&case.world, &case.novos()).contains(&"ana@example.com writer".to_owned()));
}

/// Somebody nobody asked for is shown and stays: whether to take it away is for a person to decide.
#[tokio::test(flavor = "multi_thread")]
async fn a_grant_nobody_asked_for() {
    let case = Case::new().await;
    case.world.control().share(&case.robot, &case.novos(), "bea@example.com", "reader").expect("shared");
    case.shown(&["grant_unwanted"]).await;
    assert_eq!(case.world.json(1, &["check", "--repair"]).await["repaired"], 0);
    case.world.run(&["share", "42", "--with", "bea@example.com", "--revoke"]).await.expect(0);
    case.clean().await;
    case.world.control().share(&case.robot, &case.novos(), "anyone", "reader").expect("shared");
    let check = case.world.json(1, &["check"]).await;
    assert_eq!(problems(&check), ["grant_unwanted"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn moved_by_a_person() {
    let case = Case::new().await;
    let control = case.world.control();
    control.move_to(&case.robot, &case.novos(), &case.user_folder()).expect("moved");
    case.shown_and_repaired(&["folder_moved"]).await;
    let elsewhere = control.mkdir(ADMIN, &case.world.parent, "Antigos").expect("made");
    control.move_to(&case.robot, &case.user_folder(), &elsewhere).expect("moved");
    case.shown_and_repaired(&["folder_moved"]).await;
    assert_eq!(case.world.drive_tree()["Ana_Maria"], case.user_folder());
}

#[tokio::test(flavor = "multi_thread")]
async fn renamed_by_a_person() {
    let case = Case::new().await;
    case.world.control().rename(&case.robot, &case.novos(), "Novos PDFs").expect("renamed");
    case.world.control().rename(&case.robot, &case.user_folder(), "Ana").expect("renamed");
    case.shown_and_repaired(&["folder_renamed", "folder_renamed"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mark_taken_off() {
    let case = Case::new().await;
    let unmarked = json!({"appProperties": {"tecnico_user": null}});
    as_tecnico(&case.world, "PATCH", &format!("files/{}", case.pdfs()), &unmarked).await;
    case.shown_and_repaired(&["folder_untagged"]).await;
}

/// What the technician dropped into the second novos is where it belongs afterwards, and the second is out of their way.
#[tokio::test(flavor = "multi_thread")]
async fn novos_twice() {
    for marked in [true, false] {
        let case = Case::new().await;
        let control = case.world.control();
        let second = if marked {
            case.marked(&case.pdfs(), "novos", "pdfs/novos").await
        } else {
            control.mkdir(&case.robot, &case.pdfs(), "novos").expect("made")
        };
        control.share(&case.robot, &second, "ana@example.com", "writer").expect("shared");
        let pdf = control.put("ana@example.com", &second, "2.pdf", b"%PDF", "application/pdf").expect("put");
        let before = everything(&case.world);
        let check = case.world.json(1, &["check"]).await;
        assert_eq!(problems(&check), ["folder_duplicated"]);
        case.world.json(0, &["check", "--repair"]).await;
        case.clean().await;
        assert_eq!(case.world.drive_tree()["Ana_Maria/pdfs/novos"], case.novos(), "the one that is known stays");
        assert_eq!(control.file(&pdf).expect("there")["parents"][0], case.novos());
        assert!(before.is_subset(&everything(&case.world)), "nothing is deleted");
        assert!(!grants(&case.world, &second).iter().any(|g| g.starts_with("ana@")), "nobody drops files into it again");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_tree_twice_with_the_mark() {
    let case = Case::new().await;
    let control = case.world.control();
    let root = case.marked(&case.world.parent, "Ana_Maria", ".").await;
    let pdfs = case.marked(&root, "pdfs", "pdfs").await;
    let novos = case.marked(&pdfs, "novos", "pdfs/novos").await;
    let processados = case.marked(&pdfs, "processados", "pdfs/processados").await;
    case.marked(&pdfs, "erro", "pdfs/erro").await;
    control.share(&case.robot, &novos, "ana@example.com", "writer").expect("shared");
    let waiting = control.put("ana@example.com", &novos, "3.pdf", b"%PDF", "application/pdf").expect("put");
    let done = control.mkdir(&case.robot, &processados, "4").expect("made");
    let before = everything(&case.world);
    let check = case.world.json(1, &["check"]).await;
    assert_eq!(problems(&check), ["folder_duplicated"; 5]);
    case.world.json(0, &["check", "--repair"]).await;
    case.clean().await;
    assert!(before.is_subset(&everything(&case.world)), "nothing is deleted");
    assert_eq!(control.file(&waiting).expect("there")["parents"][0], case.novos());
    assert_eq!(control.file(&done).expect("there")["parents"][0], case.id("processados_folder_id"));
    let tree = case.world.drive_tree();
    assert_eq!(tree["Ana_Maria"], case.user_folder());
    let below: Vec<&String> = tree.keys().filter(|p| p.starts_with("Ana_Maria/") && !ANA_TREE.contains(&p.as_str())).collect();
    assert_eq!(below, ["Ana_Maria/pdfs/novos/3.pdf", "Ana_Maria/pdfs/processados/4"], "what stepped aside lies in its own old tree");
}

/// Of two trees with the mark, a ledger that is rebuilt takes the one that `tecnicos.json` names, and the other stays a twin.
#[tokio::test(flavor = "multi_thread")]
async fn a_rebuilt_ledger_knows_the_same_tree_of_two() {
    let case = Case::new().await;
    let root = case.marked(&case.world.parent, "Ana_Maria", ".").await;
    let pdfs = case.marked(&root, "pdfs", "pdfs").await;
    for part in ["novos", "processados", "erro"] {
        case.marked(&pdfs, part, &format!("pdfs/{part}")).await;
    }
    let before = problems(&case.world.json(1, &["check"]).await);
    std::fs::remove_file(case.world.path("ledger.db")).expect("lost");
    let rebuilt = case.world.json(1, &["ledger", "rebuild"]).await;
    assert!(rebuilt["notes"][0].as_str().is_some_and(|n| n.contains("2 folders on Drive")), "{rebuilt}");
    assert_eq!(problems(&case.world.json(1, &["check"]).await), before);
    case.world.json(0, &["check", "--repair"]).await;
    let tree = case.world.drive_tree();
    assert_eq!((&tree["Ana_Maria"], &tree["Ana_Maria/pdfs/novos"]), (&case.user_folder(), &case.novos()));
}

/// A folder of her name that tecnico did not make and that holds other things may be another person's.
#[tokio::test(flavor = "multi_thread")]
async fn a_namesake_that_may_be_somebody_elses_is_shown_and_left_alone() {
    let case = Case::new().await;
    let control = case.world.control();
    let other = control.mkdir(ADMIN, &case.world.parent, "Ana_Maria").expect("made");
    let file = control.put(ADMIN, &other, "recibo.txt", b"x", "text/plain").expect("put");
    case.shown(&["folder_namesake"]).await;
    assert_eq!(case.world.json(1, &["check", "--repair"]).await["repaired"], 0);
    let there = control.file(&other).expect("there");
    assert_eq!((there["name"].as_str(), there["parents"][0].as_str()), (Some("Ana_Maria"), Some(case.world.parent.as_str())));
    assert_eq!(control.file(&file).expect("there")["parents"][0], other);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_local_tree_missing_in_part_or_whole() {
    let case = Case::new().await;
    let tree = case.world.vm().join("Ana_Maria");
    std::fs::remove_dir(tree.join("pdfs/novos")).expect("removed");
    std::fs::remove_dir(tree.join("logs")).expect("removed");
    case.shown_and_repaired(&["local_missing", "local_missing"]).await;
    std::fs::remove_dir_all(&tree).expect("removed");
    case.shown_and_repaired(&["local_missing"; 6]).await;
    assert!(tree.join("pdfs/novos").is_dir() && tree.join("logs").is_dir());
}

#[tokio::test(flavor = "multi_thread")]
async fn modes_of_folders_and_files() {
    let case = Case::new().await;
    case.world.run_with_stdin(&["create", "42", "--portal-user", "ana", "--portal-password-stdin"], "s3nha\n").await.expect(0);
    let vm = case.world.vm();
    let wanted = [("Ana_Maria/pdfs/novos", 0o750), ("Ana_Maria/credenciais.json", 0o600), ("tecnicos.json", 0o640)];
    for (path, _) in wanted {
        std::fs::set_permissions(vm.join(path), std::fs::Permissions::from_mode(0o777)).expect("set");
    }
    case.shown_and_repaired(&["local_mode", "local_mode", "local_mode"]).await;
    for (path, mode) in wanted {
        assert_eq!(std::fs::metadata(vm.join(path)).expect("there").permissions().mode() & 0o7777, mode, "{path}");
    }
}

/// A file where a folder must be is somebody's data: it is told, it stays, and it keeps nobody else from being repaired.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_in_the_way() {
    let case = Case::new().await;
    case.world.json(0, &["create", "43", "--name", "Bea Souza", "--email", "bea@example.com"]).await;
    let tree = case.world.vm().join("Ana_Maria");
    for at in ["Ana_Maria/pdfs/novos", "Ana_Maria"] {
        let at = case.world.vm().join(at);
        std::fs::remove_dir_all(&at).expect("removed");
        std::fs::write(&at, "guardar").expect("written");
        case.world.control().trash(&case.robot, &case.novos()).expect("trashed");
        std::fs::remove_dir(case.world.vm().join("Bea_Souza/logs")).expect("removed");
        let check = case.world.json(1, &["check", "--repair"]).await;
        let left: Vec<&Value> = check["findings"].as_array().expect("findings").iter().filter(|f| f["repaired"] == false).collect();
        assert!(left.iter().any(|f| f["problem"] == "local_in_the_way"), "{check:#}");
        assert!(left.iter().all(|f| f["user"] == "42"), "{check:#}");
        assert!(case.world.vm().join("Bea_Souza/logs").is_dir(), "Bea's was repaired");
        assert_eq!(std::fs::read_to_string(&at).expect("there"), "guardar");
        assert_eq!(case.world.json(73, &["create", "42"]).await["error"]["code"], "local_in_the_way");
        std::fs::remove_file(&at).expect("removed");
        case.world.json(0, &["check", "--repair"]).await;
        case.clean().await;
        assert!(tree.join("pdfs/novos").is_dir());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_registry_missing_differing_and_naming_strangers() {
    let case = Case::new().await;
    let file = case.world.vm().join("tecnicos.json");
    std::fs::write(&file, "[]").expect("written");
    case.shown_and_repaired(&["registry_missing"]).await;

    let mut registry = case.world.registry();
    registry[0]["email"] = "velha@example.com".into();
    registry[0]["pasta_novos_id"] = "1Outra".into();
    registry[0]["equipe"] = "Sul".into();
    std::fs::write(&file, registry.to_string()).expect("written");
    case.shown_and_repaired(&["registry_differs"]).await;
    assert_eq!(case.world.registry()[0]["equipe"], "Sul", "what others wrote stays");

    let mut registry = case.world.registry();
    let stranger = json!({"nome": "João Silva", "email": "joao@example.com", "usuario_portal": "joao",
        "pasta_vm": case.world.vm().join("João_Silva"), "pasta_drive_id": "1Velha", "pasta_novos_id": "1VelhaN"});
    registry.as_array_mut().expect("an array").push(stranger);
    std::fs::write(&file, registry.to_string()).expect("written");
    case.shown(&["registry_unknown"]).await;
    let check = case.world.json(1, &["check", "--repair"]).await;
    assert!(check["findings"][0]["fix"].as_str().is_some_and(|f| f.contains("tecnico import")), "{check}");
    assert_eq!(case.world.registry().as_array().map(Vec::len), Some(2), "the stranger stays");

    std::fs::remove_file(&file).expect("removed");
    case.shown_and_repaired(&["registry_missing"]).await;
}

/// One technician who cannot be repaired keeps nobody else from it.
#[tokio::test(flavor = "multi_thread")]
async fn a_failed_repair_is_told_and_the_others_go_on() {
    use drive_emulator::control::{Effect, Fault, Status};
    let case = Case::new().await;
    case.world.json(0, &["create", "43", "--name", "Bea Souza", "--email", "bea@example.com"]).await;
    case.world.control().unshare(&case.robot, &case.novos(), "ana@example.com").expect("unshared");
    std::fs::remove_dir(case.world.vm().join("Bea_Souza/logs")).expect("removed");
    case.world
        .control()
        .fault(Fault::new(Effect::Status(Status::new(403, "shareOutNotPermitted"))).op("permissions.create"))
        .expect("a rule that can strike");
    let check = case.world.json(1, &["check", "--repair"]).await;
    assert_eq!((check["repaired"].as_u64(), check["left"].as_u64()), (Some(1), Some(1)), "{check:#}");
    let ana = check["findings"].as_array().expect("findings").iter().find(|f| f["user"] == "42").expect("hers");
    assert!(ana["error"].as_str().is_some_and(|e| e.contains("shareOutNotPermitted")), "{check:#}");
    assert!(ana["fix"].as_str().is_some_and(|f| f.contains("policy")), "{check:#}");
    case.world.control().clear_faults();
    case.world.json(0, &["check", "--repair"]).await;
    case.clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_user_is_told_who_there_is() {
    let case = Case::new().await;
    for args in [["check", "99"], ["share", "99"]] {
        let error = case.world.json(65, &args).await;
        assert_eq!(error["error"]["code"], "user_unknown");
        assert!(error["error"]["hint"].as_str().is_some_and(|h| h.contains("tecnico list")), "{error}");
    }
}

/// A finding about nobody, and one about somebody unknown here, are not technicians.
#[tokio::test(flavor = "multi_thread")]
async fn the_last_line_counts_technicians_of_those_checked() {
    let case = Case::new().await;
    case.world.json(0, &["create", "43", "--name", "Bea"]).await;
    let registry = case.world.vm().join("tecnicos.json");
    let mode = |mode| std::fs::set_permissions(&registry, std::fs::Permissions::from_mode(mode)).expect("set");
    mode(0o600);
    let said = case.world.run(&["check"]).await.expect(1).stdout;
    assert!(said.contains("2 technicians checked: 1 finding to mend\n"), "{said}");
    let robot = &case.robot;
    case.world.control().rename(robot, &case.novos(), "Novos PDFs").expect("renamed");
    case.world.control().rename(robot, &case.user_folder(), "Ana").expect("renamed");
    let said = case.world.run(&["check"]).await.expect(1).stdout;
    assert!(said.contains("2 technicians checked: 3 findings to mend, about 1 of them\n"), "{said}");
}
