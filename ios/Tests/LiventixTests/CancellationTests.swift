import Foundation
import Liventix
import LiventixTestSupport
import Testing

@Suite("Giving up on a call", .timeLimit(.minutes(1)))
struct CancellationTests {
    let folder: TemporaryFolder
    let scanner: TicketScanner

    init() async throws {
        folder = try TemporaryFolder()
        scanner = try await TicketScanner.open(ledger: folder.file("door.db"), secrets: MemorySecretStore())
    }

    private func enrolling(at server: SilentServer) -> Task<String?, Never> {
        Task { [scanner] in
            do throws(ScannerError) {
                try await scanner.enrol(code: server.enrolmentCode, deviceName: "Door")
                return nil
            } catch {
                return error.code
            }
        }
    }

    @Test("Cancelling the task ends the call in Rust: the server sees the connection end")
    func cancelled() async throws {
        let server = try SilentServer()
        let task = enrolling(at: server)
        let visitor = await server.asked()
        task.cancel()
        #expect(await task.value == "cancelled")
        await visitor.left()
        #expect(try scanner.device() == nil)
    }

    @Test("A task that is cancelled before it calls asks nobody")
    func cancelledBefore() async throws {
        let server = try SilentServer()
        let gate = AsyncStream.makeStream(of: Never.self)
        let task = Task { [scanner] in
            for await _ in gate.stream {}
            let error = try await thrown(ScannerError.self) {
                try await scanner.enrol(code: server.enrolmentCode, deviceName: "Door")
            }
            return error.code
        }
        task.cancel()
        gate.continuation.finish()
        #expect(try await task.value == "cancelled")
    }

    @Test("Closing ends the calls under way")
    func closed() async throws {
        let server = try SilentServer()
        let task = enrolling(at: server)
        let visitor = await server.asked()
        scanner.close()
        #expect(await task.value == "closed")
        await visitor.left()
    }

    @Test("A scanner may go away under a call: the call is still answered")
    func goesAway() async throws {
        let server = try SilentServer()
        let folder = try TemporaryFolder()
        let task = Task {
            let scanner = try await TicketScanner.open(ledger: folder.file("door.db"), secrets: MemorySecretStore())
            try await scanner.enrol(code: server.enrolmentCode, deviceName: "Door")
        }
        let visitor = await server.asked()
        task.cancel()
        await #expect(throws: ScannerError.self) { try await task.value }
        await visitor.left()
    }
}
