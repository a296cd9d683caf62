#!/usr/bin/env bash
# Plants each bug of this folder in a throw-away copy of the tree and lets the simulator look for it.
# Usage: crates/simulator/planted/run.sh [seeds] [bug ...]    Exit status 1 when a bug was not found.
set -euo pipefail
cd "$(dirname "$0")/../../.."
seeds=${1:-200}
shift || true
bugs=("$@")
if [ ${#bugs[@]} -eq 0 ]; then
  for patch in crates/simulator/planted/*.patch; do bugs+=("$(basename "$patch" .patch)"); done
fi
target=$(cd "${CARGO_TARGET_DIR:-target}" 2>/dev/null && pwd || { mkdir -p "${CARGO_TARGET_DIR:-target}"; cd "${CARGO_TARGET_DIR:-target}"; pwd; })
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
  [ -e "$file" ] && printf '%s\0' "$file"
done | tar --null -cf - -T - | tar -xf - -C "$tree"

build() {
  (cd "$tree" && CARGO_TARGET_DIR="$target/planted" cargo build --quiet --locked --profile simulation --bin refundry-sim)
}

missed=0
printf '%-34s %-6s %s\n' "planted bug" "seed" "rule that broke"
for bug in "${bugs[@]}"; do
  patch=crates/simulator/planted/$bug.patch
  if ! (cd "$tree" && patch --quiet --no-backup-if-mismatch -p1 <"$patch"); then
    printf '%-34s %-6s %s\n' "$bug" "-" "the patch does not apply any more: write it anew"
    missed=1
    continue
  fi
  build
  # A bug of the store on PostgreSQL shows where both engines run.
  on=()
  grep -q '^+++ b/crates/store/src/postgres' "$patch" && on=(scripts/with-postgres)
  # A payout takes days to arrive.
  days=()
  grep -q '^+++ b/crates/engine/src/payout' "$patch" && days=(--days 20)
  found=$(${on[@]+"${on[@]}"} "$target/planted/simulation/refundry-sim" ${on[@]+--both-engines} ${days[@]+"${days[@]}"} --seeds "1..$seeds" --stop --jobs "${JOBS:-1}" --no-shrink | grep -m1 ' broke ' || true)
  if [ -n "$found" ]; then
    seed=${found#seed }
    rule=${found#* broke }
    printf '%-34s %-6s %s\n' "$bug" "${seed%% *}" "${rule%%:*}"
  else
    printf '%-34s %-6s %s\n' "$bug" "none" "not found within $seeds seeds"
    missed=1
  fi
  (cd "$tree" && patch --quiet --no-backup-if-mismatch -R -p1 <"$patch")
done
exit "$missed"
