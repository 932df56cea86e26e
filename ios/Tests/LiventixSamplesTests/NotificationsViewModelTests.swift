import Liventix
import LiventixSamples
import LiventixTestSupport
import Testing

/// A system that answers as the test says.
@MainActor
private final class FakeSystem: SystemNotifications {
    var now = PushPermission.notAsked
    var answer = PushPermission.refused
    var asked: [PermissionAsk] = []

    func permission() async -> PushPermission { now }

    func ask(_ how: PermissionAsk) async {
        asked.append(how)
        // While somebody reads it, other things go on.
        await Task.yield()
        now = answer
    }
}

@MainActor
@Suite("The view model of Enable notifications", .serialized, .timeLimit(.minutes(5)))
struct NotificationsViewModelTests {
    private let secrets = LockableSecretStore()
    private let system = FakeSystem()
    private let clock = ManualClock(wallMs: 1_795_780_800_000)

    private func open() async throws -> (NotificationsViewModel, PushRegistrar) {
        let registrar = try await PushRegistrar.open(secrets: secrets, clock: clock)
        let model = NotificationsViewModel(registrar: registrar, system: system)
        #expect(model.advice == nil)
        await model.look()
        return (model, registrar)
    }

    @Test("It asks once a month, and whoever taps at any time")
    func asks() async throws {
        let (model, registrar) = try await open()
        #expect(model.advice == PermissionAdvice(isOn: false, onTap: .system, prompt: .system, promptAt: nil))
        await model.prompt()
        #expect(system.asked == [.system])
        #expect(model.advice?.onTap == .settings && model.advice?.prompt == nil)
        await model.refuse(.tooMany)
        #expect(try registrar.prompts().refusals.map(\.reason) == [.tooMany])

        await model.prompt()
        #expect(system.asked.count == 1, "nobody is asked again so soon")
        clock.advance(ms: 30 * 86_400_000)
        await model.look()
        #expect(model.advice?.prompt == .settings)
        await model.prompt()
        system.answer = .allowed
        // Somebody taps twice.
        async let once: Void = model.tap()
        async let twice: Void = model.tap()
        _ = await (once, twice)
        #expect(system.asked == [.system, .settings, .settings])
        #expect(model.advice == PermissionAdvice(isOn: true, onTap: nil, prompt: nil, promptAt: nil))
        await model.tap()
        #expect(system.asked.count == 3, "there is nothing to ask for")
    }

    @Test("What changes in the settings is seen when the app is back")
    func settings() async throws {
        system.now = .allowed
        let (model, _) = try await open()
        #expect(model.advice?.isOn == true)
        system.now = .refused
        await model.look()
        #expect(model.advice?.isOn == false && model.advice?.onTap == .settings)
    }

    @Test("A store that is locked for a while is a problem until it opens")
    func locked() async throws {
        let (model, _) = try await open()
        secrets.isLocked = true
        await model.prompt()
        #expect(model.problem?.code == "secrets")
        #expect(system.asked.isEmpty)
        secrets.isLocked = false
        await model.look()
        #expect(model.problem == nil)
    }
}
