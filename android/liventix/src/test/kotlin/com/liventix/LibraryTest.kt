package com.liventix

import com.liventix.ffi.Scanner
import com.liventix.ffi.ScannerConfig
import com.liventix.ffi.ScannerException
import com.liventix.ffi.SecretStore
import org.junit.jupiter.api.io.TempDir
import java.nio.file.Path
import kotlin.test.Test
import kotlin.test.assertFailsWith

/** The Rust library and its generated sources. */
class LibraryTest {
    /** The keystore of a phone that was never enrolled. */
    private object EmptySecrets : SecretStore {
        override fun put(name: String, value: String) = Unit

        override fun get(name: String): String? = null

        override fun delete(name: String) = Unit
    }

    @Test
    fun `a ledger that cannot be a file is a typed exception`(@TempDir folder: Path) {
        Liventix.load()
        val config = ScannerConfig(folder.toString())
        assertFailsWith<ScannerException> { Scanner.open(config, EmptySecrets) }
    }
}
