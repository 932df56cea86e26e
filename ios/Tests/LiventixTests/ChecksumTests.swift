#if os(Linux)
    import Foundation
    import Liventix
    import LiventixTestSupport
    import Testing

    /// An app that was built against another library is told so at its first call, before anything is misread.
    @Suite("The library's checksums are looked at")
    struct ChecksumTests {
        @Test("The right library works")
        func right() throws {
            let run = try Self.runProgram()
            #expect(run.status == 0)
            #expect(run.output.contains(LiventixLibrary.version))
        }

        @Test("One whose scan takes other arguments is refused")
        func wrong() throws {
            let folder = try TemporaryFolder()
            let checksum = "uniffi_liventix_ffi_checksum_method_scanner_scan"
            let other = try Self.build("unsigned short \(checksum)(void) { return 1; }", in: folder)
            let run = try Self.runProgram(preloading: other)
            #expect(run.status != 0)
            #expect(run.errors.contains("UniFFI API checksum mismatch"))
        }

        /// A shared library that says something else than ours.
        private static func build(_ code: String, in folder: TemporaryFolder) throws -> URL {
            let (source, library) = (folder.file("other.c"), folder.file("other.so"))
            try Data(code.utf8).write(to: source)
            let compiled = try run("/usr/bin/env", ["cc", "-shared", "-fPIC", "-o", library.path, source.path])
            try #require(compiled.status == 0, "\(compiled.errors)")
            return library
        }

        /// Runs a program of this package that makes one call.
        private static func runProgram(preloading library: URL? = nil) throws -> Run {
            let place = try #require(Bundle.main.executableURL).deletingLastPathComponent()
            let program = place.appending(path: "ScanSpeed")
            return try run(program.path, ["version"], environment: library.map { ["LD_PRELOAD": $0.path] } ?? [:])
        }

        private struct Run {
            let status: Int32
            let output: String
            let errors: String
        }

        private static func run(
            _ program: String, _ arguments: [String], environment: [String: String] = [:]
        ) throws -> Run {
            let process = Process()
            let (output, errors) = (Pipe(), Pipe())
            process.executableURL = URL(filePath: program)
            process.arguments = arguments
            // A crash is what is wanted: nobody needs its picture.
            let quiet = ["SWIFT_BACKTRACE": "enable=no"]
            process.environment = ProcessInfo.processInfo.environment
                .merging(quiet) { $1 }.merging(environment) { $1 }
            (process.standardOutput, process.standardError) = (output, errors)
            try process.run()
            let said = [output, errors].map {
                String(decoding: $0.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            }
            process.waitUntilExit()
            return Run(status: process.terminationStatus, output: said[0], errors: said[1])
        }
    }
#endif
