//! The door at work: lines from a hand scanner or a keyboard in, verdicts out, and a sync in the
//! background that a scan never waits for.

mod command;
mod lines;
mod supervisor;

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use liventix_core::ids::{ScanId, TicketId};
use liventix_core::rules::Outcome;
use liventix_core::sync::{SyncError, SyncReport, WatchNews};
use liventix_core::ticket::verify::KeyRing;
use serde::Serialize;
use tokio::sync::mpsc;

use self::command::Command;
use crate::door::{Door, Engine, Place};
use crate::error::DoorError;
use crate::render::{self, printable};
use crate::scanning::{self, Passing, Shown};
use crate::views::{ErrorView, Link, SyncedView};

/// How long the end waits for the last scans to be uploaded.
const LAST_PUSH: Duration = Duration::from_secs(5);

/// What the background has to tell.
enum News {
    /// From the watch loop.
    Watch(WatchNews),
    /// The watch loop ended: a person has to do something.
    Stopped(SyncError),
    /// A sync that was asked for is done.
    Synced(Result<SyncReport, SyncError>),
}

#[derive(Serialize)]
struct LinkView {
    link: Link,
    detail: String,
}

/// One stay at a gate.
struct Session {
    door: Door,
    engine: Arc<Engine>,
    place: Place,
    passing: Passing,
    keys: KeyRing,
    link: Link,
    /// A person types here, so the lines just typed may be wiped from the screen.
    typed: bool,
    news: mpsc::UnboundedSender<News>,
    /// The command that waits for a person's yes.
    pending: Option<Pending>,
    /// The last attempt, for `:force` and `:undo`.
    last: Option<Last>,
    /// What `:find` found, for `:admit`.
    found: Vec<TicketId>,
}

/// One attempt of a guest.
struct Last {
    shown: Shown,
    passing: Passing,
    /// The scan, if it let them pass.
    passed: Option<ScanId>,
}

/// A command that a guest's code may have typed: only a person can read the number off the screen.
struct Pending {
    line: String,
    number: String,
}

/// Runs until the input ends, `:quit`, or Ctrl-C.
pub(crate) async fn run(door: Door, place: Place, passing: Passing, offline: bool) -> Result<u8, DoorError> {
    let engine = Arc::new(door.engine(&door.device()?.server_url)?);
    let (news, mut heard) = mpsc::unbounded_channel();
    let typed = door.output.is_watched() && std::io::stdin().is_terminal();
    let mut session = Session {
        keys: engine.load_keys()?,
        door,
        engine,
        place,
        passing,
        link: Link::Unasked,
        typed,
        news,
        pending: None,
        last: None,
        found: Vec::new(),
    };
    session.greet()?;
    let watch = (!offline).then(|| session.watch());
    let mut lines = lines::read_in_background();
    loop {
        session.prompt()?;
        tokio::select! {
            line = lines.recv() => match line {
                Some(line) => if session.line(&line)? { break },
                None => break,
            },
            Some(news) = heard.recv() => session.hear(news)?,
            _ = tokio::signal::ctrl_c() => break,
        }
    }
    if let Some(watch) = watch {
        watch.abort();
    }
    session.farewell().await
}

impl Session {
    /// Starts the background sync.
    fn watch(&self) -> tokio::task::JoinHandle<()> {
        let (engine, news) = (Arc::clone(&self.engine), self.news.clone());
        let event_id = self.place.event.event_id;
        tokio::spawn(async move {
            let told = news.clone();
            // Nobody listens any more only when the session is over.
            let error = engine.watch(event_id, |_| {}, |what| drop(told.send(News::Watch(what)))).await;
            drop(news.send(News::Stopped(error)));
        })
    }

    fn greet(&self) -> Result<(), DoorError> {
        let look = self.door.output.look;
        let text = format!(
            "{}{}{}\n{}\n",
            look.bold(&printable(&self.place.event.name)),
            look.dot(),
            look.bold(&printable(&self.place.gate.name)),
            look.dim("Scan or type a code. :help shows what else you can type."),
        );
        self.door.output.tell(&text)?;
        self.show_standing()
    }

    fn show_standing(&self) -> Result<(), DoorError> {
        let view = self.door.standing(&self.place.event, self.link)?;
        let look = self.door.output.look;
        self.door.output.tell(&format!("{}\n", look.dim(&render::standing(&view, look))))?;
        Ok(())
    }

    /// What stands before the cursor: what the next scan will do.
    fn prompt_text(&self) -> String {
        let way = match self.passing.direction {
            liventix_core::rules::Direction::Entry => "in",
            liventix_core::rules::Direction::Exit => "OUT",
        };
        let look = self.door.output.look;
        let people = if self.passing.people == 1 {
            String::new()
        } else {
            format!(" {}{}", look.pick("×", "x"), self.passing.people)
        };
        format!("{} {way}{people} {} ", printable(&self.place.gate.name), look.pick("›", ">"))
    }

    fn prompt(&self) -> Result<(), DoorError> {
        if self.typed {
            self.door.output.tell(&format!("\r\x1b[2K{}", self.prompt_text()))?;
        }
        Ok(())
    }

    /// Wipes the line just entered: forty characters of a code tell nobody anything.
    fn wipe_line(&self, line: &str) -> Result<(), DoorError> {
        if self.typed {
            let columns = usize::from(console::Term::stdout().size().1).max(1);
            let used = console::measure_text_width(&self.prompt_text()) + console::measure_text_width(line);
            let rows = used.saturating_sub(1) / columns + 1;
            self.door.output.tell(&"\x1b[1A\x1b[2K".repeat(rows))?;
        }
        Ok(())
    }

    /// Acts on one line. True: it is time to go.
    fn line(&mut self, line: &str) -> Result<bool, DoorError> {
        if let Some(pending) = self.pending.take()
            && pending.number == line.trim()
        {
            return self.act(Command::parse(&pending.line));
        }
        match Command::parse(line) {
            Command::Scan(text) => {
                self.wipe_line(line)?;
                self.pass(Shown::Text(text.to_owned()), self.passing, None)?;
                Ok(false)
            }
            command if self.typed && command.moves_the_door() => self.ask(line),
            command => self.act(command),
        }
    }

    fn act(&mut self, command: Command<'_>) -> Result<bool, DoorError> {
        self.obey(command)?;
        Ok(command == Command::Quit)
    }

    /// A hand scanner types whatever a guest's code says, `:exit` too, so that a used ticket would pass.
    fn ask(&mut self, line: &str) -> Result<bool, DoorError> {
        let mut random = [0; 4];
        self.door.parts.entropy.fill(&mut random);
        let number = format!("{:06}", u32::from_be_bytes(random) % 1_000_000);
        let line = line.trim().to_owned();
        self.door.output.tell(&format!("To do {}, type {number}\n", printable(&line)))?;
        self.pending = Some(Pending { line, number });
        Ok(false)
    }

    /// Scans what a guest shows; with `why`, in spite of a refusal.
    fn pass(&mut self, shown: Shown, passing: Passing, why: Option<&str>) -> Result<(), DoorError> {
        let view = scanning::pass(&mut self.door.ledger(), &self.keys, &self.place, passing, &shown, why);
        let view = match view {
            Ok(view) => view,
            // The guest waits: say it, and let the next scan try again.
            Err(error) => return self.fail(error.code(), &error.to_string()),
        };
        self.engine.scanned();
        let passed = (view.outcome == Outcome::Admit).then_some(view.scan_id);
        self.last = Some(Last { shown, passing, passed });
        // A number of people is meant for one ticket; keeping it would let the next guest bring friends.
        self.passing.people = 1;
        self.door.output.say("verdict", &view, |view, look| render::verdict(view, look, &chrono::Local))?;
        self.show_standing()
    }

    fn fail(&self, code: &str, detail: &str) -> Result<(), DoorError> {
        let view = ErrorView { code: code.to_owned(), detail: detail.to_owned(), file: None };
        Ok(self.door.output.fail(&view)?)
    }

    fn hear(&mut self, news: News) -> Result<(), DoorError> {
        match news {
            News::Watch(WatchNews::Online(report)) => {
                self.learn(&report)?;
                self.set_link(Link::Online, "in touch with the server")
            }
            News::Watch(WatchNews::Offline { error, .. }) => self.set_link(Link::Offline, &error.to_string()),
            News::Stopped(error) => {
                self.link = Link::Offline;
                self.keys = self.engine.load_keys()?;
                self.new_line()?;
                self.fail(error.code(), &error.to_string())
            }
            News::Synced(Ok(report)) => {
                self.learn(&report)?;
                self.link = Link::Online;
                self.new_line()?;
                let (unsent, conflicts) = {
                    let mut ledger = self.door.ledger();
                    (ledger.unsent_summary()?.count, ledger.counts(self.place.event.event_id)?.conflicts)
                };
                let view = SyncedView { report, unsent, conflicts };
                Ok(self.door.output.say("synced", &view, render::synced)?)
            }
            News::Synced(Err(error)) => {
                self.new_line()?;
                self.fail(error.code(), &error.to_string())
            }
        }
    }

    /// Takes over what a sync brought.
    fn learn(&mut self, report: &SyncReport) -> Result<(), DoorError> {
        if report.key_rings > 0 {
            self.keys = self.engine.load_keys()?;
        }
        let event = self.door.ledger().event(self.place.event.event_id)?;
        if let Some(event) = event {
            self.place.event = event;
        }
        Ok(())
    }

    /// Says it when the server comes or goes, and only then.
    fn set_link(&mut self, link: Link, detail: &str) -> Result<(), DoorError> {
        if std::mem::replace(&mut self.link, link) == link {
            return Ok(());
        }
        self.new_line()?;
        let view = LinkView { link, detail: detail.to_owned() };
        self.door.output.say("link", &view, |view, look| {
            let word = match view.link {
                Link::Online => look.pick("● online", "* online"),
                _ => look.pick("○ offline", "o offline"),
            };
            format!("{}\n", look.dim(&format!("{word}: {}", printable(&view.detail))))
        })?;
        Ok(())
    }

    /// News come while the prompt stands there.
    fn new_line(&self) -> Result<(), DoorError> {
        if self.typed {
            self.door.output.tell("\r\x1b[2K")?;
        }
        Ok(())
    }

    /// Uploads what is left, for a moment, and says what could not be.
    async fn farewell(self) -> Result<u8, DoorError> {
        self.new_line()?;
        if self.link == Link::Online && self.door.ledger().unsent_summary()?.count > 0 {
            let _ = tokio::time::timeout(LAST_PUSH, self.engine.push_all(|_| {})).await;
        }
        self.show_standing()?;
        let unsent = self.door.ledger().unsent_summary()?.count;
        if unsent > 0 {
            let waiting = render::count(unsent, "scan");
            self.door.output.tell(&format!(
                "{waiting} not uploaded yet: run liventix-door sync when there is a network.\n"
            ))?;
        }
        Ok(0)
    }
}
