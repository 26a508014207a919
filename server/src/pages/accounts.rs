//! Registering, logging in, logging out.

use super::{
    form::Form,
    html::{PageError, Top, Visitor, go_to, page},
    origin,
    session::Session,
};
use crate::{
    api::{
        command::CommandId,
        register::{Account, Registration, check, create},
    },
    app::App,
    error::ApiError,
};
use askama::Template;
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};

#[derive(Template)]
#[template(path = "register.html")]
struct RegisterPage {
    top: Top,
    error: String,
    username: String,
    email: String,
}

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    top: Top,
    error: String,
    username: String,
}

#[derive(Template)]
#[template(path = "confirm.html")]
struct LogoutPage {
    top: Top,
    question: String,
    address: &'static str,
    button: &'static str,
}

pub(super) async fn register_page(mut session: Session) -> Response {
    if session.user().is_some() {
        return go_to(session, "/");
    }
    let top = Top::new(&mut session, "/register");
    let [error, username, email] = <[String; 3]>::default();
    page(session, &RegisterPage { top, error, username, email })
}

pub(super) async fn register(
    State(app): State<App>,
    mut session: Session,
    form: Form,
) -> Result<Response, PageError> {
    if session.user().is_some() {
        return Ok(go_to(session, "/"));
    }
    let created = match checked(&form) {
        Ok(account) => create(&app, &CommandId::default(), account).await,
        Err(error) => Err(error),
    };
    match created {
        Ok(()) => {
            session.flash("You were successfully registered and can login now");
            Ok(go_to(session, "/login"))
        }
        Err(error) if error.status() == StatusCode::BAD_REQUEST => {
            let (username, email) = (form.field("username"), form.field("email"));
            let error = error.message().to_owned();
            let top = Top::new(&mut session, "/register");
            Ok(page(session, &RegisterPage { top, error, username, email }))
        }
        Err(error) => Err(error.into()),
    }
}

/// What the simulator API asks for, and then that both passwords are the same.
fn checked(form: &Form) -> Result<Account, ApiError> {
    let account = check(Registration {
        username: Some(form.field("username")),
        email: Some(form.field("email")),
        pwd: Some(form.field("password")),
    })?;
    if form.field("password") == form.field("password2") {
        Ok(account)
    } else {
        Err(ApiError::bad_request("The two passwords do not match"))
    }
}

pub(super) async fn login_page(mut session: Session) -> Response {
    if session.user().is_some() {
        return go_to(session, "/");
    }
    let top = Top::new(&mut session, "/login");
    page(session, &LoginPage { top, error: String::new(), username: String::new() })
}

pub(super) async fn login(
    State(app): State<App>,
    mut session: Session,
    form: Form,
) -> Result<Response, PageError> {
    if session.user().is_some() {
        return Ok(go_to(session, "/"));
    }
    let username = form.field("username");
    let error = match try_login(&app, &mut session, &username, form.field("password")).await? {
        Ok(()) => return Ok(go_to(session, "/")),
        Err(error) => error.to_owned(),
    };
    let top = Top::new(&mut session, "/login");
    Ok(page(session, &LoginPage { top, error, username }))
}

/// Logs the user in, or says why not.
async fn try_login(
    app: &App,
    session: &mut Session,
    username: &str,
    password: String,
) -> Result<Result<(), &'static str>, ApiError> {
    // No database is asked for a name that none can hold.
    let hash = match username.contains('\0') {
        true => None,
        false => app.store.password_hash(username).await?,
    };
    let Some(hash) = hash else {
        return Ok(Err("Invalid username"));
    };
    if !app.passwords.verify(password, hash).await? {
        return Ok(Err("Invalid password"));
    }
    let logged_in = session.log_in(username.to_owned());
    Ok(logged_in.map_err(|_too_long| "This username is too long for a browser to remember"))
}

/// A link may lead here from anywhere, so a browser's GET asks first.
pub(super) async fn ask_logout(mut session: Session, headers: HeaderMap) -> Response {
    if !origin::is_browser(&headers) {
        return log_out(session);
    }
    let top = Top::new(&mut session, "");
    let question = "Do you want to sign out?".to_owned();
    page(session, &LogoutPage { top, question, address: "/logout", button: "Sign out" })
}

pub(super) async fn logout(session: Session, _: Form) -> Response {
    log_out(session)
}

fn log_out(mut session: Session) -> Response {
    session.log_out();
    session.flash("You were logged out");
    go_to(session, "/public")
}
