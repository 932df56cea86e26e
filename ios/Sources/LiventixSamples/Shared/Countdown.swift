/// Does something later, unless it is called off or asked for anew before.
@MainActor
final class Countdown {
    private let clock: any Clock<Duration>
    private var task: Task<Void, Never>?

    init(clock: any Clock<Duration>) {
        self.clock = clock
    }

    deinit {
        task?.cancel()
    }

    func start(_ duration: Duration, then act: @escaping @MainActor () -> Void) {
        task?.cancel()
        task = Task { [clock] in
            // Called off: the sleep throws.
            guard (try? await clock.sleep(for: duration)) != nil, !Task.isCancelled else { return }
            act()
        }
    }

    func stop() {
        task?.cancel()
        task = nil
    }

    /// Returns once what was started has happened or was called off.
    func finished() async {
        await task?.value
    }
}
