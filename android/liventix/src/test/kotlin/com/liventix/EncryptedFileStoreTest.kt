package com.liventix

import com.liventix.support.Stage
import com.liventix.support.openScanner
import kotlinx.coroutines.test.runTest
import org.junit.jupiter.api.io.TempDir
import java.nio.file.Files
import java.nio.file.Path
import javax.crypto.KeyGenerator
import javax.crypto.SecretKey
import kotlin.io.path.copyTo
import kotlin.io.path.fileSize
import kotlin.io.path.readBytes
import kotlin.io.path.writeBytes
import kotlin.streams.asSequence
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertNull

/** All of the Android store but where its key lies. */
class EncryptedFileStoreTest {
    @TempDir
    lateinit var folder: Path

    private fun newKey(): SecretKey = KeyGenerator.getInstance("AES").apply { init(256) }.generateKey()

    private val key = newKey()
    private val secrets by lazy { folder.resolve("secrets") }
    private val store by lazy { EncryptedFileStore(secrets.toFile()) { key } }

    private fun files() = Files.list(secrets).use { all -> all.asSequence().map { it.fileName.toString() }.sorted().toList() }

    @Test
    fun `a value is kept replaced and forgotten`() {
        assertNull(store.get("device_token"))
        store.delete("device_token")
        store.put("device_token", "first")
        store.put("device_token", "zweites, größer")
        store.put("event-keys.1", "")
        val again = EncryptedFileStore(secrets.toFile()) { key }
        assertEquals("zweites, größer", again.get("device_token"))
        assertEquals("", again.get("event-keys.1"))
        assertEquals(listOf("device_token", "event-keys.1"), files(), "no draft is left")
        again.delete("device_token")
        assertNull(store.get("device_token"))
    }

    @Test
    fun `files tell nothing of what they hold`() {
        store.put("token", "a secret of some length")
        val first = secrets.resolve("token").readBytes()
        store.put("token", "a secret of some length")
        assertFalse(first.contentEquals(secrets.resolve("token").readBytes()), "another nonce each time")
        assertFalse("secret" in String(first, Charsets.ISO_8859_1))
    }

    @Test
    fun `a file that was changed moved or written by another is refused`() {
        store.put("token", "a secret")
        val file = secrets.resolve("token")
        val good = file.readBytes()
        file.copyTo(secrets.resolve("other"))
        assertFailsWith<java.io.IOException>("the file of another name") { store.get("other") }
        for (index in good.indices) {
            file.writeBytes(good.copyOf().also { it[index] = (it[index] + 1).toByte() })
            assertFailsWith<java.io.IOException>("byte $index") { store.get("token") }
        }
        for (length in good.indices) {
            file.writeBytes(good.copyOf(length))
            assertFailsWith<java.io.IOException>("$length bytes") { store.get("token") }
        }
        file.writeBytes(good)
        assertEquals("a secret", store.get("token"))
        val stranger = EncryptedFileStore(secrets.toFile()) { newKey() }
        assertFailsWith<java.io.IOException> { stranger.get("token") }
    }

    @Test
    fun `a draft that a power cut left is no secret`() {
        store.put("token", "a secret")
        secrets.resolve(".draft").writeBytes(ByteArray(100_000))
        store.put("token", "another")
        assertEquals("another", store.get("token"))
        assertEquals(36L, secrets.resolve("token").fileSize(), "layout, nonce, seven bytes, tag")
    }

    @Test
    fun `names cannot lead elsewhere`() {
        for (name in listOf("", ".", "..", "../token", "a/b", ".draft", "A", "a\u0000", "x".repeat(129))) {
            assertFailsWith<IllegalArgumentException>(name) { store.put(name, "value") }
        }
    }

    @Test
    fun `a door works with it after a restart`() = runTest {
        Stage.server().use { server ->
            folder.openScanner(store).use { door ->
                door.enrol(server.enrolmentCode(), "Door")
                door.sync()
            }
            server.stop()
            folder.openScanner(EncryptedFileStore(secrets.toFile()) { key }).use { door ->
                val entry = Gateway(server.eventId, server.northGate, Direction.ENTRY)
                assertEquals(Reason.ENTERED, door.scan(server.tickets("Day ticket")[0].code, entry).reason)
            }
        }
    }

    @Test
    fun `a door whose key is gone says so`() = runTest {
        Stage.server().use { server ->
            folder.openScanner(store).use { door ->
                door.enrol(server.enrolmentCode(), "Door")
                door.sync()
            }
            val stranger = EncryptedFileStore(secrets.toFile()) { newKey() }
            assertFailsWith<ScannerException.Secrets> { folder.openScanner(stranger) }
        }
    }
}
