//! `guichet serve`.

use super::demo;
use crate::app::App;
use crate::config::Config;
use crate::telemetry;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

#[derive(Debug, Clone, clap::Args)]
pub struct ServeArgs {
    /// Simulate live traffic on the demo railway, create a console login and a chat session, and print what to try
    #[arg(long)]
    demo: bool,
}

pub async fn run(args: &ServeArgs, mut config: Config) -> anyhow::Result<ExitCode> {
    let metrics = telemetry::init_metrics()?;
    config.traffic.demo |= args.demo;
    let app = App::build(config, Some(metrics)).await?;
    tracing::info!(address = %app.address()?, "listening");
    if args.demo {
        println!("{}", demo::prepare(&app.state, app.address()?).await?);
    }
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    app.run(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
    .await?;
    Ok(ExitCode::SUCCESS)
}
