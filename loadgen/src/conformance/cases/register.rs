//! `POST /register`.

use super::super::case::{Case, Stop, cases};
use super::super::client::{Answer, Body};
use super::super::waiver::Waiver;
use super::super::walk::{Walk, acknowledged, messages_path};
use super::must_be;
use limosa_reports::run::operation::Operation;
use reqwest::Method;
use serde_json::{Value, json};

pub(super) const CASES: &[Case] = cases![
    "register.success", Error, success,
    "POST /register with username, email and pwd answers 204",
    "the simulator counts every register as an error";
    "register.known", Error, known,
    "a registered user is known: GET /msgs/{user} answers 200 []",
    "every command of the user fails after it";
    "register.no-auth", Warning, no_auth,
    "POST /register needs no Authorization header",
    "none for the simulator, which sends one always";
    "register.no-username", Warning, no_username,
    "an empty username is refused with 400",
    "a refused register is not told from a failed one";
    "register.no-email", Warning, no_email,
    "an empty e-mail address is refused with 400",
    "a refused register is not told from a failed one";
    "register.bad-email", Warning, bad_email,
    "an e-mail address without @ is refused with 400",
    "a refused register is not told from a failed one";
    "register.no-password", Warning, no_password,
    "an empty password is refused with 400",
    "a refused register is not told from a failed one";
    "register.taken", Error, taken,
    "a name that is taken is refused with 400",
    "a second register of a name looks like a new user";
    "register.leaves-nothing", Error, leaves_nothing,
    "a refused register makes no user",
    "the audit finds ghosts";
    "register.body", Note, body,
    "a refused register answers {\"status\":400,\"error_msg\":...}",
    "none: clients read the status alone";
    "register.texts", Note, texts,
    "the four refusals have their texts",
    "none: clients read the status alone";
    "register.order", Note, order,
    "username is checked first, then email, password, and whether the name is taken",
    "none: clients read the status alone";
];

const NO_NAME: &str = "You have to enter a username";
const NO_EMAIL: &str = "You have to enter a valid email address";
const NO_PASSWORD: &str = "You have to enter a password";
const TAKEN: &str = "The username is already taken";

async fn success(walk: &mut Walk) -> Result<(), Stop> {
    let name = walk.name("ann");
    let answer = walk.register(&name).await?;
    must_be(&answer, 204, |status| Waiver::Success(Operation::Register, status))
}

async fn known(walk: &mut Walk) -> Result<(), Stop> {
    let ann = walk.user("ann").await?;
    let path = walk.read_path(&messages_path(&ann), Some("100"));
    let mut answer = walk.get(&path).await?;
    if !answer.is_success() {
        // A register that is acknowledged before it is stored may need a moment.
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        answer = walk.get(&path).await?;
    }
    must_be(&answer, 200, |status| Waiver::Success(Operation::UserMessages, status))?;
    match answer.json() {
        Some(Value::Array(messages)) if messages.is_empty() => Ok(()),
        _ => Err(Stop::deviates("200 []", answer.seen())),
    }
}

async fn no_auth(walk: &mut Walk) -> Result<(), Stop> {
    let name = walk.name("open");
    let path = format!("/register?latest={}", walk.id());
    let body = registration(&name, "limosa@example.org", "x");
    let answer = walk.send(Method::POST, &path, Some(""), Body::Json(&body)).await?;
    if answer.is_success() {
        walk.users.push(name);
        return Ok(());
    }
    let with_auth = walk.register(&name).await?;
    acknowledged(&with_auth, "a register with credentials either")?;
    Err(Stop::deviates("204", answer.seen()))
}

async fn no_username(walk: &mut Walk) -> Result<(), Stop> {
    refused(walk, registration("", "limosa@example.org", "x")).await
}

async fn no_email(walk: &mut Walk) -> Result<(), Stop> {
    let name = walk.name("no-email");
    refused(walk, registration(&name, "", "x")).await
}

async fn bad_email(walk: &mut Walk) -> Result<(), Stop> {
    let name = walk.name("bad-email");
    refused(walk, registration(&name, "limosa.example.org", "x")).await
}

async fn no_password(walk: &mut Walk) -> Result<(), Stop> {
    let name = walk.name("no-password");
    refused(walk, registration(&name, "limosa@example.org", "")).await
}

async fn refused(walk: &mut Walk, body: Value) -> Result<(), Stop> {
    let answer = walk.post("/register", &body).await?;
    if answer.is_success()
        && let Some(name) = body["username"].as_str().filter(|name| !name.is_empty())
    {
        walk.users.push(name.to_owned());
    }
    must_be(&answer, 400, Waiver::RegisterInvalid)
}

async fn taken(walk: &mut Walk) -> Result<(), Stop> {
    let answer = register_again(walk, "limosa@example.org").await?;
    must_be(&answer, 400, Waiver::RegisterTaken)
}

async fn register_again(walk: &mut Walk, email: &str) -> Result<Answer, Stop> {
    let ann = walk.user("ann").await?;
    walk.post("/register", &registration(&ann, email, "x")).await
}

async fn leaves_nothing(walk: &mut Walk) -> Result<(), Stop> {
    let name = walk.name("nobody");
    let answer = walk.post("/register", &registration(&name, "limosa@example.org", "")).await?;
    if answer.is_success() {
        return Err(Stop::Skipped("a register without a password is accepted".to_owned()));
    }
    let path = walk.read_path(&messages_path(&name), Some("100"));
    let read = walk.get(&path).await?;
    if !read.is_success() {
        return Ok(());
    }
    // Some servers answer 200 for any name: whether the user is there, a register tells.
    acknowledged(&walk.register(&name).await?, "the name afterwards")
        .map_err(|_| Stop::deviates("no such user", format!("GET {path}: {}", read.seen())))
}

async fn body(walk: &mut Walk) -> Result<(), Stop> {
    let answer = walk.post("/register", &registration("", "", "")).await?;
    if answer.is_success() {
        return Err(Stop::Skipped("an empty register is accepted".to_owned()));
    }
    let json = answer.json().unwrap_or_default();
    match json["status"] == answer.status && json["error_msg"].is_string() {
        true => Ok(()),
        false => {
            let expected = format!("{{\"status\":{},\"error_msg\":...}}", answer.status);
            Err(Stop::deviates(expected, answer.seen()))
        }
    }
}

async fn texts(walk: &mut Walk) -> Result<(), Stop> {
    let name = walk.name("no-text");
    for (body, expected) in [
        (registration("", "limosa@example.org", "x"), NO_NAME),
        (registration(&name, "limosa.example.org", "x"), NO_EMAIL),
        (registration(&name, "limosa@example.org", ""), NO_PASSWORD),
    ] {
        says(&walk.post("/register", &body).await?, expected)?;
    }
    says(&register_again(walk, "limosa@example.org").await?, TAKEN)
}

async fn order(walk: &mut Walk) -> Result<(), Stop> {
    let name = walk.name("no-order");
    let alone = walk.post("/register", &registration("", "limosa@example.org", "x")).await?;
    if says(&alone, NO_NAME).is_err() {
        return Err(Stop::Skipped("told apart by their texts, which differ here".to_owned()));
    }
    says(&walk.post("/register", &registration("", "", "")).await?, NO_NAME)?;
    says(&walk.post("/register", &registration(&name, "", "")).await?, NO_EMAIL)?;
    says(&register_again(walk, "").await?, NO_EMAIL)
}

/// Fails unless the answer is a refusal with this text somewhere in it.
fn says(answer: &Answer, expected: &str) -> Result<(), Stop> {
    if answer.is_success() {
        return Err(Stop::Skipped(format!("a register that should be refused: {}", answer.seen())));
    }
    match String::from_utf8_lossy(&answer.body).contains(expected) {
        true => Ok(()),
        false => Err(Stop::deviates(format!("\"{expected}\""), answer.seen())),
    }
}

fn registration(username: &str, email: &str, pwd: &str) -> Value {
    json!({"username": username, "email": email, "pwd": pwd})
}
