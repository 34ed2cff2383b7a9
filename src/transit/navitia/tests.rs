mod boards;
mod failures;
mod hostile;
mod journeys;
mod recorded;
mod trains;
