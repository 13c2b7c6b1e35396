# Sourced, not run: apt with a state of its own, so that packages can be resolved and downloaded
# without root and without the host noticing. The caller defines say and die.

# private_apt_setup STATE SUITE: STATE is a folder that may be kept and reused.
private_apt_setup() {
  local state=$1 suite=$2 mirror keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  mkdir -p "$state"/lists/partial "$state"/cache/archives/partial
  : >"$state/status"
  # The host's own mirror, so that its proxies, certificates and access rules go on working.
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
    grep -m 1 -E '/debian/?$' || true)
  [[ -n $mirror ]] || die "no Debian mirror among apt's sources (put bazel or bazelisk on PATH)"
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
  private_apt -qq update || die "the Debian mirror that apt is set up with cannot be reached"
}

private_apt() { apt-get "${private_apt_options[@]}" "$@"; }

# private_apt_download FOLDER PACKAGE...: finished packages in FOLDER are not fetched again.
private_apt_download() {
  local folder=$1 total=$(($# - 1))
  shift
  mkdir -p "$folder"
  say "downloading $total packages"
  (cd "$folder" && private_apt download "$@") |
    awk -v total="$total" '/^Get:/ { n++; if (n % 10 == 0) printf "bazelw: %d of %d packages\n", n, total }' >&2 ||
    die "a download from the Debian mirror failed; run again to go on"
}
