import Dispatch
import LiventixGenerated

/// An error that the Rust library declares, and how anything else that a call throws becomes one.
protocol LibraryError: Error {
    static func unexpected(_ detail: String) -> Self
}

/// Makes a call whose errors are all of one type. The generated code says only `throws`.
func call<Value, Failure: LibraryError>(
    _: Failure.Type, _ body: () throws -> Value
) throws(Failure) -> Value {
    do {
        return try body()
    } catch let error as Failure {
        throw error
    } catch {
        throw .unexpected("\(error)")
    }
}

/// Makes a call that waits, and ends it in Rust when the task is cancelled: Rust does not hear of that by itself.
func cancellableCall<Value: Sendable, Failure: LibraryError>(
    _: Failure.Type, _ body: @Sendable (Cancellation) async throws -> Value
) async throws(Failure) -> Value {
    let cancellation = Cancellation()
    do {
        return try await withTaskCancellationHandler {
            try await body(cancellation)
        } onCancel: {
            cancellation.cancel()
        }
    } catch let error as Failure {
        throw error
    } catch {
        throw .unexpected("\(error)")
    }
}

/// Makes a call that keeps its thread busy, on a thread that may be kept busy: those of Swift's tasks are few.
func blockingCall<Value: Sendable, Failure: LibraryError>(
    _: Failure.Type, _ body: @escaping @Sendable () throws -> Value
) async throws(Failure) -> Value {
    let result: Result<Value, Failure> = await withCheckedContinuation { continuation in
        DispatchQueue.global(qos: .userInitiated).async {
            continuation.resume(returning: Result { () throws(Failure) in try call(Failure.self, body) })
        }
    }
    return try result.get()
}
