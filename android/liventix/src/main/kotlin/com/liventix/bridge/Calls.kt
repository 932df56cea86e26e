package com.liventix.bridge

import com.liventix.Liventix
import com.liventix.ScannerException
import com.liventix.ffi.InternalException

private typealias Rust = com.liventix.ffi.ScannerException

/** Calls the library, with its errors as this package's. */
internal inline fun <T> scannerCall(call: () -> T): T =
    try {
        Liventix.load()
        call()
    } catch (thrown: Rust) {
        throw thrown.translated()
    } catch (thrown: InternalException) {
        throw ScannerException.Internal("panicked", "the call failed in an unexpected way: please report this", thrown)
    }
