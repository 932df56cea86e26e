import LiventixGenerated

/// The Rust library underneath.
public enum LiventixLibrary {
    /// Its version, e.g. `0.1.0`.
    public static var version: String { LiventixGenerated.version() }

    /// Hands the library's log to `sink`, down to `level`, in place of the sink before. One for the whole
    /// process; nil: nobody. The log never holds a secret, a code or a name.
    public static func setLog(_ sink: (any LogSink)?, level: LogLevel = .info) {
        setLogSink(sink: sink, level: level)
    }
}
