//! Drive: who we are there, the folder everything lies in, and whether all that tecnico does there works.

use std::collections::BTreeMap;
use std::time::Instant;

use super::{Finding, Findings, gigabytes};
use crate::config::settings::DriveSettings;
use crate::domain::clock::{Millis, now};
use crate::drive::{Change, Created, Drive, DriveError, Entry, FileId, Kind, NewFolder, NewGrant};

/// Tokens are refused when the clock is off by more than minutes; before that, times in the ledger mislead.
const SKEW: Millis = 60_000;

/// How far this machine's clock is from Drive's. Asked without a token: a wrong clock gets none.
pub async fn clock(drive: &Drive) -> Result<Findings, DriveError> {
    let asked_at = now();
    let theirs = drive.their_time().await?;
    let answered_at = now();
    Ok(vec![match theirs {
        None => Finding::warning("clock", "Drive's answer does not say what time it is", "look at what stands between here and Drive"),
        Some(theirs) => {
            skew(theirs, asked_at, answered_at).unwrap_or_else(|| Finding::good("clock", "this machine's clock agrees with Google's"))
        }
    }])
}

/// The finding where the clocks are too far apart. Their time is cut to a second.
fn skew(theirs: Millis, asked_at: Millis, answered_at: Millis) -> Option<Finding> {
    let off = if theirs < asked_at { asked_at - theirs } else { (theirs - answered_at).max(0) };
    (off > SKEW).then(|| {
        let word = if theirs < asked_at { "ahead of" } else { "behind" };
        let message = format!("this machine's clock is {} s {word} Google's; from five minutes on, tokens are refused", off / 1000);
        Finding::problem(
            "clock",
            message,
            "`sudo timedatectl set-ntp true`; where that is not supported `sudo apt install systemd-timesyncd`",
        )
    })
}

/// Whether Google gives a token for the credentials.
pub async fn token(drive: &Drive) -> Result<Findings, DriveError> {
    drive.try_token().await?;
    Ok(vec![Finding::good("token", "Google gives a token for the credentials")])
}

/// Whether the token may do everything.
pub async fn scope(drive: &Drive) -> Result<Findings, DriveError> {
    drive.try_scope().await?;
    Ok(vec![Finding::good("scope", "the token has the whole Drive scope")])
}

/// The account, its storage, and the shared drive.
pub async fn account(drive: &Drive, settings: &DriveSettings) -> Result<Findings, DriveError> {
    let about = drive.about().await?;
    let mut findings = vec![Finding::good("account", format!("Drive knows us as {}", about.email))];
    match drive.shared_drive_id() {
        // A sandbox has its technicians' files alone, and nothing to configure.
        None if settings.is_sandbox() => {}
        // Folders take no storage, and the files are the technicians'.
        None if about.storage_limit == Some(0) => {
            findings.push(Finding::good("account", format!("{} owns no storage, and needs none: it makes folders only", about.email)));
        }
        None => {
            if let (Some(limit), Some(used)) = (about.storage_limit, about.storage_used)
                && limit > 0
                && used > limit / 20 * 19
            {
                let message = format!("{} of {} of the account's storage are used", gigabytes(used), gigabytes(limit));
                findings.push(Finding::warning("account", message, "free some space in that account's Drive"));
            }
        }
        Some(id) => findings.push(shared_drive(drive, id, &about.email).await?),
    }
    Ok(findings)
}

async fn shared_drive(drive: &Drive, id: &FileId, me: &str) -> Result<Finding, DriveError> {
    let fix = format!("in Drive, under the shared drive's members, add {me} as Manager");
    Ok(match drive.shared_drive(id).await? {
        None => Finding::problem("account", format!("shared drive {id} does not exist, or {me} is no member of it"), fix),
        Some(d) if !d.can_add_children => Finding::problem("account", format!("{me} may not write to the shared drive {:?}", d.name), fix),
        Some(d) => Finding::good("account", format!("{me} may write to the shared drive {:?}", d.name)),
    })
}

/// The parent folder: there, a folder, writable, and where the settings say it lies.
pub async fn parent(drive: &Drive, settings: &DriveSettings) -> Result<Findings, DriveError> {
    let me = drive.account();
    let id = match parent_id(settings) {
        Ok(id) => id,
        Err(finding) => return Ok(vec![finding]),
    };
    let Some(folder) = drive.get(&id).await? else {
        return Ok(vec![Finding::problem(
            "parent",
            format!("the folder {id} (drive.parent_folder_id) does not exist, or {me} cannot see it"),
            format!("share the folder with {me} as Editor (shared drive: Manager), and compare the id with its address in the browser"),
        )]);
    };
    Ok(vec![judge_parent(&folder, settings, &me)])
}

fn parent_id(settings: &DriveSettings) -> Result<FileId, Finding> {
    FileId::new(settings.parent_folder_id.as_str())
        .map_err(|e| Finding::problem("parent", format!("drive.parent_folder_id: {e}"), "copy the last part of the folder's address"))
}

fn judge_parent(folder: &Entry, settings: &DriveSettings, me: &str) -> Finding {
    let name = &folder.name;
    if !folder.is_folder() {
        return Finding::problem("parent", format!("{name:?} is not a folder"), "set drive.parent_folder_id to the id of a folder");
    }
    if folder.trashed {
        return Finding::problem("parent", format!("the folder {name:?} lies in the trash"), "restore it in Drive's trash");
    }
    if !folder.can.add_children {
        let fix = format!("share it with {me} as Editor (shared drive: Manager)");
        return Finding::problem("parent", format!("{me} may see the folder {name:?} but not write to it"), fix);
    }
    match (&folder.drive_id, &settings.shared_drive_id) {
        (Some(lies), wanted) if wanted.as_deref() != Some(lies.as_str()) => Finding::problem(
            "parent",
            format!(
                "the folder {name:?} lies in the shared drive {lies}, which is not drive.shared_drive_id: its changes would not be seen"
            ),
            format!("in the config, under [drive]: shared_drive_id = \"{lies}\""),
        ),
        (None, Some(wanted)) => Finding::problem(
            "parent",
            format!("the folder {name:?} does not lie in the shared drive {wanted}"),
            "move it there, or leave drive.shared_drive_id empty",
        ),
        // Content managers may share folders only where the shared drive's settings let them (3.11).
        _ if !folder.can.share => {
            let fix = match folder.drive_id {
                Some(_) => {
                    format!("under the shared drive's members make {me} a Manager, or in its settings let Content managers share folders")
                }
                None => format!("ask the folder's owner to let editors share it (or make {me} its owner)"),
            };
            let message =
                format!("{me} may write to the folder {name:?} but not share what lies in it: novos could not be given to a technician");
            Finding::problem("parent", message, fix)
        }
        _ => Finding::good("parent", format!("the folder {name:?} is there, and may be written to and shared")),
    }
}

/// Everything tecnico does on Drive, once, in a folder of its own that goes to the trash: create, share (with `share_with`,
/// or else with the account itself), move, rename, trash.
pub async fn round_trip(drive: &Drive, settings: &DriveSettings, share_with: Option<&str>) -> Result<Findings, DriveError> {
    let parent = match parent_id(settings) {
        Ok(id) => id,
        Err(finding) => return Ok(vec![finding]),
    };
    let began = Instant::now();
    let ids = drive.generate_ids(3).await?;
    let [scratch, from, to] = ids.as_slice() else { return Ok(Vec::new()) };
    create(drive, scratch, "tecnico doctor (pode ser apagada)", &parent).await?;
    let tried = try_all(drive, scratch, from, to, share_with).await;
    // Whatever went wrong in it, the scratch folder goes.
    let trashed = drive.update(scratch, &Change { trashed: Some(true), ..Change::default() }).await;
    let share = tried?;
    trashed?;
    let took = began.elapsed().as_secs_f64();
    let (shared, refused) = match share {
        Ok(who) => (format!("shared with {who}, "), None),
        Err(finding) => (String::new(), Some(finding)),
    };
    let good = Finding::good("roundtrip", format!("a folder was made, {shared}moved, renamed and put into the trash in {took:.1} s"));
    Ok(std::iter::once(good).chain(refused).collect())
}

/// Whom the folder was shared with; or why it was not, where that is no fault for certain.
type Shared = Result<String, Finding>;

async fn try_all(drive: &Drive, scratch: &FileId, from: &FileId, to: &FileId, share_with: Option<&str>) -> Result<Shared, DriveError> {
    create(drive, from, "de", scratch).await?;
    create(drive, to, "para", scratch).await?;
    let grant = |email: &str, role: &str| NewGrant { email: email.to_owned(), role: role.to_owned(), notify: false };
    let shared = if let Some(email) = share_with {
        drive.grant(from, &grant(email, "reader")).await?;
        Ok(email.to_owned())
    } else {
        let me = drive.about().await?.email;
        match drive.grant(from, &grant(&me, "writer")).await {
            Ok(_) => Ok(me),
            // Nothing says that Drive always takes this; with somebody else's address it would be certain.
            Err(error) if matches!(error.kind, Kind::Refused | Kind::BadRequest) => Err(Finding::warning(
                "roundtrip",
                format!("a folder could not be shared with {me}, the account itself: {error}"),
                "try it with an address that could be a technician's: `tecnico doctor --only roundtrip --as E-MAIL`",
            )),
            Err(error) => return Err(error),
        }
    };
    let moved =
        Change { name: Some("movida".to_owned()), add_parent: Some(to.clone()), remove_parent: Some(scratch.clone()), ..Change::default() };
    drive.update(from, &moved).await?;
    Ok(shared)
}

async fn create(drive: &Drive, id: &FileId, name: &str, parent: &FileId) -> Result<Created, DriveError> {
    let folder = NewFolder { id: id.clone(), name: name.to_owned(), parent: parent.clone(), app_properties: BTreeMap::new() };
    drive.create_folder(&folder).await
}

/// Whether the feed of changes can be read.
pub async fn feed(drive: &Drive) -> Result<Findings, DriveError> {
    let token = drive.start_token(drive.shared_drive_id()).await?;
    drive.changes(&token, drive.shared_drive_id()).await?;
    Ok(vec![Finding::good("feed", "the feed of changes can be read")])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_told_off_only_beyond_a_minute_and_the_right_way() {
        assert_eq!(skew(1_000_500, 1_000_000, 1_001_000), None);
        assert_eq!(skew(1_050_000, 1_000_000, 1_001_000), None, "within a minute");
        assert!(skew(1_500_000, 1_000_000, 1_001_000).is_some_and(|f| f.message.contains("499 s behind")));
        assert!(skew(500_000, 1_000_000, 1_001_000).is_some_and(|f| f.message.contains("500 s ahead of")));
    }
}
