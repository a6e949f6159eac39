//! The terms of a query, decided on one file and as SQL.

use rusqlite::types::Value as Sql;

use crate::api::render;
use crate::error::ApiResult;
use crate::query::{Condition, Flag, Term, TimeField, Visibility, text};
use crate::rules::cx::Cx;
use crate::store::files::{self, FileRow};
use crate::store::perms::{Grantee, Role};

/// SQL that lets through at least the files a term holds for; only what an index helps with.
pub fn narrow(cx: &Cx<'_>, term: &Term, negated: bool) -> Option<Condition> {
    let text = |sql: &str, value: &str| Some(Condition::new(sql, [Sql::from(value.to_owned())]));
    match term {
        _ if negated => None,
        Term::Parent(id) if id == "appDataFolder" => text("parent = ?", &cx.app_data_id()),
        Term::Parent(id) => text("parent = ?", id),
        Term::NameIs(name) => text("name_key = ?", &files::name_key(name)),
        Term::MimeIs(mime) => text("+mime = ?", mime),
        Term::Owner(email) => text("owner = ?", &email.to_lowercase()),
        Term::Property { private, key, value } => {
            let app = if *private { cx.who.app.clone() } else { String::new() };
            let mut values = vec![Sql::from(app), Sql::from(key.clone())];
            let mut sql = "id IN (SELECT file FROM props WHERE app = ? AND key = ?".to_owned();
            if let Some(value) = value {
                sql += " AND value = ?";
                values.push(Sql::from(value.clone()));
            }
            Some(Condition { sql: sql + ")", values })
        }
        Term::ShortcutTarget(id) => text("target = ?", id),
        _ => None,
    }
}

/// Whether an index finds what [`narrow`] says for a term.
pub fn is_indexed(term: &Term) -> bool {
    matches!(term, Term::Parent(_) | Term::NameIs(_) | Term::Owner(_) | Term::Property { .. })
}

/// Whether a term holds for a file, as the caller sees it.
pub fn holds(cx: &Cx<'_>, f: &FileRow, term: &Term) -> ApiResult<bool> {
    Ok(match term {
        Term::NameIs(name) => text::equals(&f.name, name),
        Term::NameContains(part) if cx.settings.switches.name_contains_is_token_prefix => text::contains_prefixes(&f.name, part),
        Term::NameContains(part) => text::contains_part(&f.name, part),
        Term::FullText(words) => {
            let description = f.description.as_deref().unwrap_or_default();
            text::contains_words(&format!("{} {description}", f.name), words)
        }
        Term::MimeIs(mime) => f.mime == *mime,
        Term::MimeContains(part) => f.mime.contains(part.as_str()),
        Term::Time(field, compare, wanted) => time(cx, f, *field)?.is_some_and(|have| compare.holds(have, *wanted)),
        Term::Flag(Flag::Trashed) => cx.standing(f)?.trashed,
        Term::Flag(Flag::Starred) => files::personal(cx.db, &cx.who.email, &f.id)?.is_some_and(|own| own.starred),
        Term::Flag(Flag::SharedWithMe) => render::shared_with_me(cx, f)?.is_some(),
        Term::Parent(id) => {
            let id = if id == "appDataFolder" { cx.app_data_id() } else { id.clone() };
            // Children of a folder that only shows its existence are not shown (2.43).
            f.parent.as_ref() == Some(&id) && cx.parent_role(f)?.is_some()
        }
        Term::Owner(email) => f.owner.as_deref().is_some_and(|owner| owner.eq_ignore_ascii_case(email)),
        Term::Writer(email) => has_role(cx, f, email, Role::Writer)?,
        Term::Reader(email) => has_role(cx, f, email, Role::Reader)?,
        Term::Property { private, key, value } => {
            let app = if *private { cx.who.app.as_str() } else { "" };
            let props = files::props(cx.db, &f.id, app)?;
            props.get(key).is_some_and(|have| value.as_ref().is_none_or(|value| have == value))
        }
        Term::Visibility(wanted) => visibility(cx, f)? == *wanted,
        Term::ShortcutTarget(id) => f.target.as_ref() == Some(id),
        Term::Label(_) => false,
    })
}

fn time(cx: &Cx<'_>, f: &FileRow, field: TimeField) -> ApiResult<Option<i64>> {
    Ok(match field {
        TimeField::Created => Some(f.created),
        TimeField::Modified => Some(f.modified),
        TimeField::ViewedByMe => files::personal(cx.db, &cx.who.email, &f.id)?.and_then(|own| own.viewed),
        TimeField::SharedWithMe => render::shared_with_me(cx, f)?.map(|(granted, _)| granted),
    })
}

fn has_role(cx: &Cx<'_>, f: &FileRow, email: &str, least: Role) -> ApiResult<bool> {
    let email = email.to_lowercase();
    Ok(cx
        .effective(f)?
        .iter()
        .any(|grant| grant.role >= least && matches!(&grant.perm.grantee, Grantee::User(have) | Grantee::Group(have) if *have == email)))
}

fn visibility(cx: &Cx<'_>, f: &FileRow) -> ApiResult<Visibility> {
    let mut widest = Visibility::Limited;
    for grant in cx.effective(f)? {
        match (&grant.perm.grantee, grant.perm.discoverable) {
            (Grantee::Anyone, true) => return Ok(Visibility::AnyoneCanFind),
            (Grantee::Anyone, false) => widest = Visibility::AnyoneWithLink,
            (Grantee::Domain(_), true) if widest != Visibility::AnyoneWithLink => widest = Visibility::DomainCanFind,
            (Grantee::Domain(_), false) if widest == Visibility::Limited => widest = Visibility::DomainWithLink,
            _ => {}
        }
    }
    Ok(widest)
}
