import Foundation
import Liventix

// At the gate.
extension DoorViewModel {
    /// Scans a code that a person typed or a hand scanner read.
    public func scan(_ text: String) {
        pass(.text(text)) { (scanner, gateway) throws(ScannerError) in try scanner.scan(text, at: gateway) }
    }

    /// Takes what a camera sees, picture by picture: a code that is held before it is one scan, and its verdict
    /// stays as long as it is held.
    public func cameraSaw(_ text: String) {
        if verdict != nil, shown == .text(text) {
            verdictTime.start(verdictStays) { [weak self] in self?.dismissVerdict() }
        } else {
            scan(text)
        }
    }

    /// Lets the people of ``verdict`` pass though it was refused. `note` says why.
    public func force(note: String) {
        switch shown {
        case .text(let text):
            pass(.text(text)) { (scanner, gateway) throws(ScannerError) in
                try scanner.force(text, at: gateway, note: note)
            }
        case .ticket(let ticketId):
            pass(.ticket(ticketId)) { (scanner, gateway) throws(ScannerError) in
                try scanner.force(ticketId: ticketId, at: gateway, note: note)
            }
        case nil:
            break
        }
    }

    /// Looks for tickets by their holder's name; an empty name finds none.
    public func search(_ name: String) {
        guard let place, !name.allSatisfy(\.isWhitespace) else {
            found = []
            return
        }
        attempt { () throws(ScannerError) in
            found = try scanner.search(name, eventId: place.event.eventId, limit: 20)
        }
    }

    /// Admits a ticket that was found by name.
    public func admit(_ ticket: FoundTicket) {
        let ticketId = ticket.ticketId
        pass(.ticket(ticketId)) { (scanner, gateway) throws(ScannerError) in
            try scanner.admit(ticketId: ticketId, at: gateway)
        }
        found = []
    }

    /// Takes the last passage back. `note` says why.
    public func undo(note: String) {
        guard let offer = undoOffer else { return }
        let done = attempt { () throws(ScannerError) in
            undone = try scanner.undo(scanId: offer.scanId, note: note)
        }
        guard done else { return }
        withdrawUndo()
        clearVerdict()
        refresh()
        verdictTime.start(verdictStays) { [weak self] in self?.dismissVerdict() }
    }

    /// Takes the verdict off the screen.
    public func dismissVerdict() {
        verdictTime.stop()
        clearVerdict()
        undone = nil
    }

    private func clearVerdict() {
        (verdict, shown, canForce) = (nil, nil, false)
    }

    func withdrawUndo() {
        undoTime.stop()
        undoOffer = nil
    }

    private func pass(
        _ shown: Shown, by attemptAt: (TicketScanner, Gateway) throws(ScannerError) -> Verdict
    ) {
        guard let place else { return }
        let gateway = Gateway(
            eventId: place.event.eventId, gateId: place.gate.gateId, direction: direction, people: people)
        attempt { () throws(ScannerError) in
            let verdict = try attemptAt(scanner, gateway)
            show(verdict, of: shown, at: place)
            counts = try scanner.counts(eventId: place.event.eventId)
            unsent = try scanner.unsent()
        }
    }

    private func show(_ verdict: Verdict, of shown: Shown, at place: DoorPlace) {
        undone = nil
        (self.verdict, self.shown) = (verdict, shown)
        canForce = place.isSupervised && verdict.outcome != .admit
        verdictTime.start(verdictStays) { [weak self] in self?.dismissVerdict() }
        guard verdict.outcome == .admit else { return }
        people = 1
        offerUndo(of: verdict, at: place)
    }

    private func offerUndo(of verdict: Verdict, at place: DoorPlace) {
        guard let window = place.event.undoWindow else { return withdrawUndo() }
        undoOffer = UndoOffer(
            scanId: verdict.scanId, attendeeName: verdict.ticket?.attendeeName, people: verdict.people,
            direction: direction)
        undoTime.start(.seconds(window)) { [weak self] in self?.withdrawUndo() }
    }
}
