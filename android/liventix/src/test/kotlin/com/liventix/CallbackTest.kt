package com.liventix

import com.liventix.support.OpenSecretStore
import com.liventix.support.PATIENCE_MS
import com.liventix.support.Stage
import com.liventix.support.StageServer
import com.liventix.support.openScanner
import com.liventix.support.patiently
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineExceptionHandler
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.launch
import kotlinx.coroutines.supervisorScope
import kotlinx.coroutines.test.runTest
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.BeforeEach
import org.junit.jupiter.api.io.TempDir
import java.nio.file.Path
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.CyclicBarrier
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicInteger
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertNotNull
import kotlin.test.assertNull
import kotlin.test.assertTrue

/** What an app lends to the library: called from many threads, and when it throws. */
class CallbackTest {
    @TempDir
    lateinit var folder: Path
    private lateinit var server: StageServer

    @BeforeEach
    fun startServer() {
        server = Stage.server()
    }

    @AfterEach
    fun stopServer() {
        Liventix.setLog(LogLevel.ERROR, null)
        server.close()
    }

    private val entry get() = Gateway(server.eventId, server.northGate, Direction.ENTRY)

    /** What the app's own code may throw: an exception, and what is none and which the generated code lets pass. */
    private val mischief: List<() -> Throwable> = listOf(
        { IllegalStateException("the keystore is locked") },
        { AssertionError("should not have been called") },
        { StackOverflowError() },
        { java.io.IOException("disk") },
    )

    @Test
    fun `a secret store that throws is a typed error and the next call works`() = runTest {
        val secrets = object : SecretStore {
            val store = OpenSecretStore()
            var thrown: Throwable? = null

            override fun put(name: String, value: String) = thrown?.let { throw it } ?: store.put(name, value)

            override fun get(name: String): String? = thrown?.let { throw it } ?: store.get(name)

            override fun delete(name: String) = thrown?.let { throw it } ?: store.delete(name)
        }
        folder.openScanner(secrets).use { scanner ->
            for (make in mischief) {
                secrets.thrown = make()
                assertFailsWith<ScannerException.Secrets>("${secrets.thrown}") {
                    scanner.enrol(server.enrolmentCode(), "Door")
                }
            }
            secrets.thrown = null
            assertEquals("Door", scanner.enrol(server.enrolmentCode(), "Door").deviceName)
            secrets.thrown = AssertionError("locked")
            assertFailsWith<ScannerException.Secrets> { scanner.sync() }
            secrets.thrown = null
            scanner.sync()
        }
    }

    @Test
    fun `a clock that throws is replaced by that of the system`() = runTest {
        for ((number, make) in mischief.withIndex()) {
            val clock = HostClock { throw make() }
            folder.openScanner(clock = clock, name = "$number.sqlite").use { scanner ->
                scanner.enrol(server.enrolmentCode(), "Door")
                scanner.sync()
                val verdict = scanner.scan(server.tickets("Day ticket")[number].code, entry)
                assertEquals(Reason.ENTERED to Confidence.GREEN, verdict.reason to verdict.confidence)
            }
        }
    }

    @Test
    fun `a log sink that throws changes nothing`() = runTest {
        val lines = AtomicInteger()
        Liventix.setLog(LogLevel.DEBUG) {
            throw mischief[lines.getAndIncrement() % mischief.size]()
        }
        folder.openScanner().use { scanner ->
            scanner.enrol(server.enrolmentCode(), "Door")
            scanner.sync()
            assertEquals(Outcome.ADMIT, scanner.scan(server.tickets("Day ticket")[0].code, entry).outcome)
        }
        assertTrue(lines.get() > 1, "it was called ${lines.get()} times")
    }

    @Test
    fun `a log sink gets lines without secrets`() = runTest {
        val (lines, secrets) = ConcurrentLinkedQueue<LogRecord>() to OpenSecretStore()
        Liventix.setLog(LogLevel.DEBUG, lines::add)
        val code = server.enrolmentCode()
        folder.openScanner(secrets).use { scanner ->
            scanner.enrol(code, "Door")
            scanner.sync()
            scanner.scan(server.tickets("Day ticket")[0].code, entry)
        }
        Liventix.setLog(LogLevel.DEBUG, null)
        assertTrue(lines.any { it.target.startsWith("liventix") && it.message.isNotEmpty() }, "$lines")
        val everything = lines.joinToString("\n")
        val unsayable = secrets.values.values + code.substringAfter('#') + server.tickets("Day ticket")[0].code
        unsayable.forEach { assertTrue(it !in everything, "the log says a secret: $it") }
    }

    @Test
    fun `a listener that throws disturbs neither the sync nor other listeners`() = runTest {
        folder.openScanner().use { scanner ->
            scanner.enrol(server.enrolmentCode(), "Door")
            supervisorScope {
                val died = CompletableDeferred<Throwable>()
                val heard = Channel<SyncProgress>(Channel.UNLIMITED)
                val handler = CoroutineExceptionHandler { _, thrown -> died.complete(thrown) }
                launch(handler + Dispatchers.Unconfined, CoroutineStart.UNDISPATCHED) {
                    scanner.syncProgress.collect { throw AssertionError("a listener's own mistake") }
                }
                val other = launch(Dispatchers.Unconfined, CoroutineStart.UNDISPATCHED) {
                    scanner.syncProgress.collect { heard.send(it) }
                }
                scanner.sync()
                assertEquals("a listener's own mistake", patiently { died.await() }.message)
                assertEquals(SyncProgress.Clock, patiently { heard.receive() })
                assertTrue(patiently { heard.receive() } is SyncProgress.Keys, "the other goes on")
                other.cancel()
            }
        }
    }

    @Test
    fun `a listener that never takes anything holds nothing up`() = runTest {
        folder.openScanner().use { scanner ->
            scanner.enrol(server.enrolmentCode(), "Door")
            val stuck = launch(Dispatchers.Unconfined) { scanner.syncProgress.collect { Channel<Unit>().receive() } }
            repeat(50) { scanner.sync() }
            stuck.cancel()
        }
    }

    @Test
    fun `an observer of the generated code that throws is logged`() = runTest {
        val lines = ConcurrentLinkedQueue<LogRecord>()
        Liventix.setLog(LogLevel.WARN, lines::add)
        val config = ScannerConfig(folder.resolve("raw.sqlite").toString())
        com.liventix.ffi.Scanner.open(config, com.liventix.bridge.LentSecretStore(MemorySecretStore())).use { scanner ->
            scanner.setObserver(ThrowingObserver)
            scanner.enrol(server.enrolmentCode(), "Door", null)
            assertEquals(8u, scanner.sync(null).tickets)
        }
        assertTrue(lines.any { it.fields["callback"] == "on_sync_progress" }, "$lines")
    }

    private object ThrowingObserver : com.liventix.ffi.ScannerObserver {
        override fun onSyncProgress(progress: com.liventix.ffi.SyncProgress) = throw IllegalStateException("no")

        override fun onOtherDoorScans(scans: List<OtherDoorScan>) = throw IllegalStateException("no")

        override fun onConflicts(conflicts: List<Conflict>) = throw IllegalStateException("no")

        override fun onLink(link: com.liventix.ffi.LinkState) = throw IllegalStateException("no")
    }

    @Test
    fun `the clock is read by many threads at once`() = runTest {
        val doors = 8
        val meeting = CyclicBarrier(doors)
        val sample = ClockSample(wallMs = 1_789_992_800_000, monoMs = 5, boot = 1uL)
        val waited = ThreadLocal.withInitial { false }
        // The first call of each thread waits for those of all others.
        val clock = HostClock {
            if (!waited.get()) {
                waited.set(true)
                meeting.await(PATIENCE_MS.toLong(), TimeUnit.MILLISECONDS)
            }
            sample
        }
        val opening = List(doors) { door ->
            val opened = CompletableDeferred<Result<TicketScanner>>()
            Thread {
                opened.complete(
                    runCatching { kotlinx.coroutines.runBlocking { folder.openScanner(clock = clock, name = "$door") } },
                )
            }.start()
            opened
        }
        opening.awaitAll().forEach { opened -> opened.getOrThrow().use { assertNull(it.device()) } }
    }

    @Test
    fun `secrets are read and kept by threads of the library at once`() = runTest {
        val threads = ConcurrentLinkedQueue<Thread>()
        val store = OpenSecretStore()
        val meeting = CyclicBarrier(2)
        val secrets = object : SecretStore by store {
            override fun put(name: String, value: String) {
                // The tokens of two doors, which enrol at once: each call waits for the other.
                if (threads.size < 2) {
                    threads += Thread.currentThread()
                    meeting.await(PATIENCE_MS.toLong(), TimeUnit.MILLISECONDS)
                }
                store.put(name, value)
            }
        }
        val enrolled = List(2) { door ->
            async(Dispatchers.IO) {
                folder.openScanner(secrets, name = "$door").use { it.enrol(server.enrolmentCode(), "Door $door") }
            }
        }.awaitAll()
        assertEquals(2, enrolled.map { it.deviceId }.toSet().size)
        assertEquals(2, threads.toSet().size)
        assertTrue(threads.none { it.name.startsWith("DefaultDispatcher") }, "$threads")
    }

    @Test
    fun `scans on many threads while a sync runs are all kept`() = runTest {
        folder.openScanner().use { scanner ->
            scanner.enrol(server.enrolmentCode(), "Door")
            scanner.sync()
            val scans = List(8) { lane ->
                async(Dispatchers.IO) { List(25) { scanner.scan("not a ticket $lane $it", entry).seq } }
            }
            val syncs = List(3) { async(Dispatchers.IO) { scanner.sync() } }
            assertEquals((1L..200).toList(), scans.awaitAll().flatten().sorted(), "each has a number of its own")
            syncs.awaitAll()
            scanner.sync()
            assertEquals(0u, scanner.unsent().count)
            assertNotNull(scanner.device())
        }
    }
}
