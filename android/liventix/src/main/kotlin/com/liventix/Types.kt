package com.liventix

// What calls take and give, as the Rust library declares it. Each is described where it is declared; an
// app imports the names from here.

/** How a [TicketScanner] is opened: where its ledger lies, and whether servers without TLS are taken. */
public typealias ScannerConfig = com.liventix.ffi.ScannerConfig

/** What this installation is enrolled as. */
public typealias Device = com.liventix.ffi.Device

/** One event a device may scan. */
public typealias Assignment = com.liventix.ffi.Assignment

/** An event as a door knows it. */
public typealias Event = com.liventix.ffi.Event

/** A place where tickets are scanned. */
public typealias Gate = com.liventix.ffi.Gate

/** Where and how people want to pass. */
public typealias Gateway = com.liventix.ffi.Gateway

/** What came of a scan. It is durable by the time anyone sees it. */
public typealias Verdict = com.liventix.ffi.Verdict

/** What a door shows of a ticket. */
public typealias TicketView = com.liventix.ffi.TicketView

/** The admission that a duplicate ran into. */
public typealias FirstAdmission = com.liventix.ffi.FirstAdmission

/** In or out. */
public typealias Direction = com.liventix.ffi.Direction

/** Whether people may pass. */
public typealias Outcome = com.liventix.ffi.Outcome

/** Why a scan came out as it did. */
public typealias Reason = com.liventix.ffi.Reason

/** How sure the door is. */
public typealias Confidence = com.liventix.ffi.Confidence

/** What a verdict could not be sure of. Any flag turns green to amber. */
public typealias Flag = com.liventix.ffi.Flag

/** A passage that was taken back. */
public typealias Undone = com.liventix.ffi.Undone

/** A ticket found by the name of who holds it, and how far it is used, as far as this device knows. */
public typealias FoundTicket = com.liventix.ffi.FoundTicket

/** Whether doors may open, and everything that was looked at. */
public typealias Readiness = com.liventix.ffi.Readiness

/** One item of a [Readiness]. */
public typealias CheckItem = com.liventix.ffi.CheckItem

/** What a [CheckItem] looked at. */
public typealias Check = com.liventix.ffi.Check

/** How a [CheckItem] came out. */
public typealias CheckState = com.liventix.ffi.CheckState

/** Live numbers of one event, as far as this device knows. */
public typealias Counts = com.liventix.ffi.Counts

/** A ticket that was admitted more often than it allows. */
public typealias Conflict = com.liventix.ffi.Conflict

/** One side of a [Conflict]. */
public typealias Side = com.liventix.ffi.Side

/** People who passed at another door. */
public typealias OtherDoorScan = com.liventix.ffi.OtherDoorScan

/** A scan made on this device. */
public typealias ScanRow = com.liventix.ffi.ScanRow

/** A scan the server set aside. */
public typealias QuarantinedScan = com.liventix.ffi.QuarantinedScan

/** What waits to be sent. */
public typealias Unsent = com.liventix.ffi.Unsent

/** What one sync did. */
public typealias SyncReport = com.liventix.ffi.SyncReport

/** Where a ticket stands with the organiser. */
public typealias TicketStatus = com.liventix.ffi.TicketStatus

/** How a [TicketWallet] is opened: whether links to servers without TLS are taken. */
public typealias WalletConfig = com.liventix.ffi.WalletConfig

/** A ticket on this phone. */
public typealias WalletTicket = com.liventix.ffi.WalletTicket

/** A live code, to be shown as a QR code until it is renewed. */
public typealias LiveCode = com.liventix.ffi.LiveCode

/** The code that stays the same: for paper, and for sharing a screen. */
public typealias PrintedCode = com.liventix.ffi.PrintedCode

/** What a refresh found. */
public typealias RefreshReport = com.liventix.ffi.RefreshReport

/** A server that could not be asked. */
public typealias RefreshFailure = com.liventix.ffi.RefreshFailure

/** A link that hands a ticket to another person. Secret until it is claimed. */
public typealias TransferOffer = com.liventix.ffi.TransferOffer

/** How a [PushRegistrar] is opened: what servers are told beside the token. */
public typealias PushConfig = com.liventix.ffi.PushConfig

/** Which service carries messages to an app, and what it knows the app by. */
public typealias PushService = com.liventix.ffi.PushService

/** Where it stands, at every server that tickets on this phone are from. */
public typealias PushStatus = com.liventix.ffi.PushStatus

/** Where it stands with one server. */
public typealias ServerRegistration = com.liventix.ffi.ServerRegistration

/** Where the registration of a push token stands. */
public typealias RegistrationState = com.liventix.ffi.RegistrationState

/** Why a server could not be told. */
public typealias RegistrationTrouble = com.liventix.ffi.RegistrationTrouble

/** What the system says of notifications of this app, right now. */
public typealias PushPermission = com.liventix.ffi.PushPermission

/** What an app shows of notifications, and whether it may ask. */
public typealias PermissionAdvice = com.liventix.ffi.PermissionAdvice

/** How to ask for permission. */
public typealias PermissionAsk = com.liventix.ffi.PermissionAsk

/** What happened when the app asked. */
public typealias PromptHistory = com.liventix.ffi.PromptHistory

/** Somebody said no. */
public typealias Refusal = com.liventix.ffi.Refusal

/** Why somebody wants no notifications. */
public typealias RefusalReason = com.liventix.ffi.RefusalReason

/** What a push message carries for the app, beside its words. */
public typealias PushMessage = com.liventix.ffi.PushMessage

/** What a push message is about. People choose by it. */
public typealias PushCategory = com.liventix.ffi.PushCategory

/** Which push messages somebody wants, and when. */
public typealias PushPreferences = com.liventix.ffi.PushPreferences

/** What somebody wants of one [PushCategory]. */
public typealias CategoryPreference = com.liventix.ffi.CategoryPreference

/** When nothing is to make a sound, each day, by the phone's time. */
public typealias QuietHours = com.liventix.ffi.QuietHours

/** Both clocks, read at one moment. */
public typealias ClockSample = com.liventix.ffi.ClockSample

/** One line of the log. Never holds a secret, a code or a name. */
public typealias LogRecord = com.liventix.ffi.LogRecord

/** How much a line of the log matters. */
public typealias LogLevel = com.liventix.ffi.LogLevel

/** A QR code as its modules, without the white border. */
public typealias QrMatrix = com.liventix.ffi.QrMatrix
