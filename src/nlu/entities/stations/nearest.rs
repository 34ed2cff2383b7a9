//! The station that a mistyped word is nearest to.

use super::{Gazetteer, Spelling, Strength};
use crate::nlu::entities::typos::{SLIP, slips, sound};
use crate::nlu::features::fnv;

impl Gazetteer {
    /// Stations whose spelling is a slip away from `key`, two from long ones; the nearest only. `context`: how much
    /// speaks of a station, as short words need more.
    pub(super) fn nearest(
        &self,
        key: &str,
        context: u8,
        fits: impl Fn(&Spelling) -> bool,
    ) -> Option<Vec<u32>> {
        // In short words only the slips that fingers and ears make.
        let allowed = match key.len() {
            0..4 => return None,
            4 if context < 2 => return None,
            4 => SLIP / 2,
            5 if context < 2 => SLIP / 2,
            5..8 => SLIP,
            _ => 2 * SLIP,
        };
        let mut best = allowed + 1;
        let mut stations: Vec<u32> = Vec::new();
        let typed = self.typos.candidates(key, if key.len() < 8 { 1 } else { 2 });
        let sound = sound(key);
        let alike = self.sounds.get(&fnv(sound.as_bytes())).filter(|_| sound.len() >= 4);
        for candidate in typed.into_iter().chain(alike.into_iter().flatten().copied()) {
            let Some(spelling) = self.spellings.get(candidate as usize) else { continue };
            if spelling.strength == Strength::Part || !fits(spelling) {
                continue;
            }
            let heard = spelling.key.len() > 4 && self::sound(&spelling.key) == sound;
            let near = slips(key, &spelling.key, allowed);
            let near = if heard && sound.len() >= 4 { near.min(SLIP / 2) } else { near };
            if near > allowed || near > best {
                continue;
            }
            if near < best {
                stations.clear();
            }
            best = near;
            stations.extend(spelling.stations.iter().filter(|at| !stations.contains(at)).collect::<Vec<_>>());
        }
        (!stations.is_empty() && stations.len() <= 4).then_some(stations)
    }
}
