package com.liventix

import com.liventix.support.Stage
import com.liventix.support.openScanner
import com.liventix.support.patiently
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.test.runTest
import org.junit.jupiter.api.io.TempDir
import java.nio.file.Path
import kotlin.io.path.readLines
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertIs
import kotlin.test.assertNull
import kotlin.test.assertTrue

/** Doors with a real server, with and without a network. */
class DoorEndToEndTest {
    @TempDir
    lateinit var folder: Path

    @Test
    fun `two doors without a network admit one ticket and both learn of it`() = runTest {
        Stage.server().use { server ->
            folder.openScanner(name = "north.sqlite").use { north ->
                folder.openScanner(name = "south.sqlite").use { south ->
                    val device = north.enrol(server.enrolmentCode(), "North gate 1")
                    south.enrol(server.enrolmentCode(), "South gate 1")
                    assertEquals("North gate 1", device.deviceName)
                    assertEquals(8u, north.sync().tickets)
                    south.sync()
                    server.stop()

                    val ticket = server.tickets("Day ticket").first { it.attendeeName == "Mateo Vásquez" }
                    val atNorth = north.scan(ticket.code, Gateway(server.eventId, server.northGate, Direction.ENTRY))
                    val atSouth = south.scan(ticket.manualCode, Gateway(server.eventId, server.southGate, Direction.ENTRY))
                    assertEquals(listOf(Reason.ENTERED, Reason.ENTERED), listOf(atNorth.reason, atSouth.reason))
                    val again = north.scan(ticket.code, Gateway(server.eventId, server.northGate, Direction.ENTRY))
                    assertEquals(Outcome.REFUSE, again.outcome)
                    assertEquals(atNorth.scanId, again.firstAdmission?.scanId)
                    assertIs<ScannerException.Network>(runCatching { north.sync() }.exceptionOrNull())
                    assertEquals(2u, north.unsent().count)
                    assertEquals(2, north.exported())

                    server.start()
                    val passed = async(Dispatchers.Unconfined, CoroutineStart.UNDISPATCHED) { north.otherDoorScans.first() }
                    val told = async(Dispatchers.Unconfined, CoroutineStart.UNDISPATCHED) { north.newConflicts.first() }
                    val progress = async(Dispatchers.Unconfined, CoroutineStart.UNDISPATCHED) { north.syncProgress.first() }
                    assertEquals(1u, south.sync().pushed)
                    assertEquals(2u, north.sync().pushed)
                    assertEquals(SyncProgress.Clock, patiently { progress.await() })
                    assertEquals(atSouth.scanId, patiently { passed.await() }.single().scanId)

                    val conflict = north.conflicts(server.eventId).single()
                    assertEquals(listOf(conflict), patiently { told.await() })
                    assertEquals(ticket.ticketId, conflict.ticketId)
                    assertEquals("Mateo Vásquez", conflict.attendeeName)
                    val sides = listOf(conflict.standing, conflict.excess)
                    val gates = mapOf(atNorth.scanId to "North gate", atSouth.scanId to "South gate")
                    assertEquals(gates, sides.associate { it.scanId to it.gateName })
                    assertTrue(conflict.standing.at <= conflict.excess.at, "the earlier one stands")
                    assertEquals(1u, north.counts(server.eventId).conflicts)
                    south.sync()
                    assertEquals(listOf(conflict), south.conflicts(server.eventId))
                }
            }
        }
    }

    private fun TicketScanner.exported(): Int {
        val file = folder.resolve("export.jsonl")
        val count = exportUnsent(file.toFile())
        assertEquals("export_failed", assertFailsWith<ScannerException.Storage> { exportUnsent(file.toFile()) }.code)
        assertEquals(count.toInt(), file.readLines().size)
        return count.toInt()
    }

    @Test
    fun `a supervisor overrules, takes back and finds by name`() = runTest {
        Stage.server().use { server ->
            folder.openScanner().use { door ->
                door.enrol(server.enrolmentCode(supervisor = true), "Info desk")
                door.sync()
                val entry = Gateway(server.eventId, server.northGate, Direction.ENTRY)
                val event = door.events().single()
                assertTrue(event.supervisor)
                assertEquals(listOf("North gate", "South gate"), event.gates.map { it.name })

                val found = door.search(server.eventId, "bra zoe").single()
                assertEquals("Zoë Brännström" to 1u, found.attendeeName to found.remaining)
                val admitted = door.admitListed(found.ticketId, entry)
                assertEquals(Reason.ENTERED, admitted.reason)
                val undone = door.undo(admitted.scanId, "It was her sister")
                assertEquals(admitted.scanId to 1u, undone.undoes to undone.remaining)
                assertEquals("undo_already", assertFailsWith<ScannerException.UndoRefused> {
                    door.undo(admitted.scanId, "Twice")
                }.code)

                val vip = server.tickets("VIP").single()
                assertEquals(Reason.WRONG_GATE, door.scan(vip.code, entry).reason)
                val forced = door.force(vip.code, entry, "The south gate is closed")
                assertEquals(Reason.FORCED to Reason.WRONG_GATE, forced.reason to forced.overruled)
                assertEquals("note_invalid", assertFailsWith<ScannerException.InvalidInput> {
                    door.force(vip.code, entry, " ")
                }.code)

                door.sync()
                val rows = door.scans()
                assertEquals(listOf(1L, 2, 3, 4), rows.map { it.seq })
                assertEquals("It was her sister", rows[1].note)
                assertEquals(rows.drop(2), door.scans(afterSeq = 2, limit = 10))
                assertTrue(door.quarantined().isEmpty(), "the server took all of it")
                val readiness = door.readiness(askServer = true)
                assertEquals(CheckState.READY, readiness.items.single { it.check == Check.SERVER }.state)
                assertTrue(readiness.ready, "${readiness.items}")
            }
        }
    }

    @Test
    fun `a door that is not a supervisor's may not overrule`() = runTest {
        Stage.server().use { server ->
            folder.openScanner().use { door ->
                door.enrol(server.enrolmentCode(), "Door")
                door.sync()
                val vip = server.tickets("VIP").single()
                val refused = assertFailsWith<ScannerException.NotAllowed> {
                    door.force(vip.code, Gateway(server.eventId, server.northGate, Direction.ENTRY), "A friend")
                }
                assertEquals("not_supervisor", refused.code)
                assertTrue(door.scans().isEmpty())
            }
        }
    }

    @Test
    fun `a watched door tells of the network as it comes and goes`() = runTest {
        Stage.server().use { server ->
            folder.openScanner().use { door ->
                door.enrol(server.enrolmentCode(), "Door")
                assertFailsWith<ScannerException.InvalidInput> { door.startWatching("no id") }
                assertNull(door.link.value)
                door.startWatching(server.eventId)
                patiently { door.link.first { it == LinkState.Online } }
                server.stop()
                val offline = patiently { door.link.first { it is LinkState.Offline } as LinkState.Offline }
                assertTrue(offline.detail.isNotBlank())
                server.start()
                patiently { door.link.first { it == LinkState.Online } }
                door.stopWatching()
                assertNull(door.link.value)
            }
        }
    }

    @Test
    fun `a revoked door stops watching and says why`() = runTest {
        Stage.server().use { server ->
            folder.openScanner().use { door ->
                val device = door.enrol(server.enrolmentCode(), "Door")
                door.sync()
                server.organise("DELETE", "devices/${device.deviceId}")
                door.startWatching(server.eventId)
                val stopped = patiently { door.link.first { it is LinkState.Stopped } as LinkState.Stopped }
                assertEquals("device_revoked", stopped.code)
                assertFailsWith<ScannerException.Revoked> { door.sync() }
            }
        }
    }
}
