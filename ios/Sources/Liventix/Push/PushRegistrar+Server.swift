import LiventixGenerated

// With the organisers' servers. Each of these ends when its task is cancelled, and may be repeated.
extension PushRegistrar {
    /// Does what is due: tells servers the token, or to forget it, with three attempts each, and hands in receipts.
    ///
    /// At every start, after a ticket was claimed, when the network is back, and in the background at the status's
    /// `dueAt`. A server that does not answer is in the status, with the time of the next try.
    @discardableResult
    public func run() async throws(PushError) -> PushStatus {
        try await cancellableCall(PushError.self) { [registrar] cancellation in
            try await registrar.run(cancellation: cancellation)
        }
    }

    /// Which messages somebody wants from a server, and when.
    ///
    /// - Throws: `PushError.NotRegistered` if the server does not know this phone.
    public func preferences(serverUrl: String) async throws(PushError) -> PushPreferences {
        try await cancellableCall(PushError.self) { [registrar] cancellation in
            try await registrar.preferences(serverUrl: serverUrl, cancellation: cancellation)
        }
    }

    /// Says which messages somebody wants from a server, and when; gives what the server keeps.
    ///
    /// - Throws: `PushError.InvalidInput` (`push_quiet_hours`) for hours that cannot be; `PushError.NotRegistered` if
    ///   the server does not know this phone.
    @discardableResult
    public func setPreferences(
        serverUrl: String, preferences: PushPreferences
    ) async throws(PushError) -> PushPreferences {
        try await cancellableCall(PushError.self) { [registrar] cancellation in
            try await registrar.setPreferences(
                serverUrl: serverUrl, preferences: preferences, cancellation: cancellation)
        }
    }

    /// Has a server send this phone a message, for people who want to see that it works; gives the message's id.
    ///
    /// - Throws: `PushError.NotRegistered` if the server does not know this phone.
    @discardableResult
    public func sendTest(serverUrl: String) async throws(PushError) -> String {
        try await cancellableCall(PushError.self) { [registrar] cancellation in
            try await registrar.sendTest(serverUrl: serverUrl, cancellation: cancellation)
        }
    }
}
