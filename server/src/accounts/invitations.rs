//! Invitations: a link that makes whoever was invited a member, once, within a week.

use secrecy::{ExposeSecret as _, SecretString};

use super::Accounts;
use super::members::{already_member, limits, state};
use super::store::{self, InvitationRow, UserRow};
use super::types::{AcceptInvitation, InvitationView, Joined, MemberView, NewMember, NewUser};
use super::users::{account_exists, address, user_entry};
use crate::app::AppState;
use crate::audit::{Deed, Entry, Pen, Target};
use crate::email;
use crate::mails;
use crate::platform::auth::{Client, Kind, Person, Token, count_guess};
use crate::platform::authorize::{self, Actor, By, Origin, Who};
use crate::platform::db::{Conn, DbError, Tx};
use crate::platform::ids::{InvitationId, UserId};
use crate::platform::page::{Key, Page, PageQuery};
use crate::platform::problem::{ApiError, ApiResult, Code};

/// How long an invitation can be accepted.
const LIFE_MS: i64 = 7 * 24 * 3_600_000;

fn entry(deed: Deed, invitation: &InvitationView) -> Entry {
    Entry::of(deed).to(Target::Invitation, invitation.invitation_id.as_bytes()).named(&invitation.email)
}

/// Ends what somebody has open who may invite nobody any more: it would let in whom they chose.
pub(super) async fn end_those_of(tx: &mut Tx, pen: &Pen, who: &Who, member: UserId) -> ApiResult<()> {
    for invitation in store::open_invitations_by(tx, who.organiser_id, member).await? {
        if store::end_invitation(tx, invitation.invitation_id, pen.now).await? {
            let entry = entry(Deed::InvitationWithdrawn, &invitation);
            pen.write(tx, Some(who.organiser_id), &who.by, entry).await?;
        }
    }
    Ok(())
}

fn unknown() -> ApiError {
    ApiError::new(Code::InvitationUnknown, "Open the whole link as it was sent, or ask for a new one.")
}

fn ended() -> ApiError {
    ApiError::new(Code::InvitationEnded, "Ask an owner of the organiser for a new invitation.")
}

/// Who invites, as the invited one reads it.
fn inviter_name(who: &Who) -> String {
    match who.by.actor {
        Actor::Operator => "The operator of this server".to_owned(),
        _ => who.by.name.clone(),
    }
}

/// An invitation, as whoever holds its link sees it.
#[derive(Debug, Clone)]
pub(crate) struct Invited {
    pub(crate) organiser_name: String,
    pub(crate) invitation: InvitationView,
    /// Whether the address has an account: then they sign in, and need no password.
    pub(crate) has_account: bool,
}

/// The invitation a token is of; none if there never was one.
async fn find(conn: &mut Conn, token: &Token) -> ApiResult<Option<InvitationRow>> {
    if token.kind != Kind::Invitation {
        return Ok(None);
    }
    let found = store::invitation(conn, InvitationId::from_bytes(token.id)).await?;
    Ok(found.filter(|row| token.fits(&row.secret_hash)))
}

fn check_open(row: &InvitationRow, now: i64) -> ApiResult<()> {
    if row.ended || row.view.expires_at <= now { Err(ended()) } else { Ok(()) }
}

/// What an invitation's link is about. Guesses are counted, and never reach a write.
///
/// # Errors
/// `invitation_unknown`, `invitation_ended`, `rate_limited`.
pub(crate) async fn look_up(app: &AppState, client: Client, token: &SecretString) -> ApiResult<Invited> {
    let now = app.now();
    if let Some(token) = Token::parse(token.expose_secret()) {
        let found = app.db().read(move |conn| {
            Box::pin(async move {
                let Some(row) = find(conn, &token).await? else { return Ok(None) };
                check_open(&row, now)?;
                Ok::<_, ApiError>(Some(invited(conn, row).await?))
            })
        });
        if let Some(invited) = found.await? {
            return Ok(invited);
        }
    }
    count_guess(app, client).await?;
    Err(unknown())
}

/// An invitation that can be accepted still; none otherwise.
///
/// # Errors
/// When the database fails.
pub(crate) async fn still_open(app: &AppState, id: InvitationId) -> Result<Option<Invited>, DbError> {
    let now = app.now();
    let found = app.db().read(move |conn| {
        Box::pin(async move {
            let found = store::invitation(conn, id).await?.filter(|row| check_open(row, now).is_ok());
            let Some(row) = found else { return Ok(None) };
            Ok(Some(invited(conn, row).await?))
        })
    });
    found.await
}

async fn invited(conn: &mut Conn, row: InvitationRow) -> Result<Invited, DbError> {
    let has_account = store::user_by_email(conn, &row.email_key).await?.is_some();
    Ok(Invited { organiser_name: row.organiser_name, invitation: row.view, has_account })
}

impl Accounts<'_> {
    /// Invites somebody, by mail where mails are sent; an open invitation of the same address is replaced. The token
    /// is for the link.
    ///
    /// # Errors
    /// `already_member`, `event_not_found`, `invalid_field`.
    pub(crate) async fn invite(
        &self,
        app: &AppState,
        who: Who,
        new: NewMember,
    ) -> ApiResult<(InvitationView, SecretString)> {
        let (email, email_key) = address(&new.email)?;
        let events = limits(new.role, new.event_ids)?;
        let invitation_id = InvitationId::generate(self.now, self.entropy.as_ref());
        let token = Token::generate(Kind::Invitation, *invitation_id.as_bytes(), self.entropy.as_ref());
        let invitation = InvitationView {
            invitation_id,
            email,
            role: new.role,
            event_ids: events.as_ref().map(|events| events.as_slice().to_vec()),
            invited_by: inviter_name(&who),
            created_at: self.now,
            expires_at: self.now + LIFE_MS,
        };
        let (stored, pen, secret_hash) = (invitation.clone(), self.pen(), token.secret_hash());
        let (app_in, mailed) = (app.clone(), token.text());
        self.db
            .of(who.organiser_id)
            .write(move |tx| {
                Box::pin(async move {
                    tx.lock("organiser", who.organiser_id.as_bytes()).await?;
                    let organiser = authorize::organiser(tx, &who).await?.organiser_id;
                    if let Some(user) = store::user_by_email(tx, &email_key).await?
                        && store::member(tx, organiser, user.user_id).await?.is_some()
                    {
                        return Err(already_member());
                    }
                    if let Some(events) = &events {
                        events.check(tx, organiser).await?;
                    }
                    store::end_invitations_of(tx, organiser, &email_key, pen.now).await?;
                    let inviter = match who.by.actor {
                        Actor::User { user_id, .. } => Some(user_id),
                        _ => None,
                    };
                    store::insert_invitation(tx, organiser, &stored, inviter, &email_key, secret_hash)
                        .await?;
                    mails::invitation(tx, &app_in, organiser, &stored, &mailed).await?;
                    let state = state(stored.role, stored.event_ids.as_deref());
                    let entry = entry(Deed::MemberInvited, &stored).after(state);
                    pen.write(tx, Some(organiser), &who.by, entry).await?;
                    Ok(())
                })
            })
            .await?;
        app.queue().wake(email::QUEUE.name);
        Ok((invitation, token.text()))
    }

    /// The open invitations, oldest first.
    ///
    /// # Errors
    /// `unknown_cursor`, `invalid_query`, and what [`authorize::organiser`] refuses.
    pub(crate) async fn invitations(&self, who: Who, page: &PageQuery) -> ApiResult<Page<InvitationView>> {
        let (after, limit, now) = (page.after()?, page.limit()?, self.now);
        let rows = self
            .db
            .of(who.organiser_id)
            .read(move |conn| {
                Box::pin(async move {
                    let organiser = authorize::organiser(conn, &who).await?.organiser_id;
                    Ok::<_, ApiError>(store::invitations(conn, organiser, now, after, limit + 1).await?)
                })
            })
            .await?;
        Ok(Page::of(rows, limit, |row| Key { at: 0, id: *row.invitation_id.as_bytes() }))
    }

    /// Withdraws an invitation. Doing it twice changes nothing more.
    ///
    /// # Errors
    /// `invitation_not_found`.
    pub(crate) async fn withdraw(&self, who: Who, id: InvitationId) -> ApiResult<()> {
        let pen = self.pen();
        self.db
            .of(who.organiser_id)
            .write(move |tx| {
                Box::pin(async move {
                    let organiser = authorize::organiser(tx, &who).await?.organiser_id;
                    let found = store::invitation(tx, id).await?.filter(|row| row.organiser_id == organiser);
                    let found = found.ok_or_else(|| {
                        let detail = "The organiser has no invitation with this id.";
                        ApiError::new(Code::InvitationNotFound, detail)
                    })?;
                    if store::end_invitation(tx, id, pen.now).await? {
                        let entry = entry(Deed::InvitationWithdrawn, &found.view);
                        pen.write(tx, Some(organiser), &who.by, entry).await?;
                    }
                    Ok::<_, ApiError>(())
                })
            })
            .await
    }
}

/// Accepts an invitation: as whoever is signed in, or with a new account.
///
/// # Errors
/// `invitation_unknown`, `invitation_ended`, `account_exists`, `invited_somebody_else`, `already_member`,
/// `invalid_field`, `rate_limited`.
pub(crate) async fn accept(
    app: &AppState,
    client: Client,
    person: Option<Person>,
    request: AcceptInvitation,
) -> ApiResult<Joined> {
    let invited = look_up(app, client, &request.token).await?;
    let token = Token::parse(request.token.expose_secret()).ok_or_else(unknown)?;
    let accounts = Accounts::of(app);
    let newcomer = match &person {
        Some(_) => None,
        None if invited.has_account => return Err(account_exists()),
        None => {
            let needed = |field| ApiError::field(field, "is needed for a new account");
            let password = request.password.ok_or_else(|| needed("password"))?;
            let name = request.name.ok_or_else(|| needed("name"))?;
            let new = NewUser { email: invited.invitation.email, name, password };
            Some(accounts.new_user(new).await?)
        }
    };
    let pen = accounts.pen();
    let accepted = Accepted { person, newcomer, origin: client.origin() };
    app.db().write(move |tx| Box::pin(async move { accepted.store(tx, &pen, &token).await })).await
}

/// Whoever accepts: somebody signed in, or somebody new with the key of their address.
struct Accepted {
    person: Option<Person>,
    newcomer: Option<(UserRow, String)>,
    origin: Origin,
}

impl Accepted {
    async fn store(self, tx: &mut Tx, pen: &Pen, token: &Token) -> ApiResult<Joined> {
        let row = find(tx, token).await?.ok_or_else(unknown)?;
        tx.lock("organiser", row.organiser_id.as_bytes()).await?;
        check_open(&row, pen.now)?;
        // The condition decides between two that accept at once.
        if !store::end_invitation(tx, row.view.invitation_id, pen.now).await? {
            return Err(ended());
        }
        let (user, by) = self.user(tx, pen, &row).await?;
        let member = MemberView {
            user_id: user.user_id,
            name: user.name.clone(),
            email: user.email.clone(),
            role: row.view.role,
            event_ids: row.view.event_ids.clone(),
            created_at: pen.now,
        };
        if !store::insert_member(tx, row.organiser_id, &member).await? {
            return Err(already_member());
        }
        let state = state(member.role, member.event_ids.as_deref());
        let entry = user_entry(Deed::MemberJoined, &user).after(state);
        pen.write(tx, Some(row.organiser_id), &by, entry).await?;
        Ok(Joined {
            user_id: user.user_id,
            organiser_id: row.organiser_id,
            organiser_name: row.organiser_name,
            role: row.view.role,
        })
    }

    /// Who joins, made if need be.
    async fn user(self, tx: &mut Tx, pen: &Pen, row: &InvitationRow) -> ApiResult<(UserRow, By)> {
        if let Some(person) = self.person {
            let user = store::user_by_id(tx, person.signed_in.user_id).await?.ok_or_else(unknown)?;
            if user.email.to_lowercase() != row.email_key {
                let detail = format!("It is for {}. Sign in as them.", row.view.email);
                return Err(ApiError::new(Code::InvitedElse, detail));
            }
            return Ok((user, person.by()));
        }
        let (user, email_key) = self.newcomer.ok_or_else(unknown)?;
        if !store::insert_user(tx, &user, &email_key, pen.now).await? {
            return Err(account_exists());
        }
        let by = By { actor: Actor::Nobody, name: user.name.clone(), origin: self.origin };
        pen.write(tx, Some(row.organiser_id), &by, user_entry(Deed::UserCreated, &user)).await?;
        Ok((user, by))
    }
}
