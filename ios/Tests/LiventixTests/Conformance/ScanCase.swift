import Foundation
import LiventixTestSupport
import Testing

/// One case of `tests/vectors/scan`, as far as a runner needs it. The README there describes the format.
struct ScanCase: Sendable, CustomTestStringConvertible {
    let file: String
    let written: Written
    let setup: Facts

    var testDescription: String { "\(file)/\(written.name)" }
    var event: ScanEvent { written.event ?? setup.event }
    var device: ScanDevice { written.device ?? setup.device }
    var clock: StartingClock { written.clock ?? setup.clock }

    /// Every passage at another door that a step may name.
    var passages: [ForeignPassage] {
        (written.passages ?? setup.passages) + written.steps.flatMap { $0.do.sync?.passages ?? [] }
    }

    struct Document: Decodable {
        let setup: Facts
        let cases: [Written]
    }

    struct Facts: Decodable, Sendable {
        let event: ScanEvent
        let passages: [ForeignPassage]
        let device: ScanDevice
        let clock: StartingClock
    }

    struct Written: Decodable, Sendable {
        let name: String
        let only: Only?
        let event: ScanEvent?
        let passages: [ForeignPassage]?
        let device: ScanDevice?
        let clock: StartingClock?
        let steps: [Step]
    }

    struct Only: Decodable, Sendable {
        let surface: String
    }

    struct ScanEvent: Decodable, Sendable {
        let eventId: String
    }

    struct ScanDevice: Decodable, Sendable {
        let deviceId: String
        let deviceName: String
    }

    struct StartingClock: Decodable, Sendable {
        let startsAt: Int64
        let wallAheadMs: Int64
    }

    struct ForeignPassage: Decodable, Sendable {
        let scanId: String
        let at: Int64
        let gateId: String
        let deviceId: String
    }
}

/// What happens, and what must come of it.
struct Step: Decodable, Sendable {
    let at: Int64
    let `do`: Action
    let expect: Expectation?

    struct Action: Decodable, Sendable {
        let scan: Attempt?
        let listed: Attempt?
        let undo: Undo?
        let sync: News?
        let clock: ClockChange?
    }

    struct Attempt: Decodable, Sendable {
        let gateId: String
        let direction: String
        let people: UInt16
        let text: String?
        let ticketId: String?
        let force: String?
    }

    struct Undo: Decodable, Sendable {
        let target: Reference
        let note: String
    }

    struct News: Decodable, Sendable {
        let passages: [ScanCase.ForeignPassage]?
    }

    struct ClockChange: Decodable, Sendable {
        let reboot: Bool?
        let wallMs: Int64?
    }

    /// A scan of the case.
    struct Reference: Decodable, Sendable {
        let step: Int?
        let scanId: String?
    }

    struct Expectation: Decodable, Sendable {
        let verdict: ExpectedVerdict?
        let undone: ExpectedUndone?
        let error: String?
    }

    struct ExpectedVerdict: Decodable, Sendable {
        let outcome: String
        let reason: String
        let confidence: String
        let flags: [String]
        let people: UInt16
        let remaining: UInt32?
        let firstAdmission: Reference?
        let ticketId: String?
        let overruled: String?
    }

    struct ExpectedUndone: Decodable, Sendable {
        let people: UInt16
        let direction: String
        let remaining: UInt32?
    }
}

extension ScanCase {
    /// Every case that a scanner can play.
    static let ofDoors: [ScanCase] = {
        do {
            return try all().filter { $0.written.only.map { $0.surface == "door" } ?? true }
        } catch {
            fatalError("tests/vectors/scan cannot be read: \(error)")
        }
    }()

    private static func all() throws -> [ScanCase] {
        var folder = URL(filePath: #filePath)
        for _ in 0..<5 { folder.deleteLastPathComponent() }
        folder.append(path: "tests/vectors/scan")
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        return try files.filter { $0.pathExtension == "json" }.sorted { $0.path < $1.path }.flatMap { file in
            let document: Document = try StageClient.decode(Data(contentsOf: file))
            let name = file.deletingPathExtension().lastPathComponent
            return document.cases.map { ScanCase(file: name, written: $0, setup: document.setup) }
        }
    }
}
