use super::Loss;
use crate::dice::Dice;

/// Bytes that a device writes wholly or not at all.
pub const SECTOR: usize = 512;

/// What programs see of a file, what is durable of it, and the writes between the two.
#[derive(Clone, Debug, Default)]
pub struct Contents {
    seen: Vec<u8>,
    durable: Vec<u8>,
    unsynced: Vec<Change>,
    named: bool,
}

#[derive(Clone, Debug)]
enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    Truncate { len: usize },
}

impl Contents {
    pub fn len(&self) -> u64 {
        u64::try_from(self.seen.len()).unwrap_or(u64::MAX)
    }

    pub const fn is_named(&self) -> bool {
        self.named
    }

    pub fn name_durably(&mut self) {
        self.named = true;
    }

    pub fn read(&self, offset: u64, into: &mut [u8]) -> usize {
        let from = usize::try_from(offset).unwrap_or(usize::MAX).min(self.seen.len());
        let count = into.len().min(self.seen.len() - from);
        into[..count].copy_from_slice(&self.seen[from..from + count]);
        into[count..].fill(0);
        count
    }

    pub fn write(&mut self, offset: u64, bytes: &[u8]) {
        let change = Change::Write { offset: usize::try_from(offset).unwrap_or(usize::MAX), bytes: bytes.to_vec() };
        change.apply(&mut self.seen);
        self.unsynced.push(change);
    }

    pub fn truncate(&mut self, len: u64) {
        let change = Change::Truncate { len: usize::try_from(len).unwrap_or(usize::MAX) };
        change.apply(&mut self.seen);
        self.unsynced.push(change);
    }

    pub fn sync(&mut self) {
        for change in self.unsynced.drain(..) {
            change.apply(&mut self.durable);
        }
    }

    /// The file as its last sync left it.
    pub fn durable_only(self) -> Self {
        Self { seen: self.durable.clone(), durable: self.durable, unsynced: Vec::new(), named: self.named }
    }

    /// Forgets what was not synced, except for what the dice keep; what is left is durable.
    pub fn lose(&mut self, loss: Loss, dice: &mut Dice) {
        let changes = std::mem::take(&mut self.unsynced);
        match loss {
            Loss::Nothing => changes.iter().for_each(|change| change.apply(&mut self.durable)),
            Loss::Everything => {}
            Loss::Tail => {
                let kept = dice.below(changes.len() + 1);
                changes[..kept].iter().for_each(|change| change.apply(&mut self.durable));
                if let Some(Change::Write { offset, bytes }) = changes.get(kept) {
                    let sectors = bytes.len().div_ceil(SECTOR);
                    let torn_at = (dice.below(sectors + 1) * SECTOR).min(bytes.len());
                    Change::Write { offset: *offset, bytes: bytes[..torn_at].to_vec() }.apply(&mut self.durable);
                }
            }
            Loss::Scattered => {
                for change in &changes {
                    change.scatter(&mut self.durable, dice);
                }
            }
        }
        self.seen.clone_from(&self.durable);
        self.named = true;
    }
}

impl Change {
    fn apply(&self, image: &mut Vec<u8>) {
        match self {
            Self::Write { bytes, .. } if bytes.is_empty() => {}
            Self::Write { offset, bytes } => {
                let end = offset.saturating_add(bytes.len());
                if image.len() < end {
                    image.resize(end, 0);
                }
                image[*offset..end].copy_from_slice(bytes);
            }
            Self::Truncate { len } => image.resize(*len, 0),
        }
    }

    fn scatter(&self, image: &mut Vec<u8>, dice: &mut Dice) {
        match self {
            Self::Write { offset, bytes } => {
                for (index, sector) in bytes.chunks(SECTOR).enumerate() {
                    if dice.percent(50) {
                        Self::Write { offset: offset + index * SECTOR, bytes: sector.to_vec() }.apply(image);
                    }
                }
            }
            Self::Truncate { .. } if dice.percent(50) => self.apply(image),
            Self::Truncate { .. } => {}
        }
    }
}
