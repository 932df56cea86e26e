import Foundation

/// A value that only one thread sees at a time.
///
/// `Synchronization.Mutex` would be it, but needs iOS 18.
final class Locked<Value>: @unchecked Sendable {
    private let lock = NSLock()
    private var value: Value

    init(_ value: Value) {
        self.value = value
    }

    /// Works on the value alone. Never call foreign code in `body`: it could come back and wait for itself.
    func withValue<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
        lock.lock()
        defer { lock.unlock() }
        return try body(&value)
    }
}
