//! The gate before an SSH key: which command lines of somebody else may run, and as what.
//!
//! Pure. A line becomes words ([`words`](words::words)), the first one a verb that was allowed, every other one a flag on
//! that verb's list or an operand. What comes out is rebuilt, not passed on: `--flag=value`, then `--`, then the operands,
//! so that the program cannot read an operand or a value as a flag.

mod hint;
pub mod verbs;
pub mod words;

use std::fmt;

use verbs::{Operands, Takes, VERBS, Verb};
use words::{LINE_BYTES, words};

/// Why a line is refused. The words a caller typed are told back only where they are on no list of secrets' places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// Nothing was asked: an interactive login.
    Nothing,
    /// Over [`LINE_BYTES`].
    TooLong,
    /// Not UTF-8.
    NotText,
    /// Control characters, line ends, direction marks.
    Unprintable,
    /// A quote that does not end, or a backslash at the end.
    Unfinished,
    /// A character that a shell would act on.
    Shell(char),
    /// The verb is not allowed here, or is none.
    Verb(String),
    /// This verb takes no such flag here.
    Flag(&'static str, String),
    /// The flag needs a value, or has one that it does not take.
    Value(&'static str),
    /// Too many or too few operands.
    Operands(&'static str),
    /// A user that this key may not name, or everybody.
    User,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("this key runs tecnico commands only; there is no interactive login"),
            Self::TooLong => write!(f, "the command has more than {LINE_BYTES} bytes"),
            Self::NotText => f.write_str("the command is not UTF-8"),
            Self::Unprintable => f.write_str("the command holds line ends, control characters or invisible ones"),
            Self::Unfinished => f.write_str("a quote or a backslash in the command has no end"),
            Self::Shell(c) => write!(f, "no shell reads the command, so {c:?} has no meaning in it; put the word into single quotes"),
            Self::Verb(verb) => write!(f, "this key may not run {verb:?}"),
            Self::Flag(_, flag) => write!(f, "this key may not use {flag:?}"),
            Self::Value(flag) => write!(f, "{flag} has no value, or one that it does not take; write {flag}=VALUE where it begins with -"),
            Self::Operands(verb) => write!(f, "{verb} got too many or too few words"),
            Self::User => f.write_str("this key may not act on that user, or must name one"),
        }
    }
}

/// A line that may run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admitted {
    /// The verb.
    pub verb: &'static str,
    /// The verb, its flags and operands, as the program is to read them.
    pub argv: Vec<String>,
    /// The same for the audit log, without what may be secret.
    pub shown: Vec<String>,
}

/// What one key may do.
#[derive(Debug, Clone)]
pub struct Gate {
    verbs: Vec<&'static Verb>,
    user_prefix: Option<String>,
}

impl Gate {
    /// A gate that lets these verbs through; with a prefix, only for user ids that begin with it.
    pub fn new(verbs: &[String], user_prefix: Option<&str>) -> Result<Self, String> {
        let known = || VERBS.iter().map(|v| v.name).collect::<Vec<_>>().join(", ");
        let find = |name: &String| Verb::named(name).ok_or_else(|| format!("{name:?} cannot be allowed; these can: {}", known()));
        if user_prefix == Some("") {
            return Err("an empty prefix would let every user through; leave it out to allow that".into());
        }
        Ok(Self { verbs: verbs.iter().map(find).collect::<Result<_, _>>()?, user_prefix: user_prefix.map(str::to_owned) })
    }

    /// Whether a line may run, and as what. Its first word may be `tecnico` itself.
    pub fn admit(&self, line: &str) -> Result<Admitted, Why> {
        let words = words(line)?;
        let mut words = words.iter().map(String::as_str).peekable();
        words.next_if_eq(&"tecnico");
        let name = words.next().ok_or(Why::Nothing)?;
        let verb = *self.verbs.iter().find(|v| v.name == name).ok_or_else(|| Why::Verb(begin(name)))?;
        let (mut flags, mut shown, mut operands) = (Vec::new(), Vec::new(), Vec::new());
        let mut only_operands = false;
        while let Some(word) = words.next() {
            if only_operands || !word.starts_with('-') {
                operands.push(word);
            } else if word == "--" {
                only_operands = true;
            } else {
                let (typed, attached) = word.split_once('=').map_or((word, None), |(f, v)| (f, Some(v)));
                let (flag, takes) = verb.flag(typed).ok_or_else(|| Why::Flag(verb.name, begin(typed)))?;
                if self.user_prefix.is_some() && verb.everybody.contains(&flag) {
                    return Err(Why::User);
                }
                let value = match (takes, attached) {
                    (Takes::Nothing, None) => None,
                    (Takes::Nothing, Some(_)) => return Err(Why::Value(flag)),
                    (_, Some(value)) => Some(value),
                    // A forgotten value must not swallow the next flag.
                    (_, None) => Some(words.next_if(|w| !w.starts_with('-')).ok_or(Why::Value(flag))?),
                };
                flags.push(value.map_or_else(|| flag.to_owned(), |v| format!("{flag}={v}")));
                shown.push(match (takes, value) {
                    (Takes::Value, Some(v)) => format!("{flag}={v}"),
                    (Takes::Hidden, Some(_)) => format!("{flag}=…"),
                    _ => flag.to_owned(),
                });
            }
        }
        self.check_operands(verb, &operands)?;
        let own = usize::from(matches!(verb.operands, Operands::Commands(_)) && !operands.is_empty());
        let (command, operands) = operands.split_at(own);
        let rest = |flags: Vec<String>| {
            let separator = (!operands.is_empty()).then_some("--");
            let operands = separator.into_iter().chain(operands.iter().copied()).map(str::to_owned);
            let verb = [verb.name].into_iter().chain(command.iter().copied()).map(str::to_owned);
            verb.chain(flags).chain(operands).collect()
        };
        Ok(Admitted { verb: verb.name, argv: rest(flags), shown: rest(shown) })
    }

    fn check_operands(&self, verb: &'static Verb, operands: &[&str]) -> Result<(), Why> {
        let (least, most) = match verb.operands {
            Operands::None => (0, 0),
            Operands::Users(least, most) | Operands::Other(least, most) => (least, most),
            Operands::Commands(_) if operands.is_empty() => (0, 0),
            Operands::Commands(commands) => {
                let named = commands.iter().find(|(name, ..)| *name == operands[0]);
                named.map(|(_, least, most)| (least + 1, most + 1)).ok_or(Why::Operands(verb.name))?
            }
        };
        if operands.len() < least || operands.len() > most {
            return Err(Why::Operands(verb.name));
        }
        let Some(prefix) = &self.user_prefix else { return Ok(()) };
        // Without a user, the verb would act on everybody.
        let users = matches!(verb.operands, Operands::Users(..)) && !operands.is_empty();
        if users && operands.iter().all(|user| user.starts_with(prefix.as_str())) { Ok(()) } else { Err(Why::User) }
    }
}

/// What of a refused line may be written down: the verb and the names of flags, for a value may be a secret that
/// somebody put in the wrong place.
pub fn outline(line: &str) -> Vec<String> {
    let mut outline: Vec<String> = Vec::new();
    for (at, word) in line.split_whitespace().take(40).enumerate() {
        let flag = word.split_once('=').map_or(word, |(flag, _)| flag);
        // Only what looks like a verb or a flag: a password may begin with dashes, but hardly like --this-one.
        let plain = |w: &str| w.chars().all(|c| c.is_ascii_lowercase() || c == '-') && w.len() <= 32;
        let named = (at == 0 || flag.starts_with("--")) && plain(flag);
        let shown = if named { flag } else { "…" };
        if shown != "…" || outline.last().is_none_or(|last| last != "…") {
            outline.push(shown.to_owned());
        }
    }
    outline
}

/// The beginning of a word, for a message.
fn begin(word: &str) -> String {
    word.chars().take(64).collect()
}

#[cfg(test)]
mod tests;
