import Foundation
import Liventix
import LiventixTestSupport
import Testing

@Suite("Drawing codes")
struct QrCodeTests {
    @Test("A matrix is square, with the three corners that readers look for")
    func matrix() throws {
        let matrix = try QrCode.matrix("LX1:HELLO")
        #expect(matrix.modules.count == Int(matrix.size * matrix.size))
        let last = Int(matrix.size) - 1
        for (column, row) in [(0, 0), (last, 0), (0, last), (6, 6), (3, 3)] {
            #expect(matrix.isDark(column: column, row: row))
        }
        #expect(!matrix.isDark(column: 1, row: 1))
        #expect(!matrix.isDark(column: -1, row: 0))
        #expect(!matrix.isDark(column: 0, row: last + 1))
    }

    @Test("A picture is a PNG file, larger with its scale")
    func png() throws {
        let small = try QrCode.png("LX1:HELLO", scale: 1)
        #expect(small.starts(with: [0x89, 0x50, 0x4E, 0x47]))
        #expect(try QrCode.png("LX1:HELLO").count > small.count)
    }

    @Test("What cannot be drawn is said in words")
    func errors() async throws {
        for text in ["", String(repeating: "A", count: 10_000)] {
            let error = try await thrown(ScannerError.self) { try QrCode.matrix(text) }
            #expect(error.code.hasPrefix("qr_"))
        }
        #expect(throws: ScannerError.self) { try QrCode.png("LX1:", scale: 0) }
    }
}
