package com.liventix.support

import kotlinx.coroutines.delay
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import java.io.File
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse
import kotlin.time.Duration.Companion.milliseconds

/**
 * The program `liventix-stage`: scan cases over the real sync protocol, and real servers. One for all tests, unless one
 * runs already where LIVENTIX_STAGE_URL says.
 */
internal object Stage {
    /** Where it listens. */
    val url: String by lazy { System.getenv("LIVENTIX_STAGE_URL") ?: start() }
    private val client = HttpClient.newHttpClient()

    private fun start(): String {
        val folder = checkNotNull(System.getProperty("liventix.stage")) { "liventix.stage is not set" }
        val program = File(folder, "liventix-stage")
        check(program.canExecute()) { "$program is missing: cargo build -p liventix-tests --bin liventix-stage" }
        // It ends when its standard input closes, and so with this process.
        val process = ProcessBuilder(program.path).redirectError(ProcessBuilder.Redirect.INHERIT).start()
        Runtime.getRuntime().addShutdownHook(Thread { process.outputStream.close() })
        val line = checkNotNull(process.inputStream.bufferedReader().readLine()) { "liventix-stage said nothing" }
        return Json.parseToJsonElement(line).text("url")
    }

    /** Starts a server with an event of its own; [event] holds fields of it otherwise than usual, as JSON. */
    fun server(event: String = "{}"): StageServer = StageServer(send("POST", "$url/stages", """{"event":$event}"""))

    /** Sends a request, which must succeed. */
    fun send(method: String, url: String, body: String? = null, bearer: String? = null): JsonElement {
        val content = body?.let(HttpRequest.BodyPublishers::ofString) ?: HttpRequest.BodyPublishers.noBody()
        val request = HttpRequest.newBuilder(URI(url)).method(method, content)
        if (body != null) request.header("content-type", "application/json")
        if (bearer != null) request.header("authorization", "Bearer $bearer")
        val answer = client.send(request.build(), HttpResponse.BodyHandlers.ofString())
        check(answer.statusCode() in 200..299) { "$method $url answered ${answer.statusCode()}: ${answer.body()}" }
        return if (answer.body().isEmpty()) JsonNull else Json.parseToJsonElement(answer.body())
    }
}

/** A real server that can be switched off and on, with an event that goes on until tomorrow. */
internal class StageServer(private val facts: JsonElement) : AutoCloseable {
    private val control = "${Stage.url}/stages/${facts["id"]}"

    /** Where it is. */
    val url: String = facts.text("url")
    val eventId: String get() = facts.text("event_id")
    val northGate: String get() = facts["gates"].jsonArray[0].text("gate_id")
    val southGate: String get() = facts["gates"].jsonArray[1].text("gate_id")

    /** The tickets of one type. */
    fun tickets(type: String): List<StageTicket> =
        facts["tickets"].jsonArray.filter { it.text("type_name") == type }.map(::StageTicket)

    /** A one-time code for one more door. */
    fun enrolmentCode(supervisor: Boolean = false): String =
        Stage.send("POST", "$control/enrolments", """{"supervisor":$supervisor}""").text("code")

    fun stop() {
        Stage.send("POST", "$control/stop")
    }

    fun start() {
        Stage.send("POST", "$control/start")
    }

    /** The message, once a phone with this push token shows it. */
    suspend fun awaitPush(token: String, messageId: String): ShownPush = patiently {
        var shown = pushes(token)
        while (shown.none { messageId in it.payload }) {
            delay(BETWEEN_LOOKS)
            shown = pushes(token)
        }
        shown.first { messageId in it.payload }
    }

    private fun pushes(token: String): List<ShownPush> =
        Stage.send("GET", "$control/pushes/$token")["shown"].jsonArray.map(::ShownPush)

    /** What an organiser does. */
    fun organise(method: String, path: String, body: String? = null): JsonElement =
        Stage.send(method, "$url/v1/$path", body, facts.text("api_key"))

    override fun close() {
        Stage.send("DELETE", control)
    }
}

/** So long until a test looks again for what happens at a service that tells nobody. */
private val BETWEEN_LOOKS = 50.milliseconds

/** A push message on the screen of a phone. */
internal class ShownPush(private val facts: JsonElement) {
    val service: String get() = facts.text("service")
    val title: String get() = facts.text("title")
    val body: String get() = facts.text("body")
    val payload: String get() = facts.text("payload")
}

/** A ticket that was issued. */
internal class StageTicket(private val facts: JsonElement) {
    val ticketId: String get() = facts.text("ticket_id")
    val attendeeName: String get() = facts.text("attendee_name")
    val code: String get() = facts.text("code")
    val manualCode: String get() = facts.text("manual_code")
    val link: String get() = facts.text("link")
}

internal operator fun JsonElement.get(name: String): JsonElement =
    jsonObject[name] ?: error("there is no \"$name\" in $this")

/** The field, unless it is missing or null. */
internal fun JsonElement.orNull(name: String): JsonElement? = jsonObject[name]?.takeUnless { it is JsonNull }

internal fun JsonElement.text(name: String): String = this[name].jsonPrimitive.content
