#![no_main]

/// The domain is pure: its own source is compiled here, without the hundreds of crates behind tecnico.
#[allow(dead_code, unused_imports, reason = "only the gate is asked")]
#[path = "../../src/domain/mod.rs"]
mod domain;

#[path = "../targets/gate.rs"]
mod target;

libfuzzer_sys::fuzz_target!(|data: &[u8]| target::run(data));
