"""Two network namespaces joined by a veth pair, and a device that swallows what is sent to the bulk of subscribers.

    cb-s-PID  10.99.0.1   the server      cb-c-PID  10.99.0.2   publishers and the sample that reads everything
                                                    10.99.128.* the bulk of the subscribers

While they join, everybody talks over the veth pair. Then blackhole() points the server's route to 10.99.128.0/17 at a
device of its own (dummy, or ifb where the kernel has no dummy) which frees packets as a network card does after sending:
what the server pays is the sending side alone, and the load generator does not receive what nobody looks at. From the
server's own namespace its address is reached over lo, which takes frames there (accept_local, docs/frames.md).
"""
import json
import os
import subprocess

SERVER, CLIENT = f"cb-s-{os.getpid()}", f"cb-c-{os.getpid()}"
SERVER_IP, CLIENT_IP = "10.99.0.1", "10.99.0.2"
BULK_NET = "10.99.128.0/17"
BULK_IPS = [f"10.99.128.{i}" for i in range(1, 33)]


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True)


def inside(namespace, *command):
    return ["ip", "netns", "exec", namespace, *command]


class Topology:
    def __init__(self):
        self.remove()
        for name in (SERVER, CLIENT):
            run("ip", "netns", "add", name)
            run("ip", "-n", name, "link", "set", "lo", "up")
            for key in ("all", "default"):
                run(*inside(name, "sh", "-c", f"echo 0 > /proc/sys/net/ipv4/conf/{key}/rp_filter"))
        run(*inside(SERVER, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/conf/lo/accept_local"))
        run("ip", "-n", SERVER, "link", "add", "cb0", "type", "veth", "peer", "name", "cb1", "netns", CLIENT)
        run("ip", "-n", SERVER, "addr", "add", f"{SERVER_IP}/16", "dev", "cb0")
        run("ip", "-n", CLIENT, "addr", "add", f"{CLIENT_IP}/16", "dev", "cb1")
        for address in BULK_IPS:
            run("ip", "-n", CLIENT, "addr", "add", f"{address}/16", "dev", "cb1")
        run("ip", "-n", SERVER, "link", "set", "cb0", "up")
        run("ip", "-n", CLIENT, "link", "set", "cb1", "up")
        self.kind = next((kind for kind in ("dummy", "ifb") if self._add_hole(kind)), None)
        if self.kind is None:
            raise SystemExit("the kernel has neither dummy nor ifb devices: no blackhole")
        run("ip", "-n", SERVER, "link", "set", "cbhole", "up")

    @staticmethod
    def _add_hole(kind):
        made = subprocess.run(["ip", "-n", SERVER, "link", "add", "cbhole", "type", kind], capture_output=True)
        return made.returncode == 0

    @staticmethod
    def switch():
        """The shell command that sends the bulk into the hole."""
        return f"ip -n {SERVER} route replace {BULK_NET} dev cbhole"

    @staticmethod
    def restore():
        subprocess.run(["ip", "-n", SERVER, "route", "del", BULK_NET], capture_output=True)

    @staticmethod
    def swallowed():
        """Packets (a GSO message counts as one) that the hole took so far."""
        with_counts = run("ip", "-n", SERVER, "-s", "-j", "link", "show", "cbhole").stdout
        stats = json.loads(with_counts)[0]["stats64"]
        return max(stats["tx"]["packets"], stats["rx"].get("dropped", 0))

    @staticmethod
    def remove():
        for name in (SERVER, CLIENT):
            if os.path.exists(f"/var/run/netns/{name}"):
                subprocess.run(["ip", "netns", "del", name], capture_output=True)
