package com.liventix

import com.liventix.quickstart.quickStartDoor
import com.liventix.quickstart.quickStartPocket
import com.liventix.support.Stage
import com.liventix.support.newFcmToken
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import java.nio.file.Path
import kotlin.test.assertEquals

/** The quick starts of the README, as tests/readme_quick_starts took them from there. */
internal class QuickStartTest {
    @TempDir
    lateinit var folder: Path

    @Test
    fun `a door admits a ticket`() = runBlocking {
        Stage.server().use { server ->
            val ticket = server.tickets("Day ticket").first()
            val verdict = quickStartDoor("$folder", MemorySecretStore(), server.enrolmentCode(), ticket.code)
            assertEquals(Outcome.ADMIT to Confidence.GREEN, verdict.outcome to verdict.confidence)
            assertEquals("Welcome, ${ticket.attendeeName} · Day ticket", verdict.line)
        }
    }

    @Test
    fun `a pocket's live code opens the door, and the server knows where its messages go`() = runBlocking {
        Stage.server().use { server ->
            val tickets = server.tickets("Day ticket")
            val secrets = MemorySecretStore()
            val code = quickStartPocket(secrets, tickets.first().link, newFcmToken())
            val verdict = quickStartDoor("$folder", MemorySecretStore(), server.enrolmentCode(), code.text)
            assertEquals(Outcome.ADMIT, verdict.outcome)
            PushRegistrar.open(secrets).use { assertEquals(RegistrationState.REGISTERED, it.status().state) }
        }
    }
}
