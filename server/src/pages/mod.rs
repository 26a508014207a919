//! MiniTwit's web pages, as people know them, without a script and without a request to anybody
//! else.
//!
//! `accounts` registers people and logs them in and out; `timelines` shows and takes messages;
//! `follows` is the button on a timeline. What they share: `session` is the signed cookie,
//! `origin` and `form` keep other sites' forms out, `names` are the addresses of users, `html` is
//! what surrounds every page. A write goes the same way as the simulator's, without a command id.
//!
//! **Requests forged by other sites.** A form's POST is taken only where the browser says that it
//! comes from a page of this server (`Sec-Fetch-Site`, or `Origin` against `Host`); a client that
//! says nothing of both is no browser and cannot be abused as one. A token in each form would
//! prove the same, need a session before the login, and break every script that was written for
//! MiniTwit. MiniTwit also follows, unfollows and logs out by GET, which a link on another site
//! can bring about: a browser that does is asked first, on a page with a button. Whoever sends
//! neither `Sec-Fetch-Site` nor `Accept: text/html` is no browser that goes somewhere, and has it
//! done at once, as tests of MiniTwit expect. The pages' own buttons send POST to the same
//! addresses. Beside all that, the cookie is `SameSite=Lax`.
//!
//! **Logging out** takes the cookie away from the browser. A copy of it that somebody made before
//! stays good until it expires, at most seven days after the login: the server keeps no list of
//! sessions, which is why every replica accepts each. A new session key ends them all.

mod accounts;
mod files;
mod follows;
mod form;
mod html;
mod identicon;
mod names;
mod origin;
mod session;
mod timelines;

pub use session::{SessionKey, SessionKeyError};

pub(crate) use html::refused;

use crate::app::App;
use axum::{
    Router,
    extract::{Request, State},
    handler::Handler as _,
    middleware::Next,
    response::Response,
    routing::{get, post},
};

/// Every page but the form that shares `POST /register` with the simulator.
pub(crate) fn routes() -> Router<App> {
    // A user's pages, by the name in the path; and for names that cannot stand there, by a query.
    let user = |at: &str| {
        Router::new()
            .route(at, get(timelines::of_user))
            .route(&format!("{at}/follow"), get(follows::ask_follow).post(follows::follow))
            .route(&format!("{at}/unfollow"), get(follows::ask_unfollow).post(follows::unfollow))
    };
    Router::new()
        .route("/", get(timelines::home))
        .route("/public", get(timelines::public))
        .route("/add_message", post(timelines::add_message))
        .route("/register", get(accounts::register_page))
        .route("/login", get(accounts::login_page).post(accounts::login))
        .route("/logout", get(accounts::ask_logout).post(accounts::logout))
        .route("/static/style.css", get(files::style))
        .route("/static/icon.svg", get(files::icon))
        .merge(user(names::BY_QUERY))
        .merge(user(names::BY_PATH))
}

/// Takes a form that is sent to `POST /register`, and leaves everything else to the simulator API.
pub(crate) async fn register_by_form(
    State(app): State<App>,
    request: Request,
    next: Next,
) -> Response {
    if form::is_form(request.headers()) {
        accounts::register.call(request, app).await
    } else {
        next.run(request).await
    }
}
