//! What can be typed besides codes.

use std::sync::Arc;

use liventix_core::rules::Direction;

use super::{News, Session};
use crate::error::DoorError;
use crate::{place, render};

const HELP: &str = "\
  (a code)       scan it: QR text, manual code, or a code of the old system
  :gate [NAME]   move to another gate, or list the gates
  :in  :exit     people come in, or go out
  :people N      the next code lets N people pass at once
  :undo WHY      take the last scan back
  :force WHY     let the guest pass whom the last scan refused (a supervisor's device)
  :find NAME     find tickets by name
  :admit N       let in the Nth of those found
  :sync          sync now
  :status        counts, unsent scans, age of the list, clock, link
  :help          this
  :quit          leave (also Ctrl-D)
";

/// One line, understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command<'a> {
    Nothing,
    Scan(&'a str),
    Gate(&'a str),
    Way(Direction),
    People(Option<u16>),
    Undo(&'a str),
    Force(&'a str),
    Find(&'a str),
    Admit(Option<usize>),
    Sync,
    Status,
    Help,
    Quit,
    Unknown(&'a str),
}

impl<'a> Command<'a> {
    /// Whether it changes what the next scans do, or lets somebody pass. A guest would like that.
    pub(super) const fn moves_the_door(self) -> bool {
        match self {
            Self::Gate(name) => !name.is_empty(),
            Self::Way(_) | Self::Undo(_) | Self::Force(_) | Self::Admit(_) | Self::Quit => true,
            _ => false,
        }
    }

    /// Reads one line. Only a colon makes a command: no code starts with one.
    pub(super) fn parse(line: &'a str) -> Self {
        let line = line.trim();
        let Some(command) = line.strip_prefix(':') else {
            return if line.is_empty() { Self::Nothing } else { Self::Scan(line) };
        };
        let (word, rest) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
        match word {
            "gate" | "g" => Self::Gate(rest.trim()),
            "in" | "entry" => Self::Way(Direction::Entry),
            "exit" | "out" => Self::Way(Direction::Exit),
            "people" | "p" => {
                Self::People(rest.trim().parse().ok().filter(|people| (1..=1_000).contains(people)))
            }
            "undo" | "u" => Self::Undo(rest.trim()),
            "force" => Self::Force(rest.trim()),
            "find" | "f" => Self::Find(rest.trim()),
            "admit" | "a" => Self::Admit(rest.trim().parse().ok()),
            "sync" => Self::Sync,
            "status" => Self::Status,
            "help" | "h" | "?" => Self::Help,
            "quit" | "q" => Self::Quit,
            _ => Self::Unknown(word),
        }
    }
}

impl Session {
    /// Does what a command says.
    pub(super) fn obey(&mut self, command: Command<'_>) -> Result<(), DoorError> {
        match command {
            Command::Nothing | Command::Scan(_) | Command::Quit => Ok(()),
            Command::Gate(named) => self.move_to(named),
            Command::Way(direction) => {
                self.passing.direction = direction;
                Ok(())
            }
            Command::People(Some(people)) => {
                self.passing.people = people;
                Ok(())
            }
            Command::People(None) => self.fail("usage", "say how many people pass: :people 3 (1 to 1000)"),
            Command::Undo(why) => self.undo(why),
            Command::Force(why) => self.force(why),
            Command::Find(name) => self.find(name),
            Command::Admit(number) => self.admit(number),
            Command::Sync => {
                let (engine, news) = (Arc::clone(&self.engine), self.news.clone());
                tokio::spawn(async move { drop(news.send(News::Synced(engine.sync(|_| {}).await))) });
                Ok(())
            }
            Command::Status => {
                let view = self.door.standing(&self.place.event, self.link)?;
                Ok(self
                    .door
                    .output
                    .say("standing", &view, |view, look| format!("{}\n", render::standing(view, look)))?)
            }
            Command::Help => Ok(self.door.output.tell(HELP)?),
            Command::Unknown(word) => {
                self.fail("usage", &format!("there is no command :{word}. :help lists them"))
            }
        }
    }

    fn move_to(&mut self, named: &str) -> Result<(), DoorError> {
        if named.is_empty() {
            let names: Vec<&str> = self.place.gates.iter().map(|gate| gate.name.as_str()).collect();
            return Ok(self
                .door
                .output
                .tell(&format!("gates: {}\n", render::printable(&names.join(", "))))?);
        }
        match place::choose_gate(self.place.gates.clone(), Some(named), None) {
            Ok(gate) => {
                self.place.gate = gate;
                self.door.remember(&self.place);
                Ok(())
            }
            Err(error) => self.fail(error.code(), &error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_guests_code_must_not_do_by_itself() {
        for line in [":exit", ":in", ":gate North", ":quit", ":undo x", ":force x", ":admit 1"] {
            assert!(Command::parse(line).moves_the_door(), "{line}");
        }
        for line in [":gate", ":status", ":people 2", ":find ada", "LX1:ABC"] {
            assert!(!Command::parse(line).moves_the_door(), "{line}");
        }
    }

    #[test]
    fn only_a_colon_makes_a_command() {
        assert_eq!(Command::parse("  "), Command::Nothing);
        assert_eq!(Command::parse(" quit "), Command::Scan("quit"));
        assert_eq!(Command::parse(":q"), Command::Quit);
        assert_eq!(Command::parse(":gate  North gate "), Command::Gate("North gate"));
        assert_eq!(Command::parse(":people 3"), Command::People(Some(3)));
        assert_eq!(Command::parse(":people 0"), Command::People(None));
        assert_eq!(Command::parse(":people many"), Command::People(None));
        assert_eq!(Command::parse(":undo  wrong guest "), Command::Undo("wrong guest"));
        assert_eq!(Command::parse(":force"), Command::Force(""));
        assert_eq!(Command::parse(":find ada love"), Command::Find("ada love"));
        assert_eq!(Command::parse(":admit 2"), Command::Admit(Some(2)));
        assert_eq!(Command::parse(":admit two"), Command::Admit(None));
        assert_eq!(Command::parse(":out"), Command::Way(Direction::Exit));
        assert_eq!(Command::parse(":dance"), Command::Unknown("dance"));
    }
}
