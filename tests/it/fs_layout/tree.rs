//! Trees: made, observed, and never left through a link.

use std::os::unix::fs::{PermissionsExt, symlink};

use tecnico::error::Exit;
use tecnico::fs_layout::LocalState::{self, Missing, NotADirectory, Present};

use super::{base, folders, mode};

#[test]
fn c1_1_a_tree_is_made_once_with_mode_0750() -> anyhow::Result<()> {
    let (_dir, base) = base()?;
    let tree = base.tree("Ana_Maria")?;
    assert!(tree.observe(&folders())?.iter().all(|f| f.state == LocalState::Missing));
    assert_eq!(tree.create(&folders())?, folders());
    for folder in folders() {
        assert_eq!(mode(&tree.path_of(&folder))?, 0o750, "{folder}");
    }
    assert!(tree.observe(&folders())?.iter().all(|f| f.state == LocalState::Present && f.mode == Some(0o750)));
    assert_eq!(tree.create(&folders())?, Vec::<String>::new());
    assert_eq!(tree.path(), base.path().join("Ana_Maria"));
    Ok(())
}

#[test]
fn modes_do_not_depend_on_the_umask() -> anyhow::Result<()> {
    const CHILD: &str = "TECNICO_TEST_UMASK_BASE";
    // The umask belongs to the whole process, so another one tries it.
    if let Some(dir) = std::env::var_os(CHILD) {
        let base = tecnico::fs_layout::Base::open(std::path::Path::new(&dir), tecnico::config::settings::Modes::default())?;
        base.tree("Ana_Maria")?.create(&folders())?;
        return Ok(());
    }
    let dir = tempfile::tempdir()?;
    let at = dir.path().join("tecnicos");
    let own = std::env::current_exe()?;
    for umask in ["000", "077"] {
        let command = format!("umask {umask} && exec \"$0\" fs_layout::tree::modes_do_not_depend_on_the_umask --exact --quiet");
        let child = std::process::Command::new("sh").args(["-c", &command]).arg(&own).env(CHILD, &at).output()?;
        assert!(child.status.success(), "{child:?}");
        for folder in folders() {
            assert_eq!(mode(&at.join("Ana_Maria").join(&folder))?, 0o750, "umask {umask}, {folder}");
        }
        assert_eq!(mode(&at)?, 0o750);
        std::fs::remove_dir_all(&at)?;
    }
    Ok(())
}

#[test]
fn eight_at_once_make_one_tree() -> anyhow::Result<()> {
    let (_dir, base) = base()?;
    let tree = base.tree("Ana_Maria")?;
    let made: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| tree.create(&folders()))).collect();
        let results: Result<Vec<_>, _> = threads.into_iter().map(|t| t.join().expect("no thread panics")).collect();
        results.map(|lists| lists.into_iter().flatten().collect())
    })?;
    let mut made = made;
    made.sort();
    let mut all = folders();
    all.sort();
    assert_eq!(made, all, "each folder was made by exactly one of them");
    Ok(())
}

#[test]
fn a_wrong_mode_is_seen_kept_by_create_and_fixed() -> anyhow::Result<()> {
    let (_dir, base) = base()?;
    let tree = base.tree("Ana_Maria")?;
    tree.create(&folders())?;
    std::fs::set_permissions(tree.path_of("pdfs/erro"), std::fs::Permissions::from_mode(0o777))?;
    tree.create(&folders())?;
    let wrong: Vec<_> = tree.observe(&folders())?.into_iter().filter(|f| f.mode != Some(0o750)).map(|f| (f.path, f.mode)).collect();
    assert_eq!(wrong, [("pdfs/erro".to_owned(), Some(0o777))]);
    tree.fix_mode("pdfs/erro")?;
    assert_eq!(mode(&tree.path_of("pdfs/erro"))?, 0o750);
    Ok(())
}

#[test]
fn a_link_in_the_place_of_the_technicians_folder_is_refused() -> anyhow::Result<()> {
    let (dir, base) = base()?;
    let outside = dir.path().join("fora");
    std::fs::create_dir(&outside)?;
    symlink(&outside, base.path().join("Ana_Maria"))?;
    let tree = base.tree("Ana_Maria")?;
    for failure in [tree.observe(&folders()).expect_err("observe"), tree.create(&folders()).expect_err("create")] {
        assert_eq!((failure.code(), failure.exit()), ("link_refused", Exit::Refused));
        assert!(failure.to_string().contains("Ana_Maria"), "{failure}");
    }
    assert_eq!(std::fs::read_dir(&outside)?.count(), 0);
    Ok(())
}

#[test]
fn a_link_inside_is_told_and_not_followed_even_to_a_sibling() -> anyhow::Result<()> {
    let (_dir, base) = base()?;
    let bea = base.tree("Bea_Souza")?;
    bea.create(&folders())?;
    let ana = base.tree("Ana_Maria")?;
    ana.create(&[String::new()])?;
    symlink("../Bea_Souza/pdfs", ana.path_of("pdfs"))?;
    let seen: Vec<_> = ana.observe(&folders())?.into_iter().map(|f| f.state).collect();
    assert_eq!(seen, [Present, NotADirectory, NotADirectory, NotADirectory, NotADirectory, Missing]);
    assert_eq!(ana.create(&folders()).expect_err("a link").code(), "link_refused");
    assert_eq!(ana.fix_mode("pdfs/novos").expect_err("a link").code(), "link_refused");
    assert_eq!(ana.part("pdfs/novos", "i1").expect_err("a link").code(), "link_refused");
    Ok(())
}

#[test]
fn a_file_in_the_way_is_named() -> anyhow::Result<()> {
    let (_dir, base) = base()?;
    let tree = base.tree("Ana_Maria")?;
    tree.create(&[String::new()])?;
    std::fs::write(tree.path_of("pdfs"), "x")?;
    let failure = tree.create(&folders()).expect_err("a file");
    assert_eq!((failure.code(), failure.exit()), ("not_a_directory", Exit::CannotCreate));
    assert!(failure.to_string().contains(&format!("{}/pdfs ", tree.path().display())), "{failure}");
    assert_eq!(std::fs::read_to_string(tree.path_of("pdfs"))?, "x");
    Ok(())
}

#[test]
fn names_and_paths_that_lead_out_are_refused() -> anyhow::Result<()> {
    let (dir, base) = base()?;
    for name in ["", "..", ".", "a/b", "/etc", "../x"] {
        assert_eq!(base.tree(name).expect_err(name).code(), "unsafe_path");
    }
    let tree = base.tree("Ana_Maria")?;
    assert_eq!(tree.create(&["../../fora".into()]).expect_err("leads out").code(), "unsafe_path");
    assert!(!dir.path().join("fora").exists());
    Ok(())
}
