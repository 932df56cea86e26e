#if canImport(Security)
    import Foundation
    import LiventixGenerated
    import Security

    /// Keeps secrets in the Keychain, as generic passwords of one service.
    ///
    /// They are readable after the first unlock, so that scans go up in the background, and stay on this
    /// device: neither iCloud nor a backup restored elsewhere brings them to another one. On macOS the app
    /// needs a Keychain entitlement, as for every item of the data protection keychain.
    public final class KeychainSecretStore: SecretStore {
        private let service: String
        private let accessGroup: String?

        /// - Parameters:
        ///   - service: Sets these secrets apart from others of the app.
        ///   - accessGroup: Shares them with an extension of the app; nil: with none.
        public init(service: String = "com.liventix", accessGroup: String? = nil) {
            self.service = service
            self.accessGroup = accessGroup
        }

        /// Keeps `value` under `name`, in place of what was there.
        public func put(name: String, value: String) throws {
            var status = update(name, value)
            if status == errSecItemNotFound { status = add(name, value) }
            // Another thread or the app's extension was quicker to add it.
            if status == errSecDuplicateItem { status = update(name, value) }
            guard status == errSecSuccess else { throw Self.failure(status) }
        }

        /// The value under `name`, if there is one.
        public func get(name: String) throws -> String? {
            var query = item(name)
            query[kSecReturnData] = true
            query[kSecMatchLimit] = kSecMatchLimitOne
            var found: CFTypeRef?
            let status = SecItemCopyMatching(query as CFDictionary, &found)
            if status == errSecItemNotFound { return nil }
            guard status == errSecSuccess else { throw Self.failure(status) }
            guard let data = found as? Data, let value = String(data: data, encoding: .utf8) else {
                throw SecretStoreError.Failed(detail: "the Keychain returned something else than text")
            }
            return value
        }

        /// Forgets `name`. No error if there is nothing.
        public func delete(name: String) throws {
            let status = SecItemDelete(item(name) as CFDictionary)
            guard status == errSecSuccess || status == errSecItemNotFound else { throw Self.failure(status) }
        }

        private func item(_ name: String) -> [CFString: Any] {
            var item: [CFString: Any] = [
                kSecClass: kSecClassGenericPassword,
                kSecAttrService: service,
                kSecAttrAccount: name,
                kSecUseDataProtectionKeychain: true,
            ]
            if let accessGroup { item[kSecAttrAccessGroup] = accessGroup }
            return item
        }

        private func content(_ value: String) -> [CFString: Any] {
            [
                kSecValueData: Data(value.utf8),
                kSecAttrAccessible: kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly,
            ]
        }

        private func update(_ name: String, _ value: String) -> OSStatus {
            SecItemUpdate(item(name) as CFDictionary, content(value) as CFDictionary)
        }

        private func add(_ name: String, _ value: String) -> OSStatus {
            SecItemAdd(item(name).merging(content(value)) { _, new in new } as CFDictionary, nil)
        }

        private static func failure(_ status: OSStatus) -> SecretStoreError {
            let words = SecCopyErrorMessageString(status, nil) as String?
            return .Failed(detail: "Keychain error \(status): \(words ?? "unknown")")
        }
    }
#endif
