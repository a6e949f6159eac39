//! External mode where names meet: which file is whose, and what the other program's move says.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use drive_emulator::control::{Effect, Fault, Status};

use super::Rig;

struct Vm(PathBuf);

impl Vm {
    fn of(rig: &Rig) -> Self {
        Self(rig.world.vm().join("Ana_Maria/pdfs"))
    }

    /// What the other program does.
    fn moves(&self, from: &str, to: &str) {
        std::fs::rename(self.0.join(from), self.0.join(to)).expect("moved");
    }

    fn writes(&self, path: &str, text: &str) {
        std::fs::write(self.0.join(path), text).expect("written");
    }

    /// A file that lay there an hour before anything else.
    fn had(&self, path: &str, text: &str) {
        self.writes(path, text);
        let file = std::fs::File::options().write(true).open(self.0.join(path)).expect("opens");
        file.set_modified(SystemTime::now() - Duration::from_hours(1)).expect("set");
    }

    fn reads(&self, path: &str) -> String {
        std::fs::read_to_string(self.0.join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
    }
}

async fn external() -> (Rig, Vm) {
    let rig = Rig::new("mode = \"external\"\n").await;
    let vm = Vm::of(&rig);
    (rig, vm)
}

/// The other program has moved X, Drive does not let it be filed, and Y of the same name is dropped.
async fn while_x_cannot_be_filed() -> (Rig, Vm, String, String) {
    let (rig, vm) = external().await;
    let x = rig.drop_file("os.pdf", "ordem X");
    rig.cycle().await;
    vm.moves("novos/os.pdf", "processados/os.pdf");
    let refusal = Effect::Status(Status::new(403, "insufficientFilePermissions"));
    rig.world.control().fault(Fault::new(refusal).op("files.update")).expect("a rule that can strike");
    let y = rig.drop_file("os.pdf", "ordem Y");
    (rig, vm, x, y)
}

/// The only name in the local `novos`.
#[track_caller]
fn alone_in_novos(rig: &Rig) -> String {
    let mut names = rig.local("novos");
    assert_eq!(names.len(), 1, "{names:?}");
    names.remove(0)
}

/// X has left `novos` and is not filed yet: its name is not free, or filing it would take along whatever got it.
#[tokio::test(flavor = "multi_thread")]
async fn c1_4_the_name_of_a_file_that_is_not_filed_yet_is_given_to_nobody_else() {
    let (rig, vm, x, y) = while_x_cannot_be_filed().await;
    assert!(!rig.cycle().await.is_clean(), "X cannot be filed");
    rig.world.control().clear_faults();
    rig.pass(60);
    rig.cycle().await;
    let name = alone_in_novos(&rig);
    assert!(name.starts_with("os (") && vm.reads(&format!("novos/{name}")) == "ordem Y", "{name}");
    assert_eq!((rig.told(&x), rig.told(&y), rig.place(&y).0), (vec!["processado".to_owned()], vec![], "novos".to_owned()));
    vm.moves(&format!("novos/{name}"), &format!("erro/{name}"));
    rig.cycle().await;
    assert_eq!((rig.told(&y), rig.place(&y).0), (vec!["erro".to_owned()], "erro".to_owned()));
    assert_eq!(vm.reads("processados/os.pdf"), "ordem X");
    rig.assert_promise();
}

/// A ledger that an older tecnico wrote may say that two open files lie at one place: the content tells whose it is.
#[tokio::test(flavor = "multi_thread")]
async fn c1_4_filing_moves_nothing_that_is_another_files() {
    let (rig, vm, x, y) = while_x_cannot_be_filed().await;
    rig.cycle().await;
    let name = alone_in_novos(&rig);
    if name != "os.pdf" {
        vm.moves(&format!("novos/{name}"), "novos/os.pdf");
    }
    rig.sql("UPDATE items SET local_path = 'pdfs/novos/os.pdf'").await;
    rig.world.control().clear_faults();
    rig.pass(60);
    rig.cycle().await;
    assert_eq!((rig.told(&x), rig.told(&y)), (vec!["processado".to_owned()], vec![]));
    assert_eq!((vm.reads("novos/os.pdf"), vm.reads("processados/os.pdf")), ("ordem Y".to_owned(), "ordem X".to_owned()));
    assert_eq!(rig.world.json(0, &["why", &x]).await["items"][0]["local_path"], "pdfs/processados/os.pdf");
    vm.moves("novos/os.pdf", "erro/os.pdf");
    rig.cycle().await;
    assert_eq!(rig.told(&y), ["erro"]);
    rig.assert_promise();
}

/// What an older system filed is nobody's verdict, whatever it is called and whatever is in it.
#[tokio::test(flavor = "multi_thread")]
async fn c1_4_a_file_that_was_there_before_is_no_verdict() {
    let (rig, vm) = external().await;
    vm.had("processados/1.pdf", "a ordem do ano passado");
    vm.had("processados/2.pdf", "a ordem do ano passado");
    vm.had("processados/outra.pdf", "ordem 2");
    vm.had("erro/3.pdf", "ordem 3");
    let files = [1, 2, 3].map(|n| rig.drop_file(&format!("{n}.pdf"), &format!("ordem {n}")));
    rig.cycle().await;
    assert_eq!(rig.local("novos"), ["1.pdf", "2.pdf", "3.pdf"]);
    vm.moves("novos/1.pdf", "erro/1.pdf");
    // The other program works in a folder of its own.
    vm.moves("novos/2.pdf", "../2.pdf");
    vm.moves("novos/3.pdf", "../3.pdf");
    rig.cycle().await;
    assert_eq!(files.each_ref().map(|f| rig.told(f).concat()), ["erro", "", ""]);
    assert_eq!(files.each_ref().map(|f| rig.place(f).0), ["erro", "novos", "novos"]);

    // It stamps one, and gives the other back as it was, both in the place of the old ones.
    std::fs::remove_file(rig.world.vm().join("Ana_Maria/2.pdf")).expect("taken");
    vm.writes("processados/2.pdf", "ordem 2, carimbada");
    vm.moves("../3.pdf", "processados/3.pdf");
    rig.cycle().await;
    assert_eq!(files.each_ref().map(|f| rig.told(f).concat()), ["erro", "processado", "processado"]);
    assert_eq!(rig.local("erro"), ["1.pdf", "3.pdf"]);
}

/// What was filed before under that name is gone from the VM by the other program's hand; the file it put there is judged.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_moved_over_an_older_one_is_judged_all_the_same() {
    let (rig, vm) = external().await;
    let x = rig.drop_file("os.pdf", "ordem X");
    rig.cycle().await;
    vm.moves("novos/os.pdf", "processados/os.pdf");
    rig.cycle().await;
    let y = rig.drop_file("os.pdf", "ordem Y");
    rig.cycle().await;
    vm.moves("novos/os.pdf", "processados/os.pdf");
    rig.cycle().await;
    assert_eq!((rig.told(&x), rig.told(&y)), (vec!["processado".to_owned()], vec!["processado".to_owned()]));
    assert_eq!(vm.reads("processados/os.pdf"), "ordem Y");
}

/// It had begun to write the result when it failed, and refused the file as it was.
#[tokio::test(flavor = "multi_thread")]
async fn the_content_goes_before_the_name() {
    let (rig, vm) = external().await;
    let file = rig.drop_file("1.pdf", "ordem 1");
    rig.cycle().await;
    vm.writes("processados/1.pdf", "ordem 1, meio carim");
    vm.moves("novos/1.pdf", "erro/1.pdf");
    rig.cycle().await;
    assert_eq!((rig.told(&file), rig.place(&file).0), (vec!["erro".to_owned()], "erro".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_under_another_name_is_told_with_its_place() {
    let (rig, vm) = external().await;
    let file = rig.drop_file("1.pdf", "ordem 1");
    rig.cycle().await;
    vm.moves("novos/1.pdf", "processados/1 (feito).pdf");
    rig.cycle().await;
    let why = rig.world.json(0, &["why", &file]).await;
    assert_eq!(why["items"][0]["local_path"], "pdfs/processados/1 (feito).pdf", "{why}");
    assert_eq!(rig.local("processados"), ["1 (feito).pdf"]);
}

/// Without the ledger nobody knows what was fetched: what is older than the file on Drive is no copy of it.
#[tokio::test(flavor = "multi_thread")]
async fn c1_4_after_a_rebuild_a_file_that_was_there_before_is_no_verdict() {
    let (rig, vm) = external().await;
    let decided = rig.drop_file("1.pdf", "ordem 1");
    rig.world.json(0, &["watch"]).await;
    vm.moves("novos/1.pdf", "erro/1.pdf");
    vm.had("processados/outra.pdf", "ordem 2");
    let fresh = rig.drop_file("2.pdf", "ordem 2");
    rig.world.lose_ledger();
    let rebuilt = rig.world.json(0, &["ledger", "rebuild"]).await;
    assert_eq!(rebuilt["technicians"][0]["unfinished"], 1, "{rebuilt}");
    rig.world.json(0, &["watch"]).await;
    assert_eq!((rig.told(&decided), rig.told(&fresh)), (vec!["erro".to_owned()], vec![]));
    assert_eq!((rig.place(&fresh).0, rig.local("novos")), ("novos".to_owned(), vec!["2.pdf".to_owned()]));
}
