package com.liventix.bridge

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.withContext

/** What [open] makes on [dispatcher]; closed again if the coroutine was cancelled meanwhile. */
internal suspend fun <T : AutoCloseable> opened(dispatcher: CoroutineDispatcher, open: () -> T): T {
    var made: T? = null
    try {
        return withContext(dispatcher) { open().also { made = it } }
    } catch (cancelled: CancellationException) {
        // Nobody will get it, so nobody would close it.
        made?.close()
        throw cancelled
    }
}
