import Foundation
import LiventixGenerated

/// One door: a scan ledger on this phone, and the way to the organiser's server.
///
/// Open one for each ledger file, keep it as long as the app runs, and use it from every task and thread.
/// Everything at the gate works without a network; ``sync()`` and ``startWatching(eventId:)`` bring this
/// door and the others together.
///
/// ```swift
/// let scanner = try await TicketScanner.open(ledger: ledger, secrets: KeychainSecretStore())
/// try await scanner.enrol(code: scannedCode, deviceName: "North gate 2")
/// try await scanner.sync()
/// let verdict = try scanner.scan(text, at: Gateway(eventId: event.eventId, gateId: gate.gateId, direction: .entry))
/// ```
///
/// After ``close()``, every call throws `ScannerError.Closed`. A scanner that nobody refers
/// to any more closes itself.
public final class TicketScanner: Sendable {
    let scanner: LiventixGenerated.Scanner
    let news: ScannerNews

    private init(_ scanner: LiventixGenerated.Scanner) throws {
        self.scanner = scanner
        news = ScannerNews()
        try scanner.setObserver(observer: news)
    }

    deinit {
        close()
    }

    /// Opens the ledger, and creates it if there is none.
    ///
    /// A damaged ledger is set aside and its scans are rescued: see ``openReport``. Reads the whole file once,
    /// on a thread of its own.
    ///
    /// - Parameters:
    ///   - ledger: The file, in a folder that exists and is backed up by nobody, such as one in Application Support.
    ///   - secrets: Where the device's token and keys are kept: ``KeychainSecretStore`` in an app.
    ///   - clock: Replaces the system's clocks, for tests.
    ///   - allowHttp: Takes servers without TLS at any address. Only for networks you own; loopback, private and
    ///     `.local` addresses are taken anyway.
    /// - Throws: `ScannerError.Storage` if the file cannot be used; it is then as it was.
    ///   `ScannerError.Secrets` if the keystore cannot be read.
    public static func open(
        ledger: URL,
        secrets: any SecretStore,
        clock: (any HostClock)? = nil,
        allowHttp: Bool = false
    ) async throws(ScannerError) -> TicketScanner {
        let config = ScannerConfig(ledgerPath: ledger.path, allowHttp: allowHttp)
        return try await blockingCall(ScannerError.self) {
            try TicketScanner(LiventixGenerated.Scanner.open(config: config, secrets: secrets, clock: clock))
        }
    }

    /// What was found when the ledger was opened. Tell people of a rescue: scans may be missing.
    public var openReport: OpenReport { scanner.openReport() }

    /// Turns this installation into a device: trades the organiser's one-time code for a token.
    ///
    /// Tried once only: if the answer is lost or the task is cancelled, the code may be used up, and the
    /// organiser makes a new one.
    ///
    /// - Parameters:
    ///   - code: The enrolment code, as scanned or pasted.
    ///   - deviceName: What people call this device, e.g. `North gate 2`.
    /// - Throws: `ScannerError.EnrolmentCode` for another text;
    ///   `ScannerError.UnsentScans`; `ScannerError.Network`;
    ///   `ScannerError.Server` with `enrolment_code_used`,
    ///   `enrolment_code_expired` or `enrolment_code_unknown`.
    @discardableResult
    public func enrol(code: String, deviceName: String) async throws(ScannerError) -> Device {
        try await cancellableCall(ScannerError.self) { [scanner] cancellation in
            try await scanner.enrol(code: code, deviceName: deviceName, cancellation: cancellation)
        }
    }

    /// What this installation is enrolled as; nil before that.
    public func device() throws(ScannerError) -> Device? {
        try call(ScannerError.self) { try scanner.device() }
    }

    /// Closes the ledger, ends every stream, and ends every call under way with
    /// `ScannerError.Closed`. May be called again. The same file may be opened again at once.
    public func close() {
        scanner.shutdown()
        news.finish()
    }
}
