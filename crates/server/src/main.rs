//! `refundry`: the one program of the platform.

use std::process::ExitCode;

use clap::Parser as _;
use refundry_server::commands::CommandLine;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match CommandLine::parse().command.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The chain of causes is for whoever typed the command; a backtrace would hide it.
            eprintln!("refundry: {error:#}");
            ExitCode::FAILURE
        }
    }
}
