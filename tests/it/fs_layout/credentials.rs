//! `credenciais.json`, read and written together with Python's `cryptography`.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};
use tecnico::error::Exit;
use tecnico::fs_layout::{Credentials, Key, Tree, Written};

use super::{base, mode};
use crate::support::python;

const KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

fn key_file(dir: &tempfile::TempDir, text: &str, mode: u32) -> anyhow::Result<PathBuf> {
    let path = dir.path().join("segredo.key");
    std::fs::write(&path, text)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode))?;
    Ok(path)
}

fn ana(senha: &str) -> Credentials {
    Credentials { usuario_portal: "ana.maria".into(), senha_portal: SecretString::from(senha) }
}

fn tree() -> anyhow::Result<(tempfile::TempDir, Tree, Key)> {
    let (dir, base) = base()?;
    let tree = base.tree("Ana_Maria")?;
    tree.create(&[String::new()])?;
    let key = Key::load(&key_file(&dir, &format!("{KEY}\n"), 0o600)?)?;
    Ok((dir, tree, key))
}

#[test]
fn c1_3_python_reads_ours_and_we_read_its() -> anyhow::Result<()> {
    let (dir, tree, key) = tree()?;
    assert_eq!(tree.write_credentials(&key, &ana("çãé 密码 \"x\""))?, Written::Added);
    let file = tree.path_of("credenciais.json");
    let (key_path, file_path) = (dir.path().join("segredo.key"), file.to_string_lossy().into_owned());
    let key_path = key_path.to_string_lossy();
    let read = "import json,sys\nfrom cryptography.fernet import Fernet\n\
        key=open(sys.argv[1],'rb').read()\nc=json.load(open(sys.argv[2],encoding='utf-8'))\n\
        sys.stdout.buffer.write((c['usuario_portal']+'|'+Fernet(key).decrypt(c['senha_portal'].encode()).decode()).encode())";
    assert_eq!(python::run(read, &[&key_path, &file_path])?, "ana.maria|çãé 密码 \"x\"");
    let write = "import json,sys\nfrom cryptography.fernet import Fernet\n\
        key=open(sys.argv[1],'rb').read()\n\
        json.dump({'usuario_portal':'bea','senha_portal':Fernet(key).encrypt('ümläut'.encode()).decode()},open(sys.argv[2],'w'),indent=2)";
    python::run(write, &[&key_path, &file_path])?;
    let theirs = tree.read_credentials(&key)?.expect("the file is there");
    assert_eq!((theirs.usuario_portal.as_str(), theirs.senha_portal.expose_secret()), ("bea", "ümläut"));
    Ok(())
}

#[test]
fn the_file_is_0600_in_the_contracts_shape_and_untouched_when_it_says_the_same() -> anyhow::Result<()> {
    let (_dir, tree, key) = tree()?;
    assert!(tree.read_credentials(&key)?.is_none());
    tree.write_credentials(&key, &ana("segredo"))?;
    let path = tree.path_of("credenciais.json");
    let text = std::fs::read_to_string(&path)?;
    assert!(text.starts_with("{\n  \"usuario_portal\": \"ana.maria\",\n  \"senha_portal\": \"gAAAAA"), "{text}");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644))?;
    assert_eq!(tree.write_credentials(&key, &ana("segredo"))?, Written::Unchanged);
    assert_eq!(std::fs::read_to_string(&path)?, text);
    assert_eq!(mode(&path)?, 0o600);
    assert_eq!(tree.write_credentials(&key, &ana("outro"))?, Written::Changed);
    assert_eq!(std::fs::read_dir(tree.path())?.count(), 1, "no temp file stays");
    Ok(())
}

#[test]
fn bad_key_files_say_what_to_do() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    for (text, mode, code, exit, hint) in [
        (KEY, 0o640, "key_readable_by_others", Exit::Refused, "chmod 600"),
        (KEY, 0o604, "key_readable_by_others", Exit::Refused, "chmod 600"),
        ("short", 0o600, "key_invalid", Exit::Config, "backup"),
        (&KEY[..43], 0o600, "key_invalid", Exit::Config, "backup"),
        ("!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!", 0o600, "key_invalid", Exit::Config, "backup"),
        (&format!("{KEY}{KEY}"), 0o600, "key_invalid", Exit::Config, "backup"),
        (&format!("{KEY}\n\n\n\nmore"), 0o600, "key_invalid", Exit::Config, "backup"),
    ] {
        let path = key_file(&dir, text, mode)?;
        let failure = Key::load(&path).expect_err(text);
        assert_eq!((failure.code(), failure.exit()), (code, exit), "{text}");
        assert!(failure.to_string().contains("segredo.key") && failure.hint_text().is_some_and(|h| h.contains(hint)), "{failure:?}");
        assert!(!format!("{failure:?}").contains(&KEY[..20]), "the key must not be told");
    }
    Ok(())
}

#[test]
fn a_missing_key_comes_with_a_command_that_makes_one() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("o'segredo.key");
    let failure = Key::load(&path).expect_err("there is none");
    assert_eq!((failure.code(), failure.exit()), ("key_missing", Exit::Config));
    let (_, command) = failure.hint_text().and_then(|h| h.split_once("one:\n")).expect("the hint has a command");
    assert!(std::process::Command::new("sh").args(["-c", command]).status()?.success(), "{command}");
    let key = Key::load(&path)?;
    assert!(format!("{key:?}").contains("REDACTED"), "{key:?}");
    Ok(())
}

#[test]
fn another_key_and_damage_are_told_and_nothing_is_overwritten() -> anyhow::Result<()> {
    let (dir, tree, key) = tree()?;
    tree.write_credentials(&key, &ana("segredo"))?;
    let path = tree.path_of("credenciais.json");
    let before = std::fs::read_to_string(&path)?;
    let other = Key::load(&key_file(&dir, "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY=", 0o600)?)?;
    let failure = tree.write_credentials(&other, &ana("novo")).expect_err("another key");
    assert_eq!((failure.code(), failure.exit()), ("credentials_other_key", Exit::Config));
    assert_eq!(std::fs::read_to_string(&path)?, before);
    std::fs::write(&path, "{\"usuario_portal\": 1")?;
    assert_eq!(tree.read_credentials(&key).expect_err("damaged").code(), "credentials_damaged");
    assert_eq!(tree.write_credentials(&key, &ana("novo")).expect_err("damaged").exit(), Exit::Data);
    Ok(())
}

#[test]
fn passwords_do_not_show() {
    assert!(!format!("{:?}", ana("segredo123")).contains("segredo123"));
}
