import Foundation
import Liventix

/// A ticket as it is held out to a door.
public struct OpenTicket: Equatable, Sendable {
    /// The ticket.
    public let ticket: WalletTicket
    /// The code that is shown now.
    public let code: ShownCode
    /// It, ready to be drawn.
    public let matrix: QrMatrix
    /// To be typed in where the picture cannot be read.
    public let manualCode: String
}

/// Which code is shown.
public enum ShownCode: Equatable, Sendable {
    /// Minted a moment ago, and renewed by itself.
    case live(LiveCode)
    /// The one that stays the same, because this phone cannot mint live ones. If doors do not take it
    /// (`accepted`), offer to activate live codes.
    case printed(PrintedCode)

    var text: String {
        switch self {
        case .live(let code): code.text
        case .printed(let code): code.text
        }
    }
}
