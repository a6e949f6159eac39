//! `watch --follow`: what decides when to look. It never decides what is true; a cycle does.
