package com.liventix.sample

import com.liventix.PushException
import com.liventix.ScannerException
import com.liventix.WalletException

/**
 * Something that went wrong, for people.
 *
 * @property code the stable name of the cause: to translate by.
 * @property words what happened and what to do next.
 * @property mayPass whether it may pass by itself, so that trying again later helps.
 */
public data class Problem(val code: String, val words: String, val mayPass: Boolean) {
    internal constructor(thrown: ScannerException) : this(thrown.code, thrown.detail, thrown.mayPass)

    internal constructor(thrown: WalletException) : this(thrown.code, thrown.detail, thrown.mayPass)

    internal constructor(thrown: PushException) : this(thrown.code, thrown.detail, thrown.mayPass)
}
