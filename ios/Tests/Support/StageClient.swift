import Foundation
import Liventix

/// Why a test cannot use the stage.
public enum StageError: Error, CustomStringConvertible {
    case missing
    case answered(Int, String)

    public var description: String {
        switch self {
        case .missing:
            "LIVENTIX_STAGE_URL is not set: start liventix-stage first, as tests/run does"
        case .answered(let status, let body):
            "the stage answered \(status): \(body)"
        }
    }
}

/// `liventix-stage`, which serves the scan cases and starts real servers. tests/README.md describes it.
public struct StageClient: Sendable {
    public let url: URL

    public init() throws {
        guard let text = ProcessInfo.processInfo.environment["LIVENTIX_STAGE_URL"], let url = URL(string: text)
        else { throw StageError.missing }
        self.url = url
    }

    /// Starts a server. `event` holds fields of its event otherwise than usual, as JSON.
    public func startServer(event: String = "{}") async throws -> TestServer {
        let body = Data(#"{"event": \#(event)}"#.utf8)
        let answer = try await Self.send("POST", url.appending(path: "stages"), body: body)
        return TestServer(at: url, facts: try Self.decode(answer))
    }

    public static func decode<Value: Decodable>(_ data: Data) throws -> Value {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(Value.self, from: data)
    }

    public static func send(
        _ method: String, _ url: URL, body: Data? = nil, bearer: String? = nil
    ) async throws -> Data {
        var headers: [String: String] = [:]
        if body != nil { headers["content-type"] = "application/json" }
        if let bearer { headers["authorization"] = "Bearer \(bearer)" }
        let answer = try await LoopbackHttp.exchange(method, url, headers: headers, body: body)
        guard (200..<300).contains(answer.status) else {
            throw StageError.answered(answer.status, String(decoding: answer.body, as: UTF8.self))
        }
        return answer.body
    }
}

/// A real server that the stage has started, with an event, gates and tickets. Gone when ``remove()`` is called
/// or the stage ends.
public struct TestServer: Sendable {
    public struct Facts: Decodable, Sendable {
        public let id: Int
        public let url: String
        public let apiKey: String
        public let eventId: String
        public let gates: [Gate]
        public let tickets: [Ticket]
    }

    public struct Gate: Decodable, Sendable {
        public let gateId: String
        public let name: String
    }

    public struct Ticket: Decodable, Sendable {
        public let ticketId: String
        public let attendeeName: String
        public let typeName: String
        public let code: String
        public let manualCode: String
        public let link: String?
    }

    /// A push message on the screen of a phone.
    public struct Push: Decodable, Sendable {
        public let service: String
        public let title: String
        public let body: String
        public let payload: String
    }

    private struct Pushes: Decodable {
        let shown: [Push]
    }

    private struct Enrolment: Decodable {
        let code: String
    }

    public let facts: Facts
    private let place: URL

    init(at stage: URL, facts: Facts) {
        self.facts = facts
        place = stage.appending(path: "stages/\(facts.id)")
    }

    /// The tickets of a type, in the order in which they were issued.
    public func tickets(_ typeName: String) -> [Ticket] {
        facts.tickets.filter { $0.typeName == typeName }
    }

    /// Where to stand: at the gate with this number.
    public func gateway(_ gate: Int = 0, direction: Direction = .entry, people: UInt16 = 1) -> Gateway {
        Gateway(eventId: facts.eventId, gateId: facts.gates[gate].gateId, direction: direction, people: people)
    }

    /// A code for one more scanner.
    public func enrolmentCode(supervisor: Bool = false) async throws -> String {
        let body = Data(#"{"supervisor": \#(supervisor)}"#.utf8)
        let answer = try await StageClient.send("POST", place.appending(path: "enrolments"), body: body)
        return try (StageClient.decode(answer) as Enrolment).code
    }

    /// The message, once a phone with this push token shows it. Nobody tells when: it is looked for until it is there,
    /// or the test has run out of time.
    public func push(_ messageId: String, to token: String) async throws -> Push {
        while true {
            let answer = try await StageClient.send("GET", place.appending(path: "pushes/\(token)"))
            let shown = (try StageClient.decode(answer) as Pushes).shown
            if let push = shown.first(where: { $0.payload.contains(messageId) }) { return push }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    /// Turns the server off, as a power cut does for those who ask it.
    public func stop() async throws {
        _ = try await StageClient.send("POST", place.appending(path: "stop"))
    }

    /// Turns it on again, at the same address.
    public func start() async throws {
        _ = try await StageClient.send("POST", place.appending(path: "start"))
    }

    /// Turns it off for good.
    public func remove() async throws {
        _ = try await StageClient.send("DELETE", place)
    }

    /// Asks the server's own API, as the organiser does.
    public func organiser(_ method: String, _ path: String, body: String? = nil) async throws -> Data {
        let url = URL(string: facts.url + path)!
        return try await StageClient.send(method, url, body: body.map { Data($0.utf8) }, bearer: facts.apiKey)
    }

    /// A new scanner, enrolled and synced.
    public func scanner(
        in folder: TemporaryFolder, named name: String, supervisor: Bool = false,
        secrets: any SecretStore = MemorySecretStore(), clock: (any HostClock)? = nil
    ) async throws -> TicketScanner {
        let scanner = try await TicketScanner.open(ledger: folder.file("\(name).db"), secrets: secrets, clock: clock)
        try await scanner.enrol(code: enrolmentCode(supervisor: supervisor), deviceName: name)
        try await scanner.sync()
        return scanner
    }
}

/// Runs `body` with a server of its own, which is removed whatever happens.
public func withServer<Value: Sendable>(
    event: String = "{}", isolation: isolated (any Actor)? = #isolation,
    _ body: (TestServer) async throws -> Value
) async throws -> Value {
    let server = try await StageClient().startServer(event: event)
    do {
        let value = try await body(server)
        try await server.remove()
        return value
    } catch {
        try? await server.remove()
        throw error
    }
}
