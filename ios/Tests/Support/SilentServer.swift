import Dispatch
import Foundation

#if canImport(Glibc)
    import Glibc
    private let stream = Int32(SOCK_STREAM.rawValue)
    private let peek = Int32(MSG_PEEK)
#else
    import Darwin
    private let stream = SOCK_STREAM
    private let peek = Int32(MSG_PEEK)
#endif

/// A server that takes connections and never answers.
public final class SilentServer: Sendable {
    private let listener: Int32
    public let port: UInt16

    /// One that listens on the port `at`, or on a free one.
    public init(at wanted: UInt16 = 0) throws {
        listener = socket(AF_INET, stream, 0)
        // Connections of whoever listened there before may still be dying.
        var yes: Int32 = 1
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        address.sin_port = wanted.bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let port: UInt16? = withUnsafeMutablePointer(to: &address) { [listener] address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                guard bind(listener, $0, length) == 0, listen(listener, 16) == 0,
                    getsockname(listener, $0, &length) == 0
                else { return false }
                return true
            } ? UInt16(bigEndian: address.pointee.sin_port) : nil
        }
        guard listener >= 0, let port else { throw POSIXError(.EADDRNOTAVAIL) }
        self.port = port
    }

    deinit {
        close(listener)
    }

    /// An enrolment code that leads here.
    public var enrolmentCode: String { "LIVENTIX-ENROL:http://127.0.0.1:\(port)#ABCD" }

    /// Returns once somebody has asked something and waits for the answer.
    public func asked() async -> Visitor {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async { [self] in
                let connection = accept(listener, nil, nil)
                var first: UInt8 = 0
                _ = recv(connection, &first, 1, peek)
                continuation.resume(returning: Visitor(connection: connection))
            }
        }
    }

    /// Somebody who waits for an answer.
    public final class Visitor: Sendable {
        private let connection: Int32

        init(connection: Int32) {
            self.connection = connection
        }

        deinit {
            close(connection)
        }

        /// Returns once the visitor has hung up.
        public func left() async {
            await withCheckedContinuation { continuation in
                DispatchQueue.global().async { [connection] in
                    var buffer = [UInt8](repeating: 0, count: 4_096)
                    while read(connection, &buffer, buffer.count) > 0 {}
                    continuation.resume()
                }
            }
        }
    }
}
