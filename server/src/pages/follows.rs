//! Following a user, and following no longer.

use super::{
    form::Form,
    html::{PageError, Top, Visitor, go_to, page},
    names::{self, Named},
    origin,
    session::Session,
};
use crate::{
    app::App,
    store::{Entry, Outcome, Write},
};
use askama::Template;
use axum::{extract::State, http::HeaderMap, response::Response};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Follow,
    Unfollow,
}

#[derive(Template)]
#[template(path = "confirm.html")]
struct FollowPage {
    top: Top,
    question: String,
    address: String,
    button: &'static str,
}

pub(super) async fn ask_follow(
    State(app): State<App>,
    session: Session,
    Named(whom): Named,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    ask(&app, session, Change::Follow, whom, &headers).await
}

pub(super) async fn ask_unfollow(
    State(app): State<App>,
    session: Session,
    Named(whom): Named,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    ask(&app, session, Change::Unfollow, whom, &headers).await
}

pub(super) async fn follow(
    State(app): State<App>,
    session: Session,
    Named(whom): Named,
    _: Form,
) -> Result<Response, PageError> {
    make(&app, session, Change::Follow, whom).await
}

pub(super) async fn unfollow(
    State(app): State<App>,
    session: Session,
    Named(whom): Named,
    _: Form,
) -> Result<Response, PageError> {
    make(&app, session, Change::Unfollow, whom).await
}

/// A link may lead here from anywhere, so a browser's GET asks first.
async fn ask(
    app: &App,
    mut session: Session,
    change: Change,
    whom: String,
    headers: &HeaderMap,
) -> Result<Response, PageError> {
    if !origin::is_browser(headers) {
        return make(app, session, change, whom).await;
    }
    if session.user().is_none() {
        return Err(PageError::stranger());
    }
    if !app.store.user_exists(&whom).await? {
        return Err(PageError::unknown_user());
    }
    let (question, address, button) = match change {
        Change::Follow => {
            (format!("Do you want to follow {whom}?"), names::follow(&whom), "Follow")
        }
        Change::Unfollow => {
            (format!("Do you want to unfollow {whom}?"), names::unfollow(&whom), "Unfollow")
        }
    };
    let top = Top::new(&mut session, "");
    Ok(page(session, &FollowPage { top, question, address, button }))
}

async fn make(
    app: &App,
    mut session: Session,
    change: Change,
    whom: String,
) -> Result<Response, PageError> {
    let who = session.user().ok_or_else(PageError::stranger)?.to_owned();
    let back = names::timeline_of(&whom);
    let (write, said) = match change {
        Change::Follow => {
            let said = format!("You are now following \"{whom}\"");
            (Write::Follow { who, whom }, said)
        }
        Change::Unfollow => {
            let said = format!("You are no longer following \"{whom}\"");
            (Write::Unfollow { who, whom }, said)
        }
    };
    match app.commits.submit(Entry { latest: None, write: Some(write) }).await? {
        Outcome::Done => {
            session.flash(said);
            Ok(go_to(session, &back))
        }
        Outcome::UnknownUser | Outcome::NameTaken => Err(PageError::unknown_user()),
    }
}
