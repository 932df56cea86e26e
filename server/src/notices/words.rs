//! What notices say, in a sentence or two below the event's name.

use super::Notice;
use crate::events::types::EventView;
use crate::mails::{Facts, changes};
use crate::platform::locale::Locale;
use crate::platform::text::cut;
use crate::push::MAX_BODY;

/// What a phone is told; nothing, where there is nothing to tell any more. `kind` is what people call the ticket's type.
pub(super) fn say(
    notice: &Notice,
    (event, kind): (&EventView, &str),
    locale: Locale,
    now: i64,
) -> Option<String> {
    let is_off = event.cancelled_at.is_some();
    let text = match notice {
        Notice::EventChanged { before, .. } if !is_off => {
            let changed = changes(before, &Facts::of(event), locale);
            let line = |(what, now): (&str, Option<String>)| {
                format!("{what}: {}", now.unwrap_or_else(|| "–".into()))
            };
            let lines: Vec<String> = changed.into_iter().map(|it| line((it.what, it.now))).collect();
            if lines.is_empty() {
                return None;
            }
            lines.join("\n")
        }
        Notice::EventCancelled { .. } if is_off => {
            let reason = event.cancel_reason.clone().unwrap_or_default();
            match locale {
                Locale::En => format!("It does not take place. {reason}"),
                Locale::De => format!("Die Veranstaltung fällt aus. {reason}"),
            }
        }
        Notice::GatesOpen { .. } if !is_off && now < event.info.ends_at => match locale {
            Locale::En => "The doors are open. Have your ticket ready.".to_owned(),
            Locale::De => "Die Türen sind offen. Halte dein Ticket bereit.".to_owned(),
        },
        Notice::TicketReady { .. } if !is_off => match locale {
            Locale::En => format!("Your ticket “{kind}” is ready."),
            Locale::De => format!("Dein Ticket „{kind}“ ist bereit."),
        },
        Notice::TicketTransferred { .. } => match locale {
            Locale::En => format!(
                "Somebody else has your ticket “{kind}” now. On this phone it lets nobody in any more."
            ),
            Locale::De => format!(
                "Dein Ticket „{kind}“ hat jetzt jemand anderes. Auf diesem Telefon gilt es nicht mehr."
            ),
        },
        Notice::TicketRefunded { .. } => match locale {
            Locale::En => format!("Your money for the ticket “{kind}” is on its way back."),
            Locale::De => format!("Das Geld für dein Ticket „{kind}“ ist auf dem Weg zurück."),
        },
        // It is not so any more.
        _ => return None,
    };
    Some(cut(text.trim(), MAX_BODY))
}
