package com.liventix.conformance

import com.liventix.Direction
import com.liventix.FirstAdmission
import com.liventix.Gateway
import com.liventix.ScannerConfig
import com.liventix.ScannerException
import com.liventix.SecretStore
import com.liventix.TicketScanner
import com.liventix.Undone
import com.liventix.Verdict
import com.liventix.support.OpenSecretStore
import com.liventix.support.Stage
import com.liventix.support.get
import com.liventix.support.orNull
import com.liventix.support.text
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.boolean
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonPrimitive
import kotlinx.serialization.json.long
import java.nio.file.Path
import kotlin.test.assertEquals
import kotlin.test.assertTrue

/** What came of a step. */
private sealed interface Answer {
    class Scanned(val verdict: Verdict) : Answer

    class TakenBack(val undone: Undone) : Answer

    class Failed(val code: String) : Answer
}

/** Plays one case on a scanner that was enrolled and synced with the stand-in. */
internal class Player(private val case: Case, private val folder: Path) {
    private val clock = SteppedClock(case.startsAt, case.wallAheadMs)
    private val secrets: SecretStore = OpenSecretStore()
    private val answers = ArrayList<Answer?>()

    suspend fun play() {
        var scanner = open()
        try {
            scanner.enrol("LIVENTIX-ENROL:${Stage.url}/cases/${case.file}/${case.name}#X", case.deviceName)
            scanner.sync()
            case.steps.forEachIndexed { number, step ->
                clock.waitUntil(step.number("at"))
                scanner = scanner.passing(step["do"] as JsonObject)
                step.orNull("expect")?.let { check("${case.name} step $number", it as JsonObject, answers.last()) }
            }
        } finally {
            scanner.close()
        }
    }

    private suspend fun open() = TicketScanner.open(ScannerConfig("${folder.resolve("door.sqlite")}"), secrets, clock)

    /** Does it, and returns the scanner to go on with. */
    private suspend fun TicketScanner.passing(action: JsonObject): TicketScanner {
        val (kind, what) = action.entries.single()
        var next = this
        answers += when (kind) {
            "scan", "listed", "undo" -> attempt(kind, what)
            "sync" -> null.also { sync() }
            "clock" -> null.also { next = changeClock(what) }
            else -> error("a step of an unknown kind: $kind")
        }
        return next
    }

    private fun TicketScanner.attempt(kind: String, what: JsonElement): Answer =
        try {
            when (kind) {
                "scan" -> Answer.Scanned(scan(what, what.orNull("force")?.jsonPrimitive?.content))
                "listed" -> Answer.Scanned(pick(what, what.orNull("force")?.jsonPrimitive?.content))
                else -> Answer.TakenBack(undo(scanId(what["target"]), what.text("note")))
            }
        } catch (failed: ScannerException) {
            Answer.Failed(failed.code)
        }

    private fun TicketScanner.scan(what: JsonElement, force: String?): Verdict =
        if (force == null) scan(what.text("text"), gateway(what)) else force(what.text("text"), gateway(what), force)

    private fun TicketScanner.pick(what: JsonElement, force: String?): Verdict {
        val ticketId = what.text("ticket_id")
        return if (force == null) admitListed(ticketId, gateway(what)) else forceListed(ticketId, gateway(what), force)
    }

    private fun gateway(what: JsonElement): Gateway {
        val direction = Direction.valueOf(what.text("direction").uppercase())
        return Gateway(case.eventId, what.text("gate_id"), direction, what.count("people").toUShort())
    }

    private suspend fun TicketScanner.changeClock(what: JsonElement): TicketScanner {
        val reboot = what["reboot"].jsonPrimitive.boolean
        if (reboot) clock.reboot()
        what.orNull("wall_ms")?.let { clock.setWall(it.jsonPrimitive.long) }
        if (!reboot) return this
        close()
        return open()
    }

    /** The scan that a reference names. */
    private fun scanId(reference: JsonElement): String =
        reference.orNull("scan_id")?.jsonPrimitive?.content ?: when (val made = answers[reference.count("step")]) {
            is Answer.Scanned -> made.verdict.scanId
            is Answer.TakenBack -> made.undone.scanId
            else -> error("step $reference made no scan")
        }

    private fun check(where: String, expect: JsonObject, answer: Answer?) {
        val (kind, expected) = expect.entries.single()
        when (kind) {
            "error" -> assertEquals(expected.jsonPrimitive.content, (answer as? Answer.Failed)?.code, where)
            "verdict" -> {
                assertTrue(answer is Answer.Scanned, "$where: ${(answer as? Answer.Failed)?.code}")
                checkVerdict(where, expected, answer.verdict)
            }
            "undone" -> {
                assertTrue(answer is Answer.TakenBack, "$where: ${(answer as? Answer.Failed)?.code}")
                checkUndone(where, expected, answer.undone)
            }
            else -> error("an expectation of an unknown kind: $kind")
        }
    }

    private fun checkVerdict(where: String, expected: JsonElement, verdict: Verdict) {
        assertEquals(expected.text("outcome"), verdict.outcome.name.lowercase(), "$where: outcome")
        assertEquals(expected.text("reason"), verdict.reason.name.lowercase(), "$where: reason")
        assertEquals(expected.text("reason"), verdict.reasonCode, "$where: reason code")
        assertEquals(expected.text("confidence"), verdict.confidence.name.lowercase(), "$where: confidence")
        val flags = expected["flags"].jsonArray.map { it.jsonPrimitive.content }
        assertEquals(flags, verdict.flags.map { it.name.lowercase() }, "$where: flags")
        assertEquals(expected.count("people"), verdict.people.toInt(), "$where: people")
        assertEquals(expected.orNull("remaining")?.jsonPrimitive?.long, verdict.remaining?.toLong(), "$where: remaining")
        assertEquals(expected.orNull("ticket_id")?.jsonPrimitive?.content, verdict.ticket?.ticketId, "$where: ticket")
        val first = verdict.firstAdmission?.evidence()
        assertEquals(expected.orNull("first_admission")?.let(::evidence), first, "$where: first admission")
        assertTrue(verdict.line.isNotBlank(), "$where: there is a line for people")
    }

    private fun checkUndone(where: String, expected: JsonElement, undone: Undone) {
        assertEquals(expected.count("people"), undone.people.toInt(), "$where: people")
        assertEquals(expected.text("direction"), undone.direction.name.lowercase(), "$where: direction")
        assertEquals(expected.orNull("remaining")?.jsonPrimitive?.long, undone.remaining?.toLong(), "$where: remaining")
    }

    /** What a verdict must say of an earlier passage. */
    private data class Evidence(val scanId: String, val atMs: Long, val gateId: String, val deviceId: String)

    private fun FirstAdmission.evidence(): Evidence {
        assertEquals(deviceId == case.deviceId, thisDevice, "${case.name}: this device")
        return Evidence(scanId, at.toEpochMilli(), gateId, deviceId)
    }

    private fun evidence(reference: JsonElement): Evidence {
        val step = reference.orNull("step")?.jsonPrimitive?.long?.toInt()
        if (step == null) {
            val passage = case.passage(reference.text("scan_id"))
            return Evidence(
                passage.text("scan_id"), passage.number("at"), passage.text("gate_id"), passage.text("device_id"),
            )
        }
        val made = (answers[step] as Answer.Scanned).verdict
        val gateId = (case.steps[step]["do"] as JsonObject).values.single().text("gate_id")
        return Evidence(made.scanId, made.at.toEpochMilli(), gateId, case.deviceId)
    }
}
