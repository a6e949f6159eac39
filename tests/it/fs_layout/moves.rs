//! Downloads and moves in a tree: resumed, never overwriting.

use std::io::Write;
use std::os::unix::fs::symlink;

use tecnico::error::Exit;
use tecnico::fs_layout::{Base, Moved, Tree};

use super::{base, folders, mode};

const ID: &str = "1AbCdEfGhIjKlMnOpQrStUvWxYz012345";

fn tree() -> anyhow::Result<(tempfile::TempDir, Base, Tree)> {
    let (dir, base) = base()?;
    let tree = base.tree("Ana_Maria")?;
    tree.create(&folders())?;
    Ok((dir, base, tree))
}

#[test]
fn a_download_is_hidden_until_whole_and_resumes_where_it_stopped() -> anyhow::Result<()> {
    let (_dir, _base, tree) = tree()?;
    let part = tree.part("pdfs/novos", "item-1")?;
    assert!(part.is_empty()?);
    part.writer()?.write_all(b"primeira ")?;
    drop(part); // the crash
    assert_eq!(tree.files("pdfs/novos")?, []);
    assert_eq!(tree.parts("pdfs/novos")?, ["item-1"]);
    let part = tree.part("pdfs/novos", "item-1")?;
    assert_eq!(part.len()?, 9);
    assert_eq!(tree.part("pdfs/novos", "item-1").expect_err("in use").exit(), Exit::Later);
    part.writer()?.write_all(b"metade")?;
    let measured = part.measure()?;
    assert_eq!(part.finish("16517189.pdf", ID, &|_| true)?.name, "16517189.pdf");
    let path = tree.path_of("pdfs/novos/16517189.pdf");
    assert_eq!((std::fs::read_to_string(&path)?.as_str(), mode(&path)?), ("primeira metade", 0o640));
    assert_eq!(tree.measure("pdfs/novos/16517189.pdf")?, measured);
    assert_eq!(tree.parts("pdfs/novos")?, Vec::<String>::new());
    Ok(())
}

#[test]
fn a_download_can_start_again_and_be_dropped() -> anyhow::Result<()> {
    let (_dir, _base, tree) = tree()?;
    let part = tree.part("pdfs/novos", "i")?;
    part.writer()?.write_all(b"errado")?;
    part.restart()?;
    part.writer()?.write_all(b"certo")?;
    assert_eq!(part.measure()?.0, 5);
    drop(part);
    tree.discard_part("pdfs/novos", "i")?;
    tree.discard_part("pdfs/novos", "i")?;
    assert_eq!(std::fs::read_dir(tree.path_of("pdfs/novos"))?.count(), 0);
    assert_eq!(tree.part("pdfs/novos", "../x").expect_err("no item").code(), "unsafe_item");
    Ok(())
}

#[test]
fn a_link_under_the_name_of_a_download_is_refused() -> anyhow::Result<()> {
    let (dir, _base, tree) = tree()?;
    let outside = dir.path().join("fora");
    symlink(&outside, tree.path_of("pdfs/novos/.tecnico-i.part"))?;
    assert_eq!(tree.part("pdfs/novos", "i").expect_err("a link").code(), "link_refused");
    assert!(!outside.exists());
    Ok(())
}

#[test]
fn c6_5_a_file_of_the_same_name_is_never_overwritten() -> anyhow::Result<()> {
    let (_dir, _base, tree) = tree()?;
    let mut names = Vec::new();
    for text in ["um", "dois", "três", "quatro"] {
        std::fs::write(tree.path_of("pdfs/novos/a.pdf"), text)?;
        let Moved::To(name) = tree.move_file("pdfs/novos/a.pdf", "pdfs/erro", "a.pdf", ID, &|_| true)? else { anyhow::bail!("not moved") };
        assert_eq!(std::fs::read_to_string(tree.path_of("pdfs/erro").join(&name))?, text);
        names.push(name);
    }
    assert_eq!(names, ["a.pdf", "a (012345).pdf", &format!("a ({ID}).pdf"), &format!("a ({ID}-2).pdf")]);
    let there: Vec<_> = tree.files("pdfs/erro")?.into_iter().map(|f| f.size).collect();
    assert_eq!((there.len(), there.iter().sum::<u64>()), (4, 2 + 4 + 5 + 6));
    Ok(())
}

#[test]
fn a_move_that_happened_before_the_crash_is_found() -> anyhow::Result<()> {
    let (_dir, _base, tree) = tree()?;
    std::fs::write(tree.path_of("pdfs/erro/a.pdf"), "outro")?;
    std::fs::write(tree.path_of("pdfs/novos/a.pdf"), "nosso")?;
    let (size, md5) = tree.measure("pdfs/novos/a.pdf")?;
    assert_eq!(tree.find_same("pdfs/erro", "a.pdf", ID, size, &md5)?, None);
    tree.move_file("pdfs/novos/a.pdf", "pdfs/erro", "a.pdf", ID, &|_| true)?;
    assert_eq!(tree.move_file("pdfs/novos/a.pdf", "pdfs/erro", "a.pdf", ID, &|_| true)?, Moved::SourceGone);
    assert_eq!(tree.find_same("pdfs/erro", "a.pdf", ID, size, &md5)?.as_deref(), Some("a (012345).pdf"));
    Ok(())
}

#[test]
fn links_and_folders_are_not_filed() -> anyhow::Result<()> {
    let (dir, _base, tree) = tree()?;
    symlink(dir.path(), tree.path_of("pdfs/novos/elo.pdf"))?;
    std::fs::create_dir(tree.path_of("pdfs/novos/pasta.pdf"))?;
    assert_eq!(tree.files("pdfs/novos")?, []);
    assert_eq!(tree.file("pdfs/novos/elo.pdf")?, None);
    for (name, code) in [("elo.pdf", "link_refused"), ("pasta.pdf", "not_a_file")] {
        assert_eq!(tree.move_file(&format!("pdfs/novos/{name}"), "pdfs/erro", name, ID, &|_| true).expect_err(name).code(), code);
    }
    Ok(())
}

#[test]
fn a_hostile_name_stays_in_its_folder() -> anyhow::Result<()> {
    let (_dir, _base, tree) = tree()?;
    let part = tree.part("pdfs/novos", "i")?;
    part.writer()?.write_all(b"x")?;
    assert_eq!(part.finish("../../../etc/passwd", ID, &|_| true)?.name, "_._.._.._etc_passwd");
    assert!(tree.path_of("pdfs/novos/_._.._.._etc_passwd").exists());
    Ok(())
}

#[test]
fn free_space_is_asked_for_before_a_download() -> anyhow::Result<()> {
    let (_dir, base, _tree) = tree()?;
    base.require_free(1)?;
    let failure = base.require_free(u64::MAX).expect_err("nobody has that much");
    assert_eq!((failure.code(), failure.exit()), ("disk_full", Exit::Io));
    Ok(())
}
