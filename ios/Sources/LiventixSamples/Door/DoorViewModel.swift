import Foundation
import Liventix
import Observation

/// A door, for a view to show: enrol, choose where to stand, scan.
///
/// Keep ``run()`` going as long as the view is there (`.task { await model.run() }`); it brings what happens
/// elsewhere. Nothing here waits for the network but ``enrol(code:deviceName:)``, ``sync()`` and
/// ``checkReadiness()``.
@MainActor
@Observable
public final class DoorViewModel {
    // MARK: Where the door stands

    /// What this installation is; nil: show the enrolment.
    public internal(set) var device: Device?
    /// Where it may stand.
    public internal(set) var events: [Event] = []
    /// Where it stands; nil: show the choice.
    public internal(set) var place: DoorPlace?

    // MARK: The next scan

    /// In or out.
    public var direction = Direction.entry
    /// How many people want to pass with the next ticket, 1 to 1,000. One again after each passage.
    public var people: UInt16 = 1 {
        didSet {
            let limits: ClosedRange<UInt16> = 1...1_000
            // An observed property hears of its own change, too: only a wrong number is set right.
            if !limits.contains(people) { people = min(max(people, limits.lowerBound), limits.upperBound) }
        }
    }

    // MARK: The last scan

    /// What to show in full size; goes away by itself.
    public internal(set) var verdict: Verdict?
    /// Whether a supervisor may overrule ``verdict``.
    public internal(set) var canForce = false
    /// The passage that ``undo(note:)`` takes back; goes away with the event's window.
    public internal(set) var undoOffer: UndoOffer?
    /// What was taken back last; goes away by itself.
    public internal(set) var undone: Undone?
    /// Tickets that the last search found.
    public internal(set) var found: [FoundTicket] = []

    // MARK: The whole event

    /// Live numbers, as far as this device knows.
    public internal(set) var counts: Counts?
    /// Tickets admitted more often than they allow.
    public internal(set) var conflicts: [Conflict] = []
    /// Conflicts that came while nobody looked; ``seeConflicts()`` empties it.
    public internal(set) var unseenConflicts: [Conflict] = []
    /// What waits for its upload.
    public internal(set) var unsent: Unsent?
    /// Whether the server is in touch.
    public internal(set) var link: LinkState?
    /// How far the sync is that a person waits for; nil: none is.
    public internal(set) var progress: SyncProgress?
    /// Whether doors may open; nil before ``checkReadiness()``.
    public internal(set) var readiness: Readiness?

    // MARK: Trouble and waiting

    /// What went wrong last, until the person does something that goes well.
    public internal(set) var problem: Problem?
    /// Whether a call to the server is under way.
    public internal(set) var isWaiting = false

    @ObservationIgnored let scanner: TicketScanner
    @ObservationIgnored let verdictStays: Duration
    @ObservationIgnored let verdictTime: Countdown
    @ObservationIgnored let undoTime: Countdown
    @ObservationIgnored var shown: Shown?

    /// - Parameters:
    ///   - scanner: An open scanner. The model does not close it.
    ///   - verdictStays: How long a verdict is shown.
    ///   - clock: Counts that time, and the event's window for taking back.
    public init(
        scanner: TicketScanner,
        verdictStays: Duration = .seconds(4),
        clock: any Clock<Duration> = ContinuousClock()
    ) {
        self.scanner = scanner
        self.verdictStays = verdictStays
        verdictTime = Countdown(clock: clock)
        undoTime = Countdown(clock: clock)
        refresh()
    }

    /// Looks up what the device knows now.
    public func refresh() {
        do throws(ScannerError) {
            device = try scanner.device()
            events = try scanner.events()
            unsent = try scanner.unsent()
            guard let place else { return }
            counts = try scanner.counts(eventId: place.event.eventId)
            conflicts = try scanner.conflicts(eventId: place.event.eventId)
        } catch {
            fail(error)
        }
    }

    /// Listens to what happens elsewhere, until its task is cancelled or the scanner is closed.
    public func run() async {
        async let progress: Void = follow(scanner.syncProgress()) { $0.syncWent(to: $1) }
        async let scans: Void = follow(scanner.otherDoorScans()) { model, _ in model.refresh() }
        async let conflicts: Void = follow(scanner.newConflicts()) { model, news in
            model.unseenConflicts += news
            model.refresh()
        }
        async let links: Void = follow(scanner.linkStates()) { $0.linkChanged($1) }
        _ = await (progress, scans, conflicts, links)
    }

    /// The person has looked at the conflicts.
    public func seeConflicts() {
        unseenConflicts = []
    }

    private func follow<News: Sendable>(
        _ stream: AsyncStream<News>, take: @MainActor (DoorViewModel, News) -> Void
    ) async {
        for await news in stream { take(self, news) }
    }

    private func linkChanged(_ link: LinkState) {
        self.link = link
        refresh()
    }

    private func syncWent(to progress: SyncProgress) {
        if isWaiting { self.progress = progress }
        // Scans go up by themselves, too, and nothing else tells of it.
        if case .pushing = progress, let unsent = try? scanner.unsent() { self.unsent = unsent }
    }

    /// Does something that may fail, and says so.
    @discardableResult
    func attempt(_ action: () throws(ScannerError) -> Void) -> Bool {
        do throws(ScannerError) {
            try action()
            problem = nil
            return true
        } catch {
            fail(error)
            return false
        }
    }

    /// Does something that waits, one thing at a time.
    func wait(for action: () async throws(ScannerError) -> Void) async {
        guard !isWaiting else { return }
        isWaiting = true
        defer { isWaiting = false }
        do throws(ScannerError) {
            try await action()
            problem = nil
        } catch {
            fail(error)
        }
    }

    private func fail(_ error: ScannerError) {
        // Who gives up knows it.
        if case .Cancelled = error { return }
        problem = Problem(error)
    }
}
