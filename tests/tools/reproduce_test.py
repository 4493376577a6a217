"""The rows of tools/reproduce.sh, on the tools that were built: no row with an option that its tool does not have, a small run of
one, gone on with."""
import os
import pathlib
import shutil
import subprocess
import sys
import unittest

from harness import BIN, ToolTest

TOOLS = pathlib.Path(__file__).parents[2] / "tools"
sys.path.insert(0, str(TOOLS))
from published_rows import ROWS  # noqa: E402

SMALL = ["--data", "synth", "--synth-train", "400", "--synth-test", "100", "--validation", "100", "--hidden", "8", "--z", "2",
         "--iters-per-epoch", "5", "--threads", "1"]


class Reproduce(ToolTest):
    def setUp(self):
        super().setUp()
        (self.dir / "tree/tools").mkdir(parents=True)
        for name in ("reproduce.sh", "published_rows.py"):
            shutil.copy(TOOLS / name, self.dir / "tree/tools")
        (self.dir / "tree/tools/install_packages.sh").write_text("install_packages() { :; }\n")
        (self.dir / "bin").mkdir()
        (self.dir / "bin/cmake").write_text("#!/bin/sh\nexit 0\n")
        (self.dir / "bin/cmake").chmod(0o755)
        (self.dir / "tree/build").mkdir()
        (self.dir / "tree/build/bin").symlink_to(BIN)

    def reproduce(self, *arguments):
        done = subprocess.run(["bash", "tree/tools/reproduce.sh", *arguments], cwd=self.dir, capture_output=True, text=True,
                              env={**os.environ, "PATH": f"{self.dir}/bin:{os.environ['PATH']}"})
        return done.returncode, done.stdout, done.stderr

    def test_options_of_rows(self):
        for name, row in ROWS.items():
            with self.subTest(name):
                tool, *options = row.train.split()
                self.refuse(4, "missing: no such data folder", tool, "train", *options, "--data-dir", "missing", "--run", "x")
                if row.then:
                    self.refuse(4, "missing", *row.then.split(), "--run", "missing")

    def test_a_row(self):
        code, out, err = self.reproduce("m2", *SMALL, "--epochs", "1", "--seeds", "1,2")
        self.assertEqual((code, err), (0, ""))
        self.assertRegex(out, r"ours: 5 ± 0 \(2 seeds\) iterations\n +published +ours\ntest accuracy +0\.9018 +0\.\d+ ± .*2 seeds")
        code, out, err = self.reproduce("m2", "--epochs", "2")
        self.assertEqual((code, err), (0, ""))
        self.assertIn("ours: 10 ± 0 (2 seeds)", out)
        code, out, err = self.reproduce("m2", "--hidden", "9")
        self.assertEqual((code, err), (2, "error: --resume: --hidden is 9 here, but 8 in the run\n"))

    def test_rows(self):
        code, out, err = self.reproduce()
        self.assertEqual((code, err, len(out.splitlines())), (0, "", len(ROWS)))
        self.assertEqual(self.reproduce("m3"), (2, "", "error: m3 is no row; without one tools/reproduce.sh names all\n"))


if __name__ == "__main__":
    unittest.main()
