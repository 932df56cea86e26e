// What this library speaks in. The types are generated from the Rust side; naming them here one by one keeps
// the machinery around them out of an app's sight, and Foundation's `Scanner` free of a namesake.

import LiventixGenerated

// MARK: - What the app lends

/// Keeps small secrets by name. ``KeychainSecretStore`` is one.
public typealias SecretStore = LiventixGenerated.SecretStore
/// A secret could not be kept, read or removed.
public typealias SecretStoreError = LiventixGenerated.SecretStoreError
/// Reads the clocks in place of the system's.
public typealias HostClock = LiventixGenerated.HostClock
/// Both clocks, read at one moment.
public typealias ClockSample = LiventixGenerated.ClockSample
/// Takes the log's lines.
public typealias LogSink = LiventixGenerated.LogSink
/// One line of the log.
public typealias LogRecord = LiventixGenerated.LogRecord
/// How much a line of the log matters.
public typealias LogLevel = LiventixGenerated.LogLevel

// MARK: - The device and its events

/// A scanner's call failed.
public typealias ScannerError = LiventixGenerated.ScannerError
/// What was found at the ledger's path.
public typealias OpenReport = LiventixGenerated.OpenReport
/// What this installation is enrolled as.
public typealias Device = LiventixGenerated.Device
/// One event a device may scan.
public typealias Assignment = LiventixGenerated.Assignment
/// An event as a door knows it.
public typealias Event = LiventixGenerated.Event
/// A place where tickets are scanned.
public typealias Gate = LiventixGenerated.Gate

// MARK: - Scans and verdicts

/// Where and how people want to pass.
public typealias Gateway = LiventixGenerated.Gateway
/// In or out.
public typealias Direction = LiventixGenerated.Direction
/// What came of a scan.
public typealias Verdict = LiventixGenerated.Verdict
/// Whether people may pass.
public typealias Outcome = LiventixGenerated.Outcome
/// Why a scan came out as it did.
public typealias Reason = LiventixGenerated.Reason
/// How sure the door is.
public typealias Confidence = LiventixGenerated.Confidence
/// What a verdict could not be sure of.
public typealias Flag = LiventixGenerated.Flag
/// What a door shows of a ticket.
public typealias TicketView = LiventixGenerated.TicketView
/// Where a ticket stands with the organiser.
public typealias TicketStatus = LiventixGenerated.TicketStatus
/// The admission that a duplicate ran into.
public typealias FirstAdmission = LiventixGenerated.FirstAdmission
/// A scan made on this device.
public typealias ScanRow = LiventixGenerated.ScanRow
/// A scan the server set aside.
public typealias QuarantinedScan = LiventixGenerated.QuarantinedScan
/// What waits to be sent.
public typealias Unsent = LiventixGenerated.Unsent
/// Live numbers of one event.
public typealias Counts = LiventixGenerated.Counts
/// A ticket that was admitted more often than it allows.
public typealias Conflict = LiventixGenerated.Conflict
/// One side of a conflict.
public typealias Side = LiventixGenerated.Side

// MARK: - Staying in touch

/// What one sync did.
public typealias SyncReport = LiventixGenerated.SyncReport
/// How far a sync is.
public typealias SyncProgress = LiventixGenerated.SyncProgress
/// People who passed at another door.
public typealias OtherDoorScan = LiventixGenerated.OtherDoorScan
/// Whether the server is in touch.
public typealias LinkState = LiventixGenerated.LinkState

// MARK: - Codes

/// A QR code as its modules.
public typealias QrMatrix = LiventixGenerated.QrMatrix
