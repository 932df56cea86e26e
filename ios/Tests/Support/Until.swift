import Observation

/// Returns once `condition` holds for what a model shows. Waits for its changes, not for time to pass.
@MainActor
public func until(_ condition: @MainActor () -> Bool) async {
    while true {
        let (changes, continuation) = AsyncStream.makeStream(of: Void.self)
        // Tells before the value changes; this goes on only after, because both are on the main actor.
        let holds = withObservationTracking(condition) { continuation.finish() }
        if holds { return }
        for await _ in changes {}
    }
}
