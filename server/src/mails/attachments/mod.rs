//! Files that go with a mail: functions from plain data to a part of the mail, without a database or a clock.

mod calendar;
mod print;

pub(super) use calendar::{Entry, calendar};
pub(super) use print::{PrintedOrder, PrintedTicket, printable};
