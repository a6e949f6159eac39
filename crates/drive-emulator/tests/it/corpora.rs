//! What the fuzzers are given and once found (`scripts/fuzz`), through the same functions, on any compiler.

#[path = "../../fuzz/targets/mask.rs"]
pub mod mask;
#[path = "../../fuzz/targets/multipart.rs"]
pub mod multipart;
#[path = "../../fuzz/targets/q.rs"]
pub mod q;

fn replay(target: &str, run: fn(&[u8])) {
    let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let files = std::fs::read_dir(&corpus).expect("the corpus is there").map(|entry| entry.expect("an entry").path());
    let count = files
        .map(|file| {
            let data = std::fs::read(&file).expect("it is read");
            let ran = std::panic::catch_unwind(|| run(&data));
            assert!(ran.is_ok(), "{} is not held", file.display());
        })
        .count();
    assert!(count >= 10, "only {count} inputs in {}", corpus.display());
}

#[test]
fn the_corpus_of_q_is_held() {
    replay("q", q::run);
}

#[test]
fn the_corpus_of_masks_is_held() {
    replay("mask", mask::run);
}

#[test]
fn the_corpus_of_multipart_bodies_is_held() {
    replay("multipart", multipart::run);
}
