#!/usr/bin/env bash
# Unpacks Debian's build of Bazel into a private folder, without root and without touching the host.
#
#   install_debian.sh PREFIX DOWNLOADS     afterwards PREFIX/bin/bazel runs
#
# For machines that reach a Debian mirror but not Bazel's own releases. The packages come from the
# mirror that apt is set up with, at the `unstable` suite, and are checked by apt against Debian's
# signing keys. DOWNLOADS keeps them, so an interrupted run goes on where it stopped.
#
# Everything is unpacked under PREFIX: Bazel, its jars, a Java runtime and the C library that they
# were built for. Programs get that C library as their loader, jar paths get the prefix, and
# PREFIX/bazelrc tells Bazel where its built-in modules are. PREFIX/.complete is written last.
set -euo pipefail
export LC_ALL=C

say() { printf 'bazelw: %s\n' "$*" >&2; }
die() {
  say "cannot install Bazel: $*. Or put bazel or bazelisk on PATH."
  exit 1
}

[[ $# == 2 ]] || { say "usage: install_debian.sh PREFIX DOWNLOADS" && exit 1; }
mkdir -p "$1" "$2"
prefix=$(realpath "$1")
downloads=$(realpath "$2")
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
multiarch=$(uname -m)-linux-gnu
lib=$prefix/usr/lib/$multiarch

for tool in apt-get dpkg-deb python3 realpath; do
  command -v "$tool" >/dev/null || die "$tool is missing"
done

# shellcheck source=third_party/bazel/private_apt.sh
source "$here/private_apt.sh"
private_apt_setup "$downloads/apt-unstable" unstable

# What the closure of bazel-bootstrap drags in and a Python build never opens: compilers, the JDK
# beyond its runtime, and base tools that every machine has.
unneeded='^(openjdk-.*-jdk|default-jdk|gcc|g\+\+|cpp|binutils|libstdc\+\+-.*-dev|libgcc-.*-dev|libc6-dev|libc-dev'
unneeded+='|linux-libc-dev|perl|libperl|dpkg|python3|libpython3|lib[a-z]*san[0-9]|util-linux|make|patch$|bash|coreutils)'
mapfile -t packages < <(
  private_apt install --simulate --no-install-recommends bazel-bootstrap patchelf |
    awk '$1 == "Inst" {print $2}' | grep -vE "$unneeded" | sort
)
((${#packages[@]} > 0)) || die "the Debian mirror offers no bazel-bootstrap"
private_apt_download "$downloads/packages" "${packages[@]}"

say "unpacking ${#packages[@]} packages"
find "$prefix" -mindepth 1 -delete
for package in "${packages[@]}"; do
  for deb in "$downloads/packages/${package%%:*}"_*.deb; do
    dpkg-deb --extract "$deb" "$prefix"
  done
done

# Absolute links point into the host; turn them to the unpacked tree.
find "$prefix" -type l -lname '/*' -print0 |
  while IFS= read -r -d '' link; do
    ln -sfn "$prefix$(readlink "$link")" "$link"
  done

# Debian's patchelf needs the unpacked C library too, and can be started through its loader.
loader=$(find "$lib" -maxdepth 1 -name 'ld-linux-*.so.*' | sort | head -n 1)
[[ -n $loader ]] || die "no C library among the unpacked packages"
patch_elf() { "$loader" --library-path "$lib" "$prefix/usr/bin/patchelf" --force-rpath "$@"; }

java=$(readlink -f "$(find "$prefix/usr/lib/jvm" -path '*/bin/java' | sort | head -n 1)")
jvm=${java%/bin/java}
while IFS= read -r -d '' program; do
  patch_elf --set-interpreter "$loader" --set-rpath "$lib" "$program"
done < <(find "$prefix/usr/bin/bazel" "$prefix"/usr/libexec/*/bazel -type f -print0)
for program in "$java" "$jvm/lib/jspawnhelper"; do
  patch_elf --set-interpreter "$loader" --set-rpath "\$ORIGIN/../lib:\$ORIGIN/../lib/server:\$ORIGIN:$lib" "$program"
done
find "$jvm/lib" -name '*.so' -print0 | while IFS= read -r -d '' library; do
  patch_elf --set-rpath "\$ORIGIN:\$ORIGIN/server:\$ORIGIN/..:$lib" "$library"
done

python3 - "$prefix" <<'PY'
"""Lists every jar that the server needs under the prefix.

Debian's list names the direct jars by absolute path; the jars' manifests name the rest.
"""
import os
import sys
import zipfile

prefix = sys.argv[1]
listing = prefix + "/usr/share/bazel/bazel_classpath_debian_depends.txt"
with open(listing, encoding="utf-8") as f:
    queue = f.read().split()
found = {}
for jar in queue:
    if jar in found or not os.path.exists(prefix + jar):
        continue
    found[jar] = True
    with zipfile.ZipFile(prefix + jar) as z:
        if "META-INF/MANIFEST.MF" not in z.namelist():
            continue
        manifest = z.read("META-INF/MANIFEST.MF").decode("utf-8")
    for line in manifest.replace("\r\n", "\n").replace("\n ", "").split("\n"):
        name, _, value = line.partition(":")
        if name == "Class-Path":
            folder = os.path.dirname(jar)
            queue += [os.path.normpath(os.path.join(folder, p.removeprefix("file:"))) for p in value.split()]
with open(listing, "w", encoding="utf-8") as f:
    f.writelines(f"{prefix}{jar}\n" for jar in found)
PY

# Debian ships the modules that every build resolves; the rest are stand-ins (third_party/registry).
share=$prefix/usr/share/bazel
{
  for module in \
    platforms=tools/platforms rules_java=rules/java rules_cc=rules/cc bazel_features=tools/features \
    bazel_skylib=tools/skylib rules_license=rules/license rules_python=rules/python rules_proto=rules/proto; do
    echo "common --override_module=${module%%=*}=$share/${module#*=}"
  done
  echo "common --noenable_workspace"
} >"$prefix/bazelrc"
mkdir -p "$prefix/bin"
cat >"$prefix/bin/bazel" <<RUN
#!/bin/sh
exec "$prefix/usr/bin/bazel" --nosystem_rc --bazelrc="$prefix/bazelrc" \\
  --install_base="$share" --trust_install_base --server_javabase="$jvm" "\$@"
RUN
chmod +x "$prefix/bin/bazel"
version=$("$prefix/bin/bazel" --version) || die "the unpacked Bazel does not start"
say "installed $version"
touch "$prefix/.complete"
