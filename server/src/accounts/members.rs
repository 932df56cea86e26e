//! Members of an organiser: listed, added, changed, removed.

use liventix_core::ids::{EventId, OrganiserId};
use serde_json::json;

use super::Accounts;
use super::types::{MemberChange, MemberView, NewMember};
use super::users::{address, user_not_found};
use super::{invitations, store};
use crate::audit::{Deed, Entry, Target};
use crate::platform::authorize::{self, Action, EventList, Role, Who};
use crate::platform::db::Tx;
use crate::platform::ids::UserId;
use crate::platform::page::{Key, Page, PageQuery};
use crate::platform::problem::{ApiError, ApiResult, Code};

/// The events a role is to be limited to, checked as far as that goes without the database.
pub(super) fn limits(role: Role, event_ids: Option<Vec<EventId>>) -> ApiResult<Option<EventList>> {
    match event_ids {
        Some(_) if !role.may_be_limited() => {
            let message = "is for event_manager and event_scanner only: the other roles are for every event";
            Err(ApiError::field("event_ids", message))
        }
        Some(events) => EventList::new(events).map(Some),
        None => Ok(None),
    }
}

fn entry(deed: Deed, member: &MemberView) -> Entry {
    Entry::of(deed).to(Target::User, member.user_id.as_bytes()).named(&member.email)
}

/// What the audit trail keeps of a membership.
pub(super) fn state(role: Role, event_ids: Option<&[EventId]>) -> serde_json::Value {
    json!({ "role": role, "event_ids": event_ids })
}

fn state_of(member: &MemberView) -> serde_json::Value {
    state(member.role, member.event_ids.as_deref())
}

pub(super) fn already_member() -> ApiError {
    ApiError::new(Code::AlreadyMember, "Change their role instead.")
}

/// The member, under the organiser's lock, so that of two owners who leave at once one stays.
async fn locked(tx: &mut Tx, who: &Who, user: UserId) -> ApiResult<(OrganiserId, MemberView)> {
    tx.lock("organiser", who.organiser_id.as_bytes()).await?;
    let organiser = authorize::organiser(tx, who).await?.organiser_id;
    let member = store::member(tx, organiser, user).await?.ok_or_else(|| {
        ApiError::new(Code::MemberNotFound, "The organiser has no member with this id. List the members.")
    })?;
    Ok((organiser, member))
}

/// Requires that somebody else is an owner too, if `member` is one.
async fn require_other_owner(tx: &mut Tx, organiser: OrganiserId, member: &MemberView) -> ApiResult<()> {
    if member.role != Role::Owner || store::has_other_owner(tx, organiser, member.user_id).await? {
        return Ok(());
    }
    Err(ApiError::new(Code::LastOwner, "They are its only owner. Make somebody else an owner first."))
}

impl Accounts<'_> {
    /// The members of an organiser, oldest account first.
    ///
    /// # Errors
    /// `unknown_cursor`, `invalid_query`, and what [`authorize::organiser`] refuses.
    pub(crate) async fn members(&self, who: Who, page: &PageQuery) -> ApiResult<Page<MemberView>> {
        let (after, limit) = (page.after()?, page.limit()?);
        let rows = self
            .db
            .of(who.organiser_id)
            .read(move |conn| {
                Box::pin(async move {
                    let organiser = authorize::organiser(conn, &who).await?.organiser_id;
                    Ok::<_, ApiError>(store::members(conn, organiser, after, limit + 1).await?)
                })
            })
            .await?;
        Ok(Page::of(rows, limit, |member| Key { at: 0, id: *member.user_id.as_bytes() }))
    }

    /// Whether somebody may do what they ask for, for pages that show only what can be done.
    ///
    /// # Errors
    /// When the database fails, or they do not belong to the organiser.
    pub(crate) async fn may(&self, who: Who) -> ApiResult<bool> {
        let asked = self
            .db
            .read(move |conn| Box::pin(async move { authorize::organiser(conn, &who).await.map(drop) }));
        match asked.await {
            Ok(()) => Ok(true),
            Err(error) if error.code() == Code::RoleMissing => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Makes somebody with an account a member.
    ///
    /// # Errors
    /// `user_not_found`, `already_member`, `event_not_found`, `invalid_field`, `organiser_not_found`.
    pub async fn add_member(&self, who: Who, new: NewMember) -> ApiResult<UserId> {
        let (_, email_key) = address(&new.email)?;
        let events = limits(new.role, new.event_ids)?;
        let (now, pen) = (self.now, self.pen());
        self.db
            .of(who.organiser_id)
            .write(move |tx| {
                Box::pin(async move {
                    tx.lock("organiser", who.organiser_id.as_bytes()).await?;
                    let organiser = authorize::organiser(tx, &who).await?.organiser_id;
                    let user = store::user_by_email(tx, &email_key).await?.ok_or_else(user_not_found)?;
                    if let Some(events) = &events {
                        events.check(tx, organiser).await?;
                    }
                    let member = MemberView {
                        user_id: user.user_id,
                        name: user.name,
                        email: user.email,
                        role: new.role,
                        event_ids: events.map(|events| events.as_slice().to_vec()),
                        created_at: now,
                    };
                    if !store::insert_member(tx, organiser, &member).await? {
                        return Err(already_member());
                    }
                    let entry = entry(Deed::MemberAdded, &member).after(state_of(&member));
                    pen.write(tx, Some(organiser), &who.by, entry).await?;
                    Ok(member.user_id)
                })
            })
            .await
    }

    /// Makes a member something else.
    ///
    /// # Errors
    /// `member_not_found`, `last_owner`, `event_not_found`, `invalid_field`.
    pub(crate) async fn change_member(
        &self,
        who: Who,
        user: UserId,
        change: MemberChange,
    ) -> ApiResult<MemberView> {
        let events = limits(change.role, change.event_ids)?;
        let pen = self.pen();
        self.db
            .of(who.organiser_id)
            .write(move |tx| {
                Box::pin(async move {
                    let (organiser, before) = locked(tx, &who, user).await?;
                    if change.role != Role::Owner {
                        require_other_owner(tx, organiser, &before).await?;
                    }
                    if let Some(events) = &events {
                        events.check(tx, organiser).await?;
                    }
                    let event_ids = events.map(|events| events.as_slice().to_vec());
                    let after = MemberView { role: change.role, event_ids, ..before.clone() };
                    store::update_member(tx, organiser, &after).await?;
                    if !Action::ManageMembers.roles().contains(&after.role) {
                        invitations::end_those_of(tx, &pen, &who, user).await?;
                    }
                    let entry = entry(Deed::MemberChanged, &after).before(state_of(&before));
                    pen.write(tx, Some(organiser), &who.by, entry.after(state_of(&after))).await?;
                    Ok::<_, ApiError>(after)
                })
            })
            .await
    }

    /// Removes a member; they may do nothing more from then on.
    ///
    /// # Errors
    /// `member_not_found`, `last_owner`.
    pub(crate) async fn remove_member(&self, who: Who, user: UserId) -> ApiResult<MemberView> {
        let pen = self.pen();
        self.db
            .of(who.organiser_id)
            .write(move |tx| {
                Box::pin(async move {
                    let (organiser, member) = locked(tx, &who, user).await?;
                    require_other_owner(tx, organiser, &member).await?;
                    store::delete_member(tx, organiser, user).await?;
                    invitations::end_those_of(tx, &pen, &who, user).await?;
                    let entry = entry(Deed::MemberRemoved, &member).before(state_of(&member));
                    pen.write(tx, Some(organiser), &who.by, entry).await?;
                    Ok::<_, ApiError>(member)
                })
            })
            .await
    }
}
