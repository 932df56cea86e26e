//! The application: state, routes, start and shutdown.

mod state;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use liventix_core::clock::Clock;
use liventix_core::entropy::Entropy;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use utoipa_axum::router::OpenApiRouter;

use crate::accounts::Passwords;
use crate::alerts::{self, Channels};
use crate::anomalies::OverLimits;
use crate::email::Emails;
use crate::events::snapshot::Snapshots;
use crate::payments::Payments;
use crate::platform::change_bell::ChangeBell;
use crate::platform::config::{Config, ConfigError};
use crate::platform::db::{Db, DbError, Storage};
use crate::platform::idempotency::Idempotency;
use crate::platform::listen::{self, Bounds};
use crate::platform::objectives::Recorder;
use crate::platform::queue::Queue;
use crate::platform::rate_limit::RateLimiter;
use crate::platform::telemetry::metrics::Metrics;
use crate::platform::vault::{Vault, VaultError};
use crate::platform::{http, maintenance, objectives, openapi};
use crate::push::Push;
use crate::scanning::{Desks, LiveBoards};
use crate::{
    accounts, ads, analytics, announcements, anomalies, audit, console, dead_letters, doors, email, events,
    health, mails, notices, orders, organisers, payments, push, sales, scanning, shop, tickets, wallet,
};

pub use state::AppState;
use state::Inner;

/// Requests under way get this long to end at a shutdown.
const DRAIN: Duration = Duration::from_secs(10);

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The data directory cannot be made.
    #[error("setting data_dir: cannot create {path}: {reason}")]
    DataDir {
        /// The directory.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// The database does not open.
    #[error(transparent)]
    Database(#[from] DbError),
    /// Processes that share a database share the secret as well.
    #[error(
        "setting root_secret: is needed with PostgreSQL, the same for every process on one database. Make one \
         with `openssl rand -base64 32 | tr '+/' '-_' | tr -d =` and set LIVENTIX_ROOT_SECRET"
    )]
    RootSecret,
    /// The root secret is not to be had.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The address is taken or not ours.
    #[error("setting bind: cannot listen on {address}: {reason}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        reason: String,
    },
}

/// The server.
#[derive(Debug, Clone, Copy)]
pub struct App;

impl App {
    /// Opens the data directory (making it if need be), migrates the database, and listens.
    ///
    /// # Errors
    /// When a setting is wrong, the data cannot be opened, or the address cannot be had.
    pub async fn start(
        config: Config,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Running, StartError> {
        config.validate()?;
        let address = config.bind;
        let bind_error = |error: std::io::Error| StartError::Bind { address, reason: error.to_string() };
        let listener = TcpListener::bind(address).await.map_err(bind_error)?;
        let addr = listener.local_addr().map_err(bind_error)?;
        let (close, closing) = watch::channel(false);
        let app = Self::state(config, addr, clock, entropy, closing).await?;
        let (router, document) = Self::routes().split_for_parts();
        let router = http::wrap(
            router
                .merge(openapi::routes(document))
                .merge(wallet::page::routes())
                .merge(shop::page::routes())
                .merge(console::routes()),
            &app,
        );
        if let (Some(bells), Some(queues)) = (app.db().hints(), app.db().hints()) {
            let app = app.clone();
            tokio::spawn(async move {
                tokio::select! {
                    () = app.bell().follow(bells) => {}
                    () = app.queue().follow(queues) => {}
                    () = app.closing() => {}
                }
            });
        }
        tokio::spawn(anomalies::alerts::run(app.clone()));
        let stopping = app.clone();
        let task = tokio::spawn(async move {
            listen::serve(listener, router, Bounds::default(), stopping.closing()).await;
        });
        let chores = app.clone();
        let has_workers = app.config().has_workers;
        let chores = tokio::spawn(async move {
            if !has_workers {
                return;
            }
            tokio::join!(
                maintenance::run(chores.clone()),
                objectives::run(chores.clone()),
                alerts::run(chores.clone()),
                payments::run(chores.clone()),
                mails::run(chores.clone()),
                push::run(chores.clone()),
                notices::run(chores.clone()),
                analytics::run(chores.clone())
            );
        });
        Ok(Running { addr, app, close, task, chores })
    }

    async fn state(
        config: Config,
        addr: SocketAddr,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        closing: watch::Receiver<bool>,
    ) -> Result<AppState, StartError> {
        let (db, vault) = Self::open(&config, Arc::clone(&entropy)).await?;
        let metrics = Metrics::new();
        let db = db.measured(metrics.clone());
        if config.public_url.is_none() && addr.ip().is_unspecified() {
            tracing::warn!("public_url is not set: enrolment codes name an address that doors cannot reach");
        }
        let public_url = config.public_url.clone().unwrap_or_else(|| format!("http://{addr}"));
        let channels = Channels::new(&config.alerts, &public_url)?;
        let payments = Payments::new(&config.payments)?;
        let emails = Emails::new(&config.email)?;
        let push = Push::new(&config.push)?;
        let queue = Queue::new(db.clone(), Arc::clone(&clock), Arc::clone(&entropy));
        let idempotency = Idempotency::new(
            db.clone(),
            vault.clone(),
            Arc::clone(&clock),
            Arc::clone(&entropy),
            config.request_timeout,
        );
        Ok(AppState(Arc::new(Inner {
            idempotency,
            config,
            public_url,
            limiter: RateLimiter::new(db.clone(), Arc::clone(&clock)),
            db,
            vault,
            clock: Arc::clone(&clock),
            entropy,
            bell: ChangeBell::default(),
            snapshots: Snapshots::default(),
            desks: Desks::default(),
            boards: LiveBoards::default(),
            queue,
            over_limits: OverLimits::default(),
            passwords: Passwords::default(),
            metrics,
            channels,
            payments,
            emails,
            push,
            answers: analytics::Memory::default(),
            objectives: Recorder::new(Arc::clone(&clock)),
            closing,
            draining: AtomicBool::new(false),
        })))
    }

    /// Opens the data directory without listening: for the administrator's commands.
    ///
    /// # Errors
    /// When the directory, the database or the root secret cannot be used.
    pub async fn open(config: &Config, entropy: Arc<dyn Entropy>) -> Result<(Db, Vault), StartError> {
        Self::make_data_dir(config)?;
        let storage = config.storage()?;
        // The secret comes first: whoever finds a database without one has lost it.
        let vault = match (&config.root_secret, &storage) {
            (Some(secret), _) => Vault::configured(secret, entropy)?,
            (None, Storage::Sqlite(options)) => {
                Vault::open(&config.data_dir, !options.path.exists(), entropy)?
            }
            // Each process has a directory of its own; what one sealed, the others must open.
            (None, Storage::Postgres(_)) => return Err(StartError::RootSecret),
        };
        let db = Db::open(&storage).await?;
        Ok((db, vault))
    }

    /// Makes the data directory if there is none.
    ///
    /// # Errors
    /// `data_dir` cannot be made.
    pub fn make_data_dir(config: &Config) -> Result<(), StartError> {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        // Names and addresses of attendees: nobody else on this machine reads them.
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&config.data_dir).map_err(|error| StartError::DataDir {
            path: config.data_dir.display().to_string(),
            reason: error.to_string(),
        })
    }

    /// Every route with its documentation.
    #[must_use]
    pub fn routes() -> OpenApiRouter<AppState> {
        OpenApiRouter::with_openapi(openapi::base())
            .merge(dead_letters::routes::routes())
            .merge(health::routes::routes())
            .merge(health::metrics::routes())
            .merge(objectives::routes::routes())
            .merge(alerts::routes::routes())
            .merge(organisers::routes::routes())
            .merge(accounts::routes::routes())
            .merge(audit::routes::routes())
            .merge(events::routes::routes())
            .merge(sales::routes::routes())
            .merge(orders::routes::routes())
            .merge(payments::routes::routes())
            .merge(payments::payouts::routes::routes())
            .merge(email::routes::routes())
            .merge(announcements::routes::routes())
            .merge(mails::texts::routes::routes())
            .merge(payments::inbox::routes::routes())
            .merge(shop::routes::routes())
            .merge(tickets::routes::routes())
            .merge(doors::routes::routes())
            .merge(scanning::routes::routes())
            .merge(anomalies::routes::routes())
            .merge(wallet::routes::routes())
            .merge(push::routes::routes())
            .merge(analytics::routes::routes())
            .merge(ads::routes::routes())
    }
}

/// A server that listens.
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub addr: SocketAddr,
    app: AppState,
    close: watch::Sender<bool>,
    task: JoinHandle<()>,
    /// Ends by itself, soon after `close`.
    chores: JoinHandle<()>,
}

impl Running {
    /// What its handlers reach: for the demo and for tests.
    #[must_use]
    pub fn app(&self) -> &AppState {
        &self.app
    }

    /// Says from now on that it is not ready, so that a load balancer sends requests elsewhere; those that come
    /// all the same are answered. Then [`shutdown`](Self::shutdown).
    pub fn drain(&self) {
        self.app.0.draining.store(true, Ordering::Relaxed);
    }

    /// Stops taking requests, ends long-polls at once, lets the others finish (10 s at most), and closes
    /// the database. Afterwards the same directory and port can be used again. Says whether every request
    /// ended in time.
    pub async fn shutdown(self) -> bool {
        let _ = self.close.send(true);
        let mut task = self.task;
        let drained = tokio::time::timeout(DRAIN, &mut task).await.is_ok();
        if !drained {
            tracing::warn!("some requests did not end in time");
            task.abort();
        }
        // A worker waits for its jobs no longer than the requests were waited for.
        let _ = tokio::time::timeout(DRAIN, self.chores).await;
        if let Err(error) = self.app.objectives().flush(self.app.db()).await {
            tracing::warn!(cause = error.to_string(), "what was measured last was not written");
        }
        self.app.db().close().await;
        drained
    }
}
