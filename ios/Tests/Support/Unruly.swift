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
