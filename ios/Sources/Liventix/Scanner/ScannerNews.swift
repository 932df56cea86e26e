import LiventixGenerated

/// Hears what the Rust side tells, and hands it to every listener. Knows no scanner, so it keeps none alive.
final class ScannerNews: ScannerObserver {
    let progress = Broadcast<SyncProgress>(keeps: 64)
    let otherDoors = Broadcast<[OtherDoorScan]>(keeps: 256)
    let conflicts = Broadcast<[Conflict]>(keeps: 256)
    let link = Broadcast<LinkState>(keeps: 16, replaysLatest: true)

    func onSyncProgress(progress: SyncProgress) { self.progress.send(progress) }

    func onOtherDoorScans(scans: [OtherDoorScan]) { otherDoors.send(scans) }

    func onConflicts(conflicts: [Conflict]) { self.conflicts.send(conflicts) }

    func onLink(link: LinkState) { self.link.send(link) }

    func finish() {
        progress.finish()
        otherDoors.finish()
        conflicts.finish()
        link.finish()
    }
}
