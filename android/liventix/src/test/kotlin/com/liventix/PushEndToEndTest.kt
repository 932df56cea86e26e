package com.liventix

import com.liventix.support.Stage
import com.liventix.support.StageServer
import com.liventix.support.newApnsToken
import com.liventix.support.newFcmToken
import kotlinx.coroutines.test.runTest
import java.time.Instant
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertNotNull
import kotlin.test.assertNull
import kotlin.test.assertTrue

/** Push messages of a real server, to a phone that Apple's or Google's service reaches. */
class PushEndToEndTest {
    /** A phone with a ticket, and its registrar over the same store. */
    private suspend fun onPhone(test: suspend (StageServer, PushRegistrar) -> Unit) {
        val secrets = MemorySecretStore()
        Stage.server().use { server ->
            TicketWallet.open(secrets).use { wallet ->
                wallet.claim(server.tickets("Day ticket").first().link, "Ada's phone")
                val config = PushConfig(locale = "de-CH", timeZone = "Europe/Zurich")
                PushRegistrar.open(secrets, config).use { test(server, it) }
            }
        }
    }

    @Test
    fun `a message is shown, and its receipts are handed in`() = runTest {
        onPhone { server, registrar ->
            val token = newApnsToken()
            assertFailsWith<PushException.NotRegistered> { registrar.sendTest(server.url) }
            registrar.setToken(PushService.APNS, token)
            val status = registrar.run()
            assertEquals(RegistrationState.REGISTERED, status.state, "$status")
            assertTrue(status.dueAt == null && status.servers.single().dueAt == null, "$status")

            val messageId = registrar.sendTest(server.url)
            val push = server.awaitPush(token, messageId)
            assertEquals("apns", push.service)
            assertTrue(push.title.isNotBlank() && push.body.isNotBlank(), "${push.title}: ${push.body}")
            val message = registrar.delivered(push.payload)
            assertEquals(PushMessage(messageId, server.url, "test", null, null, null), message)
            assertEquals(message, registrar.opened(push.payload))
            assertEquals(2u, registrar.status().receiptsWaiting)
            assertEquals(0u, registrar.run().receiptsWaiting)
        }
    }

    @Test
    fun `a message comes by Google's service, too`() = runTest {
        onPhone { server, registrar ->
            val token = newFcmToken()
            registrar.setToken(PushService.FCM, token)
            assertEquals(RegistrationState.REGISTERED, registrar.run().state)
            val messageId = registrar.sendTest(server.url)
            val push = server.awaitPush(token, messageId)
            assertEquals("fcm", push.service)
            assertEquals(messageId, registrar.delivered(push.payload).messageId)
        }
    }

    @Test
    fun `people choose what they get, and when`() = runTest {
        onPhone { server, registrar ->
            registrar.setToken(PushService.APNS_SANDBOX, newApnsToken())
            registrar.run()
            val first = registrar.preferences(server.url)
            assertTrue(first.tickets.isOn)
            assertEquals(QuietHours(fromMinute = 1320u, untilMinute = 480u), first.news.quietHours)
            val quiet = CategoryPreference(isOn = true, QuietHours(fromMinute = 0u, untilMinute = 1439u))
            val wanted = first.copy(gates = CategoryPreference(isOn = false, quietHours = null), news = quiet)
            assertEquals(wanted, registrar.setPreferences(server.url, wanted))
            assertEquals(wanted, registrar.preferences(server.url))
        }
    }

    @Test
    fun `a server that is away is told when the network is back`() = runTest {
        onPhone { server, registrar ->
            registrar.setToken(PushService.APNS, newApnsToken())
            assertEquals(RegistrationState.REGISTERED, registrar.run().state)
            registrar.setToken(PushService.APNS, newApnsToken())
            assertEquals(RegistrationState.REFRESH_NEEDED, registrar.status().state)

            server.stop()
            val begin = Instant.now()
            val failed = registrar.run()
            assertEquals(RegistrationState.FAILED, failed.state)
            assertTrue(assertNotNull(failed.dueAt) > begin, "$failed")
            val trouble = assertNotNull(failed.servers.single().trouble)
            assertEquals("offline", trouble.code)
            assertTrue("try again" in trouble.detail, trouble.detail)
            assertFalse(failed.servers.single().isGivenUp)
            assertTrue(assertFailsWith<PushException.Network> { registrar.preferences(server.url) }.mayPass)

            server.start()
            // Not due yet: it would be tried in a minute.
            assertEquals(RegistrationState.FAILED, registrar.run().state)
            registrar.networkIsBack()
            val status = registrar.run()
            assertEquals(RegistrationState.REGISTERED, status.state, "$status")
            assertNull(status.servers.single().trouble)
        }
    }

    @Test
    fun `whoever signs out is forgotten by the server`() = runTest {
        onPhone { server, registrar ->
            registrar.setToken(PushService.APNS, newApnsToken())
            registrar.run()
            assertEquals(RegistrationState.UNREGISTERED, registrar.signOut().state)
            assertNotNull(registrar.status().dueAt, "the server is to be told")
            assertNull(registrar.run().dueAt)
            assertFailsWith<PushException.NotRegistered> { registrar.sendTest(server.url) }
        }
    }
}
