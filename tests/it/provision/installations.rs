//! Two installations on one account, each with its own parent folder, VM and ledger: one user id, two technicians.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::support::{as_tecnico, everything, grants, problems, refused};
use crate::support::world::{ADMIN, Ran, World, finish, tecnico};

const CARLA: [&str; 6] = ["create", "9042", "--email", "carla@example.com", "--name", "Carla Dias"];
const DORA: [&str; 6] = ["create", "9042", "--email", "dora@example.com", "--name", "Dora Luz"];

/// The production is the world's own; the staging beside it has another parent folder, VM and ledger.
struct Two {
    world: World,
    parent: String,
    robot: String,
}

/// A folder as somebody who may look at everything sees it: where it lies, its name, who may use it.
type Seen = (Value, Value, Vec<String>);

impl Two {
    async fn new() -> Self {
        let world = World::new().await;
        let (control, robot) = (world.control(), world.robot());
        let root = control.user(ADMIN).expect("an admin").root_id;
        let parent = control.mkdir(ADMIN, &root, "Homologação").expect("a parent folder");
        control.share(ADMIN, &parent, &robot, "writer").expect("shared");
        let config = std::fs::read_to_string(world.path("config.toml")).expect("a config");
        let config = config.replace(&world.parent, &parent).replace("\"vm\"", "\"vm-b\"").replace("ledger.db", "ledger-b.db");
        std::fs::write(world.path("b.toml"), config).expect("a config");
        Self { world, parent, robot }
    }

    /// The staging's binary.
    async fn run_b(&self, args: &[&str]) -> Ran {
        let mut command = tecnico(&self.world.path("b.toml"));
        command.args(args);
        finish(command).await
    }

    async fn b(&self, code: i32, args: &[&str]) -> Value {
        let args: Vec<&str> = args.iter().copied().chain(["--json"]).collect();
        self.run_b(&args).await.expect(code).json()
    }

    async fn forget_b(&self) {
        for end in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(self.world.path(&format!("ledger-b.db{end}")));
        }
        tecnico::ledger::Ledger::open(&self.world.path("ledger-b.db")).await.expect("a new ledger").close().await;
    }

    /// Everything below the production's parent folder.
    fn production(&self) -> BTreeMap<String, Seen> {
        let seen = |id: String| {
            let file = self.world.control().file(&id).expect("there");
            (id.clone(), (file["parents"].clone(), file["name"].clone(), grants(&self.world, &id)))
        };
        self.world.drive_tree().into_values().map(seen).collect()
    }

    /// Writes to every folder of the production's Carla, as a tecnico did that knew no parent's mark.
    async fn without_the_parents_mark(&self) {
        for (path, id) in self.world.drive_tree() {
            if path != "arquivo" {
                let body = json!({"appProperties": {"tecnico_parent": null}});
                as_tecnico(&self.world, "PATCH", &format!("files/{id}"), &body).await;
            }
        }
    }

    fn elsewhere(&self) -> String {
        let control = self.world.control();
        let root = control.user(ADMIN).expect("an admin").root_id;
        let folder = control.mkdir(ADMIN, &root, "Antigos").expect("made");
        control.share(ADMIN, &folder, &self.robot, "writer").expect("shared");
        folder
    }
}

fn id<'v>(made: &'v Value, field: &str) -> &'v str {
    made["drive_folders"][field].as_str().expect("an id")
}

#[tokio::test(flavor = "multi_thread")]
async fn each_has_a_technician_of_the_same_id() {
    let two = Two::new().await;
    let carla = two.world.json(0, &CARLA).await;
    let before = two.production();
    let said = two.run_b(&["create", "9042", "--email", "dora@example.com", "--name", "Dora Luz", "--json"]).await.expect(0);
    let dora = said.json();
    assert_eq!((dora["status"].as_str(), dora["folder"].as_str()), (Some("created"), Some("Dora_Luz")), "{dora}");
    assert!(said.stderr.contains("another installation") && said.stderr.contains(&two.world.parent), "{}", said.stderr);
    assert_ne!(id(&dora, "novos_folder_id"), id(&carla, "novos_folder_id"));
    assert_eq!(two.production(), before, "nothing of the production's is touched");
    for (again, check) in
        [(two.world.json(0, &CARLA).await, two.world.json(0, &["check"]).await), (two.b(0, &DORA).await, two.b(0, &["check"]).await)]
    {
        assert_eq!((again["status"].as_str(), problems(&check)), (Some("unchanged"), Vec::new()), "{again} {check}");
    }
    assert_eq!(two.b(0, &["check", "--repair"]).await["drive"]["writes"], 0);

    // A ledger that is lost finds its own again, and only those.
    two.forget_b().await;
    let again = two.b(0, &DORA).await;
    assert_eq!((&again["drive_folders"], again["drive"]["writes"].as_u64()), (&dora["drive_folders"], Some(0)), "{again}");

    // What the staging does to its own: away, back, a part that is gone.
    two.world.control().delete(&two.robot, id(&dora, "novos_folder_id")).expect("deleted");
    two.forget_b().await;
    let mended = two.b(0, &DORA).await;
    assert_ne!(id(&mended, "novos_folder_id"), id(&carla, "novos_folder_id"), "a lost novos is not replaced by the other's");
    two.b(0, &["rename", "9042", "--name", "Dora Lima"]).await;
    two.b(0, &["remove", "9042", "--confirm", "9042"]).await;
    assert_eq!(two.production(), before, "nothing of the production's is touched");
    assert_eq!(two.b(0, &DORA).await["status"], "restored");
    assert_eq!(two.world.json(0, &["check"]).await["left"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_ledger_and_a_tree_dragged_elsewhere_make_no_twin() {
    let two = Two::new().await;
    let carla = two.world.json(0, &CARLA).await;
    two.b(0, &DORA).await;
    let (control, elsewhere) = (two.world.control(), two.elsewhere());
    for moved in ["user_folder_id", "novos_folder_id"] {
        control.move_to(&two.robot, id(&carla, moved), &elsewhere).expect("moved");
        two.world.forget().await;
        let before = everything(&two.world);
        let again = two.world.json(0, &CARLA).await;
        assert_eq!(again["drive_folders"], carla["drive_folders"], "{moved}: the same tree, brought back");
        assert_eq!(everything(&two.world), before, "{moved}: nothing is made");
        assert_eq!(two.world.drive_tree()["Carla_Dias/pdfs/novos"], id(&carla, "novos_folder_id"));
    }
}

/// Trees from before the mark named the parent folder: what lies where it belongs is known, of what does not nobody can say.
#[tokio::test(flavor = "multi_thread")]
async fn a_tree_that_could_be_anybodys_is_refused_until_somebody_says_whose() {
    let two = Two::new().await;
    let carla = two.world.json(0, &CARLA).await;
    two.without_the_parents_mark().await;
    let before = (everything(&two.world), two.production());
    let refused_b = two.b(65, &DORA).await["error"].to_string();
    for says in ["tree_elsewhere", "Carla_Dias", id(&carla, "user_folder_id"), &two.world.parent, &two.parent, "check --repair"] {
        assert!(refused_b.contains(says), "{says}: {refused_b}");
    }
    assert_eq!((everything(&two.world), two.production()), before);
    assert_eq!(two.b(0, &["list"]).await["technicians"], json!([]), "nothing is recorded either");

    // A lost ledger and a tree where it belongs.
    two.world.forget().await;
    assert_eq!(two.world.json(0, &CARLA).await["drive_folders"], carla["drive_folders"]);

    // The way out: the production says whose it is.
    two.without_the_parents_mark().await;
    assert_eq!(problems(&two.world.json(1, &["check"]).await), ["folder_untagged"; 5]);
    two.world.json(0, &["check", "--repair"]).await;
    assert_eq!(two.b(0, &DORA).await["status"], "created");

    // A staging that knew its own before sees that the other is not certain, and leaves it alone.
    two.without_the_parents_mark().await;
    let before = two.production();
    let check = two.b(1, &["check", "--repair"]).await;
    assert_eq!((problems(&check), check["repaired"].as_u64()), (vec!["folder_elsewhere".to_owned(); 5], Some(0)), "{check}");
    let error = two.b(65, &["remove", "9042", "--confirm", "9042"]).await;
    assert_eq!(error["error"]["code"], "tree_elsewhere", "{error}");
    assert_eq!(two.production(), before);

    // The other way out: the tree is this one's, and is dragged back.
    let (control, elsewhere) = (two.world.control(), two.elsewhere());
    control.move_to(&two.robot, id(&carla, "user_folder_id"), &elsewhere).expect("moved");
    std::fs::write(two.world.vm().join("tecnicos.json"), "[]").expect("emptied");
    two.world.forget().await;
    refused(&two.world, &CARLA, 65, "tree_elsewhere", &elsewhere).await;
    control.move_to(&two.robot, id(&carla, "user_folder_id"), &two.world.parent).expect("moved");
    assert_eq!(two.world.json(0, &CARLA).await["drive_folders"], carla["drive_folders"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn tecnicos_json_says_whose_an_old_tree_is() {
    let two = Two::new().await;
    let carla = two.world.json(0, &CARLA).await;
    two.without_the_parents_mark().await;
    two.world.control().move_to(&two.robot, id(&carla, "user_folder_id"), &two.elsewhere()).expect("moved");
    two.world.forget().await;
    assert_eq!(two.world.json(0, &CARLA).await["drive_folders"], carla["drive_folders"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_removed_is_found_in_the_archive_with_a_mark_of_either_kind() {
    for old in [false, true] {
        let two = Two::new().await;
        let carla = two.world.json(0, &CARLA).await;
        two.world.json(0, &["remove", "9042", "--confirm", "9042"]).await;
        if old {
            two.without_the_parents_mark().await;
        }
        if !old {
            assert_eq!(two.b(0, &DORA).await["status"], "created");
        }
        two.world.forget().await;
        let back = two.world.json(0, &CARLA).await;
        assert_eq!(back["drive_folders"], carla["drive_folders"], "old: {old}");
        assert!(two.world.drive_tree().contains_key("Carla_Dias/pdfs/novos"), "old: {old}");
        assert_eq!(two.world.json(0, &["check"]).await["left"], 0, "old: {old}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuilt_ledger_knows_its_own_and_says_whom_it_leaves_out() {
    let two = Two::new().await;
    let carla = two.world.json(0, &CARLA).await;
    two.world.json(0, &["create", "7", "--name", "Eva"]).await;
    two.world.json(0, &["create", "8", "--name", "Gil"]).await;
    two.world.json(0, &["remove", "8", "--confirm", "8"]).await;
    let dora = two.b(0, &DORA).await;
    let before = two.production();
    // Somebody dragged her tree out of the parent folder; it stays the staging's.
    two.world.control().move_to(&two.robot, id(&dora, "user_folder_id"), &two.elsewhere()).expect("moved");
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(two.world.path(&format!("ledger-b.db{end}")));
    }
    let rebuilt = two.b(0, &["ledger", "rebuild"]).await;
    let users: Vec<&str> = rebuilt["technicians"].as_array().expect("lines").iter().filter_map(|t| t["user"].as_str()).collect();
    assert_eq!((users, rebuilt["removed"].as_array().map(Vec::len)), (vec!["9042"], Some(0)), "{rebuilt}");
    let left_out = rebuilt["left_out"].to_string();
    assert!(left_out.contains("3 technicians") && left_out.contains(&two.world.parent), "{rebuilt}");
    let listed = two.b(0, &["list"]).await;
    assert_eq!(listed["technicians"][0]["novos_folder_id"], id(&dora, "novos_folder_id"));
    two.b(0, &["check", "--repair"]).await;
    assert_eq!(two.production(), before);

    // A tecnicos.json that was copied over from the production, and trees of which nobody can say whose they are.
    let copied = std::fs::read_to_string(two.world.vm().join("tecnicos.json")).expect("read");
    std::fs::write(two.world.path("vm-b/tecnicos.json"), copied).expect("written");
    two.without_the_parents_mark().await;
    as_tecnico(
        &two.world,
        "PATCH",
        &format!("files/{}", id(&carla, "user_folder_id")),
        &json!({"appProperties": {"tecnico_parent": two.world.parent}}),
    )
    .await;
    let said = two.run_b(&["ledger", "rebuild", "--set-aside", "--dry-run"]).await.expect(1).stdout;
    for says in [id(&carla, "user_folder_id"), "9042", "left out"] {
        assert!(said.contains(says), "{says}: {said}");
    }
    let imported = two.b(1, &["import", &two.world.path("vm-b/tecnicos.json").display().to_string(), "--dry-run"]).await;
    let row = imported["rows"].as_array().expect("rows").iter().find(|r| r["name"] == "Carla Dias").expect("hers").to_string();
    assert!(row.contains("failed") && row.contains(&two.world.parent), "{imported}");
}
