//! The names a mask may use, by resource.

use std::collections::HashMap;
use std::sync::LazyLock;

/// The field names of every resource, as text; the grammar is explained in the file.
const FIELDS: &str = include_str!("fields.txt");

/// The resources with masks of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `about.get`.
    About,
    /// A page of changes.
    ChangeList,
    /// A notification channel.
    Channel,
    /// A shared drive.
    Drive,
    /// A page of shared drives.
    DriveList,
    /// A file, folder, shortcut or editors' document.
    File,
    /// A page of files.
    FileList,
    /// `files.generateIds`.
    GeneratedIds,
    /// The labels on a file.
    LabelList,
    /// A permission.
    Permission,
    /// A page of permissions.
    PermissionList,
    /// A revision.
    Revision,
    /// A page of revisions.
    RevisionList,
    /// `changes.getStartPageToken`.
    StartPageToken,
}

impl Kind {
    fn name(self) -> String {
        format!("{self:?}")
    }

    /// The mask of a request without `fields`; none keeps everything.
    pub(super) fn default_fields(self) -> Option<&'static str> {
        match self {
            Kind::File => Some("kind,id,name,mimeType,resourceKey,driveId,teamDriveId"),
            Kind::FileList => Some("kind,incompleteSearch,nextPageToken,files(kind,id,name,mimeType,resourceKey,driveId,teamDriveId)"),
            Kind::Permission => Some("kind,id,type,role"),
            Kind::PermissionList => Some("kind,nextPageToken,permissions(kind,id,type,role)"),
            Kind::Drive => Some("kind,id,name"),
            Kind::DriveList => Some("kind,nextPageToken,drives(kind,id,name)"),
            Kind::Revision => Some("kind,id,mimeType,modifiedTime"),
            Kind::RevisionList => Some("kind,nextPageToken,revisions(kind,id,mimeType,modifiedTime)"),
            Kind::ChangeList => Some(
                "kind,nextPageToken,newStartPageToken,changes(kind,type,changeType,time,removed,fileId,driveId,\
                 teamDriveId,file(kind,id,name,mimeType,driveId,teamDriveId),drive(kind,id,name))",
            ),
            Kind::About | Kind::Channel | Kind::GeneratedIds | Kind::LabelList | Kind::StartPageToken => None,
        }
    }
}

/// What is below a field that has fields.
#[derive(Debug)]
pub(super) enum Field {
    /// A fixed set of names; a name without fields of its own maps to `None`.
    Object(HashMap<String, Option<Field>>),
    /// A map whose keys the caller chooses, such as `appProperties`.
    Free,
    /// A resource by name, looked up when it is reached: resources may hold each other.
    Named(String),
}

static RESOURCES: LazyLock<HashMap<String, Field>> = LazyLock::new(|| {
    let mut texts: Vec<(String, String)> = Vec::new();
    for line in FIELDS.lines().filter(|line| !line.starts_with('#')) {
        match (line.strip_prefix("  "), texts.last_mut()) {
            (Some(fields), Some((_, text))) => text.push_str(fields),
            _ => texts.push((line.trim().to_owned(), String::new())),
        }
    }
    texts.into_iter().map(|(name, text)| (name, Field::Object(object(&mut text.as_str())))).collect()
});

/// Reads `a,b(c),d<Kind>` up to a closing parenthesis or the end.
fn object(text: &mut &str) -> HashMap<String, Option<Field>> {
    let mut fields = HashMap::new();
    loop {
        let end = text.find([',', '(', ')', '<']).unwrap_or(text.len());
        let name = text[..end].trim().to_owned();
        *text = &text[end..];
        let field = if let Some(rest) = text.strip_prefix("(*)") {
            *text = rest;
            Some(Field::Free)
        } else if let Some(rest) = text.strip_prefix('(') {
            *text = rest;
            let inner = object(text);
            *text = text.strip_prefix(')').unwrap_or(text);
            Some(Field::Object(inner))
        } else if let Some((kind, rest)) = text.strip_prefix('<').and_then(|rest| rest.split_once('>')) {
            *text = rest;
            Some(Field::Named(kind.to_owned()))
        } else {
            None
        };
        if !name.is_empty() {
            fields.insert(name, field);
        }
        match text.strip_prefix(',') {
            Some(rest) => *text = rest,
            None => return fields,
        }
    }
}

impl Field {
    pub(super) fn of(kind: Kind) -> Option<&'static Self> {
        RESOURCES.get(&kind.name())
    }

    /// What `name` may lead to: nothing where it does not exist, one entry for a plain name, all
    /// for `*`. An entry of `None` is a field without fields.
    pub(super) fn below(&'static self, name: &str) -> Option<Vec<Option<&'static Field>>> {
        match self {
            Field::Free => Some(vec![None]),
            Field::Named(kind) => RESOURCES.get(kind)?.below(name),
            // Maps with free keys are left out: behind them any name would be right.
            Field::Object(fields) if name == "*" => {
                let fixed = fields.values().map(Option::as_ref);
                Some(fixed.filter(|field| !matches!(field, Some(Field::Free))).collect())
            }
            Field::Object(fields) => fields.get(name).map(|field| vec![field.as_ref()]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [Kind; 14] = [
        Kind::About,
        Kind::ChangeList,
        Kind::Channel,
        Kind::Drive,
        Kind::DriveList,
        Kind::File,
        Kind::FileList,
        Kind::GeneratedIds,
        Kind::LabelList,
        Kind::Permission,
        Kind::PermissionList,
        Kind::Revision,
        Kind::RevisionList,
        Kind::StartPageToken,
    ];

    #[test]
    fn every_kind_is_listed_and_every_reference_leads_somewhere() {
        fn walk(fields: &HashMap<String, Option<Field>>) {
            for field in fields.values().flatten() {
                match field {
                    Field::Named(kind) => assert!(RESOURCES.contains_key(kind), "{kind}"),
                    Field::Object(inner) => walk(inner),
                    Field::Free => {}
                }
            }
        }
        for kind in KINDS {
            assert!(RESOURCES.contains_key(&kind.name()), "{kind:?}");
        }
        for field in RESOURCES.values() {
            match field {
                Field::Object(fields) => walk(fields),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn the_default_masks_name_real_fields() {
        for kind in KINDS {
            if let Some(text) = kind.default_fields() {
                super::super::Mask::parse(text, kind).unwrap_or_else(|error| panic!("{kind:?}: {error}"));
            }
        }
    }
}
