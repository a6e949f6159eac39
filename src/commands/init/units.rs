//! The units of the package write to their own places only: where the answers name others, a drop-in lets them in.

use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use schemars::JsonSchema;
use serde::Serialize;

use crate::config::Settings;
use crate::doctor::systemd::{DROP_IN, ShutOut, UNITS, shut_out};
use crate::domain::text::visible;

/// Something that is not as it should be in spite of everything that was written.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Note {
    pub(super) message: String,
    /// The command that mends it.
    pub(super) fix: String,
}

/// Lets the units that are installed below `root` write where the settings put things. Gives the drop-ins it wrote; a unit
/// that stays shut out is a note, and no reason to undo the rest.
pub(super) fn let_in(root: &Path, settings: &Settings) -> (Vec<PathBuf>, Option<Note>) {
    let Some(shut) = shut_out(root, settings) else { return (Vec::new(), None) };
    let (mut written, mut why) = (Vec::new(), None);
    for service in &shut.services {
        match write(root, service, &shut) {
            Ok(file) => written.push(file),
            Err(e) => why = Some(e),
        }
    }
    if !written.is_empty() {
        // Where systemd does not run it reads them when it starts.
        let _ = Command::new("systemctl").arg("daemon-reload").output();
    }
    // Looked at once more: what an admin's drop-in takes back is shut however much was written.
    let note = shut_out(root, settings).map(|shut| {
        let why = why.map(|e| format!(" ({})", visible(&e.to_string()))).unwrap_or_default();
        Note { message: format!("{}{why}", shut.message()), fix: shut.command() }
    });
    (written, note)
}

/// Writes the drop-in of one unit, in place of the one of ours that may be there.
fn write(root: &Path, service: &str, shut: &ShutOut) -> io::Result<PathBuf> {
    let text = shut.drop_in().ok_or_else(|| io::Error::other("systemd cannot be told of a folder with such a name"))?;
    let folder = root.join(UNITS.trim_start_matches('/')).join(format!("{service}.d"));
    std::fs::create_dir_all(&folder)?;
    let mut new = tempfile::NamedTempFile::new_in(&folder)?;
    new.write_all(text.as_bytes())?;
    new.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))?;
    new.as_file().sync_all()?;
    let file = folder.join(DROP_IN);
    new.persist(&file)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    fn machine() -> (tempfile::TempDir, Settings) {
        let root = tempfile::tempdir().expect("a root");
        let units = root.path().join("etc/systemd/system");
        std::fs::create_dir_all(&units).expect("made");
        for name in ["tecnico-watch.service", "tecnico-agent.service"] {
            let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/systemd").join(name);
            std::fs::copy(ours, units.join(name)).expect("copied");
        }
        let mut settings = config::resolve_text("[drive]\nparent_folder_id = \"1\"\n").expect("settings");
        settings.base_dir = "/data/t".into();
        (root, settings)
    }

    #[test]
    fn a_drop_in_of_ours_is_replaced_and_others_stay() {
        let (root, settings) = machine();
        let folder = root.path().join("etc/systemd/system/tecnico-watch.service.d");
        std::fs::create_dir(&folder).expect("made");
        for file in ["paths.conf", DROP_IN] {
            std::fs::write(folder.join(file), "[Service]\nReadWritePaths=/data/old\n").expect("written");
        }
        let (written, note) = let_in(root.path(), &settings);
        assert!(written.len() == 2 && note.is_none(), "{written:?}, {note:?}");
        assert!(std::fs::read_to_string(folder.join(DROP_IN)).expect("ours").contains("\"-/data/t\""));
        assert!(std::fs::read_to_string(folder.join("paths.conf")).expect("another's").contains("/data/old"));
        assert_eq!(std::fs::metadata(folder.join(DROP_IN)).expect("ours").permissions().mode() & 0o777, 0o644);
        assert_eq!(let_in(root.path(), &settings).0, Vec::<PathBuf>::new(), "nothing is to do any more");
    }

    #[test]
    fn a_unit_that_stays_shut_out_is_a_note_with_the_command_and_the_others_are_let_in() {
        let (root, settings) = machine();
        std::fs::write(root.path().join("etc/systemd/system/tecnico-watch.service.d"), "in the way").expect("written");
        let (written, note) = let_in(root.path(), &settings);
        let note = note.expect("a note");
        assert!(written.len() == 1 && written[0].to_string_lossy().contains("tecnico-agent.service.d"), "{written:?}");
        assert!(
            note.message.contains("tecnico-watch.service may not write to /data/t") && note.message.contains("File exists"),
            "{note:?}"
        );
        assert!(note.fix.starts_with("for unit in tecnico-watch.service; do"), "{note:?}");
    }
}
