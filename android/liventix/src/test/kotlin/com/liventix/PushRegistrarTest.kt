package com.liventix

import com.liventix.conformance.SteppedClock
import com.liventix.support.LockableSecretStore
import com.liventix.support.SOME_ID
import com.liventix.support.SilentServer
import com.liventix.support.Stage
import com.liventix.support.awaitHangUp
import com.liventix.support.collectUntil
import com.liventix.support.heldByRust
import com.liventix.support.newApnsToken
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.runTest
import kotlinx.coroutines.withContext
import java.net.URI
import java.time.Duration
import java.time.Instant
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertIs
import kotlin.test.assertNull
import kotlin.test.assertTrue

/** A server that there is not. */
private const val NOWHERE = "http://127.0.0.1:1"

/** The registrar of push messages by itself; with servers that answer it is in [PushEndToEndTest]. */
class PushRegistrarTest {
    private val token = newApnsToken()

    @Test
    fun `what is no token is refused by its name`() = runTest {
        PushRegistrar.open(MemorySecretStore()).use { registrar ->
            val refused = listOf(
                Triple(PushService.APNS, " ", "push_token_empty"),
                Triple(PushService.APNS, "32 bytes", "push_token_not_hex"),
                Triple(PushService.APNS_SANDBOX, token.drop(2), "push_token_length"),
                Triple(PushService.FCM, "null", "push_token_shape"),
                Triple(PushService.FCM_INSTALLATION, token, "push_token_other_service"),
            )
            for ((service, text, code) in refused) {
                val thrown = assertFailsWith<PushException.Token>(text) { registrar.setToken(service, text) }
                assertEquals(code to thrown.detail, thrown.code to thrown.message)
                assertFalse(thrown.mayPass)
            }
        }
    }

    @Test
    fun `a token waits for a network, also after a restart, until somebody signs out`() = runTest {
        val secrets = MemorySecretStore()
        Stage.server().use { server ->
            TicketWallet.open(secrets).use { it.claim(server.tickets("Day ticket").first().link, "Ada's phone") }
            server.stop()
            PushRegistrar.open(secrets).use { registrar ->
                assertEquals(RegistrationState.UNREGISTERED, registrar.status().state)
                val status = registrar.setToken(PushService.APNS, token)
                assertEquals(server.url to RegistrationState.PENDING, status.servers.single().run { serverUrl to state })
                assertTrue(status.dueAt!! <= Instant.now(), "it is due at once: $status")
            }
            PushRegistrar.open(secrets).use { registrar ->
                assertEquals(RegistrationState.PENDING, registrar.status().state)
                // No server has it yet, so none is to forget it.
                val status = registrar.signOut()
                assertEquals(RegistrationState.UNREGISTERED to null, status.state to status.dueAt)
                assertFalse(registrar.setPermission(PushPermission.REFUSED).isOn)
                assertEquals(RegistrationState.UNREGISTERED, registrar.setToken(PushService.APNS, token).state)
                registrar.setPermission(PushPermission.ALLOWED)
                assertEquals(RegistrationState.PENDING, registrar.status().state)
            }
        }
    }

    @Test
    fun `each permission has its advice`() = runTest {
        PushRegistrar.open(MemorySecretStore()).use { registrar ->
            val advice = PushPermission.entries.associateWith(registrar::setPermission)
            assertEquals(setOf(PushPermission.QUIET, PushPermission.ALLOWED), advice.filterValues { it.isOn }.keys)
            assertEquals(PermissionAsk.SYSTEM, advice.getValue(PushPermission.NOT_ASKED).onTap)
            assertEquals(PermissionAsk.SYSTEM, advice.getValue(PushPermission.REFUSED_ONCE).onTap)
            assertEquals(PermissionAsk.SETTINGS, advice.getValue(PushPermission.REFUSED).onTap)
            assertEquals(PermissionAsk.SYSTEM, advice.getValue(PushPermission.QUIET).onTap)
            assertNull(advice.getValue(PushPermission.ALLOWED).onTap)
            assertTrue(advice.values.all { it.prompt == it.onTap && it.promptAt == null }, "nobody was asked: $advice")
        }
    }

    @Test
    fun `nobody is asked twice within a month`() = runTest {
        val secrets = MemorySecretStore()
        val begin = Instant.parse("2026-11-27T12:00:00Z")
        val clock = SteppedClock(begin.toEpochMilli(), wallAheadMs = 0)
        PushRegistrar.open(secrets, clock = clock).use { registrar ->
            assertEquals(PermissionAsk.SYSTEM, registrar.advise(PushPermission.NOT_ASKED).prompt)
            registrar.prompted()
            clock.waitUntil(begin.plusSeconds(5).toEpochMilli())
            registrar.refused(RefusalReason.TOO_MANY)
        }
        PushRegistrar.open(secrets, clock = clock).use { registrar ->
            val refusal = Refusal(begin.plusSeconds(5), RefusalReason.TOO_MANY)
            assertEquals(PromptHistory(begin, listOf(refusal)), registrar.prompts())
            val paused = registrar.advise(PushPermission.REFUSED)
            assertEquals(null to PermissionAsk.SETTINGS, paused.prompt to paused.onTap)
            val again = refusal.at + Duration.ofDays(30)
            assertEquals(again, paused.promptAt)
            clock.waitUntil(again.toEpochMilli() - 1)
            assertNull(registrar.advise(PushPermission.REFUSED).prompt)
            clock.waitUntil(again.toEpochMilli())
            val due = registrar.advise(PushPermission.REFUSED)
            assertEquals(PermissionAsk.SETTINGS to null, due.prompt to due.promptAt)
        }
    }

    @Test
    fun `a payload is read and another text is not a message`() = runTest {
        PushRegistrar.open(MemorySecretStore()).use { registrar ->
            val payload = """{"message_id":"$SOME_ID","server_url":"$NOWHERE","kind":"event_changed",""" +
                """"category":"changes","event_id":"$SOME_ID","added_later":true}"""
            val message = PushMessage(SOME_ID, NOWHERE, "event_changed", PushCategory.CHANGES, SOME_ID, ticketId = null)
            assertEquals(message, registrar.delivered(payload))
            assertEquals(message, registrar.opened(payload))
            assertEquals(0u, registrar.status().receiptsWaiting, "this phone has nothing to do with that server")
            for (text in listOf("", """{"aps":{"alert":"Hello"}}""")) {
                val thrown = assertFailsWith<PushException.InvalidInput> { registrar.delivered(text) }
                assertEquals("push_not_a_message", thrown.code)
                assertFailsWith<PushException.InvalidInput> { registrar.opened(text) }
            }
        }
    }

    @Test
    fun `a server that this phone has no ticket of is told nothing`() = runTest {
        PushRegistrar.open(MemorySecretStore()).use { registrar ->
            registrar.setToken(PushService.APNS, token)
            val status = PushStatus(RegistrationState.UNREGISTERED, emptyList(), dueAt = null, receiptsWaiting = 0u)
            assertEquals(status, registrar.run())
            assertEquals(status, registrar.networkIsBack())
            assertEquals("identity_lost", assertFailsWith<PushException.Refused> { registrar.sendTest(NOWHERE) }.code)
            val on = CategoryPreference(isOn = true, quietHours = null)
            val never = CategoryPreference(isOn = true, QuietHours(fromMinute = 60u, untilMinute = 60u))
            val thrown = assertFailsWith<PushException.InvalidInput> {
                registrar.setPreferences(NOWHERE, PushPreferences(on, on, on, never))
            }
            assertEquals("push_quiet_hours", thrown.code)
        }
    }

    @Test
    fun `every call after the close is a typed error`() = runTest {
        val registrar = PushRegistrar.open(MemorySecretStore())
        registrar.close()
        registrar.close()
        val on = CategoryPreference(isOn = true, quietHours = null)
        val calls: List<suspend () -> Any> = listOf(
            { registrar.setToken(PushService.APNS, token) },
            { registrar.signOut() },
            { registrar.setPermission(PushPermission.ALLOWED) },
            { registrar.advise(PushPermission.ALLOWED) },
            { registrar.prompted() },
            { registrar.refused(RefusalReason.LATER) },
            { registrar.prompts() },
            { registrar.status() },
            { registrar.networkIsBack() },
            { registrar.run() },
            { registrar.delivered("{}") },
            { registrar.opened("{}") },
            { registrar.preferences(NOWHERE) },
            { registrar.setPreferences(NOWHERE, PushPreferences(on, on, on, on)) },
            { registrar.sendTest(NOWHERE) },
        )
        calls.forEachIndexed { number, call ->
            assertEquals("closed", assertFailsWith<PushException.Closed>("call $number") { call() }.code)
        }
    }

    @Test
    fun `a cancelled run ends and so does one of a closed registrar`() = runTest {
        val secrets = MemorySecretStore()
        Stage.server().use { server ->
            TicketWallet.open(secrets).use { it.claim(server.tickets("Day ticket").first().link, "Ada's phone") }
            server.stop()
            // In its place, one that never answers.
            SilentServer(URI(server.url).port).use { silent ->
                val registrar = PushRegistrar.open(secrets)
                registrar.setToken(PushService.APNS, token)
                val cancelled = launch(Dispatchers.Default) { registrar.run() }
                withContext(Dispatchers.IO) {
                    silent.asked().use { connection ->
                        cancelled.cancelAndJoin()
                        connection.awaitHangUp()
                    }
                }
                assertEquals(RegistrationState.PENDING, registrar.status().state)
                val closed = async(Dispatchers.Default) { assertFailsWith<PushException> { registrar.run() } }
                withContext(Dispatchers.IO) { silent.asked() }.use { registrar.close() }
                assertIs<PushException.Closed>(closed.await())
            }
        }
    }

    @Test
    fun `a store that is locked is a typed error and costs nothing`() = runTest {
        val secrets = LockableSecretStore()
        PushRegistrar.open(secrets).use { registrar ->
            secrets.locked = true
            val thrown = assertFailsWith<PushException.Secrets> { registrar.setToken(PushService.APNS, token) }
            assertTrue(thrown.detail.contains("the store is locked"), thrown.detail)
            assertFailsWith<PushException.Secrets> { registrar.advise(PushPermission.NOT_ASKED) }
            assertFailsWith<PushException.Secrets> { registrar.run() }
            secrets.locked = false
            registrar.setToken(PushService.APNS, token)
            assertEquals(PermissionAsk.SYSTEM, registrar.advise(PushPermission.NOT_ASKED).prompt)
        }
    }

    @Test
    fun `ten thousand registrars are opened and closed`() = runTest {
        repeat(10_000) { PushRegistrar.open(MemorySecretStore()).use { assertEquals(0u, it.status().receiptsWaiting) } }
        collectUntil("their handles are freed") { heldByRust("SecretStore") == 0 }
    }
}
