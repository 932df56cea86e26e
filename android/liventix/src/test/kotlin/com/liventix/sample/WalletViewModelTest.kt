package com.liventix.sample

import com.liventix.ClockSample
import com.liventix.HostClock
import com.liventix.MemorySecretStore
import com.liventix.SecretStore
import com.liventix.TicketStatus
import com.liventix.TicketWallet
import com.liventix.support.Stage
import com.liventix.support.StageServer
import kotlinx.coroutines.test.StandardTestDispatcher
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.advanceTimeBy
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.BeforeEach
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFalse
import kotlin.test.assertIs
import kotlin.test.assertNotEquals
import kotlin.test.assertNotNull
import kotlin.test.assertNull
import kotlin.test.assertTrue
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** The wallet's view model on a real wallet with a real server; its time is the test's. */
class WalletViewModelTest {
    private lateinit var server: StageServer

    @BeforeEach
    fun startServer() {
        server = Stage.server()
    }

    @AfterEach
    fun stopServer() = server.close()

    private val ticket get() = server.tickets("Day ticket").first()

    private val WalletViewModel.now get() = state.value

    /** A phone whose time passes as that of the test. */
    private fun TestScope.clock(): HostClock {
        val begin = System.currentTimeMillis() - testScheduler.currentTime
        return HostClock {
            val passed = testScheduler.currentTime
            ClockSample(wallMs = begin + passed, monoMs = passed, boot = 1uL)
        }
    }

    private suspend fun TestScope.openWallet(
        secrets: SecretStore = MemorySecretStore(),
        test: suspend (WalletViewModel) -> Unit,
    ) = TicketWallet.open(secrets, clock = clock()).use { wallet ->
        val model = WalletViewModel(wallet, backgroundScope, StandardTestDispatcher(testScheduler))
        runCurrent()
        test(model)
    }

    @Test
    fun `a link becomes a ticket with its printed code`() = runTest {
        openWallet { model ->
            model.claim("https://example.org/a/b", "Ada's phone").join()
            assertEquals("not_a_ticket_link", model.now.problem?.code)
            model.claim(ticket.link, "Ada's phone").join()
            assertNull(model.now.problem)
            assertEquals(listOf(ticket.ticketId), model.now.tickets.map { it.ticketId })
            val open = assertNotNull(model.now.open)
            val code = assertIs<ShownCode.Printed>(open.code)
            assertEquals(ticket.code to true, code.text to code.accepted)
            assertEquals(ticket.manualCode, code.manualCode)
            assertTrue(code.matrix.size >= 21u)
            assertFalse(model.now.isWaiting)
            model.close()
            assertNull(model.now.open)
        }
    }

    @Test
    fun `a live code is minted anew when its time has come`() = runTest {
        openWallet { model ->
            model.claim(ticket.link, "Ada's phone").join()
            model.activate().join()
            runCurrent()
            server.stop()
            val first = assertIs<ShownCode.Live>(model.now.open?.code)
            // A code counts whole seconds: the next one is due a minute after the second it was minted in.
            advanceTimeBy(58.seconds)
            assertEquals(first.text, model.now.open?.code?.text)
            advanceTimeBy(2.seconds + 1.milliseconds)
            val second = assertIs<ShownCode.Live>(model.now.open?.code)
            assertNotEquals(first.text, second.text)
            advanceTimeBy(61.seconds)
            val third = assertIs<ShownCode.Live>(model.now.open?.code)
            assertNotEquals(second.text, third.text)
            advanceTimeBy(10.seconds)
            model.renew().join()
            assertNotEquals(third.text, model.now.open?.code?.text)
            model.close()
            advanceTimeBy(300.seconds)
            assertNull(model.now.open, "nothing is minted for a closed ticket")
        }
    }

    @Test
    fun `a store that is locked for a while is tried again`() = runTest {
        val secrets = object : SecretStore {
            val store = MemorySecretStore()
            var locked = false

            override fun put(name: String, value: String) = store.put(name, value)

            override fun get(name: String): String? = if (locked) error("locked") else store.get(name)

            override fun delete(name: String) = store.delete(name)
        }
        openWallet(secrets) { model ->
            model.claim(ticket.link, "Ada's phone").join()
            model.activate().join()
            runCurrent()
            secrets.locked = true
            advanceTimeBy(61.seconds)
            assertEquals("secrets", model.now.problem?.code)
            val old = model.now.open?.code?.text
            secrets.locked = false
            advanceTimeBy(6.seconds)
            assertNotEquals(old, model.now.open?.code?.text)
        }
    }

    @Test
    fun `a ticket is handed on and the offer taken back`() = runTest {
        openWallet { model ->
            model.claim(ticket.link, "Ada's phone").join()
            model.transfer().join()
            val offer = assertNotNull(model.now.offer)
            assertNotNull(model.now.open?.ticket?.transferUntil)
            model.cancelTransfer().join()
            runCurrent()
            assertNull(model.now.offer ?: model.now.open?.ticket?.transferUntil)
            model.transfer().join()
            val again = assertNotNull(model.now.offer)
            assertNotEquals(offer.link, again.link)
            openWallet { other ->
                other.claim(again.link, "Grace's phone").join()
                assertNull(other.now.problem)
                assertNotEquals(ticket.code, other.now.open?.code?.text)
            }
            model.refresh().join()
            runCurrent()
            assertTrue(model.now.tickets.single().gone)
            model.forget(ticket.ticketId).join()
            assertEquals(emptyList(), model.now.tickets)
            assertNull(model.now.open)
        }
    }

    @Test
    fun `a ticket is claimed once and given back`() = runTest {
        openWallet { model ->
            model.claim(ticket.link, "Ada's phone").join()
            openWallet { other ->
                other.claim(ticket.link, "Another phone").join()
                assertEquals("already_claimed", other.now.problem?.code)
                assertTrue(other.now.problem!!.words.isNotBlank())
                model.release().join()
                runCurrent()
                assertEquals(emptyList(), model.now.tickets)
                other.claim(ticket.link, "Another phone").join()
                assertNull(other.now.problem)
            }
        }
    }

    @Test
    fun `a server that cannot be asked changes nothing`() = runTest {
        openWallet { model ->
            model.claim(ticket.link, "Ada's phone").join()
            server.stop()
            model.refresh().join()
            assertEquals(1, model.now.unreachable.size)
            assertEquals(TicketStatus.VALID, model.now.tickets.single().status)
            model.activate().join()
            assertTrue(model.now.problem!!.mayPass)
            assertIs<ShownCode.Printed>(model.now.open?.code)
            server.start()
            model.refresh().join()
            assertEquals(0, model.now.unreachable.size)
            assertNull(model.now.problem)
        }
    }
}
