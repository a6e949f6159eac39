//! What `--json` prints: documents that say which schema they follow. The schemas are generated from the very types that
//! are printed, so neither can say something the other does not.

use std::borrow::Cow;
use std::marker::PhantomData;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

/// Something printed for programs.
pub trait Document: Serialize + JsonSchema {
    /// Its name and version (`tecnico.list/1`). A field that is taken away or changes its meaning is a new version; a new
    /// field is not.
    const SCHEMA: &'static str;
}

impl<D: Document> Document for &D {
    const SCHEMA: &'static str = D::SCHEMA;
}

/// A document as it is printed: the name of its schema, then its fields.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "{D}")]
pub struct Named<D: Document> {
    schema: Name<D>,
    /// Its fields.
    #[serde(flatten)]
    pub document: D,
}

impl<D: Document> From<D> for Named<D> {
    fn from(document: D) -> Self {
        Self { schema: Name(PhantomData), document }
    }
}

#[derive(Debug)]
struct Name<D>(PhantomData<D>);

impl<D: Document> Serialize for Name<D> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(D::SCHEMA)
    }
}

impl<D: Document> JsonSchema for Name<D> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Name of {}", D::SCHEMA).into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "const": D::SCHEMA })
    }
}

/// The schema of a document (JSON Schema 2020-12), titled with its name.
pub fn schema_of<D: Document>() -> Schema {
    let mut schema = SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<Named<D>>();
    schema.insert("title".to_owned(), D::SCHEMA.into());
    let alone = SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<D>();
    if let Some(said) = alone.get("description") {
        schema.insert("description".to_owned(), said.clone());
    }
    schema
}
