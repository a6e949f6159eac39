//! What may be let through the gate, verb by verb. What is not written here is refused.

/// What follows a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// Nothing.
    Nothing,
    /// One value, shown in the audit log.
    Value,
    /// One value that the audit log only says was there: an address may carry a token.
    Hidden,
}

/// What the words that are no flags mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operands {
    /// There are none.
    None,
    /// User ids: at least and at most so many.
    Users(usize, usize),
    /// Ids of something else, which a `--user-prefix` cannot be held against.
    Other(usize, usize),
    /// None, or one of these words, a command of the verb's own, and after it at least and at most so many ids of something else.
    Commands(&'static [(&'static str, usize, usize)]),
}

/// One verb and all it takes.
#[derive(Debug)]
pub struct Verb {
    /// As typed.
    pub name: &'static str,
    /// The words after it.
    pub operands: Operands,
    /// Its flags.
    pub flags: &'static [(&'static str, Takes)],
    /// Flags that make it act on others than the users named, refused with a `--user-prefix`.
    pub everybody: &'static [&'static str],
}

/// Flags that every verb takes. Those that name files (`--config`, `--sandbox`, `--base-dir`, `--credentials`) are the
/// administrator's: the gate's own are passed on.
pub const GLOBAL: &[(&str, Takes)] = &[("--json", Takes::Nothing), ("--quiet", Takes::Nothing)];

/// The most operands one call may have.
const MANY: usize = 100;

use Takes::{Hidden, Nothing, Value};

/// Every verb that can be allowed.
pub const VERBS: &[Verb] = &[
    Verb {
        name: "create",
        operands: Operands::Users(1, 1),
        flags: &[
            ("--email", Value),
            ("--name", Value),
            ("--portal-user", Value),
            ("--portal-password-stdin", Nothing),
            ("--dry-run", Nothing),
            ("--job-id", Value),
            ("--callback-url", Hidden),
        ],
        everybody: &[],
    },
    Verb { name: "check", operands: Operands::Users(0, MANY), flags: &[("--repair", Nothing), ("--dry-run", Nothing)], everybody: &[] },
    Verb {
        name: "share",
        operands: Operands::Users(1, 1),
        flags: &[
            ("--with", Value),
            ("--role", Value),
            ("--notify", Nothing),
            ("--revoke", Nothing),
            ("--list", Nothing),
            ("--dry-run", Nothing),
        ],
        everybody: &[],
    },
    // Nothing is deleted by it, and a `create` takes it back: an administrator may give it to a backend.
    Verb {
        name: "remove",
        operands: Operands::Users(1, 1),
        flags: &[("--confirm", Value), ("--dry-run", Nothing), ("--job-id", Value), ("--callback-url", Hidden)],
        everybody: &[],
    },
    Verb {
        name: "rename",
        operands: Operands::Users(1, 1),
        flags: &[("--name", Value), ("--email", Value), ("--dry-run", Nothing), ("--job-id", Value), ("--callback-url", Hidden)],
        everybody: &[],
    },
    Verb { name: "list", operands: Operands::None, flags: &[("--all", Nothing)], everybody: &[] },
    Verb {
        name: "process",
        operands: Operands::Users(0, MANY),
        flags: &[("--all", Nothing), ("--file", Value), ("--job-id", Value), ("--callback-url", Hidden)],
        // A file is found by its id alone, whosever it is.
        everybody: &["--all", "--file"],
    },
    Verb { name: "retry", operands: Operands::Users(0, 1), flags: &[("--file", Value), ("--dry-run", Nothing)], everybody: &[] },
    Verb { name: "status", operands: Operands::None, flags: &[], everybody: &[] },
    Verb { name: "why", operands: Operands::Other(1, 1), flags: &[], everybody: &[] },
    Verb { name: "watch", operands: Operands::None, flags: &[], everybody: &[] },
    Verb {
        name: "callbacks",
        operands: Operands::Commands(&[("list", 0, 0), ("show", 1, 1), ("retry", 0, 1)]),
        flags: &[("--all", Nothing), ("--limit", Value)],
        everybody: &[],
    },
    Verb { name: "changes", operands: Operands::None, flags: &[("--since", Value)], everybody: &[] },
    Verb { name: "doctor", operands: Operands::None, flags: &[("--only", Value)], everybody: &[] },
];

impl Verb {
    /// The verb of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        VERBS.iter().find(|v| v.name == name)
    }

    /// What a flag takes, if the verb has it.
    pub fn flag(&self, name: &str) -> Option<(&'static str, Takes)> {
        self.flags.iter().chain(GLOBAL).find(|(flag, _)| *flag == name).copied()
    }
}
