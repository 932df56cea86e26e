package com.liventix

import android.content.Context
import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyProperties
import java.io.File
import java.security.KeyStore
import javax.crypto.KeyGenerator
import javax.crypto.SecretKey

private const val PROVIDER = "AndroidKeyStore"
private const val KEY_BITS = 256

/**
 * Keeps secrets in files of the app that are in no backup, encrypted with a key that never leaves the Android
 * Keystore. They can be read once the phone was unlocked after its start, also while it is locked again.
 *
 * Make one for each process and share it. Not for the main thread: the keystore may take tens of milliseconds.
 *
 * @param name of the key and the folder, for apps that need several stores.
 */
public class KeystoreSecretStore(context: Context, name: String = "liventix") :
    SecretStore by EncryptedFileStore(File(context.noBackupFilesDir, "$name.secrets"), { keystoreKey("$name.secrets") })

/** The key of this [alias], made at its first use. */
private fun keystoreKey(alias: String): SecretKey {
    val keystore = KeyStore.getInstance(PROVIDER).apply { load(null) }
    (keystore.getKey(alias, null) as SecretKey?)?.let { return it }
    val purposes = KeyProperties.PURPOSE_ENCRYPT or KeyProperties.PURPOSE_DECRYPT
    val wish = KeyGenParameterSpec.Builder(alias, purposes)
        .setBlockModes(KeyProperties.BLOCK_MODE_GCM)
        .setEncryptionPaddings(KeyProperties.ENCRYPTION_PADDING_NONE)
        .setKeySize(KEY_BITS)
        .build()
    val generator = KeyGenerator.getInstance(KeyProperties.KEY_ALGORITHM_AES, PROVIDER)
    generator.init(wish)
    return generator.generateKey()
}
