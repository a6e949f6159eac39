//! The gate before an SSH key: whatever is typed, nothing gets through but allowed verbs, listed flags and the key's own
//! users, and what comes out is read as it was meant.

use super::domain::gate::verbs::{GLOBAL, Operands, VERBS, Verb};
use super::domain::gate::words::quoted;
use super::domain::gate::{Admitted, Gate, outline};

/// What `SSH_ORIGINAL_COMMAND` may hold.
pub fn run(data: &[u8]) {
    let Ok(line) = std::str::from_utf8(data) else { return };
    let all: Vec<String> = VERBS.iter().map(|verb| verb.name.to_owned()).collect();
    for (verbs, prefix) in [(&all[..], None), (&all[..2], Some("b1-"))] {
        let gate = Gate::new(verbs, prefix).expect("known verbs");
        if let Ok(admitted) = gate.admit(line) {
            assert!(verbs.iter().any(|verb| verb == admitted.verb));
            holds(&admitted, prefix);
            // Read once more, it is the same: no word has become two, no operand a flag.
            let again = quoted(&admitted.argv);
            assert_eq!(gate.admit(&again).as_ref(), Ok(&admitted), "{line:?} came out as {again:?}");
        }
    }
    for word in outline(line) {
        assert!(word == "…" || word.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{word:?} of {line:?} is written down");
    }
}

fn holds(admitted: &Admitted, prefix: Option<&str>) {
    let verb = Verb::named(admitted.verb).expect("a verb");
    assert_eq!(admitted.argv.first().map(String::as_str), Some(verb.name));
    let end = admitted.argv.iter().position(|word| word == "--").unwrap_or(admitted.argv.len());
    for word in &admitted.argv[1..end] {
        let flag = word.split_once('=').map_or(word.as_str(), |(flag, _)| flag);
        assert!(verb.flags.iter().chain(GLOBAL).any(|(known, _)| *known == flag), "{flag:?} is on no list");
        assert!(prefix.is_none() || !verb.everybody.contains(&flag), "{flag:?} acts on everybody");
    }
    let operands = admitted.argv.get(end + 1..).unwrap_or_default();
    if let Some(prefix) = prefix {
        assert!(matches!(verb.operands, Operands::Users(..)) && !operands.is_empty(), "{} acts on everybody", verb.name);
        assert!(operands.iter().all(|user| user.starts_with(prefix)), "{operands:?}");
    }
    assert!(admitted.argv.iter().all(|word| !word.chars().any(|c| c.is_control() && c != '\t')), "{:?}", admitted.argv);
    assert_eq!(admitted.shown.len(), admitted.argv.len(), "the log has another number of words");
}
