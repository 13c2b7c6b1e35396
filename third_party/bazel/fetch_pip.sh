#!/usr/bin/env bash
# Links Debian's wheel of pip to LINK, for machines that have Python but not pip: fetch_pip.sh FOLDER LINK
# It is kept in FOLDER, from where the next run takes it.
set -euo pipefail
export LC_ALL=C

say() { printf 'wheels: %s\n' "$*" >&2; }
die() {
  say "$*"
  exit 1
}

mkdir -p "$1"
folder=$(realpath "$1")
link() {
  for wheel in /usr/share/python-wheels/pip-*.whl "$folder"/pip-*.whl; do
    [[ ! -e $wheel ]] || { ln -sfn "$wheel" "$1" && exit 0; }
  done
}
link "$2"
# Two clones may share FOLDER; whoever waited finds the work done.
if command -v flock >/dev/null; then
  exec 9>"$folder/lock"
  flock 9
  link "$2"
fi
for tool in apt-get dpkg-deb; do
  command -v "$tool" >/dev/null || die "$tool is missing"
done
# shellcheck source=third_party/bazel/private_apt.sh
source "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/private_apt.sh"
private_apt_setup "$folder/apt" stable
private_apt_download "$folder/packages" python3-pip-whl
dpkg-deb --extract "$folder"/packages/python3-pip-whl_*.deb "$folder/root"
mv "$folder"/root/usr/share/python-wheels/pip-*.whl "$folder"
rm -rf "$folder/apt" "$folder/packages" "$folder/root"
link "$2"
die "Debian's package of pip holds no wheel"
