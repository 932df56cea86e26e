//! Links: made, shown again, found.

use liventix_core::ids::TicketId;
use secrecy::ExposeSecret as _;

use super::store::{self, LinkKind, LinkRow};
use crate::app::AppState;
use crate::platform::auth::{Client, Kind, Token, count_guess};
use crate::platform::db::{Conn, Tx};
use crate::platform::problem::{ApiError, ApiResult, Code};

/// What a link's sealed secret is sealed for.
fn context(link_id: &[u8; 16]) -> Vec<u8> {
    [b"ticket link ".as_slice(), link_id].concat()
}

fn url(app: &AppState, token: &Token) -> String {
    format!("{}/t/{}", app.public_url(), token.text().expose_secret())
}

/// A ticket's link, for whoever bought it; made if there is none.
pub(crate) async fn ticket_link(tx: &mut Tx, app: &AppState, ticket: TicketId) -> ApiResult<String> {
    Ok(get_or_make(tx, app, ticket, LinkKind::Ticket, None).await?.0)
}

/// The link of that kind that is alive, made if there is none.
pub(super) async fn get_or_make(
    tx: &mut Tx,
    app: &AppState,
    ticket: TicketId,
    kind: LinkKind,
    expires_at: Option<i64>,
) -> ApiResult<(String, Option<i64>)> {
    // Whoever asks at the same moment gets the same one.
    tx.lock("ticket_link", ticket.as_bytes()).await?;
    if let Some(link) = store::alive(tx, ticket, kind).await? {
        if link.expires_at.is_none_or(|expires_at| expires_at > app.now()) {
            return Ok((url(app, &open(app, ticket, &link)?), link.expires_at));
        }
        store::end_links(tx, ticket, kind, app.now()).await?;
    }
    let token = Token::generate(Kind::Link, *ticket.as_bytes(), app.entropy().as_ref());
    let mut link_id = [0; 16];
    app.entropy().fill(&mut link_id);
    let sealed_secret = app.vault().seal(&context(&link_id), token.secret()).map_err(ApiError::internal)?;
    let link = LinkRow {
        link_id,
        kind,
        secret_hash: token.secret_hash(),
        sealed_secret,
        expires_at,
        ended: false,
        used_by: None,
    };
    store::insert_link(tx, ticket, &link, app.now()).await?;
    Ok((url(app, &token), expires_at))
}

fn open(app: &AppState, ticket: TicketId, link: &LinkRow) -> ApiResult<Token> {
    let opened =
        app.vault().unseal(&context(&link.link_id), &link.sealed_secret).map_err(ApiError::internal)?;
    let secret = opened.expose_secret().as_slice().try_into();
    let secret = secret.map_err(|_| ApiError::internal("a link's secret of another length"))?;
    Ok(Token::unsealed(Kind::Link, *ticket.as_bytes(), secret))
}

/// A link nobody made: mistyped, or guessed.
pub(super) fn unknown() -> ApiError {
    ApiError::new(Code::LinkUnknown, "Open the whole link as it was sent, or ask for it again.")
}

/// Reads a link's token and makes sure that there is such a link, dead or alive. Guesses are counted, and
/// never reach the one writer.
///
/// # Errors
/// `link_unknown`, `rate_limited`.
pub(super) async fn look_up(app: &AppState, client: Client, token: &str) -> ApiResult<(Token, TicketId)> {
    if let Some(token) = Token::parse(token).filter(|token| token.kind == Kind::Link) {
        let ticket = TicketId::from_bytes(token.id);
        let found = app.db().read(move |conn| {
            Box::pin(async move {
                let known = find(conn, &token, ticket).await?.is_some();
                Ok::<_, ApiError>(known.then_some((token, ticket)))
            })
        });
        if let Some(found) = found.await? {
            return Ok(found);
        }
    }
    count_guess(app, client).await?;
    Err(unknown())
}

/// The link that a token is of, dead or alive; none if there never was one.
pub(super) async fn find(conn: &mut Conn, token: &Token, ticket: TicketId) -> ApiResult<Option<LinkRow>> {
    let links = store::links(conn, ticket).await?;
    Ok(links.into_iter().find(|link| token.fits(&link.secret_hash)))
}

/// Whether a link can still be used.
///
/// # Errors
/// `link_used`, `link_expired`.
pub(super) fn check_alive(link: &LinkRow, now: i64) -> ApiResult<()> {
    if link.ended {
        let detail = "The link was used, taken back or replaced. Ask whoever sent it for a new one.";
        return Err(ApiError::new(Code::LinkUsed, detail));
    }
    if link.expires_at.is_some_and(|expires_at| expires_at <= now) {
        return Err(ApiError::new(Code::LinkExpired, "Ask whoever sent the link for a new one."));
    }
    Ok(())
}
