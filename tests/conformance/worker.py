"""One process that runs cases (`onward run-cases`, onnxruntime_cases.py): asked case by case, and started again when a case ends or stops it."""
import os
import selectors
import subprocess
import tempfile
import time


class Worker:
    def __init__(self, command, seconds_per_case, environment=None):
        self.command = command
        self.seconds = seconds_per_case
        self.environment = {**os.environ, **(environment or {})}
        self.process = None

    def run(self, model, inputs, outputs):
        """(status, reason): ok, unsupported or error as the program says, crash or hang as we see it."""
        if self.process is None:
            self._start()
        try:
            self.process.stdin.write(f"{model}\t{inputs}\t{outputs}\n".encode())
            self.process.stdin.flush()
        except BrokenPipeError:
            return self._crashed()
        line = self._line()
        if line is None:
            self.stop()
            return "hang", f"no answer in {self.seconds} s"
        if not line.endswith(b"\n"):
            return self._crashed()
        status, _, reason = line.decode(errors="replace").rstrip("\n").partition(" ")
        return (status, reason) if status in ("ok", "unsupported", "error") else ("error", f"an answer of no known form: {line!r}")

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process.stdin.close()
            self.process.stdout.close()
            self.process = None

    def _start(self):
        self.messages = tempfile.TemporaryFile()
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.messages, bufsize=0,
                                        env=self.environment)

    def _line(self):
        """The next line, what came before the end of the stream, or None when the time is over."""
        deadline, line = time.monotonic() + self.seconds, b""
        with selectors.DefaultSelector() as ready:
            ready.register(self.process.stdout, selectors.EVENT_READ)
            while not line.endswith(b"\n"):
                if not ready.select(max(0, deadline - time.monotonic())):
                    return None
                chunk = os.read(self.process.stdout.fileno(), 65536)
                if not chunk:
                    break
                line += chunk
        return line

    def _crashed(self):
        code = self.process.wait()
        self.messages.seek(0)
        said = self.messages.read().decode(errors="replace").strip().splitlines()
        summary = next((l for l in said if "ERROR: " in l or "runtime error" in l), said[-1] if said else "")
        self.stop()
        return "crash", f"exit code {code} {summary}".strip()
