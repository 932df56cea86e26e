package com.liventix.bridge

import com.liventix.HostClock
import com.liventix.LogSink
import com.liventix.SecretStore
import com.liventix.ffi.CallbackException
import com.liventix.ffi.ClockSample
import com.liventix.ffi.LogRecord
import com.liventix.ffi.SecretStoreException

// What an app lends to the library. The generated code passes exceptions on, but not an `Error`, such as that
// of a failed assertion or of a library the app's keystore could not load: so everything is caught here.

internal class LentSecretStore(private val store: SecretStore) : com.liventix.ffi.SecretStore {
    override fun put(name: String, value: String) = guarded { store.put(name, value) }

    override fun get(name: String): String? = guarded { store.get(name) }

    override fun delete(name: String) = guarded { store.delete(name) }

    private inline fun <T> guarded(call: () -> T): T =
        try {
            call()
        } catch (thrown: Throwable) {
            throw SecretStoreException.Failed(thrown.words())
        }
}

internal class LentClock(private val clock: HostClock) : com.liventix.ffi.HostClock {
    override fun sample(): ClockSample =
        try {
            clock.sample()
        } catch (thrown: Throwable) {
            throw CallbackException.Failed(thrown.words())
        }
}

internal class LentLogSink(private val sink: LogSink) : com.liventix.ffi.LogSink {
    override fun log(record: LogRecord) =
        try {
            sink.log(record)
        } catch (thrown: Throwable) {
            throw CallbackException.Failed(thrown.words())
        }
}

/** For the log: what was thrown, without its stack. */
private fun Throwable.words(): String = listOfNotNull(this::class.simpleName, message).joinToString(": ")
