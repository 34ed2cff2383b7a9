//! The composition root: the only place that knows every concrete type.

mod keep;
mod record;
mod trains;

use crate::answers::http::Http;
use crate::answers::{Registry, registry};
use crate::channels::{BuildContext, Channels};
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, NoticesConfig};
use crate::content::{Content, Live};
use crate::desk::dispatch::Dispatcher;
use crate::desk::handover::keep_versions;
use crate::desk::hours::Calendar;
use crate::desk::oncall::OnCall;
use crate::desk::people;
use crate::engine::Rules;
use crate::hooks::Deliverer;
use crate::http::{AppState, router};
use crate::model::StationRef;
use crate::nlu::aliases::AliasFile;
use crate::nlu::entities::stations::Gazetteer;
use crate::nlu::{Embedder, IntentPack, Means, Nlu, Shelf};
use crate::notify::Notifier;
use crate::queue::{Listeners, Manners, Mind, Paces, Surveys, Worker, survey};
use crate::store::Store;
use crate::telemetry;
use crate::transit::TimetableHandle;
use crate::transit::planner::SharedPlanner;
use crate::transit::reload::Reloader;
use anyhow::Context as _;
use keep::{improve, watch};
use metrics_exporter_prometheus::PrometheusHandle;
use record::Recorder;
use std::fs::File;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
pub use trains::{Trains, demo_runs};

/// What people must correct before we start: files or keys. Exit code 2, unlike a failure of the machine.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct Rejected(pub Vec<String>);

/// Everything that is read from files, good as a whole.
pub struct Library {
    pub pack: IntentPack,
    pub live: Live,
    pub gazetteer: Gazetteer,
    pub sources: Registry,
    pub trains: Trains,
    /// Keeps the timetable up to date, once run.
    pub reloader: Option<Reloader>,
    /// When people are there.
    pub calendar: Calendar,
}

impl Library {
    /// A broken intent or response file is an error; a missing timetable only degrades.
    pub fn load(config: &Config) -> Result<Self, Rejected> {
        let (trains, reloader) = Trains::start(config);
        let sources = sources(config, &trains.planner)?;
        let (pack, live) = Live::load(&config.files, config.operator.lang, &sources).map_err(Rejected)?;
        let gazetteer = gazetteer(config, &trains.timetable)?;
        let calendar = opening_hours(config)?;
        Ok(Self { pack, live, gazetteer, sources, trains, reloader, calendar })
    }
}

/// When people are there, with the calendar of `desk.hours`. Errors name file, line and cure.
pub fn opening_hours(config: &Config) -> Result<Calendar, Rejected> {
    let hours = config.desk.hours.clone();
    Calendar::open(hours, config.timezone(), SystemClock.now()).map_err(|error| Rejected(vec![error]))
}

/// Who is on call. Errors name key and cure.
pub fn on_call(config: &Config) -> Result<OnCall, Rejected> {
    OnCall::new(&config.desk.on_call, &config.server.public_url).map_err(|error| Rejected(vec![error]))
}

/// Every answer source as it is configured. What the database answers is put in where there is one.
pub fn sources(config: &Config, planner: &SharedPlanner) -> Result<Registry, Rejected> {
    let mut sources = registry(planner);
    let http = Http::new(config.fulfilment.clone(), Arc::new(SystemClock), config.timezone());
    sources.add(Arc::new(http.map_err(|error| Rejected(vec![error]))?));
    Ok(sources)
}

fn gazetteer(config: &Config, timetable: &TimetableHandle) -> Result<Gazetteer, Rejected> {
    let timetable = timetable.get();
    let stations: Vec<StationRef> = timetable.as_ref().map(|t| t.stations().to_vec()).unwrap_or_default();
    let path = config.files.intents.join("stations.yaml");
    let file = if path.exists() {
        AliasFile::load(&path).map_err(|e| Rejected(e.iter().map(ToString::to_string).collect()))?
    } else {
        AliasFile::default()
    };
    let gazetteer = Gazetteer::with_known(stations, &file.aliases, &file.known, &file.ordinary);
    let lines = timetable.as_ref().map(|t| t.lines()).unwrap_or_default();
    Ok(gazetteer.with_lines(lines.into_iter()))
}

/// The encoder with its cache; none, and why, when there is none to be had. Blocks for about a second.
pub fn load_embedder(config: &Config) -> Result<Option<Embedder>, String> {
    if config.nlu.encoder.as_os_str().is_empty() {
        return Ok(None);
    }
    load_encoder(&config.nlu.encoder, &config.files.cache)
}

#[cfg(feature = "encoder")]
fn load_encoder(folder: &Path, cache: &Path) -> Result<Option<Embedder>, String> {
    use crate::nlu::embedding_cache::EmbeddingCache;
    use crate::nlu::encoder::RustBertEncoder;
    let encoder = RustBertEncoder::load(folder).map_err(|error| error.to_string())?;
    let cache = match EmbeddingCache::open(cache, &encoder) {
        Ok(cache) => Some(Arc::new(cache)),
        Err(error) => {
            tracing::warn!(%error, "embeddings are computed anew at every start");
            None
        }
    };
    Ok(Some(Embedder { encoder: Arc::new(encoder), cache }))
}

#[cfg(not(feature = "encoder"))]
fn load_encoder(_: &Path, _: &Path) -> Result<Option<Embedder>, String> {
    Err("this binary was built without libtorch (--no-default-features)".to_owned())
}

/// The configured channels. Errors name key and cure.
pub fn build_channels(config: &Config, clock: Arc<dyn Clock>) -> Result<Channels, Rejected> {
    let client = reqwest::Client::builder()
        .timeout(config.queue.send_timeout.into())
        .connect_timeout(Duration::from_secs(5))
        .redirect(reqwest::redirect::Policy::none())
        .no_gzip()
        .user_agent(concat!("guichet/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| Rejected(vec![format!("the HTTP client cannot be built: {error}")]))?;
    let context = BuildContext { public_url: config.server.public_url.clone(), client, clock };
    let channels = Channels::build(&config.channels, &context).map_err(Rejected)?;
    Ok(channels.with_sms(config.sms.clone()))
}

/// A server that listens and has not begun to work.
pub struct App {
    pub state: AppState,
    listener: TcpListener,
    metrics: Option<(TcpListener, PrometheusHandle)>,
    library: Library,
    claimed: Option<File>,
}

/// Two servers on one SQLite file would take each other's jobs over. The lock ends with the process, however it
/// ends. Postgres is made for several.
fn claim_database(url: &str) -> anyhow::Result<Option<File>> {
    let Some(path) = url.strip_prefix("sqlite://") else { return Ok(None) };
    let path = format!("{}.lock", path.split('?').next().unwrap_or(path));
    let file = File::create(&path).with_context(|| format!("{path} cannot be written"))?;
    file.try_lock().with_context(|| {
        format!("another guichet serves this database ({path} is locked). Cure: stop it, or use Postgres")
    })?;
    Ok(Some(file))
}

impl App {
    /// Reads the files, opens the database, binds the listeners.
    pub async fn build(config: Config, metrics: Option<PrometheusHandle>) -> anyhow::Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let channels = build_channels(&config, clock.clone())?;
        let on_call = on_call(&config)?;
        let config = Arc::new(config);
        let reading = config.clone();
        let mut library = tokio::task::spawn_blocking(move || Library::load(&reading)).await??;
        let store = Store::open(config.database.url.expose(), config.database.connections)
            .await
            .context("database.url: the database cannot be opened")?;
        library.sources.open(&store, &config.timezone());
        let bind = async |address| {
            TcpListener::bind(address).await.with_context(|| {
                format!(
                    "{address} cannot be listened on. Cure: another server.listen, or stop what runs there"
                )
            })
        };
        let claimed = claim_database(config.database.url.expose())?;
        let listener = bind(config.server.listen).await?;
        let metrics = match metrics {
            Some(handle) => Some((bind(config.server.metrics_listen).await?, handle)),
            None => None,
        };
        let state = AppState {
            store,
            clock,
            config,
            channels,
            on_call,
            calendar: library.calendar.clone(),
            timetable: library.trains.timetable.clone(),
            planner: library.trains.planner.clone(),
            mind: Arc::new(OnceLock::new()),
            stopping: CancellationToken::new(),
        };
        Ok(Self { state, listener, metrics, library, claimed })
    }

    /// The address it listens on; tells the port when 0 was configured.
    pub fn address(&self) -> std::io::Result<std::net::SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `shutdown`; then refuses new requests, finishes what is in progress within `server.drain`, and
    /// closes the database. What did not finish is resumed by the next start.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
        let Self { state, listener, metrics, library, claimed: _claimed } = self;
        let drain = Duration::from(state.config.server.drain);
        let working = tokio::spawn(work(state.clone(), library));
        tokio::spawn(end_access(state.clone()));
        let telling = tokio::spawn(deliverer(&state)?.run(state.stopping.clone()));
        if let Some((listener, handle)) = metrics {
            let router = telemetry::metrics_router(handle);
            let stopping = state.stopping.clone().cancelled_owned();
            tokio::spawn(async move { axum::serve(listener, router).with_graceful_shutdown(stopping).await });
        }
        let stopping = state.stopping.clone().cancelled_owned();
        let service = router(state.clone()).into_make_service_with_connect_info::<std::net::SocketAddr>();
        let serving =
            tokio::spawn(
                async move { axum::serve(listener, service).with_graceful_shutdown(stopping).await },
            );
        shutdown.await;
        tracing::info!("stopping: finishing what is in progress");
        state.stopping.cancel();
        let ended = tokio::time::timeout(drain, async {
            let _ = tokio::join!(serving, working, telling);
        });
        if ended.await.is_err() {
            tracing::warn!("not everything ended in time; the next start resumes it");
        }
        state.store.close().await;
        Ok(())
    }
}

fn deliverer(state: &AppState) -> anyhow::Result<Deliverer> {
    let (config, url) = (state.config.hooks.clone(), state.config.server.public_url.clone());
    Deliverer::new(state.store.clone(), state.clock.clone(), config, url).map_err(anyhow::Error::msg)
}

/// Once a minute: what those whose access has ended were in charge of returns to the queue.
async fn end_access(state: AppState) {
    const EVERY: Duration = Duration::from_secs(60);
    loop {
        if let Err(error) = people::sweep(&state.store, state.clock.now()).await {
            tracing::warn!(%error, "what people who have left were in charge of waits for the next round");
        }
        tokio::select! {
            () = state.stopping.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

/// Trains, then works on jobs. Messages are accepted meanwhile, and wait.
async fn work(state: AppState, mut library: Library) {
    let config = state.config.clone();
    let trains = library.trains.clone();
    let reloading =
        library.reloader.take().map(|reloader| tokio::spawn(reloader.run(state.stopping.clone())));
    let following = match trains.follow(&config, state.clock.clone(), state.stopping.clone()) {
        Ok(following) => Some(following),
        Err(error) => {
            tracing::error!(%error, "live traffic is not followed");
            None
        }
    };
    let trained = tokio::task::spawn_blocking(move || think(&config, library)).await;
    let Ok((mind, embedder)) = trained else {
        tracing::error!("training panicked; messages are kept and nothing is answered");
        return;
    };
    // Set once, here.
    let _ = state.mind.set(mind.clone());
    tracing::info!(model = mind.nlu.model_name(), "answering");
    let worker = Worker {
        store: state.store.clone(),
        clock: state.clock.clone(),
        channels: state.channels.clone(),
        mind: mind.clone(),
        paces: Paces::new(&state.channels, state.config.queue.instances),
        config: state.config.queue.clone(),
        on_call: state.on_call.clone(),
        surveys: Surveys {
            config: state.config.survey.clone(),
            reopen_within: state.config.conversations.reopen_within.into(),
        },
    };
    let keeping = tokio::spawn(keep_versions(
        state.store.clone(),
        mind.content.clone(),
        state.clock.clone(),
        state.stopping.clone(),
    ));
    let asking = tokio::spawn(survey::run(worker.clone(), state.stopping.clone()));
    let listeners = Listeners {
        store: state.store.clone(),
        clock: state.clock.clone(),
        channels: state.channels.clone(),
        reopen_within: state.config.conversations.reopen_within.into(),
    };
    let listening = tokio::spawn(listeners.run(state.stopping.clone()));
    let dispatcher = Dispatcher {
        store: state.store.clone(),
        clock: state.clock.clone(),
        config: state.config.desk.routing.clone(),
        sla: state.config.desk.sla.clone(),
        calendar: state.calendar.clone(),
        on_call: state.on_call.clone(),
    };
    let dispatching = tokio::spawn(dispatcher.run(state.stopping.clone()));
    let calendar = state.calendar.clone();
    let opening = tokio::spawn(calendar.follow(
        state.clock.clone(),
        state.config.files.poll.into(),
        state.stopping.clone(),
    ));
    let notifying = tokio::spawn(notifier(&state, &mind, &trains).run(state.stopping.clone()));
    let recording =
        record(&state, &trains).map(|recorder| tokio::spawn(recorder.run(state.stopping.clone())));
    let improving = improve(mind.clone(), embedder);
    let config = state.config.clone();
    let timetable = trains.timetable.clone();
    let names = move || gazetteer(&config, &timetable).map_err(|Rejected(errors)| errors);
    let every = state.config.files.poll.into();
    let watching = watch(mind, Arc::new(names), trains.timetable.clone(), every, state.stopping.clone());
    worker.run(state.stopping.clone()).await;
    improving.abort();
    watching.abort();
    let beside = [notifying, listening, dispatching, opening, asking, keeping];
    for task in following.into_iter().chain(reloading).chain(recording).chain(beside) {
        if task.await.is_err() {
            tracing::error!("a task beside the queue panicked");
        }
    }
}

fn record(state: &AppState, trains: &Trains) -> Option<Recorder> {
    let days = state.config.traffic.history_days;
    (days > 0).then(|| Recorder {
        store: state.store.clone(),
        clock: state.clock.clone(),
        planner: trains.planner.clone(),
        live: trains.live.clone(),
        days,
    })
}

fn notifier(state: &AppState, mind: &Mind, trains: &Trains) -> Notifier {
    Notifier {
        store: state.store.clone(),
        clock: state.clock.clone(),
        channels: state.channels.clone(),
        planner: trains.planner.clone(),
        live: trains.live.clone(),
        content: mind.content.clone(),
        calendar: mind.calendar.clone(),
        operator: mind.operator.clone(),
        config: NoticesConfig { poll: trains.notices_poll(mind.notices.poll), ..mind.notices.clone() },
    }
}

/// All that understanding and answering need, from the shelf or trained now. The full model follows with [`Nlu::complete`].
pub fn think(config: &Config, library: Library) -> (Arc<Mind>, Option<Embedder>) {
    let embedder = load_embedder(config).unwrap_or_else(|why| {
        tracing::warn!(%why, "understanding with n-grams only");
        None
    });
    let Library { pack, live, gazetteer, sources, trains, calendar, .. } = library;
    let nlu = Nlu::train(pack, gazetteer, means(config, embedder.clone()));
    let content = Content::new(config.files.clone(), config.operator.lang, sources.clone(), live);
    let mind = Mind {
        nlu,
        content,
        sources,
        planner: trains.planner,
        calendar,
        rules: Rules {
            answer_from: config.nlu.answer_from,
            confirm_from: config.nlu.confirm_from,
            max_asks: config.conversations.max_asks,
            max_failures: config.conversations.max_failures,
            forget_after: config.conversations.forget_after.into(),
            zone: config.timezone(),
        },
        gather: config.conversations.gather.into(),
        notices: config.notices.clone(),
        manners: Manners::new(config.manners.clone()),
        operator: config.operator.clone(),
        timetable: trains.timetable,
    };
    (Arc::new(mind), embedder)
}

/// What understanding is built with.
pub fn means(config: &Config, embedder: Option<Embedder>) -> Means {
    let shelf = Some(Shelf::new(&config.files.cache));
    Means { embedder, shelf, timezone: Some(config.timezone()) }
}

#[cfg(test)]
mod tests;
