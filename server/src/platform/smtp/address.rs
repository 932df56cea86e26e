//! Addresses as mail servers take them.

use lettre::Address;
use lettre::address::AddressError;
use lettre::message::Mailbox;

use super::super::config::ConfigError;

/// An address, its domain as it is looked up: `bücher.example` is `xn--bcher-kva.example` for every server, and needs
/// nothing that a server might not have. What stands before the `@` is for its own server to understand, and stays.
///
/// # Errors
/// When it is none that mail can be sent to.
pub(crate) fn address(text: &str) -> Result<Address, AddressError> {
    let address: Address = text.parse()?;
    // In quotes, all kinds of signs could stand: no provider has such mailboxes, and lettre reads them otherwise.
    if address.user().contains(|sign| sign == '"' || is_deceptive(sign)) {
        return Err(AddressError::InvalidUser);
    }
    if address.domain().is_ascii() {
        return Ok(address);
    }
    let domain = idna::domain_to_ascii(address.domain()).map_err(|_| AddressError::InvalidDomain)?;
    Address::new(address.user(), domain)
}

/// What is not seen, or shows what follows in another order: no mailbox has it in its name, and lettre lets it pass.
fn is_deceptive(sign: char) -> bool {
    let is_format = matches!(sign, '\u{200b}' | '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
        || matches!(sign, '\u{2060}'..='\u{2069}' | '\u{feff}');
    sign.is_control() || is_format || sign.is_whitespace()
}

/// Who `mail_from` names.
///
/// # Errors
/// When it names nobody.
pub(crate) fn sender(from: &str) -> Result<Mailbox, ConfigError> {
    let wrong = |_| {
        ConfigError::new("mail_from", "must be an e-mail address, such as Liventix <tickets@example.org>")
    };
    let Mailbox { name, email } = from.parse().map_err(wrong)?;
    Ok(Mailbox::new(name, address(email.as_ref()).map_err(wrong)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_are_named_as_they_are_looked_up() {
        for (typed, sent) in [
            ("ida@example.org", "ida@example.org"),
            ("ida@bücher.example", "ida@xn--bcher-kva.example"),
            ("ida@例え.テスト", "ida@xn--r8jz45g.xn--zckzah"),
            ("用户@bücher.example", "用户@xn--bcher-kva.example"),
        ] {
            assert_eq!(address(typed).unwrap().to_string(), sent);
        }
        assert_eq!(sender("Bücher <t@bücher.example>").unwrap().email.to_string(), "t@xn--bcher-kva.example");
        assert_eq!(sender("nobody").unwrap_err().key, "mail_from");
    }
}
