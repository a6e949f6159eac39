//! Creating, checking and sharing, with the real binary against the emulator.

mod create;
