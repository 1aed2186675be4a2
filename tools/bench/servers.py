"""Starts a server in the server's namespace with a configuration made for measuring, and stops it."""
import glob
import os
import platform
import re
import shutil
import subprocess
import tempfile
import time

import topology

WS_PORT = 27188
MEDIA_PORT = 27200


def janus_is_there():
    return shutil.which("janus") is not None and bool(janus_folder())


def janus_folder():
    found = glob.glob("/usr/lib/*/janus/plugins/libjanus_videoroom.so")
    return os.path.dirname(os.path.dirname(found[0])) if found else None


def version(kind, build):
    debian = ["dpkg-query", "-W", "-f=${Version}", "janus"]
    command = debian if kind.startswith("janus") else [f"{build}/core/cardea", "--version"]
    out = subprocess.run(command, capture_output=True, text=True)
    return out.stdout.strip() or "?"


def frames_are_possible():
    """Linux 6.2 cuts the frames of packet sockets into datagrams."""
    return tuple(int(part) for part in re.findall(r"\d+", platform.release())[:2]) >= (6, 2)


class Server:
    """kind: "cardea", "cardea-frames" (media.frames), "janus" (event_loops=1) or "janus-threads" (its default: a thread per
    handle)."""

    def __init__(self, kind, address, build, workers=1, extra=()):
        self.kind, self.address = kind, address
        self.folder = tempfile.mkdtemp(prefix="cardea-bench-")
        command = self._cardea(build, workers, extra) if kind.startswith("cardea") else self._janus()
        self.log = open(os.path.join(self.folder, "log"), "w+")
        self.process = subprocess.Popen(topology.inside(topology.SERVER, *command), stdout=self.log, stderr=self.log)
        self.pid = self.process.pid
        self._wait()

    def _cardea(self, build, workers, extra):
        settings = {
            "cardea.general.plugins_folder": f"{build}/plugins/.libs",
            "cardea.general.transports_folder": f"{build}/transports/.libs",
            "cardea.general.state_folder": "", "cardea.general.debug_level": 3, "cardea.general.session_timeout": 0,
            "cardea.media.address": self.address, "cardea.media.port": MEDIA_PORT, "cardea.media.workers": workers,
            "cardea.media.frames": "true" if self.kind == "cardea-frames" else "false",
            "cardea.limits.exempt": "0.0.0.0/0",  # the load comes from one address
            "cardea.transports.disable": "http", "cardea.plugins.disable": "echotest",
            "websockets.general.ws_ip": self.address, "websockets.general.ws_port": WS_PORT,
        }
        settings.update(extra)
        return [f"{build}/core/cardea", "--config", self.folder] + \
            [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]

    def _janus(self):
        installed = janus_folder()
        for kind, module in (("plugins", "libjanus_videoroom.so"), ("transports", "libjanus_websockets.so")):
            os.makedirs(os.path.join(self.folder, kind))
            os.symlink(f"{installed}/{kind}/{module}", os.path.join(self.folder, kind, module))
        loops = "event_loops = 1" if self.kind == "janus" else ""
        self._write("janus.jcfg", f"""general: {{
  configs_folder = "{self.folder}"
  plugins_folder = "{self.folder}/plugins"
  transports_folder = "{self.folder}/transports"
  debug_level = 2
  session_timeout = 0
  {loops}
}}
nat: {{ ice_enforce_list = "{self.address}" }}
""")
        self._write("janus.plugin.videoroom.jcfg", "general: { }\n")
        self._write("janus.transport.websockets.jcfg", f"""general: {{
  json = "compact"
  ws = true
  ws_port = {WS_PORT}
  ws_ip = "{self.address}"
  wss = false
}}
admin: {{ admin_ws = false  admin_wss = false }}
""")
        return ["janus", "-F", self.folder, "-C", os.path.join(self.folder, "janus.jcfg")]

    def _write(self, name, text):
        with open(os.path.join(self.folder, name), "w") as file:
            file.write(text)

    def _wait(self):
        probe = f"import socket; socket.create_connection(('{self.address}', {WS_PORT}), 1).close()"
        for _ in range(50):
            if self.process.poll() is not None:
                break
            if subprocess.run(topology.inside(topology.SERVER, "python3", "-c", probe),
                              capture_output=True).returncode == 0:
                return
            time.sleep(0.1)
        self.log.seek(0)
        text = self.log.read()
        self.stop()
        raise SystemExit(f"{self.kind} did not start:\n{text[-2000:]}")

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)
