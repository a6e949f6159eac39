//! Standard Webhooks signatures: the receiver can tell that an event is ours, whole and recent.

use std::fmt;
use std::path::Path;

use rand::RngCore;
use secrecy::zeroize::Zeroizing;
use standardwebhooks::Webhook;

use crate::config::{SecretFile, owner};
use crate::error::{Exit, Failure};

const PREFIX: &str = "whsec_";
/// Standard Webhooks asks for 24 to 64 bytes.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// More than a file of a few keys has.
const FILE_BYTES: u64 = 16 * 1024;

/// The signing keys of `callback.secret_file`: one, or several while the backend changes over.
pub struct Keys(Vec<Webhook>);

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({} [REDACTED])", self.0.len())
    }
}

impl Keys {
    /// Reads the file: one `whsec_…` a line; empty lines and lines with `#` at their beginning are passed over.
    ///
    /// Fails with `callback_secret_missing`, `callback_secret_invalid` (exit 78) or
    /// `callback_secret_readable_by_others` (exit 77).
    pub fn load(path: &Path) -> Result<Self, Failure> {
        let shown = path.display();
        let text = read(path)?;
        let lines = text.lines().enumerate().map(|(n, l)| (n + 1, l.trim())).filter(|(_, l)| !l.is_empty() && !l.starts_with('#'));
        let keys = lines
            .map(|(n, line)| {
                parse(line).ok_or_else(|| {
                    Failure::new(
                        Exit::Config,
                        "callback_secret_invalid",
                        format!("line {n} of {shown} is no key: whsec_ and 24 to 64 bytes in base64"),
                    )
                    .hint("copy the key again from the backend, one a line")
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() {
            return Err(Failure::new(Exit::Config, "callback_secret_invalid", format!("{shown} holds no key"))
                .hint(format!("make one and give it to the backend too:\n    {}", make_command(path))));
        }
        Ok(Self(keys))
    }

    /// The keys of a text like that of the file, for the embedded demo. `None` where a key is none.
    pub fn parse(text: &str) -> Option<Self> {
        let keys = text.lines().map(|l| parse(l.trim())).collect::<Option<Vec<_>>>()?;
        (!keys.is_empty()).then_some(Self(keys))
    }

    /// The value of `webhook-signature`: one signature a key, in the order of the file.
    /// `seconds` is the value of `webhook-timestamp`.
    pub fn sign(&self, id: &str, seconds: i64, payload: &str) -> String {
        // Signing text cannot fail: the only error of the crate is a payload that is not UTF-8.
        let signatures: Vec<_> = self.0.iter().filter_map(|key| key.sign(id, seconds, payload.as_bytes()).ok()).collect();
        signatures.join(" ")
    }
}

fn parse(line: &str) -> Option<Webhook> {
    use base64::Engine;
    let encoded = line.strip_prefix(PREFIX)?;
    let bytes = Zeroizing::new(base64::engine::general_purpose::STANDARD.decode(encoded).ok()?);
    if !KEY_BYTES.contains(&bytes.len()) {
        return None;
    }
    Webhook::new(line).ok()
}

fn read(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let file = SecretFile {
        path,
        what: "callback.secret_file",
        missing: "callback_secret_missing",
        unreadable: "callback_secret_unreadable",
        open: "callback_secret_readable_by_others",
        longest: FILE_BYTES,
    };
    let bytes = file
        .read(|| format!("copy the key of the backend there, or make one and give it to the backend too:\n    {}", make_command(path)))?;
    Ok(Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned()))
}

/// A new key, as a line of the file.
pub fn new_key() -> Zeroizing<String> {
    use base64::Engine;
    let mut bytes = Zeroizing::new([0; 32]);
    rand::rng().fill_bytes(&mut *bytes);
    Zeroizing::new([PREFIX, &base64::engine::general_purpose::STANDARD.encode(*bytes)].concat())
}

/// A shell command that makes a key file of mode 0600 for the user of the service.
pub fn make_command(path: &Path) -> String {
    owner::service(path.parent()).writes_secret("echo \"whsec_$(head -c 32 /dev/urandom | base64 -w 0)\"", path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const ONE: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const TWO: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

    fn file(text: &str, mode: u32) -> anyhow::Result<tempfile::NamedTempFile> {
        let file = tempfile::NamedTempFile::new()?;
        std::fs::write(file.path(), text)?;
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(mode))?;
        Ok(file)
    }

    #[test]
    fn the_published_example_of_the_specification() -> anyhow::Result<()> {
        // Key, id, time, body and signature are those of the specification's own test vector.
        let keys = Keys::load(file(&format!("{ONE}\n"), 0o600)?.path())?;
        let signature = keys.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, "{\"test\": 2432232314}");
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        Ok(())
    }

    #[test]
    fn while_rotating_each_key_signs() -> anyhow::Result<()> {
        let keys = Keys::load(file(&format!("# old\n{ONE}\n\n# new\n  {TWO}\r\n"), 0o400)?.path())?;
        let signature = keys.sign("evt_1", 1_700_000_000, "{}");
        let each: Vec<_> = [ONE, TWO].iter().map(|k| Keys::parse(k).expect("a key").sign("evt_1", 1_700_000_000, "{}")).collect();
        assert_eq!(signature, each.join(" "));
        assert_ne!(each[0], each[1]);
        Ok(())
    }

    #[test]
    fn bad_files_are_refused_without_telling_the_key() -> anyhow::Result<()> {
        let short = "whsec_c2hvcnQ=";
        for (text, mode, code, exit) in [
            (ONE, 0o640, "callback_secret_readable_by_others", Exit::Refused),
            ("", 0o600, "callback_secret_invalid", Exit::Config),
            ("# nothing", 0o600, "callback_secret_invalid", Exit::Config),
            (&ONE[6..], 0o600, "callback_secret_invalid", Exit::Config),
            (short, 0o600, "callback_secret_invalid", Exit::Config),
            (&format!("{ONE}\nwhsec_%%%segredo"), 0o600, "callback_secret_invalid", Exit::Config),
        ] {
            let failure = Keys::load(file(text, mode)?.path()).expect_err(text);
            assert_eq!((failure.code(), failure.exit()), (code, exit), "{text}");
            let told = format!("{failure:?}");
            assert!(!told.contains("MfKQ9r8G") && !told.contains("segredo"), "{told}");
        }
        Ok(())
    }

    #[test]
    fn a_new_key_is_one_and_never_the_same() {
        let (one, other) = (new_key(), new_key());
        assert!(Keys::parse(&one).is_some() && one != other);
    }

    #[test]
    fn a_missing_file_comes_with_a_command_that_makes_one() -> anyhow::Result<()> {
        let dir = tempfile::tempdir()?;
        let path = dir.path().join("callback secret");
        let failure = Keys::load(&path).expect_err("there is none");
        assert_eq!((failure.code(), failure.exit()), ("callback_secret_missing", Exit::Config));
        let (_, command) = failure.hint_text().and_then(|h| h.split_once("too:\n")).expect("the hint has a command");
        assert!(std::process::Command::new("sh").args(["-c", command]).status()?.success(), "{command}");
        assert_eq!(format!("{:?}", Keys::load(&path)?), "Keys(1 [REDACTED])");
        Ok(())
    }
}
