package com.liventix.sample

import com.liventix.LiveCode
import com.liventix.PrintedCode
import com.liventix.QrCode
import com.liventix.TicketWallet
import com.liventix.WalletException
import com.liventix.WalletTicket
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.getAndUpdate
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withContext
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import kotlin.time.toKotlinDuration

/** However wrong a clock is, a code is not minted more often than this. */
private val LEAST_PAUSE: Duration = 1.seconds

/** A store that could not be read is tried again after this. */
private val RETRY_PAUSE: Duration = 5.seconds

/**
 * A wallet, for a screen to show: claim a ticket by its link, open it, hold it to a scanner. All of it is in [state];
 * what a person does are the functions, which return at once and whose [Job] ends when it is done.
 *
 * @param wallet an open wallet. The model does not close it.
 * @param scope as long as the screen is there, e.g. `viewModelScope`. Its time is the model's.
 * @param work where the secret store is read, off the main thread.
 */
public class WalletViewModel(
    private val wallet: TicketWallet,
    private val scope: CoroutineScope,
    private val work: CoroutineDispatcher = Dispatchers.IO,
) {
    private val current = MutableStateFlow(WalletState())
    private val renewal = Countdown(scope)

    /** One look into the secret store after the other. */
    private val turn = Mutex()

    /** What to show. */
    public val state: StateFlow<WalletState> = current.asStateFlow()

    init {
        attempt { look() }
    }

    /** Claims the ticket of a [link] for this phone and opens it. [phoneName] is what the organiser sees. */
    public fun claim(link: String, phoneName: String): Job = wait {
        val ticket = wallet.claim(link, phoneName)
        turn.withLock { show(ticket.ticketId) }
    }

    /** Asks every server what this phone holds there, and what time it is. */
    public fun refresh(): Job = wait {
        val report = wallet.refresh()
        current.update { it.copy(unreachable = report.failed) }
    }

    /** Opens a ticket: its live code where this phone can mint them, else the printed one. */
    public fun open(ticketId: String): Job = attempt { show(ticketId) }

    /**
     * Mints the next code at once. Call it when the app comes back to the screen: while a phone sleeps, its time stands
     * still.
     */
    public fun renew(): Job = attempt { current.value.open?.let { show(it.ticket.ticketId) } }

    /** Goes back to the list. */
    public fun close() {
        renewal.stop()
        current.update { it.copy(open = null, offer = null) }
    }

    /** Activates live codes for the open ticket. */
    public fun activate(): Job = waitForOpen { wallet.activateLive(it) }

    /** Makes a link that hands the open ticket to another person; it is then in [WalletState.offer]. */
    public fun transfer(): Job = waitForOpen { ticketId ->
        val offer = wallet.transfer(ticketId)
        current.update { it.copy(offer = offer) }
    }

    /** Takes that link back. */
    public fun cancelTransfer(): Job = waitForOpen { ticketId ->
        wallet.cancelTransfer(ticketId)
        current.update { it.copy(offer = null) }
    }

    /** Gives the open ticket back, so that another phone can claim it. */
    public fun release(): Job = waitForOpen { wallet.release(it) }

    /** Takes a ticket out of this phone without telling its server: for one that is over or gone. */
    public fun forget(ticketId: String): Job = attempt {
        onWallet { forget(ticketId) }
        look()
    }

    /** Shows what is here now, and the open ticket with a code of now. */
    private suspend fun look() {
        val tickets = onWallet { tickets() }
        current.update { it.copy(tickets = tickets) }
        val openId = current.value.open?.ticket?.ticketId ?: return
        if (tickets.any { it.ticketId == openId }) show(openId) else close()
    }

    private suspend fun show(ticketId: String) {
        val (ticket, minted) = onWallet { ticket(ticketId).let { it to mint(it) } }
        current.update {
            val offer = it.offer.takeIf { _ -> it.open?.ticket?.ticketId == ticketId && ticket.transferUntil != null }
            it.copy(open = OpenTicket(ticket, minted.code), offer = offer, problem = minted.problem ?: it.problem)
        }
        if (minted.pause == null) renewal.stop() else renewIn(minted.pause, ticketId)
    }

    private fun renewIn(pause: Duration, ticketId: String) =
        renewal.start(pause.coerceAtLeast(LEAST_PAUSE)) { report { turn.withLock { renewOpen(ticketId) } } }

    private suspend fun renewOpen(ticketId: String) {
        // It may have been closed while this waited for its turn.
        if (current.value.open?.ticket?.ticketId != ticketId) return
        try {
            show(ticketId)
        } catch (locked: WalletException.Secrets) {
            renewIn(RETRY_PAUSE, ticketId)
            throw locked
        }
    }

    /** A code, how long to show it (null: for ever), and why it is not the live one, if it should be. */
    private class Minted(val code: ShownCode, val pause: Duration?, val problem: Problem?)

    private fun TicketWallet.mint(ticket: WalletTicket): Minted {
        if (!ticket.canMint) return Minted(printedCode(ticket.ticketId).shown(), null, null)
        return try {
            val live = liveCode(ticket.ticketId)
            Minted(live.shown(), live.refreshIn.toKotlinDuration(), null)
        } catch (thrown: WalletException.Refused) {
            Minted(printedCode(ticket.ticketId).shown(), null, Problem(thrown))
        }
    }

    private fun LiveCode.shown() = ShownCode.Live(text, QrCode.matrix(text), clockError)

    private fun PrintedCode.shown() = ShownCode.Printed(text, QrCode.matrix(text), manualCode, accepted)

    private suspend fun <T> onWallet(call: TicketWallet.() -> T): T = withContext(work) { wallet.call() }

    /** Does a small thing, after those before it. */
    private fun attempt(action: suspend () -> Unit): Job = scope.launch {
        report {
            current.update { it.copy(problem = null) }
            turn.withLock { action() }
        }
    }

    private fun waitForOpen(action: suspend (ticketId: String) -> Unit): Job {
        val ticketId = current.value.open?.ticket?.ticketId ?: return scope.launch {}
        return wait { action(ticketId) }
    }

    /** Does something that waits for a server, one thing at a time: another one meanwhile is not done. */
    private fun wait(action: suspend () -> Unit): Job = scope.launch {
        if (current.getAndUpdate { it.copy(isWaiting = true) }.isWaiting) return@launch
        current.update { it.copy(problem = null) }
        try {
            report(action)
        } finally {
            current.update { it.copy(isWaiting = false) }
        }
        report { turn.withLock { look() } }
    }

    private suspend fun report(action: suspend () -> Unit) =
        try {
            action()
        } catch (thrown: WalletException) {
            current.update { it.copy(problem = Problem(thrown)) }
        }
}
