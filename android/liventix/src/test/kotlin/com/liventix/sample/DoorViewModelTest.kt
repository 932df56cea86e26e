package com.liventix.sample

import com.liventix.Direction
import com.liventix.LinkState
import com.liventix.Outcome
import com.liventix.Reason
import com.liventix.TicketScanner
import com.liventix.support.SilentServer
import com.liventix.support.Stage
import com.liventix.support.StageServer
import com.liventix.support.openScanner
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.test.StandardTestDispatcher
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.advanceTimeBy
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import kotlinx.coroutines.withContext
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.BeforeEach
import org.junit.jupiter.api.io.TempDir
import java.nio.file.Path
import kotlin.io.path.exists
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFalse
import kotlin.test.assertNotNull
import kotlin.test.assertNull
import kotlin.test.assertTrue
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** The door's view model on a real scanner with a real server; its time is the test's. */
class DoorViewModelTest {
    @TempDir
    lateinit var folder: Path
    private lateinit var server: StageServer

    @BeforeEach
    fun startServer() {
        server = Stage.server()
    }

    @AfterEach
    fun stopServer() = server.close()

    private fun TestScope.model(scanner: TicketScanner) =
        DoorViewModel(scanner, backgroundScope, StandardTestDispatcher(testScheduler), verdictStays = 4.seconds)

    /** A door at the north gate, in touch with the server. */
    private suspend fun TestScope.openDoor(
        supervisor: Boolean = false,
        name: String = "ledger.sqlite",
        test: suspend (DoorViewModel) -> Unit,
    ) = folder.openScanner(name = name).use { scanner ->
        val model = model(scanner)
        model.enrol(server.enrolmentCode(supervisor), "North gate 1").join()
        model.choose(server.eventId, server.northGate).join()
        model.state.first { it.link == LinkState.Online }
        runCurrent()
        test(model)
    }

    private val DoorViewModel.now get() = state.value

    private fun ticket(number: Int = 0) = server.tickets("Day ticket")[number]

    @Test
    fun `a new phone becomes a device and stands at a gate`() = runTest {
        folder.openScanner().use { scanner ->
            val model = model(scanner)
            runCurrent()
            assertNull(model.now.device)
            model.enrol("https://example.org", "North gate 1").join()
            assertEquals("not_an_enrolment_code", model.now.problem?.code)
            assertFalse(model.now.problem!!.mayPass)

            model.enrol(server.enrolmentCode(), "North gate 1").join()
            runCurrent()
            assertNull(model.now.problem, "what went well takes the problem away")
            assertEquals("North gate 1", model.now.device?.deviceName)
            assertEquals(listOf(server.eventId), model.now.events.map { it.eventId })
            assertFalse(model.now.isWaiting)
            assertNull(model.now.progress)

            model.choose(server.eventId, "no such gate").join()
            assertNull(model.now.place)
            model.choose(server.eventId, server.southGate).join()
            assertEquals("South gate", model.now.place?.gate?.name)
            assertEquals(8u, model.now.counts?.tickets)
            model.leave().join()
            assertNull(model.now.place ?: model.now.counts)
            assertNull(model.now.link)
        }
    }

    @Test
    fun `a verdict is shown for four seconds and the count goes up`() = runTest {
        openDoor { model ->
            model.scan(ticket().code).join()
            val shown = assertNotNull(model.now.shown)
            assertEquals(Outcome.ADMIT to Reason.ENTERED, shown.verdict.outcome to shown.verdict.reason)
            assertEquals(1u, model.now.counts?.inside)
            advanceTimeBy(3_999.milliseconds)
            assertNotNull(model.now.shown)
            advanceTimeBy(2.milliseconds)
            assertNull(model.now.shown)
            model.scan(ticket().code).join()
            assertEquals(Outcome.REFUSE, model.now.shown?.verdict?.outcome)
            assertFalse(model.now.shown!!.canForce)
            model.dismissVerdict()
            assertNull(model.now.shown)
        }
    }

    @Test
    fun `a code that is held before the camera is one scan`() = runTest {
        openDoor { model ->
            repeat(10) {
                model.cameraSaw(ticket().code).join()
                advanceTimeBy(3.seconds)
            }
            assertEquals(Reason.ENTERED, model.now.shown?.verdict?.reason)
            assertEquals(1u, model.now.counts?.scansHere)
            model.cameraSaw(ticket(1).code).join()
            assertEquals(2u, model.now.counts?.scansHere)
        }
    }

    @Test
    fun `people and direction are those of the next scan`() = runTest {
        openDoor { model ->
            val family = server.tickets("Family ticket").single()
            model.setPeople(0)
            assertEquals(1, model.now.people)
            model.setPeople(3)
            model.scan("not a ticket").join()
            assertEquals(3, model.now.people, "nobody passed: they still want to")
            model.scan(family.code).join()
            assertEquals(3uL, model.now.counts?.inside)
            assertEquals(1u, model.now.shown?.verdict?.remaining)
            assertEquals(1, model.now.people)
            model.setDirection(Direction.EXIT)
            model.scan(server.tickets("Festival pass").single().code).join()
            model.setDirection(Direction.ENTRY)
            assertEquals(Reason.EXITED, model.now.shown?.verdict?.reason)
        }
    }

    @Test
    fun `a supervisor overrules with a note`() = runTest {
        openDoor(supervisor = true) { model ->
            val vip = server.tickets("VIP").single()
            model.scan(vip.code).join()
            assertEquals(Reason.WRONG_GATE, model.now.shown?.verdict?.reason)
            assertTrue(model.now.shown!!.canForce)
            model.force(" ").join()
            assertEquals("note_invalid", model.now.problem?.code)
            model.force("The south gate is closed").join()
            assertNull(model.now.problem)
            assertEquals(Reason.FORCED, model.now.shown?.verdict?.reason)
            assertFalse(model.now.shown!!.canForce)
        }
    }

    @Test
    fun `the last passage is taken back while its window lasts`() = runTest {
        openDoor { model ->
            model.scan(ticket().code).join()
            val offer = assertNotNull(model.now.undoOffer)
            assertEquals(ticket().attendeeName to 1, offer.attendeeName to offer.people)
            advanceTimeBy(60.seconds)
            model.undo("Wrong ticket").join()
            assertEquals(offer.scanId, model.now.undone?.undoes)
            assertEquals(0u, model.now.counts?.inside)
            assertNull(model.now.undoOffer)
            advanceTimeBy(5.seconds)
            assertNull(model.now.undone)

            model.scan(ticket().code).join()
            assertNotNull(model.now.undoOffer)
            advanceTimeBy(model.now.place!!.event.undoWindow!!.toMillis().milliseconds + 1.milliseconds)
            assertNull(model.now.undoOffer, "too late")
        }
    }

    @Test
    fun `a guest without a phone is found by name and admitted`() = runTest {
        openDoor(supervisor = true) { model ->
            model.search("lovelace").join()
            val found = model.now.found.single()
            model.admit(found).join()
            assertEquals(emptyList(), model.now.found)
            assertEquals(Reason.ENTERED, model.now.shown?.verdict?.reason)
            model.admit(found).join()
            assertEquals(Outcome.REFUSE, model.now.shown?.verdict?.outcome)
            model.force("Her sister, seen both").join()
            assertEquals(Reason.FORCED, model.now.shown?.verdict?.reason)
            model.search(" ").join()
            assertEquals(emptyList(), model.now.found)
        }
    }

    @Test
    fun `without a network scans go on and are counted as unsent`() = runTest {
        openDoor { model ->
            server.stop()
            model.state.first { it.link is LinkState.Offline }
            model.scan(ticket().code).join()
            assertEquals(Outcome.ADMIT, model.now.shown?.verdict?.outcome)
            assertEquals(1u, model.now.unsent?.count)
            model.sync().join()
            assertTrue(model.now.problem!!.mayPass)
            val export = folder.resolve("export.jsonl")
            model.exportUnsent(export.toFile()).join()
            assertTrue(export.exists())
            server.start()
            model.state.first { it.unsent?.count == 0uL }
        }
    }

    @Test
    fun `a conflict with another door is shown until it is seen`() = runTest {
        openDoor { north ->
            openDoor(name = "south.sqlite") { south ->
                server.stop()
                north.scan(ticket().code).join()
                south.scan(ticket().code).join()
                server.start()
                north.sync().join()
                south.sync().join()
                north.sync().join()
                north.state.first { it.unseenConflicts.isNotEmpty() }
                assertEquals(ticket().ticketId, north.now.unseenConflicts.single().ticketId)
                assertEquals(north.now.unseenConflicts, north.now.conflicts)
                north.seeConflicts()
                assertEquals(0 to 1, north.now.unseenConflicts.size to north.now.conflicts.size)
            }
        }
    }

    @Test
    fun `readiness is looked at before doors open`() = runTest {
        openDoor { model ->
            assertNull(model.now.readiness)
            model.checkReadiness().join()
            assertTrue(model.now.readiness!!.ready, "${model.now.readiness}")
        }
    }

    @Test
    fun `one thing at a time waits for the server and can be given up`() = runTest {
        SilentServer().use { silent ->
            folder.openScanner().use { scanner ->
                val model = model(scanner)
                val enrolling = model.enrol(silent.enrolmentCode, "Door")
                runCurrent()
                assertTrue(model.now.isWaiting)
                model.sync().join()
                assertNull(model.now.problem, "the second one was not even tried")
                withContext(Dispatchers.IO) { silent.asked() }.use { enrolling.cancelAndJoin() }
                assertFalse(model.now.isWaiting)
                model.sync().join()
                assertEquals("not_enrolled", model.now.problem?.code)
            }
        }
    }
}
