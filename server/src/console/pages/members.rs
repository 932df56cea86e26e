//! Members of an organiser and its invitations.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use liventix_core::ids::{EventId, OrganiserId};
use serde::Serialize;

use super::super::failure::Failure;
use super::super::flash::Flash;
use super::super::forms::{Form, Wrong};
use super::super::layout::{self, Frame, Moment};
use super::super::visitor::Office;
use super::Done;
use crate::accounts::types::{InvitationView, MemberChange, MemberView};
use crate::accounts::{Accounts, NewMember, invitation_url};
use crate::app::AppState;
use crate::events;
use crate::platform::authorize::{Action, Acts, Role, may};
use crate::platform::body::{Path, Query};
use crate::platform::ids::{InvitationId, UserId};
use crate::platform::page::{MAX_ROWS, PageQuery};
use crate::platform::problem::{ApiError, ApiResult};

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/console/organisers/{organiser_id}/members", get(show))
        .route("/console/organisers/{organiser_id}/members/invite", post(invite))
        .route("/console/organisers/{organiser_id}/members/{user_id}/change", post(change))
        .route("/console/organisers/{organiser_id}/members/{user_id}/remove", post(remove))
        .route("/console/organisers/{organiser_id}/invitations/{invitation_id}/withdraw", post(withdraw))
}

/// An event to limit somebody to.
#[derive(Debug, Clone, Serialize)]
struct Event {
    event_id: EventId,
    name: String,
}

#[derive(Debug, Serialize)]
struct Member {
    #[serde(flatten)]
    view: MemberView,
    role_words: &'static str,
    /// The names of the events they are limited to.
    only: Vec<String>,
    is_visitor: bool,
}

#[derive(Debug, Serialize)]
struct Invitation {
    #[serde(flatten)]
    view: InvitationView,
    role_words: &'static str,
    limited: bool,
    until: Moment,
}

#[derive(Debug, Serialize)]
struct RoleChoice {
    name: &'static str,
    words: &'static str,
}

/// What was typed into a form.
#[derive(Debug, Default, Serialize)]
struct Typed {
    /// Whom the form was about; empty for the one that invites.
    member: String,
    email: String,
    role: String,
    events: Vec<String>,
}

impl Typed {
    fn new(form: &Form, member: String) -> Self {
        Self {
            member,
            email: form.text("email").to_owned(),
            role: form.text("role").to_owned(),
            events: form.all("events").map(str::to_owned).collect(),
        }
    }
}

#[derive(Debug, Serialize)]
struct Content {
    members: Vec<Member>,
    more: bool,
    invitations: Vec<Invitation>,
    events: Vec<Event>,
    roles: Vec<RoleChoice>,
    may_manage: bool,
    /// Whether whoever is invited gets a mail.
    by_mail: bool,
    typed: Typed,
    wrong: Wrong,
}

/// As many as a page has: who has more uses the API.
fn all() -> PageQuery {
    PageQuery { cursor: None, limit: Some(MAX_ROWS) }
}

async fn content<A: Acts>(app: &AppState, office: &Office<A>) -> ApiResult<Content> {
    let accounts = Accounts::of(app);
    let see = office.who.asking(Action::SeeMembers);
    let members = accounts.members(see.clone(), &all()).await?;
    let invitations = accounts.invitations(see, &all()).await?;
    let events = events::service::list(app, office.who.asking(Action::SeeEvents), &all()).await?;
    let events: Vec<Event> =
        events.items.into_iter().map(|event| Event { event_id: event.event_id, name: event.name }).collect();
    let more = members.next_cursor.is_some();
    let visitor = office.visitor.person.signed_in.user_id;
    let mut members: Vec<Member> =
        members.items.into_iter().map(|view| member(view, &events, visitor)).collect();
    members.sort_by_key(|member| member.view.name.to_lowercase());
    let may_manage = accounts.may(office.who.asking(Action::ManageMembers)).await?;
    Ok(Content {
        members,
        more,
        invitations: invitations.items.into_iter().map(invitation).collect(),
        events,
        roles: Role::ALL.map(|role| RoleChoice { name: role.name(), words: layout::role_words(role) }).into(),
        may_manage,
        by_mail: app.emails().are_on(),
        typed: Typed::default(),
        wrong: Wrong::default(),
    })
}

fn member(view: MemberView, events: &[Event], visitor: UserId) -> Member {
    let name = |id: &EventId| {
        let known = events.iter().find(|event| event.event_id == *id);
        known.map_or_else(|| id.to_string(), |event| event.name.clone())
    };
    let only = view.event_ids.iter().flatten().map(name).collect();
    Member { role_words: layout::role_words(view.role), only, is_visitor: view.user_id == visitor, view }
}

fn invitation(view: InvitationView) -> Invitation {
    Invitation {
        role_words: layout::role_words(view.role),
        limited: view.event_ids.is_some(),
        until: Moment::new(view.expires_at),
        view,
    }
}

fn page<A: Acts>(
    app: &AppState,
    office: &Office<A>,
    done: Option<&str>,
    content: &Content,
) -> ApiResult<Response> {
    let frame = Frame {
        title: "Members",
        visitor: Some(&office.visitor),
        place: Some(&office.place),
        here: "members",
        done,
        ..Frame::default()
    };
    layout::render(app, "members.html", &frame, content)
}

async fn show(
    office: Office<may::SeeMembers>,
    State(app): State<AppState>,
    Query(done): Query<Done>,
) -> Result<Response, Failure> {
    let content = content(&app, &office).await?;
    Ok(page(&app, &office, done.done.as_deref(), &content)?)
}

/// The role and the events a form names. A form without a tick limits nobody.
fn role_and_events(form: &Form) -> ApiResult<(Role, Option<Vec<EventId>>)> {
    let role =
        Role::named(form.text("role")).ok_or_else(|| ApiError::field("role", "choose one of these"))?;
    let ids: Result<Vec<EventId>, _> = form.all("events").map(str::parse).collect();
    let ids = ids.map_err(|_| ApiError::field("event_ids", "choose from these events"))?;
    Ok((role, if ids.is_empty() { None } else { Some(ids) }))
}

/// The page again, with what is wrong.
async fn again<A: Acts>(
    app: &AppState,
    office: &Office<A>,
    error: ApiError,
    typed: Typed,
) -> Result<Response, Failure> {
    let (mut wrong, error) = Wrong::of(error)?;
    wrong.form.clone_from(&typed.member);
    let content = Content { typed, wrong, ..content(app, office).await? };
    Ok(layout::refused(page(app, office, None, &content)?, error))
}

#[derive(Debug, Serialize)]
struct Invited {
    email: String,
    url: String,
    until: Moment,
    /// Whether a mail brings it to them.
    by_mail: bool,
}

async fn invite(
    office: Office<may::ManageMembers>,
    State(app): State<AppState>,
    form: Form,
) -> Result<Response, Failure> {
    let typed = Typed::new(&form, String::new());
    let invited = async {
        let (role, event_ids) = role_and_events(&form)?;
        let new = NewMember { email: typed.email.clone(), role, event_ids };
        Accounts::of(&app).invite(&app, office.who.clone(), new).await
    };
    match invited.await {
        Ok((invitation, token)) => {
            let url = invitation_url(&app, &token);
            let content = Invited {
                email: invitation.email,
                url,
                until: Moment::new(invitation.expires_at),
                by_mail: app.emails().are_on(),
            };
            let frame = Frame {
                title: "Invited",
                visitor: Some(&office.visitor),
                place: Some(&office.place),
                here: "members",
                ..Frame::default()
            };
            // Shown in the answer itself: the link is kept nowhere that it could be read from again.
            Ok(layout::render(&app, "invited.html", &frame, &content)?)
        }
        Err(error) => again(&app, &office, error, typed).await,
    }
}

async fn change(
    office: Office<may::ManageMembers>,
    State(app): State<AppState>,
    Path((_organiser, user)): Path<(OrganiserId, UserId)>,
    form: Form,
) -> Result<Response, Failure> {
    let changed = async {
        let (role, event_ids) = role_and_events(&form)?;
        Accounts::of(&app).change_member(office.who.clone(), user, MemberChange { role, event_ids }).await
    };
    match changed.await {
        // Whoever demoted themselves may not see this page any more.
        Ok(_) if user == office.visitor.person.signed_in.user_id => {
            Ok(layout::done(&office.place.path(&app, ""), Flash::MemberChanged))
        }
        Ok(_) => Ok(layout::done(&office.place.path(&app, "/members"), Flash::MemberChanged)),
        Err(error) => again(&app, &office, error, Typed::new(&form, user.to_string())).await,
    }
}

async fn remove(
    office: Office<may::ManageMembers>,
    State(app): State<AppState>,
    Path((_organiser, user)): Path<(OrganiserId, UserId)>,
    _form: Form,
) -> Result<Response, Failure> {
    match Accounts::of(&app).remove_member(office.who.clone(), user).await {
        Ok(_) if user == office.visitor.person.signed_in.user_id => {
            Ok(layout::see_other(&format!("{}/console", layout::base(&app))))
        }
        Ok(_) => Ok(layout::done(&office.place.path(&app, "/members"), Flash::MemberRemoved)),
        Err(error) => again(&app, &office, error, Typed::default()).await,
    }
}

async fn withdraw(
    office: Office<may::ManageMembers>,
    State(app): State<AppState>,
    Path((_organiser, invitation)): Path<(OrganiserId, InvitationId)>,
    _form: Form,
) -> Result<Response, Failure> {
    Accounts::of(&app).withdraw(office.who.clone(), invitation).await?;
    Ok(layout::done(&office.place.path(&app, "/members"), Flash::InvitationWithdrawn))
}
