#!/usr/bin/env bash
# Uses jaxport as another repository would, with a lock of its own, from an empty output base.
#
#   bash tests/e2e/run.sh module|workspace [FOLDER]    works in FOLDER and keeps it; by default in a temporary one
#
# Copies `shop`, migrates its unit with `bazel run`, and tests what that wrote. Downloads what is missing, so it is
# no test of `bazelw test //...`; .ci/run calls it after that. `workspace` needs Debian's Bazel, which brings
# rules_python and the rest; where bazelw found another, it is skipped.
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd -P)
root=$(cd "$here/../.." && pwd -P)

say() { printf 'e2e: %s\n' "$*"; }
die() {
  say "$*"
  exit 1
}

mode=${1:-}
[[ $mode == module || $mode == workspace ]] || die "usage: run.sh module|workspace [FOLDER]"
if [[ $# -gt 1 ]]; then
  mkdir -p "$2"
  work=$(cd "$2" && pwd -P)
  kept=yes
else
  work=$(mktemp -d)
  kept=no
fi
shop=$work/shop
rm -rf "$shop"
cp -R "$here/shop" "$shop"

flags=()
bazel() {
  (cd "$shop" && "$root/bazelw" --output_base="$work/output" "$1" "${flags[@]}" "${@:2}" 2>"$work/bazel.log")
}
leave() {
  status=$?
  [[ $status == 0 ]] || tail -n 40 "$work/bazel.log"
  flags=()
  bazel shutdown || true
  if [[ $kept == no ]]; then
    chmod -R u+w "$work" && rm -rf "$work"
  fi
  exit "$status"
}
trap leave EXIT

if [[ $mode == module ]]; then
  flags+=("--override_module=jaxport=$root")
  # What Bazel 8 and 9 do by themselves, as far as Bazel 7 and its own rules can be told to.
  later=(
    --incompatible_auto_exec_groups
    --incompatible_config_setting_private_default_visibility
    --incompatible_disable_native_repo_rules
    --incompatible_disallow_empty_glob
    --incompatible_python_disallow_native_rules
    --incompatible_top_level_aspects_require_providers
    --incompatible_visibility_private_attributes_at_definition
  )
  if bazel canonicalize-flags --for_command=build -- "${later[@]}" >/dev/null; then
    flags+=("${later[@]}")
  fi
else
  share=$(bazel info install_base) || die "there is no Bazel"
  if [[ ! -d $share/rules/python ]]; then
    say "skipped: this is not Debian's Bazel"
    exit 0
  fi
  flags+=(--noenable_bzlmod --enable_workspace "--override_repository=jaxport=$root")
  for repository in \
    platforms=tools/platforms rules_java=rules/java rules_cc=rules/cc bazel_features=tools/features \
    bazel_skylib=tools/skylib rules_license=rules/license rules_python=rules/python rules_proto=rules/proto; do
    flags+=("--override_repository=${repository%%=*}=$share/${repository#*=}")
  done
fi

# A lock of the shop's own: without what only jaxport's own tests need.
python3 "$here/own_lock.py" "$root/third_party/python/requirements.lock" "$shop/requirements.lock"

say "$mode: bazel run //models:tagger_port"
bazel run //models:tagger_port || die "the unit was not ported"
for file in tagger_port_jax.py tagger_port_weights_map.json; do
  [[ -s $shop/models/$file ]] || die "models/$file was not written"
done
grep -q 'name = "tagger_port_jax"' "$shop/models/BUILD.bazel" || die "models/BUILD.bazel has no target for the port"
if grep -q tensorflow "$shop/models/tagger_port_jax.py"; then die "the port speaks of TensorFlow"; fi

say "$mode: bazel test //..."
bazel test //... || die "the unit's tests fail"

say "$mode: bazel build //models:audit"
bazel build //models:audit || die "the audit was not built"

[[ -z $(compgen -G "$work/output/external/*pypi/dists/mypy") ]] || die "jaxport's own lock was used"
say "$mode: all passed"
