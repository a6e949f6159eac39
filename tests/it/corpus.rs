//! What the fuzzer of the gate is given and once found (`scripts/fuzz`), through the same function, on any compiler.

use tecnico::domain;

#[path = "../../fuzz/targets/gate.rs"]
mod gate;

#[test]
fn the_corpus_of_command_lines_is_held() {
    let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/gate");
    let files = std::fs::read_dir(corpus).expect("the corpus is there").map(|entry| entry.expect("an entry").path());
    let count = files
        .map(|file| {
            let data = std::fs::read(&file).expect("it is read");
            let ran = std::panic::catch_unwind(|| gate::run(&data));
            assert!(ran.is_ok(), "{} is not held", file.display());
        })
        .count();
    assert!(count >= 10, "only {count} inputs");
}
