//! Rows of people, members, invitations and sessions.

use liventix_core::ids::{EventId, OrganiserId};

use super::links;
use super::types::{InvitationView, MemberView, Membership, SessionView};
use crate::params;
use crate::platform::authorize::Role;
use crate::platform::db::{Conn, DbError, Row, Tx};
use crate::platform::ids::{InvitationId, SessionId, UserId};
use crate::platform::page::Key;

/// A person who can sign in.
#[derive(Debug, Clone)]
pub(super) struct UserRow {
    pub(super) user_id: UserId,
    pub(super) email: String,
    pub(super) name: String,
    pub(super) password_hash: String,
}

const USER: &str = "SELECT user_id, email, name, password_hash FROM users";

fn user(row: &Row) -> Result<UserRow, DbError> {
    Ok(UserRow { user_id: row.get(0)?, email: row.get(1)?, name: row.get(2)?, password_hash: row.get(3)? })
}

pub(super) async fn user_by_email(conn: &mut Conn, email_key: &str) -> Result<Option<UserRow>, DbError> {
    let row = conn.first(&format!("{USER} WHERE email_key = $1"), params![email_key]).await?;
    row.as_ref().map(user).transpose()
}

pub(super) async fn user_by_id(conn: &mut Conn, id: UserId) -> Result<Option<UserRow>, DbError> {
    let row = conn.first(&format!("{USER} WHERE user_id = $1"), params![id]).await?;
    row.as_ref().map(user).transpose()
}

/// Says whether there was none with this address yet.
pub(super) async fn insert_user(
    tx: &mut Tx,
    user: &UserRow,
    email_key: &str,
    now: i64,
) -> Result<bool, DbError> {
    let sql = "INSERT INTO users (user_id, email, email_key, name, password_hash, password_changed_at, created_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $6) ON CONFLICT (email_key) DO NOTHING";
    let values = params![user.user_id, &user.email, email_key, &user.name, &user.password_hash, now];
    Ok(tx.execute(sql, values).await? > 0)
}

/// Replaces a password's hash if it is still `old`. Says whether it was.
pub(super) async fn replace_hash(tx: &mut Tx, id: UserId, old: &str, new: &str) -> Result<bool, DbError> {
    let sql = "UPDATE users SET password_hash = $3 WHERE user_id = $1 AND password_hash = $2";
    Ok(tx.execute(sql, params![id, old, new]).await? > 0)
}

/// Sets a new password, and ends every session and every link that signs in.
pub(super) async fn set_password(tx: &mut Tx, id: UserId, hash: &str, now: i64) -> Result<(), DbError> {
    let sql = "UPDATE users SET password_hash = $2, password_changed_at = $3 WHERE user_id = $1";
    tx.execute(sql, params![id, hash, now]).await?;
    let sql = "UPDATE sessions SET ended_at = $2 WHERE user_id = $1 AND ended_at IS NULL";
    tx.execute(sql, params![id, now]).await?;
    links::end_all(tx, id, now).await
}

/// Says whether they were none before.
pub(super) async fn insert_operator(tx: &mut Tx, user: UserId, now: i64) -> Result<bool, DbError> {
    let sql = "INSERT INTO operators (user_id, created_at) VALUES ($1, $2) ON CONFLICT (user_id) DO NOTHING";
    Ok(tx.execute(sql, params![user, now]).await? > 0)
}

/// Says whether they were one before.
pub(super) async fn delete_operator(tx: &mut Tx, user: UserId) -> Result<bool, DbError> {
    Ok(tx.execute("DELETE FROM operators WHERE user_id = $1", params![user]).await? > 0)
}

fn role(row: &Row, column: usize) -> Result<Role, DbError> {
    let name: String = row.get(column)?;
    Role::named(&name).ok_or(DbError::Column { column, expected: "a role" })
}

const MEMBER: &str = "SELECT m.user_id, u.name, u.email, m.role, m.limited, m.created_at FROM members m \
                      JOIN users u ON u.user_id = m.user_id WHERE m.organiser_id = $1";

async fn member_view(conn: &mut Conn, organiser: OrganiserId, row: &Row) -> Result<MemberView, DbError> {
    let user_id = row.get(0)?;
    let event_ids = if row.get(4)? { Some(member_events(conn, organiser, user_id).await?) } else { None };
    Ok(MemberView {
        user_id,
        name: row.get(1)?,
        email: row.get(2)?,
        role: role(row, 3)?,
        event_ids,
        created_at: row.get(5)?,
    })
}

async fn member_events(
    conn: &mut Conn,
    organiser: OrganiserId,
    user: UserId,
) -> Result<Vec<EventId>, DbError> {
    let sql = "SELECT event_id FROM member_events WHERE organiser_id = $1 AND user_id = $2 ORDER BY event_id";
    conn.query(sql, params![organiser, user]).await?.iter().map(|row| row.get(0)).collect()
}

pub(super) async fn members(
    conn: &mut Conn,
    organiser: OrganiserId,
    after: Key,
    limit: u32,
) -> Result<Vec<MemberView>, DbError> {
    let sql = format!("{MEMBER} AND m.user_id > $2 ORDER BY m.user_id LIMIT $3");
    let rows = conn.query(&sql, params![organiser, after.id, limit]).await?;
    let mut members = Vec::with_capacity(rows.len());
    for row in rows {
        members.push(member_view(conn, organiser, &row).await?);
    }
    Ok(members)
}

pub(super) async fn member(
    conn: &mut Conn,
    organiser: OrganiserId,
    user: UserId,
) -> Result<Option<MemberView>, DbError> {
    match conn.first(&format!("{MEMBER} AND m.user_id = $2"), params![organiser, user]).await? {
        Some(row) => member_view(conn, organiser, &row).await.map(Some),
        None => Ok(None),
    }
}

/// Says whether they were no member yet.
pub(super) async fn insert_member(
    tx: &mut Tx,
    organiser: OrganiserId,
    member: &MemberView,
) -> Result<bool, DbError> {
    let sql = "INSERT INTO members (organiser_id, user_id, role, limited, created_at) \
               VALUES ($1, $2, $3, $4, $5) ON CONFLICT (organiser_id, user_id) DO NOTHING";
    let values =
        params![organiser, member.user_id, member.role.name(), member.event_ids.is_some(), member.created_at];
    if tx.execute(sql, values).await? == 0 {
        return Ok(false);
    }
    insert_events(tx, organiser, member).await?;
    Ok(true)
}

async fn insert_events(tx: &mut Tx, organiser: OrganiserId, member: &MemberView) -> Result<(), DbError> {
    for event in member.event_ids.iter().flatten() {
        let sql = "INSERT INTO member_events (organiser_id, user_id, event_id) VALUES ($1, $2, $3)";
        tx.execute(sql, params![organiser, member.user_id, *event]).await?;
    }
    Ok(())
}

pub(super) async fn update_member(
    tx: &mut Tx,
    organiser: OrganiserId,
    member: &MemberView,
) -> Result<(), DbError> {
    let sql = "UPDATE members SET role = $3, limited = $4 WHERE organiser_id = $1 AND user_id = $2";
    let limited = member.event_ids.is_some();
    tx.execute(sql, params![organiser, member.user_id, member.role.name(), limited]).await?;
    delete_events(tx, organiser, member.user_id).await?;
    insert_events(tx, organiser, member).await
}

async fn delete_events(tx: &mut Tx, organiser: OrganiserId, user: UserId) -> Result<(), DbError> {
    let sql = "DELETE FROM member_events WHERE organiser_id = $1 AND user_id = $2";
    tx.execute(sql, params![organiser, user]).await.map(drop)
}

pub(super) async fn delete_member(tx: &mut Tx, organiser: OrganiserId, user: UserId) -> Result<(), DbError> {
    delete_events(tx, organiser, user).await?;
    let sql = "DELETE FROM members WHERE organiser_id = $1 AND user_id = $2";
    tx.execute(sql, params![organiser, user]).await.map(drop)
}

pub(super) async fn has_other_owner(
    conn: &mut Conn,
    organiser: OrganiserId,
    user: UserId,
) -> Result<bool, DbError> {
    let sql = "SELECT 1 FROM members WHERE organiser_id = $1 AND user_id <> $2 AND role = 'owner' LIMIT 1";
    Ok(conn.first(sql, params![organiser, user]).await?.is_some())
}

const MEMBERSHIP: &str = "SELECT m.organiser_id, o.name, m.role, m.limited FROM members m \
                          JOIN organisers o ON o.organiser_id = m.organiser_id WHERE m.user_id = $1";

fn read_membership(row: &Row) -> Result<Membership, DbError> {
    let (organiser_id, name) = (row.get(0)?, row.get(1)?);
    Ok(Membership { organiser_id, name, role: role(row, 2)?, limited: row.get(3)? })
}

/// Where a person is a member, by name.
pub(super) async fn memberships(conn: &mut Conn, user: UserId) -> Result<Vec<Membership>, DbError> {
    let sql = format!("{MEMBERSHIP} ORDER BY o.name, m.organiser_id LIMIT 200");
    conn.query(&sql, params![user]).await?.iter().map(read_membership).collect()
}

/// What a person is to one organiser.
pub(crate) async fn membership(
    conn: &mut Conn,
    user: UserId,
    organiser: OrganiserId,
) -> Result<Option<Membership>, DbError> {
    let sql = format!("{MEMBERSHIP} AND m.organiser_id = $2");
    let row = conn.first(&sql, params![user, organiser]).await?;
    row.as_ref().map(read_membership).transpose()
}

/// An invitation with what is needed to accept it.
pub(super) struct InvitationRow {
    pub(super) organiser_id: OrganiserId,
    pub(super) organiser_name: String,
    pub(super) email_key: String,
    pub(super) secret_hash: [u8; 32],
    pub(super) ended: bool,
    pub(super) view: InvitationView,
}

const INVITATION: &str = "SELECT i.invitation_id, i.email, i.role, i.limited, i.event_ids, i.invited_by, \
                          i.created_at, i.expires_at, i.organiser_id, o.name, i.email_key, i.secret_hash, \
                          i.ended_at FROM invitations i JOIN organisers o ON o.organiser_id = i.organiser_id";

fn invitation_row(row: &Row) -> Result<InvitationRow, DbError> {
    let event_ids: Vec<EventId> = row.json(4)?;
    Ok(InvitationRow {
        view: InvitationView {
            invitation_id: row.get(0)?,
            email: row.get(1)?,
            role: role(row, 2)?,
            event_ids: row.get::<bool>(3)?.then_some(event_ids),
            invited_by: row.get(5)?,
            created_at: row.get(6)?,
            expires_at: row.get(7)?,
        },
        organiser_id: row.get(8)?,
        organiser_name: row.get(9)?,
        email_key: row.get(10)?,
        secret_hash: row.get(11)?,
        ended: row.get::<Option<i64>>(12)?.is_some(),
    })
}

pub(super) async fn invitation(conn: &mut Conn, id: InvitationId) -> Result<Option<InvitationRow>, DbError> {
    let row = conn.first(&format!("{INVITATION} WHERE i.invitation_id = $1"), params![id]).await?;
    row.as_ref().map(invitation_row).transpose()
}

/// The open invitations of an organiser, oldest first.
pub(super) async fn invitations(
    conn: &mut Conn,
    organiser: OrganiserId,
    now: i64,
    after: Key,
    limit: u32,
) -> Result<Vec<InvitationView>, DbError> {
    let sql = format!(
        "{INVITATION} WHERE i.organiser_id = $1 AND i.ended_at IS NULL AND i.expires_at > $2 \
         AND i.invitation_id > $3 ORDER BY i.invitation_id LIMIT $4"
    );
    let rows = conn.query(&sql, params![organiser, now, after.id, limit]).await?;
    rows.iter().map(|row| Ok(invitation_row(row)?.view)).collect()
}

pub(super) async fn insert_invitation(
    tx: &mut Tx,
    organiser: OrganiserId,
    invitation: &InvitationView,
    inviter: Option<UserId>,
    email_key: &str,
    secret_hash: [u8; 32],
) -> Result<(), DbError> {
    let events = invitation.event_ids.clone().unwrap_or_default();
    let events = serde_json::to_string(&events).map_err(|error| DbError::Statement(error.to_string()))?;
    let sql = "INSERT INTO invitations (invitation_id, organiser_id, email, email_key, role, limited, event_ids, \
               secret_hash, invited_by, created_at, expires_at, inviter_id) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    let values = params![
        invitation.invitation_id,
        organiser,
        &invitation.email,
        email_key,
        invitation.role.name(),
        invitation.event_ids.is_some(),
        events,
        secret_hash,
        &invitation.invited_by,
        invitation.created_at,
        invitation.expires_at,
        inviter,
    ];
    tx.execute(sql, values).await.map(drop)
}

/// Ends an open invitation. Says whether it was open.
pub(super) async fn end_invitation(tx: &mut Tx, id: InvitationId, now: i64) -> Result<bool, DbError> {
    let sql = "UPDATE invitations SET ended_at = $2 WHERE invitation_id = $1 AND ended_at IS NULL";
    Ok(tx.execute(sql, params![id, now]).await? > 0)
}

/// What a member has invited to and nobody has accepted yet.
pub(super) async fn open_invitations_by(
    conn: &mut Conn,
    organiser: OrganiserId,
    inviter: UserId,
) -> Result<Vec<InvitationView>, DbError> {
    let sql = format!(
        "{INVITATION} WHERE i.organiser_id = $1 AND i.inviter_id = $2 AND i.ended_at IS NULL \
         ORDER BY i.invitation_id"
    );
    let rows = conn.query(&sql, params![organiser, inviter]).await?;
    rows.iter().map(|row| Ok(invitation_row(row)?.view)).collect()
}

/// Ends the open invitation of an address, which a new one replaces.
pub(super) async fn end_invitations_of(
    tx: &mut Tx,
    organiser: OrganiserId,
    email_key: &str,
    now: i64,
) -> Result<(), DbError> {
    let sql = "UPDATE invitations SET ended_at = $3 \
               WHERE organiser_id = $1 AND email_key = $2 AND ended_at IS NULL";
    tx.execute(sql, params![organiser, email_key, now]).await.map(drop)
}

/// A session to store.
pub(super) struct SessionRow {
    pub(super) session_id: SessionId,
    pub(super) user_id: UserId,
    pub(super) secret_hash: [u8; 32],
    pub(super) remembered: bool,
    pub(super) by_link: bool,
    pub(super) agent: String,
    pub(super) network: String,
    pub(super) created_at: i64,
    pub(super) expires_at: i64,
}

pub(super) async fn insert_session(tx: &mut Tx, session: &SessionRow) -> Result<(), DbError> {
    let sql = "INSERT INTO sessions (session_id, user_id, secret_hash, remembered, agent, network, created_at, \
               seen_at, expires_at, by_link) VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9)";
    let values = params![
        session.session_id,
        session.user_id,
        session.secret_hash,
        session.remembered,
        &session.agent,
        &session.network,
        session.created_at,
        session.expires_at,
        session.by_link,
    ];
    tx.execute(sql, values).await.map(drop)
}

/// Deletes a person's sessions that are over since `before`.
pub(super) async fn forget_sessions(tx: &mut Tx, user: UserId, before: i64) -> Result<(), DbError> {
    let sql = "DELETE FROM sessions WHERE user_id = $1 AND (expires_at < $2 OR ended_at < $2)";
    tx.execute(sql, params![user, before]).await.map(drop)
}

/// Ends one of a person's sessions. Says whether it was open.
pub(super) async fn end_session(
    tx: &mut Tx,
    user: UserId,
    session: SessionId,
    now: i64,
) -> Result<bool, DbError> {
    let sql = "UPDATE sessions SET ended_at = $3 \
               WHERE session_id = $1 AND user_id = $2 AND ended_at IS NULL AND expires_at > $3";
    Ok(tx.execute(sql, params![session, user, now]).await? > 0)
}

/// A person's open sessions, newest first, idle ones included; `current` is of the one that asks.
pub(super) async fn sessions(
    conn: &mut Conn,
    user: UserId,
    current: SessionId,
    now: i64,
) -> Result<Vec<(SessionView, bool)>, DbError> {
    let sql = "SELECT session_id, agent, network, created_at, seen_at, expires_at, remembered FROM sessions \
               WHERE user_id = $1 AND ended_at IS NULL AND expires_at > $2 \
               ORDER BY session_id DESC LIMIT 200";
    let view = |row: &Row| {
        let session_id = row.get(0)?;
        let view = SessionView {
            session_id,
            current: session_id == current,
            agent: row.get(1)?,
            network: row.get(2)?,
            created_at: row.get(3)?,
            seen_at: row.get(4)?,
            expires_at: row.get(5)?,
        };
        Ok((view, row.get(6)?))
    };
    conn.query(sql, params![user, now]).await?.iter().map(view).collect()
}
