import Liventix
import Observation

/// What the system knows of this app's notifications.
@MainActor
public protocol SystemNotifications: AnyObject {
    /// What it says now.
    func permission() async -> PushPermission

    /// Shows its prompt, or the way to its settings; returns when the person is through with it.
    func ask(_ how: PermissionAsk) async
}

/// The *Enable notifications* of a view: whether they are on, what a tap does, and whether the app may ask by itself.
@MainActor
@Observable
public final class NotificationsViewModel {
    /// What to show; `nil` before the first ``look()``.
    public private(set) var advice: PermissionAdvice?
    /// What went wrong last, until something goes well.
    public private(set) var problem: Problem?

    @ObservationIgnored private let registrar: PushRegistrar
    @ObservationIgnored private let system: any SystemNotifications
    @ObservationIgnored private var isAsking = false

    /// - Parameters:
    ///   - registrar: An open registrar. The model does not close it.
    ///   - system: Asks the system.
    public init(registrar: PushRegistrar, system: any SystemNotifications) {
        self.registrar = registrar
        self.system = system
    }

    /// Looks at the permission again, and tells servers what follows from it: when the app starts or comes to the
    /// screen.
    public func look() async {
        await attempt { () async throws(PushError) in
            _ = try await refresh()
            try await registrar.run()
        }
    }

    /// Somebody tapped *Enable notifications*.
    public func tap() async {
        await ask { $0.onTap }
    }

    /// Asks unasked, if that may be now: after a ticket was claimed, for example.
    public func prompt() async {
        await ask { advice throws(PushError) in
            // Before it is shown: an app that ends meanwhile has asked all the same.
            if advice.prompt != nil { try registrar.prompted() }
            return advice.prompt
        }
    }

    /// Somebody said no to the app's own words.
    public func refuse(_ reason: RefusalReason) async {
        await attempt { () async throws(PushError) in
            try registrar.refused(reason)
            _ = try await refresh()
        }
    }

    private func ask(_ choose: (PermissionAdvice) throws(PushError) -> PermissionAsk?) async {
        // Whoever taps twice is asked once.
        guard !isAsking else { return }
        isAsking = true
        var wasAsked = false
        await attempt { () async throws(PushError) in
            guard let how = try choose(try await refresh()) else { return }
            await system.ask(how)
            wasAsked = true
        }
        isAsking = false
        if wasAsked { await look() }
    }

    /// What is true now: people change it in the settings, and a month may be over.
    private func refresh() async throws(PushError) -> PermissionAdvice {
        let now = try registrar.setPermission(await system.permission())
        advice = now
        return now
    }

    private func attempt(_ action: () async throws(PushError) -> Void) async {
        do throws(PushError) {
            try await action()
            problem = nil
        } catch {
            // Who gives up knows it.
            if case .Cancelled = error { return }
            problem = Problem(error)
        }
    }
}
