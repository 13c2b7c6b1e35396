#!/usr/bin/env bash
# Builds and tests a unit by remote execution, on a server with two workers that it starts on this machine, and compares
# what they wrote with what a build here wrote.
#
#   bash tests/e2e/remote.sh [FOLDER]    works in FOLDER and keeps it; by default in a temporary one
#
# .ci/run calls it after `bazelw test //...`. Downloads the server's wheels (third_party/remote_execution). The original is
# run here, since TensorFlow takes minutes to upload; JAXPORT_REMOTE_CAPTURE=1 has it run remotely, too.
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd -P)
cd "$root"

unit=mlp
steps=(port verify)
if [[ ${JAXPORT_REMOTE_CAPTURE:-} == 1 ]]; then
  steps+=(capture)
fi
count=$((${#steps[@]} + 1))

say() { printf 'remote: %s\n' "$*"; }
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
chmod 755 "$work" # the database is not run by root, and has to find its folder
rm -rf "$work/server"
mkdir -p "$work/server"
own=("--output_base=$work/output")
leave() {
  status=$?
  [[ $status == 0 ]] || tail -n 40 "$work/bazel.log" "$work"/server/*.log
  [[ -z ${server:-} ]] || {
    exec 8>&-
    wait "$server" || true
  }
  ./bazelw "${own[@]}" shutdown 2>/dev/null || true
  if [[ $kept == no ]]; then
    chmod -R u+w "$work" && rm -rf "$work"
  fi
  exit "$status"
}
trap leave EXIT

# digests BIN: of what each step wrote.
digests() {
  (cd "$1/migrate" && find -L "$unit.capture" "$unit.port" "$unit.verify" "${unit}_jax.py" -type f ! -name '*.params' \
    -print0 | sort -z | xargs -0 sha256sum)
}

./bazelw build "//migrate:$unit.verify" //tests/remote:server >"$work/bazel.log" 2>&1 || die "nothing to compare with, or no server"
digests "$(./bazelw info bazel-bin 2>/dev/null)" >"$work/here"

# The server ends when its input does.
mkfifo "$work/server/input"
bazel-bin/tests/remote/server "$work/server" <"$work/server/input" >"$work/server/ready" 2>"$work/server/start.log" &
server=$!
exec 8>"$work/server/input"
for ((i = 0; i < 600; i++)); do
  [[ ! -s $work/server/ready ]] || break
  kill -0 "$server" 2>/dev/null || die "the server did not start"
  sleep 0.2
done
read -r _ port <"$work/server/ready" || die "the server did not start"
say "server is ready"

# One connection, as the server has a thread for each call.
remote=(
  --config=remote "--remote_executor=grpc://127.0.0.1:$port" --remote_max_connections=1 --symlink_prefix=/
  --remote_download_outputs=all --platforms=//tests/remote:gpu_runner --extra_execution_platforms=//tests/remote:runner,//tests/remote:gpu_runner
)
[[ $count == 4 ]] || remote+=(--strategy=JaxportCapture=sandboxed,local)
# Not for Bazel's server, which would keep the other one from seeing the end of its input.
bazel() { ./bazelw "${own[@]}" "$@" 8>&- >"$work/bazel.log" 2>&1; }

bazel test "${remote[@]}" "//migrate:$unit.verify" "//migrate:${unit}_gpu_test" || die "not built, or not tested"
grep -q "processes:.* $count remote" "$work/bazel.log" || die "${steps[*]} and the test were to be run remotely"
say "$(grep -o '[0-9]* processes:.*' "$work/bazel.log")"
bin=$(./bazelw "${own[@]}" info "${remote[@]}" bazel-bin 2>/dev/null 8>&-)
digests "$bin" >"$work/there"
diff "$work/here" "$work/there" || die "other bytes than those of a build here"
for step in "${steps[@]}"; do
  grep -q "^usual 0 .*/$unit.$step/" "$work/server/usual.log" || die "$step was to run on the worker without an accelerator"
done
grep -q "^gpu 0 .*/${unit}_gpu_test/" "$work/server/gpu.log" || die "the test was to run on the worker with Pool=gpu"

bazel clean || die "not cleaned"
bazel test "${remote[@]}" "//migrate:$unit.verify" "//migrate:${unit}_gpu_test" || die "not built from the cache"
grep -q 'processes:.* 4 remote cache hit' "$work/bazel.log" || die "all four were to come from the server's cache"
say "all passed"
