package com.liventix

import org.junit.jupiter.api.io.TempDir
import java.io.File
import java.nio.file.Path
import kotlin.io.path.writeText
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertTrue

class LibraryTest {
    @Test
    fun `the library and these sources are of one version`() {
        Liventix.load()
        assertEquals("0.1.0", Liventix.version)
    }

    @Test
    fun `a library of another version is an exception and not a crash`(@TempDir folder: Path) {
        folder.buildStaleLibrary()
        val said = runWithLibraryIn(folder)
        assertTrue("of another version" in said, said)
    }

    @Test
    fun `a library that is not there says so`(@TempDir folder: Path) {
        val said = runWithLibraryIn(folder)
        assertTrue("is missing" in said, said)
    }

    /** Has all functions that are asked for a checksum, and none answers with the right one. */
    private fun Path.buildStaleLibrary() {
        val checked = Class.forName("com.liventix.ffi.IntegrityCheckingUniffiLib").declaredMethods.map { it.name }
        val checksums = checked.filter { "_checksum_" in it }
        assertTrue(checksums.size > 20, "$checked")
        val source = resolve("stale.c")
        val contract = "int ffi_liventix_ffi_uniffi_contract_version(void) { return 30; }"
        source.writeText(checksums.joinToString("\n", "$contract\n", "\n") { "int $it(void) { return 70000; }" })
        val compiler = ProcessBuilder("cc", "-shared", "-o", "${resolve("libliventix_ffi.so")}", "$source")
        assertEquals(0, compiler.inheritIO().start().waitFor())
    }

    /** What a process says that opens a scanner. It ends well if it got a typed exception. */
    private fun runWithLibraryIn(folder: Path): String {
        val java = File(System.getProperty("java.home"), "bin/java").path
        val process = ProcessBuilder(
            java, "-Djna.library.path=$folder", "-cp", System.getProperty("java.class.path"),
            "com.liventix.OpenTwice", folder.resolve("ledger.sqlite").toString(),
        ).redirectErrorStream(true).start()
        val said = process.inputStream.bufferedReader().readText()
        assertEquals(0, process.waitFor(), said)
        return said
    }
}

/** Opens a scanner, which must fail, and fail again in the same way. */
internal object OpenTwice {
    @JvmStatic
    fun main(arguments: Array<String>) = repeat(2) {
        try {
            kotlinx.coroutines.runBlocking { TicketScanner.open(ScannerConfig(arguments[0]), MemorySecretStore()) }
            error("it was opened")
        } catch (expected: LibraryException) {
            println(expected.message)
        }
    }
}
