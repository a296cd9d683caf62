//! Where the rows of a merchant are, and so which lane writes them.

use std::collections::BTreeMap;

use super::statements::in_one_place;

/// How the rows of merchants are placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placement {
    /// All tables are in one place; merchants are spread over so many lanes.
    OnePlace(usize),
    /// Tables are distributed by merchant. A lane writes to one shard, so that a batch is one transaction of one worker.
    Shards(Shards),
}

/// The shards of distributed tables, by the hashes of merchants that they hold. Tables that are distributed together have the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shards {
    /// The least hash of each shard, ascending; a shard ends where the next begins.
    first_hashes: Vec<i32>,
}

impl Shards {
    /// Of the least and the greatest hash of each, in any order; `None` when they leave a gap or overlap.
    pub fn of(mut ranges: Vec<(i32, i32)>) -> Option<Self> {
        ranges.sort_unstable();
        let joined = ranges.windows(2).all(|pair| pair[0].1.checked_add(1) == Some(pair[1].0));
        let whole = ranges.first()?.0 == i32::MIN && ranges.last()?.1 == i32::MAX;
        (joined && whole).then(|| Self { first_hashes: ranges.into_iter().map(|(first, _)| first).collect() })
    }

    fn holding(&self, merchant_id: i64) -> usize {
        let hash = hash(merchant_id);
        self.first_hashes.partition_point(|first| *first <= hash).saturating_sub(1)
    }
}

impl Placement {
    /// How many lanes there are.
    pub fn lanes(&self) -> usize {
        match self {
            Self::OnePlace(lanes) => (*lanes).max(1),
            Self::Shards(shards) => shards.first_hashes.len(),
        }
    }

    /// The lane in which everything of a merchant is written; what is nobody's is merchant 0's.
    pub fn lane_of(&self, merchant_id: i64) -> usize {
        match self {
            Self::OnePlace(_) => {
                let spread = merchant_id.cast_unsigned().wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
                usize::try_from(spread).unwrap_or_default() % self.lanes()
            }
            Self::Shards(shards) => shards.holding(merchant_id),
        }
    }

    /// The merchant under whose number a lane marks its commits: one whose rows would be where the lane writes.
    pub fn marked_merchant(&self, lane: usize) -> i64 {
        match self {
            Self::OnePlace(_) => 0,
            Self::Shards(shards) => (0..).find(|number| shards.holding(*number) == lane).unwrap_or_default(),
        }
    }

    /// Merchants whose rows can be read by one statement.
    pub fn together(&self, merchants: Vec<i64>) -> Vec<Vec<i64>> {
        match self {
            Self::OnePlace(_) => vec![merchants],
            Self::Shards(shards) => {
                let mut groups: BTreeMap<usize, Vec<i64>> = BTreeMap::new();
                merchants.into_iter().for_each(|merchant_id| groups.entry(shards.holding(merchant_id)).or_default().push(merchant_id));
                groups.into_values().collect()
            }
        }
    }

    /// Whether tables are distributed.
    pub const fn is_distributed(&self) -> bool {
        matches!(self, Self::Shards(_))
    }

    /// A statement as it is sent: only distributed tables need the conditions that say where the rows are.
    pub fn text_of(&self, sql: &str) -> String {
        match self {
            Self::OnePlace(_) => in_one_place(sql),
            Self::Shards(_) => sql.to_owned(),
        }
    }

    /// Plans that do not look at values cannot tell a shard from the others.
    pub const fn plan_cache_mode(&self) -> &'static str {
        match self {
            Self::OnePlace(_) => "force_generic_plan",
            Self::Shards(_) => "auto",
        }
    }
}

/// The hash by which rows are distributed: PostgreSQL's own of a `bigint`.
pub const fn hash(number: i64) -> i32 {
    let [high, low] = halves(number);
    mix(low ^ if number >= 0 { high } else { !high }).cast_signed()
}

const fn halves(number: i64) -> [u32; 2] {
    let [a, b, c, d, e, f, g, h] = number.to_be_bytes();
    [u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h])]
}

/// The last round of Jenkins' hash of one word.
const fn mix(word: u32) -> u32 {
    let begin = 0x9e37_79b9_u32.wrapping_add(4).wrapping_add(3_923_095);
    let (mut a, mut b, mut c) = (begin.wrapping_add(word), begin, begin);
    c = (c ^ b).wrapping_sub(b.rotate_left(14));
    a = (a ^ c).wrapping_sub(c.rotate_left(11));
    b = (b ^ a).wrapping_sub(a.rotate_left(25));
    c = (c ^ b).wrapping_sub(b.rotate_left(16));
    a = (a ^ c).wrapping_sub(c.rotate_left(4));
    b = (b ^ a).wrapping_sub(a.rotate_left(14));
    (c ^ b).wrapping_sub(b.rotate_left(24))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn four() -> Placement {
        let ranges = vec![(0, 1_073_741_823), (i32::MIN, -1_073_741_825), (1_073_741_824, i32::MAX), (-1_073_741_824, -1)];
        Placement::Shards(Shards::of(ranges).unwrap())
    }

    #[test]
    fn shards_are_whole_or_none() {
        assert_eq!(Shards::of(vec![]), None);
        assert!(Shards::of(vec![(i32::MIN, i32::MAX)]).is_some());
        assert_eq!(Shards::of(vec![(i32::MIN, -2), (0, i32::MAX)]), None, "a gap");
        assert_eq!(Shards::of(vec![(i32::MIN, 0), (0, i32::MAX)]), None, "twice");
        assert_eq!(Shards::of(vec![(i32::MIN, -1), (0, 7)]), None, "no end");
    }

    #[test]
    fn a_lane_is_a_shard_where_there_are_shards() {
        let (four, one) = (four(), Placement::OnePlace(3));
        assert_eq!((four.lanes(), one.lanes(), Placement::OnePlace(0).lanes()), (4, 3, 1));
        for number in -200..200 {
            let expected = match hash(number) {
                ..=-1_073_741_825 => 0,
                -1_073_741_824..=-1 => 1,
                0..=1_073_741_823 => 2,
                1_073_741_824.. => 3,
            };
            assert_eq!(four.lane_of(number), expected);
            assert!(one.lane_of(number) < 3);
        }
        assert_eq!(one.lane_of(0), 0, "what is nobody's");
    }

    #[test]
    fn a_lane_marks_its_commits_where_it_writes() {
        let four = four();
        for lane in 0..4 {
            assert_eq!(four.lane_of(four.marked_merchant(lane)), lane);
        }
        assert_eq!(Placement::OnePlace(8).marked_merchant(5), 0);
    }

    #[test]
    fn one_statement_reads_from_one_shard() {
        let merchants: Vec<i64> = (1..50).collect();
        assert_eq!(Placement::OnePlace(2).together(merchants.clone()), vec![merchants.clone()]);
        let groups = four().together(merchants.clone());
        assert_eq!(groups.len(), 4);
        for group in &groups {
            assert!(group.iter().all(|merchant_id| four().lane_of(*merchant_id) == four().lane_of(group[0])));
        }
        let mut all = groups.concat();
        all.sort_unstable();
        assert_eq!(all, merchants);
    }

    #[test]
    fn statements_say_where_the_rows_are_where_that_matters() {
        let sql = "SELECT 1 FROM t WHERE a = $1 AND /* shard */ merchant_id = ANY($2)";
        assert_eq!(four().text_of(sql), sql);
        assert!(!Placement::OnePlace(1).text_of(sql).contains("merchant_id"));
        assert_eq!((four().plan_cache_mode(), Placement::OnePlace(1).plan_cache_mode()), ("auto", "force_generic_plan"));
    }
}
