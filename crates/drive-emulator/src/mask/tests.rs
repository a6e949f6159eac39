use serde_json::{Value, json};

use super::*;

fn file() -> Value {
    json!({
        "kind": "drive#file",
        "id": "f1",
        "name": "a.pdf",
        "appProperties": {"tecnico.role": "novos", "other": "x"},
        "owners": [
            {"kind": "drive#user", "emailAddress": "ana@example.com", "displayName": "Ana Maria"},
            {"kind": "drive#user", "emailAddress": "bea@example.com"},
        ],
        "capabilities": {"canEdit": true, "canShare": false},
    })
}

fn masked(mask: &str, kind: Kind, value: Value) -> Value {
    Mask::parse(mask, kind).expect("the mask is right").apply(value)
}

fn refused(mask: &str, kind: Kind) -> String {
    Mask::parse(mask, kind).expect_err("the mask is wrong").message().to_owned()
}

#[test]
fn b1_51_names_paths_and_sub_selections_pick_exactly() {
    assert_eq!(masked("id", Kind::File, file()), json!({"id": "f1"}));
    assert_eq!(
        masked("owners/emailAddress", Kind::File, file()),
        json!({"owners": [{"emailAddress": "ana@example.com"}, {"emailAddress": "bea@example.com"}]})
    );
    assert_eq!(
        masked(" name , capabilities ( canEdit , canShare ) ", Kind::File, file()),
        json!({"name": "a.pdf", "capabilities": {"canEdit": true, "canShare": false}})
    );
    let page = json!({"files": [file()], "nextPageToken": "t"});
    let expected = json!({"files": [{"id": "f1"}]});
    assert_eq!(masked("files(id)", Kind::FileList, page.clone()), expected);
    assert_eq!(masked("files/id", Kind::FileList, page), expected);
}

#[test]
fn b1_51_a_star_keeps_all_of_its_level() {
    assert_eq!(masked("*", Kind::File, file()), file());
    assert_eq!(masked("capabilities/*", Kind::File, file()), masked("capabilities", Kind::File, file()));
    assert_eq!(
        masked("*/emailAddress", Kind::File, json!({"id": "f", "owners": [{"emailAddress": "e", "me": true}]})),
        json!({"id": "f", "owners": [{"emailAddress": "e"}]})
    );
}

#[test]
fn b1_51_two_selections_of_one_field_add_up() {
    assert_eq!(
        masked("owners/kind,owners(emailAddress)", Kind::File, file())["owners"][0],
        json!({"kind": "drive#user", "emailAddress": "ana@example.com"})
    );
    assert_eq!(masked("owners/kind,owners", Kind::File, file())["owners"], file()["owners"]);
}

#[test]
fn b1_52_an_unknown_name_is_named_alone() {
    assert_eq!(refused("id,nome", Kind::File), "Invalid field selection nome");
    assert_eq!(refused("files(id,capabilities/canAddChildrens)", Kind::FileList), "Invalid field selection canAddChildrens");
    assert_eq!(refused("name/first", Kind::File), "Invalid field selection first");
    assert_eq!(refused("files(id)", Kind::File), "Invalid field selection files");
    assert_eq!(refused("*/noSuchField", Kind::File), "Invalid field selection noSuchField");
}

#[test]
fn b1_52_text_that_is_no_mask_is_refused() {
    for mask in ["files(id", "id)", "id,,name", ",id", "id,", "files()", "a b", "id;name", "(id)", "/id", "id/"] {
        let message = refused(mask, Kind::FileList);
        assert!(message.starts_with("Invalid field selection "), "{mask}: {message}");
    }
    let deep = format!("{}id{}", "files(".repeat(5_000), ")".repeat(5_000));
    refused(&deep, Kind::FileList);
    refused(&"files/".repeat(5_000), Kind::FileList);
}

#[test]
fn b1_53_blank_gives_nothing_and_absent_the_default() {
    assert_eq!(masked("", Kind::File, file()), json!({}));
    assert_eq!(masked("  ", Kind::File, file()), json!({}));
    assert_eq!(
        Mask::of_request(None, Kind::File).expect("absent is right").apply(file()),
        json!({"kind": "drive#file", "id": "f1", "name": "a.pdf"})
    );
}

#[test]
fn b1_55_the_next_page_token_goes_unless_it_is_named() {
    let page = json!({"nextPageToken": "t", "files": []});
    assert_eq!(masked("files(id)", Kind::FileList, page.clone()), json!({"files": []}));
    assert_eq!(masked("nextPageToken,files(id)", Kind::FileList, page.clone()), page);
}

#[test]
fn keys_of_free_maps_are_the_callers_own() {
    assert_eq!(masked("appProperties/tecnico.role", Kind::File, file()), json!({"appProperties": {"tecnico.role": "novos"}}));
}

#[test]
fn a_mask_says_what_it_wants() {
    let mask = Mask::parse("files(id,permissions/role),nextPageToken", Kind::FileList).expect("right");
    assert!(mask.wants("files"));
    assert!(mask.wants("files/permissions"));
    assert!(mask.wants("files/permissions/role"));
    assert!(!mask.wants("files/permissions/id"));
    assert!(!mask.wants("files/capabilities"));
    assert!(!mask.wants("incompleteSearch"));
    assert!(Mask::all().wants("files/capabilities"));
    assert!(Mask::parse("files/*", Kind::FileList).expect("right").wants("files/capabilities"));
}
