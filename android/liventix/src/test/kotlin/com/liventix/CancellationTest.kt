package com.liventix

import com.liventix.support.SilentServer
import com.liventix.support.awaitHangUp
import com.liventix.support.openFiles
import com.liventix.support.openScanner
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.runTest
import kotlinx.coroutines.withContext
import org.junit.jupiter.api.io.TempDir
import java.nio.file.Path
import kotlin.io.path.exists
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertIs
import kotlin.test.assertNull
import kotlin.test.assertTrue

class CancellationTest {
    @TempDir
    lateinit var folder: Path

    @Test
    fun `a cancelled coroutine ends its call in the library`() = runTest {
        SilentServer().use { server ->
            folder.openScanner().use { scanner ->
                val thrown = CompletableDeferred<Throwable>()
                val enrolling = launch(Dispatchers.Default) {
                    try {
                        scanner.enrol(server.enrolmentCode, "Door")
                    } catch (failure: Throwable) {
                        thrown.complete(failure)
                        throw failure
                    }
                }
                withContext(Dispatchers.IO) {
                    server.asked().use { connection ->
                        enrolling.cancelAndJoin()
                        connection.awaitHangUp()
                    }
                }
                assertIs<CancellationException>(thrown.await())
                assertNull(scanner.device(), "the scanner works on")
            }
        }
    }

    @Test
    fun `one of two calls is cancelled and the other waits on`() = runTest {
        SilentServer().use { server ->
            folder.openScanner().use { scanner ->
                val first = async(Dispatchers.Default) { scanner.enrol(server.enrolmentCode, "Door") }
                withContext(Dispatchers.IO) { server.asked() }.use {
                    val second = async(Dispatchers.Default) {
                        assertFailsWith<ScannerException.Closed> { scanner.enrol(server.enrolmentCode, "Door") }
                    }
                    withContext(Dispatchers.IO) { server.asked() }.use {
                        first.cancelAndJoin()
                        scanner.close()
                        second.await()
                    }
                }
            }
        }
    }

    @Test
    fun `a scanner whose opening was cancelled is closed`() = runTest {
        val config = ScannerConfig(folder.resolve("ledger.sqlite").toString())
        val system = HostClock { ClockSample(wallMs = 0, monoMs = 0, boot = 1uL) }
        lateinit var opening: Job
        // The clock is read in the middle of the opening, which goes on to its end: then nobody gets it.
        val clock = HostClock { system.sample().also { opening.cancel() } }
        opening = launch(start = CoroutineStart.LAZY) { TicketScanner.open(config, MemorySecretStore(), clock) }
        opening.join()
        assertTrue(opening.isCancelled)
        assertTrue(folder.resolve("ledger.sqlite").exists(), "it was opened")
        assertEquals(emptyList(), openFiles(folder))
    }
}
