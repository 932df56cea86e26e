import Foundation
import Liventix
import LiventixTestSupport
import Testing

/// A phone with a ticket, and its registrar over the same store.
private func withPhone(_ body: (TestServer, PushRegistrar) async throws -> Void) async throws {
    try await withServer { server in
        let secrets = MemorySecretStore()
        let wallet = try await TicketWallet.open(secrets: secrets)
        try await wallet.claim(link: #require(server.tickets("Day ticket")[0].link), phoneName: "Ada's phone")
        let registrar = try await PushRegistrar.open(secrets: secrets, locale: "de-CH", timeZone: "Europe/Zurich")
        try await body(server, registrar)
    }
}

@Suite("Push messages of a real server, by Apple's and Google's services", .serialized, .timeLimit(.minutes(5)))
struct PushEndToEndTests {
    @Test("A message is shown, and its receipts are handed in")
    func shown() async throws {
        try await withPhone { server, registrar in
            let (token, url) = (newApnsToken(), server.facts.url)
            let early = try await thrown(PushError.self) { try await registrar.sendTest(serverUrl: url) }
            #expect(early.code == "push_not_registered")
            try registrar.setToken(service: .apns, token: token)
            let status = try await registrar.run()
            #expect(status.state == .registered)
            #expect(status.dueAt == nil && status.servers.map(\.dueAt) == [nil])

            let messageId = try await registrar.sendTest(serverUrl: url)
            let push = try await server.push(messageId, to: token)
            #expect(push.service == "apns")
            #expect(!push.title.isEmpty && !push.body.isEmpty)
            let message = try registrar.delivered(payload: push.payload)
            #expect(
                message
                    == PushMessage(
                        messageId: messageId, serverUrl: url, kind: "test", category: nil, eventId: nil, ticketId: nil))
            #expect(try registrar.opened(payload: push.payload) == message)
            #expect(try registrar.status().receiptsWaiting == 2)
            #expect(try await registrar.run().receiptsWaiting == 0)
        }
    }

    @Test("A message comes by Google's service, too")
    func google() async throws {
        try await withPhone { server, registrar in
            let token = newFcmToken()
            try registrar.setToken(service: .fcm, token: token)
            #expect(try await registrar.run().state == .registered)
            let messageId = try await registrar.sendTest(serverUrl: server.facts.url)
            let push = try await server.push(messageId, to: token)
            #expect(push.service == "fcm")
            #expect(try registrar.delivered(payload: push.payload).messageId == messageId)
        }
    }

    @Test("People choose what they get, and when")
    func preferences() async throws {
        try await withPhone { server, registrar in
            let url = server.facts.url
            try registrar.setToken(service: .apnsSandbox, token: newApnsToken())
            try await registrar.run()
            let first = try await registrar.preferences(serverUrl: url)
            #expect(first.tickets.isOn)
            #expect(first.news.quietHours == QuietHours(fromMinute: 22 * 60, untilMinute: 8 * 60))
            let wanted = PushPreferences(
                tickets: first.tickets, changes: first.changes,
                gates: CategoryPreference(isOn: false, quietHours: nil),
                news: CategoryPreference(isOn: true, quietHours: QuietHours(fromMinute: 0, untilMinute: 1439)))
            #expect(try await registrar.setPreferences(serverUrl: url, preferences: wanted) == wanted)
            #expect(try await registrar.preferences(serverUrl: url) == wanted)
        }
    }

    @Test("A server that is away is told when the network is back")
    func offline() async throws {
        try await withPhone { server, registrar in
            try registrar.setToken(service: .apns, token: newApnsToken())
            #expect(try await registrar.run().state == .registered)
            try registrar.setToken(service: .apns, token: newApnsToken())
            #expect(try registrar.status().state == .refreshNeeded)

            try await server.stop()
            let begin = Date()
            let failed = try await registrar.run()
            #expect(failed.state == .failed)
            #expect(try #require(failed.dueAt) > begin)
            let trouble = try #require(failed.servers.first?.trouble)
            #expect(trouble.code == "offline")
            #expect(trouble.detail.contains("try again"))
            #expect(failed.servers.map(\.isGivenUp) == [false])
            let error = try await thrown(PushError.self) {
                try await registrar.preferences(serverUrl: server.facts.url)
            }
            #expect(error.mayPass)

            try await server.start()
            // Not due yet: it would be tried in a minute.
            #expect(try await registrar.run().state == .failed)
            try registrar.networkIsBack()
            let status = try await registrar.run()
            #expect(status.state == .registered)
            #expect(status.servers.map(\.trouble) == [nil])
        }
    }

    @Test("Whoever signs out is forgotten by the server")
    func signsOut() async throws {
        try await withPhone { server, registrar in
            try registrar.setToken(service: .apns, token: newApnsToken())
            try await registrar.run()
            #expect(try registrar.signOut().state == .unregistered)
            #expect(try registrar.status().dueAt != nil, "the server is to be told")
            #expect(try await registrar.run().dueAt == nil)
            let error = try await thrown(PushError.self) {
                try await registrar.sendTest(serverUrl: server.facts.url)
            }
            #expect(error.code == "push_not_registered")
        }
    }
}
