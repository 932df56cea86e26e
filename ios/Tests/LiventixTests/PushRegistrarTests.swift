import Foundation
import Liventix
import LiventixTestSupport
import Testing

/// A server that there is not.
private let nowhere = "http://127.0.0.1:1"
private let someId = "0198f5c3-1b80-7000-8000-000000000002"
private let on = CategoryPreference(isOn: true, quietHours: nil)

@Suite("The registrar of push messages by itself", .serialized, .timeLimit(.minutes(5)))
struct PushRegistrarTests {
    private let token = newApnsToken()

    private func open(
        _ secrets: any SecretStore = MemorySecretStore(), clock: (any HostClock)? = nil
    ) async throws -> PushRegistrar {
        try await PushRegistrar.open(secrets: secrets, clock: clock)
    }

    /// A phone with a ticket of the server.
    private func claim(at server: TestServer, _ secrets: MemorySecretStore) async throws {
        let wallet = try await TicketWallet.open(secrets: secrets)
        let link = try #require(server.tickets("Day ticket")[0].link)
        try await wallet.claim(link: link, phoneName: "Ada's phone")
    }

    @Test("What is no token is refused by its name")
    func noToken() async throws {
        let registrar = try await open()
        let refused: [(PushService, String, String)] = [
            (.apns, " ", "push_token_empty"),
            (.apns, "32 bytes", "push_token_not_hex"),
            (.apnsSandbox, String(token.dropFirst(2)), "push_token_length"),
            (.fcm, "null", "push_token_shape"),
            (.fcmInstallation, token, "push_token_other_service"),
        ]
        for (service, text, code) in refused {
            let error = try await thrown(PushError.self) { try registrar.setToken(service: service, token: text) }
            guard case .Token = error else {
                Issue.record("\(error)")
                continue
            }
            #expect(error.code == code)
            #expect(error.localizedDescription == error.detail)
            #expect(!error.mayPass)
        }
    }

    @Test("A token waits for a network, also after a restart, until somebody signs out")
    func pending() async throws {
        try await withServer { server in
            let secrets = MemorySecretStore()
            try await claim(at: server, secrets)
            try await server.stop()
            let first = try await open(secrets)
            #expect(try first.status().state == .unregistered)
            let status = try first.setToken(service: .apns, token: token)
            #expect(status.servers.map(\.serverUrl) == [server.facts.url])
            #expect(status.servers.map(\.state) == [.pending])
            #expect(try #require(status.dueAt) <= Date(), "it is due at once")
            first.close()

            let registrar = try await open(secrets)
            #expect(try registrar.status().state == .pending)
            // No server has it yet, so none is to forget it.
            let over = try registrar.signOut()
            #expect(over.state == .unregistered)
            #expect(over.dueAt == nil)
            #expect(try !registrar.setPermission(.refused).isOn)
            #expect(try registrar.setToken(service: .apns, token: token).state == .unregistered)
            try registrar.setPermission(.allowed)
            #expect(try registrar.status().state == .pending)
        }
    }

    @Test("Each permission has its advice")
    func permissions() async throws {
        let registrar = try await open()
        let ways: [(PushPermission, Bool, PermissionAsk?)] = [
            (.notAsked, false, .system), (.refusedOnce, false, .system), (.refused, false, .settings),
            (.quiet, true, .system), (.allowed, true, nil),
        ]
        for (permission, isOn, ask) in ways {
            // Nobody was asked before.
            let advice = PermissionAdvice(isOn: isOn, onTap: ask, prompt: ask, promptAt: nil)
            #expect(try registrar.setPermission(permission) == advice)
            #expect(try registrar.advise(permission) == advice)
        }
    }

    @Test("Nobody is asked twice within a month")
    func pause() async throws {
        let (secrets, clock) = (MemorySecretStore(), ManualClock(wallMs: 1_795_780_800_000))
        let begin = Date(timeIntervalSince1970: 1_795_780_800)
        let first = try await open(secrets, clock: clock)
        #expect(try first.advise(.notAsked).prompt == .system)
        try first.prompted()
        clock.advance(ms: 5_000)
        try first.refused(.tooMany)
        first.close()

        let registrar = try await open(secrets, clock: clock)
        let refusal = Refusal(at: begin + 5, reason: .tooMany)
        #expect(try registrar.prompts() == PromptHistory(promptedAt: begin, refusals: [refusal]))
        let month: Int64 = 30 * 86_400
        let paused = PermissionAdvice(
            isOn: false, onTap: .settings, prompt: nil, promptAt: refusal.at + TimeInterval(month))
        #expect(try registrar.advise(.refused) == paused)
        clock.advance(ms: month * 1_000 - 1)
        #expect(try registrar.advise(.refused) == paused)
        clock.advance(ms: 1)
        let due = PermissionAdvice(isOn: false, onTap: .settings, prompt: .settings, promptAt: nil)
        #expect(try registrar.advise(.refused) == due)
    }

    @Test("A payload is read, and another text is not a message")
    func payloads() async throws {
        let registrar = try await open()
        let payload = """
            {"message_id":"\(someId)","server_url":"\(nowhere)","kind":"event_changed","category":"changes",\
            "event_id":"\(someId)","added_later":true}
            """
        let message = PushMessage(
            messageId: someId, serverUrl: nowhere, kind: "event_changed", category: .changes, eventId: someId,
            ticketId: nil)
        #expect(try registrar.delivered(payload: payload) == message)
        #expect(try registrar.opened(payload: payload) == message)
        #expect(try registrar.status().receiptsWaiting == 0, "this phone has nothing to do with that server")
        for text in ["", #"{"aps":{"alert":"Hello"}}"#] {
            let arrived = try await thrown(PushError.self) { try registrar.delivered(payload: text) }
            let opened = try await thrown(PushError.self) { try registrar.opened(payload: text) }
            #expect([arrived.code, opened.code] == ["push_not_a_message", "push_not_a_message"])
        }
    }

    @Test("A server that this phone has no ticket of is told nothing")
    func noTicket() async throws {
        let registrar = try await open()
        try registrar.setToken(service: .apns, token: token)
        let status = PushStatus(state: .unregistered, servers: [], dueAt: nil, receiptsWaiting: 0)
        #expect(try await registrar.run() == status)
        #expect(try registrar.networkIsBack() == status)
        let unknown = try await thrown(PushError.self) { try await registrar.sendTest(serverUrl: nowhere) }
        #expect(unknown.code == "identity_lost")
        let never = CategoryPreference(isOn: true, quietHours: QuietHours(fromMinute: 60, untilMinute: 60))
        let preferences = PushPreferences(tickets: on, changes: on, gates: on, news: never)
        let error = try await thrown(PushError.self) {
            try await registrar.setPreferences(serverUrl: nowhere, preferences: preferences)
        }
        #expect(error.code == "push_quiet_hours")
    }

    @Test("Every call after closing throws Closed")
    func closed() async throws {
        let registrar = try await open()
        registrar.close()
        registrar.close()
        let calls: [@Sendable () async throws -> Void] = [
            { try registrar.setToken(service: .apns, token: newApnsToken()) },
            { try registrar.signOut() },
            { try registrar.setPermission(.allowed) },
            { _ = try registrar.advise(.allowed) },
            { try registrar.prompted() },
            { try registrar.refused(.later) },
            { _ = try registrar.prompts() },
            { _ = try registrar.status() },
            { try registrar.networkIsBack() },
            { try await registrar.run() },
            { try registrar.delivered(payload: "{}") },
            { try registrar.opened(payload: "{}") },
            { _ = try await registrar.preferences(serverUrl: nowhere) },
            {
                let all = PushPreferences(tickets: on, changes: on, gates: on, news: on)
                try await registrar.setPreferences(serverUrl: nowhere, preferences: all)
            },
            { try await registrar.sendTest(serverUrl: nowhere) },
        ]
        for call in calls {
            let error = try await thrown(PushError.self) { try await call() }
            #expect(error.code == "closed")
        }
    }

    @Test("A cancelled run ends in Rust, and so does one of a closed registrar")
    func cancelled() async throws {
        try await withServer { server in
            let secrets = MemorySecretStore()
            try await claim(at: server, secrets)
            try await server.stop()
            // In its place, one that never answers.
            let port = try #require(URL(string: server.facts.url)?.port)
            let silent = try SilentServer(at: UInt16(port))
            let registrar = try await open(secrets)
            try registrar.setToken(service: .apns, token: token)

            let first = Task { try await registrar.run() }
            let visitor = await silent.asked()
            first.cancel()
            #expect(try await thrown(PushError.self) { try await first.value }.code == "cancelled")
            await visitor.left()
            #expect(try registrar.status().state == .pending)

            let second = Task { try await registrar.run() }
            let other = await silent.asked()
            registrar.close()
            #expect(try await thrown(PushError.self) { try await second.value }.code == "closed")
            await other.left()
        }
    }

    @Test("A keystore that is locked is an error of its own and costs nothing")
    func locked() async throws {
        let secrets = LockableSecretStore()
        let registrar = try await open(secrets)
        secrets.isLocked = true
        let calls: [@Sendable () async throws -> Void] = [
            { try registrar.setToken(service: .apns, token: newApnsToken()) },
            { _ = try registrar.advise(.notAsked) },
            { try await registrar.run() },
        ]
        for call in calls {
            let error = try await thrown(PushError.self) { try await call() }
            #expect(error.code == "secrets")
            #expect(error.detail.contains("Surprise"))
        }
        secrets.isLocked = false
        try registrar.setToken(service: .apns, token: token)
        #expect(try registrar.advise(.notAsked).prompt == .system)
    }

    @Test("10,000 registrars are opened, half of them closed, and none keeps the secret store alive")
    func manyObjects() async throws {
        let (life, end) = AsyncStream.makeStream(of: Never.self)
        try await openMany(with: MortalSecretStore(end))
        for await _ in life {}
    }

    private func openMany(with secrets: MortalSecretStore) async throws {
        for turn in 0..<10_000 {
            let registrar = try await open(secrets)
            if turn.isMultiple(of: 2) { registrar.close() }
        }
    }
}
