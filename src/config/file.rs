//! Finding the config file, checking its keys against the embedded default, and laying it over that.

use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use toml::Table;
use toml::de::{DeTable, DeValue};

use super::env_names;
use super::owner::{self, Person};
use super::places::OF_THE_MACHINE;
use crate::domain::text::shell_path;
use crate::error::{Exit, Failure};

/// Every setting at its default.
pub const EXAMPLE: &str = include_str!("../../config.example.toml");

/// Settings that are paths: relative ones count from the folder of the file that names them.
const PATHS: [&str; 6] =
    ["vm.base_dir", "drive.credentials", "secrets.key_file", "ledger.path", "callback.secret_file", "serve.api_key_file"];

/// The first config file there is.
pub(super) fn find(flag: Option<&Path>, env: &dyn Fn(&str) -> Option<String>) -> Result<PathBuf, Failure> {
    if let Some(path) = flag {
        return Ok(path.to_owned());
    }
    if let Some(path) = env(env_names::CONFIG) {
        return Ok(path.into());
    }
    let candidates: Vec<PathBuf> =
        users_folder(env).map(|h| h.join("tecnico/config.toml")).into_iter().chain([PathBuf::from(OF_THE_MACHINE)]).collect();
    // One that this user may not look at is there all the same.
    let there = |path: &&PathBuf| !matches!(path.metadata(), Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory));
    candidates.iter().find(there).cloned().ok_or_else(|| {
        let looked = candidates.iter().map(|c| c.display().to_string()).collect::<Vec<_>>().join(" and ");
        Failure::new(Exit::Config, "config_missing", format!("there is no configuration (looked for {looked})")).hint(
            "`sudo tecnico init` asks what is needed and writes one (by hand: `tecnico config --example` prints one to fill in); \
             `tecnico demo` shows everything without any",
        )
    })
}

/// Why the file cannot be read, and what mends it: a file that is not there is another matter than one of somebody else's.
fn unreadable(path: &Path, why: std::io::Error) -> Failure {
    let me = Person::me();
    let failure = |message: String, hint: String| Failure::new(Exit::Config, "config_unreadable", message).hint(hint);
    match why.kind() {
        ErrorKind::NotFound => failure(
            format!("there is no configuration file {}", path.display()),
            "correct the path (--config, TECNICO_CONFIG); `sudo tecnico init` asks what is needed and writes one for the whole machine, \
             `tecnico config --example` prints one to fill in; `tecnico demo` needs none"
                .to_owned(),
        ),
        ErrorKind::PermissionDenied => {
            failure(format!("{} may not read the configuration {}", me.name, path.display()), who_may(path, &me))
        }
        _ => failure(
            format!("cannot read the configuration {}", path.display()),
            format!("`ls -ld {}` shows what is there", shell_path(path)),
        ),
    }
    .because(why)
}

/// What lets the service's user read the file; another user is to run the command as that one.
fn who_may(path: &Path, me: &Person) -> String {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let of_folder = folder.metadata().ok().filter(|m| m.uid() != 0).map(|m| Person::of(m.uid()));
    if let Some(service) = owner::of_the_package().or(of_folder).filter(|service| service.uid != me.uid) {
        return format!("run the same command as the service's user: `{}`", service.runs("tecnico …"));
    }
    let (closed, mode) = if path.metadata().is_ok() { (path, 640) } else { (folder, 750) };
    let word = shell_path(closed);
    format!("sudo chown root:{} {word} && sudo chmod {mode} {word}", me.group)
}

/// Where the settings of the user who runs this lie. What is not absolute counts as not set (the XDG rules).
pub fn users_folder(env: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let named = |name: &str| env(name).map(PathBuf::from).filter(|p| p.is_absolute());
    named(env_names::XDG_CONFIG_HOME).or_else(|| named(env_names::HOME).map(|home| home.join(".config")))
}

/// The embedded default.
pub(super) fn defaults() -> Table {
    EXAMPLE.parse().expect("a test parses the embedded default")
}

/// Reads `path` and lays it over `onto`; every fault names the line.
pub(super) fn lay_over(onto: &mut Table, path: &Path) -> Result<String, Failure> {
    let text = std::fs::read_to_string(path).map_err(|e| unreadable(path, e))?;
    lay_text_over(onto, path, &text)?;
    Ok(text)
}

/// The same with what stands in `path`, or is to stand there.
pub(super) fn lay_text_over(onto: &mut Table, path: &Path, text: &str) -> Result<(), Failure> {
    let user = DeTable::parse(text).map_err(|e| {
        let line = e.span().map_or(0, |s| line_of(text, s.start));
        at(path, line, &format!("not valid TOML: {}", e.message().lines().next().unwrap_or("")))
            .hint("correct it there: a text stands between quotes, a list between [ and ], a heading alone on its line; `tecnico config --example` shows each")
    })?;
    check_keys(user.get_ref(), onto, text, path)?;
    let mut table: Table = toml::from_str(text).map_err(|e| at(path, 0, e.message()))?;
    let folder = std::path::absolute(path).ok().and_then(|p| p.parent().map(Path::to_owned)).unwrap_or_default();
    for key in PATHS {
        if let Some(toml::Value::String(s)) = get_mut(&mut table, key)
            && !s.is_empty()
        {
            *s = folder.join(&*s).display().to_string();
        }
    }
    // A name without / is looked for in PATH.
    if let Some(toml::Value::Array(words)) = get_mut(&mut table, "process.command")
        && let Some(toml::Value::String(program)) = words.first_mut()
        && program.contains('/')
    {
        *program = folder.join(&*program).components().collect::<PathBuf>().display().to_string();
    }
    merge(onto, table);
    Ok(())
}

/// The line of `key` ("drive.timeout") in `text`, for a fault found later.
pub(super) fn line_of_key(text: &str, key: &str) -> Option<usize> {
    let table = DeTable::parse(text).ok()?;
    let (section, name) = key.split_once('.')?;
    let DeValue::Table(inner) = table.get_ref().get(section)?.get_ref() else { return None };
    let (key, _) = inner.iter().find(|(k, _)| k.get_ref() == name)?;
    Some(line_of(text, key.span().start))
}

/// A key that this version does not have.
struct Unknown {
    line: usize,
    name: String,
    /// What it probably means.
    meant: Option<String>,
}

/// Refuses keys that are not in `known`: all of them at once, for a file of another version may have several.
fn check_keys(user: &DeTable<'_>, known: &Table, text: &str, path: &Path) -> Result<(), Failure> {
    let mut unknown = Vec::new();
    collect_unknown(user, known, known, "", text, path, &mut unknown)?;
    unknown.sort_by_key(|u| u.line);
    let Some(first) = unknown.first() else { return Ok(()) };
    let told: Vec<String> = unknown[1..].iter().map(|u| format!("; line {}: there is no setting {}", u.line, u.name)).collect();
    let why = format!("there is no setting {}{}", first.name, told.concat());
    let meant: Vec<&str> = unknown.iter().filter_map(|u| u.meant.as_deref()).collect();
    let mut hint = if meant.is_empty() { String::new() } else { format!("did you mean {}?", meant.join(", ")) };
    if meant.len() < unknown.len() || unknown.len() > 1 {
        let space = if hint.is_empty() { "" } else { " " };
        hint.push_str(space);
        hint.push_str("`tecnico config --example` shows every setting of this version; another may have had others");
    }
    Err(at(path, first.line, &why).hint(hint))
}

fn collect_unknown(
    user: &DeTable<'_>,
    known: &Table,
    whole: &Table,
    prefix: &str,
    text: &str,
    path: &Path,
    unknown: &mut Vec<Unknown>,
) -> Result<(), Failure> {
    for (key, value) in user {
        let name = key.get_ref().as_ref();
        let line = line_of(text, key.span().start);
        match (known.get(name), value.get_ref()) {
            (None, _) => {
                let meant = nearest(name, known.keys()).map(|near| format!("{prefix}{near}")).or_else(|| elsewhere(name, whole));
                unknown.push(Unknown { line, name: format!("{prefix}{name}"), meant });
            }
            (Some(toml::Value::Table(inner)), DeValue::Table(user)) => {
                collect_unknown(user, inner, whole, &format!("{name}."), text, path, unknown)?;
            }
            (Some(toml::Value::Table(_)), _) => {
                return Err(at(path, line, &format!("{name} is a section: write [{name}]"))
                    .hint("write the settings of a section below its heading, each on a line"));
            }
            (Some(_), _) => {}
        }
    }
    Ok(())
}

fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a String>) -> Option<&'a String> {
    known.map(|k| (strsim::jaro_winkler(name, k), k)).filter(|(score, _)| *score > 0.7).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, k)| k)
}

/// A setting of this very name in another section.
fn elsewhere(name: &str, whole: &Table) -> Option<String> {
    let sections = whole.iter().filter_map(|(section, value)| Some((section, value.as_table()?)));
    sections.filter(|(_, keys)| keys.contains_key(name)).map(|(section, _)| format!("{section}.{name}")).next()
}

fn merge(onto: &mut Table, over: Table) {
    for (key, value) in over {
        match (onto.get_mut(&key), value) {
            (Some(toml::Value::Table(below)), toml::Value::Table(above)) => merge(below, above),
            (_, value) => {
                onto.insert(key, value);
            }
        }
    }
}

/// The value of `section.name`.
pub(super) fn get_mut<'t>(table: &'t mut Table, key: &str) -> Option<&'t mut toml::Value> {
    let (section, name) = key.split_once('.')?;
    table.get_mut(section)?.as_table_mut()?.get_mut(name)
}

fn line_of(text: &str, offset: usize) -> usize {
    text[..offset.min(text.len())].matches('\n').count() + 1
}

/// A configuration fault at a place.
pub(super) fn at(path: &Path, line: usize, why: &str) -> Failure {
    let place = if line > 0 { format!("{}, line {line}", path.display()) } else { path.display().to_string() };
    Failure::new(Exit::Config, "config_wrong", format!("{place}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_empty_or_relative_counts_as_not_set() {
        let folder = |xdg: &'static str, home: &'static str| {
            users_folder(&|name| Some(if name == env_names::HOME { home } else { xdg }.to_owned())).map(|p| p.display().to_string())
        };
        assert_eq!(folder("/xdg", "/home/ana").as_deref(), Some("/xdg"));
        assert_eq!(folder("", "/home/ana").as_deref(), Some("/home/ana/.config"));
        assert_eq!(folder("config", "/home/ana").as_deref(), Some("/home/ana/.config"));
        assert_eq!(folder("", ""), None);
    }
}
