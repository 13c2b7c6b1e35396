#!/usr/bin/env bash
# Resolves requirements.in into requirements.lock: exact versions with the hashes of their wheels.
#
#   bash third_party/python/lock.sh [FOLDER] [uv options, such as --upgrade or --upgrade-package jax]
#
# FOLDER is where requirements.in lies, by default where this file does.
#
# Needs uv. No address is written into the lock: where wheels come from is the user's pip set-up.
set -euo pipefail
command="bash third_party/python/lock.sh"
folder=$(dirname "$0")
if [[ -d ${1:-} ]]; then
  folder=$1
  command+=" $folder"
  shift
fi
cd "$folder"

# Left out: `tensorflow`, which tf-keras asks for, since `tensorflow-cpu` holds the same modules without
# GPU libraries; `volatile`, which has no wheel and which only bowler's own tests import.
overrides=$(mktemp)
trap 'rm -f "$overrides"' EXIT
printf "%s ; python_version < '3'\n" tensorflow volatile >"$overrides"

uv pip compile requirements.in \
  --output-file requirements.lock --generate-hashes --only-binary :all: \
  --python-version 3.11 --python-platform x86_64-unknown-linux-gnu --overrides "$overrides" \
  --no-emit-index-url --no-emit-find-links \
  --custom-compile-command "$command" "$@"
