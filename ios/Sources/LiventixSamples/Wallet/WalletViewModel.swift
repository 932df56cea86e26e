import Foundation
import Liventix
import Observation

/// A wallet, for a view to show: claim tickets, hold one out to a door, hand one on.
///
/// Opening a ticket needs no network. Everything that does waits in its own call, one at a time.
@MainActor
@Observable
public final class WalletViewModel {
    /// Every ticket here, the next event first.
    public private(set) var tickets: [WalletTicket] = []
    /// The ticket that is held out; its code is renewed by itself.
    public private(set) var openTicket: OpenTicket?
    /// The link that hands a ticket on, to be shared.
    public private(set) var offer: TransferOffer?
    /// Servers that the last refresh could not ask.
    public private(set) var unreachable: [RefreshFailure] = []
    /// What went wrong last, until something goes well.
    public private(set) var problem: Problem?
    /// Whether a call to a server is under way.
    public private(set) var isWaiting = false

    @ObservationIgnored private let wallet: TicketWallet
    @ObservationIgnored private let phoneName: String
    @ObservationIgnored private let renewal: Countdown

    /// - Parameters:
    ///   - wallet: An open wallet. The model does not close it.
    ///   - phoneName: What organisers see this phone as.
    ///   - clock: Counts the time until a code is renewed.
    public init(wallet: TicketWallet, phoneName: String, clock: any Clock<Duration> = ContinuousClock()) {
        self.wallet = wallet
        self.phoneName = phoneName
        renewal = Countdown(clock: clock)
        reload()
    }

    /// Claims the ticket of a link for this phone, and opens it.
    public func claim(link: String) async {
        await wait { () async throws(WalletError) in
            let ticket = try await wallet.claim(link: link, phoneName: phoneName)
            try show(ticket.ticketId)
        }
    }

    /// Asks the servers for news of every ticket.
    public func refresh() async {
        await wait { () async throws(WalletError) in
            unreachable = try await wallet.refresh().failed
        }
    }

    /// Opens a ticket, to hold it out to a door.
    public func open(ticketId: String) {
        attempt { () throws(WalletError) in try show(ticketId) }
    }

    /// Puts the open ticket away.
    public func putAway() {
        renewal.stop()
        openTicket = nil
    }

    /// Lets this phone mint live codes of the ticket, and shows one.
    public func activateLive(ticketId: String) async {
        await wait { () async throws(WalletError) in
            try await wallet.activateLive(ticketId: ticketId)
            try show(ticketId)
        }
    }

    /// Makes the link that hands a ticket on: see ``offer``.
    public func transfer(ticketId: String) async {
        await wait { () async throws(WalletError) in
            offer = try await wallet.transfer(ticketId: ticketId)
        }
    }

    /// Takes that link back.
    public func cancelTransfer(ticketId: String) async {
        await wait { () async throws(WalletError) in
            try await wallet.cancelTransfer(ticketId: ticketId)
            offer = nil
        }
    }

    /// Gives a ticket back, so that another phone can claim it by its link.
    public func release(ticketId: String) async {
        await wait { () async throws(WalletError) in
            try await wallet.release(ticketId: ticketId)
        }
    }

    /// Takes a ticket out of this wallet without telling anybody: one that is over or gone.
    public func forget(ticketId: String) {
        attempt { () throws(WalletError) in try wallet.forget(ticketId: ticketId) }
        reload()
    }
}

extension WalletViewModel {
    /// Looks up what the wallet holds now.
    private func reload() {
        do throws(WalletError) {
            tickets = try wallet.tickets()
        } catch {
            fail(error)
        }
        guard let ticketId = openTicket?.ticket.ticketId else { return }
        if tickets.contains(where: { $0.ticketId == ticketId }) { renew() } else { putAway() }
    }

    /// Shows a ticket with its best code, and renews a live one in time.
    private func show(_ ticketId: String) throws(WalletError) {
        let ticket = try wallet.ticket(ticketId: ticketId)
        let printed = try wallet.printedCode(ticketId: ticketId)
        let code = try bestCode(of: ticket, or: printed)
        guard let matrix = try? QrCode.matrix(code.text) else { return }
        openTicket = OpenTicket(ticket: ticket, code: code, matrix: matrix, manualCode: printed.manualCode)
        guard case .live(let live) = code else { return renewal.stop() }
        renewal.start(.seconds(live.refreshIn)) { [weak self] in self?.renew() }
    }

    private func bestCode(of ticket: WalletTicket, or printed: PrintedCode) throws(WalletError) -> ShownCode {
        guard ticket.canMint else { return .printed(printed) }
        do throws(WalletError) {
            return .live(try wallet.liveCode(ticketId: ticket.ticketId))
        } catch .NotLive, .Refused {
            // A cancelled ticket, for example: the door says so, and why.
            return .printed(printed)
        }
    }

    private func renew() {
        guard let ticketId = openTicket?.ticket.ticketId else { return }
        do throws(WalletError) {
            try show(ticketId)
        } catch {
            fail(error)
            // A code that cannot be renewed must not be held out for ever.
            putAway()
        }
    }

    private func attempt(_ action: () throws(WalletError) -> Void) {
        do throws(WalletError) {
            try action()
            problem = nil
        } catch {
            fail(error)
        }
    }

    private func wait(for action: () async throws(WalletError) -> Void) async {
        guard !isWaiting else { return }
        isWaiting = true
        defer { isWaiting = false }
        do throws(WalletError) {
            try await action()
            problem = nil
        } catch {
            fail(error)
        }
        reload()
    }

    private func fail(_ error: WalletError) {
        // Who gives up knows it.
        if case .Cancelled = error { return }
        problem = Problem(error)
    }
}
