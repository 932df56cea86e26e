//! Where a push service reaches an app: its token, checked as far as anybody but the service can.

use std::fmt;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The shortest token of APNs, in bytes.
const APNS_MIN: usize = 32;
/// The longest, in bytes. Apple says that tokens vary in length and may grow
/// (<https://developer.apple.com/documentation/usernotifications/registering-your-app-with-apns>); this leaves room.
const APNS_MAX: usize = 256;
/// The longest token of FCM, in characters: as much as its API takes.
const FCM_MAX: usize = 4_096;
/// The shortest part of a registration token after the colon. Real ones have 140 and more.
const FCM_SECRET_MIN: usize = 64;
/// A Firebase installation id: 17 bytes that begin with the bits 0111, as base64url, cut to 22 characters.
const FID: usize = 22;
/// Its forerunner, an instance id, that stands before the colon of older registration tokens.
const INSTANCE_ID: usize = 11;

/// Which service carries messages to an app, and what it knows the app by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PushService {
    /// Apple's push service, for apps from the App Store, TestFlight and ad hoc builds.
    Apns,
    /// Apple's push service for apps that Xcode put on the phone: with its own tokens, unknown to the other one.
    ApnsSandbox,
    /// Firebase Cloud Messaging, by a registration token.
    Fcm,
    /// Firebase Cloud Messaging, by a Firebase installation id (the field `fid` of its HTTP v1 API).
    FcmInstallation,
}

impl PushService {
    /// Every service.
    pub const ALL: [Self; 4] = [Self::Apns, Self::ApnsSandbox, Self::Fcm, Self::FcmInstallation];

    /// Its stable name, as in JSON.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Apns => "apns",
            Self::ApnsSandbox => "apns_sandbox",
            Self::Fcm => "fcm",
            Self::FcmInstallation => "fcm_installation",
        }
    }

    const fn is_apple(self) -> bool {
        matches!(self, Self::Apns | Self::ApnsSandbox)
    }
}

/// Why a text is no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PushTokenError {
    /// Nothing is there.
    #[error("There is no push token. Ask the system for one first, and hand it over once it is there.")]
    Empty,
    /// A token of APNs that is not written as hex digits.
    #[error(
        "An APNs token is handed over as hex digits: two for each byte of the `Data` that the system gives, nothing else."
    )]
    NotHex,
    /// It has not as many characters as tokens of its service.
    #[error("The push token has not the length of one: hand over all of it, as the system gave it.")]
    Length,
    /// It has not the shape of tokens of its service.
    #[error(
        "The push token has not the shape of one of FCM: hand over what `FirebaseMessaging.getToken()` or the installation id gives, unchanged."
    )]
    Shape,
    /// It is one of another service.
    #[error("The push token is one of another service: check which one the app registered with.")]
    OtherService,
}

impl PushTokenError {
    /// Its stable name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Empty => "push_token_empty",
            Self::NotHex => "push_token_not_hex",
            Self::Length => "push_token_length",
            Self::Shape => "push_token_shape",
            Self::OtherService => "push_token_other_service",
        }
    }
}

/// A token that its service may know. Whoever has it and the sender's key can write to the phone, so it is in no log.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PushToken {
    service: PushService,
    text: String,
}

impl fmt::Debug for PushToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PushToken").field("service", &self.service).finish_non_exhaustive()
    }
}

impl PushToken {
    /// Checks a token. Blanks around it are taken off, and the digits of APNs made small, so that one phone has one text.
    ///
    /// # Errors
    /// [`PushTokenError`], which says what to hand over instead.
    pub fn parse(service: PushService, text: &str) -> Result<Self, PushTokenError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(PushTokenError::Empty);
        }
        let text = if service.is_apple() { apns(text)? } else { fcm(service, text)?.to_owned() };
        Ok(Self { service, text })
    }

    /// The service that knows it.
    #[must_use]
    pub const fn service(&self) -> PushService {
        self.service
    }

    /// As the service takes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What it is known by where the token itself must not be.
    #[must_use]
    pub fn fingerprint(&self) -> TokenFingerprint {
        TokenFingerprint::of(&[self.service.code(), &self.text])
    }
}

/// SHA-256 of a token and its service, and of what else there is to tell with it. As text, 64 hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct TokenFingerprint([u8; 32]);

impl From<TokenFingerprint> for String {
    fn from(fingerprint: TokenFingerprint) -> Self {
        fingerprint.to_string()
    }
}

impl TryFrom<String> for TokenFingerprint {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let bytes = HEXLOWER.decode(text.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or("a fingerprint is 64 hex digits")
    }
}

impl TokenFingerprint {
    /// Of texts without NUL, one after the other.
    pub(super) fn of(texts: &[&str]) -> Self {
        Self(Sha256::digest(texts.join("\0")).into())
    }

    /// From what [`Self::as_bytes`] gave.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for TokenFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

fn apns(text: &str) -> Result<String, PushTokenError> {
    if is_registration(text) {
        return Err(PushTokenError::OtherService);
    }
    if !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(PushTokenError::NotHex);
    }
    let is_whole = text.len().is_multiple_of(2);
    if !is_whole || !(APNS_MIN..=APNS_MAX).contains(&(text.len() / 2)) {
        return Err(PushTokenError::Length);
    }
    Ok(text.to_ascii_lowercase())
}

fn fcm(service: PushService, text: &str) -> Result<&str, PushTokenError> {
    if text.len() > FCM_MAX {
        return Err(PushTokenError::Length);
    }
    let (is_good, is_other) = match service {
        PushService::FcmInstallation => (is_installation(text), is_registration(text)),
        _ => (is_registration(text), is_installation(text)),
    };
    match (is_good, is_other || apns(text).is_ok()) {
        (true, _) => Ok(text),
        (false, true) => Err(PushTokenError::OtherService),
        (false, false) => Err(PushTokenError::Shape),
    }
}

fn is_base64url(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

fn is_installation(text: &str) -> bool {
    text.len() == FID && is_base64url(text) && matches!(text.as_bytes().first(), Some(b'c'..=b'f'))
}

/// `<installation id>:<secret>`.
fn is_registration(text: &str) -> bool {
    text.split_once(':').is_some_and(|(id, secret)| {
        matches!(id.len(), INSTANCE_ID | FID)
            && is_base64url(id)
            && secret.len() >= FCM_SECRET_MIN
            && is_base64url(secret)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FID_TEXT: &str = "eH0fLhuiRj2Np7UQ-opXAm";

    fn registration() -> String {
        format!("{FID_TEXT}:APA91b{}", "xY-_9".repeat(27))
    }

    fn refused(service: PushService, text: &str) -> PushTokenError {
        PushToken::parse(service, text).unwrap_err()
    }

    #[test]
    fn an_apple_token_is_hex_of_some_length() {
        let token = PushToken::parse(PushService::Apns, &format!(" {}\n", "Ab".repeat(32))).unwrap();
        assert_eq!(token.as_str(), "ab".repeat(32), "one phone has one text");
        // As simulators give them, and as they may come to be.
        for bytes in [32, 80, 100, 256] {
            assert!(PushToken::parse(PushService::ApnsSandbox, &"0f".repeat(bytes)).is_ok(), "{bytes}");
        }
        for text in ["ab".repeat(31), "ab".repeat(257), format!("{}a", "ab".repeat(32))] {
            assert_eq!(refused(PushService::Apns, &text), PushTokenError::Length);
        }
    }

    #[test]
    fn what_apps_hand_over_by_mistake_is_refused_by_its_name() {
        use PushTokenError::{Empty, NotHex, OtherService, Shape};
        let hex = "ab".repeat(32);
        for (service, text, error) in [
            (PushService::Apns, " ".to_owned(), Empty),
            // `Data.description`, before and since iOS 13.
            (
                PushService::Apns,
                "<740f4707 bebcf74f 9b7c25d4 8e335894 5f6aa01d a5ddb387 462c7eaf 61bb78ad>".into(),
                NotHex,
            ),
            (PushService::Apns, "{length = 32, bytes = 0x740f4707 bebcf74f ... 61bb78ad }".into(), NotHex),
            (PushService::Apns, "32 bytes".into(), NotHex),
            (PushService::Apns, "dA9HB7689 0+bfCXUjjNYlF9qoB2l3bOHRix+r2G7eK0=".into(), NotHex),
            (PushService::Apns, registration(), OtherService),
            (PushService::Fcm, hex.clone(), OtherService),
            (PushService::FcmInstallation, hex, OtherService),
            (PushService::Fcm, FID_TEXT.into(), OtherService),
            (PushService::FcmInstallation, registration(), OtherService),
            (PushService::Fcm, "null".into(), Shape),
            (PushService::Fcm, "BLACKLISTED".into(), Shape),
            (PushService::Fcm, format!("{FID_TEXT}:APA91b"), Shape),
            (PushService::Fcm, format!("{}\n{}", registration(), registration()), Shape),
            (PushService::FcmInstallation, format!("a{}", &FID_TEXT[1..]), Shape),
            (PushService::Fcm, format!("{FID_TEXT}:{}", "a".repeat(5_000)), PushTokenError::Length),
        ] {
            assert_eq!(refused(service, &text), error, "{} {text}", service.code());
        }
    }

    #[test]
    fn tokens_of_firebase_are_taken_as_they_are() {
        let old = format!("fT3-x_9AbCd:APA91b{}", "Zz0_-".repeat(27));
        for (service, text) in [
            (PushService::Fcm, registration()),
            (PushService::Fcm, old),
            (PushService::FcmInstallation, FID_TEXT.into()),
        ] {
            assert_eq!(PushToken::parse(service, &text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn a_token_is_in_no_log_and_its_fingerprint_is_of_its_service() {
        let hex = "ab".repeat(32);
        let token = PushToken::parse(PushService::Apns, &hex).unwrap();
        assert!(!format!("{token:?}").contains("abab"));
        let sandbox = PushToken::parse(PushService::ApnsSandbox, &hex).unwrap();
        assert_ne!(token.fingerprint(), sandbox.fingerprint());
        assert_eq!(
            token.fingerprint(),
            PushToken::parse(PushService::Apns, &hex.to_uppercase()).unwrap().fingerprint()
        );
    }

    proptest! {
        #[test]
        fn what_was_taken_is_taken_again_and_means_the_same(service in 0_usize..4, text in "\\PC{0,80}|[0-9a-fA-F]{60,70}") {
            let service = PushService::ALL[service];
            if let Ok(token) = PushToken::parse(service, &text) {
                let again = PushToken::parse(service, token.as_str()).unwrap();
                prop_assert_eq!(&again, &token);
                prop_assert!(token.as_str().is_ascii());
            }
        }
    }
}
