package com.liventix.conformance

import com.liventix.ClockSample
import com.liventix.HostClock

/** A scanner's clocks, which stand still until a step moves them. */
internal class SteppedClock(private var trueMs: Long, wallAheadMs: Long) : HostClock {
    private var now = ClockSample(wallMs = trueMs + wallAheadMs, monoMs = 3_600_000, boot = 1uL)

    @Synchronized
    override fun sample(): ClockSample = now

    /** Lets time pass. */
    @Synchronized
    fun waitUntil(trueMs: Long) {
        val passed = trueMs - this.trueMs
        now = now.copy(wallMs = now.wallMs + passed, monoMs = now.monoMs + passed)
        this.trueMs = trueMs
    }

    @Synchronized
    fun reboot() {
        now = now.copy(monoMs = 20_000, boot = now.boot + 1uL)
    }

    @Synchronized
    fun setWall(wallMs: Long) {
        now = now.copy(wallMs = wallMs)
    }
}
