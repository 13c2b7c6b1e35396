"""A test action has no network, where Bazel's sandbox can block it at all."""

import ctypes
import os
import pathlib
import socket
import threading

from absl.testing import absltest

CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000


def namespaces_allowed() -> bool:
    """Whether this machine lets an ordinary process make a network namespace, as the sandbox must."""
    pid = os.fork()
    if pid == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        os._exit(0 if libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 else 1)
    return os.waitpid(pid, 0)[1] == 0


class NetworkTest(absltest.TestCase):
    def test_only_the_loopback_interface_is_there(self):
        interfaces = {name for _, name in socket.if_nameindex()}
        if interfaces - {"lo"} and not namespaces_allowed():
            self.skipTest("this machine forbids user namespaces, so Bazel can't block the network here")
        # Tunnels that the kernel adds to every namespace are down and lead nowhere.
        up = (
            {name for name in interfaces if int(pathlib.Path(f"/sys/class/net/{name}/flags").read_text(), 16) & 1}
            if pathlib.Path("/sys/class/net/lo").exists()
            else interfaces
        )
        routes = pathlib.Path("/proc/net/route").read_text().splitlines()[1:]
        self.assertEqual(up - {"lo"}, set(), "not run by linux-sandbox with --sandbox_default_allow_network=false?")
        self.assertEqual([r for r in routes if not r.startswith("lo\t")], [])

    def test_a_server_in_the_test_still_works(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            thread = threading.Thread(target=lambda: server.accept()[0].sendall(b"ok"))
            thread.start()
            with socket.create_connection(server.getsockname(), timeout=5) as client:
                self.assertEqual(client.recv(2), b"ok")
            thread.join()


if __name__ == "__main__":
    absltest.main()
