import Foundation
import Liventix

// Becoming a device, and standing somewhere.
extension DoorViewModel {
    /// Enrols this installation and loads the lists of its events.
    public func enrol(code: String, deviceName: String) async {
        await wait { () async throws(ScannerError) in
            device = try await scanner.enrol(code: code, deviceName: deviceName)
            _ = try await scanner.sync()
        }
        afterSync()
    }

    /// Syncs once: uploads, and learns what other doors did.
    public func sync() async {
        await wait { () async throws(ScannerError) in
            _ = try await scanner.sync()
        }
        afterSync()
    }

    /// Stands at a gate, and stays in touch with the other doors from now on.
    public func choose(eventId: String, gateId: String) {
        guard let event = events.first(where: { $0.eventId == eventId }),
            let gate = event.gates.first(where: { $0.gateId == gateId })
        else { return }
        leave()
        place = DoorPlace(event: event, gate: gate)
        refresh()
        attempt { () throws(ScannerError) in try scanner.startWatching(eventId: eventId) }
    }

    /// Goes back to the choice.
    public func leave() {
        attempt { () throws(ScannerError) in try scanner.stopWatching() }
        (place, counts, conflicts, unseenConflicts, link, found) = (nil, nil, [], [], nil, [])
        dismissVerdict()
        withdrawUndo()
    }

    /// Looks at everything a door depends on.
    public func checkReadiness() async {
        await wait { () async throws(ScannerError) in
            readiness = try await scanner.readiness(askServer: true)
        }
    }

    /// Writes what could not be uploaded to a file, for a device that cannot reach its server any more.
    public func exportUnsent(to file: URL) -> UInt64? {
        var count: UInt64?
        attempt { () throws(ScannerError) in count = try scanner.exportUnsent(to: file) }
        return count
    }

    private func afterSync() {
        progress = nil
        refresh()
        // The organiser may have changed the event, or taken the gate away.
        guard let place else { return }
        let event = events.first { $0.eventId == place.event.eventId }
        let gate = event?.gates.first { $0.gateId == place.gate.gateId }
        if let event, let gate { self.place = DoorPlace(event: event, gate: gate) } else { leave() }
    }
}
