import Foundation
import Liventix
import LiventixSamples
import LiventixTestSupport
import Testing

/// A pocket at a real server, with a clock that the test moves.
@MainActor
private struct Pocket {
    let server: TestServer
    let model: WalletViewModel
    let clock = SteppedClock()
    /// What codes are dated by.
    let phone = ManualClock(wallMs: Int64(Date().timeIntervalSince1970 * 1_000))

    init(_ server: TestServer) async throws {
        self.server = server
        let wallet = try await TicketWallet.open(secrets: MemorySecretStore(), clock: phone)
        model = WalletViewModel(wallet: wallet, phoneName: "Ada's phone", clock: clock)
    }

    var ticket: TestServer.Ticket { server.tickets("Day ticket")[0] }

    func claim() async throws {
        try await model.claim(link: #require(ticket.link))
        #expect(model.problem == nil)
    }
}

@MainActor
private func withPocket(event: String = "{}", _ body: (Pocket) async throws -> Void) async throws {
    try await withServer(event: event) { server in
        try await body(Pocket(server))
    }
}

@MainActor
@Suite("The wallet's view model", .serialized, .timeLimit(.minutes(5)))
struct WalletViewModelTests {
    @Test("A claimed ticket is listed and opened with its printed code")
    func claims() async throws {
        try await withPocket { pocket in
            let (model, ticket) = (pocket.model, pocket.ticket)
            await model.claim(link: "a shopping list")
            #expect(model.problem?.code == "not_a_ticket_link")
            #expect(model.tickets.isEmpty)

            try await pocket.claim()
            #expect(model.tickets.map(\.ticketId) == [ticket.ticketId])
            let open = try #require(model.openTicket)
            #expect(open.code == .printed(PrintedCode(text: ticket.code, manualCode: ticket.manualCode, accepted: true)))
            #expect(open.manualCode == ticket.manualCode)
            #expect(try QrCode.matrix(ticket.code) == open.matrix)
            #expect(!model.isWaiting)
            model.putAway()
            #expect(model.openTicket == nil)
        }
    }

    @Test("A live code is renewed by itself while the ticket is open, without a network")
    func renews() async throws {
        try await withPocket { pocket in
            let (model, ticketId) = (pocket.model, pocket.ticket.ticketId)
            try await pocket.claim()
            await model.activateLive(ticketId: ticketId)
            try await pocket.server.stop()
            for _ in 0..<3 {
                let shown = model.openTicket
                guard case .live(let code) = shown?.code else {
                    Issue.record("\(String(describing: shown?.code))")
                    return
                }
                await pocket.clock.asleep(1)
                pocket.phone.advance(ms: Int64(code.refreshIn * 1_000))
                pocket.clock.advance(by: .seconds(code.refreshIn - 0.1))
                #expect(model.openTicket == shown)
                pocket.clock.advance(by: .seconds(0.2))
                await until { model.openTicket != shown }
                #expect(model.openTicket?.ticket.ticketId == ticketId)
            }
            await pocket.clock.asleep(1)
            model.putAway()
            #expect(model.openTicket == nil)
        }
    }

    @Test("Where doors take live codes only, the printed one says that it is not accepted")
    func fallsBack() async throws {
        try await withPocket(event: #"{"policy": {"printed": "refused"}}"#) { pocket in
            let (model, ticketId) = (pocket.model, pocket.ticket.ticketId)
            try await pocket.claim()
            guard case .printed(let code) = model.openTicket?.code else {
                Issue.record("\(String(describing: model.openTicket?.code))")
                return
            }
            #expect(!code.accepted)
            await model.activateLive(ticketId: ticketId)
            guard case .live = model.openTicket?.code else {
                Issue.record("\(String(describing: model.openTicket?.code))")
                return
            }
        }
    }

    @Test("A ticket is handed on by a link, which can be taken back")
    func transfers() async throws {
        try await withPocket { pocket in
            let (model, ticketId) = (pocket.model, pocket.ticket.ticketId)
            try await pocket.claim()
            await model.transfer(ticketId: ticketId)
            #expect(model.offer?.link.isEmpty == false)
            #expect(model.tickets.first?.transferUntil != nil)
            await model.cancelTransfer(ticketId: ticketId)
            #expect(model.offer == nil)
            #expect(model.tickets.first?.transferUntil == nil)
        }
    }

    @Test("A server that is away is named, and every ticket stays")
    func offline() async throws {
        try await withPocket { pocket in
            let (model, ticketId) = (pocket.model, pocket.ticket.ticketId)
            try await pocket.claim()
            try await pocket.server.stop()
            await model.refresh()
            #expect(model.unreachable.map(\.serverUrl) == [pocket.server.facts.url])
            #expect(model.problem == nil)
            await model.transfer(ticketId: ticketId)
            #expect(model.problem?.mayPass == true)
            #expect(model.openTicket?.ticket.ticketId == ticketId)
            try await pocket.server.start()
            await model.refresh()
            #expect(model.unreachable.isEmpty)
        }
    }

    @Test("A ticket that is given back or forgotten is put away")
    func leaves() async throws {
        try await withPocket { pocket in
            let (model, ticketId) = (pocket.model, pocket.ticket.ticketId)
            try await pocket.claim()
            await model.release(ticketId: ticketId)
            #expect(model.tickets.isEmpty)
            #expect(model.openTicket == nil)
            try await pocket.claim()
            model.forget(ticketId: ticketId)
            #expect(model.tickets.isEmpty)
            #expect(model.openTicket == nil)
        }
    }
}
