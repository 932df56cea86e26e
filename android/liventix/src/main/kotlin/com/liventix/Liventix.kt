package com.liventix

import com.liventix.bridge.LentLogSink
import com.liventix.ffi.setLogSink
import com.liventix.ffi.uniffiEnsureInitialized
import com.liventix.ffi.version

private const val MISSING = "libliventix_ffi is missing or too old: add it for this processor"
private const val OTHER_VERSION = "libliventix_ffi is of another version than its Kotlin sources: build both from one commit"

/** The Rust library cannot be used: a mistake in how the app was put together. Nothing here works then. */
public class LibraryException(message: String, cause: Throwable) : RuntimeException(message, cause)

/** The Rust library behind this one. */
public object Liventix {
    private val loading: Result<Unit> by lazy {
        // Without the check, a library of another version takes the process down at some later call.
        runCatching { uniffiEnsureInitialized() }
    }

    /** The version of the library, e.g. `0.1.0`. */
    public val version: String
        get() {
            load()
            return version()
        }

    /**
     * Loads the library and checks that it is the one these sources were generated from. Everything here does
     * that by itself; an app calls it to do it early.
     *
     * @throws LibraryException if it is not there, or of another version.
     */
    public fun load() {
        loading.onFailure { cause ->
            throw LibraryException(if (cause is UnsatisfiedLinkError) MISSING else OTHER_VERSION, cause)
        }
    }

    /** Hands the library's log to [sink], down to [level], in place of the sink before; null: to nobody. */
    public fun setLog(level: LogLevel, sink: LogSink?) {
        load()
        setLogSink(sink?.let(::LentLogSink), level)
    }
}
