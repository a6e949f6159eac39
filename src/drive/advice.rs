//! From a failed call to what a person is told: the exit code, the stable code, and the act that mends it.

use std::fmt::Display;

use super::error::{DriveError, Facts, Kind};
use crate::error::{Exit, Failure};

impl DriveError {
    /// Exit code, stable code and the act that mends it.
    pub fn advice(&self) -> (Exit, &'static str, Option<String>) {
        advice(self)
    }

    /// The failure a user reads. `blame` says for whom or what, e.g. `technician 42 (Ana Maria)`.
    pub fn into_failure(self, blame: impl Display) -> Failure {
        let (exit, code, hint) = advice(&self);
        let failure = Failure::new(exit, code, format!("{blame}: {self}"));
        let failure = match hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        };
        match self.into_facts().cause {
            Some(cause) => failure.because(anyhow::Error::from_boxed(cause)),
            None => failure,
        }
    }
}

type Advice = (Exit, &'static str, Option<String>);

fn advice(f: &Facts) -> Advice {
    if let Some(advice) = f.reason.as_deref().and_then(|reason| by_reason(reason, f)) {
        return advice;
    }
    let me = &f.account;
    match f.kind {
        Kind::RateLimited => (Exit::Later, "rate_limited", Some(later(f))),
        Kind::SharingLimited => {
            (Exit::Later, "sharing_rate_limited", Some("wait some minutes before sharing again; what is done stays done".into()))
        }
        Kind::Quota => (
            Exit::Later,
            "drive_quota",
            Some("a limit of Drive is reached; it is lifted within a day, or something must be made smaller".into()),
        ),
        Kind::Server => (
            Exit::Unavailable,
            "drive_unavailable",
            Some("Drive has trouble of its own: run the same command again later, it goes on where it stopped".into()),
        ),
        Kind::Network => (
            Exit::Unavailable,
            "drive_unreachable",
            Some("check the network and `drive.endpoint`; the same command goes on where it stopped".into()),
        ),
        Kind::Timeout => {
            (Exit::Unavailable, "drive_timeout", Some("run the same command again; raise `drive.timeout` if the line is slow".into()))
        }
        Kind::Credentials => {
            (Exit::Refused, "credentials_refused", Some(format!("make a new key for {me} and put it where `drive.credentials` points")))
        }
        Kind::Gone => (
            Exit::Refused,
            "drive_not_found",
            Some(format!(
                "it does not exist or {me} cannot see it: share it with {me} as writer; if it lies in a shared drive set `drive.shared_drive_id`"
            )),
        ),
        Kind::Conflict => (Exit::Bug, "drive_conflict", None),
        Kind::Refused => (Exit::Refused, "drive_refused", Some(format!("ask the owner to allow this to {me}"))),
        Kind::BadToken => (Exit::Later, "feed_token_rejected", Some("the feed starts over from a full listing".into())),
        Kind::BadRequest => (Exit::Bug, "drive_bad_request", None),
        Kind::Unreadable => (
            Exit::Unavailable,
            "drive_answer_unreadable",
            Some("something between here and Drive changes its answers; check `drive.endpoint` and any proxy".into()),
        ),
        Kind::Local => (Exit::Io, "local_io", Some("check the disk".into())),
    }
}

fn by_reason(reason: &str, f: &Facts) -> Option<Advice> {
    let me = &f.account;
    let refused = |code, hint: String| Some((Exit::Refused, code, Some(hint)));
    match reason {
        "storageQuotaExceeded" if f.message.contains("Service Account") || me.ends_with(".gserviceaccount.com") => refused(
            "service_account_has_no_storage",
            format!("{me} is a service account and owns no storage: use a shared drive (`drive.shared_drive_id`), or act for a user (`drive.subject`)"),
        ),
        "storageQuotaExceeded" => refused("storage_full", format!("the storage of {me} is full: free some, or buy more")),
        "insufficientParentPermissions" => refused("parent_not_writable", format!("share the parent folder with {me} as writer (Editor)")),
        // In a shared drive a Content manager may do everything but this, unless its settings say so (3.11).
        "insufficientFilePermissions" | "forbidden" if f.what.starts_with("share ") => refused(
            "no_permission",
            format!(
                "in a shared drive make {me} a Manager, or in its settings let Content managers share folders; in My Drive share the folder with {me} as Editor"
            ),
        ),
        "insufficientFilePermissions" | "forbidden" | "cannotAddParent" => {
            refused("no_permission", format!("share the folder with {me} as writer (Editor); in a shared drive make it a Content manager"))
        }
        "parentNotAFolder" => Some((Exit::Config, "parent_not_a_folder", Some("set `drive.parent_folder_id` to the id of a folder".into()))),
        "insufficientPermissions" | "ACCESS_TOKEN_SCOPE_INSUFFICIENT" => {
            refused("scope_missing", "the token lacks the Drive scope: log in again with https://www.googleapis.com/auth/drive (a virtual machine's own account: give the machine that access scope)".into())
        }
        "accessNotConfigured" | "SERVICE_DISABLED" => {
            refused("drive_api_disabled", "enable the Google Drive API in the Cloud project of the credentials, then wait a few minutes".into())
        }
        "domainPolicy" | "publishOutNotPermitted" | "shareOutNotPermitted" | "shareOutNotPermittedToUser" | "shareInNotPermitted"
        | "shareOutWarning" | "teamDriveDomainUsersOnlyRestriction" | "teamDriveTeamMembersOnlyRestriction"
        | "teamDrivesSharingRestrictionNotAllowed" | "cannotShareTeamDriveWithNonGoogleAccounts" | "targetUserRoleLimitedByLicenseRestriction" => refused(
            "sharing_forbidden_by_policy",
            "the domain's policy forbids this share: ask its administrator to allow sharing with this address, or use an address inside the domain".into(),
        ),
        "teamDrivesFolderSharingNotSupported" => {
            refused("sharing_needs_organizer", format!("in this shared drive only a Manager may share folders: make {me} one"))
        }
        "invalidSharingRequest" if f.message.contains("ACL change not allowed") => {
            refused("sharing_forbidden_by_policy", "the domain's policy forbids this share: ask its administrator".into())
        }
        "invalidSharingRequest" if f.message.contains("no Google account") || f.message.contains("Notify people") => Some((
            Exit::Data,
            "invitation_needed",
            Some("this address has no Google account, so Google must invite it by e-mail: `tecnico share USER --notify`, or set share.notify".into()),
        )),
        "invalidSharingRequest" => Some((Exit::Data, "share_refused", Some("check the address".into()))),
        "invalid" if f.location.as_deref() == Some("permission.emailAddress") || f.message.contains("emailAddress") => {
            Some((Exit::Data, "email_refused", Some("Drive does not take this e-mail address: correct it".into())))
        }
        "dailyLimitExceeded" | "quotaExceeded" => Some((Exit::Later, "daily_limit", Some("the project's limit for today is spent; it is lifted within a day".into()))),
        "downloadQuotaExceeded" => Some((Exit::Later, "download_limit", Some("this file was downloaded too often; Drive allows it again within a day".into()))),
        "numChildrenInNonRootLimitExceeded" => {
            refused("folder_full", "a folder holds at most 500,000 items: put {year} and {month} into `layout.processed` and `layout.failed`".into())
        }
        "teamDriveFileLimitExceeded" => refused("shared_drive_full", "a shared drive holds at most 500,000 items: empty its trash, or use another".into()),
        "invalid_grant" if f.message.contains("JWT") && f.message.contains("timeframe") => {
            refused("clock_wrong", "Google does not accept this machine's time: set its clock (`timedatectl`)".into())
        }
        "invalid_grant" => refused("credentials_revoked", format!("the key of {me} was revoked or is wrong: make a new one and put it where `drive.credentials` points")),
        "unauthorized_client" => refused(
            "delegation_missing",
            "in the admin console grant the service account domain-wide delegation for https://www.googleapis.com/auth/drive; it can take a day".into(),
        ),
        "no_default_credentials" => Some((
            Exit::Config,
            "no_credentials",
            Some("set `drive.credentials` or GOOGLE_APPLICATION_CREDENTIALS to the key of a service account".into()),
        )),
        "no_access_token" => refused("credentials_refused", "the token endpoint gave no access token: check `token_uri` in the key file".into()),
        _ => None,
    }
}

fn later(f: &Facts) -> String {
    match f.retry_after {
        Some(wait) => format!("Drive asks to wait {} s; the same command then goes on where it stopped", wait.as_secs()),
        None => "run the same command again in a minute; it goes on where it stopped".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(kind: Kind, reason: Option<&str>) -> Failure {
        DriveError::new(kind, "Message.")
            .with(|f| {
                f.status = Some(403);
                f.reason = reason.map(str::to_owned);
                f.what = "create folder \"novos\"".into();
                f.account = "robot@project.iam.gserviceaccount.com".into();
            })
            .into_failure("technician 42 (Ana Maria)")
    }

    #[test]
    fn the_message_says_for_whom_what_and_why() {
        let f = failure(Kind::Refused, Some("insufficientParentPermissions"));
        assert_eq!(
            f.to_string(),
            "technician 42 (Ana Maria): create folder \"novos\": Message. (Drive: 403 insufficientParentPermissions)"
        );
        assert_eq!((f.exit(), f.code()), (Exit::Refused, "parent_not_writable"));
        assert!(f.hint_text().expect("a hint").contains("robot@project.iam.gserviceaccount.com"));
    }

    #[test]
    fn each_kind_ends_the_process_in_its_own_way() {
        for (kind, reason, exit, code) in [
            (Kind::RateLimited, None, Exit::Later, "rate_limited"),
            (Kind::SharingLimited, None, Exit::Later, "sharing_rate_limited"),
            (Kind::Network, None, Exit::Unavailable, "drive_unreachable"),
            (Kind::Timeout, None, Exit::Unavailable, "drive_timeout"),
            (Kind::Server, None, Exit::Unavailable, "drive_unavailable"),
            (Kind::Credentials, None, Exit::Refused, "credentials_refused"),
            (Kind::Credentials, Some("invalid_grant"), Exit::Refused, "credentials_revoked"),
            (Kind::Gone, Some("notFound"), Exit::Refused, "drive_not_found"),
            (Kind::Quota, Some("storageQuotaExceeded"), Exit::Refused, "service_account_has_no_storage"),
            (Kind::Refused, Some("shareOutNotPermitted"), Exit::Refused, "sharing_forbidden_by_policy"),
            (Kind::BadRequest, Some("invalidSharingRequest"), Exit::Data, "share_refused"),
            (Kind::BadRequest, None, Exit::Bug, "drive_bad_request"),
        ] {
            let f = failure(kind, reason);
            assert_eq!((f.exit(), f.code()), (exit, code), "{kind:?} {reason:?}");
        }
    }

    #[test]
    fn the_cause_beneath_is_kept() {
        let error = DriveError::new(Kind::Network, "the connection was refused").because(std::io::Error::other("errno 111"));
        let failure = error.into_failure("x");
        assert_eq!(std::error::Error::source(&failure).expect("a cause").to_string(), "errno 111");
    }
}
