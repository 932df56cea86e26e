import Foundation
import Liventix

/// Where this device stands.
public struct DoorPlace: Equatable, Sendable {
    /// The event.
    public let event: Event
    /// The gate.
    public let gate: Gate

    /// Whether this device may overrule refusals here.
    public var isSupervised: Bool { event.supervisor }
}

/// What somebody showed.
enum Shown: Equatable, Sendable {
    /// A code, read or typed.
    case text(String)
    /// A ticket picked from a search.
    case ticket(String)
}

/// A passage that may still be taken back.
public struct UndoOffer: Equatable, Sendable {
    /// The scan to take back.
    public let scanId: String
    /// Who passed, if the list says.
    public let attendeeName: String?
    /// How many people passed.
    public let people: UInt16
    /// Which way.
    public let direction: Direction
}
