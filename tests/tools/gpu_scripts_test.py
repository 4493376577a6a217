"""tools/gpu_check.sh and tools/gpu_prefix.sh, with stand-ins for the card, the compiler and the programs: their parts, budgets of
time, the report in every case of failure. Times are given so that a slow machine decides nothing."""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time
import unittest

from harness import ToolTest, default_signals

TOOLS = pathlib.Path(__file__).parents[2] / "tools"
KERNELS = ["adam", "conv2d_fwd", "fold", "gemm", "linear_fwd", "softmax_fwd", "sum", "transpose"]
VENDORS = {"conv2d_fwd", "gemm", "linear_fwd"}
CARD = "GPU 0: A card (UUID: none)"

# One program under many names. FAIL and HANG are patterns of its command line; what it was asked is noted in CALLS.
STAND_IN = r"""#!/bin/sh
me=$(basename "$0")
line="$me $*"
echo "$line [$VAE_TEST_KERNELS] [$LD_LIBRARY_PATH]" >>"$CALLS"
if [ -n "$HANG" ] && echo "$line" | grep -qE -- "$HANG"; then echo $$ >>"$CALLS.hanging"; exec sleep 1000; fi
if [ -n "$FAIL" ] && echo "$line" | grep -qE -- "$FAIL"; then
  echo "[  FAILED  ] a planted case"; seq 1 60; exit 3
fi
case $line in
  nvidia-smi*-L) echo "$CARD"; [ -n "$CARD" ] ;;
  nvidia-smi*compute_cap*) echo 9.0 ;;
  nvidia-smi*) echo "some card" ;;
  nvcc*) echo "Cuda compilation tools, release 13.0, V13.0.88" ;;
  cmake\ -S*) echo "-- CUDA backend: toolkit 13.0 (/t), cuBLAS (/b), cuDNN 9.7.3 (/d)" ;;
  bench_kernels*--list*) printf '%s 3x4\n' $KERNELS; echo "sum 5x6" ;;
  bench_*) echo "measured by $me" ;;
  ctest*) echo "100% tests passed, 0 tests failed out of 7" ;;
  golden*) echo "39 files run" ;;
  m2*) while [ "$1" != --run ]; do shift; done; mkdir -p "$2"; echo one >"$2/metrics.jsonl"; echo "test accuracy 0.9" ;;
  compute-sanitizer*) while [ "${1#/}" = "$1" ]; do shift; done; "$@" ;;
esac
"""


class Script(ToolTest):
    def setUp(self):
        super().setUp()
        self.programs("fake", "nvidia-smi", "nvcc", "cmake", "ctest", "compute-sanitizer", "apt-cache", "apt-get")
        self.programs("build/bin", "bench_kernels", "bench_step", "test_models", "test_parity", "golden", "m2")
        self.env = {**os.environ, "PATH": f"{self.dir}/fake:{os.environ['PATH']}", "CALLS": f"{self.dir}/calls",
                    "KERNELS": " ".join(KERNELS), "CARD": CARD, "FAIL": "", "HANG": "", "VAE_GOLDEN_DIR": str(self.dir),
                    "LD_LIBRARY_PATH": ""}
        for name in ("VAE_PREFIX", "VAE_BENCH_DIR", "VAE_DATA_DIR", "CDPATH"):
            self.env.pop(name, None)

    def programs(self, folder, *names):
        (self.dir / folder).mkdir(parents=True, exist_ok=True)
        for name in names:
            path = self.dir / folder / name
            path.write_text(STAND_IN)
            path.chmod(0o755)

    def script(self, name, *arguments, **environment):
        return subprocess.Popen([TOOLS / name, *arguments], cwd=self.dir, env={**self.env, **environment}, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                                preexec_fn=default_signals)

    def run_script(self, name, *arguments, **environment):
        """Exit code, output, standard error."""
        process = self.script(name, *arguments, **environment)
        out, err = process.communicate(timeout=300)
        return process.returncode, out, err

    def calls(self):
        path = self.dir / "calls"
        return path.read_text().splitlines() if path.exists() else []


class Check(Script):
    def check(self, *arguments, **environment):
        """Exit code and report."""
        code, out, err = self.run_script("gpu_check.sh", "--build", "build", *arguments, **environment)
        self.assertEqual(err, "")
        return code, self.report()

    def report(self):
        return (self.dir / "build/gpu_results.md").read_text()

    def line(self, report, title):
        """What the report says of the one check whose title begins so."""
        found = re.findall(rf"^- {re.escape(title)}[^\n]*?: ([^\n:]*)$", report, re.MULTILINE)
        self.assertEqual(len(found), 1, report)
        return found[0]

    def shards(self, tool):
        """Lists of kernels that a sanitizer was run on."""
        return [re.search(r"\[([^]]*)\] \[[^]]*\]$", call)[1].split() for call in self.calls()
                if call.startswith("compute-sanitizer") and f"--tool {tool} " in call]

    def test_everything_passes(self):
        code, report = self.check()
        self.assertEqual(code, 0, report)
        self.assertEqual(re.findall(r"^## (.*)$", report, re.MULTILINE),
                         ["Build", "Tests", "compute-sanitizer", "Benchmarks", "Training"])
        for words in ("- card: some card, driver some card", "- toolkit: 13.0", "- configure for sm_90: ok",
                      "  CUDA backend: toolkit 13.0 (/t), cuBLAS (/b), cuDNN 9.7.3 (/d)", "  39 files run",
                      "  100% tests passed", "  test accuracy 0.9", "measured by bench_step", "measured by bench_kernels"):
            self.assertIn(words, report)
        self.assertNotRegex(report, "FAILED|NOT RUN|STOPPED")
        checks = len(re.findall(r": ok \(\d+ s\)$", report, re.MULTILINE))
        self.assertEqual(report.splitlines()[-1], f"all: {checks} ok, 0 failed, 1 skipped")  # PyTorch's side
        configured = next(call for call in self.calls() if call.startswith("cmake -S"))
        for option in ("-DVAE_CUDA=ON", "-DVAE_CUDNN=ON", "-DCMAKE_CUDA_ARCHITECTURES=90"):
            self.assertIn(option, configured)

    def test_sanitizers_see_each_of_our_kernels_once(self):
        self.assertEqual(self.check("--part", "sanitize")[0], 0)
        for tool in ("memcheck", "racecheck", "initcheck", "synccheck"):
            seen = [kernel for shard in self.shards(tool) for kernel in shard]
            self.assertEqual(sorted(seen), [kernel for kernel in KERNELS if kernel not in VENDORS])
            self.assertGreater(len(self.shards(tool)), 1)
            self.assertNotIn([], self.shards(tool))
        for call in self.calls():
            if call.startswith("compute-sanitizer"):
                self.assertIn("--kernel-name kns=vae --error-exitcode ", call)

    def test_failures_hide_nothing(self):
        passed = self.check()[1]
        code, report = self.check(FAIL=r"-L .gradcheck|initcheck|graph on --steps 100|m2 train.*--graph on")
        self.assertEqual(code, 1)
        self.assertEqual(len(re.findall("^- .*: (?:ok|FAILED)", report, re.MULTILINE)),
                         len(re.findall("^- .*: ok", passed, re.MULTILINE)))
        self.assertEqual(self.line(report, "tests with label gradcheck"), "FAILED, exit code 3")
        self.assertRegex(self.line(report, "tests with label unit"), "^ok")
        self.assertRegex(self.line(report, "m2 on synthetic digits, --graph off"), "^ok")
        self.assertRegex(self.line(report, "the same metrics"), "^FAILED")
        failed = report.count(": FAILED, exit code")
        self.assertEqual(failed, 1 + len(self.shards("initcheck")) // 2 + 3 + 2)  # of two runs
        self.assertRegex(report.splitlines()[-1], rf"^all: \d+ ok, {failed} failed, 1 skipped$")
        # What failed, and the end of the output.
        self.assertIn("[  FAILED  ] a planted case\n...\n", report)
        self.assertIn("\n60\n```", report)

    def test_one_that_hangs_has_its_share_alone(self):
        code, report = self.check("--part", "test", "--budget", "28", HANG="test_models")
        self.assertEqual(code, 1)
        share = re.fullmatch(r"FAILED, not done after (\d+) s", self.line(report, "recorded steps"))
        self.assertTrue(share and int(share[1]) <= 4, report)
        for label in ("cuda", "gradcheck", "golden", "unit", "e2e"):
            self.assertNotEqual(self.line(report, f"tests with label {label}"), "")

    def test_a_part_ends_with_its_budget(self):
        code, report = self.check("--part", "bench", "--budget", "3", HANG="bench_step|--json")
        self.assertEqual(code, 1)
        self.assertIn(": NOT RUN, the time of this part is over", report)
        outcomes = re.findall(r"^- .*: (?:ok|FAILED|NOT RUN)", report, re.MULTILINE)
        self.assertEqual(len(outcomes), 1 + 12 + 1)  # the card is seen; steps; kernels
        failed = len(re.findall(r"^- .*: (?:FAILED|NOT RUN)", report, re.MULTILINE))
        self.assertRegex(report.splitlines()[-1], rf"^bench: \d ok, {failed} failed, ")

    def test_stopped_it_ends_its_report(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            process = self.script("gpu_check.sh", "--build", "build", "--part", "test", HANG="golden --gtest")
            hanging = self.dir / "calls.hanging"
            deadline = time.monotonic() + 120
            while not hanging.exists() or not hanging.read_text().endswith("\n"):
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.02)
            process.send_signal(number)
            process.communicate(timeout=60)
            self.assertEqual(process.returncode, 1)
            self.assertEqual(self.report().splitlines()[-3:], [
                f"- golden values on the card: STOPPED by {number.name}", "", "test: 2 ok, 1 failed, 0 skipped"])
            with self.assertRaises(ProcessLookupError):
                os.kill(int(hanging.read_text()), 0)
            hanging.unlink()

    def test_what_it_needs(self):
        code, report = self.check(FAIL="cmake -S")  # as without cuDNN
        self.assertEqual(code, 1)
        self.assertIn("configure for sm_90: FAILED", report)
        self.assertIn("all: 0 ok, 1 failed, 0 skipped", report)
        code, report = self.check(CARD="")
        self.assertEqual(code, 0)
        self.assertIn("- no GPU on this machine: nothing is run", report)
        code, report = self.check(FAIL="bench_kernels --list")  # a card that the programs do not see
        self.assertEqual(code, 1)
        self.assertEqual(report.count("the card is seen: FAILED"), 4)
        self.assertNotIn("ctest", "\n".join(self.calls()))
        shutil.rmtree(self.dir / "build/bin")
        code, _, err = self.run_script("gpu_check.sh", "--build", "build", "--part", "test")
        self.assertEqual(code, 1)
        self.assertRegex(err, r"\Aerror: no build in [^\n]*\n\Z")

    def test_bad_options(self):
        for options in (["--part", "dance"], ["--part"], ["--budget", "0"], ["--budget", "soon"], ["--dance", "1"]):
            code, _, err = self.run_script("gpu_check.sh", *options)
            self.assertEqual(code, 2, options)
            self.assertRegex(err, r"\Aerror: [^\n]+\n\Z")
        self.assertEqual(self.calls(), [])

    def test_with_the_model(self):
        (self.dir / "fake/nvidia-smi").unlink()
        (self.dir / "fake/compute-sanitizer").unlink()
        (self.dir / "build/model/bin").mkdir(parents=True)
        for name in ("bench_kernels", "bench_step", "m2"):
            (self.dir / "build/bin" / name).rename(self.dir / "build/model/bin" / name)
        code, report = self.check("--model", FAIL="test_parity", CARD="")
        self.assertEqual(code, 1)
        self.assertIn("- card: none, a model of the CUDA libraries", report)
        self.assertEqual(re.findall(r"^## (.*)$", report, re.MULTILINE),
                         ["Build", "Tests", "compute-sanitizer", "Benchmarks", "Training"])
        for title, outcome in (("configure for the model", "ok"), ("tests with label cuda", "ok"), ("a training step", "ok"), ("m2 on synthetic digits, --graph on", "ok"),
                               ("model: adam", "FAILED, exit code 3"), ("the same metrics", "ok")):
            self.assertTrue(self.line(report, title).startswith(outcome), title)

    @unittest.skipUnless(shutil.which("dpkg-deb"), "no dpkg-deb")
    def test_packages_are_unpacked_once(self):
        arch = subprocess.run(["gcc", "-print-multiarch"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
        tree = self.dir / "tree"
        for folder in ("lib", "include"):
            (tree / "usr" / folder / arch / "openblas-openmp").mkdir(parents=True)
        (tree / f"usr/lib/{arch}/openblas-openmp/libopenblas.so").write_text("library")
        (tree / f"usr/include/{arch}/openblas-openmp/cblas.h").write_text("header")
        (tree / "DEBIAN").mkdir()
        (tree / "DEBIAN/control").write_text("Package: some\nVersion: 1\nArchitecture: all\nMaintainer: None <n@n.n>\nDescription: x\n")
        (self.dir / "packages").mkdir()
        subprocess.run(["dpkg-deb", "--build", tree, self.dir / "packages/some.deb"], check=True, stdout=subprocess.DEVNULL)
        self.assertEqual(self.check("--part", "build", VAE_PREFIX="packages")[0], 0)
        prefix = self.dir / "build/prefix"
        self.assertEqual((prefix / f"usr/lib/{arch}/libopenblas.so").read_text(), "library")
        self.assertEqual((prefix / f"usr/include/{arch}/cblas.h").read_text(), "header")
        configured = next(call for call in self.calls() if call.startswith("cmake -S"))
        self.assertTrue(configured.endswith(f"[{prefix}/usr/lib/{arch}]"), configured)
        (prefix / "kept").write_text("")
        self.assertEqual(self.check("--part", "build", VAE_PREFIX="packages")[0], 0)
        self.assertTrue((prefix / "kept").exists())
        (self.dir / "packages/some.deb").unlink()
        code, _, err = self.run_script("gpu_check.sh", "--build", "build", "--part", "build", VAE_PREFIX="packages")
        self.assertEqual(code, 1)
        self.assertIn("error: VAE_PREFIX has no usable packages", err)


@unittest.skipUnless(shutil.which("dpkg-deb"), "no dpkg-deb")
class Prefix(Script):
    """apt-cache and apt-get that know packages of one library each."""

    def setUp(self):
        super().setUp()
        (self.dir / "repository").mkdir()
        for name, library in (("libdnnl-dev", "libdnnl.so"), ("libopenblas-openmp-dev", "libopenblas.so"),
                              ("libfmt-dev", "libfmt.so"), ("ocl-icd-libopencl1", "libOpenCL.so.1")):
            tree = self.dir / "trees" / name
            (tree / "usr/lib").mkdir(parents=True)
            (tree / "usr/lib" / library).write_text("")
            (tree / "DEBIAN").mkdir()
            (tree / "DEBIAN/control").write_text(f"Package: {name}\nVersion: 1\nArchitecture: all\n"
                                                 "Maintainer: None <n@n.n>\nDescription: x\n")
            subprocess.run(["dpkg-deb", "--build", tree, self.dir / "repository" / f"{name}.deb"], check=True,
                           stdout=subprocess.DEVNULL)
        self.write("apt-cache", 'case $1 in\n'
                   '  depends) for p in $(ls $REPOSITORY) libc6.deb nowhere.deb; do echo "${p%.deb}"; echo "  Depends: x"; done ;;\n'
                   '  show) for p in "$@"; do [ ! -e "$REPOSITORY/$p.deb" ] || echo "Package: $p"; done ;;\nesac\n')
        self.write("apt-get", 'for p in "$@"; do [ ! -e "$REPOSITORY/$p.deb" ] || cp "$REPOSITORY/$p.deb" .; done\n')
        self.env["REPOSITORY"] = str(self.dir / "repository")

    def write(self, name, text):
        (self.dir / "fake" / name).write_text("#!/bin/sh\n" + text)

    def test_packages_are_fetched(self):
        (self.dir / "trap/tools").mkdir(parents=True)  # where CDPATH would lead
        code, out, err = self.run_script("gpu_prefix.sh", "packages", CDPATH=f"{self.dir}/trap:{self.dir}")
        self.assertEqual((code, err), (0, ""), out)
        self.assertEqual(sorted(os.listdir(self.dir / "packages")), sorted(os.listdir(self.dir / "repository")))
        self.assertRegex(out, rf"\A{re.escape(str(self.dir))}/packages: 4 packages, \S+\n\Z")

    def test_a_folder_that_is_not_empty_is_refused(self):
        (self.dir / "packages").mkdir()
        (self.dir / "packages/mine.deb").write_text("precious")
        code, _, err = self.run_script("gpu_prefix.sh", "packages")
        self.assertEqual((code, err), (2, "error: packages is not empty\n"))
        self.assertEqual((self.dir / "packages/mine.deb").read_text(), "precious")

    def test_a_missing_library_is_noticed(self):
        (self.dir / "repository/ocl-icd-libopencl1.deb").unlink()
        code, _, err = self.run_script("gpu_prefix.sh", "packages")
        self.assertEqual((code, err), (1, "error: libOpenCL.so.1 was not found among the packages\n"))
        self.assertEqual(os.listdir(self.dir / "packages"), [])


if __name__ == "__main__":
    unittest.main()
