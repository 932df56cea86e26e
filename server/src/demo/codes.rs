//! QR codes: every ticket's as a PNG file, and back from the file to its text.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use liventix_core::qr::{QrOptions, render};
use serde::Deserialize;

use super::api::Api;
use super::festival::Festival;

/// A guest's ticket, as the organiser sees it.
#[derive(Clone, Deserialize)]
pub(super) struct GuestTicket {
    pub(super) ticket_id: String,
    pub(super) ticket_type_id: String,
    pub(super) status: String,
    #[serde(default)]
    pub(super) attendee_name: Option<String>,
    pub(super) code: String,
    pub(super) manual_code: String,
}

#[derive(Deserialize)]
struct TicketPage {
    items: Vec<GuestTicket>,
    next_cursor: Option<String>,
}

impl GuestTicket {
    /// Where its picture is.
    pub(super) fn picture(&self, folder: &Path) -> PathBuf {
        folder.join(format!("{}.png", self.ticket_id))
    }
}

/// Writes every ticket's code into `folder`.
pub(super) async fn write_all(
    api: &Api,
    festival: &Festival,
    folder: &Path,
) -> anyhow::Result<Vec<GuestTicket>> {
    std::fs::create_dir_all(folder)?;
    let mut tickets = Vec::new();
    let mut after = String::new();
    loop {
        let path = format!("/v1/events/{}/ticket-codes?limit=200{after}", festival.event_id);
        let page: TicketPage = api.get(&path).await?;
        for ticket in &page.items {
            draw(&ticket.code, &ticket.picture(folder))?;
        }
        tickets.extend(page.items);
        match page.next_cursor {
            Some(cursor) => after = format!("&cursor={cursor}"),
            None => return Ok(tickets),
        }
    }
}

/// Draws a text as a QR code into a file.
pub(super) fn draw(text: &str, path: &Path) -> anyhow::Result<()> {
    let png = render(text, &QrOptions::default())?.png()?;
    std::fs::write(path, png).with_context(|| format!("cannot write {}", path.display()))
}

/// Reads a picture as a scanner would.
pub(super) fn decode(path: &Path) -> anyhow::Result<String> {
    let picture = image::open(path).with_context(|| format!("cannot read {}", path.display()))?.into_luma8();
    let mut prepared = rqrr::PreparedImage::prepare(picture);
    let grids = prepared.detect_grids();
    let grid = grids.first().with_context(|| format!("no QR code in {}", path.display()))?;
    Ok(grid.decode()?.1)
}
