"""Tests what is said of a process that ended without a word of its own."""

from absl.testing import absltest, parameterized

from parity import isolation

_LOG = (
    "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n"
    "I0000 00:00:1795267740.497323   27875 cudart_stub.cc:31] Could not find cuda drivers on your machine.\n"
    "2026-01-02 03:04:05.678901: I external/local_xla/xla/tsl/cuda/cudart_stub.cc:31] Could not find cuda drivers.\n"
)


class EndingTest(parameterized.TestCase):
    @parameterized.parameters(
        (1, "Traceback\nImportError: no numpy\n", "ended with exit code 1: ImportError: no numpy"),
        (3, "", "ended with exit code 3"),
        (-11, _LOG, "was ended by SIGSEGV"),
        (-6, "terminate called\n" + _LOG, "was ended by SIGABRT: terminate called"),
        (-9, "", "was ended by SIGKILL; it may have run out of memory: give smaller inputs"),
        (-200, "", "was ended by signal 200"),
    )
    def test_one_clause(self, code, errors, expected):
        self.assertEqual(isolation.ending(code, errors), expected)


if __name__ == "__main__":
    absltest.main()
