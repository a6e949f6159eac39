//! Whose account: a service account's key, an authorized user, or what this machine offers by default
//! (drive-v3-behaviour 7c). Nothing here is ever printed: no type that holds a secret has a `Debug`.

use std::path::{Path, PathBuf};

use secrecy::zeroize::Zeroizing;
use serde::Deserialize;
use url::Url;
use yup_oauth2::ServiceAccountKey;
use yup_oauth2::authorized_user::AuthorizedUserSecret;

use crate::config::settings::{Credentials, DriveSettings};
use crate::config::{SecretFile, env_names, owner};
use crate::domain::text::shell_path;
use crate::error::{Exit, Failure};

/// No key file of Google's has more bytes, by far.
pub const LONGEST_KEY: u64 = 256 * 1024;

/// An account that tokens can be asked for.
pub(super) enum Account {
    /// A key of its own; acts for `subject` where one is given.
    Service { key: Box<ServiceAccountKey>, subject: Option<String> },
    /// A person who logged in.
    User(AuthorizedUserSecret),
    /// The service account of the virtual machine this runs on, and the address that gives its tokens.
    Metadata(String),
}

impl Account {
    /// Reads what the settings name. No network.
    pub(super) fn read(settings: &DriveSettings) -> Result<Self, Failure> {
        let account = match &settings.credentials {
            Credentials::File(path) => parse(&read_key(path)?, &path.display().to_string(), settings.subject.as_deref())?,
            Credentials::Embedded(json) => parse(json.as_bytes(), "the embedded Drive's key", settings.subject.as_deref())?,
            Credentials::ApplicationDefault => match gcloud_file().filter(|p| p.exists()) {
                Some(path) => parse(&read_key(&path)?, &path.display().to_string(), settings.subject.as_deref())?,
                None => Self::Metadata(metadata_address()),
            },
        };
        if settings.subject.is_some() && !matches!(account, Self::Service { .. }) {
            return Err(Failure::new(Exit::Config, "subject_needs_service_account", "only a service account can act for `drive.subject`")
                .hint("remove `drive.subject`, or set `drive.credentials` to a service account's key"));
        }
        Ok(account)
    }

    /// Who acts on Drive, for messages: the one a folder must be shared with.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Service { key, subject } => subject.clone().unwrap_or_else(|| key.client_email.clone()),
            Self::User(_) => "the signed-in Google user".into(),
            Self::Metadata(_) => "this machine's service account".into(),
        }
    }

    /// Tells accounts apart where their tokens are kept. Holds nothing secret.
    pub(super) fn identity(&self) -> String {
        match self {
            Self::Service { key, subject } => format!("{}|{}|{}", key.client_email, subject.as_deref().unwrap_or(""), key.token_uri),
            Self::User(secret) => {
                // Two people of one OAuth client differ only in their refresh token.
                format!("{}|{}", secret.client_id, super::token_cache::fingerprint(&secret.refresh_token))
            }
            Self::Metadata(address) => address.clone(),
        }
    }

    /// Whether its token endpoint is reached over TLS.
    pub(super) fn needs_tls(&self) -> bool {
        match self {
            Self::Service { key, .. } => !key.token_uri.starts_with("http://"),
            Self::User(_) => true,
            Self::Metadata(_) => false,
        }
    }
}

/// Where gcloud keeps the application default credentials.
fn gcloud_file() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let directory = set(env_names::CLOUDSDK_CONFIG).or_else(|| set(env_names::HOME).map(|home| home.join(".config/gcloud")))?;
    Some(directory.join("application_default_credentials.json"))
}

/// Google's libraries all let this variable move the metadata server.
fn metadata_address() -> String {
    let host =
        std::env::var(env_names::GCE_METADATA_HOST).ok().filter(|h| !h.is_empty()).unwrap_or_else(|| "metadata.google.internal".into());
    format!("http://{host}/computeMetadata/v1/instance/service-accounts/default/token")
}

/// The bytes of a key file that only its owner may read.
fn read_key(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    if path.is_dir() {
        return Err(Failure::new(Exit::Config, "key_not_a_file", format!("{} is not a file", path.display()))
            .hint("set `drive.credentials` to the key file"));
    }
    let file = SecretFile {
        path,
        what: "the credentials file",
        missing: "key_missing",
        unreadable: "key_unreadable",
        open: "key_readable_by_others",
        longest: LONGEST_KEY,
    };
    file.read(|| {
        let owner = owner::service(path.parent()).name;
        format!("put the key back at {} (owner {owner}, mode 600), or name another in `drive.credentials`", shell_path(path))
    })
}

#[derive(Deserialize)]
struct Typed {
    #[serde(rename = "type")]
    kind: String,
}

fn parse(bytes: &[u8], place: &str, subject: Option<&str>) -> Result<Account, Failure> {
    let kind = serde_json::from_slice::<Typed>(bytes).map_err(|e| malformed(place, &e))?.kind;
    match kind.as_str() {
        "service_account" => {
            let key: ServiceAccountKey = serde_json::from_slice(bytes).map_err(|e| malformed(place, &e))?;
            check_token_uri(&key.token_uri, place)?;
            Ok(Account::Service { key: Box::new(key), subject: subject.map(str::to_owned) })
        }
        "authorized_user" => Ok(Account::User(serde_json::from_slice(bytes).map_err(|e| malformed(place, &e))?)),
        other => Err(Failure::new(
            Exit::Config,
            "credentials_unsupported",
            format!("{place} holds credentials of type {:?}", super::answer::one_line(other)),
        )
        .hint("tecnico takes a service account's key, an authorized user, or the virtual machine's own account")),
    }
}

/// serde's own text can quote a value, and a value here is a secret: only the place is told.
fn malformed(place: &str, error: &serde_json::Error) -> Failure {
    let text = format!("{place} is not a credentials file as Google makes them (line {}, column {})", error.line(), error.column());
    Failure::new(Exit::Refused, "key_malformed", text)
        .hint("download the key again from the Cloud console: IAM, Service accounts, Keys, JSON")
}

/// The signed assertion is sent there, so it goes over TLS or stays on this machine.
fn check_token_uri(text: &str, place: &str) -> Result<(), Failure> {
    let local = |url: &Url| match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    match Url::parse(text) {
        Ok(url) if url.scheme() == "https" || (url.scheme() == "http" && local(&url)) => Ok(()),
        _ => Err(Failure::new(Exit::Refused, "key_malformed", format!("`token_uri` in {place} is not an https address"))
            .hint("download the key again from the Cloud console: IAM, Service accounts, Keys, JSON")),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const KEY: &str = r#"{"type":"service_account","client_email":"robot@project.iam.gserviceaccount.com",
        "private_key":"SECRET","token_uri":"https://oauth2.googleapis.com/token"}"#;

    fn file(content: &str, mode: u32) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), content).expect("written");
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(mode)).expect("mode set");
        file
    }

    fn refused(result: Result<Account, Failure>) -> Failure {
        result.err().expect("refused")
    }

    #[test]
    fn a_key_others_can_read_is_refused_with_the_command_that_mends_it() {
        for mode in [0o640, 0o604, 0o644, 0o620] {
            let file = file(KEY, mode);
            let failure = read_key(file.path()).expect_err("refused");
            assert_eq!((failure.exit(), failure.code()), (Exit::Refused, "key_readable_by_others"));
            assert_eq!(failure.hint_text(), Some(format!("chmod 600 {}", file.path().display()).as_str()));
        }
        assert!(read_key(file(KEY, 0o600).path()).is_ok());
        let missing = read_key(Path::new("/nonexistent/key.json")).expect_err("missing");
        let puts_back = missing.hint_text().is_some_and(|h| h.starts_with("put the key back at /nonexistent/key.json (owner "));
        assert!(missing.code() == "key_missing" && puts_back, "the setting may well be right: {missing:?}");
        assert_eq!(read_key(Path::new("/")).expect_err("a directory").code(), "key_not_a_file");
    }

    #[test]
    fn a_damaged_key_is_told_without_what_is_in_it() {
        for bad in
            ["", "{", r#"{"type":"service_account","private_key":"SECRET"}"#, r#"{"type":"service_account","client_email":["SECRET"]}"#]
        {
            let failure = refused(parse(bad.as_bytes(), "key.json", None));
            let whole = format!("{failure:?}");
            assert_eq!(failure.code(), "key_malformed", "{bad}");
            assert!(!whole.contains("SECRET"), "{whole}");
        }
        let plain_http = KEY.replace("https://oauth2.googleapis.com/", "http://example.com/");
        assert_eq!(refused(parse(plain_http.as_bytes(), "key.json", None)).code(), "key_malformed");
        assert!(parse(KEY.replace("https://oauth2.googleapis.com/", "http://127.0.0.1:1/").as_bytes(), "k", None).is_ok());
        assert_eq!(refused(parse(br#"{"type":"external_account"}"#, "k", None)).code(), "credentials_unsupported");
    }

    #[test]
    fn the_account_is_named_after_the_one_it_acts_for() {
        let plain = parse(KEY.as_bytes(), "k", None).expect("a key");
        let acting = parse(KEY.as_bytes(), "k", Some("ana@example.com")).expect("a key");
        assert_eq!(plain.name(), "robot@project.iam.gserviceaccount.com");
        assert_eq!(acting.name(), "ana@example.com");
        assert_ne!(plain.identity(), acting.identity());
    }
}
