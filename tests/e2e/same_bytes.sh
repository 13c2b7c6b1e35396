#!/usr/bin/env bash
# Builds a unit in the usual output base and in one of its own, there by workers and by a process for each action, and
# compares every byte of what each step wrote.
#
#   bash tests/e2e/same_bytes.sh [FOLDER]    works in FOLDER and keeps it; by default in a temporary one
#
# .ci/run calls it after `bazelw test //...`: a second output base takes no part in that.
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd -P)
cd "$root"

unit=mlp
steps=(JaxportCapture JaxportPort JaxportVerify)

# No worker for these.
alone=("${steps[@]/#/--strategy=}")
alone=("${alone[@]/%/=sandboxed,local}")

say() { printf 'same_bytes: %s\n' "$*"; }
die() {
  say "$*"
  exit 1
}

if [[ $# -gt 0 ]]; then
  mkdir -p "$1"
  work=$(cd "$1" && pwd -P)
  kept=yes
else
  work=$(mktemp -d)
  kept=no
fi
own=("--output_base=$work/output")
leave() {
  status=$?
  [[ $status == 0 ]] || tail -n 40 "$work/bazel.log"
  ./bazelw "${own[@]}" shutdown 2>/dev/null || true
  if [[ $kept == no ]]; then
    chmod -R u+w "$work" && rm -rf "$work"
  fi
  exit "$status"
}
trap leave EXIT

# build BIN NAME STARTUP_FLAG... -- FLAG...: builds the unit, and puts digests of what is in BIN in NAME.
build() {
  local bin=$1 name=$2 startup=()
  shift 2
  while [[ $1 != -- ]]; do
    startup+=("$1")
    shift
  done
  ./bazelw "${startup[@]}" build "${@:2}" "//migrate:$unit.verify" >"$work/bazel.log" 2>&1 || die "$name: the unit was not built"
  (cd "$bin/migrate" && find "$unit.capture" "$unit.port" "$unit.verify" "${unit}_jax.py" -type f ! -name '*.params' \
    -print0 | sort -z | xargs -0 sha256sum) >"$work/$name"
  [[ $(wc -l <"$work/$name") == 7 ]] || die "$name: seven files are expected, not $(cat "$work/$name")"
  say "$name: $(grep -o '[0-9]* processes:.*' "$work/bazel.log" || echo 'nothing to do')"
}

bin=$(./bazelw info bazel-bin 2>/dev/null)
build "$bin" usual --
# Links in the workspace stay those of the usual output base.
bin=$(./bazelw "${own[@]}" info --symlink_prefix=/ bazel-bin 2>/dev/null)
build "$bin" processes "${own[@]}" -- --symlink_prefix=/ "${alone[@]}"
grep -q 'worker' "$work/bazel.log" && die "these were to be processes of their own"
for flags in "" --worker_sandboxing; do
  chmod -R u+w "$bin/migrate"
  rm -rf "$bin/migrate/$unit".{capture,port,verify} "$bin/migrate/${unit}_jax.py"
  name=workers${flags#--worker}
  build "$bin" "$name" "${own[@]}" -- --symlink_prefix=/ $flags
  grep -q ' 3 worker' "$work/bazel.log" || die "$name: all three steps were to be done by workers"
done
for name in processes workers workers_sandboxing; do
  diff "$work/usual" "$work/$name" || die "$name: other bytes than in the usual output base"
done
say "all the same"
