import LiventixGenerated

// Whether the app may ask for notifications. None of these touches the network.
extension PushRegistrar {
    /// What the system says of notifications, at every start and whenever the app comes to the front: people change
    /// it in the settings. Without permission no server keeps the token; it comes back with the permission.
    /// ``run()`` tells the servers.
    @discardableResult
    public func setPermission(_ permission: PushPermission) throws(PushError) -> PermissionAdvice {
        try call(PushError.self) { try registrar.setPermission(permission: permission) }
    }

    /// What to show, and whether the app may ask now.
    public func advise(_ permission: PushPermission) throws(PushError) -> PermissionAdvice {
        try call(PushError.self) { try registrar.advise(permission: permission) }
    }

    /// The app asked by itself: the next time is a month later at the earliest.
    public func prompted() throws(PushError) {
        try call(PushError.self) { try registrar.prompted() }
    }

    /// Somebody said no, and why.
    public func refused(_ reason: RefusalReason) throws(PushError) {
        try call(PushError.self) { try registrar.refused(reason: reason) }
    }

    /// What happened when the app asked.
    public func prompts() throws(PushError) -> PromptHistory {
        try call(PushError.self) { try registrar.prompts() }
    }
}
