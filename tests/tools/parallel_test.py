"""Training on several ranks: the run of one, resumed with another number of ranks; and faults, after which all ranks end in
time, one of them says why, and the last checkpoint is whole."""
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import unittest

from harness import BIN, DEEP, ENVIRONMENT, FIXMATCH, M1_M2, M2, ML_VAE, SHOT_VAE, SMOOTH_ELBO, SYM_VAE, VAE, ADGM, ToolTest, default_signals

MPIRUN = shutil.which("mpirun")
TIMEOUT = 4  # seconds that ranks wait for one another
ROUNDS = int(os.environ.get("VAE_FAULT_ROUNDS", "2"))  # ranks that are killed, and that are stopped
TOLERANCE = 2e-3  # of f32 metrics after some steps, relative
PEER = 7


def mpirun(*counts_and_commands):
    """mpirun for ranks that all run one command, or with several commands, each for its number of ranks."""
    command = [MPIRUN, "--allow-run-as-root", "--oversubscribe", "--bind-to", "none"]
    for i, (count, arguments) in enumerate(counts_and_commands):
        command += [":"] * (i > 0) + ["-n", str(count), str(BIN / arguments[0]), *map(str, arguments[1:])]
    return command


class Parallel(ToolTest):
    def start_ranks(self, *counts_and_commands):
        return subprocess.Popen(mpirun(*counts_and_commands), cwd=self.dir, env=ENVIRONMENT, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=default_signals)

    def run_ranks(self, *counts_and_commands):
        """Exit code, output, lines of errors; mpirun's own remarks left out."""
        process = self.start_ranks(*counts_and_commands)
        out, err = process.communicate(timeout=120)
        lines = [line for line in err.decode().splitlines() if line.startswith("error: ") or ": saved at" in line]
        return process.returncode, out.decode(), lines

    def train_on(self, count, *arguments):
        code, out, errors = self.run_ranks((count, arguments))
        self.assertEqual((code, errors), (0, []), arguments)
        return out

    def assert_like(self, run, other, tolerance=TOLERANCE):
        one, two = self.rows(run), self.rows(other)
        self.assertEqual(len(one), len(two))
        for row, expected in zip(one, two):
            self.assertEqual(row.keys(), expected.keys())
            for name, value in expected.items():
                limit = max(tolerance * max(1.0, abs(value)), 0.011 if "accuracy" in name else 0)  # two images of 200
                self.assertLessEqual(abs(row[name] - value), limit, (run, name, row[name], value))

    def test_every_family_is_the_run_of_one(self):
        short = ["--epochs", "1"]
        for i, tool in enumerate((M2, M1_M2, ADGM, VAE, ML_VAE, SYM_VAE, SHOT_VAE, FIXMATCH, SMOOTH_ELBO)):
            self.succeed(*tool, *short, "--run", f"one{i}")
            out = self.train_on(2 + i % 2, *tool, *short, "--run", f"more{i}")
            self.assert_like(f"more{i}", f"one{i}")
            self.assertEqual(out.count("report: "), 2 if tool is M1_M2 else 1, out)
            self.assertEqual(sorted(self.everything(f"more{i}")), sorted(self.everything(f"one{i}")))

    def test_resumed_with_other_numbers_of_ranks(self):
        m2 = [*M2, "--log-every", "10"]
        self.succeed(*m2, "--epochs", "3", "--run", "one")
        self.train_on(2, *m2, "--epochs", "1", "--run", "many")
        self.train_on(4, "m2", "train", "--run", "many", "--resume", "--epochs", "2")
        self.succeed("m2", "train", "--run", "many", "--resume", "--epochs", "3")
        self.assert_like("many", "one")

    def test_a_number_of_ranks_repeats_to_the_byte(self):
        m2 = [*M2, "--log-every", "7", "--dropout", "0.3"]
        for run in ("a", "b"):
            self.train_on(3, *m2, "--run", run)
        self.assert_same_runs("a", "b")
        self.train_on(3, *m2, "--epochs", "1", "--run", "c")
        self.train_on(3, "m2", "train", "--run", "c", "--resume", "--epochs", "2")
        self.assertEqual(self.read("c/checkpoint.safetensors"), self.read("a/checkpoint.safetensors"))
        self.assertEqual(self.read("c/metrics.csv"), self.read("a/metrics.csv"))

    def test_seeds_and_benchmark(self):
        out = self.train_on(2, *M2, "--seeds", "1,2", "--run", "seeds")
        self.assertEqual(out.count("over seeds 1,2"), 1, out)
        self.assertEqual(self.load("seeds/seeds.json")["seeds"], [1, 2])
        self.assertIn('"steps":3', self.train_on(2, *M2, "--benchmark", "3", "--run", "timed"))

    def test_statistics_of_the_ranks(self):
        self.train_on(2, *M2, "--bn", "global", "--run", "global")
        self.train_on(2, *M2, "--bn", "local", "--run", "local")
        self.train_on(2, *M2, "--grad-reduce", "f64", "--run", "f64")
        self.assertNotEqual(self.read("global/metrics.csv"), self.read("local/metrics.csv"))
        self.assert_like("f64", "global")

    def refuse_on(self, code, words, *counts_and_commands):
        """All ranks end with that code, and one line says why."""
        begin = time.monotonic()
        got, _, errors = self.run_ranks(*counts_and_commands)
        self.assertEqual((got, len(errors)), (code, 1), errors)
        self.assertIn(words, errors[0])
        self.assertLess(time.monotonic() - begin, 30)

    def test_what_is_wrong_is_said_once(self):
        m2 = [*M2, "--run", "run"]
        self.refuse_on(2, "error: rank 0: --z: ", (3, [*m2, "--z", "none"]))
        self.refuse_on(2, "error: rank 1: lr is 0.2 here, 0.1 on rank 0", (1, [*m2, "--lr", "0.1"]), (1, [*m2, "--lr", "0.2"]))
        self.refuse_on(2, "error: rank 2: synth-seed is 5 here, 1 on rank 0", (2, m2), (1, [*m2, "--synth-seed", "5"]))
        self.assertFalse((self.dir / "run").exists())
        self.train_on(2, *m2)
        self.refuse_on(2, "error: rank 0: run already holds a run", (2, m2))
        self.refuse_on(4, "error: rank 0: cannot read nowhere/config.json", (2, ["m2", "train", "--resume", "--run", "nowhere"]))

    def test_a_full_disk_of_rank_0(self):
        limited = self.dir / "limited"  # files of 16 MB: less than the checkpoint, more than the ranks' shared memory
        limited.write_text(f"#!/bin/bash\ntrap '' XFSZ\nulimit -f 16384\nexec {BIN}/m2 \"$@\"\n")
        limited.chmod(0o755)
        command = mpirun((2, [limited, *M2[1:], "--hidden", "1000,500", "--iters-per-epoch", "2", "--run", "full"]))
        process = subprocess.run(command, cwd=self.dir, env=ENVIRONMENT, capture_output=True, timeout=60)
        errors = [line for line in process.stderr.decode().splitlines() if line.startswith("error: ")]
        self.assertEqual((process.returncode, len(errors)), (4, 1), process.stderr)
        self.assertIn("error: rank 0: ", errors[0])

    def ranks_of(self, process, count):
        """Process ids of the ranks, rank 0 first."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            found = {}
            for pid in os.listdir("/proc"):
                try:
                    if not pid.isdigit() or os.readlink(f"/proc/{pid}/exe") != str(BIN / "m2"):
                        continue
                    with open(f"/proc/{pid}/environ", "rb") as file:
                        variables = dict(v.split(b"=", 1) for v in file.read().split(b"\0") if b"=" in v)
                    if os.readlink(f"/proc/{pid}/cwd") == str(self.dir):
                        found[int(variables[b"OMPI_COMM_WORLD_RANK"])] = int(pid)
                except (OSError, KeyError):
                    continue
            if len(found) == count:
                return [found[rank] for rank in range(count)]
            time.sleep(0.01)
        self.fail("the ranks never started")

    def fault(self, number, count, rank, wait):
        """A signal to a rank at some point of a training; all ranks end in time, and the run can be resumed."""
        shutil.rmtree(self.dir / "run", ignore_errors=True)
        command = [*M2, "--epochs", "500", "--checkpoint-every", "5", "--comm-timeout", TIMEOUT, "--run", "run"]
        process = self.start_ranks((count, command))
        pids = self.ranks_of(process, count)
        deadline = time.monotonic() + 30
        while not (self.dir / "run/config.json").exists() and time.monotonic() < deadline:
            time.sleep(0.01)  # a rank that is killed while MPI starts may leave mpirun itself hanging
        time.sleep(wait)
        os.kill(pids[rank], number)
        begin = time.monotonic()
        try:
            _, err = process.communicate(timeout=60)
        finally:
            if process.poll() is None:
                for pid in pids:
                    os.kill(pid, signal.SIGKILL)
        took = time.monotonic() - begin
        self.assertLess(took, TIMEOUT + 10, "a hang")
        self.assertNotEqual(process.returncode, 0)
        deadline = time.monotonic() + 5
        for pid in pids:
            while os.path.exists(f"/proc/{pid}"):
                self.assertLess(time.monotonic(), deadline, "a rank is left")
                time.sleep(0.05)
        if number == signal.SIGSTOP:
            errors = [line for line in err.decode().splitlines() if line.startswith("error: ")]
            self.assertEqual((process.returncode, len(errors)), (PEER, 1), err)
        if (self.dir / "run/config.json").exists():
            steps = self.rows("run")[-1]["step"] // 20 + 1 if (self.dir / "run/checkpoint.safetensors").exists() and self.rows("run") else 1
            self.succeed("m2", "train", "--run", "run", "--resume", "--epochs", steps)
        return took

    def test_killed_and_stopped_ranks(self):
        random.seed(1)
        longest = 0
        for number in (signal.SIGKILL, signal.SIGSTOP):
            for i in range(ROUNDS):
                count = 2 + i % 2
                longest = max(longest, self.fault(number, count, i % count, random.uniform(0, 2)))
        print(f"{2 * ROUNDS} faults: the ranks ended within {longest:.1f} s, --comm-timeout {TIMEOUT}")

    def test_a_rank_that_never_starts(self):
        sleeper = self.dir / "sleeper"
        sleeper.write_text("#!/bin/sh\nexec sleep 60\n")
        sleeper.chmod(0o755)
        command = mpirun((1, [*M2, "--comm-timeout", "2", "--run", "run"]))
        command += [":", "-n", "1", str(sleeper)]
        begin = time.monotonic()
        process = subprocess.run(command, cwd=self.dir, env=ENVIRONMENT, capture_output=True, timeout=60)
        self.assertEqual(process.returncode, PEER, process.stderr)
        self.assertIn(b"error: rank 0 of 2: not all ranks have started within 2 s", process.stderr)
        self.assertLess(time.monotonic() - begin, 20)

    def test_a_signal_stops_all_after_the_same_iteration(self):
        command = [*M2, "--epochs", "500", "--run", "run"]
        process = self.start_ranks((2, command))
        pids = self.ranks_of(process, 2)
        deadline = time.monotonic() + 30
        while not (self.dir / "run/checkpoint.safetensors").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        os.kill(pids[1], signal.SIGUSR1)
        _, err = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 130, err)
        self.assertIn(b"run: saved at iteration", err)
        done = self.rows("run")[-1]["step"] // 20
        self.train_on(2, "m2", "train", "--run", "run", "--resume", "--epochs", done + 1)
        self.train_on(2, *M2, "--epochs", done + 1, "--run", "whole")
        self.assertEqual(self.read("run/checkpoint.safetensors"), self.read("whole/checkpoint.safetensors"))

    def test_a_launcher_without_mpi(self):
        environment = {**ENVIRONMENT, "RANK": "1", "WORLD_SIZE": "2", "LOCAL_RANK": "1"}
        code, _, err = self.run_tool(*M2, "--run", "run", env=environment)
        self.assertEqual(code, 2, err)
        self.assertIn("torchrun", err)


if __name__ == "__main__":
    if not MPIRUN:
        print("no mpirun here: left out")
        sys.exit(77)
    unittest.main()
