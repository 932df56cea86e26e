import Foundation
import Liventix
import LiventixTestSupport
import Testing

@Suite("The life of a scanner", .serialized, .timeLimit(.minutes(5)))
struct LifeCycleTests {
    let folder: TemporaryFolder
    var ledger: URL { folder.file("door.db") }

    init() throws {
        folder = try TemporaryFolder()
    }

    @Test("A ledger is created once, and opened after that")
    func createdOnce() async throws {
        #expect(try await TicketScanner.open(ledger: ledger, secrets: MemorySecretStore()).openReport == .created)
        #expect(try await TicketScanner.open(ledger: ledger, secrets: MemorySecretStore()).openReport == .opened)
    }

    @Test("A file that is no ledger is left alone, and the error says what to do")
    func notALedger() async throws {
        try Data("a shopping list".utf8).write(to: ledger)
        let error = try await thrown(ScannerError.self) { [ledger] in
            _ = try await TicketScanner.open(ledger: ledger, secrets: MemorySecretStore())
        }
        #expect(error.code == "not_a_ledger")
        #expect(error.localizedDescription == error.detail)
        #expect(error.detail.contains("choose another path"))
        #expect(!error.mayPass)
        #expect(try String(contentsOf: ledger, encoding: .utf8) == "a shopping list")
    }

    @Test("Every call after closing throws Closed")
    func closed() async throws {
        let scanner = try await TicketScanner.open(ledger: ledger, secrets: MemorySecretStore())
        scanner.close()
        scanner.close()
        let gateway = Gateway(eventId: "x", gateId: "y", direction: .entry)
        let calls: [@Sendable () async throws -> Void] = [
            { _ = try scanner.device() },
            { _ = try scanner.events() },
            { _ = try scanner.unsent() },
            { _ = try scanner.scans() },
            { _ = try scanner.quarantined() },
            { _ = try scanner.scan("LX1:", at: gateway) },
            { try scanner.stopWatching() },
            { try await scanner.sync() },
            { try await scanner.enrol(code: "LIVENTIX-ENROL:http://127.0.0.1:1#ABCD", deviceName: "Door") },
        ]
        for call in calls {
            let error = try await thrown(ScannerError.self) { try await call() }
            #expect(error.code == "closed")
        }
        #expect(scanner.openReport == .created)
        #expect(try folder.openFiles().isEmpty)
    }

    @Test("Streams end when the scanner is closed, also those asked for later")
    func streamsEnd() async throws {
        let scanner = try await TicketScanner.open(ledger: ledger, secrets: MemorySecretStore())
        let (early, conflicts) = (scanner.linkStates(), scanner.newConflicts())
        scanner.close()
        for await link in early { Issue.record("\(link)") }
        for await conflict in conflicts { Issue.record("\(conflict)") }
        for await progress in scanner.syncProgress() { Issue.record("\(progress)") }
    }

    @Test("Closing while others call ends in Closed for each of them, and in nothing worse")
    func closedWhileCalled() async throws {
        for _ in 0..<50 {
            let scanner = try await TicketScanner.open(ledger: ledger, secrets: MemorySecretStore())
            await withTaskGroup(of: String?.self) { group in
                for _ in 0..<4 {
                    group.addTask { Self.callUntilItFails(scanner) }
                }
                scanner.close()
                for await code in group { #expect(code == nil || code == "closed") }
            }
            let error = try await thrown(ScannerError.self) { try scanner.unsent() }
            #expect(error.code == "closed")
        }
        #expect(try folder.openFiles().isEmpty)
    }

    /// Gives up by itself, so that the thread it keeps busy is free for the one that closes.
    private static func callUntilItFails(_ scanner: TicketScanner) -> String? {
        for _ in 0..<1_000 {
            do throws(ScannerError) {
                _ = try scanner.unsent()
            } catch {
                return error.code
            }
        }
        return nil
    }

    @Test("A scanner that nobody refers to closes its ledger")
    func deinitCloses() async throws {
        var scanner: TicketScanner? = try await TicketScanner.open(ledger: ledger, secrets: MemorySecretStore())
        weak var reference = scanner
        let links = try #require(scanner).linkStates()
        #expect(try !folder.openFiles().isEmpty)
        scanner = nil
        // The thread that opened it may hold it a moment longer.
        for await link in links { Issue.record("\(link)") }
        #expect(reference == nil)
        #expect(try folder.openFiles().isEmpty)
    }

    @Test("10,000 scanners are opened and closed, half of them by nobody referring to them, and no file stays open")
    func manyObjects() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<2 {
                group.addTask { [ledger = folder.file("\(number).db")] in
                    for turn in 0..<5_000 {
                        for await _ in try await Self.links(of: ledger, closed: turn.isMultiple(of: 2)) {}
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try folder.openFiles().isEmpty)
    }

    /// A stream of a scanner that is closed, or that nobody refers to any more: it ends with the scanner.
    private static func links(of ledger: URL, closed: Bool) async throws -> AsyncStream<LinkState> {
        let scanner = try await TicketScanner.open(ledger: ledger, secrets: MemorySecretStore())
        let links = scanner.linkStates()
        if closed { scanner.close() }
        return links
    }
}
