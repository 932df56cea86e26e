package com.liventix

import com.liventix.ffi.uniffiEnsureInitialized

/** The Rust library behind this one. */
public object Liventix {
    /**
     * Loads the library and checks that it is the one these sources were generated from. Without the check, a
     * library of another version takes the process down at some later call.
     *
     * @throws RuntimeException if it is another version.
     * @throws UnsatisfiedLinkError if it is not there.
     */
    public fun load() {
        uniffiEnsureInitialized()
    }
}
