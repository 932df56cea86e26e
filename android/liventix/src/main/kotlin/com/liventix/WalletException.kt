package com.liventix

import java.time.Duration

/**
 * A wallet's call failed. No ticket is lost by that.
 *
 * Each class is one thing an app can do.
 *
 * @property code the stable name of the exact cause: for logs, and to translate by.
 * @property detail what happened and what to do next, in English; also the [message].
 */
public sealed class WalletException(
    public val code: String,
    public val detail: String,
    cause: Throwable? = null,
) : Exception(detail, cause) {
    /** Whether it may pass by itself: try again later. The tickets here work meanwhile. */
    public open val mayPass: Boolean get() = false

    /** `closed`. The wallet was closed: open it again. */
    public class Closed(code: String, detail: String) : WalletException(code, detail)

    /** `cancelled`. The call was cancelled. What it had done by then stays done. */
    public class Cancelled(code: String, detail: String) : WalletException(code, detail)

    /**
     * `not_a_ticket_link`, `ticket_link_damaged`, `ticket_link_insecure`. The text is not a ticket link, is
     * damaged, or leads to a server without TLS.
     */
    public class Link(code: String, detail: String) : WalletException(code, detail)

    /** `ticket_unknown`, `ticket_damaged`. There is no such ticket here, or its entry in the store is damaged. */
    public class NotFound(code: String, detail: String) : WalletException(code, detail)

    /** `not_activated`. Live codes were not activated on this phone. */
    public class NotLive(code: String, detail: String) : WalletException(code, detail)

    /**
     * `already_claimed`, `not_held`, `link_unknown`, `link_used`, `link_expired`, `transfer_refused`,
     * `ticket_used`, `ticket_not_valid`, `other_server`, `identity_lost`, `unauthorized`, or the server's own
     * code. The rules of the ticket or its organiser say no: a person has to do something else.
     */
    public class Refused(code: String, detail: String) : WalletException(code, detail)

    /**
     * `offline`, `timeout`, `interrupted`, `intercepted`, `tls`. The network, or what stands between here and
     * the server.
     */
    public class Network(code: String, detail: String) : WalletException(code, detail) {
        override val mayPass: Boolean get() = true
    }

    /**
     * `busy`, `server_error`, `protocol`, `newer_protocol`. The server failed, is busy, or is not understood.
     *
     * @property status the HTTP status, where there was one.
     * @property retryAfter when the server asked to be tried again.
     */
    public class Server(
        code: String,
        detail: String,
        public val status: Int?,
        public val retryAfter: Duration?,
    ) : WalletException(code, detail) {
        override val mayPass: Boolean get() = retryAfter != null || code == "busy" || code == "server_error"
    }

    /** `secrets`. The [SecretStore] failed. */
    public class Secrets(code: String, detail: String) : WalletException(code, detail)

    /** `id_invalid`, `phone_name_invalid`. An argument is out of its range. */
    public class InvalidInput(code: String, detail: String) : WalletException(code, detail)

    /** `panicked`, `no_threads`. A mistake in this library. */
    public class Internal(code: String, detail: String, cause: Throwable? = null) :
        WalletException(code, detail, cause)
}
