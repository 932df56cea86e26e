import Dispatch
import Foundation

#if canImport(Glibc)
    import Glibc
    private let stream = Int32(SOCK_STREAM.rawValue)
#else
    import Darwin
    private let stream = SOCK_STREAM
#endif

/// HTTP to a server on this machine: one request, one connection. Foundation's `URLSession` on Linux sometimes
/// never answers when many requests run at once.
enum LoopbackHttp {
    struct Answer: Sendable {
        let status: Int
        let body: Data
    }

    static func exchange(
        _ method: String, _ url: URL, headers: [String: String], body: Data?
    ) async throws -> Answer {
        guard let port = url.port, let host = url.host() else { throw URLError(.badURL) }
        let path = url.path().isEmpty ? "/" : url.path()
        var head = "\(method) \(path) HTTP/1.1\r\nhost: \(host):\(port)\r\nconnection: close\r\n"
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        head += "content-length: \(body?.count ?? 0)\r\n\r\n"
        let request = Data(head.utf8) + (body ?? Data())
        return try await withCheckedThrowingContinuation { continuation in
            // A thread of its own: those of tasks are few, and this one waits.
            Thread.detachNewThread {
                continuation.resume(with: Result { try parse(converse(UInt16(port), request)) })
            }
        }
    }

    /// Sends everything, and reads until the server hangs up.
    private static func converse(_ port: UInt16, _ request: Data) throws -> Data {
        let connection = socket(AF_INET, stream, 0)
        guard connection >= 0 else { throw POSIXError(.EMFILE) }
        defer { close(connection) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        let length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let connected = withUnsafePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(connection, $0, length) }
        }
        guard connected == 0 else { throw POSIXError(.ECONNREFUSED) }
        var sent = 0
        while sent < request.count {
            let count = request.withUnsafeBytes { send(connection, $0.baseAddress! + sent, $0.count - sent, 0) }
            guard count > 0 else { throw POSIXError(.EPIPE) }
            sent += count
        }
        var answer = Data()
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while case let count = recv(connection, &buffer, buffer.count, 0), count > 0 {
            answer.append(contentsOf: buffer[..<count])
        }
        return answer
    }

    private static func parse(_ answer: Data) throws -> Answer {
        guard let end = answer.range(of: Data("\r\n\r\n".utf8)),
            let line = String(decoding: answer[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n").first,
            let status = line.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
        else { throw URLError(.badServerResponse) }
        return Answer(status: status, body: answer[end.upperBound...])
    }
}
