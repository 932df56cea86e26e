import Foundation

/// What every error of this library tells.
///
/// Branch on the case, which is a thing an app can do; log ``code``; show ``detail``, which is also the
/// `localizedDescription`, or words of your own for the code.
public protocol LiventixError: LocalizedError, Sendable {
    /// The stable name of the exact cause, e.g. `offline`: for logs and translations.
    var code: String { get }

    /// What happened and what to do next, in English.
    var detail: String { get }

    /// Whether the same call may work later without anybody doing anything: the network, or a busy server.
    var mayPass: Bool { get }
}

extension LiventixError {
    public var errorDescription: String? { detail }
}
