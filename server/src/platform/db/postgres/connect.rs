//! From `postgres://…` to connections: what is taken over the network is encrypted and checked.

use std::time::Duration;

use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Pool, QueueMode, RecyclingMethod, Runtime};
use secrecy::{ExposeSecret as _, SecretString};
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::platform::db::DbError;
use crate::platform::outbound;

/// A server that does not answer by then is down.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a request waits for a free connection before it is told to come again.
const WAIT: Duration = Duration::from_secs(5);

/// What each connection is told once: a statement, a wait for a lock, or a forgotten transaction that takes
/// longer is ended, so that none holds up the others for ever. And that a page out of order costs little, as on any
/// disk of today: what we ask for is found by keys, also in a table that nobody has analyzed yet.
const SESSION: &str = "SET statement_timeout = '30s'; SET lock_timeout = '10s'; \
                       SET idle_in_transaction_session_timeout = '60s'; SET TIME ZONE 'UTC'; \
                       SET random_page_cost = 1.1";

/// How to reach a PostgreSQL server.
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    /// `postgres://user:password@host:port/database`, as libpq reads it.
    pub url: SecretString,
    /// Connections of this process at most (2 to 500).
    pub connections: usize,
}

/// What the URL asks for, and how it is encrypted.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) config: Config,
    pub(super) encrypted: bool,
}

/// Reads the URL.
///
/// # Errors
/// [`DbError::Url`] with what is wrong; never with the password.
pub(super) fn target(url: &SecretString) -> Result<Target, DbError> {
    let wrong = |reason: &str| DbError::Url { reason: reason.to_owned() };
    let url = url.expose_secret();
    let asked = asked_mode(url);
    // The driver does not know the mode, but certificates are checked in any case.
    let plain = url.replace("sslmode=verify-full", "sslmode=require");
    // The driver's own words may repeat a part of the URL, and with it the password.
    let mut config: Config =
        plain.parse().map_err(|_| wrong("write postgres://user:password@host:5432/database"))?;
    if config.get_hosts().is_empty() || config.get_dbname().is_none() {
        return Err(wrong("name a host and a database: postgres://user:password@host:5432/database"));
    }
    let near = config.get_hosts().iter().all(is_near);
    let encrypted = match asked {
        None => !near,
        Some("disable") => false,
        Some("require" | "verify-full") => true,
        Some(_) => return Err(wrong("sslmode must be `disable` or `verify-full`")),
    };
    config.ssl_mode(if encrypted { SslMode::Require } else { SslMode::Disable });
    config.connect_timeout(CONNECT).application_name("liventix");
    Ok(Target { config, encrypted })
}

fn asked_mode(url: &str) -> Option<&str> {
    let (_, query) = url.split_once('?')?;
    query.split('&').find_map(|pair| pair.strip_prefix("sslmode="))
}

/// Whether nothing sent there leaves this machine.
fn is_near(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

/// A pool of connections, none of which is open yet.
pub(super) fn pool(target: Target, connections: usize) -> Result<Pool, DbError> {
    let how = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = if target.encrypted {
        Manager::from_config(target.config, MakeRustlsConnect::new(tls()?), how)
    } else {
        Manager::from_config(target.config, NoTls, how)
    };
    let prepare = Hook::async_fn(|client, _| {
        Box::pin(async move { client.batch_execute(SESSION).await.map_err(HookError::Backend) })
    });
    let builder = Pool::builder(manager).max_size(connections.clamp(2, 500)).post_create(prepare);
    // The one used last has its statements prepared and its server process awake.
    let builder = builder.queue_mode(QueueMode::Lifo);
    let builder = builder.wait_timeout(Some(WAIT)).create_timeout(Some(CONNECT)).runtime(Runtime::Tokio1);
    builder.build().map_err(|error| DbError::Statement(error.to_string()))
}

/// TLS to the database.
pub(super) fn tls() -> Result<rustls::ClientConfig, DbError> {
    outbound::tls().map_err(|error| DbError::Url { reason: format!("TLS cannot be set up: {error}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encrypted(url: &str) -> Result<bool, String> {
        target(&url.into()).map(|target| target.encrypted).map_err(|error| error.to_string())
    }

    #[test]
    fn nothing_leaves_the_machine_in_the_open_unless_told_to() {
        assert_eq!(encrypted("postgres://u:p@db.example.org/liventix"), Ok(true));
        assert_eq!(encrypted("postgresql://u:p@db.example.org/liventix?sslmode=verify-full"), Ok(true));
        assert_eq!(encrypted("postgres://u:p@10.0.0.7/liventix?sslmode=disable"), Ok(false));
        for near in ["localhost", "127.0.0.1:5433", "[::1]"] {
            assert_eq!(encrypted(&format!("postgres://u:p@{near}/liventix")), Ok(false), "{near}");
        }
        assert_eq!(encrypted("postgres:///liventix?host=/var/run/postgresql"), Ok(false));
    }

    #[test]
    fn a_wrong_url_is_explained_without_its_password() {
        for url in [
            "postgres://u:hunter2@/",
            "postgres://u:hunter2@host:port/db",
            "postgres://u:hunter2@host",
            "postgres://u:hunter2@host/db?sslmode=prefer",
            "postgres://u:hunter2@host/db?hunter2=1",
        ] {
            let error = encrypted(url).unwrap_err();
            assert!(error.contains("DATABASE_URL") && !error.contains("hunter2"), "{error}");
        }
    }
}
