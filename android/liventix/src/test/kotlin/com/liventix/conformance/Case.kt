package com.liventix.conformance

import com.liventix.support.get
import com.liventix.support.orNull
import com.liventix.support.text
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonPrimitive
import kotlinx.serialization.json.long
import java.io.File

/** One case of `tests/vectors/scan`, with what it takes over from its file. That folder's README describes it. */
internal class Case(val file: String, private val setup: JsonElement, private val own: JsonElement) {
    val name: String = own.text("name")
    val steps: List<JsonElement> = own["steps"].jsonArray
    val eventId: String get() = fact("event").text("event_id")
    val deviceId: String get() = fact("device").text("device_id")
    val deviceName: String get() = fact("device").text("device_name")
    val startsAt: Long get() = fact("clock").number("starts_at")
    val wallAheadMs: Long get() = fact("clock").number("wall_ahead_ms")

    /** Whether a scanner can play it. */
    val isForDoors: Boolean get() = own.orNull("only")?.text("surface") != "online"

    private fun fact(name: String): JsonElement = own.orNull(name) ?: setup[name]

    /** The passage of another door with this id, from the facts or from later news. */
    fun passage(scanId: String): JsonElement {
        val news = steps.mapNotNull { it["do"].orNull("sync")?.orNull("passages")?.jsonArray }
        // News may bring it again.
        return (listOf(fact("passages").jsonArray) + news).flatten().first { it.text("scan_id") == scanId }
    }

    companion object {
        fun all(): List<Case> {
            val folder = File(System.getProperty("liventix.repository"), "tests/vectors/scan")
            val files = checkNotNull(folder.listFiles { file -> file.extension == "json" }) { "$folder is missing" }
            return files.sorted().flatMap { file ->
                val document = Json.parseToJsonElement(file.readText())
                document["cases"].jsonArray.map { Case(file.nameWithoutExtension, document["setup"], it) }
            }
        }
    }
}

internal fun JsonElement.number(name: String): Long = this[name].jsonPrimitive.long

internal fun JsonElement.count(name: String): Int = this[name].jsonPrimitive.int
