package com.liventix

import com.liventix.bridge.LentClock
import com.liventix.bridge.LentSecretStore
import com.liventix.bridge.opened
import com.liventix.bridge.walletCall
import com.liventix.ffi.Wallet
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers

/**
 * The tickets of one phone, of any number of organisers. Everything it keeps is in the [SecretStore].
 *
 * [open] one, keep it as long as the app runs, share it between threads, [close] it at the end. One that nobody
 * holds any more closes itself when it is collected.
 *
 * Ordinary functions need no network, but the secret store, which on a phone is not for the main thread.
 * Functions that suspend wait for the network; a cancelled coroutine ends them at once.
 *
 * Every function may throw a [WalletException]; after [close] it is [WalletException.Closed].
 */
public class TicketWallet private constructor(private val wallet: Wallet) : AutoCloseable {
    /**
     * Claims the ticket of a [link] for this phone and keeps it. May be repeated: a lost answer is given again to
     * the same phone.
     *
     * @param phoneName what the organiser sees this phone as (1 to 80 characters).
     * @throws WalletException.Link for another text.
     * @throws WalletException.Refused with `already_claimed`, `link_unknown`, `link_used`, `link_expired` or
     *   `ticket_not_valid`.
     */
    public suspend fun claim(link: String, phoneName: String): WalletTicket =
        walletCall { wallet.claim(link, phoneName) }

    /** Every ticket here that can be read, the next event first. */
    public fun tickets(): List<WalletTicket> = walletCall { wallet.tickets() }

    /**
     * One ticket.
     *
     * @throws WalletException.NotFound if it is not here.
     */
    public fun ticket(ticketId: String): WalletTicket = walletCall { wallet.ticket(ticketId) }

    /**
     * Asks every server what this phone holds there, and what time it is. A server that does not answer is in the
     * report and changes nothing.
     */
    public suspend fun refresh(): RefreshReport = walletCall { wallet.refresh() }

    /**
     * Activates live codes: from now on [liveCode] works without a network, and where the organiser says so, doors
     * refuse the printed code. Activated before, it changes nothing.
     */
    public suspend fun activateLive(ticketId: String): WalletTicket = walletCall { wallet.activateLive(ticketId) }

    /**
     * A fresh live code, minted here by the server's time. Needs no network. Show it as a QR code ([QrCode]), and
     * the next one at [LiveCode.refreshAt].
     *
     * @throws WalletException.NotLive before [activateLive].
     * @throws WalletException.Refused (`ticket_not_valid`) for a cancelled or blocked ticket.
     */
    public fun liveCode(ticketId: String): LiveCode = walletCall { wallet.liveCode(ticketId) }

    /**
     * The code that stays the same: safe to print and to share, no live key in it. [PrintedCode.accepted] says
     * whether doors take it.
     */
    public fun printedCode(ticketId: String): PrintedCode = walletCall { wallet.printedCode(ticketId) }

    /**
     * Makes a link that hands the ticket to another person, once. Until they claim it, the ticket stays here and
     * enters. Called again meanwhile, it gives the same link.
     *
     * @throws WalletException.Refused with `transfer_refused`, `ticket_used` or `ticket_not_valid`.
     */
    public suspend fun transfer(ticketId: String): TransferOffer = walletCall { wallet.transfer(ticketId) }

    /**
     * Takes a transfer link back. No error if there is none.
     *
     * @throws WalletException.Refused (`not_held`) if the link was used before.
     */
    public suspend fun cancelTransfer(ticketId: String): WalletTicket = walletCall { wallet.cancelTransfer(ticketId) }

    /**
     * Gives the ticket back: another phone can claim it by its link, and this one forgets it. If it throws, the
     * ticket is still here.
     */
    public suspend fun release(ticketId: String): Unit = walletCall { wallet.release(ticketId) }

    /**
     * Takes a ticket out of this wallet without telling its server: for tickets that are over or
     * [gone][WalletTicket.gone]. No error if there is none.
     */
    public fun forget(ticketId: String): Unit = walletCall { wallet.forget(ticketId) }

    /**
     * Ends every call under way with [WalletException.Closed]; every later call fails so, too. Closing twice does
     * nothing.
     */
    override fun close() {
        // The Rust object itself is freed with this one: a call of another thread may be on its way to it.
        wallet.shutdown()
    }

    public companion object {
        /**
         * Opens the wallet that the secret store holds, on [dispatcher]; an empty one if it holds none.
         *
         * @param secrets where tickets and keys are kept: `KeystoreSecretStore` on Android.
         * @param clock in place of the system's clocks.
         * @throws WalletException.Secrets if the store cannot be read.
         */
        public suspend fun open(
            secrets: SecretStore,
            config: WalletConfig = WalletConfig(),
            clock: HostClock? = null,
            dispatcher: CoroutineDispatcher = Dispatchers.IO,
        ): TicketWallet = opened(dispatcher) {
            walletCall { TicketWallet(Wallet.open(config, LentSecretStore(secrets), clock?.let(::LentClock))) }
        }
    }
}
