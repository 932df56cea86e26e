import Foundation
import Liventix
import LiventixTestSupport
import Testing

@Suite("A door at a real server, end to end", .serialized, .timeLimit(.minutes(5)))
struct DoorEndToEndTests {
    @Test("Two doors that admit one ticket without a network see the conflict once they are in touch again")
    func conflict() async throws {
        try await withServer { server in
            let folder = try TemporaryFolder()
            let now = Int64(Date().timeIntervalSince1970 * 1_000)
            let later = ManualClock(wallMs: now)
            let north = try await server.scanner(in: folder, named: "North 1", clock: ManualClock(wallMs: now))
            let south = try await server.scanner(in: folder, named: "South 1", clock: later)
            let (told, passages) = (north.newConflicts(), north.otherDoorScans())
            let ticket = server.tickets("Day ticket")[0]

            try await server.stop()
            let here = try north.scan(ticket.code, at: server.gateway(0))
            later.advance(ms: 5_000)
            let there = try south.scan(ticket.code, at: server.gateway(1))
            #expect(here.reason == .entered && there.reason == .entered)
            #expect(here.ticket?.attendeeName == ticket.attendeeName)
            let error = try await thrown(ScannerError.self) { try await north.sync() }
            #expect(error.mayPass)
            #expect(try north.unsent().count == 1)
            #expect(try north.conflicts(eventId: server.facts.eventId).isEmpty)

            try await server.start()
            #expect(try await north.sync().pushed == 1)
            #expect(try await south.sync().pushed == 1)
            try await north.sync()

            let conflict = try #require(try north.conflicts(eventId: server.facts.eventId).first)
            #expect(conflict.ticketId == ticket.ticketId)
            #expect(conflict.standing.scanId == here.scanId)
            #expect(conflict.excess.scanId == there.scanId)
            #expect(conflict.excess.gateName == server.facts.gates[1].name)
            #expect(try south.conflicts(eventId: server.facts.eventId) == [conflict])
            #expect(await told.first { _ in true } == [conflict])
            #expect(await passages.first { _ in true }?.map(\.scanId) == [there.scanId])
            #expect(try north.counts(eventId: server.facts.eventId).conflicts == 1)

            let again = try north.scan(ticket.code, at: server.gateway(0))
            #expect(again.outcome != .admit)
            #expect(again.firstAdmission?.scanId == here.scanId)
        }
    }

    @Test("Several listeners hear of a sync, each for itself, and one that does not read delays nobody")
    func listeners() async throws {
        try await withServer { server in
            let folder = try TemporaryFolder()
            let scanner = try await TicketScanner.open(
                ledger: folder.file("door.db"), secrets: MemorySecretStore())
            try await scanner.enrol(code: server.enrolmentCode(), deviceName: "North 1")
            let streams = [scanner.syncProgress(), scanner.syncProgress()]
            let neverRead = scanner.syncProgress()
            for _ in 0..<50 { try await scanner.sync() }
            scanner.close()
            for stream in streams {
                #expect(await stream.contains { if case .pulling = $0 { true } else { false } })
            }
            withExtendedLifetime(neverRead) {}
        }
    }

    @Test("While it watches, a door uploads by itself and hears of the others")
    func watching() async throws {
        try await withServer { server in
            let folder = try TemporaryFolder()
            let north = try await server.scanner(in: folder, named: "North 1")
            let south = try await server.scanner(in: folder, named: "South 1")
            let (links, passages) = (north.linkStates(), north.otherDoorScans())
            try north.startWatching(eventId: server.facts.eventId)
            try south.startWatching(eventId: server.facts.eventId)
            #expect(await links.first { _ in true } == .online)

            let verdict = try south.scan(server.tickets("Day ticket")[0].code, at: server.gateway(1))
            #expect(await passages.first { _ in true }?.map(\.scanId) == [verdict.scanId])
            // Who comes later hears first how things stand.
            #expect(await north.linkStates().first { _ in true } == .online)

            try await server.stop()
            let offline = await north.linkStates().first { $0 != .online }
            guard case .offline(let code, let detail, _) = offline else {
                Issue.record("\(String(describing: offline))")
                return
            }
            #expect(!code.isEmpty && !detail.isEmpty)
            try north.stopWatching()
        }
    }

    @Test("Scans from many threads are each recorded once, and admit a ticket once")
    func manyThreads() async throws {
        try await withServer { server in
            let folder = try TemporaryFolder()
            let scanner = try await server.scanner(in: folder, named: "North 1")
            let codes = server.tickets("Day ticket").map(\.code)
            let admitted = try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<200 {
                    group.addTask {
                        let code = codes[number % codes.count]
                        return try scanner.scan(code, at: server.gateway()).outcome == .admit
                    }
                }
                return try await group.reduce(into: 0) { if $1 { $0 += 1 } }
            }
            #expect(admitted == codes.count)
            #expect(try scanner.scans().map(\.seq) == Array(1...200))
            #expect(try await scanner.sync().pushed == 200)
        }
    }

    @Test("What a door is lent may throw at every call: it scans and syncs all the same")
    func unrulyHost() async throws {
        let log = ThrowingLog()
        LiventixLibrary.setLog(log, level: .debug)
        defer { LiventixLibrary.setLog(nil) }
        try await withServer { server in
            let folder = try TemporaryFolder()
            let scanner = try await server.scanner(in: folder, named: "North 1", clock: ThrowingClock())
            #expect(try scanner.scan(server.tickets("Day ticket")[0].code, at: server.gateway()).outcome == .admit)
            #expect(try await scanner.sync().pushed == 1)
        }
        #expect(log.lines > 0)
    }

    @Test("A revoked device says so, and its keys are gone from the phone")
    func revoked() async throws {
        try await withServer { server in
            let (folder, secrets) = (try TemporaryFolder(), MemorySecretStore())
            let scanner = try await server.scanner(in: folder, named: "North 1", secrets: secrets)
            let device = try #require(try scanner.device())
            let keys = secrets.all.count
            _ = try await server.organiser("DELETE", "/v1/devices/\(device.deviceId)")
            let error = try await thrown(ScannerError.self) { try await scanner.sync() }
            #expect(error.code == "device_revoked")
            #expect(secrets.all.count < keys)
            #expect(try scanner.device()?.revoked == true)
            let refused = try await thrown(ScannerError.self) {
                try scanner.scan(server.tickets("Day ticket")[0].code, at: server.gateway())
            }
            #expect(refused.code == "device_revoked")
        }
    }
}
