import Foundation
import Liventix
import LiventixTestSupport
import Testing

@Suite("A wallet at a real server, end to end", .serialized, .timeLimit(.minutes(5)))
struct WalletEndToEndTests {
    private func wallet(_ secrets: MemorySecretStore = MemorySecretStore()) async throws -> TicketWallet {
        try await TicketWallet.open(secrets: secrets)
    }

    @Test("A ticket is claimed and activated; a live code minted without a network enters at a door without one")
    func liveCode() async throws {
        try await withServer { server in
            let (folder, secrets) = (try TemporaryFolder(), MemorySecretStore())
            let wallet = try await wallet(secrets)
            let ticket = server.tickets("Day ticket")[0]
            let claimed = try await wallet.claim(link: #require(ticket.link), phoneName: "Ada's phone")
            #expect(claimed.ticketId == ticket.ticketId)
            #expect(claimed.attendeeName == ticket.attendeeName)
            #expect(claimed.eventId == server.facts.eventId)
            #expect(!claimed.canMint)
            let early = try await thrown(WalletError.self) { try wallet.liveCode(ticketId: ticket.ticketId) }
            #expect(early.code == "not_activated")
            #expect(try await wallet.activateLive(ticketId: ticket.ticketId).canMint)
            let scanner = try await server.scanner(in: folder, named: "North 1")

            try await server.stop()
            wallet.close()
            // The app is started again, without a network.
            let again = try await self.wallet(secrets)
            let code = try again.liveCode(ticketId: ticket.ticketId)
            #expect(code.text != ticket.code)
            #expect(code.refreshIn > 0 && code.refreshAt < code.goodUntil)
            let verdict = try scanner.scan(code.text, at: server.gateway())
            #expect(verdict.reason == .entered)
            #expect(verdict.ticket?.ticketId == ticket.ticketId)
            let repeated = try scanner.scan(again.liveCode(ticketId: ticket.ticketId).text, at: server.gateway())
            #expect(repeated.outcome != .admit)
        }
    }

    @Test("The printed code is the organiser's, with and without a network")
    func printedCode() async throws {
        try await withServer { server in
            let wallet = try await wallet()
            let ticket = server.tickets("Day ticket")[0]
            try await wallet.claim(link: #require(ticket.link), phoneName: "Ada's phone")
            try await server.stop()
            let printed = try wallet.printedCode(ticketId: ticket.ticketId)
            #expect(printed == PrintedCode(text: ticket.code, manualCode: ticket.manualCode, accepted: true))
            #expect(try wallet.tickets().map(\.ticketId) == [ticket.ticketId])
            let report = try await wallet.refresh()
            #expect(report.failed.map(\.serverUrl) == [server.facts.url])
            #expect(report.gone.isEmpty)
            #expect(try wallet.tickets().count == 1)
        }
    }

    @Test("A second phone is refused in words, until the first gives the ticket back")
    func once() async throws {
        try await withServer { server in
            let (first, second) = (try await wallet(), try await wallet())
            let ticket = server.tickets("Day ticket")[0]
            let link = try #require(ticket.link)
            try await first.claim(link: link, phoneName: "Ada's phone")
            // An answer that was lost is given again.
            try await first.claim(link: link, phoneName: "Ada's phone")
            let error = try await thrown(WalletError.self) {
                try await second.claim(link: link, phoneName: "Bob's phone")
            }
            #expect(error.code == "already_claimed")
            #expect(!error.mayPass)
            try await first.release(ticketId: ticket.ticketId)
            #expect(try first.tickets().isEmpty)
            try await second.claim(link: link, phoneName: "Bob's phone")
        }
    }

    @Test("A ticket is handed on: the new holder enters, the old code is replaced")
    func transfer() async throws {
        try await withServer { server in
            let folder = try TemporaryFolder()
            let (first, second) = (try await wallet(), try await wallet())
            let ticket = server.tickets("Day ticket")[0]
            try await first.claim(link: #require(ticket.link), phoneName: "Ada's phone")

            _ = try await first.transfer(ticketId: ticket.ticketId)
            #expect(try first.ticket(ticketId: ticket.ticketId).transferUntil != nil)
            #expect(try await first.cancelTransfer(ticketId: ticket.ticketId).transferUntil == nil)
            let offer = try await first.transfer(ticketId: ticket.ticketId)
            try await second.claim(link: offer.link, phoneName: "Bob's phone")

            #expect(try await first.refresh().gone == [ticket.ticketId])
            #expect(try first.ticket(ticketId: ticket.ticketId).gone)
            let clock = ManualClock(wallMs: Int64(Date().timeIntervalSince1970 * 1_000))
            let scanner = try await server.scanner(in: folder, named: "North 1", clock: clock)
            // A code that replaces one of the same second is good from the next second on.
            clock.advance(ms: 2_000)
            #expect(try scanner.scan(ticket.code, at: server.gateway()).reason == .replaced)
            let code = try second.printedCode(ticketId: ticket.ticketId)
            #expect(try scanner.scan(code.text, at: server.gateway()).reason == .entered)
        }
    }

    @Test("Claims from many tasks at once are each answered, and the wallet holds every ticket")
    func manyClaims() async throws {
        try await withServer { server in
            let wallet = try await wallet()
            let links = server.facts.tickets.compactMap(\.link)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for link in links {
                    group.addTask { try await wallet.claim(link: link, phoneName: "Ada's phone") }
                }
                try await group.waitForAll()
            }
            #expect(Set(try wallet.tickets().map(\.ticketId)) == Set(server.facts.tickets.map(\.ticketId)))
        }
    }
}
