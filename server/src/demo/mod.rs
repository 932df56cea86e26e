//! `liventix demo`: one festival evening in a few seconds, with the real server and real doors.
//!
//! It starts the server on a free port with SQLite in a temporary folder, two weeks ago; imports a guest list of
//! 2,000, lets two weeks of presale and advertising pass, sells two tickets in the shop through the test provider, writes every QR code as a PNG, enrols two doors, takes the server away, scans at both from
//! the decoded pictures, brings the server back, syncs, and shows what came together. Everything goes
//! through the HTTP API and the core, as it would for anybody else; nothing is staged in the
//! database. It checks each verdict against what it should be, and fails if one is not.

mod api;
mod clock;
mod codes;
mod door;
mod evening;
mod festival;
mod figures;
mod presale;
mod report;
mod shop;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use liventix_core::clock::Clock;
use liventix_core::entropy::{Entropy, OsEntropy};

use crate::app::{App, Running};
use crate::platform::config::Config;
use api::Api;
use clock::DemoClock;
use door::Door;
use festival::Festival;
use report::Screen;

/// The phone at the second door runs this far ahead, as phones do.
const HARBOUR_PHONE_AHEAD_MS: i64 = 4 * 60_000;
const MINUTE: i64 = 60_000;

/// Runs the demo and prints what happens.
///
/// # Errors
/// When anything in it goes otherwise than it should.
pub async fn run() -> anyhow::Result<()> {
    let screen = Screen::new();
    let clock = DemoClock::ago(presale::DAYS * presale::DAY);
    let folder =
        tempfile::Builder::new().prefix("liventix-demo-").tempdir().context("no temporary folder")?;
    // Kept, so that people can look at what the demo made.
    let folder = folder.keep();
    let mut host = Host::new(folder.join("server"), Arc::new(clock.clone()));

    screen.title("One festival evening", "two doors, one of them with a phone that is four minutes fast");
    let url = host.start().await?;
    screen.step("Server", &format!("{url}, SQLite in {}", folder.join("server").display()));

    let api = Api::sign_up(&url, &host.admin_token).await?;
    let opens_at = clock.sample().wall_ms + presale::DAYS * presale::DAY;
    let festival = Festival::set_up(&api, opens_at).await?;
    screen
        .step("Guest list", &format!("{} tickets imported from harbour-lights-2026.csv", festival.imported));

    shop::open(&api, &festival).await?;
    let sold = presale::run(&api, &host.admin_token, &festival, &clock).await?;
    screen.step("Presale", &report::presale(&sold));

    let bought = shop::sell(&api, &festival).await?;
    screen.step("Ticket shop", &report::sale(&bought));
    let mail = shop::mail(&api, &host.admin_token).await?;
    screen.step(
        "Mail",
        &format!("her tickets are in {}", host.config.data_dir.join("mail").join(mail).display()),
    );

    let codes_folder = folder.join("codes");
    let (codes, took) = clock.timed(codes::write_all(&api, &festival, &codes_folder)).await;
    let codes = codes?;
    screen.step("QR codes", &format!("{} PNGs in {} ({took} ms)", codes.len(), codes_folder.display()));

    let mut north = Door::new("North gate", &folder, clock.clone())?;
    let mut harbour = Door::new("Harbour gate", &folder, clock.running_ahead(HARBOUR_PHONE_AHEAD_MS))?;
    for door in [&mut north, &mut harbour] {
        door.enrol(&api.enrolment(festival.event_id).await?).await?;
        let report = door.sync().await?;
        screen.step(door.name(), &report::first_sync(&report));
    }

    // Things that happen after the doors' last sync: they cannot know.
    let late = festival.sell_late(&api).await?;
    host.stop().await?;
    ensure!(north.sync().await.is_err(), "the server is down, but a door still synced");
    screen.offline(&url);

    let acts = evening::programme(&festival, &codes, &late, &codes_folder)?;
    let mut tally = report::Tally::default();
    for act in &acts {
        clock.skip(act.minutes * MINUTE);
        let door = if act.at_north { &mut north } else { &mut harbour };
        let verdict = door.perform(act, festival.event_id)?;
        evening::check(act, &verdict)?;
        screen.scan(door.name(), act, &verdict);
        tally.count(&verdict);
    }
    screen.more(&tally);

    let url = host.start().await?;
    screen.online(&url, &north, &harbour)?;
    for door in [&mut north, &mut harbour] {
        let report = door.sync().await?;
        screen.step(door.name(), &report::later_sync(&report));
    }
    // North pulled before Harbour had uploaded: once more, and it knows what Harbour knows.
    north.sync().await?;

    let truth = api.outcome(festival.event_id).await?;
    report::check_agreement(&truth, [&north, &harbour], festival.event_id, &tally)?;
    screen.summary(&truth, &north, &festival, &folder)?;
    screen.figures(&figures::of(&api, &festival).await?);
    let owner = api.owner(&host.admin_token).await?;
    host.stop().await?;
    screen.next_steps(&folder.join("server"), festival.event_id, (api.token(), &owner));
    Ok(())
}

/// The machine that the server runs on: it can be switched off and on again.
struct Host {
    config: Config,
    clock: Arc<dyn Clock>,
    admin_token: String,
    running: Option<Running>,
}

impl Host {
    fn new(data_dir: PathBuf, clock: Arc<dyn Clock>) -> Self {
        let mut random = [0; 24];
        OsEntropy.fill(&mut random);
        let admin_token = data_encoding::BASE64URL_NOPAD.encode(&random);
        let mut config = Config::new(data_dir);
        config.bind.set_port(0);
        config.admin_token = Some(admin_token.clone().into());
        // The tickets are real; the money is not.
        config.payments.test_provider = true;
        config.email.from = Some("Harbour Lights <tickets@example.org>".to_owned());
        config.email.folder = Some(config.data_dir.join("mail"));
        Self { config, clock, admin_token, running: None }
    }

    /// Switches on; the second time at the same port, where the doors look for it.
    async fn start(&mut self) -> anyhow::Result<String> {
        let running = App::start(self.config.clone(), Arc::clone(&self.clock), Arc::new(OsEntropy)).await?;
        self.config.bind = running.addr;
        self.running = Some(running);
        Ok(format!("http://{}", self.config.bind))
    }

    async fn stop(&mut self) -> anyhow::Result<()> {
        self.running.take().context("the server is not running")?.shutdown().await;
        Ok(())
    }
}
