//! `q` of files.list, built from parts that cannot be broken out of (drive-v3-behaviour 2d).

use super::entry::{Entry, FOLDER};
use super::ids::FileId;

/// What to list. Parts are joined by `and`; [`Query::any`] joins whole queries by `or`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    clauses: Vec<Clause>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Clause {
    Text(String),
    Parent(FileId),
    Name(String),
    Any(Vec<Query>),
}

impl Query {
    /// What lies directly in `folder`, the trash included unless [`Query::trashed`] says otherwise.
    pub fn children_of(folder: &FileId) -> Self {
        Self::default().inside(folder)
    }

    /// Everything that carries this property of tecnico's with this value, wherever it lies.
    pub fn with_property(key: &str, value: &str) -> Self {
        Self::default().app_property(key, value)
    }

    /// Everything that carries this property of tecnico's, whatever its value.
    pub fn with_property_key(key: &str) -> Self {
        Self::default().has_property(key)
    }

    /// Whatever one of `queries` finds. None of them finds nothing, and is not to be asked.
    pub fn any(queries: impl IntoIterator<Item = Query>) -> Self {
        Self::default().and(Clause::Any(queries.into_iter().collect()))
    }

    /// Only one of these exact names.
    #[must_use]
    pub fn named_one_of<'n>(self, names: impl IntoIterator<Item = &'n str>) -> Self {
        self.and(Clause::Any(names.into_iter().map(|name| Self::default().named(name)).collect()))
    }

    /// Only this exact name. Drive compares without case (2.49), so the answer is compared again here.
    #[must_use]
    pub fn named(self, name: &str) -> Self {
        self.and(Clause::Name(name.to_owned()))
    }

    /// Only with this property and value.
    #[must_use]
    pub fn app_property(self, key: &str, value: &str) -> Self {
        self.and(Clause::Text(format!("appProperties has {{ key='{}' and value='{}' }}", quoted(key), quoted(value))))
    }

    /// Only with this property, whatever its value (2.48).
    #[must_use]
    pub fn has_property(self, key: &str) -> Self {
        self.and(Clause::Text(format!("appProperties has {{ key='{}' }}", quoted(key))))
    }

    /// Only folders.
    #[must_use]
    pub fn folders_only(self) -> Self {
        self.and(Clause::Text(format!("mimeType = '{FOLDER}'")))
    }

    /// Only what is in the trash, or only what is not. Without it both come (2.32).
    #[must_use]
    pub fn trashed(self, trashed: bool) -> Self {
        self.and(Clause::Text(format!("trashed = {trashed}")))
    }

    /// Only inside `folder`.
    #[must_use]
    pub fn inside(self, folder: &FileId) -> Self {
        self.and(Clause::Parent(folder.clone()))
    }

    fn and(mut self, clause: Clause) -> Self {
        self.clauses.push(clause);
        self
    }

    /// The text for `q`; `None` where the query asks for nothing in particular.
    pub(super) fn text(&self) -> Option<String> {
        let parts: Vec<String> = self.clauses.iter().filter_map(Clause::text).collect();
        (!parts.is_empty()).then(|| parts.join(" and "))
    }

    /// Whether `entry` really is what was asked for, where Drive's own comparison is looser than ours.
    pub(super) fn admits(&self, entry: &Entry) -> bool {
        self.clauses.iter().all(|c| match c {
            Clause::Text(_) | Clause::Parent(_) => true,
            Clause::Name(name) => entry.name == *name,
            Clause::Any(queries) => queries.iter().any(|q| q.admits(entry)),
        })
    }

    /// The same, asked folder by folder, where several folders are asked for at once: Drive sometimes answers such a query
    /// with nothing although there is something (2.42).
    pub(super) fn one_by_one(&self) -> Option<Vec<Query>> {
        let (at, queries) = self.clauses.iter().enumerate().find_map(|(at, c)| match c {
            Clause::Any(queries) => Some((at, queries)),
            _ => None,
        })?;
        let folder_of = |q: &Query| q.clauses.iter().find_map(|c| if let Clause::Parent(folder) = c { Some(folder.clone()) } else { None });
        let mut groups: Vec<(Option<FileId>, Vec<Query>)> = Vec::new();
        for query in queries {
            let folder = folder_of(query);
            match groups.iter_mut().find(|(of, _)| *of == folder) {
                Some((_, group)) => group.push(query.clone()),
                None => groups.push((folder, vec![query.clone()])),
            }
        }
        // Many questions about one folder are no query over several.
        let several = groups.iter().filter(|(folder, _)| folder.is_some()).count() > 1;
        let alone = |group: Vec<Query>| {
            let mut clauses = self.clauses.clone();
            match <[Query; 1]>::try_from(group) {
                Ok([one]) => clauses.splice(at..=at, one.clauses).for_each(drop),
                Err(group) => clauses[at] = Clause::Any(group),
            }
            Query { clauses }
        };
        several.then(|| groups.into_iter().map(|(_, group)| alone(group)).collect())
    }

    /// Whether it can find nothing at all: an `any` of no queries.
    pub(super) fn is_impossible(&self) -> bool {
        self.clauses.iter().any(|c| matches!(c, Clause::Any(queries) if queries.iter().all(Query::is_impossible)))
    }
}

impl Clause {
    fn text(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::Parent(folder) => Some(format!("'{folder}' in parents")),
            Self::Name(name) => Some(format!("name = '{}'", quoted(name))),
            Self::Any(queries) => {
                let parts: Vec<String> = queries.iter().filter_map(Query::text).map(|t| format!("({t})")).collect();
                (!parts.is_empty()).then(|| format!("({})", parts.join(" or ")))
            }
        }
    }
}

/// Inside single quotes: the backslash first, then the quote (2.45).
fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\'', "\\'")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> FileId {
        FileId::new(text).expect("an id")
    }

    #[test]
    fn parts_are_joined_and_quotes_cannot_break_out() {
        let q = Query::children_of(&id("p1")).named(r"D'Ávila \ Filhos").folders_only().trashed(false);
        assert_eq!(
            q.text().expect("text"),
            r"'p1' in parents and name = 'D\'Ávila \\ Filhos' and mimeType = 'application/vnd.google-apps.folder' and trashed = false"
        );
        let q = Query::with_property("user", "x' or trashed = true or name = 'y");
        assert_eq!(q.text().expect("text"), r"appProperties has { key='user' and value='x\' or trashed = true or name = \'y' }");
    }

    #[test]
    fn or_puts_each_side_in_brackets() {
        let q = Query::any([Query::children_of(&id("a")).trashed(false), Query::with_property_key("k")]).folders_only();
        assert_eq!(
            q.text().expect("text"),
            "(('a' in parents and trashed = false) or (appProperties has { key='k' })) and mimeType = 'application/vnd.google-apps.folder'"
        );
        assert!(Query::any([]).is_impossible() && !q.is_impossible());
        assert_eq!(Query::default().text(), None);
    }

    #[test]
    fn several_folders_can_be_asked_one_by_one() {
        let q = Query::any([Query::children_of(&id("a")), Query::children_of(&id("b"))]).trashed(false);
        let texts: Vec<_> = q.one_by_one().expect("two folders").iter().filter_map(Query::text).collect();
        assert_eq!(texts, ["'a' in parents and trashed = false", "'b' in parents and trashed = false"]);
        assert_eq!(Query::any([Query::children_of(&id("a")), Query::with_property_key("k")]).one_by_one(), None);
        assert_eq!(Query::children_of(&id("a")).one_by_one(), None);
        let names = ["x", "y"].map(|name| Query::children_of(&id("a")).named(name));
        assert_eq!(Query::any(names.clone()).one_by_one(), None, "one folder, asked for two names");
        let q = Query::any(names.into_iter().chain([Query::children_of(&id("b"))]));
        let texts: Vec<_> = q.one_by_one().expect("two folders").iter().filter_map(Query::text).collect();
        assert_eq!(texts, ["(('a' in parents and name = 'x') or ('a' in parents and name = 'y'))", "'b' in parents"]);
    }

    #[test]
    fn a_name_that_differs_in_case_is_not_admitted() {
        let entry = |name: &str| {
            let json = serde_json::json!({"id": "f", "name": name, "mimeType": FOLDER});
            Entry::from_api(serde_json::from_value(json).expect("reads")).expect("whole")
        };
        let q = Query::any([Query::default().named("novos"), Query::default().named("erro")]);
        assert!(q.admits(&entry("erro")) && !q.admits(&entry("Novos")));
    }
}
