"""What the end-to-end tests share: they run the tools as a user does, on small synthetic sets, and look at exit
codes, output and files. Standard library only. VAE_BIN names the folder of the binaries."""
import json
import os
import pathlib
import re
import shutil
import signal
import struct
import subprocess
import tempfile
import time
import unittest

BIN = pathlib.Path(os.environ.get("VAE_BIN", "build/bin")).resolve()

ENVIRONMENT = {name: value for name, value in os.environ.items()
               if name not in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "VAE_DATA_DIR")}
ENVIRONMENT.setdefault("ASAN_OPTIONS", "allocator_may_return_null=1")  # a sanitized build, too, says "out of memory"

DATA = ["--data", "synth", "--synth-train", "1000", "--synth-test", "200", "--threads", "1"]
LENGTH = ["--epochs", "2", "--iters-per-epoch", "20"]
M1 = ["m1", "train", *DATA, *LENGTH, "--hidden", "32,16"]
M2 = ["m2", "train", *DATA, *LENGTH, "--validation", "200", "--hidden", "32", "--z", "4"]
M1_M2 = ["m1_m2", "train", *DATA, *LENGTH, "--validation", "200", "--hidden", "32", "--z", "4",
         "--m1-epochs", "2", "--m1-iters-per-epoch", "20", "--m1-hidden", "32", "--m1-z", "5"]
ADGM = ["adgm", "train", *DATA, *LENGTH, "--hidden", "16,12", "--z", "4", "--a", "3", "--batch", "20",
        "--batch-labeled", "20"]
VAE = ["vae", "train", *DATA, *LENGTH, "--hidden", "16,12", "--z", "4", "--batch", "20"]
ML_VAE = ["ml_vae", "train", *DATA, *LENGTH, "--hidden", "32", "--style-dim", "3", "--class-dim", "4", "--batch", "50"]
SYM_VAE = ["sym_vae", "train", "--data", "synth", "--synth-train", "60", "--synth-test", "20", "--threads", "1",
           "--epochs", "2", "--iters-per-epoch", "4", "--width", "2", "--encoder-units", "8", "--prior-units", "8",
           "--code-units", "8", "--nz0", "4", "--nz1", "6", "--batch", "10", "--lr", "0.01", "--chain-steps", "20"]
# Deep backbones: 80 unlabelled images in 5 batches, 20 labelled ones in 3, so those are replayed within an epoch.
DEEP = ["--data", "synth-color", "--synth-train", "100", "--synth-test", "20", "--threads", "1", "--labels", "20",
        "--validation", "20", "--preset", "fast", "--net-name", "wideresnet-10-1", "--batch", "16", "--batch-labeled", "8",
        "--epochs", "2"]
SHOT_VAE = ["shot_vae", "train", *DEEP, "--decoder-width", "2", "--z", "4"]
SHOT_M2 = ["shot_m2", "train", *DEEP, "--decoder-width", "2", "--z", "4"]
SHOT_CLASSIFIER = ["shot_classifier", "train", *DEEP]
FIXMATCH = [*SHOT_CLASSIFIER, "--method", "fixmatch"]
SMOOTH_ELBO = ["smooth_elbo", "train", "--data", "synth", "--synth-train", "100", "--synth-test", "20", "--threads", "1",
               "--labels", "20", "--batch", "16", "--epochs", "2", "--conv", "2,4", "--deconv", "3", "--hidden", "8", "--z", "3"]
EXACT = ["checkpoint.safetensors", "metrics.jsonl", "metrics.csv", "results.json", "reconstructed_x.png"]


def default_signals():
    """Shells and nohup start programs that ignore some of these; the tools would, too."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
        signal.signal(number, signal.SIG_DFL)


class ToolTest(unittest.TestCase):
    """Each test works in an empty directory of its own."""

    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="vaekit-e2e-"))
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)

    @staticmethod
    def binary(name):
        return BIN / name

    def start(self, *arguments, **options):
        command = [str(BIN / arguments[0]), *map(str, arguments[1:])]
        defaults = {"cwd": self.dir, "env": ENVIRONMENT, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
                    "stdin": subprocess.DEVNULL, "preexec_fn": default_signals}
        return subprocess.Popen(command, **{**defaults, **options})

    def run_tool(self, *arguments, **options):
        """Exit code, standard output and standard error as text."""
        process = self.start(*arguments, **options)
        out, err = process.communicate(timeout=120)
        return process.returncode, (out or b"").decode(errors="replace"), (err or b"").decode(errors="replace")

    def succeed(self, *arguments, **options):
        """Standard output of a run that must succeed without a word on standard error."""
        code, out, err = self.run_tool(*arguments, **options)
        self.assertEqual((code, err), (0, ""), arguments)
        return out

    def help(self, *arguments):
        """A help text with defaults as CLI11 2.1 writes them, "--z INT=2"; later ones write "--z INT [2]"."""
        return re.sub(r"^( +--.*?)(?<! in) \[([^\[\]]*)\](?=\s)", r"\1=\2", self.succeed(*arguments), flags=re.MULTILINE)

    def refuse(self, code, words, *arguments, **options):
        """A failure: that exit code, and one line on standard error that starts with "error: " and holds the words."""
        got, out, err = self.run_tool(*arguments, **options)
        err = re.sub(r"==\d+==WARNING: AddressSanitizer failed to allocate.*\n", "", err)  # its remark, not ours
        self.assertEqual(got, code, (arguments, err))
        self.assertRegex(err, r"\Aerror: [^\n]+\n\Z", arguments)
        self.assertIn(words, err, arguments)
        self.assertLess(len(err), 400, err)

    def refuse_new(self, code, words, *arguments, **options):
        """A new run that fails before it has made its directory."""
        self.refuse(code, words, *arguments, "--run", "refused", **options)
        self.assertFalse((self.dir / "refused").exists(), arguments)

    def stop_when(self, file, signal_number, *arguments):
        """Sends the signal once a file has grown; returns the exit code, -N for death by signal N."""
        path = self.dir / file
        before = path.stat().st_size if path.exists() else 0
        process = self.start(*arguments)
        deadline = time.monotonic() + 60
        while not (path.exists() and path.stat().st_size > before):
            self.assertIsNone(process.poll(), "ended before it could be stopped")
            self.assertLess(time.monotonic(), deadline, f"{file} never grew")
            time.sleep(0.002)
        process.send_signal(signal_number)
        process.communicate(timeout=60)
        return process.returncode

    def kill_when(self, file, *arguments):
        self.assertEqual(self.stop_when(file, signal.SIGKILL, *arguments), -signal.SIGKILL)

    def read(self, name):
        return (self.dir / name).read_bytes()

    def load(self, name):
        return json.loads(self.read(name))

    def rows(self, run):
        return [json.loads(line) for line in self.read(f"{run}/metrics.jsonl").splitlines()]

    def assert_same_files(self, one, other, names=EXACT):
        for name in names:
            self.assertTrue(self.read(f"{one}/{name}") == self.read(f"{other}/{name}"), f"{name} differs")

    def everything(self, run):
        """All files of a run and of runs within it by their names, but those that hold times."""
        root = self.dir / run
        timed = re.compile(r"timing\.csv|events\..*|report\.html|run\.files")
        return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*")
                if path.is_file() and not timed.fullmatch(path.name)}

    def assert_same_runs(self, one, other):
        one, other = self.everything(one), self.everything(other)
        self.assertEqual(sorted(one), sorted(other))
        self.assertEqual([name for name in one if one[name] != other[name]], [])

    def snapshot(self, run):
        return {path.name: path.read_bytes() for path in (self.dir / run).iterdir() if path.is_file()}


def products_keep_bits():
    """Whether the CPU's products have the same bits for any number of threads: test::products_keep_bits."""
    return " avx512f " in pathlib.Path("/proc/cpuinfo").read_text()


def png_size(data):
    """Width and height of a PNG."""
    if data[:8] != b"\x89PNG\r\n\x1a\n" or data[-8:-4] != b"IEND":
        raise AssertionError("not a whole PNG")
    return struct.unpack(">II", data[16:24])
