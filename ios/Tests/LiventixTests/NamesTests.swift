import Foundation
import Liventix
import Testing

@Suite("Names")
struct NamesTests {
    @Test("Foundation's Scanner keeps its name beside this library")
    func scannerIsFoundations() {
        #expect(Scanner(string: "42").scanInt() == 42)
    }

    @Test("The library says its version")
    func version() {
        #expect(LiventixLibrary.version.split(separator: ".").count == 3)
    }
}
