//! The gate through [`Control`], and what the gate sees of the store.

use std::collections::BTreeMap;
use std::sync::Weak;
use std::time::Duration;

use super::{Fault, Gate, Logged, Quota, Surroundings};
use crate::acting::Control;
use crate::app::App;
use crate::clock;
use crate::error::ApiResult;
use crate::store::settings::Settings;

impl Control {
    /// The gate every request passes; what follows are its methods of everyday use.
    pub fn gate(&self) -> &Gate {
        &self.app.gate
    }

    /// Adds a rule; its id. See [`Gate::fault`].
    ///
    /// # Errors
    /// 400: it can never strike.
    pub fn fault(&self, fault: Fault) -> ApiResult<u64> {
        self.gate().fault(fault)
    }

    /// Takes all rules away.
    pub fn clear_faults(&self) {
        self.gate().clear_faults();
    }

    /// Every Drive and token call takes so much longer.
    pub fn set_latency(&self, latency: Duration) {
        self.gate().set_latency(latency);
    }

    /// Limits what a user may do.
    pub fn set_quota(&self, quota: Quota) {
        self.gate().set_quota(quota);
    }

    /// The last requests, oldest first.
    pub fn requests(&self) -> Vec<Logged> {
        self.gate().requests()
    }

    /// Forgets the requests and their counts.
    pub fn clear_requests(&self) {
        self.gate().clear_requests();
    }

    /// How many requests of each call arrived.
    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.gate().counts()
    }

    /// How many Drive calls arrived.
    pub fn calls(&self) -> u64 {
        self.gate().calls()
    }

    /// Stops the world after the next `after` Drive calls. See [`Gate::pause_after`].
    pub fn pause_after(&self, after: u64) {
        self.gate().pause_after(after);
    }

    /// Waits until the world stands still.
    pub async fn wait_paused(&self) {
        self.gate().wait_paused().await;
    }

    /// Lets the world go on; what was held is cut. See [`Gate::resume`].
    pub fn resume(&self) {
        self.gate().resume();
    }
}

/// The application owns the gate, so the gate only borrows it.
impl Surroundings for Weak<App> {
    fn now_ms(&self) -> i64 {
        let emulated = self.upgrade().and_then(|app| app.store.read(|db| Ok(Settings::load(db)?.now())).ok());
        emulated.unwrap_or_else(clock::machine_ms)
    }

    fn principal(&self, token: &str) -> Option<String> {
        Some(self.upgrade()?.principal(token).ok()?.email)
    }
}
