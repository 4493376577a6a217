"""The examples, compiled against the installed package: they train, resume to the same bytes, and refuse what is wrong.
DIGITS is a folder of IDX files, PICTURES one of pictures."""
import os
import unittest

from harness import ENVIRONMENT, ToolTest

ENVIRONMENT["GOMP_SPINCOUNT"] = "5000"  # what the tools set for themselves: other tests want the cores, too
DIGITS, PICTURES = os.environ["DIGITS"], os.environ["PICTURES"]
FILES = ["checkpoint.safetensors", "metrics.csv", "results.json", "samples.png"]


class Examples(ToolTest):
    def succeed(self, *arguments):
        """Standard output of a run that must succeed; a slow one shows its progress on standard error."""
        code, out, err = self.run_tool(*arguments)
        self.assertEqual(code, 0, (arguments, err))
        return out

    def test_gradients(self):
        self.assertIn("gradients agree", self.succeed("my_vae", "check"))

    def test_my_vae_killed(self):
        vae = ["my_vae", DIGITS]
        self.succeed(*vae, "whole", 3, 10)
        rows = self.rows("whole")
        self.assertLess(rows[-1]["test_loss"], rows[0]["test_loss"])
        self.kill_when("killed/checkpoint.safetensors", *vae, "killed", 3, 10)
        self.succeed(*vae, "killed", 3, 10)
        self.assert_same_files("whole", "killed", FILES)

    def test_another_run_is_not_continued(self):
        self.succeed("my_vae", DIGITS, "run", 1, 5)
        self.refuse_plain(2, "iters_per_epoch 5, not 6", "my_vae", DIGITS, "run", 1, 6)
        self.refuse_plain(4, "nowhere", "my_vae", "nowhere", "other", 1, 5)

    def test_semi_supervised_pictures(self):
        m2 = ["my_m2", PICTURES]
        self.succeed(*m2, "whole", 100, 3, 20)
        self.assertGreater(self.rows("whole")[-1]["test_accuracy"], 0.5)
        self.kill_when("killed/checkpoint.safetensors", *m2, "killed", 100, 3, 20)
        self.succeed(*m2, "killed", 100, 3, 20)
        self.assert_same_files("whole", "killed", FILES[:3])

    def refuse_plain(self, code, words, *arguments):
        got, _, err = self.run_tool(*arguments)
        self.assertEqual(got, code, err)
        self.assertEqual(len(err.splitlines()), 1, err)
        self.assertIn(words, err)


if __name__ == "__main__":
    unittest.main()
