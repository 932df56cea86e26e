import LiventixGenerated

/// Keeps secrets in memory, until it goes away: for tests and previews. An app that uses it is enrolled anew
/// each time it starts.
public final class MemorySecretStore: SecretStore {
    private let values = Locked<[String: String]>([:])

    /// An empty store.
    public init() {}

    /// Keeps `value` under `name`.
    public func put(name: String, value: String) {
        values.withValue { $0[name] = value }
    }

    /// The value under `name`, if there is one.
    public func get(name: String) -> String? {
        values.withValue { $0[name] }
    }

    /// Forgets `name`.
    public func delete(name: String) {
        values.withValue { $0[name] = nil }
    }

    /// Every secret by its name, so that a test can search for it where it must not be.
    public var all: [String: String] {
        values.withValue { $0 }
    }
}
