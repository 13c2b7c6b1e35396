"""Several files that import each other, ported as one module and taken apart again."""
