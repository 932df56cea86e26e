package com.liventix.sample

import com.liventix.PermissionAdvice
import com.liventix.PermissionAsk
import com.liventix.PushException
import com.liventix.PushPermission
import com.liventix.PushRegistrar
import com.liventix.RefusalReason
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.withContext

/** What the system knows of this app's notifications. */
public interface SystemNotifications {
    /** What it says now. */
    public suspend fun permission(): PushPermission

    /** Shows its prompt, or the way to its settings; returns when the person is through with it. */
    public suspend fun ask(how: PermissionAsk)
}

/**
 * What there is to show of notifications.
 *
 * @property advice whether they are on, what a tap on *Enable notifications* does, and whether the app may ask by
 *   itself now; null before the first look.
 * @property problem what went wrong last, until something goes well.
 */
public data class NotificationsState(val advice: PermissionAdvice? = null, val problem: Problem? = null)

/**
 * The *Enable notifications* of a screen. All of it is in [state]; what a person does are the functions, which return
 * at once and whose [Job] ends when it is done.
 *
 * @param registrar an open registrar. The model does not close it.
 * @param system asks the system.
 * @param scope as long as the screen is there, e.g. `viewModelScope`.
 * @param work where the secret store is read, off the main thread.
 */
public class NotificationsViewModel(
    private val registrar: PushRegistrar,
    private val system: SystemNotifications,
    private val scope: CoroutineScope,
    private val work: CoroutineDispatcher = Dispatchers.IO,
) {
    private val current = MutableStateFlow(NotificationsState())

    private val asking = Mutex()

    /** What to show. */
    public val state: StateFlow<NotificationsState> = current.asStateFlow()

    init {
        look()
    }

    /** Looks at the permission again, and tells servers what follows from it: when the app comes to the screen. */
    public fun look(): Job = attempt { tell() }

    /** Somebody tapped *Enable notifications*. */
    public fun tap(): Job = ask { it.onTap }

    /** Asks unasked, if that may be now: after a ticket was claimed, for example. */
    public fun prompt(): Job = ask { advice ->
        // Before it is shown: an app that ends meanwhile has asked all the same.
        advice.prompt?.also { onRegistrar { prompted() } }
    }

    /** Somebody said no to the app's own words. */
    public fun refuse(reason: RefusalReason): Job = attempt {
        onRegistrar { refused(reason) }
        fresh()
    }

    private fun ask(choose: suspend (PermissionAdvice) -> PermissionAsk?): Job = attempt {
        // Whoever taps twice is asked once.
        if (!asking.tryLock()) return@attempt
        try {
            system.ask(choose(fresh()) ?: return@attempt)
        } finally {
            asking.unlock()
        }
        tell()
    }

    private suspend fun tell() {
        fresh()
        registrar.run()
    }

    /** What is true now: people change it in the settings, and a month may be over. */
    private suspend fun fresh(): PermissionAdvice {
        val permission = system.permission()
        val advice = onRegistrar { setPermission(permission) }
        current.update { it.copy(advice = advice) }
        return advice
    }

    private suspend fun <T> onRegistrar(call: PushRegistrar.() -> T): T = withContext(work) { registrar.call() }

    private fun attempt(action: suspend () -> Unit): Job = scope.launch {
        try {
            action()
            current.update { it.copy(problem = null) }
        } catch (thrown: PushException) {
            current.update { it.copy(problem = Problem(thrown)) }
        }
    }
}
