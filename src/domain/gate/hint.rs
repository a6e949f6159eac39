//! What a caller may do instead of what was refused.

use super::verbs::{GLOBAL, Operands, Takes, Verb};
use super::words::LINE_BYTES;
use super::{Gate, Why};

impl Gate {
    /// What mends a refused line.
    pub fn hint(&self, why: &Why) -> String {
        let verbs = || format!("this key may run: {}", self.verbs.iter().map(|v| v.name).collect::<Vec<_>>().join(", "));
        match why {
            Why::Nothing | Why::Verb(_) => verbs(),
            Why::TooLong => format!("send at most {LINE_BYTES} bytes: fewer users in one call"),
            Why::NotText => "send UTF-8 text".to_owned(),
            Why::Unprintable => "send one line of plain text".to_owned(),
            Why::Unfinished => r"close the quote; a ' inside single quotes is written '\''".to_owned(),
            Why::Shell(c) => {
                format!("put the whole word that holds {c:?} into single quotes: '…{c}…'; there are no pipes, lists or variables")
            }
            Why::Flag(name, _) => Verb::named(name).map_or_else(verbs, |verb| format!("{name} may be given: {}", self.flags_of(verb))),
            Why::Value(flag) => match self.verbs.iter().find_map(|v| v.flag(flag)) {
                Some((_, Takes::Nothing)) => format!("write {flag} alone"),
                _ => format!("write {flag}=VALUE; a value with blanks in single quotes: {flag}='…'"),
            },
            Why::Operands(name) => match self.verbs.iter().find(|v| v.name == *name).map(|v| v.operands) {
                Some(Operands::Users(1, 1)) => format!("name one user: {name} 42; words with blanks stand in single quotes"),
                Some(Operands::Users(0, most)) => format!("name at most {most} users; words with blanks stand in single quotes"),
                Some(Operands::Other(1, 1)) => format!("name one: {name} ID; words with blanks stand in single quotes"),
                Some(Operands::Commands(commands)) => {
                    format!("{name} takes one of: {}", commands.iter().map(|(command, ..)| *command).collect::<Vec<_>>().join(", "))
                }
                _ => format!("{name} takes fewer words; words with blanks stand in single quotes"),
            },
            Why::User => match &self.user_prefix {
                Some(prefix) => format!("name users whose ids begin with {prefix:?}"),
                None => verbs(),
            },
        }
    }

    /// The flags that this key may give to a verb.
    fn flags_of(&self, verb: &Verb) -> String {
        let all = verb.flags.iter().chain(GLOBAL).map(|(flag, _)| *flag);
        all.filter(|flag| self.user_prefix.is_none() || !verb.everybody.contains(flag)).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_has_its_own_hint() {
        let gate = Gate::new(&["create".into(), "check".into(), "why".into(), "status".into()], None).expect("a gate");
        let own = Gate::new(&["check".into(), "process".into()], Some("portal-")).expect("a gate");
        for (gate, line, says) in [
            (&gate, "", "this key may run: create, check, why, status"),
            (&gate, "list", "this key may run: create, check, why, status"),
            (&gate, "create 42 --config x", "create may be given: --email --name"),
            (&gate, "status --all", "status may be given: --json --quiet"),
            (&gate, "create 42; id", "single quotes: '…;…'"),
            (&gate, "create 42 --name \"$x\"", "'…$…'"),
            (&gate, "create 42 --name 'Ana", r"'\''"),
            (&gate, "create 42 --name --json", "--name=VALUE"),
            (&gate, "create 42 --json=1", "write --json alone"),
            (&gate, "create 42 43", "name one user"),
            (&gate, "why", "name one: why ID"),
            (&gate, "status now", "fewer words"),
            (&gate, "check a\u{7}", "plain text"),
            (&own, "process portal-1 --until", "process may be given: --job-id --callback-url --json --quiet"),
            (&own, "check 42", "begin with \"portal-\""),
        ] {
            let why = gate.admit(line).expect_err(line);
            assert!(gate.hint(&why).contains(says), "{line:?}: {}", gate.hint(&why));
        }
    }
}
