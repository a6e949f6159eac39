//! Clients that nobody here wrote, beside the real binary.

use serde_json::Value;

use crate::support::python;
use crate::support::world::World;

const CREATE: [&str; 7] = ["create", "42", "--name", "Ana Maria", "--portal-user", "ana", "--portal-password-stdin"];

#[tokio::test(flavor = "multi_thread")]
async fn c1_3_python_decrypts_what_we_wrote() {
    let world = World::new().await;
    world.run_with_stdin(&CREATE, "s3nha çom acento\n").await.expect(0);
    let (key, file) = (world.path("segredo.key"), world.vm().join("Ana_Maria/credenciais.json"));
    let program = "import json, sys; from cryptography.fernet import Fernet\n\
        key, file = (open(p, 'rb').read() for p in sys.argv[1:])\n\
        sys.stdout.buffer.write(Fernet(key.strip()).decrypt(json.loads(file)['senha_portal'].encode()))";
    let said = python::run(program, &[&key.display().to_string(), &file.display().to_string()]).expect("it runs");
    assert_eq!(said, "s3nha çom acento");
}

/// A file Python wrote says the same password: ours is not written over it. Another password is.
#[tokio::test(flavor = "multi_thread")]
async fn c1_3_we_read_what_python_wrote() {
    let world = World::new().await;
    world.json(0, &["create", "42", "--name", "Ana Maria"]).await;
    let (key, file) = (world.path("segredo.key"), world.vm().join("Ana_Maria/credenciais.json"));
    let program = "import json, os, sys; from cryptography.fernet import Fernet\n\
        token = Fernet(open(sys.argv[1], 'rb').read().strip()).encrypt('s3nha'.encode()).decode()\n\
        os.umask(0o077); json.dump({'usuario_portal': 'ana', 'senha_portal': token}, open(sys.argv[2], 'w'), indent=2)";
    python::run(program, &[&key.display().to_string(), &file.display().to_string()]).expect("it runs");
    let written = std::fs::read(&file).expect("read");
    world.run_with_stdin(&CREATE, "s3nha\n").await.expect(0);
    assert_eq!(std::fs::read(&file).expect("read"), written, "the same password: read, and left");
    world.run_with_stdin(&CREATE, "outra\n").await.expect(0);
    assert_ne!(std::fs::read(&file).expect("read"), written);
}

/// google-api-python-client, with the service account's own key, sees the tree and its grants (drive-v3-behaviour 10.1).
#[tokio::test(flavor = "multi_thread")]
async fn googles_python_client_lists_our_tree() {
    let world = World::new().await;
    let made = world.json(0, &["create", "42", "--email", "ana@example.com", "--name", "Ana Maria"]).await;
    let program = include_str!("list_tree.py");
    let (url, key) = (world.emulator.url().to_owned(), world.path("service-account.json").display().to_string());
    let parent = world.parent.clone();
    let said = tokio::task::spawn_blocking(move || python::run(program, &[&url, &key, &parent])).await.expect("it ends").expect("it runs");
    let tree: Value = serde_json::from_str(&said).expect("JSON");
    let mut seen: Vec<String> = tree.as_object().expect("an object").keys().cloned().collect();
    seen.sort_unstable();
    assert_eq!(seen, world.drive_tree().into_keys().collect::<Vec<_>>());
    assert_eq!(tree["Ana_Maria/pdfs/novos"]["id"], made["drive_folders"]["novos_folder_id"]);
    assert_eq!(tree["Ana_Maria/pdfs/novos"]["roles"], serde_json::json!(["writer"]));
    assert_eq!(tree["Ana_Maria/pdfs/erro"]["roles"], serde_json::json!([]));
}
