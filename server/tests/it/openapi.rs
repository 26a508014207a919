//! The OpenAPI document is a promise: requests are made from it, such as fit it and such as do not,
//! and every answer has to be one that it foretells.

use crate::kit::{Server, start};
use proptest::{prelude::*, string::string_regex, test_runner::TestRunner};
use reqwest::{
    Method,
    header::{AUTHORIZATION, HeaderValue},
};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use tokio::runtime::Runtime;

/// Requests for each operation.
const CASES: u32 = 150;

/// A user that exists, by a name that fits every schema of the document: an e-mail address needs
/// its `@`.
const KNOWN: &str = "a@b";
/// `some:body`.
const SOMEBODY: HeaderValue = HeaderValue::from_static("Basic c29tZTpib2R5");

/// One operation of the document.
#[derive(Debug, Clone)]
struct Operation {
    method: Method,
    path: String,
    /// The parameters by name: where they stand, and their schema.
    parameters: BTreeMap<String, (String, Value)>,
    body: Option<Value>,
    is_secured: bool,
    /// The schema of the body that comes with each status; none where there is to be no body.
    answers: BTreeMap<u16, Option<Value>>,
}

/// A request, and what of it is wrong by the document.
#[derive(Debug, Clone)]
struct Attempt {
    path: String,
    body: Option<Vec<u8>>,
    content_type: &'static str,
    is_authorized: bool,
    is_valid: bool,
}

struct Document(Value);

impl Document {
    /// The schema itself where this one only refers to it.
    fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(reference) => self.resolve(self.0.pointer(&reference[1..]).unwrap()),
            None => schema,
        }
    }

    fn operations(&self) -> Vec<Operation> {
        let mut operations = Vec::new();
        for (path, methods) in self.0["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                let content =
                    |part: &Value| part["content"]["application/json"].get("schema").cloned();
                let parameter = |parameter: &Value| {
                    let text = |key: &str| parameter[key].as_str().unwrap().to_owned();
                    (text("name"), (text("in"), parameter["schema"].clone()))
                };
                let answer = |(status, answer): (&String, &Value)| {
                    (status.parse().unwrap(), content(answer))
                };
                operations.push(Operation {
                    method: method.to_uppercase().parse().unwrap(),
                    path: path.clone(),
                    parameters: operation["parameters"]
                        .as_array()
                        .map(|all| all.iter().map(parameter).collect())
                        .unwrap_or_default(),
                    body: content(&operation["requestBody"]),
                    is_secured: operation.get("security").is_some(),
                    answers: operation["responses"]
                        .as_object()
                        .unwrap()
                        .iter()
                        .map(answer)
                        .collect(),
                });
            }
        }
        operations
    }

    /// Values that fit the schema.
    fn fitting(&self, schema: &Value) -> BoxedStrategy<Value> {
        let schema = self.resolve(schema);
        if let Some(any) = schema.get("anyOf").or_else(|| schema.get("oneOf")) {
            let each = any.as_array().unwrap().iter().map(|one| self.fitting(one));
            return proptest::strategy::Union::new(each).boxed();
        }
        let kinds = kinds(schema);
        let kind = kinds.first().unwrap_or_else(|| panic!("no type in {schema}"));
        match kind.as_str() {
            "null" => Just(Value::Null).boxed(),
            "integer" => any::<i64>().prop_map(Value::from).boxed(),
            "string" => {
                let least = schema["minLength"].as_u64().unwrap_or(0);
                let pattern = schema["pattern"].as_str().map_or_else(
                    || format!("(?s:.{{{least},20}})"),
                    // Anchors mean nothing to a generator.
                    |pattern| pattern.trim_start_matches('^').trim_end_matches('$').to_owned(),
                );
                let made = string_regex(&pattern).unwrap();
                prop_oneof![made, Just(KNOWN.to_owned())].prop_map(Value::from).boxed()
            }
            "object" => {
                let required: BTreeSet<_> = strings(&schema["required"]).into_iter().collect();
                let fields: Vec<_> = schema["properties"]
                    .as_object()
                    .unwrap()
                    .iter()
                    .map(|(name, schema)| {
                        let value = self.fitting(schema);
                        let value = match required.contains(name) {
                            true => value.prop_map(Some).boxed(),
                            false => proptest::option::of(value).boxed(),
                        };
                        (Just(name.clone()), value)
                    })
                    .collect();
                fields
                    .prop_map(|fields| {
                        let given = fields.into_iter().filter_map(|(name, v)| Some((name, v?)));
                        Value::Object(given.collect())
                    })
                    .boxed()
            }
            other => panic!("no values of type {other} are made here"),
        }
    }

    /// What of the value does not fit the schema.
    fn misfit(&self, schema: &Value, value: &Value) -> Option<String> {
        let schema = self.resolve(schema);
        let fits = kinds(schema).iter().any(|kind| match kind.as_str() {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "integer" => value.is_i64() || value.is_u64(),
            other => panic!("no values of type {other} are checked here"),
        });
        if !fits {
            return Some(format!("{value} is no {}", schema["type"]));
        }
        if let Some(object) = value.as_object() {
            let none = Map::new();
            let properties = schema["properties"].as_object().unwrap_or(&none);
            let missing =
                strings(&schema["required"]).into_iter().find(|k| !object.contains_key(k));
            if let Some(missing) = missing {
                return Some(format!("{missing} is missing in {value}"));
            }
            return object.iter().find_map(|(name, value)| match properties.get(name) {
                None => Some(format!("nothing is said of {name}")),
                Some(schema) => self.misfit(schema, value),
            });
        }
        let items = value.as_array()?;
        items.iter().find_map(|item| self.misfit(&schema["items"], item))
    }

    fn attempts(&self, operation: &Operation) -> BoxedStrategy<Attempt> {
        let valid = self.valid(operation);
        let is_secured = operation.is_secured;
        let broken =
            (valid.clone(), 0..6_u8, any::<usize>()).prop_map(move |(mut attempt, how, which)| {
                attempt.is_valid = false;
                match (how, &mut attempt.body) {
                    (0, _) if is_secured => attempt.is_authorized = false,
                    (1, Some(_)) => attempt.content_type = "text/plain",
                    (2, Some(body)) => body.truncate(which % body.len()),
                    (3, Some(body)) => *body = b"[1, 2]".to_vec(),
                    (4, Some(body)) => *body = odd_field(body, which, json!(7)),
                    // In the first of all names, which is no password's: those may hold what they like.
                    (5, Some(body)) => *body = odd_field(body, 0, json!("a\0b")),
                    (_, Some(body)) => body.clear(),
                    // Nothing of it can be wrong.
                    _ => attempt.is_valid = true,
                }
                attempt
            });
        prop_oneof![valid, broken].boxed()
    }

    fn valid(&self, operation: &Operation) -> BoxedStrategy<Attempt> {
        let parameters: Vec<_> = operation
            .parameters
            .iter()
            .map(|(name, (place, schema))| {
                (Just(name.clone()), Just(place == "path"), self.fitting(schema), any::<bool>())
            })
            .collect();
        let body = match &operation.body {
            Some(schema) => self.fitting(schema).prop_map(Some).boxed(),
            None => Just(None).boxed(),
        };
        let path = operation.path.clone();
        (parameters, body)
            .prop_map(move |(parameters, body)| {
                let mut path = path.clone();
                let mut query = String::new();
                for (name, is_in_path, value, is_given) in parameters {
                    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    let encoded: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
                    if is_in_path {
                        path = path.replace(&format!("{{{name}}}"), &encoded);
                    } else if is_given && value != Value::Null {
                        query += &format!("{name}={encoded}&");
                    }
                }
                Attempt {
                    path: format!("{path}?{query}"),
                    body: body.map(|body| body.to_string().into_bytes()),
                    content_type: "application/json",
                    is_authorized: true,
                    is_valid: true,
                }
            })
            .boxed()
    }
}

/// The body with another value in one of its fields.
fn odd_field(body: &[u8], which: usize, value: Value) -> Vec<u8> {
    let mut object: Map<String, Value> = serde_json::from_slice(body).unwrap();
    let name = object.keys().nth(which % object.len()).unwrap().clone();
    object.insert(name, value);
    Value::from(object).to_string().into_bytes()
}

fn strings(array: &Value) -> Vec<String> {
    let all = array.as_array().into_iter().flatten();
    all.map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// The types that the schema allows, the first of them not null.
fn kinds(schema: &Value) -> Vec<String> {
    let mut kinds = match &schema["type"] {
        Value::String(kind) => vec![kind.clone()],
        kinds => strings(kinds),
    };
    // An object without a word about it is still one.
    if kinds.is_empty() && schema.get("properties").is_some() {
        kinds.push("object".to_owned());
    }
    kinds.sort_by_key(|kind| kind == "null");
    kinds
}

/// Sends the attempt, and says what the document does not foretell.
async fn deviation(
    server: &Server,
    document: &Document,
    operation: &Operation,
    attempt: &Attempt,
) -> Result<u16, String> {
    let mut request = server.request(operation.method.clone(), &attempt.path);
    if !attempt.is_authorized {
        // Which puts it in place of the right one.
        request = request.headers([(AUTHORIZATION, SOMEBODY)].into_iter().collect());
    }
    if let Some(body) = &attempt.body {
        request = request.header("Content-Type", attempt.content_type).body(body.clone());
    }
    let answer = request.send().await.map_err(|error| error.to_string())?;
    let status = answer.status().as_u16();
    let kind = answer.headers().get("content-type").cloned();
    let body = answer.bytes().await.map_err(|error| error.to_string())?;
    let schema = operation.answers.get(&status).ok_or(format!("nothing is said of {status}"))?;
    match schema {
        None if !body.is_empty() => return Err(format!("{status} has a body: {body:?}")),
        None => {}
        Some(schema) => {
            if kind.is_none_or(|kind| kind != "application/json") {
                return Err(format!("{status} is not said to be JSON"));
            }
            let body = serde_json::from_slice(&body).map_err(|error| error.to_string())?;
            if let Some(misfit) = document.misfit(schema, &body) {
                return Err(format!("{status}: {misfit}"));
            }
        }
    }
    if status >= 500 {
        return Err(format!("{status}: {body:?}"));
    }
    // 404: a name that fits may be nobody's. 400: one that fits may be taken.
    let fair: &[u16] = match (attempt.is_valid, operation.path.as_str()) {
        (true, "/register") => &[204, 400],
        (true, _) => &[200, 204, 404],
        (false, _) => &[400, 403, 404, 415],
    };
    if fair.contains(&status) {
        Ok(status)
    } else {
        Err(format!(
            "{status} for a request that is {}",
            if attempt.is_valid { "valid" } else { "not" }
        ))
    }
}

#[test]
fn every_answer_is_one_that_the_document_foretells() {
    let runtime = Runtime::new().unwrap();
    let (server, document) = runtime.block_on(async {
        let server = start().await;
        server.register(&[KNOWN]).await;
        let document = Document(server.get("/api-doc/openapi.json").await.1);
        (server, document)
    });
    let operations = document.operations();
    assert_eq!(operations.len(), 6 + 1, "{operations:#?}");
    for operation in &operations {
        let mut seen = BTreeSet::new();
        let config =
            ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(CASES) };
        let mut runner = TestRunner::new(config);
        let seen_by = std::cell::RefCell::new(&mut seen);
        let run = runner.run(&document.attempts(operation), |attempt| {
            let answer = runtime.block_on(deviation(&server, &document, operation, &attempt));
            let status = answer.map_err(TestCaseError::fail)?;
            seen_by.borrow_mut().insert((attempt.is_valid, status));
            Ok(())
        });
        if let Err(error) = run {
            panic!("{} {}: {error}", operation.method, operation.path);
        }
        // A test that never succeeds, or never errs, would show little.
        let succeeded = seen.iter().any(|&(_, status)| status < 300);
        let erred = seen.iter().any(|&(is_valid, _)| !is_valid);
        assert!(succeeded, "{} {}: {seen:?}", operation.method, operation.path);
        assert!(
            erred || !operation.is_secured,
            "{} {}: {seen:?}",
            operation.method,
            operation.path
        );
    }
}

#[test]
fn an_answer_that_does_not_fit_is_noticed() {
    let document = Document(json!({"components": {"schemas": {"Error": {
        "type": "object",
        "required": ["status", "error_msg"],
        "properties": {"status": {"type": "integer"}, "error_msg": {"type": "string"}},
    }}}}));
    let errors = json!({"type": "array", "items": {"$ref": "#/components/schemas/Error"}});
    let misfit = |value| document.misfit(&errors, &value);
    assert_eq!(misfit(json!([{"status": 404, "error_msg": "x"}])), None);
    for value in [
        json!({}),
        json!([null]),
        json!([{"status": 404}]),
        json!([{"status": "404", "error_msg": "x"}]),
        json!([{"status": 4.5, "error_msg": "x"}]),
        json!([{"status": 404, "error_msg": "x", "more": 1}]),
    ] {
        assert!(misfit(value.clone()).is_some(), "{value}");
    }
}
