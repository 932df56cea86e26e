package com.liventix

import com.liventix.support.OpenSecretStore
import com.liventix.support.Stage
import com.liventix.support.openScanner
import kotlinx.coroutines.test.runTest
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import org.junit.jupiter.api.io.TempDir
import java.nio.file.Files
import java.nio.file.Path
import java.util.Base64
import java.util.HexFormat
import kotlin.io.path.fileSize
import kotlin.io.path.name
import kotlin.io.path.readBytes
import kotlin.streams.asSequence
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertTrue

/** Secrets live in the secret store and nowhere else: not in the ledger, not in its log of writes. */
class SecretsOnDiskTest {
    @TempDir
    lateinit var folder: Path

    @Test
    fun `no file holds anything of the secret store`() = runTest {
        val secrets = OpenSecretStore()
        Stage.server().use { server ->
            folder.openScanner(secrets).use { door ->
                door.enrol(server.enrolmentCode(), "The door of this test")
                door.sync()
                val entry = Gateway(server.eventId, server.northGate, Direction.ENTRY)
                server.tickets("Day ticket").forEach { door.scan(it.code, entry) }
                door.sync()
                assertTrue(folder.files().any { it.name.endsWith("-wal") && it.fileSize() > 0 }, "${folder.files()}")
                assertNothingIn(folder.files(), secrets)
            }
        }
        assertNothingIn(folder.files(), secrets)
    }

    private fun assertNothingIn(files: List<Path>, secrets: OpenSecretStore) {
        val contents = files.associate { it.name to String(it.readBytes(), Charsets.ISO_8859_1) }
        assertTrue(contents.values.any { "The door of this test" in it }, "a text that is there would be found")
        val needles = secrets.values.mapValues { (_, value) -> value.needles() }
        assertTrue(needles.size >= 2, "a token and the keys of an event: ${needles.keys}")
        for ((secret, texts) in needles) {
            assertTrue(texts.size >= 3, "$secret is looked for as such, as bytes and as hexadecimal")
            val found = contents.filterValues { content -> texts.any { it in content } }.keys
            assertEquals(emptySet(), found, "$secret is in a file")
        }
    }

    private fun Path.files(): List<Path> = Files.list(this).use { it.asSequence().toList() }

    /** All that could give a secret away: its texts, each also as the bytes that it stands for. */
    private fun String.needles(): Set<String> {
        val json = runCatching { Json.parseToJsonElement(this) }.getOrNull()
        val texts = if (json is JsonObject) json.texts() else listOf(this)
        return texts.flatMap { text -> text.split('_') + text }.filter(::isSecret).flatMap { it.forms() }.toSet()
    }

    private fun JsonElement.texts(): List<String> = when (this) {
        is JsonObject -> values.flatMap { it.texts() }
        is JsonArray -> flatMap { it.texts() }
        is JsonPrimitive -> listOf(content)
    }

    /** Keys and tokens are 128 bits or more. Ids are as long, with dashes or as 32 hexadecimal digits. */
    private fun isSecret(text: String): Boolean =
        text.length >= 22 && !Regex("[0-9a-f-]{36}").matches(text) && !Regex("[0-9a-f]{32}").matches(text)

    private fun String.forms(): List<String> {
        val bytes = runCatching { Base64.getUrlDecoder().decode(this) }.getOrNull() ?: return listOf(this)
        val hex = HexFormat.of().formatHex(bytes)
        return listOf(this, String(bytes, Charsets.ISO_8859_1), hex, hex.uppercase())
    }
}
