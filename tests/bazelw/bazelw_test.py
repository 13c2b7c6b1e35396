"""bazelw: which Bazel it takes, what it says where it finds none, and what it leaves behind."""

import os
import pathlib
import re
import signal
import time

from absl.testing import absltest, parameterized

from tests.bazelw import machine

FILES = (
    "bazelw",
    ".bazelversion",
    "MODULE.bazel",
    "third_party/bazel/install_debian.sh",
    "third_party/bazel/private_apt.sh",
)
#: An installer that takes its time; bazelw runs it as it runs the real one.
INSTALLER = """
echo install >>"$CALLS"
mkdir -p "$1/bin"
sleep "${SECONDS_TO_INSTALL:-0}"
cat >"$1/bin/bazel" <<'END'
#!/bin/sh
echo "debian $*" >>"$CALLS"
END
chmod +x "$1/bin/bazel"
touch "$1/.complete"
"""
NO_APT = 'echo "E: Unable to locate package" >&2; exit 100'
NO_NETWORK = """
case "$*" in
  indextargets*) echo http://deb.example/debian/ ;;
  *" update")
    echo "W: Failed to fetch http://deb.example/debian/dists/unstable/InRelease  Temporary failure resolving 'deb.example'" >&2
    [[ "$*" != *Error-Mode=any* ]] || exit 100 ;;
esac
"""


class BazelwTest(parameterized.TestCase):
    def machine(self, **options) -> machine.Machine:
        found = machine.Machine(
            pathlib.Path(self.create_tempdir().full_path), {name: pathlib.Path(name) for name in FILES}, **options
        )
        # No release of Bazel is in reach, unless a test says so.
        found.program("curl", "exit 6")
        return found

    def test_takes_bazel_from_path_and_remembers_it(self):
        here = self.machine()
        here.program("bazel", machine.BAZEL)
        code, said = here.run("test", "//x")
        self.assertEqual(code, 0, said)
        self.assertStartsWith(here.calls[-1], f"bazel --bazelrc={here.cache}/run/")
        self.assertEndsWith(here.calls[-1], ".bazelrc test //x")
        before = len(here.calls)
        self.assertEqual(here.run("test", "//x"), (0, []))
        self.assertLen(here.calls, before + 1)

    def test_old_bazel_is_passed_over(self):
        here = self.machine()
        here.program("bazel", "VERSION=6.4.0\n" + machine.BAZEL)
        here.program("bazelisk", machine.BAZEL)
        _, said = here.run("version")
        self.assertIn("is Bazel 6.4.0; jaxport needs 7 or newer", "\n".join(said))
        self.assertStartsWith(here.calls[-1], "bazelisk ")

    @parameterized.parameters(("exit 1",), ("echo development version",), ("exec /nonexistent",))
    def test_bazel_that_does_not_work_is_passed_over(self, script):
        here = self.machine()
        here.program("bazel", script)
        here.script(here.clone / "third_party/bazel/install_debian.sh", INSTALLER)
        code, said = here.run("version")
        self.assertEqual(code, 0, said)
        self.assertEqual(here.calls[0], "install")
        self.assertStartsWith(here.calls[-1], "debian ")

    def test_bazel_without_a_registry_is_passed_over(self):
        here = self.machine()
        here.program("bazel", "REGISTRY=1\n" + machine.BAZEL)
        here.script(here.clone / "third_party/bazel/install_debian.sh", INSTALLER)
        _, said = here.run("version")
        self.assertIn("resolves no modules here", "\n".join(said))
        self.assertStartsWith(here.calls[-1], "debian ")

    def test_bazel_that_is_named_is_taken_as_it_is(self):
        here = self.machine()
        named = here.script(here.clone / "my bazel", machine.BAZEL)
        self.assertEqual(here.run("version", JAXPORT_BAZEL=str(named)), (0, []))
        self.assertLen(here.calls, 1)

    def test_bazel_that_is_named_and_is_not_there(self):
        self.assertEqual(
            self.machine().run("version", JAXPORT_BAZEL="/nonexistent/bazel"),
            (1, ["bazelw: JAXPORT_BAZEL names no program: /nonexistent/bazel"]),
        )

    def test_bazelw_named_bazel_on_path_does_not_call_itself(self):
        here = self.machine()
        here.program("bazel", f'exec "{here.clone}/bazelw" "$@"').unlink()
        (here.home.parent / "bin" / "bazel").symlink_to(here.clone / "bazelw")
        here.script(here.clone / "third_party/bazel/install_debian.sh", INSTALLER)
        self.assertEqual(here.run("version")[0], 0)
        self.assertStartsWith(here.calls[-1], "debian ")

    def assertEndsInOneLine(self, result, pattern):  # noqa: N802
        code, said = result
        self.assertEqual(code, 1)
        self.assertRegex(said[-1], pattern)
        for line in said:
            self.assertStartsWith(line, "bazelw: ")

    def test_no_apt(self):
        self.assertEndsInOneLine(
            self.machine().run("version"),
            r"^bazelw: cannot install Bazel: apt-get is missing\. Or put bazel or bazelisk on PATH\.$",
        )

    def test_no_network(self):
        here = self.machine()
        here.program("apt-get", NO_NETWORK)
        here.program("dpkg-deb", "exit 1")
        if not os.path.exists("/usr/share/keyrings/debian-archive-keyring.gpg"):
            self.skipTest("not a Debian machine")
        self.assertEndsInOneLine(
            here.run("version"),
            r"cannot install Bazel: the Debian mirror http://deb.example/debian/? cannot be reached "
            r"\(Temporary failure resolving 'deb.example'\)\.",
        )

    def test_no_debian_mirror(self):
        here = self.machine()
        here.program("apt-get", NO_APT)
        here.program("dpkg-deb", "exit 1")
        self.assertEndsInOneLine(here.run("version"), "no Debian mirror is among apt's sources")

    def test_other_system(self):
        here = self.machine()
        here.program("uname", "echo Darwin")
        self.assertEndsInOneLine(here.run("version"), r"runs on Linux .*; this is Darwin\. Use a Linux machine")

    @parameterized.parameters(None, "/proc/nonexistent")
    def test_home_that_cannot_be_written(self, home):
        here = self.machine()
        here.program("bazel", machine.BAZEL)
        here.program("getent", "exit 2")
        code, said = here.run("version", HOME=home)
        self.assertEqual(code, 0, said)
        self.assertIn(f" --output_user_root={here.temporary_cache}/output version", here.calls[-1])
        self.assertEqual(here.temporary_cache.stat().st_mode & 0o777, 0o700)

    def test_clone_below_the_temporary_folder_is_mounted_into_sandboxes(self):
        here = self.machine()
        here.program("bazel", machine.BAZEL)
        here.run("version")
        (written,) = (here.cache / "run").iterdir()
        lines = written.read_text().splitlines()
        self.assertEqual(f"build '--sandbox_add_mount_pair={here.clone}'" in lines, here.clone.is_relative_to("/tmp"))

    def test_stand_in_registry_goes_with_debian_only(self):
        here = self.machine()
        here.script(here.clone / "third_party/bazel/install_debian.sh", INSTALLER)
        here.run("version")
        (written,) = (here.cache / "run").iterdir()
        self.assertRegex(written.read_text(), r"--registry=file:///\S+/a%20clone/third_party/registry'")

    def test_two_at_once_install_once(self):
        here = self.machine()
        here.script(here.clone / "third_party/bazel/install_debian.sh", INSTALLER)
        both = [here.start("version", SECONDS_TO_INSTALL="3") for _ in range(2)]
        said = [process.communicate(timeout=100)[1] for process in both]
        self.assertEqual([process.returncode for process in both], [0, 0], said)
        self.assertEqual(here.calls.count("install"), 1)
        self.assertIn("waiting for another installation to finish", "".join(said))

    def test_killed_installation_is_made_again(self):
        here = self.machine()
        here.script(here.clone / "third_party/bazel/install_debian.sh", INSTALLER)
        first = here.start("version", SECONDS_TO_INSTALL="60")
        while "install" not in here.calls:
            time.sleep(0.05)
        (pid,) = pathlib.Path(f"/proc/{first.pid}/task/{first.pid}/children").read_text().split()
        os.kill(int(pid), signal.SIGKILL)
        self.assertNotEqual(first.wait(timeout=100), 0)
        first.communicate()
        self.assertEqual(here.run("version")[0], 0)
        self.assertEqual([re.sub(" .*", "", call) for call in here.calls], ["install", "install", "debian"])


if __name__ == "__main__":
    absltest.main()
