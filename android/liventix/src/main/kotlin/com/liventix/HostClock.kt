package com.liventix

/**
 * Reads the clocks in place of the system's: for tests, which set the time, and for machines with a better
 * clock. Read at every scan, from any thread, so it must be quick. If it throws, the system's clocks are read.
 */
public fun interface HostClock {
    /** Both clocks now. */
    public fun sample(): ClockSample
}
