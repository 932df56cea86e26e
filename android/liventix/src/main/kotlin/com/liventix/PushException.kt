package com.liventix

import java.time.Duration

/**
 * A registrar's call failed. No ticket is touched by that.
 *
 * Each class is one thing an app can do.
 *
 * @property code the stable name of the exact cause: for logs, and to translate by.
 * @property detail what happened and what to do next, in English; also the [message].
 */
public sealed class PushException(
    public val code: String,
    public val detail: String,
    cause: Throwable? = null,
) : Exception(detail, cause) {
    /** Whether it may pass by itself: try again later. */
    public open val mayPass: Boolean get() = false

    /** `closed`. The registrar was closed: open it again. */
    public class Closed(code: String, detail: String) : PushException(code, detail)

    /** `cancelled`. The call was cancelled. What it had done by then stays done. */
    public class Cancelled(code: String, detail: String) : PushException(code, detail)

    /**
     * `push_token_empty`, `push_token_not_hex`, `push_token_length`, `push_token_shape`, `push_token_other_service`,
     * `push_token_refused`. What was handed over is no token, or the server takes none like it.
     */
    public class Token(code: String, detail: String) : PushException(code, detail)

    /**
     * `push_not_registered`. The server does not know where this phone's messages go: allow them, and
     * [run][PushRegistrar.run] the registrar.
     */
    public class NotRegistered(code: String, detail: String) : PushException(code, detail)

    /** `push_not_a_message`, `push_quiet_hours`. An argument is out of its range. */
    public class InvalidInput(code: String, detail: String) : PushException(code, detail)

    /**
     * `identity_lost`, `unauthorized`, or the server's own code. The server says no: a person has to do something
     * else.
     */
    public class Refused(code: String, detail: String) : PushException(code, detail)

    /**
     * `offline`, `timeout`, `interrupted`, `intercepted`, `tls`. The network, or what stands between here and
     * the server.
     */
    public class Network(code: String, detail: String) : PushException(code, detail) {
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
    ) : PushException(code, detail) {
        override val mayPass: Boolean get() = retryAfter != null || code == "busy" || code == "server_error"
    }

    /** `secrets`. The [SecretStore] failed. */
    public class Secrets(code: String, detail: String) : PushException(code, detail)

    /** `panicked`, `no_threads`. A mistake in this library. */
    public class Internal(code: String, detail: String, cause: Throwable? = null) :
        PushException(code, detail, cause)
}
