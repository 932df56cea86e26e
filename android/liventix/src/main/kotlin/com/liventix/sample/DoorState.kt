package com.liventix.sample

import com.liventix.Conflict
import com.liventix.Counts
import com.liventix.Device
import com.liventix.Direction
import com.liventix.Event
import com.liventix.FoundTicket
import com.liventix.Gate
import com.liventix.LinkState
import com.liventix.Readiness
import com.liventix.SyncProgress
import com.liventix.Undone
import com.liventix.Unsent
import com.liventix.Verdict

/**
 * What a door shows.
 *
 * @property device what this installation is; null: show the enrolment.
 * @property events where it may stand.
 * @property place where it stands; null: show the choice.
 * @property direction in or out, for the next scan.
 * @property people how many want to pass with the next ticket. One again after each passage.
 * @property shown what came of the last scan, in full size; goes away by itself.
 * @property undoOffer the passage that [DoorViewModel.undo] takes back; goes away with the event's window.
 * @property undone what was taken back last; goes away by itself.
 * @property found tickets that the last search found.
 * @property counts live numbers, as far as this device knows.
 * @property conflicts tickets admitted more often than they allow.
 * @property unseenConflicts conflicts that came while nobody looked; [DoorViewModel.seeConflicts] empties it.
 * @property unsent what waits for its upload.
 * @property link whether the server is in touch; null while the device stands nowhere.
 * @property progress how far the sync is that a person waits for; null: none is.
 * @property readiness whether doors may open; null before [DoorViewModel.checkReadiness].
 * @property problem what went wrong last, until the person does something that goes well.
 * @property isWaiting whether a call to the server is under way that a person waits for.
 */
public data class DoorState(
    val device: Device? = null,
    val events: List<Event> = emptyList(),
    val place: DoorPlace? = null,
    val direction: Direction = Direction.ENTRY,
    val people: Int = 1,
    val shown: ShownVerdict? = null,
    val undoOffer: UndoOffer? = null,
    val undone: Undone? = null,
    val found: List<FoundTicket> = emptyList(),
    val counts: Counts? = null,
    val conflicts: List<Conflict> = emptyList(),
    val unseenConflicts: List<Conflict> = emptyList(),
    val unsent: Unsent? = null,
    val link: LinkState? = null,
    val progress: SyncProgress? = null,
    val readiness: Readiness? = null,
    val problem: Problem? = null,
    val isWaiting: Boolean = false,
)

/** Where a device stands. */
public data class DoorPlace(val event: Event, val gate: Gate) {
    /** Whether it may overrule refusals here. */
    public val isSupervised: Boolean get() = event.supervisor
}

/** What somebody showed at a door. */
public sealed interface Attempt {
    /** A code, read or typed. */
    public data class Code(val text: String) : Attempt

    /** A ticket picked from a search. */
    public data class Listed(val ticketId: String) : Attempt
}

/**
 * A verdict, and what it is about.
 *
 * @property canForce whether a supervisor may overrule it here.
 */
public data class ShownVerdict(val verdict: Verdict, val attempt: Attempt, val canForce: Boolean)

/** A passage that may still be taken back: who passed, how many, and which way. */
public data class UndoOffer(
    val scanId: String,
    val attendeeName: String?,
    val people: Int,
    val direction: Direction,
)
