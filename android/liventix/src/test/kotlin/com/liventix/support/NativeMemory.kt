package com.liventix.support

import com.sun.jna.Library
import com.sun.jna.Native
import com.sun.jna.Structure

/** Bytes that native code of this process has allocated and not given back: of Rust, SQLite, JNA and the JVM itself. */
internal fun allocatedBytes(): Long = libc.mallinfo2().inUse

private val libc: Libc by lazy { Native.load("c", Libc::class.java) }

internal interface Libc : Library {
    fun mallinfo2(): MallocInfo
}

/** `struct mallinfo2` of glibc. */
@Suppress("unused")
@Structure.FieldOrder(
    "arena", "freeChunks", "fastChunks", "mappings", "mapped", "most", "freeFast", "inUse", "free", "releasable",
)
internal class MallocInfo : Structure(), Structure.ByValue {
    @JvmField var arena = 0L
    @JvmField var freeChunks = 0L
    @JvmField var fastChunks = 0L
    @JvmField var mappings = 0L
    @JvmField var mapped = 0L
    @JvmField var most = 0L
    @JvmField var freeFast = 0L
    @JvmField var inUse = 0L
    @JvmField var free = 0L
    @JvmField var releasable = 0L
}
