//! Google's own description of Drive, as its Python client carries it: what the emulator serves is in it, under
//! that name and of that type, and what it lists beyond that is refused in words.

mod document;
mod tour;

use std::collections::BTreeSet;

use document::{Document, Method};
use drive_emulator::mask::{Kind, Mask};
use drive_emulator::served;
use reqwest::Client;
use serde_json::Value;

use crate::support::Rig;

/// A call of `method` with an id that exists nowhere in the place of every id; what it says.
async fn call(rig: &Rig, method: &Method, query: &[(&str, &str)]) -> (u16, Value) {
    let path = method.path(|_| "nowhere".to_owned());
    let verb = reqwest::Method::from_bytes(method.verb.as_bytes()).expect("a method of HTTP");
    let mut request = Client::new().request(verb, format!("{}/drive/v3/{path}", rig.emulator.url())).query(query);
    if method.verb == "POST" || method.verb == "PATCH" {
        request = request.json(&serde_json::json!({}));
    }
    let response = request.bearer_auth(&rig.ana.token).send().await.expect("the emulator answers");
    (response.status().as_u16(), response.json().await.unwrap_or(Value::Null))
}

#[test]
fn every_served_method_is_listed_with_its_verb_and_path() {
    let document = Document::read();
    for served in served() {
        let method = document.method(served.op).unwrap_or_else(|| panic!("{} is not listed", served.op));
        assert_eq!((served.method, served.path), (method.verb.as_str(), method.path(|_| "{}".to_owned()).as_str()), "{}", served.op);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_listed_method_not_served_is_501_in_words() {
    let (rig, document) = (Rig::start().await, Document::read());
    let ours: BTreeSet<&str> = served().map(|method| method.op).collect();
    let mut refused = 0;
    for method in document.methods().filter(|method| !ours.contains(method.op.as_str())) {
        let (status, body) = call(&rig, &method, &[]).await;
        assert_eq!(status, 501, "{}: {body}", method.op);
        let said = body["error"]["message"].as_str().unwrap_or_default();
        assert!(said.contains(&method.op) && said.ends_with('.'), "{}: {said}", method.op);
        assert_eq!(body["error"]["errors"][0]["reason"], "notImplemented", "{}", method.op);
        refused += 1;
    }
    assert_eq!(refused + ours.len(), document.methods().count());
    assert!(refused >= 20, "comments, replies and more are not served: {refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_typed_parameter_refuses_what_is_not_of_its_type() {
    let (rig, document) = (Rig::start().await, Document::read());
    let mut checked = 0;
    for served in served() {
        let method = document.method(served.op).expect("it is listed");
        for parameter in method.parameters.iter().filter(|parameter| ["boolean", "integer"].contains(&parameter.kind.as_str())) {
            let (status, body) = call(&rig, &method, &[(&parameter.name, "NOPE")]).await;
            let said = body["error"]["message"].as_str().unwrap_or_default();
            assert!(status == 400 && said.starts_with("Invalid value at "), "{} {}: {status} {body}", method.op, parameter.name);
            checked += 1;
        }
    }
    assert!(checked > 80, "the document lists many: {checked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_required_parameter_is_missed() {
    let (rig, document) = (Rig::start().await, Document::read());
    let mut checked = Vec::new();
    for served in served() {
        let method = document.method(served.op).expect("it is listed");
        for parameter in method.parameters.iter().filter(|parameter| parameter.required) {
            let (status, body) = call(&rig, &method, &[]).await;
            let found = (status, body["error"]["errors"][0]["reason"].as_str(), body["error"]["errors"][0]["location"].as_str());
            assert_eq!(found, (400, Some("required"), Some(parameter.name.as_str())), "{}: {body}", method.op);
            checked.push(served.op);
        }
    }
    assert_eq!(checked, ["files.export", "changes.list", "changes.watch", "drives.create"]);
}

/// The parameters are read by name in the handlers; each name there is one of the document's.
#[test]
fn every_parameter_read_is_listed() {
    let document = Document::read();
    let mut known: BTreeSet<String> = document.methods().flat_map(|method| method.parameters).map(|parameter| parameter.name).collect();
    known.extend(document.system_parameters());
    let read = document::parameters_read_by_the_emulator();
    assert!(read.len() > 25, "{read:?}");
    // The id of a session is in the addresses the emulator gives out.
    let invented: Vec<&String> = read.iter().filter(|name| !known.contains(*name) && *name != "upload_id").collect();
    assert!(invented.is_empty(), "read by the emulator, unknown to Google: {invented:?}");
}

#[test]
fn masks_take_the_fields_that_are_listed_and_no_others() {
    let document = Document::read();
    let kinds = [
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
    for kind in kinds {
        let paths = document.paths(&format!("{kind:?}"), 3);
        assert!(!paths.is_empty(), "{kind:?}");
        for path in &paths {
            assert!(Mask::parse(path, kind).is_ok(), "{kind:?}: {path} is listed and refused");
            assert!(Mask::parse(&format!("{path}x"), kind).is_err() || path.contains("ropert") || path.contains('*'), "{kind:?}: {path}x");
        }
    }
    for (resource, field) in document::fields_of_masks() {
        assert!(document.has(&resource, &field), "{resource}.{field} is taken by masks and not listed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_field_answered_is_listed_with_its_type() {
    let (rig, document) = (Rig::start().await, Document::read());
    let answers = tour::take(&rig).await;
    let mut answered: BTreeSet<&str> = BTreeSet::new();
    for (op, value) in &answers {
        let method = document.method(op).unwrap_or_else(|| panic!("{op} is not listed"));
        match &method.response {
            Some(schema) => document.conforms(schema, value).unwrap_or_else(|why| panic!("{op}: {why}\n{value:#}")),
            None => assert!(value.is_null(), "{op} answers nothing: {value}"),
        }
        answered.insert(op);
    }
    let missing: Vec<&str> = served().map(|method| method.op).filter(|op| !answered.contains(op)).collect();
    assert!(missing.is_empty(), "served, and not on the tour: {missing:?}");
}
