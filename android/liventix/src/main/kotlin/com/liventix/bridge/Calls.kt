package com.liventix.bridge

import com.liventix.Liventix
import com.liventix.PushException
import com.liventix.ScannerException
import com.liventix.WalletException
import com.liventix.ffi.InternalException

private const val PANICKED = "the call failed in an unexpected way: please report this"

/** Calls the scanner of the library, with its errors as this package's. */
internal inline fun <T> scannerCall(call: () -> T): T =
    try {
        Liventix.load()
        call()
    } catch (thrown: com.liventix.ffi.ScannerException) {
        throw thrown.translated()
    } catch (thrown: InternalException) {
        throw ScannerException.Internal("panicked", PANICKED, thrown)
    }

/** Calls the wallet of the library, with its errors as this package's. */
internal inline fun <T> walletCall(call: () -> T): T =
    try {
        Liventix.load()
        call()
    } catch (thrown: com.liventix.ffi.WalletException) {
        throw thrown.translated()
    } catch (thrown: InternalException) {
        throw WalletException.Internal("panicked", PANICKED, thrown)
    }

/** Calls the registrar of the library, with its errors as this package's. */
internal inline fun <T> pushCall(call: () -> T): T =
    try {
        Liventix.load()
        call()
    } catch (thrown: com.liventix.ffi.PushException) {
        throw thrown.translated()
    } catch (thrown: InternalException) {
        throw PushException.Internal("panicked", PANICKED, thrown)
    }
