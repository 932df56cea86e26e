import Foundation
import LiventixGenerated

/// Gets push messages to this phone: keeps its token, tells every server that the ``TicketWallet`` has tickets of,
/// and says whether the app may ask for permission.
///
/// Open one, keep it as long as the app runs, and use it from every task and thread. Everything it keeps is in the
/// secret store, which is the wallet's.
///
/// ```swift
/// let push = try await PushRegistrar.open(secrets: KeychainSecretStore())
/// try push.setToken(service: .apns, token: deviceToken.map { String(format: "%02x", $0) }.joined())
/// try await push.run()
/// ```
///
/// After ``close()``, every call throws `PushError.Closed`. A registrar that nobody refers to any more closes itself.
public final class PushRegistrar: Sendable {
    let registrar: LiventixGenerated.PushRegistrar

    private init(_ registrar: LiventixGenerated.PushRegistrar) {
        self.registrar = registrar
    }

    deinit {
        close()
    }

    /// Goes on where the last process stopped.
    ///
    /// - Parameters:
    ///   - secrets: The store that the ``TicketWallet`` was opened with.
    ///   - locale: The language the app speaks, as a BCP 47 tag: `Locale.current.identifier(.bcp47)`. The event's if
    ///     it is `nil`.
    ///   - timeZone: Where the phone is, for quiet hours: `TimeZone.current.identifier`. The event's if it is `nil`.
    ///   - clock: Replaces the system's clocks, for tests.
    public static func open(
        secrets: any SecretStore,
        locale: String? = nil,
        timeZone: String? = nil,
        clock: (any HostClock)? = nil
    ) async throws(PushError) -> PushRegistrar {
        try await blockingCall(PushError.self) {
            let config = PushConfig(locale: locale, timeZone: timeZone)
            return try PushRegistrar(
                LiventixGenerated.PushRegistrar.open(config: config, secrets: secrets, clock: clock))
        }
    }

    /// Ends every call under way with `PushError.Closed`. May be called again.
    public func close() {
        registrar.shutdown()
    }

    /// The token the system gave, at every start of the app and whenever it gives another. Told the same one again,
    /// nothing changes. ``run()`` tells the servers.
    ///
    /// - Throws: `PushError.Token` says what to hand over instead; then what was there before still is.
    @discardableResult
    public func setToken(service: PushService, token: String) throws(PushError) -> PushStatus {
        try call(PushError.self) { try registrar.setToken(service: service, token: token) }
    }

    /// Somebody signed out: the token is forgotten here, and by every server as soon as ``run()`` reaches it.
    @discardableResult
    public func signOut() throws(PushError) -> PushStatus {
        try call(PushError.self) { try registrar.signOut() }
    }

    /// Where it stands.
    public func status() throws(PushError) -> PushStatus {
        try call(PushError.self) { try registrar.status() }
    }

    /// The network is back: what waits for it is due now. Then ``run()``.
    @discardableResult
    public func networkIsBack() throws(PushError) -> PushStatus {
        try call(PushError.self) { try registrar.networkIsBack() }
    }

    /// A message arrived: `payload` is the text that its `userInfo` has under the key `liventix`. Its receipt is
    /// handed in by the next ``run()``.
    ///
    /// - Throws: `PushError.InvalidInput` (`push_not_a_message`) for another text.
    @discardableResult
    public func delivered(payload: String) throws(PushError) -> PushMessage {
        try call(PushError.self) { try registrar.delivered(payload: payload) }
    }

    /// Somebody opened a message; otherwise as ``delivered(payload:)``.
    ///
    /// - Throws: `PushError.InvalidInput` (`push_not_a_message`) for another text.
    @discardableResult
    public func opened(payload: String) throws(PushError) -> PushMessage {
        try call(PushError.self) { try registrar.opened(payload: payload) }
    }
}
