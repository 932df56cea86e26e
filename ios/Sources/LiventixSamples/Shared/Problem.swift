import Liventix

/// What went wrong, to be shown until the next thing goes right.
public struct Problem: Equatable, Sendable {
    /// The stable name of the cause, for translations.
    public let code: String
    /// What happened and what to do next.
    public let detail: String
    /// Whether trying again may help without anybody doing anything.
    public let mayPass: Bool

    init(_ error: some LiventixError) {
        (code, detail, mayPass) = (error.code, error.detail, error.mayPass)
    }
}
