//! Opening a ledger: created, as it was, or rescued; refused where touching it could do harm.
//!
//! A new file is built as `<name>.new` and renamed once it is complete, so that a crash at any
//! moment leaves either the old state or the new one, never half of it.

use std::cell::RefCell;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use super::cache::Cache;
use super::error::{Cause, LedgerError};
use super::files::{FileIdentity, beside, move_all, remove_all, sync_folder};
use super::lock::LedgerLock;
use super::rescue::{self, Rescue};
use super::storage::quick_check;
use super::time::LedgerTime;
use super::{Ledger, Own, schema};
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::ids::LedgerId;

/// What was found at the path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpenReport {
    /// Nothing; an empty ledger was made.
    Created,
    /// A ledger in good order.
    Opened,
    /// A damaged ledger, which was set aside; what could be read is in a new one.
    Rescued(Rescue),
}

/// The injected sources of time and randomness.
pub(super) struct Sources {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
}

pub(super) fn open(
    path: &Path,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
) -> Result<(Ledger, OpenReport), LedgerError> {
    if !beside(path, ".lock").exists() {
        // Before a lock file is put beside somebody else's file.
        inspect(path, None)?;
    }
    let mut lock = LedgerLock::acquire(path)?;
    let sources = Sources { clock, entropy };
    let (connection, report) = if lock.is_alone() {
        open_alone(path, lock.witness(), &sources)?
    } else {
        (open_beside_others(path)?, OpenReport::Opened)
    };
    let own = own_ledger(&connection)?;
    if lock.is_alone() {
        lock.set_witness(own.ledger_id)?;
        lock.share()?;
    }
    let time = LedgerTime::restore(&connection, own, sources.clock)?;
    let ledger = Ledger {
        connection,
        cache: RefCell::new(Cache::default()),
        time,
        path: path.to_owned(),
        identity: FileIdentity::of(path)?,
        own,
        entropy: sources.entropy,
        _lock: lock,
    };
    Ok((ledger, report))
}

/// Nobody else has the file: it may be created, migrated and replaced.
fn open_alone(
    path: &Path,
    witness: Option<LedgerId>,
    sources: &Sources,
) -> Result<(Connection, OpenReport), LedgerError> {
    if let Some(rescue) = rescue::finish_interrupted(path)? {
        return Ok((open_healthy(path)?, OpenReport::Rescued(rescue)));
    }
    let damage = match inspect(path, witness)? {
        Found::Nothing => {
            create(path, sources)?;
            return Ok((open_healthy(path)?, OpenReport::Created));
        }
        Found::Ledger => match open_healthy(path) {
            Ok(connection) => return Ok((connection, OpenReport::Opened)),
            Err(damage @ LedgerError::Corrupt(_)) => damage,
            Err(other) => return Err(other),
        },
        Found::Damaged(damage) => damage,
    };
    tracing::error!(code = damage.code(), "the ledger is damaged, rescuing its scans");
    let rescue = rescue::rescue(path, witness, sources)?;
    Ok((open_healthy(path)?, OpenReport::Rescued(rescue)))
}

/// Another process has the file: it must be in order, because nothing may be replaced under it.
fn open_beside_others(path: &Path) -> Result<Connection, LedgerError> {
    let in_use = |error: &LedgerError| {
        LedgerError::Locked(Cause::Check(format!("in use by another process, and {}", error.code())))
    };
    match inspect(path, None)? {
        Found::Ledger => open_healthy(path).map_err(|error| match error {
            LedgerError::Corrupt(_) => in_use(&error),
            other => other,
        }),
        Found::Nothing => Err(LedgerError::Locked(Cause::Check("its file was removed".to_owned()))),
        Found::Damaged(damage) => Err(in_use(&damage)),
    }
}

/// What lies at a path, by its first hundred bytes.
enum Found {
    Nothing,
    Ledger,
    Damaged(LedgerError),
}

/// Reads the file's header (<https://sqlite.org/fileformat2.html#the_database_header>). `witness`
/// says that a ledger lived here: then a header that cannot be read is damage, not another file.
fn inspect(path: &Path, witness: Option<LedgerId>) -> Result<Found, LedgerError> {
    let mut header = [0_u8; 100];
    let length = match File::open(path) {
        Ok(mut file) if file.metadata()?.is_file() => read_up_to(&mut file, &mut header)?,
        Ok(_) => return Err(LedgerError::NotALedger { path: path.to_owned() }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(error.into()),
    };
    let number =
        |at: usize| header.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map(i32::from_be_bytes);
    let is_sqlite = length == header.len() && header.starts_with(b"SQLite format 3\0");
    match (is_sqlite, witness) {
        (false, None) if length == 0 => Ok(Found::Nothing),
        (false, Some(_)) => Ok(Found::Damaged(LedgerError::corrupt("its header is destroyed"))),
        (true, _) if number(68) == Some(schema::APPLICATION_ID) => {
            refuse_newer(i64::from(number(60).unwrap_or(0)))?;
            Ok(Found::Ledger)
        }
        _ => Err(LedgerError::NotALedger { path: path.to_owned() }),
    }
}

fn read_up_to(file: &mut File, buffer: &mut [u8]) -> Result<usize, LedgerError> {
    let mut bytes = Vec::with_capacity(buffer.len());
    file.take(buffer.len() as u64).read_to_end(&mut bytes)?;
    if let Some(start) = buffer.get_mut(..bytes.len()) {
        start.copy_from_slice(&bytes);
    }
    Ok(bytes.len())
}

fn refuse_newer(found: i64) -> Result<(), LedgerError> {
    if found > schema::VERSION {
        return Err(LedgerError::Newer { found, supported: schema::VERSION });
    }
    Ok(())
}

/// Opens a ledger for use, or says why not. On any failure its files are as they were.
fn open_healthy(path: &Path) -> Result<Connection, LedgerError> {
    let mut connection = schema::connect(path, false)?;
    schema::leave_untouched(&connection, true)?;
    if connection.is_readonly("main")? {
        return Err(LedgerError::ReadOnly(Cause::Check("the file opens for reading only".to_owned())));
    }
    refuse_newer(schema::version(&connection)?)?;
    quick_check(&connection)?;
    schema::configure(&connection)?;
    schema::migrate(&mut connection)?;
    own_ledger(&connection)?;
    // Finds out now, not at the door, that the log cannot be written.
    connection.transaction_with_behavior(TransactionBehavior::Immediate)?.rollback()?;
    schema::leave_untouched(&connection, false)?;
    Ok(connection)
}

fn create(path: &Path, sources: &Sources) -> Result<(), LedgerError> {
    let replacement = replacement_of(path);
    let connection = build(path, sources, &[])?;
    close(connection)?;
    // A log without its database would be replayed into the new one.
    if beside(path, "-wal").exists() {
        move_all(path, &set_aside_name(path, sources.clock.wall_ms()))?;
    }
    fs::rename(replacement, path)?;
    Ok(sync_folder(path)?)
}

/// Where a new file grows until it is complete.
pub(super) fn replacement_of(path: &Path) -> PathBuf {
    beside(path, ".new")
}

/// Makes an empty ledger at [`replacement_of`] `path`, numbered after those of `older` ledgers.
pub(super) fn build(path: &Path, sources: &Sources, older: &[i64]) -> Result<Connection, LedgerError> {
    let replacement = replacement_of(path);
    remove_all(&replacement)?;
    let mut connection = schema::connect(&replacement, true)?;
    connection.pragma_update(None, "application_id", schema::APPLICATION_ID)?;
    schema::configure(&connection)?;
    schema::migrate(&mut connection)?;
    let ledger_id = LedgerId::generate(sources.clock.wall_ms(), &*sources.entropy);
    let number = older.iter().max().map_or(1, |number| number + 1);
    connection.execute("INSERT INTO ledgers (number, ledger_id) VALUES (?1, ?2)", (number, ledger_id))?;
    Ok(connection)
}

/// Closes a finished file: everything is in the database itself, no log is left.
pub(super) fn close(connection: Connection) -> Result<(), LedgerError> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    connection.close().map_err(|(_, error)| error.into())
}

/// `<name>.corrupt-20261124T034512Z`, with a number behind it if that is taken.
pub(super) fn set_aside_name(path: &Path, wall_ms: i64) -> PathBuf {
    let stamp = utc_stamp(wall_ms);
    let first = beside(path, &format!(".corrupt-{stamp}"));
    if !first.exists() {
        return first;
    }
    (2..).map(|n| beside(path, &format!(".corrupt-{stamp}-{n}"))).find(|name| !name.exists()).unwrap_or(first)
}

/// A UTC time as `20261124T034512Z` (days to date as in Howard Hinnant's `civil_from_days`).
fn utc_stamp(wall_ms: i64) -> String {
    let seconds = wall_ms.div_euclid(1_000);
    let (days, second) = (seconds.div_euclid(86_400) + 719_468, seconds.rem_euclid(86_400));
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

fn own_ledger(connection: &Connection) -> Result<Own, LedgerError> {
    connection
        .query_row("SELECT number, ledger_id FROM ledgers ORDER BY number DESC LIMIT 1", [], |row| {
            Ok(Own { number: row.get(0)?, ledger_id: row.get(1)? })
        })
        .optional()?
        .ok_or_else(|| LedgerError::corrupt("it does not say which ledger it is"))
}

#[cfg(test)]
mod tests {
    use super::utc_stamp;

    #[test]
    fn stamps_are_utc_dates() {
        assert_eq!(utc_stamp(0), "19700101T000000Z");
        assert_eq!(utc_stamp(951_782_400_000), "20000229T000000Z");
        assert_eq!(utc_stamp(1_795_491_912_999), "20261124T034512Z");
        assert_eq!(utc_stamp(-1), "19691231T235959Z");
    }
}
