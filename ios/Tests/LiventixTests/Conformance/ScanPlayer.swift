import Foundation
import Liventix
import LiventixTestSupport
import Testing

/// Plays one case with a scanner as an app has it.
struct ScanPlayer {
    private let scanCase: ScanCase
    private let folder: TemporaryFolder
    private let secrets = MemorySecretStore()
    private let clock: ManualClock
    private var scanner: TicketScanner
    private var now: Int64
    private var answers: [Answer] = []

    /// What came of a step.
    enum Answer {
        case verdict(Verdict, gateId: String)
        case undone(Undone)
        case error(ScannerError)
        case nothing
    }

    /// The scanner, enrolled and synced as the case begins.
    init(_ scanCase: ScanCase, stage: StageClient) async throws {
        self.scanCase = scanCase
        folder = try TemporaryFolder()
        now = scanCase.clock.startsAt
        clock = ManualClock(wallMs: now + scanCase.clock.wallAheadMs)
        scanner = try await Self.open(folder, secrets, clock)
        let base = stage.url.appending(path: "cases/\(scanCase.file)/\(scanCase.written.name)")
        try await scanner.enrol(code: "LIVENTIX-ENROL:\(base.absoluteString)#X", deviceName: scanCase.device.deviceName)
        try await scanner.sync()
    }

    private static func open(
        _ folder: TemporaryFolder, _ secrets: MemorySecretStore, _ clock: ManualClock
    ) async throws -> TicketScanner {
        try await TicketScanner.open(ledger: folder.file("door.db"), secrets: secrets, clock: clock)
    }

    /// All steps, in order.
    mutating func play() async throws {
        for (number, step) in scanCase.written.steps.enumerated() {
            clock.advance(ms: step.at - now)
            now = step.at
            let answer = try await act(step.do)
            if let expectation = step.expect {
                compare(answer, expectation, at: "\(scanCase.testDescription), step \(number)")
            }
            answers.append(answer)
        }
    }

    private mutating func act(_ action: Step.Action) async throws -> Answer {
        if let attempt = action.scan ?? action.listed { return pass(attempt) }
        if let undo = action.undo { return self.undo(undo) }
        if action.sync != nil { try await scanner.sync() }
        if let change = action.clock { try await changeClock(change) }
        return .nothing
    }

    private func pass(_ attempt: Step.Attempt) -> Answer {
        let gateway = Gateway(
            eventId: scanCase.event.eventId, gateId: attempt.gateId,
            direction: attempt.direction == "exit" ? .exit : .entry, people: attempt.people)
        do throws(ScannerError) {
            return .verdict(try verdict(attempt, at: gateway), gateId: attempt.gateId)
        } catch {
            return .error(error)
        }
    }

    private func verdict(_ attempt: Step.Attempt, at gateway: Gateway) throws(ScannerError) -> Verdict {
        switch (attempt.text, attempt.ticketId, attempt.force) {
        case (let text?, _, nil): try scanner.scan(text, at: gateway)
        case (let text?, _, let note?): try scanner.force(text, at: gateway, note: note)
        case (nil, let ticketId, nil): try scanner.admit(ticketId: ticketId ?? "", at: gateway)
        case (nil, let ticketId, let note?): try scanner.force(ticketId: ticketId ?? "", at: gateway, note: note)
        }
    }

    private func undo(_ undo: Step.Undo) -> Answer {
        do throws(ScannerError) {
            return .undone(try scanner.undo(scanId: scanId(of: undo.target), note: undo.note))
        } catch {
            return .error(error)
        }
    }

    private mutating func changeClock(_ change: Step.ClockChange) async throws {
        let reboot = change.reboot ?? false
        if reboot { clock.reboot() }
        if let wallMs = change.wallMs { clock.setWall(ms: wallMs) }
        guard reboot else { return }
        // A restart of the machine ends the app.
        scanner.close()
        scanner = try await Self.open(folder, secrets, clock)
    }

    private func scanId(of reference: Step.Reference) -> String {
        guard let step = reference.step else { return reference.scanId ?? "" }
        if case .verdict(let verdict, _) = answers[step] { return verdict.scanId }
        if case .undone(let undone) = answers[step] { return undone.scanId }
        return ""
    }
}

// What came of a step against what must.
extension ScanPlayer {
    private func compare(_ answer: Answer, _ expectation: Step.Expectation, at place: String) {
        let comment = Comment(rawValue: place)
        switch answer {
        case .verdict(let verdict, _):
            guard let expected = expectation.verdict else { break }
            return compare(verdict, expected, comment)
        case .undone(let undone):
            guard let expected = expectation.undone else { break }
            #expect(undone.people == expected.people, comment)
            #expect(snakeCase(undone.direction) == expected.direction, comment)
            #expect(undone.remaining == expected.remaining, comment)
            return
        case .error(let error):
            guard let expected = expectation.error else { break }
            #expect(error.code == expected, comment)
            return
        case .nothing:
            break
        }
        Issue.record("\(place): expected \(expectation), got \(answer)")
    }

    private func compare(_ verdict: Verdict, _ expected: Step.ExpectedVerdict, _ comment: Comment) {
        #expect(snakeCase(verdict.outcome) == expected.outcome, comment)
        #expect(verdict.reasonCode == expected.reason, comment)
        #expect(snakeCase(verdict.reason) == expected.reason, comment)
        #expect(snakeCase(verdict.confidence) == expected.confidence, comment)
        #expect(verdict.flags.map(snakeCase) == expected.flags, comment)
        #expect(verdict.people == expected.people, comment)
        #expect(verdict.remaining == expected.remaining, comment)
        #expect(verdict.ticket?.ticketId == expected.ticketId, comment)
        #expect(verdict.overruled.map(snakeCase) == expected.overruled, comment)
        #expect(verdict.firstAdmission.map(Evidence.init) == expected.firstAdmission.map(evidence), comment)
    }

    private struct Evidence: Equatable {
        let scanId: String
        let at: Date
        let gateId: String
        let deviceId: String
        let isOfThisDevice: Bool

        init(_ first: FirstAdmission) {
            (scanId, at, gateId) = (first.scanId, first.at, first.gateId)
            (deviceId, isOfThisDevice) = (first.deviceId, first.thisDevice)
        }

        init(scanId: String, at: Date, gateId: String, deviceId: String, isOfThisDevice: Bool) {
            (self.scanId, self.at, self.gateId) = (scanId, at, gateId)
            (self.deviceId, self.isOfThisDevice) = (deviceId, isOfThisDevice)
        }
    }

    private func evidence(_ reference: Step.Reference) -> Evidence {
        let here = scanCase.device.deviceId
        if let step = reference.step, case .verdict(let verdict, let gateId) = answers[step] {
            return Evidence(
                scanId: verdict.scanId, at: verdict.at, gateId: gateId, deviceId: here, isOfThisDevice: true)
        }
        guard let passage = scanCase.passages.first(where: { $0.scanId == reference.scanId }) else {
            return Evidence(scanId: "none", at: .distantPast, gateId: "", deviceId: "", isOfThisDevice: false)
        }
        return Evidence(
            scanId: passage.scanId, at: Date(timeIntervalSince1970: Double(passage.at) / 1_000),
            gateId: passage.gateId, deviceId: passage.deviceId, isOfThisDevice: passage.deviceId == here)
    }
}

/// The name that a value has in the files: `alreadyUsed` is `already_used`.
private func snakeCase(_ value: some Sendable) -> String {
    String(describing: value).reduce(into: "") { name, letter in
        if letter.isUppercase { name += "_" }
        name += letter.lowercased()
    }
}
