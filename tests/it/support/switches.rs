//! What nobody knows of Drive (`drive-v3-behaviour` 11), turned for a whole run of the tests:
//! `TECNICO_TEST_SWITCHES="delete_answers_json=true,descendant_changes=all"`. `GET /_emulator/switches` lists the names.

use anyhow::Context;
use drive_emulator::Switches;
use serde_json::Value;

/// The variable that turns them.
const VARIABLE: &str = "TECNICO_TEST_SWITCHES";

/// The switches a Drive of these tests starts with; a test that is about one side of a fact turns its switch itself.
///
/// # Errors
/// A name or a value the emulator does not know: a run that turned nothing must not look like one that did.
pub fn usual() -> anyhow::Result<Switches> {
    turned(&std::env::var(VARIABLE).unwrap_or_default()).with_context(|| format!("in {VARIABLE}"))
}

fn turned(text: &str) -> anyhow::Result<Switches> {
    let mut switches = serde_json::to_value(Switches::default())?;
    for pair in text.split(',').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').with_context(|| format!("{pair:?} is no name=value"))?;
        // What is no JSON is a word.
        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
        *switches.get_mut(name).with_context(|| format!("there is no switch {name:?}"))? = value;
    }
    Ok(serde_json::from_value(switches)?)
}

#[test]
fn switches_are_read_by_name_and_unknown_ones_refused() {
    let some = turned("descendant_changes=all,push_number_step=7,delete_answers_json=true").expect("known");
    assert_eq!((some.descendant_changes, some.push_number_step), (drive_emulator::DescendantChanges::All, 7));
    assert!(some.delete_answers_json && some.strict_page_size, "the others stay");
    for bad in ["nothing_such=true", "delete_answers_json", "delete_answers_json=perhaps"] {
        assert!(turned(bad).is_err(), "{bad}");
    }
}
