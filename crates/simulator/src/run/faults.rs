//! What goes wrong, by the plan.

use refundry_engine::Timestamp;
use refundry_service::world::Clock as _;

use super::Run;
use crate::dice::Dice;
use crate::merchants::Deafness;
use crate::plan::PlannedFault;

impl Run {
    pub(super) fn go_wrong(&mut self, fault: &PlannedFault) {
        let now = self.stage.clock.now();
        match fault {
            PlannedFault::Crash { steps, loss } => self.crash_in = Some((*steps, *loss)),
            PlannedFault::CrashInWrite { operations, loss } => {
                let dice = Dice::new(self.dice.throw(), "power");
                if let Some(disk) = self.setting.ground.failing_disk() {
                    disk.crash_after(*operations, *loss, dice);
                }
            }
            PlannedFault::Disk { ailment, for_ms } => {
                if let Some(disk) = self.setting.ground.failing_disk() {
                    disk.fall_ill(Some(*ailment));
                }
                self.disk_is_ill_until = now.plus_ms(*for_ms);
            }
            PlannedFault::Line { after, count, how } => self.stage.mishaps.plan(*after, *count, *how),
            PlannedFault::SlowDisk { for_ms } => self.lane_waits_until = now.plus_ms(*for_ms),
            PlannedFault::Deaf { merchant, how, for_ms } => self.deafen(*merchant, *how, now.plus_ms(*for_ms)),
        }
    }

    pub(super) fn deafen(&self, merchant: usize, how: Deafness, until: Timestamp) {
        self.stage.merchants.deafen(&crate::cast::host(merchant), until, how);
    }
}
