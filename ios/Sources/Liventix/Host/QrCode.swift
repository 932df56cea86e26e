import Foundation
import LiventixGenerated

/// Draws codes.
public enum QrCode {
    /// `text` as modules, to be drawn by the app: sharp at every size, and in its colours.
    ///
    /// - Throws: `ScannerError.InvalidInput` for an empty or overlong text.
    public static func matrix(_ text: String) throws(ScannerError) -> QrMatrix {
        try call(ScannerError.self) { try qrMatrix(text: text) }
    }

    /// `text` as a PNG file of one bit per pixel, with the white border that scanners expect.
    ///
    /// - Parameters:
    ///   - text: The code.
    ///   - scale: Pixels per module, 1 to 256.
    /// - Throws: `ScannerError.InvalidInput` for an empty or overlong text or a scale out of range.
    public static func png(_ text: String, scale: UInt16 = 8) throws(ScannerError) -> Data {
        try call(ScannerError.self) { try qrPng(text: text, scale: scale) }
    }
}

extension QrMatrix {
    /// Whether the module in this column and row, from the top left, is dark. Outside of the code all is light.
    public func isDark(column: Int, row: Int) -> Bool {
        let side = Int(size)
        guard (0..<side).contains(column), (0..<side).contains(row) else { return false }
        return modules[modules.startIndex + row * side + column] == 1
    }
}
