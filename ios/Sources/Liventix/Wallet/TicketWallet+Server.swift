import LiventixGenerated

// With the organiser's server. Each of these ends when its task is cancelled, and may be repeated.
extension TicketWallet {
    /// Claims the ticket of a link for this phone and keeps it. A lost answer is given again to the same phone.
    ///
    /// - Parameters:
    ///   - link: What the organiser or the earlier holder sent.
    ///   - phoneName: What the organiser sees this phone as, 1 to 80 characters.
    /// - Throws: `WalletError.Link` for another text; `WalletError.Refused` with
    ///   `already_claimed`, `link_unknown`, `link_used`, `link_expired` or `ticket_not_valid`.
    @discardableResult
    public func claim(link: String, phoneName: String) async throws(WalletError) -> WalletTicket {
        try await cancellableCall(WalletError.self) { [wallet] cancellation in
            try await wallet.claim(link: link, phoneName: phoneName, cancellation: cancellation)
        }
    }

    /// Asks every server what this phone holds there, and what time it is. A server that does not answer is in
    /// the report and changes nothing.
    @discardableResult
    public func refresh() async throws(WalletError) -> RefreshReport {
        try await cancellableCall(WalletError.self) { [wallet] cancellation in
            try await wallet.refresh(cancellation: cancellation)
        }
    }

    /// Activates live codes: from now on ``liveCode(ticketId:)`` works without a network, and where the
    /// organiser says so, doors refuse the printed code. Activated before, it changes nothing.
    @discardableResult
    public func activateLive(ticketId: String) async throws(WalletError) -> WalletTicket {
        try await cancellableCall(WalletError.self) { [wallet] cancellation in
            try await wallet.activateLive(ticketId: ticketId, cancellation: cancellation)
        }
    }

    /// Makes a link that hands the ticket to another person, once. Until they claim it, the ticket stays here
    /// and enters. Called again meanwhile, it gives the same link.
    ///
    /// - Throws: `WalletError.Refused` with `transfer_refused`, `ticket_used` or
    ///   `ticket_not_valid`.
    public func transfer(ticketId: String) async throws(WalletError) -> TransferOffer {
        try await cancellableCall(WalletError.self) { [wallet] cancellation in
            try await wallet.transfer(ticketId: ticketId, cancellation: cancellation)
        }
    }

    /// Takes a transfer link back. No error if there is none.
    ///
    /// - Throws: `WalletError.Refused` (`not_held`) if the link was used before.
    @discardableResult
    public func cancelTransfer(ticketId: String) async throws(WalletError) -> WalletTicket {
        try await cancellableCall(WalletError.self) { [wallet] cancellation in
            try await wallet.cancelTransfer(ticketId: ticketId, cancellation: cancellation)
        }
    }

    /// Gives the ticket back: another phone can claim it by its link, and this one forgets it. If that fails,
    /// the ticket is still here.
    public func release(ticketId: String) async throws(WalletError) {
        try await cancellableCall(WalletError.self) { [wallet] cancellation in
            try await wallet.release(ticketId: ticketId, cancellation: cancellation)
        }
    }
}
