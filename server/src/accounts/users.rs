//! Accounts: made, and given new passwords.

use secrecy::SecretString;

use super::Accounts;
use super::passwords::{self, Verdict};
use super::store::{self, UserRow};
use super::types::{Myself, NewUser, PasswordChange};
use crate::app::AppState;
use crate::audit::{Deed, Entry, Target};
use crate::platform::auth::Person;
use crate::platform::authorize::By;
use crate::platform::ids::UserId;
use crate::platform::problem::{ApiError, ApiResult, Code};
use crate::platform::rate_limit::Key;
use crate::platform::text;

/// The longest address there can be (RFC 5321).
const LONGEST_EMAIL: usize = 254;

/// An address, and what finds it however it is written.
///
/// # Errors
/// `invalid_field` for what is no address.
pub(super) fn address(email: &str) -> ApiResult<(String, String)> {
    let email = text::line("email", email, LONGEST_EMAIL)?;
    let good = email.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && domain.contains('.') && !domain.contains('@') && !domain.starts_with('.')
    });
    if !good || email.chars().any(char::is_whitespace) {
        return Err(ApiError::field("email", "must be an address such as ada@example.org"));
    }
    let key = email.to_lowercase();
    Ok((email, key))
}

pub(super) fn user_entry(deed: Deed, user: &UserRow) -> Entry {
    Entry::of(deed).to(Target::User, user.user_id.as_bytes()).named(&user.email)
}

pub(super) fn account_exists() -> ApiError {
    let detail = "Somebody signs in with this address already. Sign in, and then open the invitation.";
    ApiError::new(Code::AccountExists, detail)
}

impl Accounts<'_> {
    /// A row for a new person, their password hashed.
    pub(super) async fn new_user(&self, new: NewUser) -> ApiResult<(UserRow, String)> {
        let (email, email_key) = address(&new.email)?;
        let name = text::line("name", &new.name, 120)?;
        passwords::check("password", &new.password, &email)?;
        let password_hash = self.passwords.hash(&new.password, self.entropy).await?;
        let user_id = UserId::generate(self.now, self.entropy.as_ref());
        Ok((UserRow { user_id, email, name, password_hash }, email_key))
    }

    /// Makes an account.
    ///
    /// # Errors
    /// `invalid_field`, `account_exists`.
    pub async fn create_user(&self, by: By, new: NewUser) -> ApiResult<UserId> {
        let (user, email_key) = self.new_user(new).await?;
        let (id, now, pen) = (user.user_id, self.now, self.pen());
        self.db
            .write(move |tx| {
                Box::pin(async move {
                    if !store::insert_user(tx, &user, &email_key, now).await? {
                        return Err(account_exists());
                    }
                    pen.write(tx, None, &by, user_entry(Deed::UserCreated, &user)).await?;
                    Ok(())
                })
            })
            .await?;
        Ok(id)
    }

    /// Gives a person a new password, and ends their sessions.
    ///
    /// # Errors
    /// `invalid_field`, `user_not_found`.
    pub async fn set_password(&self, by: By, email: &str, password: SecretString) -> ApiResult<()> {
        let (email, email_key) = address(email)?;
        passwords::check("password", &password, &email)?;
        let hash = self.passwords.hash(&password, self.entropy).await?;
        let (now, pen) = (self.now, self.pen());
        self.db
            .write(move |tx| {
                Box::pin(async move {
                    let user = store::user_by_email(tx, &email_key).await?.ok_or_else(user_not_found)?;
                    tx.lock("user", user.user_id.as_bytes()).await?;
                    store::set_password(tx, user.user_id, &hash, now).await?;
                    let entry = user_entry(Deed::PasswordChanged, &user);
                    Ok::<_, ApiError>(pen.write_of_person(tx, user.user_id, &by, entry).await?)
                })
            })
            .await
    }

    /// Makes a person an operator of this installation, or takes that from them. Says whether it changed
    /// anything.
    ///
    /// # Errors
    /// `user_not_found`, `invalid_field`.
    pub async fn set_operator(&self, by: By, email: &str, operator: bool) -> ApiResult<bool> {
        let (_, email_key) = address(email)?;
        let (now, pen) = (self.now, self.pen());
        self.db
            .write(move |tx| {
                Box::pin(async move {
                    let user = store::user_by_email(tx, &email_key).await?.ok_or_else(user_not_found)?;
                    let (changed, deed) = if operator {
                        (store::insert_operator(tx, user.user_id, now).await?, Deed::OperatorNamed)
                    } else {
                        (store::delete_operator(tx, user.user_id).await?, Deed::OperatorDismissed)
                    };
                    if changed {
                        pen.write(tx, None, &by, user_entry(deed, &user)).await?;
                    }
                    Ok::<_, ApiError>(changed)
                })
            })
            .await
    }

    /// A person's own new password. Ends every session, the one that asks included. Whoever has just come by a link
    /// need not know the current one.
    ///
    /// # Errors
    /// `sign_in_failed` for a wrong current one, `invalid_field`, `rate_limited`.
    pub(crate) async fn change_password(
        &self,
        app: &AppState,
        person: &Person,
        change: PasswordChange,
    ) -> ApiResult<()> {
        let key = Key::new("password_change", person.signed_in.user_id.as_bytes());
        app.limiter().require(key, app.config().limits.sign_in_account).await?;
        passwords::check("new_password", &change.new_password, &person.signed_in.email)?;
        let may_not_know = person.signed_in.password_until.is_some_and(|until| self.now < until);
        if change.current_password.is_none() && !may_not_know {
            return Err(ApiError::field("current_password", "is needed"));
        }
        let id = person.signed_in.user_id;
        let user = self
            .db
            .read(move |conn| Box::pin(async move { Ok::<_, ApiError>(store::user_by_id(conn, id).await?) }))
            .await?
            .ok_or_else(wrong_password)?;
        if let Some(current) = &change.current_password {
            let verdict = self.passwords.verify(current, Some(user.password_hash.clone())).await?;
            if verdict == Verdict::Wrong {
                return Err(wrong_password());
            }
        }
        let hash = self.passwords.hash(&change.new_password, self.entropy).await?;
        let (now, pen, by) = (self.now, self.pen(), person.by());
        self.db
            .write(move |tx| {
                Box::pin(async move {
                    tx.lock("user", id.as_bytes()).await?;
                    // Of two changes at once the second no longer has the current password.
                    if !store::replace_hash(tx, id, &user.password_hash, &hash).await? {
                        return Err(wrong_password());
                    }
                    store::set_password(tx, id, &hash, now).await?;
                    let entry = user_entry(Deed::PasswordChanged, &user);
                    pen.write_of_person(tx, id, &by, entry).await?;
                    Ok(())
                })
            })
            .await
    }

    /// Who somebody is, and where they are a member.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn myself(&self, person: &Person) -> ApiResult<Myself> {
        let signed_in = person.signed_in.clone();
        self.db
            .read(move |conn| {
                Box::pin(async move {
                    let organisers = store::memberships(conn, signed_in.user_id).await?;
                    let (user_id, name, email) = (signed_in.user_id, signed_in.name, signed_in.email);
                    Ok(Myself { user_id, name, email, organisers })
                })
            })
            .await
    }
}

pub(super) fn user_not_found() -> ApiError {
    ApiError::new(Code::UserNotFound, "Nobody has an account with this address. Create one, or invite them.")
}

fn wrong_password() -> ApiError {
    ApiError::new(Code::SignInFailed, "The current password is not right. Nothing was changed.")
}
