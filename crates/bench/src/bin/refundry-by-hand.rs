//! `refundry-by-hand`: a refund service with one transaction per refund, to be measured beside Refundry.

use std::sync::Arc;

use axum::serve::ListenerExt as _;
use clap::Parser;
use refundry_bench::by_hand::carry_out::carry_out;
use refundry_bench::by_hand::service::{Service, Way};
use tokio::net::TcpListener;

/// As the server has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Serves refunds with one transaction each.
#[derive(Parser)]
struct Arguments {
    /// How a refund is written.
    #[arg(long, value_enum)]
    way: Way,
    /// A database with Refundry's schema and merchants.
    #[arg(long)]
    database: String,
    /// Where to listen.
    #[arg(long)]
    listen: String,
    /// Connections to the database.
    #[arg(long, default_value_t = 32)]
    connections: usize,
    /// How many refunds are carried out at once; 0 leaves them where they are.
    #[arg(long, default_value_t = 0)]
    workers: usize,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().thread_name("http").enable_all().build()?;
    runtime.block_on(serve(arguments))
}

async fn serve(arguments: Arguments) -> anyhow::Result<()> {
    let service = Arc::new(Service::open(&arguments.database, arguments.connections, arguments.way).await?);
    if arguments.workers > 0 {
        let (service, workers) = (Arc::clone(&service), arguments.workers);
        tokio::spawn(async move {
            if let Err(error) = carry_out(service, workers).await {
                eprintln!("nothing is carried out any more: {error:#}");
            }
        });
    }
    let listener = TcpListener::bind(&arguments.listen).await?.tap_io(|stream| drop(stream.set_nodelay(true)));
    Ok(axum::serve(listener, service.router()).await?)
}
