package com.liventix.bridge

import com.liventix.LinkState
import com.liventix.OpenReport
import com.liventix.PushException
import com.liventix.ScannerException
import com.liventix.SyncProgress
import com.liventix.WalletException
import com.liventix.ffi.LinkState as RustLinkState
import com.liventix.ffi.OpenReport as RustOpenReport
import com.liventix.ffi.PushException as RustPushException
import com.liventix.ffi.ScannerException as RustScannerException
import com.liventix.ffi.SyncProgress as RustSyncProgress
import com.liventix.ffi.WalletException as RustWalletException

// The sealed types are written by hand: an alias does not reach the classes inside of one. Whatever Rust adds
// is a `when` that does not compile.

internal fun RustScannerException.translated(): ScannerException = when (this) {
    is RustScannerException.Closed -> ScannerException.Closed(code, detail)
    is RustScannerException.Cancelled -> ScannerException.Cancelled(code, detail)
    is RustScannerException.NotEnrolled -> ScannerException.NotEnrolled(code, detail)
    is RustScannerException.Revoked -> ScannerException.Revoked(code, detail, unsent)
    is RustScannerException.EnrolmentCode -> ScannerException.EnrolmentCode(code, detail)
    is RustScannerException.UnsentScans -> ScannerException.UnsentScans(code, detail, count)
    is RustScannerException.UnknownPlace -> ScannerException.UnknownPlace(code, detail)
    is RustScannerException.NotAllowed -> ScannerException.NotAllowed(code, detail)
    is RustScannerException.UndoRefused -> ScannerException.UndoRefused(code, detail)
    is RustScannerException.InvalidInput -> ScannerException.InvalidInput(code, detail)
    is RustScannerException.Network -> ScannerException.Network(code, detail)
    is RustScannerException.Server -> ScannerException.Server(code, detail, status?.toInt(), retryAfter)
    is RustScannerException.Storage -> ScannerException.Storage(code, detail)
    is RustScannerException.Secrets -> ScannerException.Secrets(code, detail)
    is RustScannerException.Internal -> ScannerException.Internal(code, detail)
}

internal fun RustWalletException.translated(): WalletException = when (this) {
    is RustWalletException.Closed -> WalletException.Closed(code, detail)
    is RustWalletException.Cancelled -> WalletException.Cancelled(code, detail)
    is RustWalletException.Link -> WalletException.Link(code, detail)
    is RustWalletException.NotFound -> WalletException.NotFound(code, detail)
    is RustWalletException.NotLive -> WalletException.NotLive(code, detail)
    is RustWalletException.Refused -> WalletException.Refused(code, detail)
    is RustWalletException.Network -> WalletException.Network(code, detail)
    is RustWalletException.Server -> WalletException.Server(code, detail, status?.toInt(), retryAfter)
    is RustWalletException.Secrets -> WalletException.Secrets(code, detail)
    is RustWalletException.InvalidInput -> WalletException.InvalidInput(code, detail)
    is RustWalletException.Internal -> WalletException.Internal(code, detail)
}

internal fun RustPushException.translated(): PushException = when (this) {
    is RustPushException.Closed -> PushException.Closed(code, detail)
    is RustPushException.Cancelled -> PushException.Cancelled(code, detail)
    is RustPushException.Token -> PushException.Token(code, detail)
    is RustPushException.NotRegistered -> PushException.NotRegistered(code, detail)
    is RustPushException.InvalidInput -> PushException.InvalidInput(code, detail)
    is RustPushException.Refused -> PushException.Refused(code, detail)
    is RustPushException.Network -> PushException.Network(code, detail)
    is RustPushException.Server -> PushException.Server(code, detail, status?.toInt(), retryAfter)
    is RustPushException.Secrets -> PushException.Secrets(code, detail)
    is RustPushException.Internal -> PushException.Internal(code, detail)
}

internal fun RustOpenReport.translated(): OpenReport = when (this) {
    RustOpenReport.Created -> OpenReport.Created
    RustOpenReport.Opened -> OpenReport.Opened
    is RustOpenReport.Rescued -> OpenReport.Rescued(setAside, scans, missing, listSaved)
}

internal fun RustSyncProgress.translated(): SyncProgress = when (this) {
    RustSyncProgress.Clock -> SyncProgress.Clock
    is RustSyncProgress.Pushing -> SyncProgress.Pushing(sent, remaining)
    is RustSyncProgress.Keys -> SyncProgress.Keys(eventId)
    is RustSyncProgress.Pulling -> SyncProgress.Pulling(eventId, done, total)
}

internal fun RustLinkState.translated(): LinkState = when (this) {
    RustLinkState.Online -> LinkState.Online
    is RustLinkState.Offline -> LinkState.Offline(code, detail, retryIn)
    is RustLinkState.Stopped -> LinkState.Stopped(code, detail)
}
