package com.liventix.sample

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlin.time.Duration

/** Does something later, unless it is called off or asked for anew before. Time is that of the [scope]. */
internal class Countdown(private val scope: CoroutineScope) {
    private var job: Job? = null

    @Synchronized
    fun start(duration: Duration, act: suspend () -> Unit) {
        job?.cancel()
        job = scope.launch {
            delay(duration)
            act()
        }
    }

    @Synchronized
    fun stop() {
        job?.cancel()
        job = null
    }
}
