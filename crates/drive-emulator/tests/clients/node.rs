//! googleapis for Node, Google's own (10.7).

use std::path::Path;

use crate::support::{Rig, beside, finish, installed};

#[tokio::test(flavor = "multi_thread")]
async fn googles_node_client_reads_writes_shares_and_follows() {
    let rig = Rig::start().await;
    let modules = installed("TECNICO_TEST_NODE", "test-node").join("node_modules");
    let library = modules.join("googleapis");
    assert!(library.is_dir(), "{} is missing: scripts/test installs the clients these tests run", library.display());
    let mut command = rig.command("node");
    command.arg(beside("node/methods.cjs")).env("NODE_PATH", Path::new(&modules));
    finish(command).await;
    rig.nothing_unknown();
    for op in ["files.create", "files.update", "files.copy", "files.list", "permissions.create", "changes.list", "drives.create"] {
        assert!(rig.count(op) > 0, "{op} is not called");
    }
}
