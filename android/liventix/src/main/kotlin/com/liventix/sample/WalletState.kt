package com.liventix.sample

import com.liventix.QrMatrix
import com.liventix.RefreshFailure
import com.liventix.TransferOffer
import com.liventix.WalletTicket
import java.time.Duration

/**
 * What a wallet shows.
 *
 * @property tickets every ticket here, the next event first.
 * @property open the ticket that is held to a scanner; null: show the list.
 * @property offer the link that hands the open ticket on, to share; secret until it is claimed.
 * @property unreachable servers that the last refresh could not ask. Their tickets are as they were.
 * @property problem what went wrong last, until the person does something that goes well.
 * @property isWaiting whether a call to a server is under way that a person waits for.
 */
public data class WalletState(
    val tickets: List<WalletTicket> = emptyList(),
    val open: OpenTicket? = null,
    val offer: TransferOffer? = null,
    val unreachable: List<RefreshFailure> = emptyList(),
    val problem: Problem? = null,
    val isWaiting: Boolean = false,
)

/** A ticket and the code to show for it. */
public data class OpenTicket(val ticket: WalletTicket, val code: ShownCode)

/** A code on the screen. */
public sealed interface ShownCode {
    /** What the QR code says. */
    public val text: String

    /** The QR code, to be drawn with 4 modules of white around it. */
    public val matrix: QrMatrix

    /**
     * A live code, which is replaced by the next one by itself.
     *
     * @property clockError how far the time it was minted by may be off; null: the phone's own clock was used, and if
     *   that is wrong, doors refuse the code until a refresh.
     */
    public data class Live(
        override val text: String,
        override val matrix: QrMatrix,
        val clockError: Duration?,
    ) : ShownCode

    /**
     * The code that stays the same.
     *
     * @property manualCode for typing in where no QR code can be read.
     * @property accepted whether doors take it, as far as this phone knows.
     */
    public data class Printed(
        override val text: String,
        override val matrix: QrMatrix,
        val manualCode: String,
        val accepted: Boolean,
    ) : ShownCode
}
