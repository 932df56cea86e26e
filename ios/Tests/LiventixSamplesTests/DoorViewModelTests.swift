import Foundation
import Liventix
import LiventixSamples
import LiventixTestSupport
import Testing

/// A door at a real server, with a clock that the test moves.
@MainActor
private struct Stand {
    let server: TestServer
    let folder: TemporaryFolder
    let scanner: TicketScanner
    let model: DoorViewModel
    let clock = SteppedClock()

    init(_ server: TestServer) async throws {
        self.server = server
        folder = try TemporaryFolder()
        scanner = try await TicketScanner.open(ledger: folder.file("door.db"), secrets: MemorySecretStore())
        model = DoorViewModel(scanner: scanner, verdictStays: .seconds(4), clock: clock)
    }

    /// Stands at the first gate.
    func begin(supervisor: Bool = false) async throws {
        try await model.enrol(code: server.enrolmentCode(supervisor: supervisor), deviceName: "North 1")
        model.choose(eventId: server.facts.eventId, gateId: server.facts.gates[0].gateId)
        // Only what the test does itself shall happen.
        try scanner.stopWatching()
        #expect(model.problem == nil)
    }
}

@MainActor
private func withDoor(
    event: String = "{}", supervisor: Bool = false, _ body: (Stand) async throws -> Void
) async throws {
    try await withServer(event: event) { server in
        let stand = try await Stand(server)
        try await stand.begin(supervisor: supervisor)
        try await body(stand)
    }
}

@MainActor
@Suite("The door's view model", .serialized, .timeLimit(.minutes(5)))
struct DoorViewModelTests {
    @Test("It begins with the enrolment, then offers the events and gates of the device")
    func begins() async throws {
        try await withServer { server in
            let stand = try await Stand(server)
            let model = stand.model
            #expect(model.device == nil)
            await model.enrol(code: "a shopping list", deviceName: "North 1")
            #expect(model.problem?.code == "not_an_enrolment_code")
            #expect(model.device == nil)

            try await model.enrol(code: server.enrolmentCode(), deviceName: "North 1")
            #expect(model.problem == nil)
            #expect(model.device?.deviceName == "North 1")
            #expect(model.events.map(\.eventId) == [server.facts.eventId])
            #expect(model.events.first?.gates.map(\.name) == server.facts.gates.map(\.name))
            #expect(!model.isWaiting)

            model.choose(eventId: server.facts.eventId, gateId: server.facts.gates[1].gateId)
            #expect(model.place?.gate.name == server.facts.gates[1].name)
            #expect(model.counts?.inside == 0)
            model.leave()
            #expect(model.place == nil)
            #expect(model.counts == nil)
        }
    }

    @Test("A verdict is shown with the new numbers, and goes away by itself")
    func verdictGoes() async throws {
        try await withDoor { stand in
            let model = stand.model
            model.people = 3
            model.scan(try #require(stand.server.tickets("Family ticket").first).code)
            #expect(model.verdict?.reason == .entered)
            #expect(model.verdict?.people == 3)
            #expect(model.people == 1)
            #expect(model.counts?.inside == 3)
            #expect(model.unsent?.count == 1)

            await stand.clock.asleep(2)
            stand.clock.advance(by: .seconds(3))
            #expect(model.verdict != nil)
            stand.clock.advance(by: .seconds(1))
            await until { model.verdict == nil }
        }
    }

    @Test("The number of people stays in its range")
    func people() async throws {
        try await withServer { server in
            let model = try await Stand(server).model
            model.people = 0
            #expect(model.people == 1)
            model.people = 2_000
            #expect(model.people == 1_000)
        }
    }

    @Test("A code that is held before the camera is one scan, and its verdict stays meanwhile")
    func heldCode() async throws {
        try await withDoor { stand in
            let model = stand.model
            let code = stand.server.tickets("Day ticket")[0].code
            model.cameraSaw(code)
            let first = try #require(model.verdict)
            for _ in 0..<3 {
                await stand.clock.asleep(2)
                stand.clock.advance(by: .seconds(3))
                model.cameraSaw(code)
            }
            #expect(model.verdict == first)
            #expect(try stand.scanner.scans().count == 1)

            model.cameraSaw(stand.server.tickets("Day ticket")[1].code)
            #expect(model.verdict?.reason == .entered)
            #expect(try stand.scanner.scans().count == 2)
        }
    }

    @Test("The last passage can be taken back within the event's window")
    func undo() async throws {
        try await withDoor { stand in
            let model = stand.model
            let ticket = stand.server.tickets("Day ticket")[0]
            model.scan(ticket.code)
            #expect(model.undoOffer?.attendeeName == ticket.attendeeName)
            model.undo(note: "")
            #expect(model.problem?.code == "note_invalid")
            #expect(model.undoOffer != nil)

            model.undo(note: "went to fetch a friend")
            #expect(model.problem == nil)
            #expect(model.undone?.ticketId == ticket.ticketId)
            #expect(model.undoOffer == nil)
            #expect(model.verdict == nil)
            #expect(model.counts?.inside == 0)
            model.scan(ticket.code)
            #expect(model.verdict?.outcome == .admit)
        }
    }

    @Test("The offer to take back goes with the window")
    func undoWindow() async throws {
        try await withDoor { stand in
            let model = stand.model
            model.scan(stand.server.tickets("Day ticket")[0].code)
            let window = try #require(model.place?.event.undoWindow)
            await stand.clock.asleep(2)
            stand.clock.advance(by: .seconds(window))
            await until { model.undoOffer == nil }
        }
    }

    @Test("A supervisor lets people pass who were refused")
    func force() async throws {
        try await withDoor(supervisor: true) { stand in
            let model = stand.model
            let code = stand.server.tickets("VIP")[0].code
            model.scan(code)
            #expect(model.verdict?.reason == .wrongGate)
            #expect(model.canForce)
            model.force(note: "")
            #expect(model.problem?.code == "note_invalid")
            model.force(note: "the south gate is shut")
            #expect(model.verdict?.reason == .forced)
            #expect(model.verdict?.overruled == .wrongGate)
            #expect(!model.canForce)
            #expect(model.counts?.inside == 1)
        }
    }

    @Test("Nobody else is offered that")
    func noForce() async throws {
        try await withDoor { stand in
            let model = stand.model
            model.scan(stand.server.tickets("VIP")[0].code)
            #expect(model.verdict?.outcome == .refuse)
            #expect(!model.canForce)
            model.force(note: "please")
            #expect(model.problem?.code == "not_supervisor")
        }
    }

    @Test("Guests without a code are found by name and admitted")
    func search() async throws {
        try await withDoor { stand in
            let model = stand.model
            let ticket = stand.server.tickets("Day ticket")[0]
            model.search(String(ticket.attendeeName.prefix(4)).uppercased())
            let found = try #require(model.found.first { $0.ticketId == ticket.ticketId })
            #expect(found.attendeeName == ticket.attendeeName)
            model.admit(found)
            #expect(model.verdict?.reason == .entered)
            #expect(model.found.isEmpty)
            model.search("  ")
            #expect(model.found.isEmpty)
        }
    }

    @Test("What other doors do comes by itself: their passages, conflicts, and the server that goes and comes")
    func otherDoors() async throws {
        try await withDoor { stand in
            let (model, server) = (stand.model, stand.server)
            let ticket = server.tickets("Day ticket")[0]
            let other = try await server.scanner(in: stand.folder, named: "South 1")
            model.scan(ticket.code)
            _ = try other.scan(ticket.code, at: server.gateway(1))
            try await other.sync()

            let listening = Task { await model.run() }
            model.choose(eventId: server.facts.eventId, gateId: server.facts.gates[0].gateId)
            await until { !model.unseenConflicts.isEmpty }
            #expect(model.conflicts.map(\.ticketId) == [ticket.ticketId])
            model.seeConflicts()
            #expect(model.unseenConflicts.isEmpty)
            await until { model.unsent?.count == 0 && model.link == .online }
            #expect(model.counts?.admittedPeople == 2)
            model.scan(server.tickets("Festival pass")[0].code)
            #expect(model.verdict?.outcome == .admit)
            // It may have gone up already.
            await until { model.unsent?.count == 0 }

            try await server.stop()
            await until { if case .offline = model.link { true } else { false } }
            model.scan(server.tickets("Day ticket")[1].code)
            #expect(model.verdict?.outcome == .admit)
            listening.cancel()
            await listening.value
        }
    }

    @Test("A server that is away is said in words, and scanning goes on")
    func offline() async throws {
        try await withDoor { stand in
            let model = stand.model
            try await stand.server.stop()
            await model.sync()
            #expect(model.problem?.mayPass == true)
            #expect(model.problem?.detail.isEmpty == false)
            model.scan(stand.server.tickets("Day ticket")[0].code)
            #expect(model.verdict?.outcome == .admit)
            #expect(model.problem == nil)
            try await stand.server.start()
            await model.sync()
            #expect(model.problem == nil)
            #expect(model.unsent?.count == 0)
        }
    }

    @Test("Readiness says whether doors may open, and unsent scans can be saved to a file")
    func readiness() async throws {
        try await withDoor { stand in
            let model = stand.model
            await model.checkReadiness()
            #expect(model.readiness?.ready == true)
            #expect(model.readiness?.items.contains { $0.check == .server && $0.state == .ready } == true)
            model.scan(stand.server.tickets("Day ticket")[0].code)
            let file = stand.folder.file("unsent.jsonl")
            #expect(model.exportUnsent(to: file) == 1)
            #expect(model.exportUnsent(to: file) == nil)
            #expect(model.problem?.code == "export_failed")
        }
    }
}
