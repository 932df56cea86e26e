package com.liventix

import com.liventix.support.Stage
import com.liventix.support.StageServer
import com.liventix.support.openScanner
import com.liventix.support.text
import kotlinx.coroutines.test.runTest
import org.junit.jupiter.api.Assumptions.assumeTrue
import org.junit.jupiter.api.io.TempDir
import java.nio.file.Files
import java.nio.file.Path
import kotlin.io.path.Path
import kotlin.io.path.exists
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.time.Duration.Companion.minutes

private const val SCANS = 3_000
private const val WARM_UP = 1_000

/**
 * What one scan costs across JNA. Not run by itself, because nothing is asserted of time:
 *
 *     mvn -f android/pom.xml test -Dtest=ScanSpeed -Dliventix.library=$PWD/target/release -Dliventix.stage=$PWD/target/debug
 */
class ScanSpeed {
    @TempDir
    lateinit var folder: Path

    @Test
    fun `on the disk`() = measure("on the disk", folder)

    @Test
    fun `in memory`() {
        assumeTrue(Path("/dev/shm").exists())
        val inMemory = Files.createTempDirectory(Path("/dev/shm"), "liventix")
        try {
            measure("in memory, where no commit waits", inMemory)
        } finally {
            inMemory.toFile().deleteRecursively()
        }
    }

    private fun measure(where: String, folder: Path) = runTest(timeout = 10.minutes) {
        Stage.server().use { server ->
            val codes = server.issue(WARM_UP + SCANS)
            folder.openScanner().use { door ->
                door.enrol(server.enrolmentCode(), "Door")
                door.sync()
                val entry = Gateway(server.eventId, server.northGate, Direction.ENTRY)
                codes.take(WARM_UP).forEach { door.scan(it, entry) }
                val admitted = codes.drop(WARM_UP).map { code ->
                    timed { assertEquals(Outcome.ADMIT, door.scan(code, entry).outcome) }
                }
                report("scan that admits", where, admitted)
                val nowhere = entry.copy(gateId = "no id")
                val crossing = List(SCANS) { timed { runCatching { door.scan(codes[it], nowhere) } } }
                report("scan at no gate: the way there and back, and an exception", where, crossing)
                report("unsent()", where, List(SCANS) { timed { door.unsent() } })
                report("device(), a record with a list", where, List(SCANS) { timed { door.device() } })
                val qr = List(SCANS) { timed { QrCode.matrix(codes[it]) } }
                report("QrCode.matrix", where, qr)
                report("Liventix.version, a string and no work", where, List(SCANS) { timed { Liventix.version } })
            }
        }
    }

    private fun StageServer.issue(count: Int): List<String> {
        val type = organise("POST", "events/$eventId/ticket-types", """{"name":"Measured"}""").text("ticket_type_id")
        val wish = """{"ticket_type_id":"$type"}"""
        return List(count) { organise("POST", "events/$eventId/tickets", wish).text("code") }
    }

    private inline fun timed(work: () -> Unit): Long {
        val start = System.nanoTime()
        work()
        return System.nanoTime() - start
    }

    private fun report(what: String, where: String, nanoseconds: List<Long>) {
        val sorted = nanoseconds.sorted()
        val (median, slow) = sorted[sorted.size / 2] to sorted[sorted.size * 99 / 100]
        println("$what ($where): median ${median / 1_000.0} µs, 99 % within ${slow / 1_000.0} µs, ${sorted.size} calls")
    }
}
