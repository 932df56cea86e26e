package com.liventix.bridge

import kotlinx.coroutines.channels.BufferOverflow
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.channels.ReceiveChannel

/** Hands each value to every listener, without ever waiting for one. */
internal class Broadcast<T>(private val capacity: Int, private val overflow: BufferOverflow) {
    private val lock = Any()
    private val listeners = LinkedHashSet<Channel<T>>()
    private var closed = false

    /** What is told from now on, until [forget] or [close]. */
    fun listen(): ReceiveChannel<T> {
        val listener = Channel<T>(capacity, overflow)
        synchronized(lock) {
            if (closed) listener.close() else listeners.add(listener)
        }
        return listener
    }

    fun forget(listener: ReceiveChannel<T>) {
        synchronized(lock) { listeners.remove(listener) }
        listener.cancel()
    }

    fun tell(value: T) {
        // Outside of the lock: a listener that resumes at once may call anything.
        val all = synchronized(lock) { listeners.toList() }
        all.forEach { it.trySend(value) }
    }

    /** Ends every listener, once it has heard what was told before. */
    fun close() {
        val all = synchronized(lock) {
            closed = true
            listeners.toList().also { listeners.clear() }
        }
        all.forEach { it.close() }
    }
}
