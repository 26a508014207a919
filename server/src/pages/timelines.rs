//! Timelines, thirty messages a page, and the form that adds to them.

use super::{
    form::{Form, value},
    html::{PageError, Top, Visitor, go_to, page},
    identicon::Identicon,
    names::{self, Named},
    session::Session,
};
use crate::{
    api::{body::no_nul, messages::epoch_seconds},
    app::App,
    error::ApiError,
    store::{
        Entry, Outcome, Write,
        pages::{Posted, Timeline},
    },
};
use askama::Template;
use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use jiff::Timestamp;

/// How many messages a page shows.
const PER_PAGE: u32 = 30;

#[derive(Template)]
#[template(path = "timeline.html")]
struct TimelinePage {
    top: Top,
    title: String,
    /// Whether one may write here.
    may_write: bool,
    profile: Option<Profile>,
    messages: Vec<Shown>,
    /// The address of the first page, if this is not it.
    newest: Option<String>,
    /// The address of the next page, if there is one.
    older: Option<String>,
}

/// What stands above a user's own messages.
struct Profile {
    picture: Identicon,
    relation: Relation,
}

/// What the visitor has to do with the user.
enum Relation {
    /// The visitor is nobody who could follow.
    None,
    /// The visitor is the user.
    Oneself,
    /// The visitor follows the user, and may end that at the address.
    Followed(String),
    /// The visitor may follow the user at the address.
    NotFollowed(String),
}

/// A message as it is shown.
struct Shown {
    picture: Identicon,
    author: String,
    address: String,
    text: String,
    /// For people.
    date: String,
    /// For programs.
    datetime: String,
}

impl From<Posted> for Shown {
    fn from(Posted { author, text, pub_date, .. }: Posted) -> Self {
        // Dates come from a client's database; one that no calendar has is shown as it is.
        let time = Timestamp::from_second(pub_date).ok();
        Self {
            picture: Identicon::of(&author),
            address: names::timeline_of(&author),
            date: time.map_or(pub_date.to_string(), |t| t.strftime("%Y-%m-%d @ %H:%M").to_string()),
            datetime: time.map_or_else(String::new, |time| time.to_string()),
            author,
            text,
        }
    }
}

/// One page of a timeline.
struct Page {
    messages: Vec<Shown>,
    newest: Option<String>,
    older: Option<String>,
}

impl Page {
    /// The page that the query asks for; `None`: no such user. `at` is the timeline's own address.
    async fn read(
        app: &App,
        timeline: Timeline<'_>,
        query: Option<&str>,
        at: &str,
    ) -> Result<Option<Self>, ApiError> {
        let before = query.and_then(|query| value(query.as_bytes(), "before")?.parse().ok());
        // One more than is shown, to know whether there is another page.
        let Some(mut found) = app.store.timeline(timeline, before, PER_PAGE + 1).await? else {
            return Ok(None);
        };
        let more = found.len() > PER_PAGE as usize;
        found.truncate(PER_PAGE as usize);
        let joint = if at.contains('?') { '&' } else { '?' };
        let last = found.last().filter(|_| more);
        Ok(Some(Self {
            newest: before.map(|_: i64| at.to_owned()),
            older: last.map(|last| format!("{at}{joint}before={}", last.id)),
            messages: found.into_iter().map(Shown::from).collect(),
        }))
    }
}

pub(super) async fn home(
    State(app): State<App>,
    mut session: Session,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let Some(user) = session.user() else {
        return Ok(go_to(session, "/public"));
    };
    let Some(page) = Page::read(&app, Timeline::Home(user), query.as_deref(), "/").await? else {
        // Another database than that of the login.
        session.log_out();
        return Ok(go_to(session, "/public"));
    };
    Ok(show(session, "/", "My Timeline".to_owned(), None, page))
}

pub(super) async fn public(
    State(app): State<App>,
    session: Session,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let at = "/public";
    let page = Page::read(&app, Timeline::Public, query.as_deref(), at).await?;
    let page = page.ok_or_else(PageError::unknown_user)?;
    Ok(show(session, at, "Public Timeline".to_owned(), None, page))
}

pub(super) async fn of_user(
    State(app): State<App>,
    session: Session,
    Named(user): Named,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let at = names::timeline_of(&user);
    let page = Page::read(&app, Timeline::By(&user), query.as_deref(), &at).await?;
    let page = page.ok_or_else(PageError::unknown_user)?;
    let relation = match session.user() {
        None => Relation::None,
        Some(visitor) if visitor == user => Relation::Oneself,
        Some(visitor) if app.store.follows(visitor, &user).await? => {
            Relation::Followed(names::unfollow(&user))
        }
        Some(_) => Relation::NotFollowed(names::follow(&user)),
    };
    let profile = Profile { picture: Identicon::of(&user), relation };
    Ok(show(session, "", format!("{user}'s Timeline"), Some(profile), page))
}

fn show(
    mut session: Session,
    here: &'static str,
    title: String,
    profile: Option<Profile>,
    Page { messages, newest, older }: Page,
) -> Response {
    let may_write = here == "/";
    let top = Top::new(&mut session, here);
    page(session, &TimelinePage { top, title, may_write, profile, messages, newest, older })
}

pub(super) async fn add_message(
    State(app): State<App>,
    mut session: Session,
    form: Form,
) -> Result<Response, PageError> {
    let author = session.user().ok_or_else(PageError::stranger)?.to_owned();
    let text = form.field("text");
    if text.is_empty() {
        return Ok(go_to(session, "/"));
    }
    no_nul("text", &text)?;
    let write = Write::Tweet { author, text, pub_date: epoch_seconds() };
    match app.commits.submit(Entry { latest: None, write: Some(write) }).await? {
        Outcome::Done => {
            session.flash("Your message was recorded");
            Ok(go_to(session, "/"))
        }
        // Another database than that of the login.
        Outcome::UnknownUser | Outcome::NameTaken => Err(PageError::stranger()),
    }
}
