package com.liventix

import com.liventix.support.allocatedBytes
import com.liventix.support.collectUntil
import com.liventix.support.heldByRust
import com.liventix.support.openFiles
import com.liventix.support.openScanner
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.runTest
import org.junit.jupiter.api.io.TempDir
import java.lang.ref.WeakReference
import java.nio.file.Path
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertNull
import kotlin.test.assertTrue
import kotlin.time.Duration.Companion.minutes

/** What many scanners leave behind: nothing. */
class ManyScannersTest {
    @TempDir
    lateinit var folder: Path

    private fun nothingIsHeld() = listOf("SecretStore", "ScannerObserver", "HostClock").all { heldByRust(it) == 0 }

    @Test
    fun `ten thousand scanners are opened and closed`() = runTest(timeout = 5.minutes) {
        openAndClose(2_000)
        collectUntil("the handles of the first scanners are freed") { nothingIsHeld() }
        val before = allocatedBytes()
        openAndClose(10_000)
        collectUntil("the handles are freed") { nothingIsHeld() }
        assertEquals(emptyList(), openFiles(folder))
        val grown = allocatedBytes() - before
        // An open ledger is some 100 KiB. The JVM allocates for itself meanwhile, 13 MiB were seen while it compiled,
        // so the exact bound is that of the Rust test, bindings/tests/many_scanners.rs, where nothing else does.
        assertTrue(grown < 10_000 * 4096L, "each left ${grown / 10_000} bytes")
    }

    private suspend fun openAndClose(count: Int, lanes: Int = 4) {
        val clock = HostClock { ClockSample(wallMs = 1_789_992_800_000, monoMs = 5, boot = 1uL) }
        suspend fun openAndCloseEach(name: String) = repeat(count / lanes) {
            folder.openScanner(clock = clock, name = name).use { assertNull(it.device()) }
        }
        coroutineScope { repeat(lanes) { launch(Dispatchers.IO) { openAndCloseEach("lane$it.sqlite") } } }
    }

    /** Opens a scanner in a coroutine of its own: that of the test would hold the last result. */
    private suspend fun openAndLose(name: String): WeakReference<TicketScanner> =
        coroutineScope { async { WeakReference(folder.openScanner(name = name)) }.await() }

    @Test
    fun `scanners that nobody holds close themselves`() = runTest(timeout = 5.minutes) {
        val scanners = List(50) { openAndLose("$it.sqlite") }
        collectUntil("the scanners are collected") { scanners.all { it.get() == null } }
        collectUntil("their ledgers are closed") { openFiles(folder).isEmpty() }
        collectUntil("their handles are freed") { nothingIsHeld() }
    }

    @Test
    fun `a scanner that somebody listens to stays open`() = runTest(timeout = 5.minutes) {
        val scanner = openAndLose("ledger.sqlite")
        val heard = async { scanner.get()!!.newConflicts.toList() }
        testScheduler.runCurrent()
        val other = openAndLose("other.sqlite")
        collectUntil("the scanner that nobody listens to is collected") { other.get() == null }
        scanner.get()!!.close()
        assertEquals(emptyList(), heard.await())
    }
}
