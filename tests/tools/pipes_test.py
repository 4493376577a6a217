"""Readers of standard output or standard error that have gone (| head -1): no run is lost, and the end says so."""
import os
import subprocess
import unittest

from harness import BIN, ENVIRONMENT, EXACT, M2, ToolTest

EPOCHS = ["--epochs", "60", "--iters-per-epoch", "1"]  # more words than a buffer holds
END = "error: standard output cannot be written\n"


class Pipes(ToolTest):
    def setUp(self):
        super().setUp()
        self.environment = {**ENVIRONMENT, "XDG_CACHE_HOME": str(self.dir / "cache")}  # without MNIST

    def gone(self):
        """A pipe that nobody reads."""
        reader, writer = os.pipe()
        os.close(reader)
        self.addCleanup(os.close, writer)
        return writer

    def train(self, run, code, **streams):
        got, _, err = self.run_tool(*M2, *EPOCHS, "--data", "auto", "--run", run, env=self.environment, **streams)
        self.assertEqual(got, code, err)
        return err

    def test_runs_are_complete(self):
        self.train("open", 0)
        self.train("error", 0, stderr=self.gone())
        self.assertTrue(self.train("output", 4, stdout=self.gone()).endswith(END))
        self.train("both", 4, stdout=self.gone(), stderr=self.gone())
        for run in ("error", "output", "both"):
            self.assert_same_files("open", run)
            self.assertTrue(self.read(f"{run}/report.html").endswith(b"</html>\n"))

    def test_head(self):
        command = [str(BIN / M2[0]), *M2[1:], *EPOCHS, "--data", "auto", "--run", "r"]
        line = subprocess.run(["bash", "-c", '"$@" 2>&1 >/dev/null | head -1; exit ${PIPESTATUS[0]}', "bash", *command],
                              cwd=self.dir, env=self.environment, capture_output=True, check=True).stdout
        self.assertEqual(line.count(b"\n"), 1)
        self.assertTrue((self.dir / "r/report.html").exists())

    def test_seeds(self):
        self.refuse(4, "standard output", *M2, *EPOCHS, "--seeds", "1,2", "--run", "r", stdout=self.gone())
        self.assertTrue((self.dir / "r/seeds.json").exists())

    def test_other_commands(self):
        sets = ["--synth-train", "50", "--synth-test", "50"]
        for command in (["datasets", "verify", "synth", *sets], ["datasets", "export-images", "synth", *sets, "--out", "p"],
                        ["datasets", "--help"], ["m2", "--version"]):
            code, _, err = self.run_tool(*command, stdout=self.gone())
            self.assertEqual((code, err), (4, END), command)
        self.assertEqual(len(list((self.dir / "p/train_images").iterdir())), 50)
        code, out, _ = self.run_tool("datasets", "verify", "minst", stderr=self.gone())
        self.assertEqual((code, out), (2, ""))


if __name__ == "__main__":
    unittest.main()
