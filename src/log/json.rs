//! One JSON object a line, every key at its top: `timestamp`, `level`, `message`, the ids of the spans around (`user`, `item`,
//! `event`), then what the line itself names. The library's own format nests the spans, where `jq 'select(.item == …)'`
//! does not find them.

use std::fmt::Debug;
use std::io::Write;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::{LookupSpan, Scope};

/// Writes the lines to stderr.
pub(super) struct Json;

/// The fields of a span, or of a line.
#[derive(Default)]
struct Fields(Map<String, Value>);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Json {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut own = Fields::default();
        event.record(&mut own);
        let mut all = Map::new();
        let message = own.0.shift_remove("message").unwrap_or_default();
        // The innermost knows best.
        for span in context.event_scope(event).into_iter().flat_map(Scope::from_root) {
            if let Some(fields) = span.extensions().get::<Fields>() {
                all.extend(fields.0.clone());
            }
        }
        all.extend(own.0);
        write(event.metadata().level().as_str(), message, all);
    }
}

/// One line that no span is around.
pub fn line(level: &str, message: &str, fields: &[(&str, Option<&str>)]) {
    let told = fields.iter().filter_map(|(name, value)| Some(((*name).to_owned(), value.filter(|v| !v.is_empty())?.into())));
    write(level, message.into(), told.collect());
}

fn write(level: &str, message: Value, fields: Map<String, Value>) {
    let mut line = Map::new();
    line.insert("timestamp".into(), format!("{:.3}", jiff::Timestamp::now()).into());
    line.insert("level".into(), level.into());
    line.insert("message".into(), message);
    line.extend(fields);
    // A stderr that takes nothing loses the line, and stops nothing.
    let _ = std::io::stderr().write_all(format!("{}\n", Value::Object(line)).as_bytes());
}

impl Fields {
    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        // Where in some library's source a line was written is of no use here.
        if !field.name().starts_with("log.") {
            self.0.insert(field.name().to_owned(), value.into());
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.put(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }
}
