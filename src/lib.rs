//! tecnico: see ARCHITECTURE.md.
