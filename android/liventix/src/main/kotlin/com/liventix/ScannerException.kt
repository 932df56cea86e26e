package com.liventix

import java.time.Duration

/**
 * A scanner's call failed. Nothing half done is left behind.
 *
 * Each class is one thing an app can do.
 *
 * @property code the stable name of the exact cause: for logs, and to translate by.
 * @property detail what happened and what to do next, in English; also the [message].
 */
public sealed class ScannerException(
    public val code: String,
    public val detail: String,
    cause: Throwable? = null,
) : Exception(detail, cause) {
    /** Whether it may pass by itself: try again later. Scanning goes on meanwhile. */
    public open val mayPass: Boolean get() = false

    /** `closed`. The scanner was closed: open it again. */
    public class Closed(code: String, detail: String) : ScannerException(code, detail)

    /** `cancelled`. The call was cancelled. What it had done by then stays done. */
    public class Cancelled(code: String, detail: String) : ScannerException(code, detail)

    /**
     * `not_enrolled`, `unauthorized`, `wrong_device`. No device is enrolled, or its token is gone: read an
     * enrolment code.
     */
    public class NotEnrolled(code: String, detail: String) : ScannerException(code, detail)

    /**
     * `device_revoked`. The organiser revoked this device: its keys are wiped, it can scan no more.
     *
     * @property unsent scans still to upload; the server takes them as evidence.
     */
    public class Revoked(code: String, detail: String, public val unsent: ULong) : ScannerException(code, detail)

    /**
     * `not_an_enrolment_code`, `enrolment_code_damaged`, `enrolment_insecure`. The text is not an enrolment
     * code, is damaged, or leads to a server without TLS.
     */
    public class EnrolmentCode(code: String, detail: String) : ScannerException(code, detail)

    /**
     * `unsent_scans`. Scans of an earlier enrolment wait for their upload: sync first.
     *
     * @property count how many.
     */
    public class UnsentScans(code: String, detail: String, public val count: ULong) : ScannerException(code, detail)

    /** `event_unknown`, `gate_unknown`. The event or the gate is not known here: sync, or choose again. */
    public class UnknownPlace(code: String, detail: String) : ScannerException(code, detail)

    /** `not_assigned`, `not_supervisor`. This device may not do that: at this gate, or without a supervisor. */
    public class NotAllowed(code: String, detail: String) : ScannerException(code, detail)

    /**
     * `undo_unknown`, `undo_not_a_passage`, `undo_already`, `undo_too_late`, `undo_off`. The passage cannot be
     * taken back: it stands.
     */
    public class UndoRefused(code: String, detail: String) : ScannerException(code, detail)

    /** `people_out_of_range`, `id_invalid`, `note_invalid`, `qr_…`. An argument is out of its range. */
    public class InvalidInput(code: String, detail: String) : ScannerException(code, detail)

    /**
     * `offline`, `timeout`, `interrupted`, `intercepted`, `tls`. The network, or what stands between here and
     * the server.
     */
    public class Network(code: String, detail: String) : ScannerException(code, detail) {
        override val mayPass: Boolean get() = true
    }

    /**
     * `busy`, `server_error`, `protocol`, `newer_protocol`, or the server's own code of a refusal. The server
     * refused, failed, or is not understood.
     *
     * @property status the HTTP status, where there was one.
     * @property retryAfter when the server asked to be tried again.
     */
    public class Server(
        code: String,
        detail: String,
        public val status: Int?,
        public val retryAfter: Duration?,
    ) : ScannerException(code, detail) {
        override val mayPass: Boolean get() = retryAfter != null || code == "busy" || code == "server_error"
    }

    /**
     * `disk_full`, `ledger_corrupt`, `ledger_read_only`, `ledger_locked`, `ledger_newer`, `not_a_ledger`,
     * `ledger_moved`, `storage_failed`, `export_failed`, … The scan ledger's file, or the disk.
     */
    public class Storage(code: String, detail: String) : ScannerException(code, detail)

    /** `secrets`. The [SecretStore] failed. */
    public class Secrets(code: String, detail: String) : ScannerException(code, detail)

    /** `panicked`, `no_threads`. A mistake in this library. */
    public class Internal(code: String, detail: String, cause: Throwable? = null) :
        ScannerException(code, detail, cause)
}
