//! The recent refunds of merchants whose rules count them; for all others nothing is read.

use std::sync::LazyLock;

use refundry_engine::review_rule::{RECENT_REFUNDS_MAX, recent_wanted};
use refundry_engine::{Scope, Snapshot, ids};

use super::arrays::Param;
use super::columns::Columns;
use super::session::{Call, Failed, Session};
use crate::rows::recent::{COLUMNS, read};

static RECENT: LazyLock<String> =
    LazyLock::new(|| format!("SELECT {COLUMNS} FROM refunds WHERE merchant_id = $1 AND refund_id >= $2 ORDER BY refund_id DESC LIMIT $3"));

/// Loads what the rules about velocity of a batch count. The merchants are locked already.
pub async fn load(session: &mut Session, scope: &Scope, snapshot: &mut Snapshot) -> Result<(), Failed> {
    for (merchant_id, since) in recent_wanted(snapshot, scope) {
        let first = Param::Int(ids::first_id_at(since));
        let params = vec![Param::Int(merchant_id.get()), first, Param::Int(i64::from(RECENT_REFUNDS_MAX))];
        let answers = session.send(None, &[Call { sql: &RECENT, params }], None).await?;
        let known = snapshot.recent.open(merchant_id);
        for row in answers.iter().flatten() {
            let (id, refund) = read(&mut Columns::new(row, "recent refund")).map_err(Failed::Refused)?;
            known.insert(id, refund);
        }
    }
    Ok(())
}
