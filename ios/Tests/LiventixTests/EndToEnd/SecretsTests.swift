import Foundation
import Liventix
import LiventixTestSupport
import Testing

@Suite("Secrets are in the secret store and nowhere else", .serialized, .timeLimit(.minutes(5)))
struct SecretsTests {
    @Test("No file of the ledger holds any of them, as text or as bytes")
    func ledgerHoldsNone() async throws {
        try await withServer { server in
            let (folder, secrets) = (try TemporaryFolder(), MemorySecretStore())
            let scanner = try await server.scanner(in: folder, named: "North 1", secrets: secrets)
            _ = try scanner.scan(server.tickets("Day ticket")[0].code, at: server.gateway())
            _ = try scanner.scan(server.tickets("Day ticket")[1].manualCode, at: server.gateway())
            try await scanner.sync()

            let needles = secrets.all.values.flatMap(Self.secrets(in:))
            // At least the token and the event's keys: verification, lookup and live.
            #expect(needles.count >= 4, "\(secrets.all.keys)")
            let files = try Self.files(in: folder)
            #expect(files.keys.contains("North 1.db") && files.keys.contains("North 1.db-wal"))
            for (name, content) in files {
                for needle in needles { #expect(content.range(of: needle) == nil, "\(name)") }
            }
            // The search finds what is there.
            let title = Data(server.tickets("Day ticket")[0].attendeeName.utf8)
            #expect(files.values.contains { $0.range(of: title) != nil })
        }
    }

    private static func files(in folder: TemporaryFolder) throws -> [String: Data] {
        let files = try FileManager.default.contentsOfDirectory(at: folder.url, includingPropertiesForKeys: nil)
        return try Dictionary(uniqueKeysWithValues: files.map { ($0.lastPathComponent, try Data(contentsOf: $0)) })
    }

    /// Every secret in a kept value, as it stands and decoded. Values are tokens, or JSON that holds keys.
    private static func secrets(in value: String) -> [Data] {
        guard let json = try? JSONSerialization.jsonObject(with: Data(value.utf8)) else { return forms(of: value) }
        return strings(in: json).flatMap(forms(of:))
    }

    private static func strings(in json: Any) -> [String] {
        switch json {
        case let text as String: [text]
        case let list as [Any]: list.flatMap(strings(in:))
        case let object as [String: Any]: object.values.flatMap(strings(in:))
        default: []
        }
    }

    /// Keys and tokens have 20 characters and more, and are no ids. A token's secret follows a `_`, which
    /// Base64 has, too: so each end of the text is decoded.
    private static func forms(of text: String) -> [Data] {
        guard text.count >= 20, UUID(uuidString: text) == nil else { return [] }
        let ends = [text] + text.indices.filter { text[$0] == "_" }.map { String(text[$0...].dropFirst()) }
        return [Data(text.utf8)] + ends.filter { $0.count >= 20 }.compactMap(decoded)
    }

    private static func decoded(_ text: String) -> Data? {
        let base64 = text.replacingOccurrences(of: "-", with: "+").replacingOccurrences(of: "_", with: "/")
        return Data(base64Encoded: base64 + String(repeating: "=", count: (4 - base64.count % 4) % 4))
    }
}
