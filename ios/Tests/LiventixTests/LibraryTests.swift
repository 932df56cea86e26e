import Foundation
import Testing

import Liventix

/// The keystore of a phone that was never enrolled.
private final class EmptySecrets: SecretStore {
    func put(name: String, value: String) throws {}
    func get(name: String) throws -> String? { nil }
    func delete(name: String) throws {}
}

@Suite("The Rust library and its generated sources")
struct LibraryTests {
    @Test("A ledger that cannot be a file is a typed error")
    func errorIsTyped() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }

        #expect(throws: ScannerError.self) {
            _ = try Liventix.Scanner.open(config: ScannerConfig(ledgerPath: folder.path), secrets: EmptySecrets())
        }
    }
}
