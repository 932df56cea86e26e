package com.liventix

import com.liventix.support.OpenSecretStore
import com.liventix.support.SOME_ID
import com.liventix.support.SilentServer
import com.liventix.support.Stage
import com.liventix.support.awaitHangUp
import com.liventix.support.collectUntil
import com.liventix.support.heldByRust
import com.liventix.support.openScanner
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.runTest
import kotlinx.coroutines.withContext
import org.junit.jupiter.api.io.TempDir
import java.nio.file.Path
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertIs
import kotlin.test.assertTrue

/** An attendee's tickets, from the link to the door. */
class WalletEndToEndTest {
    @TempDir
    lateinit var folder: Path

    @Test
    fun `a ticket is claimed and its live code admitted without a network`() = runTest {
        val secrets = OpenSecretStore()
        Stage.server("""{"policy":{"printed":"until_live_activated"}}""").use { server ->
            val issued = server.tickets("Day ticket").first()
            TicketWallet.open(secrets).use { wallet ->
                folder.openScanner().use { door ->
                    door.enrol(server.enrolmentCode(), "Door")
                    val ticket = wallet.claim(issued.link, "Ada's phone")
                    assertEquals(issued.ticketId to issued.attendeeName, ticket.ticketId to ticket.attendeeName)
                    assertFailsWith<WalletException.NotLive> { wallet.liveCode(ticket.ticketId) }
                    val printed = wallet.printedCode(ticket.ticketId)
                    assertEquals(issued.code to issued.manualCode, printed.text to printed.manualCode)
                    assertTrue(printed.accepted)

                    assertTrue(wallet.activateLive(ticket.ticketId).canMint)
                    door.sync()
                    server.stop()

                    val live = wallet.liveCode(ticket.ticketId)
                    assertTrue(live.mintedAt < live.refreshAt && live.refreshAt < live.goodUntil, "$live")
                    assertTrue(QrCode.matrix(live.text).isDark(0, 0), "the corner of a QR code is dark")
                    val entry = Gateway(server.eventId, server.northGate, Direction.ENTRY)
                    assertFalse(wallet.printedCode(ticket.ticketId).accepted)
                    assertEquals(Reason.PRINTED_REFUSED, door.scan(printed.text, entry).reason)
                    val verdict = door.scan(live.text, entry)
                    assertEquals(Reason.ENTERED to Confidence.GREEN, verdict.reason to verdict.confidence)
                    assertEquals(issued.attendeeName, verdict.ticket?.attendeeName)
                }
            }
            // The same phone, started anew, still without a network.
            TicketWallet.open(secrets).use { wallet ->
                assertEquals(issued.ticketId, wallet.tickets().single().ticketId)
                assertTrue(wallet.liveCode(issued.ticketId).text.startsWith("LX1:"))
                assertEquals("offline", wallet.refresh().failed.single().code)
                assertFailsWith<WalletException.Network> { wallet.transfer(issued.ticketId) }
                wallet.forget(issued.ticketId)
                assertFailsWith<WalletException.NotFound> { wallet.ticket(issued.ticketId) }
            }
        }
    }

    @Test
    fun `every call after the close is a typed error`() = runTest {
        val wallet = TicketWallet.open(MemorySecretStore())
        wallet.close()
        wallet.close()
        val calls: List<suspend () -> Any> = listOf(
            { wallet.claim("http://127.0.0.1:1/t/lxt_${"0".repeat(32)}_${"A".repeat(43)}", "Phone") },
            { wallet.tickets() },
            { wallet.ticket(SOME_ID) },
            { wallet.refresh() },
            { wallet.activateLive(SOME_ID) },
            { wallet.liveCode(SOME_ID) },
            { wallet.printedCode(SOME_ID) },
            { wallet.transfer(SOME_ID) },
            { wallet.cancelTransfer(SOME_ID) },
            { wallet.release(SOME_ID) },
            { wallet.forget(SOME_ID) },
        )
        calls.forEachIndexed { number, call ->
            assertEquals("closed", assertFailsWith<WalletException.Closed>("call $number") { call() }.code)
        }
    }

    @Test
    fun `a cancelled claim ends and so does one of a closed wallet`() = runTest {
        SilentServer().use { server ->
            val link = "http://127.0.0.1:${server.port}/t/lxt_${"0".repeat(32)}_${"A".repeat(43)}"
            val wallet = TicketWallet.open(MemorySecretStore())
            val cancelled = launch(Dispatchers.Default) { wallet.claim(link, "Phone") }
            withContext(Dispatchers.IO) {
                server.asked().use { connection ->
                    cancelled.cancelAndJoin()
                    connection.awaitHangUp()
                }
            }
            val closed = async(Dispatchers.Default) { assertFailsWith<WalletException> { wallet.claim(link, "Phone") } }
            withContext(Dispatchers.IO) { server.asked() }.use { wallet.close() }
            assertIs<WalletException.Closed>(closed.await())
        }
    }

    @Test
    fun `a store that throws is a typed error`() = runTest {
        val secrets = object : SecretStore {
            override fun put(name: String, value: String) = throw AssertionError("locked")

            override fun get(name: String): String? = throw StackOverflowError()

            override fun delete(name: String) = throw IllegalStateException("locked")
        }
        assertFailsWith<WalletException.Secrets> { TicketWallet.open(secrets).use { it.tickets() } }
    }

    @Test
    fun `ten thousand wallets are opened and closed`() = runTest {
        repeat(10_000) { TicketWallet.open(MemorySecretStore()).use { assertEquals(emptyList(), it.tickets()) } }
        collectUntil("their handles are freed") { heldByRust("SecretStore") == 0 }
    }
}
