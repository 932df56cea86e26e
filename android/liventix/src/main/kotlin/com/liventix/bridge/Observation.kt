package com.liventix.bridge

import com.liventix.LinkState
import com.liventix.SyncProgress
import com.liventix.ffi.Conflict
import com.liventix.ffi.OtherDoorScan
import com.liventix.ffi.ScannerObserver
import kotlinx.coroutines.channels.BufferOverflow
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.MutableStateFlow
import com.liventix.ffi.LinkState as RustLinkState
import com.liventix.ffi.SyncProgress as RustSyncProgress

/** More steps of a sync than a screen can have missed and still want. */
private const val KEPT_PROGRESS = 64

/**
 * Hears the library, and tells everyone who listens. Holds no scanner: the library holds this one, and a
 * scanner that nobody holds must go away.
 */
internal class Observation : ScannerObserver {
    val progress = Broadcast<SyncProgress>(KEPT_PROGRESS, BufferOverflow.DROP_OLDEST)
    val scans = Broadcast<List<OtherDoorScan>>(Channel.UNLIMITED, BufferOverflow.SUSPEND)
    val conflicts = Broadcast<List<Conflict>>(Channel.UNLIMITED, BufferOverflow.SUSPEND)
    val link = MutableStateFlow<LinkState?>(null)
    private var watching = false

    override fun onSyncProgress(progress: RustSyncProgress) = this.progress.tell(progress.translated())

    override fun onOtherDoorScans(scans: List<OtherDoorScan>) = this.scans.tell(scans)

    override fun onConflicts(conflicts: List<Conflict>) = this.conflicts.tell(conflicts)

    @Synchronized
    override fun onLink(link: RustLinkState) {
        // A watch that was just ended may still have had something to say.
        if (watching) this.link.value = link.translated()
    }

    /** Runs [start], from which on news of the network count; if it throws, everything is as before. */
    @Synchronized
    fun watch(start: () -> Unit) {
        val (wasWatching, lastLink) = watching to link.value
        watching = true
        link.value = null
        try {
            start()
        } catch (thrown: Throwable) {
            watching = wasWatching
            link.value = lastLink
            throw thrown
        }
    }

    @Synchronized
    fun stopWatching() {
        watching = false
        link.value = null
    }

    fun close() {
        stopWatching()
        progress.close()
        scans.close()
        conflicts.close()
    }
}
