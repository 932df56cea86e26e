import Foundation
import Liventix
import LiventixTestSupport

// Prints what one call of a synced scanner costs, as medians. Needs liventix-stage (LIVENTIX_STAGE_URL) and
// the library in the release profile; README.md says how. `ScanSpeed version` prints the library's version only.

if CommandLine.arguments.dropFirst().first == "version" {
    print(LiventixLibrary.version)
    exit(0)
}

let folder = try TemporaryFolder()
try await withServer { server in
    let codes = try await issueTickets(2_000, at: server)
    let scanner = try await server.scanner(in: folder, named: "Speed")
    let gateway = server.gateway()
    print("library \(LiventixLibrary.version), ledger in \(folder.url.path), \(codes.count) tickets")
    try measure("scan, admitted", codes) { _ = try scanner.scan($0, at: gateway) }
    try measure("scan, refused (used before)", codes) { _ = try scanner.scan($0, at: gateway) }
    try measure("counts", codes) { _ in _ = try scanner.counts(eventId: gateway.eventId) }
    try measure("unsent", codes) { _ in _ = try scanner.unsent() }
    measure("openReport (nothing but the border)", codes) { _ in _ = scanner.openReport }
    measure("version (one text over the border)", codes) { _ in _ = LiventixLibrary.version }
}

/// Issues tickets, and returns their codes.
func issueTickets(_ count: Int, at server: TestServer) async throws -> [String] {
    struct Issued: Decodable { let code: String }
    struct Kind: Decodable { let ticketTypeId: String }
    let path = "/v1/events/\(server.facts.eventId)"
    let made = try await server.organiser("POST", "\(path)/ticket-types", body: #"{"name": "Speed"}"#)
    let kind: Kind = try StageClient.decode(made)
    var codes: [String] = []
    for _ in 0..<count {
        let body = #"{"ticket_type_id": "\#(kind.ticketTypeId)"}"#
        let issued = try await server.organiser("POST", "\(path)/tickets", body: body)
        codes.append(try (StageClient.decode(issued) as Issued).code)
    }
    return codes
}

/// Calls once for each code, and prints the median and the time that nine of ten stay below.
func measure(_ name: String, _ codes: [String], _ call: (String) throws -> Void) rethrows {
    let clock = ContinuousClock()
    let times = try codes.map { code in try clock.measure { try call(code) } }.sorted()
    print("\(name): median \(times[times.count / 2]), 90 % below \(times[times.count * 9 / 10])")
}
