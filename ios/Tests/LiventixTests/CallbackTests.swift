import Foundation
import Liventix
import LiventixGenerated
import LiventixTestSupport
import Testing

/// A port where nobody listens: asking there is over at once.
private let nobody = "LIVENTIX-ENROL:http://127.0.0.1:1#ABCD"

@Suite("What an app lends, and how it misbehaves", .timeLimit(.minutes(1)))
struct CallbackTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func open(
        _ name: String = "door.db", secrets: any SecretStore = MemorySecretStore(), clock: (any HostClock)? = nil
    ) async throws -> TicketScanner {
        try await TicketScanner.open(ledger: folder.file(name), secrets: secrets, clock: clock)
    }

    @Test("A keystore that throws something of its own is an error, not the end")
    func keystoreThrows() async throws {
        let scanner = try await open(secrets: ThrowingSecretStore())
        let error = try await thrown(ScannerError.self) {
            try await scanner.enrol(code: nobody, deviceName: "Door")
        }
        guard case .Secrets = error else {
            Issue.record("\(error)")
            return
        }
        #expect(error.detail.contains("Surprise"))
    }

    @Test("A clock that throws is replaced by the system's")
    func clockThrows() async throws {
        let scanner = try await open(clock: ThrowingClock())
        #expect(try scanner.unsent().count == 0)
        #expect(try scanner.unsent().oldestAge == nil)
    }

    @Test("An observer that throws at each call changes nothing")
    func observerThrows() async throws {
        try await withServer { server in
            let config = ScannerConfig(ledgerPath: folder.file("raw.db").path)
            let scanner = try LiventixGenerated.Scanner.open(config: config, secrets: MemorySecretStore())
            let observer = ThrowingObserver()
            try scanner.setObserver(observer: observer)
            _ = try await scanner.enrol(code: server.enrolmentCode(), deviceName: "Door")
            #expect(try await scanner.sync().tickets == UInt64(server.facts.tickets.count))
            #expect(observer.calls > 0)
        }
    }

    @Test("Callbacks come from many threads at once")
    func manyThreads() async throws {
        let secrets = CountingSecretStore()
        await withTaskGroup(of: String?.self) { group in
            for number in 0..<64 {
                group.addTask {
                    do {
                        let scanner = try await open("\(number).db", secrets: secrets)
                        try await scanner.enrol(code: nobody, deviceName: "Door \(number)")
                        return nil
                    } catch {
                        return (error as? ScannerError)?.code
                    }
                }
            }
            for await code in group { #expect(code == "offline") }
        }
        #expect(secrets.calls >= 64)
    }
}

/// A keystore that counts how often it is asked.
private final class CountingSecretStore: SecretStore {
    private let inner = MemorySecretStore()
    private let lock = NSLock()
    nonisolated(unsafe) private var count = 0

    var calls: Int { lock.withLock { count } }

    private func counted() { lock.withLock { count += 1 } }

    func put(name: String, value: String) {
        counted()
        inner.put(name: name, value: value)
    }

    func get(name: String) -> String? {
        counted()
        return inner.get(name: name)
    }

    func delete(name: String) {
        counted()
        inner.delete(name: name)
    }
}

/// Hears of everything and throws. The library's own observer never does, so this one stands under it.
private final class ThrowingObserver: ScannerObserver {
    private let lock = NSLock()
    nonisolated(unsafe) private var count = 0

    var calls: Int { lock.withLock { count } }

    private func fail() throws {
        lock.withLock { count += 1 }
        throw Surprise()
    }

    func onSyncProgress(progress: SyncProgress) throws { try fail() }
    func onOtherDoorScans(scans: [OtherDoorScan]) throws { try fail() }
    func onConflicts(conflicts: [Conflict]) throws { try fail() }
    func onLink(link: LinkState) throws { try fail() }
}
