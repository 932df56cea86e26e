import Foundation
import LiventixGenerated

extension PushError: LiventixError {
    public var code: String { details.code }

    public var detail: String { details.detail }

    public var mayPass: Bool {
        switch self {
        case .Network: true
        case .Server(_, _, let status, let retryAfter): retryAfter != nil || status.map { $0 >= 500 } ?? false
        default: false
        }
    }

    private var details: (code: String, detail: String) {
        switch self {
        case .Closed(let code, let detail), .Cancelled(let code, let detail), .Token(let code, let detail),
            .NotRegistered(let code, let detail), .InvalidInput(let code, let detail),
            .Refused(let code, let detail), .Network(let code, let detail), .Secrets(let code, let detail),
            .Internal(let code, let detail):
            (code, detail)
        case .Server(let code, let detail, _, _):
            (code, detail)
        }
    }
}

extension PushError: LibraryError {
    static func unexpected(_ detail: String) -> PushError {
        .Internal(code: "unexpected", detail: "the library failed in an unexpected way, please report this: \(detail)")
    }
}
