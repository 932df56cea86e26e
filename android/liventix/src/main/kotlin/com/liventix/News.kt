package com.liventix

import java.time.Duration

/** What was found at a ledger's path. Tell people of a rescue: scans may be missing. */
public sealed interface OpenReport {
    /** Nothing; an empty ledger was made. */
    public data object Created : OpenReport

    /** A ledger in good order. */
    public data object Opened : OpenReport

    /**
     * A damaged ledger, which was set aside; what could be read is in a new one.
     *
     * @property setAside where the damaged file lies now. Keep it if anything is missing.
     * @property scans scans saved.
     * @property missing scans known to be missing. What was lost after the last saved scan cannot be counted.
     * @property listSaved whether the whole list was saved too. If not, the next sync loads it again.
     */
    public data class Rescued(
        val setAside: String,
        val scans: ULong,
        val missing: ULong,
        val listSaved: Boolean,
    ) : OpenReport
}

/** How far a sync is. */
public sealed interface SyncProgress {
    /** Comparing clocks. */
    public data object Clock : SyncProgress

    /**
     * Uploading scans.
     *
     * @property sent scans with a receipt so far.
     * @property remaining scans without one.
     */
    public data class Pushing(val sent: ULong, val remaining: ULong) : SyncProgress

    /** Fetching the keys of an event. */
    public data class Keys(val eventId: String) : SyncProgress

    /**
     * Downloading an event's list.
     *
     * @property done rows (tickets and passages) applied so far.
     * @property total rows in all.
     */
    public data class Pulling(val eventId: String, val done: ULong, val total: ULong) : SyncProgress
}

/** Whether the server is in touch. */
public sealed interface LinkState {
    /** It is. */
    public data object Online : LinkState

    /**
     * It is not; it is tried again by itself. Scanning goes on.
     *
     * @property code the stable code of the cause, e.g. `offline`, `intercepted`.
     * @property detail for people.
     * @property retryIn how long until the next try.
     */
    public data class Offline(val code: String, val detail: String, val retryIn: Duration) : LinkState

    /**
     * Watching ended: a person has to do something.
     *
     * @property code the stable code of the cause, e.g. `device_revoked`.
     * @property detail for people.
     */
    public data class Stopped(val code: String, val detail: String) : LinkState
}
