//! What the package puts on a machine, and a folder that stands in for `/etc`.

use std::path::{Path, PathBuf};

/// The services of the package.
pub const SERVICES: [&str; 3] = ["tecnico-watch.service", "tecnico-agent.service", "tecnico-serve.service"];

/// A file of packaging/.
pub fn packaging(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging").join(path)
}

/// A folder to be mounted as `/etc`: root is known there, and the services are installed as `change` leaves them.
pub fn stand_in(etc: &Path, change: impl Fn(String) -> String) {
    let units = etc.join("systemd/system");
    for folder in [&units, &etc.join("tecnico")] {
        std::fs::create_dir_all(folder).expect("made");
    }
    std::fs::write(etc.join("passwd"), "root:x:0:0:root:/root:/bin/sh\n").expect("written");
    for name in SERVICES {
        let text = std::fs::read_to_string(packaging("systemd").join(name)).expect("there");
        std::fs::write(units.join(name), change(text)).expect("written");
    }
}
