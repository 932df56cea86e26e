import Foundation
import Liventix
import LiventixTestSupport
import Testing

private let noTicket = "0198f5c3-1b80-7000-8000-000000000002"

/// A link that is in order, to a server that is none.
private func link(to server: SilentServer) -> String {
    let secret = String(repeating: "A", count: 43)
    return "http://127.0.0.1:\(server.port)/t/lxt_0198f5c31b8070008000000000000002_\(secret)"
}

@Suite("The life of a wallet", .serialized, .timeLimit(.minutes(5)))
struct WalletLifeTests {
    @Test("An empty secret store is an empty wallet")
    func empty() async throws {
        let wallet = try await TicketWallet.open(secrets: MemorySecretStore())
        #expect(try wallet.tickets().isEmpty)
        #expect(try await wallet.refresh() == RefreshReport(updated: [], gone: [], failed: []))
        let error = try await thrown(WalletError.self) { try wallet.ticket(ticketId: noTicket) }
        #expect(error.code == "ticket_unknown")
        #expect(error.localizedDescription == error.detail)
        try wallet.forget(ticketId: noTicket)
    }

    @Test("Every call after closing throws Closed")
    func closed() async throws {
        let wallet = try await TicketWallet.open(secrets: MemorySecretStore())
        let claimed = link(to: try SilentServer())
        wallet.close()
        wallet.close()
        let calls: [@Sendable () async throws -> Void] = [
            { _ = try wallet.tickets() },
            { _ = try wallet.ticket(ticketId: noTicket) },
            { _ = try wallet.liveCode(ticketId: noTicket) },
            { _ = try wallet.printedCode(ticketId: noTicket) },
            { try wallet.forget(ticketId: noTicket) },
            { try await wallet.claim(link: claimed, phoneName: "Phone") },
            { try await wallet.refresh() },
            { try await wallet.activateLive(ticketId: noTicket) },
            { _ = try await wallet.transfer(ticketId: noTicket) },
            { try await wallet.cancelTransfer(ticketId: noTicket) },
            { try await wallet.release(ticketId: noTicket) },
        ]
        for call in calls {
            let error = try await thrown(WalletError.self) { try await call() }
            #expect(error.code == "closed")
        }
    }

    @Test("What is no link is said in words")
    func notALink() async throws {
        let wallet = try await TicketWallet.open(secrets: MemorySecretStore())
        let error = try await thrown(WalletError.self) {
            try await wallet.claim(link: "a shopping list", phoneName: "Phone")
        }
        #expect(error.code == "not_a_ticket_link")
    }

    @Test("Cancelling the task ends the claim in Rust: the server sees the connection end")
    func cancelled() async throws {
        let (server, wallet) = (try SilentServer(), try await TicketWallet.open(secrets: MemorySecretStore()))
        let task = Task { try await wallet.claim(link: link(to: server), phoneName: "Phone") }
        let visitor = await server.asked()
        task.cancel()
        let error = try await thrown(WalletError.self) { try await task.value }
        #expect(error.code == "cancelled")
        await visitor.left()
        #expect(try wallet.tickets().isEmpty)
    }

    @Test("A keystore that throws something of its own is an error, not the end")
    func keystoreThrows() async throws {
        let error = try await thrown(WalletError.self) {
            try await TicketWallet.open(secrets: ThrowingSecretStore()).tickets()
        }
        #expect(error.code == "secrets")
    }

    @Test("10,000 wallets are opened, half of them closed, and none keeps the secret store alive")
    func manyObjects() async throws {
        let (life, end) = AsyncStream.makeStream(of: Never.self)
        try await openMany(with: MortalSecretStore(end))
        for await _ in life {}
    }

    private func openMany(with secrets: MortalSecretStore) async throws {
        for turn in 0..<10_000 {
            let wallet = try await TicketWallet.open(secrets: secrets)
            if turn.isMultiple(of: 2) { wallet.close() }
        }
    }
}
