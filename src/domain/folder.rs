//! The folders of a technician's tree and the roles they play.

use std::fmt;

/// The part a folder plays in a technician's tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// The technician's own top folder (`Ana_Maria`).
    Usuario,
    /// A folder on the way to the three below (`pdfs`). Several roles may share one.
    Caminho,
    /// Where work orders arrive; the only folder shared with the technician.
    Novos,
    /// Where work orders go that the processor accepted.
    Processados,
    /// Where work orders go that the processor refused.
    Erro,
}

impl Role {
    /// The word stored in Drive's `appProperties` and in the ledger. Stable for ever.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Usuario => "usuario",
            Self::Caminho => "caminho",
            Self::Novos => "novos",
            Self::Processados => "processados",
            Self::Erro => "erro",
        }
    }

    /// The role of a stored word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Usuario, Self::Caminho, Self::Novos, Self::Processados, Self::Erro].into_iter().find(|r| r.as_str() == word)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One folder of the wanted tree: where it lies below the technician's folder, and what for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedFolder {
    /// Path below the technician's folder, `/`-separated; empty for the folder itself.
    pub path: String,
    /// The part it plays.
    pub role: Role,
}

/// Where the folders of every technician lie, below the technician's own folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// `novos`, e.g. `pdfs/novos`.
    pub inbox: String,
    /// `processados`; the part before the first `{year}` or `{month}` is the folder that always exists.
    pub processed: String,
    /// `erro`, likewise.
    pub failed: String,
    /// Folders wanted on the VM only, e.g. `logs`.
    pub local_only: Vec<String>,
    /// The folder, beside the trees on Drive and on the VM, where the trees of removed technicians lie.
    pub archive: String,
}

impl Layout {
    /// The folders wanted on Drive, parents before children, each path once.
    pub fn drive_folders(&self) -> Vec<WantedFolder> {
        let leaves = [(&self.inbox, Role::Novos), (&self.processed, Role::Processados), (&self.failed, Role::Erro)];
        let mut wanted = vec![WantedFolder { path: String::new(), role: Role::Usuario }];
        for (path, _) in &leaves {
            for parent in ancestors(fixed_part(path)) {
                if !wanted.iter().any(|w| w.path == parent) {
                    wanted.push(WantedFolder { path: parent.to_owned(), role: Role::Caminho });
                }
            }
        }
        for (path, role) in leaves {
            wanted.push(WantedFolder { path: fixed_part(path).to_owned(), role });
        }
        wanted
    }

    /// The folders wanted on the VM, parents before children: the tree of Drive and `local_only`.
    pub fn local_folders(&self) -> Vec<String> {
        let mut paths: Vec<String> = self.drive_folders().into_iter().map(|w| w.path).collect();
        for path in &self.local_only {
            for part in ancestors(path).into_iter().chain([path.as_str()]) {
                if !paths.iter().any(|p| p == part) {
                    paths.push(part.to_owned());
                }
            }
        }
        paths
    }

    /// The standing path of a role below the technician's folder (templates cut off).
    pub fn path_of(&self, role: Role) -> &str {
        match role {
            Role::Novos => fixed_part(&self.inbox),
            Role::Processados => fixed_part(&self.processed),
            Role::Erro => fixed_part(&self.failed),
            Role::Usuario | Role::Caminho => "",
        }
    }
}

/// The part of a path before its first templated component.
fn fixed_part(path: &str) -> &str {
    match path.find('{') {
        Some(at) => path[..at].trim_end_matches(|c| c != '/').trim_end_matches('/'),
        None => path,
    }
}

/// `a/b/c` → `a`, `a/b`.
fn ancestors(path: &str) -> Vec<&str> {
    path.match_indices('/').map(|(at, _)| &path[..at]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout() -> Layout {
        Layout {
            inbox: "pdfs/novos".into(),
            processed: "pdfs/processados/{year}/{month}".into(),
            failed: "pdfs/erro".into(),
            local_only: vec!["logs".into()],
            archive: "arquivo".into(),
        }
    }

    #[test]
    fn parents_come_before_children_and_each_path_once() {
        let paths: Vec<_> = layout().drive_folders().into_iter().map(|w| (w.path, w.role.as_str())).collect();
        assert_eq!(
            paths,
            [
                (String::new(), "usuario"),
                ("pdfs".into(), "caminho"),
                ("pdfs/novos".into(), "novos"),
                ("pdfs/processados".into(), "processados"),
                ("pdfs/erro".into(), "erro"),
            ]
        );
    }

    #[test]
    fn local_tree_has_the_local_only_folders_too() {
        assert_eq!(layout().local_folders().last().map(String::as_str), Some("logs"));
    }
}
