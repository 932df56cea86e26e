import Liventix
import LiventixTestSupport
import Testing

/// The quick starts of the README, as tests/readme_quick_starts took them from there.
@Suite("The README's quick starts do what they say", .serialized, .timeLimit(.minutes(5)))
struct QuickStartTests {
    @Test("A door admits a ticket")
    func door() async throws {
        try await withServer { server in
            let folder = try TemporaryFolder()
            let ticket = server.tickets("Day ticket")[0]
            let verdict = try await quickStartDoor(
                folder: folder.url.path, secrets: MemorySecretStore(),
                enrolmentQr: server.enrolmentCode(), ticketQr: ticket.code)
            #expect(verdict.outcome == .admit && verdict.confidence == .green)
            #expect(verdict.line == "Welcome, \(ticket.attendeeName) · Day ticket")
        }
    }

    @Test("A pocket's live code opens the door, and the server knows where its messages go")
    func pocket() async throws {
        try await withServer { server in
            let folder = try TemporaryFolder()
            let link = try #require(server.tickets("Day ticket")[0].link)
            let secrets = MemorySecretStore()
            let code = try await quickStartPocket(secrets: secrets, link: link, pushToken: newApnsToken())
            let scanner = try await server.scanner(in: folder, named: "North 1")
            #expect(try scanner.scan(code.text, at: server.gateway()).outcome == .admit)
            #expect(try await PushRegistrar.open(secrets: secrets).status().state == .registered)
        }
    }
}
