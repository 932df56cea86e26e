package com.liventix

/**
 * Takes the lines of the library's log: into Logcat, a file. Called from any thread, often, so it must be
 * quick. Whatever it throws is ignored: there is nowhere to log it.
 */
public fun interface LogSink {
    /** Takes one line. */
    public fun log(record: LogRecord)
}
