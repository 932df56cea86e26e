/// A push token of APNs that no other phone has.
public func newApnsToken() -> String {
    (0..<32).map { _ in
        let digits = String(UInt8.random(in: 0...255), radix: 16)
        return digits.count == 1 ? "0" + digits : digits
    }.joined()
}

/// A registration token of FCM that no other phone has.
public func newFcmToken() -> String {
    "fT3-x_9AbCd:APA91b" + newApnsToken() + newApnsToken()
}
