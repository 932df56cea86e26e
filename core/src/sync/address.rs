//! Addresses of servers, as codes and links carry them.

use std::net::IpAddr;

/// Why an address is not one to talk to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AddressError {
    /// It is not an address of a server.
    Damaged,
    /// Without TLS, and not near.
    Insecure {
        /// The host.
        host: String,
    },
}

pub(crate) fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}

/// Checks and normalises `http(s)://host[:port][/path]`.
pub(crate) fn check(url: &str, allow_http: bool) -> Result<String, AddressError> {
    let (secure, rest) = if let Some(rest) = strip_prefix_ignoring_case(url, "https://") {
        (true, rest)
    } else if let Some(rest) = strip_prefix_ignoring_case(url, "http://") {
        (false, rest)
    } else {
        return Err(AddressError::Damaged);
    };
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-._~:/[]%".contains(c);
    if !rest.chars().all(allowed) {
        return Err(AddressError::Damaged);
    }
    let (authority, path) = rest.split_once('/').map_or((rest, ""), |(authority, path)| (authority, path));
    let host = host_of(authority).ok_or(AddressError::Damaged)?;
    if !secure && !allow_http && !is_near(host) {
        return Err(AddressError::Insecure { host: host.to_owned() });
    }
    let scheme = if secure { "https" } else { "http" };
    let url = format!("{scheme}://{}/{path}", authority.to_ascii_lowercase());
    Ok(url.trim_end_matches('/').to_owned())
}

/// The host of `host[:port]`, an IPv6 address without its brackets.
fn host_of(authority: &str) -> Option<&str> {
    let (host, port) = if let Some(rest) = authority.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        host.parse::<std::net::Ipv6Addr>().ok()?;
        (host, if rest.is_empty() { None } else { Some(rest.strip_prefix(':')?) })
    } else {
        match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        }
    };
    let port_is_fine = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    let host_is_fine = !host.is_empty()
        && !host.contains('%')
        && (authority.starts_with('[') || !host.contains([':', '[', ']']));
    (port_is_fine && host_is_fine).then_some(host)
}

/// This machine, or a network without a public address.
fn is_near(host: &str) -> bool {
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
        Ok(IpAddr::V6(ip)) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
        Err(_) => {
            let host = host.trim_end_matches('.').to_ascii_lowercase();
            host == "localhost" || host.ends_with(".localhost") || host.ends_with(".local")
        }
    }
}
