//! Hostile names: refused or made safe, never followed.

use super::support::everything;
use crate::support::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_name_is_refused_before_anything_is_written() {
    let world = World::new().await;
    let before = everything(&world);
    let long = "a".repeat(300);
    for name in [
        "Ana/Maria",
        "..",
        "../../etc",
        ".oculta",
        "Ana\nMaria",
        "Ana\u{7}",
        &long,
        "\u{202e}airaM anA",
        "Ana\u{200b}Maria",
        "a\\b",
        "tecnicos.json",
    ] {
        let error = world.json(65, &["create", "42", "--name", name]).await;
        assert_eq!(error["error"]["code"], "name_invalid", "{name:?}: {error}");
        assert!(error["error"]["hint"].as_str().is_some_and(|h| h.contains("nothing was changed")), "{error}");
    }
    for user in ["", "   ", "42\n", " 42", "../42", "\u{202e}42"] {
        let ran = world.run(&["create", user]).await.expect(65);
        assert!(ran.stderr.contains("nothing was changed"), "{user:?}: {}", ran.stderr);
    }
    assert_eq!(everything(&world), before);
    assert!(!world.vm().exists() || std::fs::read_dir(world.vm()).expect("read").count() == 0);
    assert_eq!(world.json(0, &["list"]).await["technicians"], serde_json::json!([]));
}

/// Odd names that are names all the same: the folder says them on both sides, and nothing leaves the base directory.
#[tokio::test(flavor = "multi_thread")]
async fn an_odd_but_honest_name_is_kept() {
    let world = World::new().await;
    for (user, name, folder) in [
        ("1", "D'Ávila & Filhos; rm -rf $HOME", "D'Ávila_&_Filhos;_rm_-rf_$HOME"),
        ("2", "José \"Zé\" da Silva", "José_\"Zé\"_da_Silva"),
        ("3", "  Bea   Souza  ", "Bea___Souza"),
        ("4", "-rf", "-rf"),
        ("5", "*", "*"),
        ("6", "   ", "Usuario_6"),
    ] {
        let made = world.json(0, &["create", user, &format!("--name={name}")]).await;
        assert_eq!(made["folder"], folder);
        assert!(world.vm().join(folder).join("pdfs/novos").is_dir(), "{folder}");
        assert!(world.drive_tree().contains_key(folder), "{folder}");
    }
    assert!(world.json(0, &["check"]).await["findings"].as_array().is_some_and(Vec::is_empty));
}

/// A user id with quotes goes into a query of Drive's; it must find its own tree again, and no other.
#[tokio::test(flavor = "multi_thread")]
async fn a_user_id_with_quotes_cannot_break_out_of_the_query() {
    let world = World::new().await;
    world.json(0, &["create", "42", "--name", "Ana Maria"]).await;
    let user = "x' } or trashed = true or appProperties has { key='tecnico_user' and value='42";
    let made = world.json(0, &["create", user, "--name", "Bea"]).await;
    assert_eq!((made["status"].as_str(), made["folder"].as_str()), (Some("created"), Some("Bea")));
    world.forget().await;
    let again = world.json(0, &["create", user, "--name", "Bea"]).await;
    assert_eq!(again["drive_folders"], made["drive_folders"]);
}

/// A link planted where a technician's folder will lie leads nowhere.
#[tokio::test(flavor = "multi_thread")]
async fn a_link_in_the_tree_is_not_followed() {
    let world = World::new().await;
    std::fs::create_dir_all(world.vm()).expect("made");
    std::fs::create_dir(world.path("outside")).expect("made");
    std::os::unix::fs::symlink(world.path("outside"), world.vm().join("Ana_Maria")).expect("linked");
    world.run(&["create", "42", "--name", "Ana Maria"]).await;
    std::fs::create_dir(world.vm().join("Bea")).expect("made");
    std::os::unix::fs::symlink(world.path("outside"), world.vm().join("Bea/pdfs")).expect("linked");
    world.run(&["create", "43", "--name", "Bea"]).await;
    assert_eq!(std::fs::read_dir(world.path("outside")).expect("read").count(), 0);
}
