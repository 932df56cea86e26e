/// Nothing was thrown where a test wants an error.
public struct NothingThrown: Error {}

/// The error that `body` throws, to look at: Swift Testing's own macros return it only since Swift 6.1.
/// Another error than the one wanted, and none, fail the test.
public func thrown<Failure: Error, Value: Sendable>(
    _: Failure.Type, isolation: isolated (any Actor)? = #isolation, by body: () async throws -> Value
) async throws -> Failure {
    do {
        _ = try await body()
    } catch let error as Failure {
        return error
    }
    throw NothingThrown()
}
