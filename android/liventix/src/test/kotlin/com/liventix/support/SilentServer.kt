package com.liventix.support

import java.net.InetAddress
import java.net.ServerSocket
import java.net.Socket

/** Takes connections and never answers. It listens on [at], or on a free port. */
internal class SilentServer(at: Int = 0) : AutoCloseable {
    private val listener = ServerSocket(at, 50, InetAddress.getLoopbackAddress()).apply { soTimeout = PATIENCE_MS }

    val port: Int get() = listener.localPort
    val enrolmentCode: String get() = "LIVENTIX-ENROL:http://127.0.0.1:$port#ABCD"

    /** Returns once somebody has asked for something: its connection, on which nothing will be said. */
    fun asked(): Socket = listener.accept().apply {
        soTimeout = PATIENCE_MS
        check(getInputStream().read() >= 0) { "it hung up before it asked" }
    }

    override fun close() = listener.close()
}

/** Returns once the other side has hung up. */
internal fun Socket.awaitHangUp() {
    val input = getInputStream()
    val rest = ByteArray(4096)
    try {
        while (input.read(rest) >= 0) continue
    } catch (reset: java.net.SocketException) {
        // That is hanging up, too.
    }
}

/** So long a test waits for what happens at once on a machine that is not stuck. */
internal const val PATIENCE_MS = 60_000
