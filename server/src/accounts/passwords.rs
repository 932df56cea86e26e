//! Passwords: what is good enough, and their Argon2id hashes.

use std::sync::{Arc, OnceLock};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use liventix_core::entropy::Entropy;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Semaphore;

use crate::platform::problem::{ApiError, ApiResult};

/// Characters a password has at least: NIST SP 800-63B asks for 8 beside a second factor and 15 alone, and
/// advises against rules about which.
const SHORTEST: usize = 12;
/// Characters it has at most, so that nobody makes us hash a book.
const LONGEST: usize = 200;
/// OWASP's recommendation for Argon2id: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1_024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// What a check of a password found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Wrong,
    Right,
    /// Right, but hashed with parameters that are no longer ours: to be hashed anew.
    RightButOld,
}

/// Hashes passwords, a few at once: each takes 19 MiB and a processor for a while. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Passwords {
    places: Arc<Semaphore>,
    /// Stands in for the hash of an account that is not there, so that the answer takes as long.
    nobody: Arc<OnceLock<String>>,
}

impl Default for Passwords {
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let places = Arc::new(Semaphore::new(processors.clamp(1, 4)));
        Self { places, nobody: Arc::default() }
    }
}

fn argon2() -> ApiResult<Argon2<'static>> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(failed)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn failed(error: impl std::fmt::Display) -> ApiError {
    ApiError::internal(error.to_string())
}

/// Requires a password that is worth its hash.
///
/// # Errors
/// `invalid_field` that names `field`.
pub(super) fn check(field: &str, password: &SecretString, email: &str) -> ApiResult<()> {
    let text = password.expose_secret();
    let length = text.chars().count();
    if !(SHORTEST..=LONGEST).contains(&length) {
        return Err(ApiError::field(field, format!("must have {SHORTEST} to {LONGEST} characters")));
    }
    let mut different: Vec<char> = text.chars().collect();
    different.sort_unstable();
    different.dedup();
    if different.len() < 5 || text.eq_ignore_ascii_case(email) {
        return Err(ApiError::field(
            field,
            "is too easy to guess: use a few words that do not belong together",
        ));
    }
    Ok(())
}

impl Passwords {
    /// Does `work` on a thread that may be busy for a while, once there is a place.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> ApiResult<T> + Send + 'static,
    ) -> ApiResult<T> {
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(ApiError::internal)?;
        let done = tokio::task::spawn_blocking(move || {
            // Kept until the work is done, also if nobody waits for it any more.
            let _place = place;
            work()
        });
        done.await.map_err(ApiError::internal)?
    }

    /// The PHC string of a password.
    ///
    /// # Errors
    /// When hashing fails, which it does only without memory.
    pub(super) async fn hash(
        &self,
        password: &SecretString,
        entropy: &Arc<dyn Entropy>,
    ) -> ApiResult<String> {
        let password = password.clone();
        let mut salt = [0_u8; 16];
        entropy.fill(&mut salt);
        self.run(move || hash(&password, &salt)).await
    }

    /// Whether `stored` is of this password. Without a stored one it is not, and that takes as long.
    ///
    /// # Errors
    /// When hashing fails, or what is stored is no hash.
    pub(super) async fn verify(&self, password: &SecretString, stored: Option<String>) -> ApiResult<Verdict> {
        let (password, nobody) = (password.clone(), Arc::clone(&self.nobody));
        self.run(move || {
            let Some(stored) = stored else {
                let nobody = match nobody.get() {
                    Some(nobody) => nobody.clone(),
                    None => {
                        nobody.get_or_init(|| hash(&"nobody".into(), &[0; 16]).unwrap_or_default()).clone()
                    }
                };
                verify(&password, &nobody)?;
                return Ok(Verdict::Wrong);
            };
            verify(&password, &stored)
        })
        .await
    }
}

fn hash(password: &SecretString, salt: &[u8; 16]) -> ApiResult<String> {
    let hash = argon2()?.hash_password_with_salt(password.expose_secret().as_bytes(), salt);
    Ok(hash.map_err(failed)?.to_string())
}

fn verify(password: &SecretString, stored: &str) -> ApiResult<Verdict> {
    let parsed = PasswordHash::new(stored).map_err(failed)?;
    // It takes the parameters from the stored hash.
    let good = Argon2::default().verify_password(password.expose_secret().as_bytes(), &parsed);
    match good {
        Ok(()) if is_current(&parsed) => Ok(Verdict::Right),
        Ok(()) => Ok(Verdict::RightButOld),
        Err(argon2::password_hash::Error::PasswordInvalid) => Ok(Verdict::Wrong),
        Err(error) => Err(failed(error)),
    }
}

fn is_current(hash: &PasswordHash) -> bool {
    let current = |params: Params| {
        params.m_cost() == MEMORY_KIB && params.t_cost() == PASSES && params.p_cost() == LANES
    };
    hash.algorithm == Algorithm::Argon2id.ident() && Params::try_from(hash).is_ok_and(current)
}

#[cfg(test)]
mod tests {
    use liventix_core::entropy::FixedEntropy;

    use super::*;

    const GOOD: &str = "harbour lights at dusk";

    #[tokio::test]
    async fn a_password_fits_its_hash_only() {
        let entropy: Arc<dyn Entropy> = Arc::new(FixedEntropy::new(1));
        let passwords = Passwords::default();
        let hash = passwords.hash(&GOOD.into(), &entropy).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_ne!(hash, passwords.hash(&GOOD.into(), &entropy).await.unwrap(), "salted");
        assert_eq!(passwords.verify(&GOOD.into(), Some(hash.clone())).await.unwrap(), Verdict::Right);
        assert_eq!(passwords.verify(&"Harbour".into(), Some(hash)).await.unwrap(), Verdict::Wrong);
        assert_eq!(passwords.verify(&"nobody".into(), None).await.unwrap(), Verdict::Wrong);
        assert!(passwords.verify(&GOOD.into(), Some("plain".into())).await.is_err());
    }

    #[tokio::test]
    async fn a_hash_by_older_parameters_is_right_and_known_as_old() {
        let params = Params::new(8 * 1_024, 1, 1, None).unwrap();
        let old = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let stored = old.hash_password_with_salt(GOOD.as_bytes(), &[7; 16]).unwrap().to_string();
        let verdict = Passwords::default().verify(&GOOD.into(), Some(stored)).await.unwrap();
        assert_eq!(verdict, Verdict::RightButOld);
    }

    #[test]
    fn what_everybody_guesses_is_refused() {
        for bad in ["short", "aaaaaaaaaaaaaaaa", "ada@example.org", &"x".repeat(201)] {
            assert!(check("password", &bad.to_owned().into(), "Ada@example.org").is_err(), "{bad}");
        }
        check("password", &GOOD.into(), "ada@example.org").unwrap();
    }
}
