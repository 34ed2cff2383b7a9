//! Logs and metrics. Neither ever holds a secret or a message's text.

use crate::config::LogConfig;
use anyhow::Context as _;
use axum::Router;
use axum::routing::get;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

/// Seconds: from a query by index to a provider's timeout.
const BUCKETS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// Logs go to standard error: standard output is for the commands' results.
pub fn init_logs(config: &LogConfig) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&config.filter).with_context(|| {
        format!("log.filter: '{}' is no filter. Cure: write info or guichet=debug", config.filter)
    })?;
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let set = if config.json { logs.json().try_init() } else { logs.try_init() };
    set.map_err(|error| anyhow::anyhow!("logs cannot be set up: {error}"))
}

pub fn init_metrics() -> anyhow::Result<PrometheusHandle> {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), BUCKETS)?
        .install_recorder()
        .context("metrics cannot be set up")
}

/// `GET /metrics`, for a listener of its own.
pub fn metrics_router(handle: PrometheusHandle) -> Router {
    Router::new().route(
        "/metrics",
        get(async move || {
            // Histograms are drained here; nothing else does it.
            handle.run_upkeep();
            handle.render()
        }),
    )
}
