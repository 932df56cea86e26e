package com.liventix

import java.util.concurrent.ConcurrentHashMap

/**
 * Keeps small secrets by name. Tokens, event keys and tickets are kept here and nowhere else.
 *
 * On Android take `KeystoreSecretStore`. An implementation is called from any thread. Names consist of `a-z`,
 * `0-9`, `_`, `-` and `.`; values are texts of some kilobytes. They must be readable while the device is
 * locked, after its first unlock, if scans are to be uploaded in the background.
 *
 * Whatever a method throws becomes a `Secrets` error of the call that needed it. Its message goes to the log:
 * never put a secret there.
 */
public interface SecretStore {
    /** Keeps [value] under [name], in place of what was there. Durable once it returns. */
    public fun put(name: String, value: String)

    /** The value under [name]; null if there is none. */
    public fun get(name: String): String?

    /** Forgets [name]. No error if there is nothing. */
    public fun delete(name: String)
}

/** Keeps secrets until the process ends: for previews and tests. */
public class MemorySecretStore : SecretStore {
    private val values = ConcurrentHashMap<String, String>()

    override fun put(name: String, value: String) {
        values[name] = value
    }

    override fun get(name: String): String? = values[name]

    override fun delete(name: String) {
        values.remove(name)
    }

    /** How many there are; never what. */
    override fun toString(): String = "MemorySecretStore(${values.size} secrets)"
}
