#!/bin/sh
# Git's hook pre-push: checks what is about to be pushed, and stops the push where something is found.
#
#   cp presubmitting/pre_push.sh .git/hooks/pre-push
#
# JAXPORT_PRESUBMIT names the target (//:presubmit), JAXPORT_BAZEL the command (bazel), and JAXPORT_BASE the branch
# that a new one is compared with (origin/main). https://git-scm.com/docs/githooks#_pre_push
set -eu
none=$(git hash-object --stdin </dev/null | tr '0-9a-f' '0')
while read -r _ local _ remote; do
  [ "$local" != "$none" ] || continue # a branch is removed
  since=$remote
  if [ "$remote" = "$none" ] || ! git cat-file -e "$remote" 2>/dev/null; then
    since=$(git merge-base "$local" "${JAXPORT_BASE:-origin/main}")
  fi
  "${JAXPORT_BAZEL:-bazel}" run "${JAXPORT_PRESUBMIT:-//:presubmit}" -- --since "$since" </dev/null
done
