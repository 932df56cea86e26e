package com.liventix.support

import com.liventix.HostClock
import com.liventix.MemorySecretStore
import com.liventix.ScannerConfig
import com.liventix.SecretStore
import com.liventix.TicketScanner
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import java.nio.file.Path
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.ThreadLocalRandom

/** Opens the scanner whose ledger lies in this folder. */
internal suspend fun Path.openScanner(
    secrets: SecretStore = MemorySecretStore(),
    clock: HostClock? = null,
    name: String = "ledger.sqlite",
): TicketScanner = TicketScanner.open(ScannerConfig(resolve(name).toString(), allowHttp = true), secrets, clock)

/** A store whose secrets a test can see. */
internal class OpenSecretStore : SecretStore {
    val values = ConcurrentHashMap<String, String>()

    override fun put(name: String, value: String) {
        values[name] = value
    }

    override fun get(name: String): String? = values[name]

    override fun delete(name: String) {
        values.remove(name)
    }
}

/** A store that can be locked. */
internal class LockableSecretStore(private val store: SecretStore = MemorySecretStore()) : SecretStore {
    @Volatile
    var locked = false

    override fun put(name: String, value: String) = unlocked().put(name, value)

    override fun get(name: String): String? = unlocked().get(name)

    override fun delete(name: String) = unlocked().delete(name)

    private fun unlocked() = if (locked) error("the store is locked") else store
}

/** A push token of APNs that no other phone has. */
internal fun newApnsToken(): String =
    ByteArray(32).also(ThreadLocalRandom.current()::nextBytes).joinToString("") { "%02x".format(it) }

/** A registration token of FCM that no other phone has. */
internal fun newFcmToken(): String = "fT3-x_9AbCd:APA91b" + newApnsToken() + newApnsToken()

/** An id that belongs to nothing. */
internal const val SOME_ID = "01930f2e-7c1a-7b3c-9d4e-5f60718293a4"

/** Waits, on real time, for what happens on threads of the library. */
internal suspend fun <T> patiently(wait: suspend CoroutineScope.() -> T): T =
    withContext(Dispatchers.Default) { withTimeout(PATIENCE_MS.toLong(), wait) }
