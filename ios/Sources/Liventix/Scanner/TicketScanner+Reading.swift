import Foundation
import LiventixGenerated

// What a door shows besides verdicts.
extension TicketScanner {
    /// The events this device may scan, by start, as far as their lists have come.
    public func events() throws(ScannerError) -> [Event] {
        try call(ScannerError.self) { try scanner.events() }
    }

    /// The live numbers of an event, as far as this device knows.
    public func counts(eventId: String) throws(ScannerError) -> Counts {
        try call(ScannerError.self) { try scanner.counts(eventId: eventId) }
    }

    /// Tickets that were admitted more often than they allow, with the evidence of both sides.
    public func conflicts(eventId: String) throws(ScannerError) -> [Conflict] {
        try call(ScannerError.self) { try scanner.conflicts(eventId: eventId) }
    }

    /// Scans made on this device, oldest first.
    ///
    /// - Parameters:
    ///   - seq: Only those after the one with this number; 0: from the first.
    ///   - limit: The most to return, up to 1,000.
    public func scans(after seq: Int64 = 0, limit: UInt32 = 1_000) throws(ScannerError) -> [ScanRow] {
        try call(ScannerError.self) { try scanner.scans(afterSeq: seq, limit: limit) }
    }

    /// How many scans wait for their upload, and since when.
    public func unsent() throws(ScannerError) -> Unsent {
        try call(ScannerError.self) { try scanner.unsent() }
    }

    /// Scans the server took but set aside, each with the stable code that says why. The organiser sees them.
    public func quarantined() throws(ScannerError) -> [QuarantinedScan] {
        try call(ScannerError.self) { try scanner.quarantined() }
    }

    /// Writes every unsent scan to a new file, one JSON object a line: for a device that cannot reach its
    /// server any more. The file holds no secret and no name.
    ///
    /// - Returns: How many scans were written.
    /// - Throws: `ScannerError.Storage` if there is a file already or it cannot be written.
    @discardableResult
    public func exportUnsent(to file: URL) throws(ScannerError) -> UInt64 {
        try call(ScannerError.self) { try scanner.exportUnsent(path: file.path) }
    }
}
