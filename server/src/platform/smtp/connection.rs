//! One connection to a mail server, by lettre: with an end in time for each step, which lettre's connections have not
//! once they stand.

use std::error::Error as _;
use std::time::Duration;

use lettre::address::Envelope;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::Mechanism;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::{Extension, MailBodyParameter, MailParameter};
use lettre::transport::smtp::response::Response;
use tokio::time::timeout;

use super::super::call::{CallFailure, Outcome};
use super::target::{Encryption, Target};

/// How many bytes of a mail each second has at least, before it is given up.
const SLOWEST: usize = 64 * 1_024;
/// What is kept of what a server says, in characters.
const KEPT: usize = 300;

/// A connection that is ready for mails.
pub(super) struct Connection {
    smtp: AsyncSmtpConnection,
    step: Duration,
    /// Nothing can be said any more.
    is_broken: bool,
}

/// What went wrong before the server could have the mail: nothing was done.
fn undone(why: impl std::fmt::Display) -> CallFailure {
    CallFailure::new(Outcome::Unreachable, format!("The mail server took nothing: {why}."))
}

/// Trying again cannot help.
fn refused(detail: impl Into<String>) -> CallFailure {
    CallFailure::new(Outcome::Refused, detail)
}

/// What a server says, as much as is kept, without signs that are not seen.
fn kept(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().filter(|sign| !sign.is_control()).take(KEPT).collect()
}

/// What stands behind an error: for a refusal, what the server said.
fn cause(error: &Error) -> String {
    kept(&error.source().map_or_else(|| error.to_string(), ToString::to_string))
}

/// A clear refusal of the server's, for now or for good; none, if it is none.
fn negative(error: &Error) -> Option<CallFailure> {
    let status: u16 = error.status()?.to_string().parse().ok()?;
    let outcome = if error.is_permanent() { Outcome::Refused } else { Outcome::Busy };
    let said = cause(error);
    let enhanced = said.split(' ').next().filter(|code| is_enhanced(code)).map(str::to_owned);
    let detail = format!("The mail server answered {status} {said}");
    Some(CallFailure { status: Some(status), code: enhanced, ..CallFailure::new(outcome, detail) })
}

/// Whether it is a code such as `5.1.1` (RFC 3463).
fn is_enhanced(text: &str) -> bool {
    let mut parts = text.split('.');
    let class = matches!(parts.next(), Some("2" | "4" | "5"));
    class
        && parts.clone().count() == 2
        && parts.all(|part| !part.is_empty() && part.bytes().all(|it| it.is_ascii_digit()))
}

/// Makes a step before the mail is there, in time.
async fn within<T>(time: Duration, step: impl Future<Output = Result<T, Error>>) -> Result<T, CallFailure> {
    let made = timeout(time, step).await.map_err(|_| undone("it did not answer in time"))?;
    made.map_err(|error| negative(&error).unwrap_or_else(|| undone(cause(&error))))
}

impl Connection {
    /// Connects, encrypts, and says who we are.
    pub(super) async fn open(target: &Target) -> Result<Self, CallFailure> {
        let Target { host, port, tls, hello, timeout: step, .. } = target;
        let at_once = (target.encryption == Encryption::Always).then(|| tls.clone());
        let connecting =
            AsyncSmtpConnection::connect_tokio1((host.as_str(), *port), Some(*step), hello, at_once, None);
        let mut smtp = within(*step, connecting).await?;
        match target.encryption {
            Encryption::Required if !smtp.can_starttls() => return Err(undone("it offers no STARTTLS")),
            Encryption::Required | Encryption::IfOffered if smtp.can_starttls() => {
                within(*step, smtp.starttls(tls.clone(), hello)).await?;
            }
            _ => {}
        }
        if let Some(credentials) = &target.credentials {
            within(*step, smtp.auth(&[Mechanism::Plain, Mechanism::Login], credentials)).await?;
        }
        Ok(Self { smtp, step: *step, is_broken: false })
    }

    /// Ends whatever was begun. Whether somebody is still there.
    pub(super) async fn is_alive(&mut self) -> bool {
        timeout(self.step, self.smtp.command(Rset)).await.is_ok_and(|said| said.is_ok())
    }

    pub(super) async fn quit(mut self) {
        let _ = timeout(self.step, self.smtp.quit()).await;
    }

    pub(super) const fn is_broken(&self) -> bool {
        self.is_broken
    }

    /// Gives it a mail. What it says of it.
    pub(super) async fn send(
        &mut self,
        envelope: &Envelope,
        mail: &[u8],
    ) -> Result<(u16, String), CallFailure> {
        let parameters = self.parameters(envelope, mail)?;
        let sent = self.hand_over(envelope, mail, parameters).await;
        // Who says no clearly can be asked again; 421 announces the end.
        self.is_broken = match &sent {
            Ok(_) => false,
            Err(failure) => failure.status.is_none_or(|code| code == 421),
        };
        sent
    }

    async fn hand_over(
        &mut self,
        envelope: &Envelope,
        mail: &[u8],
        parameters: Vec<MailParameter>,
    ) -> Result<(u16, String), CallFailure> {
        within(self.step, self.smtp.command(Mail::new(envelope.from().cloned(), parameters))).await?;
        for to in envelope.to() {
            within(self.step, self.smtp.command(Rcpt::new(to.clone(), Vec::new()))).await?;
        }
        within(self.step, self.smtp.command(Data)).await?;
        let said = self.content(mail).await?;
        let code = said.code().to_string().parse().unwrap_or_default();
        Ok((code, kept(&said.message().collect::<Vec<_>>().join(" "))))
    }

    /// What the mail needs, and the server has to have.
    fn parameters(&self, envelope: &Envelope, mail: &[u8]) -> Result<Vec<MailParameter>, CallFailure> {
        let (server, mut parameters) = (self.smtp.server_info(), Vec::new());
        let mut addresses = envelope.from().into_iter().chain(envelope.to());
        if addresses.any(|address| !address.user().is_ascii() || !address.domain().is_ascii()) {
            if !server.supports_feature(Extension::SmtpUtfEight) {
                return Err(refused(
                    "The address has letters before its @ that the mail server cannot take: it has no SMTPUTF8.",
                ));
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        if !mail.is_ascii() {
            if !server.supports_feature(Extension::EightBitMime) {
                return Err(refused(
                    "The mail has letters that the mail server cannot take: it has no 8BITMIME.",
                ));
            }
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        Ok(parameters)
    }

    /// The mail itself. Once it is on its way, whoever does not answer may have it.
    async fn content(&mut self, mail: &[u8]) -> Result<Response, CallFailure> {
        let enough = self.step + Duration::from_secs((mail.len() / SLOWEST) as u64);
        let open = |outcome, why: &str| {
            CallFailure::new(outcome, format!("The mail server may have the mail: {why}."))
        };
        match timeout(enough, self.smtp.message(mail)).await {
            Err(_) => Err(open(Outcome::Timeout, "it did not answer in time")),
            Ok(Err(error)) => Err(negative(&error).unwrap_or_else(|| open(Outcome::Broken, &cause(&error)))),
            Ok(Ok(response)) => Ok(response),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_enhanced_code_is_known() {
        for (text, is_one) in [
            ("5.1.1", true),
            ("2.0.0", true),
            ("4.7.12", true),
            ("5.1", false),
            ("3.1.1", false),
            ("5.1.x", false),
            ("", false),
        ] {
            assert_eq!(is_enhanced(text), is_one, "{text}");
        }
    }
}
