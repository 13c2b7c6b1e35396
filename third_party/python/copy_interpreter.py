"""Copies the running CPython into a folder: `python3 -I copy_interpreter.py VERSION FOLDER`.

Run by interpreter_repo.bzl with the interpreter that is to be copied.
"""

import compileall
import os
import pathlib
import py_compile
import re
import shutil
import sys
import sysconfig

# Parts of the standard library that no build step opens, and what a distribution adds to it.
PRUNED = re.compile(
    r"__pycache__|ensurepip|idlelib|tests?|tkinter|turtledemo|config-\d.*|(site|dist)-packages"
    r"|(site|user)customize\.py|EXTERNALLY-MANAGED|_tkinter\..*|_(ctypes_)?test.*\.so|.*\.(a|pyc)"
)


def ignore(folder: str, names: list[str]) -> list[str]:
    return [n for n in names if PRUNED.fullmatch(n)]


def main() -> None:
    version, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    running = "{}.{}".format(*sys.version_info)
    if running != version:
        sys.exit(f"this is Python {running}")
    name = f"python{version}"
    source = pathlib.Path(sysconfig.get_path("stdlib"))
    dynamic = pathlib.Path(sysconfig.get_config_var("DESTSHARED") or source / "lib-dynload")
    stdlib = folder / "lib" / name
    for part in ("bin", "lib"):
        shutil.rmtree(folder / part, ignore_errors=True)
    shutil.copytree(source, stdlib, ignore=ignore, ignore_dangling_symlinks=True)
    if not (stdlib / "lib-dynload").exists():
        shutil.copytree(dynamic, stdlib / "lib-dynload", ignore=ignore)
    (folder / "bin").mkdir()
    executable = folder / "bin" / "python3"
    shutil.copyfile(os.path.realpath(sys.executable), executable)
    executable.chmod(0o755)

    library = sysconfig.get_config_var("INSTSONAME")
    if sysconfig.get_config_var("Py_ENABLE_SHARED") and library:
        origin = pathlib.Path(sysconfig.get_config_var("LIBDIR")) / library
        if origin.exists():
            shutil.copyfile(origin, folder / "lib" / library)

    # Nothing from ~/.local: what a target may import is what its `deps` say. (Editing site.py would
    # do nothing, CPython has it frozen inside.)
    (folder / "pyvenv.cfg").write_text("include-system-site-packages = false\n", encoding="utf-8")

    compileall.compile_dir(
        str(stdlib),
        stripdir=str(stdlib),
        quiet=2,
        workers=0,
        maxlevels=20,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
    (folder / "VERSION").write_text(sys.version.split()[0] + "\n", encoding="utf-8")
    (folder / "HOST").write_text(sys.executable + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
