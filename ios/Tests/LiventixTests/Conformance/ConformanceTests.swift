import Foundation
import LiventixTestSupport
import Testing

/// The cases that Rust, Kotlin and the HTTP API play, too.
@Suite("Scans come to what tests/vectors/scan says", .timeLimit(.minutes(1)))
struct ConformanceTests {
    @Test("Each case", arguments: ScanCase.ofDoors)
    func plays(_ scanCase: ScanCase) async throws {
        var player = try await ScanPlayer(scanCase, stage: StageClient())
        try await player.play()
    }

    @Test("The stage serves the cases that are played here, and no other")
    func allPlayed() async throws {
        let stage = try StageClient()
        let served: [Served] = try StageClient.decode(
            await StageClient.send("GET", stage.url.appending(path: "cases")))
        let ofDoors = served.filter { $0.only.map { $0.surface == "door" } ?? true }.map { "\($0.file)/\($0.case)" }
        #expect(ofDoors.sorted() == ScanCase.ofDoors.map(\.testDescription).sorted())
        #expect(ofDoors.count >= 80)
    }

    private struct Served: Decodable {
        let file: String
        let `case`: String
        let only: ScanCase.Only?
    }
}
