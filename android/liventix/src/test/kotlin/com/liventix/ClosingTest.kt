package com.liventix

import com.liventix.support.PATIENCE_MS
import com.liventix.support.SOME_ID
import com.liventix.support.SilentServer
import com.liventix.support.openScanner
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.runTest
import kotlinx.coroutines.withContext
import org.junit.jupiter.api.io.TempDir
import java.nio.file.Path
import java.util.concurrent.CountDownLatch
import java.util.concurrent.Executors
import java.util.concurrent.Future
import java.util.concurrent.TimeUnit
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertIs
import kotlin.test.assertNull
import kotlin.test.assertTrue

/** A scanner that was closed, before a call and in the middle of one. */
class ClosingTest {
    @TempDir
    lateinit var folder: Path

    private val gateway = Gateway(SOME_ID, SOME_ID, Direction.ENTRY)

    @Test
    fun `every call after the close is a typed error`() = runTest {
        val scanner = folder.openScanner()
        scanner.close()
        scanner.close()
        val calls: List<suspend () -> Any?> = listOf(
            { scanner.enrol("LIVENTIX-ENROL:http://127.0.0.1:1#ABCD", "Door") },
            { scanner.device() },
            { scanner.events() },
            { scanner.scan("LX1:", gateway) },
            { scanner.force("LX1:", gateway, "a note") },
            { scanner.admitListed(SOME_ID, gateway) },
            { scanner.forceListed(SOME_ID, gateway, "a note") },
            { scanner.undo(SOME_ID, "a note") },
            { scanner.search(SOME_ID, "Ada") },
            { scanner.readiness() },
            { scanner.counts(SOME_ID) },
            { scanner.conflicts(SOME_ID) },
            { scanner.scans() },
            { scanner.unsent() },
            { scanner.quarantined() },
            { scanner.exportUnsent(folder.resolve("export.jsonl").toFile()) },
            { scanner.sync() },
            { scanner.startWatching(SOME_ID) },
            { scanner.stopWatching() },
        )
        calls.forEachIndexed { number, call ->
            val thrown = assertFailsWith<ScannerException.Closed>("call $number") { call() }
            assertEquals("closed", thrown.code)
        }
        assertEquals(OpenReport.Created, scanner.openReport)
        assertNull(scanner.link.value)
        assertTrue(scanner.newConflicts.toList().isEmpty(), "a flow of a closed scanner ends at once")
    }

    @Test
    fun `the same ledger can be opened again at once`() = runTest {
        folder.openScanner().use { assertEquals(OpenReport.Created, it.openReport) }
        folder.openScanner().use { assertEquals(OpenReport.Opened, it.openReport) }
    }

    @Test
    fun `closing while many threads call gives each an answer or a typed error`() = runTest {
        val callers = 8
        val pool = Executors.newFixedThreadPool(callers)
        try {
            repeat(25) { round ->
                val scanner = folder.openScanner()
                val (ready, go) = CountDownLatch(callers) to CountDownLatch(1)
                val ends = (0..<callers).map { pool.submit<ScannerException> { scanner.callUntilItFails(ready, go) } }
                ready.await()
                go.countDown()
                scanner.close()
                ends.forEach { assertIs<ScannerException.Closed>(it.end(), "round $round") }
            }
        } finally {
            pool.shutdownNow()
        }
    }

    private fun TicketScanner.callUntilItFails(ready: CountDownLatch, go: CountDownLatch): ScannerException {
        assertNull(device())
        ready.countDown()
        go.await()
        while (true) {
            try {
                assertNull(device())
                assertEquals(0u, unsent().count)
                assertFailsWith<ScannerException> { scan("LX1:", gateway) }
            } catch (thrown: ScannerException) {
                return thrown
            }
        }
    }

    private fun <T> Future<T>.end(): T = get(PATIENCE_MS.toLong(), TimeUnit.MILLISECONDS)

    @Test
    fun `closing ends a call that waits for the network`() = runTest {
        SilentServer().use { server ->
            val scanner = folder.openScanner()
            val enrolling = async(Dispatchers.Default) {
                assertFailsWith<ScannerException> { scanner.enrol(server.enrolmentCode, "Door") }
            }
            withContext(Dispatchers.IO) { server.asked() }.use { scanner.close() }
            assertIs<ScannerException.Closed>(enrolling.await())
        }
    }

    @Test
    fun `closing ends the flows`() = runTest {
        val scanner = folder.openScanner()
        val listening = List(3) {
            launch {
                when (it) {
                    0 -> scanner.syncProgress.toList()
                    1 -> scanner.otherDoorScans.toList()
                    else -> scanner.newConflicts.toList()
                }
            }
        }
        testScheduler.runCurrent()
        assertTrue(listening.all { it.isActive })
        scanner.close()
        listening.forEach { it.join() }
    }
}
