"""The tool of docs/families.md does what every tool does: it trains, goes on exactly after being killed, tests, is timed."""
import json
import unittest

from harness import DATA, ToolTest

TOY = ["toy", "train", *DATA, "--validation", "200", "--epochs", "4", "--iters-per-epoch", "50", "--log-every", "10",
       "--hidden", "32", "--lr", "0.003", "--preset", "warm"]
EXACT = ["checkpoint.safetensors", "metrics.jsonl", "metrics.csv", "results.json", "split.json", "config.json",
         "reconstructed_x.png"]


class Family(ToolTest):
    def test_trains_resumes_and_tests(self):
        out = self.succeed(*TOY, "--run", "whole")
        self.kill_when("killed/checkpoint.safetensors", *TOY, "--run", "killed")
        self.succeed("toy", "train", "--run", "killed", "--resume")
        self.assert_same_files("whole", "killed", EXACT)
        self.assertTrue((self.dir / "whole/report.html").exists())

        rows = self.rows("whole")
        self.assertEqual([row["step"] for row in rows], list(range(10, 201, 10)))
        self.assertLess(rows[-1]["loss"], 0.6 * rows[0]["loss"])
        self.assertLess(rows[-1]["loss_class"], 0.8 * rows[0]["loss_class"])
        results = self.load("whole/results.json")
        self.assertGreater(results["test_accuracy"], 0.3, out)  # of ten classes
        tested = self.succeed("toy", "test", "--run", "whole", "--nll", "5")
        self.assertIn("-log p(x)", tested)
        self.assertIn(f"test accuracy {results['test_accuracy']:.4f}", tested)

    def test_presets_and_bad_options(self):
        self.refuse_new(2, "unknown preset 'hot'", "toy", "train", *DATA, "--preset", "hot")
        self.refuse_new(2, "batch-labeled", "toy", "train", *DATA, "--batch-labeled", "0")
        self.assertIn("--warmup", self.succeed("toy", "train", "--help"))

    def test_is_timed(self):
        timed = json.loads(self.succeed("bench_step", "toy", "--batch", "20", "--steps", "2", "--threads", "1"))
        self.assertEqual(timed["system"], "toy")


if __name__ == "__main__":
    unittest.main()
