//! The extractors. Each gives a tenant that the handler did not have to ask for.

use std::marker::PhantomData;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts, OptionalFromRequestParts};
use axum::http::header;
use axum::http::request::Parts;
use liventix_core::ids::{DeviceId, OrganiserId};

use super::asking::{decided, is_admin, named_organiser, origin, persons_organiser, who};
use super::scope::ScopeSet;
use super::session::{self, SignedIn};
use super::store;
use super::token::{ApiKeyId, Kind, Token, WalletId};
use crate::app::AppState;
use crate::platform::authorize::{self, Action, Actor, Acts, By, Origin, Who};
use crate::platform::db::DbError;
use crate::platform::problem::{ApiError, Code};
use crate::platform::rate_limit::Key;
use crate::platform::request_id;
use crate::platform::telemetry::context;

/// A person or a program that may do `A`, at some event of the organiser at least. Which events, a service
/// asks [`authorize`] again, inside the transaction that acts.
#[derive(Debug)]
pub struct Caller<A> {
    /// Who asks for what.
    pub who: Who,
    action: PhantomData<fn() -> A>,
}

/// A person, whatever they may do.
#[derive(Debug, Clone)]
pub struct Person {
    /// Who.
    pub signed_in: SignedIn,
    /// From where.
    pub origin: Origin,
}

impl Person {
    /// For the audit trail.
    #[must_use]
    pub fn by(&self) -> By {
        let SignedIn { user_id, session_id, name, .. } = &self.signed_in;
        let actor = Actor::User { user_id: *user_id, session_id: *session_id };
        By { actor, name: name.clone(), origin: self.origin.clone() }
    }
}

/// A device that is not revoked.
#[derive(Debug, Clone, Copy)]
pub struct Device {
    /// The device.
    pub device_id: DeviceId,
    /// The tenant.
    pub organiser_id: OrganiserId,
}

/// A device, perhaps revoked: only for handing in evidence.
#[derive(Debug, Clone, Copy)]
pub struct AnyDevice {
    /// The device.
    pub device_id: DeviceId,
    /// The tenant.
    pub organiser_id: OrganiserId,
    /// Since when it is revoked (UTC milliseconds).
    pub revoked_at: Option<i64>,
}

/// Who redeems online: a device, an API key with the scope `redeem`, or a person.
#[derive(Debug, Clone, Copy)]
pub struct Scanner {
    /// The tenant.
    pub organiser_id: OrganiserId,
    /// The device; the key or the person in a device's place.
    pub scanner_id: DeviceId,
    /// Whether it is a device, and so confined to its events and gates.
    pub is_device: bool,
    /// Who it is.
    pub actor: Actor,
}

impl Scanner {
    /// Who asks for `action`. Scans are their own record, so that a name for the audit trail is not needed.
    #[must_use]
    pub fn asking(self, action: Action) -> Who {
        let by = By { actor: self.actor, name: String::new(), origin: Origin::default() };
        Who { organiser_id: self.organiser_id, action, by }
    }
}

/// A phone that holds tickets.
#[derive(Debug, Clone, Copy)]
pub struct Wallet {
    /// The wallet.
    pub wallet_id: WalletId,
}

/// A phone that may hold none yet: its token is registered with its first claim.
#[derive(Debug, Clone, Copy)]
pub struct NewWallet {
    /// The wallet.
    pub wallet_id: WalletId,
    /// What its row holds, or will hold.
    pub secret_hash: [u8; 32],
}

/// The administrator of this installation.
#[derive(Debug, Clone, Copy)]
pub struct Admin;

/// The address a request comes from, as far as it tells one caller from another: of an IPv6 address its
/// first half, for whoever has one has all that share it.
#[derive(Debug, Clone, Copy)]
pub struct Client(pub IpAddr);

impl Client {
    fn new(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(address) => Self(Ipv6Addr::from(address.to_bits() >> 64 << 64).into()),
            address @ IpAddr::V4(_) => Self(address),
        }
    }

    /// Where the current request comes from, as the audit trail keeps it. Ask on the request's own task: within
    /// a store body the request's id is not known.
    #[must_use]
    pub fn origin(self) -> Origin {
        Origin { request_id: request_id::current(), network: Some(authorize::network(self.0)) }
    }
}

pub(super) enum Known {
    Person(SignedIn),
    Key { organiser_id: OrganiserId, id: ApiKeyId, name: String, scopes: ScopeSet },
    Device(AnyDevice),
    Wallet(Wallet),
}

impl Known {
    /// From here on, every line of the log says who asked.
    fn identify(&self) {
        match self {
            Self::Key { organiser_id, id, .. } => context::identify(Some(organiser_id), None, Some(&id.0)),
            Self::Device(device) => {
                context::identify(Some(&device.organiser_id), None, Some(&device.device_id))
            }
            // A person was when they were found; a wallet belongs to nobody in particular.
            Self::Person(_) | Self::Wallet(_) => {}
        }
    }
}

impl FromRequestParts<AppState> for Client {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        if app.config().trust_forwarded_for
            && let Some(address) = forwarded(parts)
        {
            return Ok(Self::new(address));
        }
        let ConnectInfo(address) =
            ConnectInfo::<SocketAddr>::from_request_parts(parts, app).await.map_err(ApiError::internal)?;
        Ok(Self::new(address.ip()))
    }
}

/// The last address: the one our own proxy wrote. Earlier ones come from the client.
fn forwarded(parts: &Parts) -> Option<IpAddr> {
    let header = parts.headers.get_all("x-forwarded-for").iter().next_back()?;
    header.to_str().ok()?.rsplit(',').next()?.trim().parse().ok()
}

pub(crate) fn bearer(parts: &Parts) -> Option<&str> {
    let value = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// Counts a try that may be a guess, and refuses an address that keeps trying.
///
/// # Errors
/// `rate_limited`.
pub(crate) async fn count_guess(app: &AppState, Client(address): Client) -> Result<(), ApiError> {
    app.limiter().require(Key::of_address("bad_token", address), app.config().limits.bad_token).await
}

/// 401, or 429 for an address that keeps trying. Good tokens are never slowed down by this.
pub(super) async fn refuse(parts: &mut Parts, app: &AppState) -> ApiError {
    let client = match Client::from_request_parts(parts, app).await {
        Ok(client) => client,
        Err(error) => return error,
    };
    match count_guess(app, client).await {
        Err(limited) => limited,
        Ok(()) => ApiError::new(
            Code::Unauthenticated,
            "Send Authorization: Bearer <token> with a token that is valid for this call.",
        ),
    }
}

pub(super) async fn known(parts: &mut Parts, app: &AppState) -> Result<Known, ApiError> {
    let found = match bearer(parts).and_then(Token::parse) {
        Some(token) => look_up(app, token).await?,
        None => None,
    };
    match found {
        Some(known) => {
            known.identify();
            Ok(known)
        }
        None => Err(refuse(parts, app).await),
    }
}

async fn look_up(app: &AppState, token: Token) -> Result<Option<Known>, DbError> {
    let db = app.db();
    Ok(match token.kind {
        Kind::ApiKey => store::api_key(db, token.id)
            .await?
            .filter(|row| token.fits(&row.secret_hash) && !row.revoked)
            .map(|row| Known::Key {
                organiser_id: row.organiser_id,
                id: ApiKeyId(DeviceId::from_bytes(token.id)),
                name: row.name,
                scopes: row.scopes,
            }),
        Kind::Device => {
            store::device(db, token.id).await?.filter(|row| token.fits(&row.token_hash)).map(|row| {
                Known::Device(AnyDevice {
                    device_id: row.device_id,
                    organiser_id: row.organiser_id,
                    revoked_at: row.revoked_at,
                })
            })
        }
        Kind::Wallet => store::wallet(db, token.id)
            .await?
            .filter(|hash| token.fits(hash))
            .map(|_| Known::Wallet(Wallet { wallet_id: WalletId::from_bytes(token.id) })),
        Kind::Session => session::signed_in(app, token).await?.map(Known::Person),
        // Links are no credentials: they are handed in, once, to become one.
        Kind::Link | Kind::Invitation | Kind::SignInLink | Kind::Order => None,
    })
}

impl AnyDevice {
    fn active(self) -> Result<Device, ApiError> {
        match self.revoked_at {
            None => Ok(Device { device_id: self.device_id, organiser_id: self.organiser_id }),
            Some(_) => Err(ApiError::new(
                Code::DeviceRevoked,
                "The organiser revoked this device. Its unsent scans are still taken; enrol it again to scan on.",
            )),
        }
    }
}

impl<A: Acts> FromRequestParts<AppState> for Caller<A> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        Ok(Self { who: who(parts, app, A::ACTION).await?, action: PhantomData })
    }
}

impl FromRequestParts<AppState> for Person {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        match known(parts, app).await? {
            Known::Person(signed_in) => Ok(Self { signed_in, origin: origin(parts, app).await }),
            Known::Key { .. } | Known::Device(_) | Known::Wallet(_) => Err(refuse(parts, app).await),
        }
    }
}

/// None for whoever carries no token at all; a bad one is refused.
impl OptionalFromRequestParts<AppState> for Person {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Option<Self>, ApiError> {
        if bearer(parts).is_none() {
            return Ok(None);
        }
        <Self as FromRequestParts<AppState>>::from_request_parts(parts, app).await.map(Some)
    }
}

impl FromRequestParts<AppState> for AnyDevice {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        match known(parts, app).await? {
            Known::Device(device) => Ok(device),
            Known::Person(_) | Known::Key { .. } | Known::Wallet(_) => Err(refuse(parts, app).await),
        }
    }
}

impl FromRequestParts<AppState> for Device {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        AnyDevice::from_request_parts(parts, app).await?.active()
    }
}

impl FromRequestParts<AppState> for Scanner {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        match known(parts, app).await? {
            Known::Device(device) => {
                let Device { organiser_id, device_id } = device.active()?;
                let actor = Actor::Device(device_id);
                Ok(Self { organiser_id, scanner_id: device_id, is_device: true, actor })
            }
            Known::Key { organiser_id, id, scopes, .. } => {
                authorize::check_scopes(&scopes, Action::Redeem)?;
                Ok(Self { organiser_id, scanner_id: id.0, is_device: false, actor: Actor::ApiKey(id) })
            }
            Known::Person(signed_in) => {
                let named = named_organiser(parts, app).await?;
                let organiser_id = persons_organiser(app, &signed_in, named).await?;
                let SignedIn { user_id, session_id, .. } = signed_in;
                let scanner_id = DeviceId::from_bytes(*user_id.as_bytes());
                let actor = Actor::User { user_id, session_id };
                let scanner = Self { organiser_id, scanner_id, is_device: false, actor };
                decided(app, scanner.asking(Action::Redeem)).await?;
                Ok(scanner)
            }
            Known::Wallet(_) => Err(refuse(parts, app).await),
        }
    }
}

impl FromRequestParts<AppState> for Wallet {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        match known(parts, app).await? {
            Known::Wallet(wallet) => Ok(wallet),
            Known::Person(_) | Known::Key { .. } | Known::Device(_) => Err(refuse(parts, app).await),
        }
    }
}

impl FromRequestParts<AppState> for NewWallet {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        match bearer(parts).and_then(Token::parse) {
            Some(token) if token.kind == Kind::Wallet => {
                Ok(Self { wallet_id: WalletId::from_bytes(token.id), secret_hash: token.secret_hash() })
            }
            _ => Err(refuse(parts, app).await),
        }
    }
}

impl FromRequestParts<AppState> for Admin {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        if app.config().admin_token.is_none() {
            let detail = "Set LIVENTIX_ADMIN_TOKEN, or use `liventix admin create-organiser` on the server.";
            return Err(ApiError::new(Code::AdminDisabled, detail));
        }
        if is_admin(parts, app) { Ok(Self) } else { Err(refuse(parts, app).await) }
    }
}

#[cfg(test)]
mod tests {
    use super::Client;

    #[test]
    fn one_caller_has_one_address_however_many_it_was_given() {
        for (given, counted) in [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ] {
            assert_eq!(Client::new(given.parse().unwrap()).0.to_string(), counted);
        }
    }
}
