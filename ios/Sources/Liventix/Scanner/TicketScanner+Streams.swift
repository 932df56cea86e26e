import LiventixGenerated

// Each call is a new listener, with a stream of its own. Streams end when the scanner is closed, or when
// their reader stops. A reader that is slow delays nobody: past a few hundred it misses the oldest news,
// which the lists still show.
extension TicketScanner {
    /// How far a sync is.
    public func syncProgress() -> AsyncStream<SyncProgress> { news.progress.stream() }

    /// People who passed at other doors, as this one learns of it.
    public func otherDoorScans() -> AsyncStream<[OtherDoorScan]> { news.otherDoors.stream() }

    /// Tickets that turn out to be admitted more often than they allow, each told once. Those known before are
    /// in ``conflicts(eventId:)``.
    public func newConflicts() -> AsyncStream<[Conflict]> { news.conflicts.stream() }

    /// Whether the server is in touch, while ``startWatching(eventId:)`` runs: first what is known now, then
    /// each change.
    public func linkStates() -> AsyncStream<LinkState> { news.link.stream() }
}
