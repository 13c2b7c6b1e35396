"""Downloads what a hashed lock names: `python3 -I download_wheels.py LOCK LIST FOLDER PIP...`.

Run by wheels_repo.bzl. PIP is the command that runs pip, which finds the wheels and checks their
hashes. They are kept in FOLDER, a few at a time, so that an interrupted run goes on where it stopped
and a later one needs no network. LIST gets the wheels' paths, one per line, the largest first.
"""

from __future__ import annotations

import collections
import concurrent.futures
import fcntl
import hashlib
import pathlib
import re
import subprocess
import sys
import threading
import time

# Wheels for each run of pip, and how many runs at once: starting pip takes a second.
BATCH = 10
PARALLEL = 3


def say(text: str) -> None:
    print(f"wheels: {text}", flush=True)


def requirements(lock: str) -> dict[str, str]:
    """Each requirement of the lock by its `name-version`, as its wheel's file name begins."""
    blocks = re.findall(r"^[A-Za-z0-9].*?==.*?(?=^\S|\Z)", lock, re.MULTILINE | re.DOTALL)
    found = {}
    for block in blocks:
        name, version = re.match(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;\\]+)", block).groups()  # type: ignore[union-attr]
        found[f"{re.sub(r'[-_.]+', '_', name).lower()}-{version}"] = re.sub(r"^ +#.*\n", "", block, flags=re.MULTILINE)
    return found


def present(folder: pathlib.Path, wanted: dict[str, str]) -> dict[str, pathlib.Path]:
    """The wheels in the folder that the lock names, with the hash that it gives."""
    found = {}
    for file in sorted(folder.glob("*.whl")):
        name, version = file.name.split("-")[:2]
        key = f"{re.sub(r'[-_.]+', '_', name).lower()}-{version}"
        if key in wanted:
            with open(file, "rb") as f:
                if hashlib.file_digest(f, "sha256").hexdigest() in wanted[key]:
                    found[key] = file
                else:
                    file.unlink()
    return found


class Downloads:
    """Runs pip on batches of requirements and reports the large files as they come."""

    def __init__(self, folder: pathlib.Path, pip: list[str], total: int, done: int) -> None:
        self.folder, self.pip, self.total = folder, pip, total
        self.seen = self.shown = done
        self.lock = threading.Lock()
        self.failed = threading.Event()

    def report(self, line: str) -> None:
        with self.lock:
            self.seen += line.startswith("Collecting ")
            size = re.search(r"(\S+\.whl).* \((\d+(?:\.\d+)?) MB\)", line)
            if size and float(size[2]) >= 5:
                say(f"{self.seen} of {self.total}: {size[1].rpartition('/')[2]}, {size[2]} MB")
                self.shown = self.seen
            elif self.seen >= self.shown + 20:
                say(f"{self.seen} of {self.total}")
                self.shown = self.seen

    def run(self, batch: list[str]) -> str | None:
        """Downloads a batch; what went wrong in one line, or None."""
        if self.failed.is_set():
            return None
        command = [*self.pip, "download", "--no-deps", "--require-hashes", "--only-binary=:all:", "--progress-bar=off"]
        command += ["--disable-pip-version-check", "--no-input", "--no-cache-dir", "--dest", str(self.folder)]
        command += ["--requirement", "/dev/stdin"]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace"
        )
        assert process.stdin and process.stdout and process.stderr
        process.stdin.write("".join(batch))
        process.stdin.close()
        tail: collections.deque[str] = collections.deque(maxlen=40)
        reader = threading.Thread(target=tail.extend, args=(process.stderr,))
        reader.start()
        for line in process.stdout:
            self.report(line)
        reader.join()
        if not process.wait():
            return None
        self.failed.set()
        sys.stderr.writelines(tail)
        return reason(list(tail))


def reason(lines: list[str]) -> str:
    """Why pip failed, in one line; where it reached no index it only says that it found nothing there."""
    text = "".join(lines)
    broken = re.search(r"connection broken by '(.*)': /", text)
    if broken:
        return f"the package index that pip is set up with can't be reached ({broken[1]})"
    errors = [line.strip() for line in lines if line.startswith("ERROR:")]
    return errors[-1] if errors else "pip download failed"


def main() -> None:
    lock, listing, folder = map(pathlib.Path, sys.argv[1:4])
    wanted = requirements(lock.read_text(encoding="utf-8"))
    folder.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    with open(folder / ".lock", "w", encoding="utf-8") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another download to finish")
            fcntl.flock(held, fcntl.LOCK_EX)
        found = present(folder, wanted)
        missing = [text for key, text in wanted.items() if key not in found]
        say(f"downloading {len(missing)} packages, {len(found)} are here")
        downloads = Downloads(folder, sys.argv[4:], len(wanted), len(found))
        batches = [missing[i : i + BATCH] for i in range(0, len(missing), BATCH)]
        with concurrent.futures.ThreadPoolExecutor(PARALLEL) as pool:
            errors = [e for e in pool.map(downloads.run, batches) if e]
        if errors:
            sys.exit(errors[0])
        found = present(folder, wanted)
    lost = sorted(set(wanted) - set(found))
    if lost:
        sys.exit("pip brought no wheel of " + ", ".join(lost))
    files = sorted(found.values(), key=lambda p: (-p.stat().st_size, p.name))
    listing.write_text("".join(f"{p}\n" for p in files), encoding="utf-8")
    say(f"downloaded in {time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()
