//! `/v1/sessions`, `/v1/account`, `/v1/organisers/{organiser_id}/members` and `/invitations`.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use liventix_core::ids::OrganiserId;
use secrecy::ExposeSecret as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::types::{
    AcceptInvitation, AskSignInLink, InvitationView, Joined, MemberChange, MemberView, Myself,
    NewInvitationView, NewMember, NewSessionView, PasswordChange, RedeemSignInLink, SessionView, SignIn,
};
use super::{Accounts, Browser, NewSession, invitations, links, sign_in};
use crate::app::AppState;
use crate::platform::auth::{Caller, Client, Person};
use crate::platform::authorize::may;
use crate::platform::body::{Json, Path, Query};
use crate::platform::ids::{InvitationId, SessionId, UserId};
use crate::platform::page::{Page, PageQuery};
use crate::platform::problem::ApiResult;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_sessions, open_session))
        .routes(routes!(ask_sign_in_link))
        .routes(routes!(redeem_sign_in_link))
        .routes(routes!(end_session))
        .routes(routes!(myself, sign_out))
        .routes(routes!(change_password))
        .routes(routes!(list_members))
        .routes(routes!(change_member, remove_member))
        .routes(routes!(list_invitations, invite))
        .routes(routes!(withdraw))
        .routes(routes!(accept))
}

/// The link that accepts an invitation.
pub(crate) fn invitation_url(app: &AppState, token: &secrecy::SecretString) -> String {
    format!("{}/console/invitation/{}", app.public_url(), token.expose_secret())
}

/// Sign in
///
/// The answer's token is a bearer token. A browser signs in at `/console` instead and gets a cookie, which
/// counts there and never here: no page of anybody else's can make a browser call this API.
#[utoipa::path(
    post, path = "/v1/sessions", tag = "sessions",
    responses((status = 201, body = NewSessionView), (status = 401, description = "`sign_in_failed`"))
)]
async fn open_session(
    client: Client,
    headers: HeaderMap,
    State(app): State<AppState>,
    Json(request): Json<SignIn>,
) -> ApiResult<(StatusCode, axum::Json<NewSessionView>)> {
    let new = sign_in(&app, Browser::new(client, &headers), None, request).await?;
    Ok((StatusCode::CREATED, axum::Json(view(&new))))
}

fn view(new: &NewSession) -> NewSessionView {
    let token = new.token.expose_secret().to_owned();
    NewSessionView { session_id: new.session_id, token, expires_at: new.expires_at }
}

/// Have a sign-in link sent
///
/// To whoever has an account with this address, by mail. The answer is the same where nobody has. The link works
/// once, for 15 minutes, and whoever signs in by it may set a new password without the one so far.
#[utoipa::path(
    post, path = "/v1/sign-in-links", tag = "sessions", request_body = AskSignInLink,
    responses(
        (status = 202, description = "If there is such an account, the link is on its way"),
        (status = 422, description = "`invalid_field`, `invalid_body`"), (status = 503, description = "`mails_off`")
    )
)]
async fn ask_sign_in_link(
    client: Client,
    State(app): State<AppState>,
    Json(AskSignInLink { email }): Json<AskSignInLink>,
) -> ApiResult<StatusCode> {
    links::ask(&app, client, &email).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Sign in by a link
///
/// With what stands at the end of the link that was mailed. It ends, and so do the person's other links.
#[utoipa::path(
    post, path = "/v1/sign-in-links/redeem", tag = "sessions",
    responses(
        (status = 201, body = NewSessionView), (status = 404, description = "`link_unknown`"),
        (status = 410, description = "`link_used`, `link_expired`")
    )
)]
async fn redeem_sign_in_link(
    client: Client,
    headers: HeaderMap,
    State(app): State<AppState>,
    Json(RedeemSignInLink { token }): Json<RedeemSignInLink>,
) -> ApiResult<(StatusCode, axum::Json<NewSessionView>)> {
    let new = links::redeem(&app, Browser::new(client, &headers), None, &token).await?;
    Ok((StatusCode::CREATED, axum::Json(view(&new))))
}

/// Your open sessions, newest first
#[utoipa::path(
    get, path = "/v1/sessions", tag = "sessions", security(("session" = [])),
    responses((status = 200, body = Vec<SessionView>))
)]
async fn list_sessions(
    person: Person,
    State(app): State<AppState>,
) -> ApiResult<axum::Json<Vec<SessionView>>> {
    Ok(axum::Json(Accounts::of(&app).sessions(&person).await?))
}

/// End one of your sessions
#[utoipa::path(
    delete, path = "/v1/sessions/{session_id}", tag = "sessions", security(("session" = [])),
    params(("session_id" = SessionId, Path, description = "The session")),
    responses(
        (status = 204), (status = 400, description = "`invalid_path`"),
        (status = 404, description = "`session_not_found`")
    )
)]
async fn end_session(
    person: Person,
    State(app): State<AppState>,
    Path(session): Path<SessionId>,
) -> ApiResult<StatusCode> {
    Accounts::of(&app).end_session(&person, session).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who you are, and where you are a member
///
/// Who is a member of several organisers names one in the header `Liventix-Organiser` of every call that has
/// none in its path.
#[utoipa::path(
    get, path = "/v1/session", tag = "sessions", security(("session" = [])),
    responses((status = 200, body = Myself))
)]
async fn myself(person: Person, State(app): State<AppState>) -> ApiResult<axum::Json<Myself>> {
    Ok(axum::Json(Accounts::of(&app).myself(&person).await?))
}

/// Sign out
#[utoipa::path(
    delete, path = "/v1/session", tag = "sessions", security(("session" = [])), responses((status = 204))
)]
async fn sign_out(person: Person, State(app): State<AppState>) -> ApiResult<StatusCode> {
    Accounts::of(&app).end_session(&person, person.signed_in.session_id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Change your password
///
/// Ends all your sessions, this one included: sign in anew. Whoever has signed in by a link within the last 15
/// minutes may leave the current password out.
#[utoipa::path(
    put, path = "/v1/account/password", tag = "sessions", security(("session" = [])),
    responses((status = 204), (status = 401, description = "`unauthenticated`, `sign_in_failed`"))
)]
async fn change_password(
    person: Person,
    State(app): State<AppState>,
    Json(change): Json<PasswordChange>,
) -> ApiResult<StatusCode> {
    Accounts::of(&app).change_password(&app, &person, change).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List members
#[utoipa::path(
    get, path = "/v1/organisers/{organiser_id}/members", tag = "members",
    security(("session" = []), ("api_key" = []), ("admin" = [])),
    params(("organiser_id" = OrganiserId, Path, description = "The organiser"), PageQuery),
    responses(
        (status = 200, body = Page<MemberView>), (status = 400, description = "`invalid_path`, `invalid_query`"),
        (status = 403, description = "`role_missing`, `scope_missing`"),
        (status = 404, description = "`organiser_not_found`"), (status = 422, description = "`unknown_cursor`")
    )
)]
async fn list_members(
    caller: Caller<may::SeeMembers>,
    State(app): State<AppState>,
    Query(page): Query<PageQuery>,
) -> ApiResult<axum::Json<Page<MemberView>>> {
    Ok(axum::Json(Accounts::of(&app).members(caller.who, &page).await?))
}

/// Change a member's role and events
#[utoipa::path(
    put, path = "/v1/organisers/{organiser_id}/members/{user_id}", tag = "members",
    security(("session" = []), ("admin" = [])),
    params(
        ("organiser_id" = OrganiserId, Path, description = "The organiser"),
        ("user_id" = UserId, Path, description = "The member")
    ),
    responses(
        (status = 200, body = MemberView), (status = 403, description = "`role_missing`, `scope_missing`"),
        (status = 404, description = "`organiser_not_found`, `member_not_found`, `event_not_found`"),
        (status = 409, description = "`last_owner`")
    )
)]
async fn change_member(
    caller: Caller<may::ManageMembers>,
    State(app): State<AppState>,
    Path((_organiser, user)): Path<(OrganiserId, UserId)>,
    Json(change): Json<MemberChange>,
) -> ApiResult<axum::Json<MemberView>> {
    Ok(axum::Json(Accounts::of(&app).change_member(caller.who, user, change).await?))
}

/// Remove a member
///
/// They may do nothing more from now on. Their account stays theirs.
#[utoipa::path(
    delete, path = "/v1/organisers/{organiser_id}/members/{user_id}", tag = "members",
    security(("session" = []), ("admin" = [])),
    params(
        ("organiser_id" = OrganiserId, Path, description = "The organiser"),
        ("user_id" = UserId, Path, description = "The member")
    ),
    responses(
        (status = 204), (status = 400, description = "`invalid_path`"),
        (status = 403, description = "`role_missing`, `scope_missing`"),
        (status = 404, description = "`organiser_not_found`, `member_not_found`"),
        (status = 409, description = "`last_owner`")
    )
)]
async fn remove_member(
    caller: Caller<may::ManageMembers>,
    State(app): State<AppState>,
    Path((_organiser, user)): Path<(OrganiserId, UserId)>,
) -> ApiResult<StatusCode> {
    Accounts::of(&app).remove_member(caller.who, user).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Invite somebody
///
/// The answer's link is shown this once and works once, within seven days; where mails are sent, one brings it to them
/// as well. Who is invited again gets a new link, and the old one ends.
#[utoipa::path(
    post, path = "/v1/organisers/{organiser_id}/invitations", tag = "members",
    security(("session" = []), ("admin" = [])),
    params(("organiser_id" = OrganiserId, Path, description = "The organiser")),
    responses(
        (status = 201, body = NewInvitationView), (status = 403, description = "`role_missing`, `scope_missing`"),
        (status = 404, description = "`organiser_not_found`, `event_not_found`"),
        (status = 409, description = "`already_member`")
    )
)]
async fn invite(
    caller: Caller<may::ManageMembers>,
    State(app): State<AppState>,
    Json(new): Json<NewMember>,
) -> ApiResult<(StatusCode, axum::Json<NewInvitationView>)> {
    let (invitation, token) = Accounts::of(&app).invite(&app, caller.who, new).await?;
    let view =
        NewInvitationView { invitation, url: invitation_url(&app, &token), mailed: app.emails().are_on() };
    Ok((StatusCode::CREATED, axum::Json(view)))
}

/// List open invitations
#[utoipa::path(
    get, path = "/v1/organisers/{organiser_id}/invitations", tag = "members",
    security(("session" = []), ("api_key" = []), ("admin" = [])),
    params(("organiser_id" = OrganiserId, Path, description = "The organiser"), PageQuery),
    responses(
        (status = 200, body = Page<InvitationView>), (status = 400, description = "`invalid_path`, `invalid_query`"),
        (status = 403, description = "`role_missing`, `scope_missing`"),
        (status = 404, description = "`organiser_not_found`"), (status = 422, description = "`unknown_cursor`")
    )
)]
async fn list_invitations(
    caller: Caller<may::SeeMembers>,
    State(app): State<AppState>,
    Query(page): Query<PageQuery>,
) -> ApiResult<axum::Json<Page<InvitationView>>> {
    Ok(axum::Json(Accounts::of(&app).invitations(caller.who, &page).await?))
}

/// Withdraw an invitation
#[utoipa::path(
    delete, path = "/v1/organisers/{organiser_id}/invitations/{invitation_id}", tag = "members",
    security(("session" = []), ("admin" = [])),
    params(
        ("organiser_id" = OrganiserId, Path, description = "The organiser"),
        ("invitation_id" = InvitationId, Path, description = "The invitation")
    ),
    responses(
        (status = 204), (status = 400, description = "`invalid_path`"),
        (status = 403, description = "`role_missing`, `scope_missing`"),
        (status = 404, description = "`organiser_not_found`, `invitation_not_found`")
    )
)]
async fn withdraw(
    caller: Caller<may::ManageMembers>,
    State(app): State<AppState>,
    Path((_organiser, invitation)): Path<(OrganiserId, InvitationId)>,
) -> ApiResult<StatusCode> {
    Accounts::of(&app).withdraw(caller.who, invitation).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Accept an invitation
///
/// With a name and a password for a new account; or, for who has one, with the session's token as bearer.
#[utoipa::path(
    post, path = "/v1/invitations/accept", tag = "members",
    responses(
        (status = 201, body = Joined), (status = 403, description = "`invited_somebody_else`"),
        (status = 404, description = "`invitation_unknown`"),
        (status = 409, description = "`account_exists`, `already_member`"),
        (status = 410, description = "`invitation_ended`")
    )
)]
async fn accept(
    client: Client,
    person: Option<Person>,
    State(app): State<AppState>,
    Json(request): Json<AcceptInvitation>,
) -> ApiResult<(StatusCode, axum::Json<Joined>)> {
    let joined = invitations::accept(&app, client, person, request).await?;
    Ok((StatusCode::CREATED, axum::Json(joined)))
}
