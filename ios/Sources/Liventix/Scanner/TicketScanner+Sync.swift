import LiventixGenerated

// Staying in touch with the server and, through it, with the other doors.
extension TicketScanner {
    /// One whole sync: compares clocks, uploads scans, fetches keys, lists and other doors' scans.
    ///
    /// May be called at any time. What it did before it failed or its task was cancelled is kept.
    ///
    /// - Throws: `ScannerError.Network` and
    ///   `ScannerError.Server` may pass by themselves: scanning goes on
    ///   meanwhile. `ScannerError.Revoked`, `ScannerError.NotEnrolled`,
    ///   `ScannerError.Storage` and `ScannerError.Secrets` need a person.
    @discardableResult
    public func sync() async throws(ScannerError) -> SyncReport {
        try await cancellableCall(ScannerError.self) { [scanner] cancellation in
            try await scanner.sync(cancellation: cancellation)
        }
    }

    /// Keeps this device in sync by itself, until ``stopWatching()``.
    ///
    /// Uploads each scan as it is made, hears of other doors' scans within a second, and keeps trying while
    /// there is no network. The streams tell of it all. Watching another event ends the watch before.
    public func startWatching(eventId: String) throws(ScannerError) {
        try call(ScannerError.self) { try scanner.startWatching(eventId: eventId) }
    }

    /// Ends ``startWatching(eventId:)``. A request under way is given up; nothing is lost by that.
    public func stopWatching() throws(ScannerError) {
        try call(ScannerError.self) { try scanner.stopWatching() }
    }

    /// Looks at everything a door depends on: storage, scans, enrolment, keys, lists, clock, uploads, a sample
    /// code. Reads the whole ledger: before doors open, not between scans.
    ///
    /// - Parameter askServer: Also whether the server answers, which a door can do without.
    /// - Throws: `ScannerError.Cancelled` and `ScannerError.Closed` only. What is
    ///   wrong with the door is in the answer.
    public func readiness(askServer: Bool = true) async throws(ScannerError) -> Readiness {
        try await cancellableCall(ScannerError.self) { [scanner] cancellation in
            try await scanner.readiness(askServer: askServer, cancellation: cancellation)
        }
    }
}
