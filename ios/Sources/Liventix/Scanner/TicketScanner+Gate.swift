import LiventixGenerated

// At the gate. Everything here works without a network.
extension TicketScanner {
    /// Scans one text, as a camera or a hand scanner read it or a person typed it: signed codes, manual codes,
    /// codes of older systems.
    ///
    /// The verdict is on disk when this returns. A bad code is no error but a refusal, and recorded. Takes a
    /// fraction of a millisecond and one durable write, so it may be called from the main thread.
    ///
    /// - Throws: Only if the door is set up wrongly or the disk fails: then nobody was admitted, and nothing
    ///   recorded.
    public func scan(_ text: String, at gateway: Gateway) throws(ScannerError) -> Verdict {
        try call(ScannerError.self) { try scanner.scan(text: text, gateway: gateway) }
    }
}
