//! `liventix`: the server's command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    liventix_server::cli::main()
}
