import Foundation
import LiventixGenerated

/// An attendee's pocket: the tickets of this phone, of any number of organisers.
///
/// Open one, keep it as long as the app runs, and use it from every task and thread. Everything it keeps is in
/// the secret store. Showing a ticket never needs a network; claiming, activating and handing on do.
///
/// ```swift
/// let wallet = try await TicketWallet.open(secrets: KeychainSecretStore())
/// let ticket = try await wallet.claim(link: link, phoneName: "Ada's phone")
/// try await wallet.activateLive(ticketId: ticket.ticketId)
/// let code = try wallet.liveCode(ticketId: ticket.ticketId)
/// let matrix = try QrCode.matrix(code.text)
/// ```
///
/// After ``close()``, every call throws `WalletError.Closed`. A wallet that nobody refers to any
/// more closes itself.
public final class TicketWallet: Sendable {
    let wallet: LiventixGenerated.Wallet

    private init(_ wallet: LiventixGenerated.Wallet) {
        self.wallet = wallet
    }

    deinit {
        close()
    }

    /// Opens the wallet that the secret store holds; an empty one if it holds none.
    ///
    /// - Parameters:
    ///   - secrets: Where tickets and keys are kept: ``KeychainSecretStore`` in an app. May be shared with a
    ///     ``TicketScanner``.
    ///   - clock: Replaces the system's clocks, for tests.
    ///   - allowHttp: Takes links to servers without TLS at any address. Only for networks you own; loopback,
    ///     private and `.local` addresses are taken anyway.
    /// - Throws: `WalletError.Secrets` if the keystore cannot be read.
    public static func open(
        secrets: any SecretStore,
        clock: (any HostClock)? = nil,
        allowHttp: Bool = false
    ) async throws(WalletError) -> TicketWallet {
        try await blockingCall(WalletError.self) {
            let config = WalletConfig(allowHttp: allowHttp)
            return try TicketWallet(LiventixGenerated.Wallet.open(config: config, secrets: secrets, clock: clock))
        }
    }

    /// Ends every call under way with `WalletError.Closed`. May be called again.
    public func close() {
        wallet.shutdown()
    }

    /// Every ticket here that can be read, the next event first.
    public func tickets() throws(WalletError) -> [WalletTicket] {
        try call(WalletError.self) { try wallet.tickets() }
    }

    /// One ticket.
    ///
    /// - Throws: `WalletError.NotFound` if it is not here.
    public func ticket(ticketId: String) throws(WalletError) -> WalletTicket {
        try call(WalletError.self) { try wallet.ticket(ticketId: ticketId) }
    }

    /// A fresh live code, minted here by the server's time. Needs no network.
    ///
    /// Show it as a QR code (``QrCode``), and the next one after `refreshIn`.
    ///
    /// - Throws: `WalletError.NotLive` before ``activateLive(ticketId:)``;
    ///   `WalletError.Refused` (`ticket_not_valid`) for a cancelled or blocked ticket.
    public func liveCode(ticketId: String) throws(WalletError) -> LiveCode {
        try call(WalletError.self) { try wallet.liveCode(ticketId: ticketId) }
    }

    /// The code that stays the same: safe to print and to share, no live key in it. Its `accepted` says whether
    /// doors take it.
    public func printedCode(ticketId: String) throws(WalletError) -> PrintedCode {
        try call(WalletError.self) { try wallet.printedCode(ticketId: ticketId) }
    }

    /// Takes a ticket out of this wallet without telling its server: for tickets that are over or `gone`. No
    /// error if there is none.
    public func forget(ticketId: String) throws(WalletError) {
        try call(WalletError.self) { try wallet.forget(ticketId: ticketId) }
    }
}
