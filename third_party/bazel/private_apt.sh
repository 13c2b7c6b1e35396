# Sourced, not run: apt with a state of its own, so that packages can be resolved and downloaded
# without root and without the host noticing. The caller defines say, and die, which gets a clause and says
# what else can be done.

# private_apt_setup STATE SUITE: STATE is a folder that may be kept and reused.
private_apt_setup() {
  local state=$1 suite=$2 mirror keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  mkdir -p "$state"/lists/partial "$state"/cache/archives/partial
  : >"$state/status"
  # The host's own mirror, so that its proxies, certificates and access rules go on working.
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
    grep -m 1 -E '/debian/?$' || true)
  [[ -n $mirror ]] || die "no Debian mirror is among apt's sources"
  [[ -e $keyring ]] || die "$keyring is missing (package debian-archive-keyring)"
  echo "deb [signed-by=$keyring] $mirror $suite main" >"$state/sources.list"
  private_apt_options=(
    -o Dir::Etc::SourceList="$state/sources.list" -o Dir::Etc::SourceParts=/dev/null
    -o Dir::State="$state" -o Dir::State::Lists="$state/lists" -o Dir::State::Status="$state/status"
    -o Dir::Cache="$state/cache" -o Debug::NoLocking=1 -o APT::Sandbox::User=
    -o APT::Update::Post-Invoke= -o APT::Update::Post-Invoke-Success= -o Acquire::Languages=none
    -o APT::Install-Recommends=0 -o Acquire::Retries=3 -o Acquire::http::Timeout=30
  )
  say "reading the package list of Debian $suite"
  # Without that mode apt goes on with half a list and says it is fine.
  private_apt -qq -o APT::Update::Error-Mode=any update >"$state/update.log" 2>&1 ||
    die "$(private_apt_reason "$state/update.log" "the Debian mirror $mirror cannot be reached")"
}

# private_apt_reason LOG WHAT: one clause from what apt wrote, its first complaint in brackets.
private_apt_reason() {
  local reason
  reason=$(sed -nE 's/^[WE]: (Failed to fetch [^ ]+ +)?//p' "$1" | head -n 1)
  printf '%s%s' "$2" "${reason:+ ($reason)}"
}

private_apt() { apt-get "${private_apt_options[@]}" "$@"; }

# private_apt_download FOLDER PACKAGE...: finished packages in FOLDER are not fetched again.
private_apt_download() {
  local folder=$1 total=$(($# - 1))
  shift
  mkdir -p "$folder"
  say "downloading $total packages"
  # No awk here: Debian's reads ahead, and the lines would come when all is done.
  (cd "$folder" && private_apt download "$@" 2>"$folder/errors.log") | private_apt_count "$total" ||
    die "$(private_apt_reason "$folder/errors.log" "a download from the Debian mirror failed; run again to go on")"
  rm -f "$folder/errors.log"
}

# private_apt_count TOTAL: says how far apt has come, from what it writes.
private_apt_count() {
  local line count=0
  while IFS= read -r line; do
    [[ $line == Get:* ]] || continue
    count=$((count + 1))
    ((count % 10)) || say "$count of $1 packages"
  done
}
