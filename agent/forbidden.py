"""Names that new code may not use: what reaches out of the program, or into the interpreter."""

from __future__ import annotations

import re

#: What new code may import.
MODULES = ("jax", "flax", "optax", "numpy", "math", "functools", "itertools", "operator", "typing", "collections")
#: Parts of these that reach out of the program.
OUTSIDE = re.compile(
    r"\b(?:jax\.(?:experimental|debug|profiler|monitoring|distributed|ffi|dlpack|pure_callback|export|_src|config)"
    r"|jnp\.(?:load|save|savez|fromfile)|np\.(?:load|loadtxt|save|savez|savez_compressed|savetxt|genfromtxt|fromfile"
    r"|memmap|lib|ctypeslib|testing|f2py|core|_core|DataSource))\b"
)
CALLBACKS = frozenset(
    {"pure_callback", "io_callback", "host_callback", "tofile", "tobytes", "fromfile", "memmap", "dump"}
)
BUILTINS = frozenset(
    "open exec eval compile __import__ globals locals vars input breakpoint getattr setattr delattr exit quit help "
    "memoryview __build_class__ __loader__ __spec__ __builtins__".split()
)
