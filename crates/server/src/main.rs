//! `refundry`: the one program of the platform.

use clap::Parser as _;
use refundry_server::commands::CommandLine;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<()> {
    CommandLine::parse().command.run()
}
