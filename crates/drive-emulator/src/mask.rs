//! The `fields` parameter: which parts of an answer the caller wants (`drive-v3-behaviour` 1g).
//!
//! A mask is read once, checked against the field names of the resource, and applied exactly:
//! what it does not name is not sent, `nextPageToken` included (1.55).

mod schema;

use indexmap::IndexMap;
use serde_json::Value;

use schema::Field;
pub use schema::Kind;

use crate::error::{ApiError, ApiResult};

/// Sub-selections may nest this deep; Drive's own resources need five.
const MAX_DEPTH: usize = 16;

/// A parsed selection of fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mask(Node);

/// One level of a selection: everything below, or the named fields (`*` names any).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Node {
    all: bool,
    children: IndexMap<String, Node>,
}

impl Mask {
    /// The mask of a request. Absent gives the default fields of `kind`, blank gives nothing (1.53).
    ///
    /// # Errors
    /// 400 `invalidParameter` naming the first field `kind` does not have (1.52), or the text that
    /// is no selection at all.
    pub fn of_request(fields: Option<&str>, kind: Kind) -> ApiResult<Self> {
        match fields {
            Some(text) => Self::parse(text, kind),
            None => Ok(Self::default_of(kind)),
        }
    }

    /// Reads a mask and checks it against the fields of `kind`. See [`Mask::of_request`].
    ///
    /// # Errors
    /// As [`Mask::of_request`].
    pub fn parse(text: &str, kind: Kind) -> ApiResult<Self> {
        let root = parse(text)?;
        root.check(Field::of(kind))?;
        Ok(Self(root))
    }

    /// A mask that keeps everything.
    pub fn all() -> Self {
        Self(Node { all: true, children: IndexMap::new() })
    }

    /// What is sent where the request has no `fields` (1.11, 3.1, 4.10).
    pub fn default_of(kind: Kind) -> Self {
        match kind.default_fields() {
            None => Self::all(),
            Some(text) => Self(parse(text).unwrap_or_default()),
        }
    }

    /// Whether anything at or below `path` is selected, such as `files/permissions`: what is
    /// expensive to find need not be looked for otherwise.
    pub fn wants(&self, path: &str) -> bool {
        let mut level = vec![&self.0];
        for name in path.split('/') {
            if level.iter().any(|node| node.all) {
                return true;
            }
            level = level.iter().flat_map(|node| node.select(name)).collect();
        }
        !level.is_empty()
    }

    /// The parts of `value` this mask selects, in the order they stand in.
    pub fn apply(&self, value: Value) -> Value {
        apply(&[&self.0], value)
    }
}

impl Node {
    /// The selections that hold for the field `name`.
    fn select<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Node> {
        let any = self.children.get("*").filter(|_| name != "*");
        self.children.get(name).into_iter().chain(any)
    }

    fn child(&mut self, name: &str) -> &mut Node {
        self.children.entry(name.to_owned()).or_default()
    }

    /// Finds the first name `field` does not have. `None` is a field without fields of its own.
    fn check(&self, field: Option<&'static Field>) -> ApiResult<()> {
        for (name, node) in &self.children {
            let unknown = || ApiError::invalid_field_selection(name);
            let below = field.ok_or_else(unknown)?.below(name).ok_or_else(unknown)?;
            if node.children.is_empty() {
                continue;
            }
            // Behind `*` a name is right when any of the fields it stands for has it.
            let mut outcome = node.check(None);
            for field in below {
                outcome = node.check(field);
                if outcome.is_ok() {
                    break;
                }
            }
            outcome?;
        }
        Ok(())
    }
}

fn apply(nodes: &[&Node], value: Value) -> Value {
    if nodes.iter().any(|node| node.all) {
        return value;
    }
    match value {
        Value::Object(map) => Value::Object(
            map.into_iter()
                .filter_map(|(name, value)| {
                    let below: Vec<&Node> = nodes.iter().flat_map(|node| node.select(&name)).collect();
                    (!below.is_empty()).then(|| (name.clone(), apply(&below, value)))
                })
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(|item| apply(nodes, item)).collect()),
        scalar => scalar,
    }
}

/// Reads `a,b/c,d(e,f)` into a selection, without knowing any field.
fn parse(text: &str) -> ApiResult<Node> {
    let mut root = Node::default();
    if text.trim().is_empty() {
        return Ok(root);
    }
    let mut parser = Parser { text, at: 0 };
    parser.list(&mut root, 0)?;
    if parser.at < text.len() {
        return Err(parser.fault());
    }
    Ok(root)
}

struct Parser<'a> {
    text: &'a str,
    /// Bytes read; always on a character boundary.
    at: usize,
}

impl Parser<'_> {
    fn list(&mut self, into: &mut Node, depth: usize) -> ApiResult<()> {
        if depth > MAX_DEPTH {
            return Err(self.fault());
        }
        loop {
            self.item(into, depth)?;
            if !self.eat(',') {
                return Ok(());
            }
        }
    }

    fn item(&mut self, into: &mut Node, depth: usize) -> ApiResult<()> {
        let mut node = into;
        let mut steps = depth;
        loop {
            let name = self.name()?;
            node = node.child(&name);
            steps += 1;
            if steps > MAX_DEPTH {
                return Err(self.fault());
            }
            if self.eat('/') {
                continue;
            }
            if !self.eat('(') {
                node.all = true;
                return Ok(());
            }
            self.list(node, steps)?;
            return if self.eat(')') { Ok(()) } else { Err(self.fault()) };
        }
    }

    fn name(&mut self) -> ApiResult<String> {
        self.skip_space();
        let rest = &self.text[self.at..];
        let length = if rest.starts_with('*') {
            1
        } else {
            rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '$'))).unwrap_or(rest.len())
        };
        if length == 0 {
            return Err(self.fault());
        }
        self.at += length;
        let name = rest[..length].to_owned();
        self.skip_space();
        Ok(name)
    }

    fn eat(&mut self, wanted: char) -> bool {
        self.skip_space();
        let found = self.text[self.at..].starts_with(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        self.skip_space();
        found
    }

    fn skip_space(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
    }

    /// The refusal for text that is no mask: it names what could not be read.
    fn fault(&self) -> ApiError {
        let rest: String = self.text[self.at..].chars().take(80).collect();
        ApiError::invalid_field_selection(if rest.is_empty() { self.text.trim() } else { &rest })
    }
}

#[cfg(test)]
mod tests;
