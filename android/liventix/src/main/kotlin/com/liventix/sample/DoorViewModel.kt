package com.liventix.sample

import com.liventix.Conflict
import com.liventix.Counts
import com.liventix.Device
import com.liventix.Direction
import com.liventix.Event
import com.liventix.FoundTicket
import com.liventix.Gateway
import com.liventix.Outcome
import com.liventix.ScannerException
import com.liventix.SyncProgress
import com.liventix.TicketScanner
import com.liventix.Unsent
import com.liventix.Verdict
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.getAndUpdate
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withContext
import java.io.File
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import kotlin.time.toKotlinDuration

/**
 * A door, for a screen to show: enrol, choose where to stand, scan. All of it is in [state]; what a person does are
 * the functions, which return at once and whose [Job] ends when it is done.
 *
 * @param scanner an open scanner. The model does not close it.
 * @param scope as long as the screen is there, e.g. `viewModelScope`. Its time is the model's.
 * @param work where the ledger is read and written, off the main thread.
 * @param verdictStays how long a verdict is shown.
 */
public class DoorViewModel(
    private val scanner: TicketScanner,
    private val scope: CoroutineScope,
    private val work: CoroutineDispatcher = Dispatchers.IO,
    private val verdictStays: Duration = 4.seconds,
) {
    private val current = MutableStateFlow(DoorState())
    private val verdictTime = Countdown(scope)
    private val undoTime = Countdown(scope)

    /** One scan after the other, in the order in which they were asked for. */
    private val turn = Mutex()

    /** What to show. */
    public val state: StateFlow<DoorState> = current.asStateFlow()

    init {
        hear(scanner.syncProgress, ::syncWent)
        hear(scanner.otherDoorScans) { look() }
        hear(scanner.newConflicts, ::conflictsCame)
        hear(scanner.link) { link ->
            current.update { it.copy(link = link) }
            look()
        }
    }

    // Becoming a device, and standing somewhere.

    /** Enrols this installation and loads the lists of its events. */
    public fun enrol(code: String, deviceName: String): Job = wait {
        scanner.enrol(code, deviceName)
        scanner.sync()
    }

    /** Syncs once: uploads, and learns what other doors did. */
    public fun sync(): Job = wait { scanner.sync() }

    /** Looks at everything a door depends on. */
    public fun checkReadiness(): Job = wait {
        val readiness = scanner.readiness(askServer = true)
        current.update { it.copy(readiness = readiness) }
    }

    /** Stands at a gate, and stays in touch with the other doors from now on. */
    public fun choose(eventId: String, gateId: String): Job = attempt {
        val event = current.value.events.find { it.eventId == eventId } ?: return@attempt
        val place = event.place(gateId) ?: return@attempt
        withdraw()
        current.update { it.copy(place = place, unseenConflicts = emptyList(), found = emptyList()) }
        onLedger { startWatching(eventId) }
        look()
    }

    /** Goes back to the choice. */
    public fun leave(): Job = attempt { leavePlace() }

    private suspend fun leavePlace() {
        withdraw()
        current.update {
            it.copy(place = null, counts = null, conflicts = emptyList(), unseenConflicts = emptyList(), found = emptyList())
        }
        onLedger { stopWatching() }
    }

    // At the gate.

    /** In or out, for the next scan. */
    public fun setDirection(direction: Direction): Unit = current.update { it.copy(direction = direction) }

    /** How many people want to pass with the next ticket, 1 to 1 000. */
    public fun setPeople(people: Int): Unit = current.update { it.copy(people = people.coerceIn(1, 1_000)) }

    /** Scans a code that a person typed or a hand scanner read. */
    public fun scan(text: String): Job = pass(Attempt.Code(text)) { scan(text, it) }

    /**
     * Takes what a camera sees, picture by picture: a code that is held before it is one scan, and its verdict stays
     * as long as it is held.
     */
    public fun cameraSaw(text: String): Job {
        if (current.value.shown?.attempt != Attempt.Code(text)) return scan(text)
        return scope.launch { showVerdictFor(verdictStays) }
    }

    /** Lets the people of the shown verdict pass though it was refused; [note] says why. */
    public fun force(note: String): Job = when (val attempt = current.value.shown?.attempt) {
        is Attempt.Code -> pass(attempt) { force(attempt.text, it, note) }
        is Attempt.Listed -> pass(attempt) { forceListed(attempt.ticketId, it, note) }
        null -> scope.launch {}
    }

    /** Looks for tickets by their holder's name; an empty name finds none. */
    public fun search(name: String): Job = attempt {
        val place = current.value.place
        val found = if (place == null || name.isBlank()) emptyList() else onLedger { search(place.event.eventId, name) }
        current.update { it.copy(found = found) }
    }

    /** Admits a ticket that was found by name. */
    public fun admit(ticket: FoundTicket): Job {
        current.update { it.copy(found = emptyList()) }
        return pass(Attempt.Listed(ticket.ticketId)) { admitListed(ticket.ticketId, it) }
    }

    /** Takes the last passage back; [note] says why. */
    public fun undo(note: String): Job = attempt {
        val offer = current.value.undoOffer ?: return@attempt
        val undone = onLedger { undo(offer.scanId, note) }
        withdraw()
        current.update { it.copy(undone = undone) }
        look()
        showVerdictFor(verdictStays)
    }

    /** Takes the verdict off the screen. */
    public fun dismissVerdict() {
        verdictTime.stop()
        current.update { it.copy(shown = null, undone = null) }
    }

    /** The person has looked at the conflicts. */
    public fun seeConflicts(): Unit = current.update { it.copy(unseenConflicts = emptyList()) }

    /** Writes what could not be uploaded to a new [file], for a device that cannot reach its server any more. */
    public fun exportUnsent(file: File): Job = attempt { onLedger { exportUnsent(file) } }

    private fun pass(attempt: Attempt, by: TicketScanner.(Gateway) -> Verdict): Job = attempt {
        val before = current.value
        val place = before.place ?: return@attempt
        val eventId = place.event.eventId
        val gateway = Gateway(eventId, place.gate.gateId, before.direction, before.people.toUShort())
        val verdict = onLedger { by(gateway) }
        show(verdict, attempt, place, before.direction)
        look()
    }

    private fun show(verdict: Verdict, attempt: Attempt, place: DoorPlace, direction: Direction) {
        val passed = verdict.outcome == Outcome.ADMIT
        val shown = ShownVerdict(verdict, attempt, canForce = place.isSupervised && !passed)
        current.update { it.copy(shown = shown, undone = null, people = if (passed) 1 else it.people) }
        showVerdictFor(verdictStays)
        val window = place.event.undoWindow?.toKotlinDuration()
        if (passed) {
            val name = verdict.ticket?.attendeeName
            val offer = UndoOffer(verdict.scanId, name, verdict.people.toInt(), direction).takeIf { window != null }
            current.update { it.copy(undoOffer = offer) }
            undoTime.start(window ?: Duration.ZERO) { current.update { it.copy(undoOffer = null) } }
        }
    }

    private fun showVerdictFor(duration: Duration) =
        verdictTime.start(duration) { current.update { it.copy(shown = null, undone = null) } }

    private fun withdraw() {
        undoTime.stop()
        verdictTime.stop()
        current.update { it.copy(shown = null, undone = null, undoOffer = null) }
    }

    // What happens elsewhere.

    private fun <T> hear(news: Flow<T>, take: suspend (T) -> Unit) {
        // Listens from now on, not from when the scope comes to it.
        scope.launch(start = CoroutineStart.UNDISPATCHED) {
            news.collect { report { take(it) } }
        }
    }

    private suspend fun syncWent(progress: SyncProgress) {
        current.update { if (it.isWaiting) it.copy(progress = progress) else it }
        // Scans go up by themselves, too, and nothing else tells of it.
        if (progress is SyncProgress.Pushing) look()
    }

    private suspend fun conflictsCame(conflicts: List<Conflict>) {
        current.update { it.copy(unseenConflicts = it.unseenConflicts + conflicts) }
        look()
    }

    // Doing.

    /** Shows what the device knows now. */
    private suspend fun look() {
        val place = current.value.place
        val seen = onLedger { seen(place?.event?.eventId) }
        current.update { if (it.place == place) it.seeing(seen) else it }
    }

    private class Seen(
        val device: Device?,
        val events: List<Event>,
        val unsent: Unsent,
        val counts: Counts?,
        val conflicts: List<Conflict>,
    )

    private fun TicketScanner.seen(eventId: String?) =
        Seen(device(), events(), unsent(), eventId?.let(::counts), eventId?.let(::conflicts).orEmpty())

    private fun DoorState.seeing(seen: Seen) = copy(
        device = seen.device, events = seen.events, unsent = seen.unsent,
        counts = seen.counts, conflicts = seen.conflicts,
    )

    /** The organiser may have changed the event, or taken the gate away. */
    private suspend fun followPlace() {
        val before = current.value.place ?: return
        val event = current.value.events.find { it.eventId == before.event.eventId }
        val place = event?.place(before.gate.gateId)
        if (place == null) leavePlace() else current.update { it.copy(place = place) }
    }

    private fun Event.place(gateId: String): DoorPlace? =
        gates.find { it.gateId == gateId }?.let { DoorPlace(this, it) }

    private suspend fun <T> onLedger(call: TicketScanner.() -> T): T = withContext(work) { scanner.call() }

    /** Does a small thing, after those before it. */
    private fun attempt(action: suspend () -> Unit): Job = scope.launch {
        succeed { turn.withLock { action() } }
    }

    /** Does something that waits for the server, one thing at a time: another one meanwhile is not done. */
    private fun wait(action: suspend () -> Unit): Job = scope.launch {
        if (current.getAndUpdate { it.copy(isWaiting = true) }.isWaiting) return@launch
        try {
            succeed(action)
        } finally {
            current.update { it.copy(isWaiting = false, progress = null) }
        }
        report {
            turn.withLock {
                look()
                followPlace()
            }
        }
    }

    private suspend fun succeed(action: suspend () -> Unit) = report {
        action()
        current.update { it.copy(problem = null) }
    }

    private suspend fun report(action: suspend () -> Unit) =
        try {
            action()
        } catch (thrown: ScannerException) {
            current.update { it.copy(problem = Problem(thrown)) }
        }
}
