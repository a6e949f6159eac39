use super::*;

fn ana() -> Entry {
    Entry {
        nome: "Ana Maria".into(),
        email: "ana@example.com".into(),
        usuario_portal: "ana.maria".into(),
        pasta_vm: "/srv/tecnicos/Ana_Maria".into(),
        pasta_drive_id: "1Ana".into(),
        pasta_novos_id: "1Novos".into(),
    }
}

fn merge(text: &str, entry: &Entry) -> (Written, String) {
    let (results, text) = merge_all(text, Path::new("t"), std::slice::from_ref(entry)).expect("the text is JSON");
    (results[0], text)
}

#[test]
fn c1_2_keys_in_order_indented_by_two_accents_unescaped() {
    let joao = Entry { nome: "João Silva".into(), ..ana() };
    let (written, text) = merge("[]", &joao);
    assert_eq!(written, Written::Added);
    assert_eq!(
        text,
        "[\n  {\n    \"nome\": \"João Silva\",\n    \"email\": \"ana@example.com\",\n    \"usuario_portal\": \"ana.maria\",\n    \
         \"pasta_vm\": \"/srv/tecnicos/Ana_Maria\",\n    \"pasta_drive_id\": \"1Ana\",\n    \"pasta_novos_id\": \"1Novos\"\n  }\n]\n"
    );
}

#[test]
fn what_others_wrote_stays_as_written() {
    let foreign = "{ \"x\":1.50e2,  \"nome\": \"Jo\\u00e3o\" }";
    let (_, text) = merge(&format!("[\n  {foreign},\n  null\n]"), &ana());
    assert!(text.starts_with(&format!("[\n  {foreign},\n  null,\n  {{")), "{text}");
}

#[test]
fn unknown_keys_of_a_known_entry_are_kept_and_empty_fields_leave_what_is_there() {
    let old = r#"[{"equipe": "Sul", "pasta_drive_id": "1Ana", "usuario_portal": "antigo", "nome": "Ana"}]"#;
    let (written, text) = merge(old, &Entry { usuario_portal: String::new(), ..ana() });
    assert_eq!(written, Written::Changed);
    let value: Value = serde_json::from_str(&text).expect("JSON");
    let keys: Vec<_> = value[0].as_object().expect("object").keys().map(String::as_str).collect();
    assert_eq!(keys, ["nome", "email", "usuario_portal", "pasta_vm", "pasta_drive_id", "pasta_novos_id", "equipe"]);
    assert_eq!((&value[0]["usuario_portal"], &value[0]["nome"]), (&"antigo".into(), &"Ana Maria".into()));
    assert_eq!(merge(&text, &ana()).0, Written::Changed);
    assert_eq!(merge(&text, &Entry { usuario_portal: "antigo".into(), ..ana() }).0, Written::Unchanged);
}

#[test]
fn the_drive_id_names_the_entry_before_the_vm_folder_does() {
    let old = r#"[{"pasta_vm": "/srv/tecnicos/Ana_Maria", "pasta_drive_id": "1Outra"}, {"pasta_drive_id": "1Ana"}]"#;
    let (_, text) = merge(old, &ana());
    let value: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((&value[0]["pasta_drive_id"], &value[1]["nome"]), (&"1Outra".into(), &"Ana Maria".into()));
    assert_eq!(value.as_array().map(Vec::len), Some(2));
}

#[test]
fn damage_names_its_line_and_the_way_out() {
    for (text, place) in
        [("[\n  {\"nome\": ]", "line 2, column"), ("", "line 1, column 1: EOF while parsing a value; it was"), ("{}", "line 1, column")]
    {
        let failure = parse(text, Path::new("/srv/tecnicos.json")).expect_err("damaged");
        assert_eq!((failure.exit(), failure.code()), (Exit::Data, "registry_damaged"));
        assert!(failure.to_string().contains(place), "{failure}");
        assert!(failure.hint_text().is_some_and(|h| h.contains("check --repair")));
    }
}
