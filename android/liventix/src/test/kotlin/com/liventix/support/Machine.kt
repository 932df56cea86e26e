package com.liventix.support

import java.lang.ref.ReferenceQueue
import java.lang.ref.WeakReference
import java.nio.file.Files
import java.nio.file.Path
import kotlin.streams.asSequence
import kotlin.test.assertTrue

/** What this process has open below [folder]. */
internal fun openFiles(folder: Path): List<String> =
    Files.list(Path.of("/proc/self/fd")).use { descriptors ->
        descriptors.asSequence().mapNotNull { runCatching { Files.readSymbolicLink(it).toString() }.getOrNull() }
            .filter { it.startsWith(folder.toRealPath().toString()) }.toList()
    }

/** How many objects of ours the library holds a handle to, e.g. of `SecretStore`. */
internal fun heldByRust(callback: String): Int {
    val converter = Class.forName("com.liventix.ffi.FfiConverterType$callback")
    val map = converter.methods.single { it.name.startsWith("getHandleMap") }
    val handles = map.invoke(converter.getField("INSTANCE").get(null))
    return handles.javaClass.getMethod("getSize").invoke(handles) as Int
}

/** Collects garbage until [holds]. */
internal fun collectUntil(what: String, holds: () -> Boolean) {
    val deadline = System.nanoTime() + PATIENCE_MS * 1_000_000L
    while (!holds()) {
        assertTrue(System.nanoTime() < deadline, "collected garbage for a minute, but not yet: $what")
        // An object of our own that is gone says that a collection is done.
        val queue = ReferenceQueue<Any>()
        val witness = WeakReference(Any(), queue)
        System.gc()
        queue.remove(1_000)
        witness.clear()
    }
}
