package com.liventix

import com.liventix.bridge.Broadcast
import com.liventix.bridge.LentClock
import com.liventix.bridge.LentSecretStore
import com.liventix.bridge.Observation
import com.liventix.bridge.opened
import com.liventix.bridge.scannerCall
import com.liventix.bridge.translated
import com.liventix.ffi.Scanner
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.flow
import java.io.File

/**
 * One door. Scans tickets with or without a network, and stays in touch with the other doors through the server.
 *
 * [open] one for each ledger file, keep it as long as the app runs, share it between threads, [close] it at the
 * end. One that nobody holds any more closes itself when it is collected.
 *
 * Ordinary functions do a small piece of work on the phone: a fraction of a millisecond and, for a scan, one
 * durable write. Functions that suspend wait for the network; they can be called from the main thread, and a
 * cancelled coroutine ends them at once.
 *
 * Every function may throw a [ScannerException]; after [close] it is [ScannerException.Closed].
 */
public class TicketScanner private constructor(private val scanner: Scanner) : AutoCloseable {
    private val observation = Observation()

    init {
        scanner.setObserver(observation)
    }

    /** What was found when it was opened. Tell people of a rescue: scans may be missing. */
    public val openReport: OpenReport = scanner.openReport().translated()

    /** How far each sync is, from now on. Who listens slowly misses steps. Ends with [close]. */
    public val syncProgress: Flow<SyncProgress> get() = heard(observation.progress)

    /** People who passed at other doors, from now on, as this one learns of it. Ends with [close]. */
    public val otherDoorScans: Flow<List<OtherDoorScan>> get() = heard(observation.scans)

    /**
     * Tickets that turn out, from now on, to be admitted more often than they allow. [conflicts] says what is
     * known already. Ends with [close].
     */
    public val newConflicts: Flow<List<Conflict>> get() = heard(observation.conflicts)

    /** Whether the server is in touch; null while nobody is [watching][startWatching]. */
    public val link: StateFlow<LinkState?> get() = observation.link.asStateFlow()

    /**
     * Turns this installation into a device: trades the organiser's one-time [code] for a token.
     *
     * Tried once only: if the answer is lost or the coroutine is cancelled, the code may be used up, and the
     * organiser makes a new one.
     *
     * @param deviceName what people shall call it, e.g. `North gate 2`.
     * @throws ScannerException.EnrolmentCode for another text.
     * @throws ScannerException.UnsentScans if scans of an earlier enrolment wait.
     * @throws ScannerException.Server with `enrolment_code_used`, `enrolment_code_expired` or
     *   `enrolment_code_unknown`.
     */
    public suspend fun enrol(code: String, deviceName: String): Device =
        scannerCall { scanner.enrol(code, deviceName) }

    /** What this installation is enrolled as; null before that. */
    public fun device(): Device? = scannerCall { scanner.device() }

    /** The events this device may scan, by start, as far as their lists have come. */
    public fun events(): List<Event> = scannerCall { scanner.events() }

    /**
     * Scans one text, as a camera or a hand scanner read it or a person typed it: signed codes, manual codes,
     * codes of older systems. The verdict is on disk when this returns; a bad code is no error but a refusal,
     * and recorded.
     *
     * It throws only if the door is set up wrongly or the disk fails: then nobody was admitted, and nothing
     * recorded.
     */
    public fun scan(text: String, gateway: Gateway): Verdict = scannerCall { scanner.scan(text, gateway) }

    /**
     * Scans one text with a supervisor, who lets people pass though the rules refuse or ask. What cannot be
     * overruled stays refused: cancelled, blocked and replaced tickets, and everything that is not authentic.
     *
     * @param note why, in one line of 1 to 200 characters; kept with the scan.
     * @throws ScannerException.NotAllowed (`not_supervisor`) if the organiser did not make this device a
     *   supervisor's.
     * @throws ScannerException.InvalidInput (`note_invalid`).
     */
    public fun force(text: String, gateway: Gateway, note: String): Verdict =
        scannerCall { scanner.force(text, gateway, note) }

    /** Admits a ticket that was picked from a [search], by the same rules as a manual code. */
    public fun admitListed(ticketId: String, gateway: Gateway): Verdict =
        scannerCall { scanner.admitListed(ticketId, gateway) }

    /** [force] for a ticket that was picked from a [search]. */
    public fun forceListed(ticketId: String, gateway: Gateway, note: String): Verdict =
        scannerCall { scanner.forceListed(ticketId, gateway, note) }

    /**
     * Takes back a passage that this device made a moment ago: the guest went away again, or the wrong ticket
     * was scanned. Durable when it returns, and other doors learn of it.
     *
     * @param note why, in one line of 1 to 200 characters.
     * @throws ScannerException.UndoRefused if the passage stands.
     * @throws ScannerException.InvalidInput (`note_invalid`).
     */
    public fun undo(scanId: String, note: String): Undone = scannerCall { scanner.undo(scanId, note) }

    /**
     * Tickets by the name of who holds them, best first. Every word of [text] must be in the name, at the start
     * of one of its words or inside; case and accents make no difference. Works offline, on the list this device
     * has.
     *
     * @param limit at most so many, 1 to 50.
     */
    public fun search(eventId: String, text: String, limit: Int = 20): List<FoundTicket> =
        scannerCall { scanner.search(eventId, text, limit.coerceAtLeast(0).toUInt()) }

    /**
     * Looks at everything a door depends on: storage, scans, enrolment, keys, lists, clock, uploads, a sample
     * code. Reads the whole ledger: before doors open, not between scans. What is wrong with the door is in the
     * answer, not in an error.
     *
     * @param askServer whether to look, too, if the server answers, which a door can do without.
     */
    public suspend fun readiness(askServer: Boolean = true): Readiness =
        scannerCall { scanner.readiness(askServer) }

    /** The live numbers of an event, as far as this device knows. */
    public fun counts(eventId: String): Counts = scannerCall { scanner.counts(eventId) }

    /** Tickets that were admitted more often than they allow, with the evidence of both sides. */
    public fun conflicts(eventId: String): List<Conflict> = scannerCall { scanner.conflicts(eventId) }

    /**
     * The scans made on this device after the one with the number [afterSeq] (0: from the first), oldest first.
     *
     * @param limit at most so many, 1 to 1 000.
     */
    public fun scans(afterSeq: Long = 0, limit: Int = 100): List<ScanRow> =
        scannerCall { scanner.scans(afterSeq, limit.coerceAtLeast(0).toUInt()) }

    /** How many scans wait for their upload, and since when. */
    public fun unsent(): Unsent = scannerCall { scanner.unsent() }

    /** Scans the server took but set aside, each with the stable code that says why. The organiser sees them. */
    public fun quarantined(): List<QuarantinedScan> = scannerCall { scanner.quarantined() }

    /**
     * Writes every unsent scan to a new [file], one JSON object a line, and returns how many: for a device that
     * cannot reach its server any more. The file holds no secret and no name.
     *
     * @throws ScannerException.Storage if there is a file already or it cannot be written.
     */
    public fun exportUnsent(file: File): Long = scannerCall { scanner.exportUnsent(file.path).toLong() }

    /**
     * One whole sync: compares clocks, uploads scans, fetches keys, lists and other doors' scans. May be called
     * at any time; what it did before it failed or was cancelled is kept.
     *
     * [ScannerException.Network] and [ScannerException.Server] may pass by themselves; the other errors need a
     * person.
     */
    public suspend fun sync(): SyncReport = scannerCall { scanner.sync() }

    /**
     * Keeps this device in sync by itself: uploads each scan as it is made, hears of other doors' scans within a
     * second, and keeps trying while there is no network. [link] and the flows tell of it. Watching another event
     * ends the watch before.
     */
    public fun startWatching(eventId: String): Unit = scannerCall {
        observation.watch { scanner.startWatching(eventId) }
    }

    /** Ends [startWatching]. A request under way is given up; nothing is lost by that. */
    public fun stopWatching(): Unit = scannerCall {
        observation.stopWatching()
        scanner.stopWatching()
    }

    /**
     * Closes the ledger and ends every call under way with [ScannerException.Closed]; every later call fails so,
     * too. The same file may be opened again at once. Closing twice does nothing.
     */
    override fun close() {
        // The Rust object itself is freed with this one: a call of another thread may be on its way to it.
        scanner.shutdown()
        observation.close()
    }

    private fun <T> heard(source: Broadcast<T>): Flow<T> = flow {
        val listener = source.listen()
        try {
            for (value in listener) emit(value)
        } finally {
            source.forget(listener)
            stayOpen()
        }
    }

    /** Called by what needs this scanner to its end: one that somebody listens to is in use. */
    private fun stayOpen() = Unit

    public companion object {
        /**
         * Opens the ledger, and creates it if there is none. A damaged ledger is set aside and its scans are
         * rescued: see [openReport]. Reads the whole file once, on [dispatcher].
         *
         * @param secrets where tokens and keys are kept: `KeystoreSecretStore` on Android.
         * @param clock in place of the system's clocks.
         * @throws ScannerException.Storage if the file cannot be used; it is then as it was.
         * @throws ScannerException.Secrets if an enrolled device's keys cannot be read.
         */
        public suspend fun open(
            config: ScannerConfig,
            secrets: SecretStore,
            clock: HostClock? = null,
            dispatcher: CoroutineDispatcher = Dispatchers.IO,
        ): TicketScanner = opened(dispatcher) {
            scannerCall { TicketScanner(Scanner.open(config, LentSecretStore(secrets), clock?.let(::LentClock))) }
        }
    }
}
