//! `fields`: nothing panics, a mask only takes away, and taking away twice takes away no more.

use drive_emulator::mask::{Kind, Mask};
use serde_json::{Value, json};

const KINDS: [Kind; 14] = [
    Kind::About,
    Kind::ChangeList,
    Kind::Channel,
    Kind::Drive,
    Kind::DriveList,
    Kind::File,
    Kind::FileList,
    Kind::GeneratedIds,
    Kind::LabelList,
    Kind::Permission,
    Kind::PermissionList,
    Kind::Revision,
    Kind::RevisionList,
    Kind::StartPageToken,
];

/// Text as it stands in a request.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for kind in KINDS {
        let Ok(mask) = Mask::parse(text, kind) else { continue };
        for whole in [file(), json!({"kind": "k", "nextPageToken": "t", "files": [file(), file()], "changes": [{"file": file()}]})] {
            let once = mask.apply(whole.clone());
            assert!(is_part(&once, &whole), "{text:?} made {once} of {whole}");
            assert_eq!(mask.apply(once.clone()), once, "{text:?} twice");
            for (name, _) in once.as_object().into_iter().flatten() {
                assert!(mask.wants(name), "{text:?} keeps {name} and does not want it");
            }
        }
    }
}

fn file() -> Value {
    json!({
        "kind": "drive#file", "id": "a", "name": "n", "mimeType": "a/b", "size": "1", "trashed": false, "parents": ["p"],
        "owners": [{"me": true, "emailAddress": "ana@example.com"}], "capabilities": {"canEdit": true},
        "appProperties": {"k": "v", "*": "star"}, "permissions": [{"id": "1", "permissionDetails": [{"role": "writer"}]}],
    })
}

/// Whether everything in `part` stands at the same place in `whole`.
pub fn is_part(part: &Value, whole: &Value) -> bool {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => {
            part.iter().all(|(name, value)| whole.get(name).is_some_and(|in_whole| is_part(value, in_whole)))
        }
        (Value::Array(part), Value::Array(whole)) => {
            part.len() == whole.len() && part.iter().zip(whole).all(|(part, whole)| is_part(part, whole))
        }
        (part, whole) => part == whole,
    }
}
