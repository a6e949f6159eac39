//! The discovery document and what it says about a value.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::installed;

/// `drive.v3.json` of the Python client.
pub struct Document(Value);

/// A method of the document.
pub struct Method {
    /// Such as `files.get`.
    pub op: String,
    pub verb: String,
    path: String,
    /// Parameters of the query.
    pub parameters: Vec<Parameter>,
    /// The name of what it answers.
    pub response: Option<String>,
}

/// A parameter of the query.
pub struct Parameter {
    pub name: String,
    pub kind: String,
    pub required: bool,
}

impl Method {
    /// The path below `/drive/v3/` with `fill` in the place of every `{name}`.
    pub fn path(&self, fill: impl Fn(&str) -> String) -> String {
        let mut out = String::new();
        let mut rest = self.path.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').expect("a name ends");
            out.push_str(before);
            out.push_str(&fill(name));
            rest = after;
        }
        out + rest
    }
}

impl Document {
    /// Reads it out of the virtual environment.
    pub fn read() -> Self {
        let lib = installed("TECNICO_TEST_VENV", "test-venv").join("lib");
        let below = "site-packages/googleapiclient/discovery_cache/documents/drive.v3.json";
        let mut found = fs::read_dir(lib).expect("a virtual environment").filter_map(|entry| Some(entry.ok()?.path().join(below)));
        let path = found.find(|path| path.is_file()).expect("Google's client is there; scripts/test installs it");
        Self(serde_json::from_slice(&fs::read(path).expect("it is read")).expect("it is JSON"))
    }

    /// All methods, those of resources in resources included.
    pub fn methods(&self) -> impl Iterator<Item = Method> {
        let mut all = Vec::new();
        collect(&self.0, &mut all);
        all.into_iter()
    }

    pub fn method(&self, op: &str) -> Option<Method> {
        self.methods().find(|method| method.op == op)
    }

    /// What every method takes, such as `fields`.
    pub fn system_parameters(&self) -> Vec<String> {
        self.0["parameters"].as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
    }

    fn schema(&self, name: &str) -> Option<&Value> {
        self.0["schemas"].get(name)
    }

    /// The paths of the fields of a resource, `a/b/c`, so many names deep. Maps with free keys are not entered.
    pub fn paths(&self, resource: &str, depth: usize) -> BTreeSet<String> {
        let mut paths = BTreeSet::new();
        self.walk(self.schema(resource).unwrap_or(&Value::Null), "", depth, &mut paths);
        paths
    }

    fn walk(&self, schema: &Value, above: &str, depth: usize, paths: &mut BTreeSet<String>) {
        let schema = self.resolved(schema);
        if depth == 0 {
            return;
        }
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            let path = if above.is_empty() { name.clone() } else { format!("{above}/{name}") };
            self.walk(field, &path, depth - 1, paths);
            paths.insert(path);
        }
    }

    /// The schema itself: of a reference what it leads to, of an array what is in it.
    fn resolved<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match (schema["$ref"].as_str(), schema["type"].as_str()) {
            (Some(name), _) => self.schema(name).unwrap_or(schema),
            (None, Some("array")) => self.resolved(&schema["items"]),
            _ => schema,
        }
    }

    /// Whether a resource or an object in it has a field.
    pub fn has(&self, resource: &str, field: &str) -> bool {
        self.paths(resource, 4).iter().any(|path| path == field)
    }

    /// Whether a value is what the schema of this name describes; else why not.
    pub fn conforms(&self, name: &str, value: &Value) -> Result<(), String> {
        let schema = self.schema(name).ok_or_else(|| format!("no schema {name}"))?;
        self.check(schema, value, name)
    }

    fn check(&self, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
        if let Some(name) = schema["$ref"].as_str() {
            return self.check(self.schema(name).ok_or_else(|| format!("no schema {name}"))?, value, at);
        }
        let format = schema["format"].as_str().unwrap_or_default();
        let right = match schema["type"].as_str().unwrap_or_default() {
            "string" => value.as_str().is_some_and(|text| match format {
                "int64" => text.parse::<i64>().is_ok(),
                // 0.5
                "date-time" => text.len() == "2021-03-04T07:13:02.100Z".len() && text.ends_with('Z'),
                _ => true,
            }),
            "integer" => value.is_i64(),
            "number" => value.is_number(),
            "boolean" => value.is_boolean(),
            "array" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    self.check(&schema["items"], item, &format!("{at}[{index}]"))?;
                }
                value.is_array()
            }
            "object" => {
                for (key, field) in value.as_object().into_iter().flatten() {
                    let known = schema["properties"].get(key).or_else(|| schema.get("additionalProperties"));
                    self.check(known.ok_or_else(|| format!("{at}.{key} is not listed"))?, field, &format!("{at}.{key}"))?;
                }
                value.is_object()
            }
            // `any`
            _ => true,
        };
        if right { Ok(()) } else { Err(format!("{at} is {value}, wanted {} {format}", schema["type"])) }
    }
}

fn collect(resource: &Value, all: &mut Vec<Method>) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for (_, method) in resource["methods"].as_object().into_iter().flatten() {
        let parameters = method["parameters"].as_object().into_iter().flatten();
        let parameters = parameters.filter(|(_, parameter)| parameter["location"] == "query").map(|(name, parameter)| Parameter {
            name: name.clone(),
            kind: text(&parameter["type"]),
            required: parameter["required"] == true,
        });
        all.push(Method {
            op: text(&method["id"]).trim_start_matches("drive.").to_owned(),
            verb: text(&method["httpMethod"]),
            path: text(&method["path"]),
            parameters: parameters.collect(),
            response: method["response"]["$ref"].as_str().map(str::to_owned),
        });
    }
    for (_, below) in resource["resources"].as_object().into_iter().flatten() {
        collect(below, all);
    }
}

/// The names in calls such as `query.get("q")` and in the tables of typed parameters.
pub fn parameters_read_by_the_emulator() -> BTreeSet<String> {
    let api = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/api");
    let mut names = BTreeSet::new();
    for source in sources(&api) {
        let text = fs::read_to_string(&source).expect("a source");
        // Tests may ask for anything.
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        for call in ["get", "filled", "flag", "is_true", "list"] {
            for subject in ["query", "self"] {
                let start = format!("{subject}.{call}(\"");
                names.extend(text.split(&start).skip(1).filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())));
            }
        }
        if source.ends_with("params.rs") {
            let rows = text.split("    (\"").skip(1);
            names.extend(rows.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())));
        }
    }
    names
}

fn sources(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).expect("a directory of sources").filter_map(|entry| Some(entry.ok()?.path()));
    let (dirs, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    files.into_iter().chain(dirs.iter().flat_map(|dir| sources(dir))).collect()
}

/// The fields of `src/mask/fields.txt`: resource and `a/b` path.
pub fn fields_of_masks() -> Vec<(String, String)> {
    let text = include_str!("../../../src/mask/fields.txt");
    let mut found = Vec::new();
    let (mut resource, mut above, mut name) = (String::new(), Vec::<String>::new(), String::new());
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if !line.starts_with("  ") {
            line.trim().clone_into(&mut resource);
            continue;
        }
        let mut reference = false;
        for c in line.chars().chain([',']) {
            match c {
                '<' => reference = true,
                '>' => reference = false,
                _ if reference => {}
                '(' | ')' | ',' => {
                    if !name.trim().is_empty() && name != "*" {
                        let path = above.iter().map(String::as_str).chain([name.trim()]).collect::<Vec<_>>().join("/");
                        found.push((resource.clone(), path));
                    }
                    match c {
                        '(' => above.push(name.trim().to_owned()),
                        ')' => drop(above.pop()),
                        _ => {}
                    }
                    name.clear();
                }
                c => name.push(c),
            }
        }
    }
    assert!(above.is_empty() && found.len() > 200, "the list is understood: {}", found.len());
    found
}
