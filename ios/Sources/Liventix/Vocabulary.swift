// What this library speaks in. The types are generated from the Rust side; handing them on one by one keeps
// the machinery around them out of an app's sight, and Foundation's `Scanner` without a namesake.

// MARK: - What the app lends

/// Keeps small secrets by name: the app's keystore.
@_exported import protocol LiventixGenerated.SecretStore
/// A secret could not be kept, read or removed.
@_exported import enum LiventixGenerated.SecretStoreError
/// Reads the clocks in place of the system's.
@_exported import protocol LiventixGenerated.HostClock
/// Both clocks, read at one moment.
@_exported import struct LiventixGenerated.ClockSample
/// Takes the log's lines.
@_exported import protocol LiventixGenerated.LogSink
/// One line of the log.
@_exported import struct LiventixGenerated.LogRecord
/// How much a line of the log matters.
@_exported import enum LiventixGenerated.LogLevel

// MARK: - The device and its events

/// A scanner's call failed.
@_exported import enum LiventixGenerated.ScannerError
/// What was found at the ledger's path.
@_exported import enum LiventixGenerated.OpenReport
/// What this installation is enrolled as.
@_exported import struct LiventixGenerated.Device
/// One event a device may scan.
@_exported import struct LiventixGenerated.Assignment
/// An event as a door knows it.
@_exported import struct LiventixGenerated.Event
/// A place where tickets are scanned.
@_exported import struct LiventixGenerated.Gate

// MARK: - Scans and verdicts

/// Where and how people want to pass.
@_exported import struct LiventixGenerated.Gateway
/// In or out.
@_exported import enum LiventixGenerated.Direction
/// What came of a scan.
@_exported import struct LiventixGenerated.Verdict
/// Whether people may pass.
@_exported import enum LiventixGenerated.Outcome
/// Why a scan came out as it did.
@_exported import enum LiventixGenerated.Reason
/// How sure the door is.
@_exported import enum LiventixGenerated.Confidence
/// What a verdict could not be sure of.
@_exported import enum LiventixGenerated.Flag
/// What a door shows of a ticket.
@_exported import struct LiventixGenerated.TicketView
/// Where a ticket stands with the organiser.
@_exported import enum LiventixGenerated.TicketStatus
/// A ticket that a search found.
@_exported import struct LiventixGenerated.FoundTicket
/// What came of taking a passage back.
@_exported import struct LiventixGenerated.Undone
/// The admission that a duplicate ran into.
@_exported import struct LiventixGenerated.FirstAdmission
/// A scan made on this device.
@_exported import struct LiventixGenerated.ScanRow
/// A scan the server set aside.
@_exported import struct LiventixGenerated.QuarantinedScan
/// What waits to be sent.
@_exported import struct LiventixGenerated.Unsent
/// Live numbers of one event.
@_exported import struct LiventixGenerated.Counts
/// A ticket that was admitted more often than it allows.
@_exported import struct LiventixGenerated.Conflict
/// One side of a conflict.
@_exported import struct LiventixGenerated.Side

// MARK: - Staying in touch

/// What one sync did.
@_exported import struct LiventixGenerated.SyncReport
/// How far a sync is.
@_exported import enum LiventixGenerated.SyncProgress
/// People who passed at another door.
@_exported import struct LiventixGenerated.OtherDoorScan
/// Whether the server is in touch.
@_exported import enum LiventixGenerated.LinkState

// MARK: - Before doors open

/// Whether doors may open.
@_exported import struct LiventixGenerated.Readiness
/// One item of a readiness.
@_exported import struct LiventixGenerated.CheckItem
/// What was looked at.
@_exported import enum LiventixGenerated.Check
/// How one item came out.
@_exported import enum LiventixGenerated.CheckState

// MARK: - The wallet

/// A wallet's call failed.
@_exported import enum LiventixGenerated.WalletError
/// A ticket on this phone.
@_exported import struct LiventixGenerated.WalletTicket
/// A live code, to be shown as a QR code until it is renewed.
@_exported import struct LiventixGenerated.LiveCode
/// The code that stays the same.
@_exported import struct LiventixGenerated.PrintedCode
/// What a refresh found.
@_exported import struct LiventixGenerated.RefreshReport
/// A server that could not be asked.
@_exported import struct LiventixGenerated.RefreshFailure
/// A link that hands a ticket to another person.
@_exported import struct LiventixGenerated.TransferOffer

// MARK: - Push messages

/// A registrar's call failed.
@_exported import enum LiventixGenerated.PushError
/// Which service carries messages to an app.
@_exported import enum LiventixGenerated.PushService
/// Where it stands, at every server that tickets are from.
@_exported import struct LiventixGenerated.PushStatus
/// Where it stands with one server.
@_exported import struct LiventixGenerated.ServerRegistration
/// Where the registration of a token stands.
@_exported import enum LiventixGenerated.RegistrationState
/// Why a server could not be told.
@_exported import struct LiventixGenerated.RegistrationTrouble
/// What the system says of notifications of this app.
@_exported import enum LiventixGenerated.PushPermission
/// What an app shows of notifications, and whether it may ask.
@_exported import struct LiventixGenerated.PermissionAdvice
/// How to ask for permission.
@_exported import enum LiventixGenerated.PermissionAsk
/// What happened when the app asked.
@_exported import struct LiventixGenerated.PromptHistory
/// Somebody said no.
@_exported import struct LiventixGenerated.Refusal
/// Why somebody wants no notifications.
@_exported import enum LiventixGenerated.RefusalReason
/// What a message carries for the app, beside its words.
@_exported import struct LiventixGenerated.PushMessage
/// What a message is about.
@_exported import enum LiventixGenerated.PushCategory
/// Which messages somebody wants, and when.
@_exported import struct LiventixGenerated.PushPreferences
/// What somebody wants of one category.
@_exported import struct LiventixGenerated.CategoryPreference
/// When nothing is to make a sound, each day.
@_exported import struct LiventixGenerated.QuietHours

// MARK: - Codes

/// A QR code as its modules.
@_exported import struct LiventixGenerated.QrMatrix
