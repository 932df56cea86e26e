import Foundation
import Liventix

/// Not an error that the library knows.
public struct Surprise: Error {
    public init() {}
}

/// A keystore that throws what nobody declared.
public final class ThrowingSecretStore: SecretStore {
    public init() {}
    public func put(name: String, value: String) throws { throw Surprise() }
    public func get(name: String) throws -> String? { throw Surprise() }
    public func delete(name: String) throws { throw Surprise() }
}

/// A clock that throws.
public final class ThrowingClock: HostClock {
    public init() {}
    public func sample() throws -> ClockSample { throw Surprise() }
}

/// A log that throws at each line, and counts them.
public final class ThrowingLog: LogSink {
    private let lock = NSLock()
    nonisolated(unsafe) private var count = 0

    public init() {}

    public func log(record: LogRecord) throws {
        lock.withLock { count += 1 }
        throw Surprise()
    }

    public var lines: Int { lock.withLock { count } }
}

/// A keystore that can be locked.
public final class LockableSecretStore: SecretStore {
    private let inner = MemorySecretStore()
    private let lock = NSLock()
    nonisolated(unsafe) private var locked = false

    public init() {}

    public var isLocked: Bool {
        get { lock.withLock { locked } }
        set { lock.withLock { locked = newValue } }
    }

    private func unlocked() throws -> MemorySecretStore {
        if isLocked { throw Surprise() }
        return inner
    }

    public func put(name: String, value: String) throws { try unlocked().put(name: name, value: value) }
    public func get(name: String) throws -> String? { try unlocked().get(name: name) }
    public func delete(name: String) throws { try unlocked().delete(name: name) }
}

/// An empty secret store that tells of its end.
public final class MortalSecretStore: SecretStore {
    private let end: AsyncStream<Never>.Continuation

    public init(_ end: AsyncStream<Never>.Continuation) {
        self.end = end
    }

    deinit {
        end.finish()
    }

    public func put(name: String, value: String) {}
    public func get(name: String) -> String? { nil }
    public func delete(name: String) {}
}
