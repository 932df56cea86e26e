package com.liventix

import com.liventix.bridge.LentClock
import com.liventix.bridge.LentSecretStore
import com.liventix.bridge.opened
import com.liventix.bridge.pushCall
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers
import com.liventix.ffi.PushRegistrar as RustPushRegistrar

/**
 * Gets push messages to this phone: keeps its token, tells every server that the [TicketWallet] has tickets of, and
 * says whether the app may ask for permission. Everything it keeps is in the [SecretStore], which is the wallet's.
 *
 * [open] one, keep it as long as the app runs, share it between threads, [close] it at the end. One that nobody
 * holds any more closes itself when it is collected.
 *
 * Ordinary functions need no network, but the secret store, which on a phone is not for the main thread.
 * Functions that suspend wait for the network; a cancelled coroutine ends them at once. Each may be repeated.
 *
 * Every function may throw a [PushException]; after [close] it is [PushException.Closed].
 */
public class PushRegistrar private constructor(private val registrar: RustPushRegistrar) : AutoCloseable {
    /**
     * The [token] the system gave, at every start of the app and whenever it gives another: in `onNewToken`, for
     * example. Told the same one again, nothing changes. [run] tells the servers.
     *
     * @throws PushException.Token says what to hand over instead; then what was there before still is.
     */
    public fun setToken(service: PushService, token: String): PushStatus =
        pushCall { registrar.setToken(service, token) }

    /** Somebody signed out: the token is forgotten here, and by every server as soon as [run] reaches it. */
    public fun signOut(): PushStatus = pushCall { registrar.signOut() }

    /**
     * What the system says of notifications, at every start and whenever the app comes to the front: people change it
     * in the settings. Without permission no server keeps the token; it comes back with the permission. [run] tells
     * the servers.
     */
    public fun setPermission(permission: PushPermission): PermissionAdvice =
        pushCall { registrar.setPermission(permission) }

    /** What to show, and whether the app may ask now. */
    public fun advise(permission: PushPermission): PermissionAdvice = pushCall { registrar.advise(permission) }

    /** The app asked by itself: the next time is a month later at the earliest. */
    public fun prompted(): Unit = pushCall { registrar.prompted() }

    /** Somebody said no, and why. */
    public fun refused(reason: RefusalReason): Unit = pushCall { registrar.refused(reason) }

    /** What happened when the app asked. */
    public fun prompts(): PromptHistory = pushCall { registrar.prompts() }

    /** Where it stands. */
    public fun status(): PushStatus = pushCall { registrar.status() }

    /** The network is back: what waits for it is due now. Then [run]. */
    public fun networkIsBack(): PushStatus = pushCall { registrar.networkIsBack() }

    /**
     * Does what is due: tells servers the token, or to forget it, with three attempts each, and hands in receipts. At
     * every start, after a ticket was claimed, when the network is back, and in the background at [PushStatus.dueAt].
     * A server that does not answer is in the status, with the time of the next try.
     */
    public suspend fun run(): PushStatus = pushCall { registrar.run() }

    /**
     * A message arrived: [payload] is the text that it carries under the key `liventix`. Its receipt is handed in by
     * the next [run].
     *
     * @throws PushException.InvalidInput (`push_not_a_message`) for another text.
     */
    public fun delivered(payload: String): PushMessage = pushCall { registrar.delivered(payload) }

    /**
     * Somebody opened a message; otherwise as [delivered].
     *
     * @throws PushException.InvalidInput (`push_not_a_message`) for another text.
     */
    public fun opened(payload: String): PushMessage = pushCall { registrar.opened(payload) }

    /**
     * Which messages somebody wants from a server, and when.
     *
     * @throws PushException.NotRegistered if the server does not know this phone.
     */
    public suspend fun preferences(serverUrl: String): PushPreferences = pushCall { registrar.preferences(serverUrl) }

    /**
     * Says which messages somebody wants from a server, and when; gives what the server keeps.
     *
     * @throws PushException.InvalidInput (`push_quiet_hours`) for hours that cannot be.
     * @throws PushException.NotRegistered if the server does not know this phone.
     */
    public suspend fun setPreferences(serverUrl: String, preferences: PushPreferences): PushPreferences =
        pushCall { registrar.setPreferences(serverUrl, preferences) }

    /**
     * Has a server send this phone a message, for people who want to see that it works; gives the message's id.
     *
     * @throws PushException.NotRegistered if the server does not know this phone.
     */
    public suspend fun sendTest(serverUrl: String): String = pushCall { registrar.sendTest(serverUrl) }

    /**
     * Ends every call under way with [PushException.Closed]; every later call fails so, too. Closing twice does
     * nothing.
     */
    override fun close() {
        // The Rust object itself is freed with this one: a call of another thread may be on its way to it.
        registrar.shutdown()
    }

    public companion object {
        /**
         * Goes on where the last process stopped, on [dispatcher].
         *
         * @param secrets the store that the [TicketWallet] was opened with.
         * @param config the app's language, and where the phone is.
         * @param clock in place of the system's clocks.
         */
        public suspend fun open(
            secrets: SecretStore,
            config: PushConfig = PushConfig(),
            clock: HostClock? = null,
            dispatcher: CoroutineDispatcher = Dispatchers.IO,
        ): PushRegistrar = opened(dispatcher) {
            pushCall {
                PushRegistrar(RustPushRegistrar.open(config, LentSecretStore(secrets), clock?.let(::LentClock)))
            }
        }
    }
}
