import LiventixGenerated

// At the gate. Everything here works without a network, and may be called from the main thread: a scan takes
// a fraction of a millisecond and one durable write.
extension TicketScanner {
    /// Scans one text, as a camera or a hand scanner read it or a person typed it: signed codes, manual codes,
    /// codes of older systems.
    ///
    /// The verdict is on disk when this returns. A bad code is no error but a refusal, and recorded.
    ///
    /// - Throws: Only if the door is set up wrongly or the disk fails: then nobody was admitted, and nothing
    ///   recorded.
    public func scan(_ text: String, at gateway: Gateway) throws(ScannerError) -> Verdict {
        try call(ScannerError.self) { try scanner.scan(text: text, gateway: gateway) }
    }

    /// Scans one text with a supervisor, who lets people pass though the rules refuse or ask.
    ///
    /// What cannot be overruled stays refused: cancelled, blocked and replaced tickets, and everything that is
    /// not authentic.
    ///
    /// - Parameters:
    ///   - text: As in ``scan(_:at:)``.
    ///   - gateway: Where and how people want to pass.
    ///   - note: Why, in one line of 1 to 200 characters; kept with the scan.
    /// - Throws: As ``scan(_:at:)``; `ScannerError.NotAllowed` if the organiser did not make this
    ///   device a supervisor's; `ScannerError.InvalidInput` for the note.
    public func force(_ text: String, at gateway: Gateway, note: String) throws(ScannerError) -> Verdict {
        try call(ScannerError.self) { try scanner.force(text: text, gateway: gateway, note: note) }
    }

    /// Admits a ticket that was picked from a ``search(_:eventId:limit:)``, by the same rules as a manual code.
    public func admit(ticketId: String, at gateway: Gateway) throws(ScannerError) -> Verdict {
        try call(ScannerError.self) { try scanner.admitListed(ticketId: ticketId, gateway: gateway) }
    }

    /// ``force(_:at:note:)`` for a ticket that was picked from a ``search(_:eventId:limit:)``.
    public func force(ticketId: String, at gateway: Gateway, note: String) throws(ScannerError) -> Verdict {
        try call(ScannerError.self) { try scanner.forceListed(ticketId: ticketId, gateway: gateway, note: note) }
    }

    /// Takes back a passage that this device made a moment ago: the guest went away again, or the wrong ticket
    /// was scanned. Durable when it returns, and other doors learn of it.
    ///
    /// - Parameters:
    ///   - scanId: The passage, by its verdict's `scanId`.
    ///   - note: Why, in one line of 1 to 200 characters.
    /// - Throws: `ScannerError.UndoRefused` if the passage stands.
    @discardableResult
    public func undo(scanId: String, note: String) throws(ScannerError) -> Undone {
        try call(ScannerError.self) { try scanner.undo(scanId: scanId, note: note) }
    }

    /// Tickets by their holder's name, best first. Upper and lower case and accents do not matter.
    ///
    /// - Parameters:
    ///   - name: Words of the name, or their beginnings: all must fit.
    ///   - eventId: The event.
    ///   - limit: The most to return, up to 50.
    public func search(_ name: String, eventId: String, limit: UInt32 = 20) throws(ScannerError) -> [FoundTicket] {
        try call(ScannerError.self) { try scanner.search(eventId: eventId, text: name, limit: limit) }
    }
}
