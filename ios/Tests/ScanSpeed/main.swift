import Foundation
import Liventix
import LiventixTestSupport

// Prints what one call of a synced scanner costs. Needs liventix-stage (LIVENTIX_STAGE_URL) and the library in
// the release profile; README.md says how. `ScanSpeed version` prints the library's version only.

if CommandLine.arguments.dropFirst().first == "version" {
    print(LiventixLibrary.version)
    exit(0)
}

let folder = try TemporaryFolder()
try await withServer { server in
    let scanner = try await server.scanner(in: folder, named: "Speed")
    let (gateway, code) = (server.gateway(), server.tickets("Day ticket")[0].code)
    print("library \(LiventixLibrary.version), ledger in \(folder.url.path)")
    // The same ticket again and again, as the other languages measure it: each scan is decided and recorded.
    try measure("scan") { _ = try scanner.scan(code, at: gateway) }
    try measure("device") { _ = try scanner.device() }
    try measure("counts") { _ = try scanner.counts(eventId: gateway.eventId) }
    measure("openReport (nothing but the border)") { _ = scanner.openReport }
}

/// Warms up, then prints the median of many calls, and the time that nine of ten stay below.
func measure(_ name: String, _ call: () throws -> Void) rethrows {
    let (clock, calls) = (ContinuousClock(), 5_000)
    for _ in 0..<500 { try call() }
    let times = try (0..<calls).map { _ in try clock.measure(call) }.sorted()
    let (median, most) = (microseconds(times[calls / 2]), microseconds(times[calls * 9 / 10]))
    print("\(name): median \(median) µs, 90 % below \(most) µs")
}

func microseconds(_ duration: Duration) -> String {
    String(format: "%.2f", duration / .microseconds(1))
}
