package com.liventix

import java.io.File
import java.io.IOException
import java.nio.ByteBuffer
import java.nio.channels.FileChannel
import java.nio.file.Files
import java.nio.file.NoSuchFileException
import java.nio.file.Path
import java.nio.file.StandardCopyOption.ATOMIC_MOVE
import java.nio.file.StandardOpenOption.CREATE
import java.nio.file.StandardOpenOption.READ
import java.nio.file.StandardOpenOption.TRUNCATE_EXISTING
import java.nio.file.StandardOpenOption.WRITE
import javax.crypto.AEADBadTagException
import javax.crypto.Cipher
import javax.crypto.SecretKey
import javax.crypto.spec.GCMParameterSpec

private const val CIPHER = "AES/GCM/NoPadding"
private const val TAG_BITS = 128
private const val NONCE_BYTES = 12

/** First byte of a file: the layout that follows is nonce, ciphertext, tag. */
private const val LAYOUT: Byte = 1

/** The file of an empty value. */
private const val LEAST_BYTES = 1 + NONCE_BYTES + TAG_BITS / 8

/** The names that [SecretStore] promises, and none that leads out of the folder. */
private val NAME = Regex("[a-z0-9_-][a-z0-9_.-]{0,127}")

/**
 * Keeps each secret in a file of its own in [folder], encrypted with AES-GCM by a key that is kept elsewhere. The name
 * is authenticated with the value, so that no file passes for another. Writing is atomic: after a power cut, a file
 * holds the old value or the new one.
 *
 * `KeystoreSecretStore` is this with a key in the Android Keystore.
 *
 * @param folder private to the app, in no backup: the key is not in the backup either. Created if it is not there.
 * @param key called for each use; may throw whatever the keystore throws.
 */
public class EncryptedFileStore(folder: File, private val key: () -> SecretKey) : SecretStore {
    private val root: Path = folder.toPath()

    @Synchronized
    override fun put(name: String, value: String) {
        val cipher = Cipher.getInstance(CIPHER)
        // The keystore chooses the nonce; it takes none from outside.
        cipher.init(Cipher.ENCRYPT_MODE, key())
        val nonce = cipher.iv
        check(nonce.size == NONCE_BYTES) { "a nonce of ${nonce.size} bytes" }
        cipher.updateAAD(header(name))
        write(file(name), byteArrayOf(LAYOUT) + nonce + cipher.doFinal(value.encodeToByteArray()))
    }

    @Synchronized
    override fun get(name: String): String? {
        val content = try {
            Files.readAllBytes(file(name))
        } catch (none: NoSuchFileException) {
            return null
        }
        if (content.size < LEAST_BYTES || content[0] != LAYOUT) throw IOException("the file of $name is damaged")
        val cipher = Cipher.getInstance(CIPHER)
        cipher.init(Cipher.DECRYPT_MODE, key(), GCMParameterSpec(TAG_BITS, content, 1, NONCE_BYTES))
        cipher.updateAAD(header(name))
        val start = 1 + NONCE_BYTES
        val value = try {
            cipher.doFinal(content, start, content.size - start)
        } catch (forged: AEADBadTagException) {
            throw IOException("the file of $name is damaged, or was written with another key", forged)
        }
        return value.decodeToString()
    }

    @Synchronized
    override fun delete(name: String) {
        if (Files.deleteIfExists(file(name))) syncFolder()
    }

    /** What is authenticated beside the value. */
    private fun header(name: String): ByteArray = byteArrayOf(LAYOUT) + name.encodeToByteArray()

    private fun file(name: String): Path {
        require(NAME.matches(name)) { "not a name of a secret" }
        return root.resolve(name)
    }

    private fun write(target: Path, content: ByteArray) {
        Files.createDirectories(root)
        // No secret's name begins with a dot.
        val draft = root.resolve(".draft")
        FileChannel.open(draft, WRITE, CREATE, TRUNCATE_EXISTING).use { channel ->
            val buffer = ByteBuffer.wrap(content)
            while (buffer.hasRemaining()) channel.write(buffer)
            channel.force(true)
        }
        Files.move(draft, target, ATOMIC_MOVE)
        syncFolder()
    }

    /** A file's new name is durable once its folder is. */
    private fun syncFolder() = FileChannel.open(root, READ).use { it.force(true) }
}
