"""Inspections of a finished run repeat what its training printed, wrote and drew, for every model of every family:
nothing that they show is state that only a step sets."""
import re
import unittest

from harness import (ADGM, FIXMATCH, M1, M1_M2, M2, ML_VAE, SHOT_CLASSIFIER, SHOT_M2, SHOT_VAE, SMOOTH_ELBO, SYM_VAE, VAE,
                     ToolTest)

LADDER = ["--model", "ladder", "--z", "4,3"]


class Repeat(ToolTest):
    def check(self, command, *inspections):
        """Trains; `test` prints the numbers of the training, inspections draw its pictures."""
        with self.subTest(command=command):
            printed = self.succeed(*command, "--run", "r", "--fresh").splitlines()
            last, results, files = self.rows("r")[-1], self.load("r/results.json"), self.snapshot("r")
            held_out = [name for name in last if name.startswith(("test_", "valid_"))]
            self.assertTrue(held_out)
            for name in held_out:
                self.assertEqual(results[name], last[name])
            pictures = {name: data for name, data in files.items() if name.endswith((".png", ".svg"))}
            for inspection in inspections:
                for name in pictures:
                    (self.dir / "r" / name).unlink(missing_ok=True)
                self.succeed(command[0], *inspection.split(), "--run", "r")
                drawn = {name for name in self.snapshot("r") if name.endswith((".png", ".svg"))}
                self.assertTrue(drawn, inspection)
                for name in drawn:
                    self.assertTrue(self.read(f"r/{name}") == pictures[name], f"{inspection}: {name} differs")
            if command[0] == "ml_vae":
                self.succeed("ml_vae", "probe", "--run", "r")
                for name, value in self.load("r/probe.json").items():
                    self.assertEqual(results[name], value, name)
                return
            lines = [line for line in self.succeed(command[0], "test", "--run", "r").splitlines()
                     if re.match("test (loss|accuracy)", line)]
            self.assertGreaterEqual(len(lines), 1)
            for line in lines:
                self.assertIn(line, printed)
                number = re.search(r"[\d.]+", line)[0]
                value = last["test_loss" if "loss" in line else "test_accuracy"]
                self.assertEqual(number, f"{value:.{len(number.partition('.')[2])}f}")

    def test_m1_and_m2(self):
        for threads in ("1", "2"):
            self.check([*M1, "--threads", threads], "visualize")
            self.check([*M2, "--threads", threads, "--dropout", "0.2", "--lr-decay", "cosine"], "visualize", "analogy")
        self.check([*M2, "--decoder", "gaussian", "--update", "joint", "--weights", "counts"], "visualize", "analogy")
        self.check([*M1_M2], "visualize")

    def test_adgm(self):
        for options in (["--model", "adgm", "--warmup", "70"], ["--model", "sdgm", "--iw", "2", "--mc", "2"],
                        ["--model", "m2"], [*LADDER, "--warmup", "50"], ["--model", "stacked"],
                        ["--preset", "fixed", "--model", "adgm", "--predict-draws", "3"],
                        ["--preset", "paper", "--hidden", "16", "--classifier-hidden", "16", "--z", "4", "--a", "3",
                         "--lr-factor", "0.5"],
                        ["--preset", "fixed", *LADDER]):
            features = ["--features-epochs", "1", "--features-z", "4", "--features-hidden", "16"]
            self.check([*ADGM, *options, *(features if "stacked" in options else [])], "sample")

    def test_vae(self):
        for options in (["--model", "vae", "--warmup", "100"], ["--model", "flow", "--flows", "2"],
                        ["--model", "beta", "--decoder-hidden", "12,16", "--z", "4"], [*LADDER, "--warmup", "80"],
                        ["--model", "gumbel", "--z", "5", "--tau-factor", "0.3"],
                        ["--preset", "fixed", "--model", "gumbel", "--z", "5"], ["--preset", "fixed", "--model", "flow"],
                        ["--model", "vae", "--warmup", "30", "--threads", "2"]):
            self.check([*VAE, *options], "sample", "interpolate")

    def test_ml_vae(self):
        for preset in ("reference", "paper"):
            for threads in ("1", "2"):
                self.check([*ML_VAE, "--preset", preset, "--threads", threads], "swap")

    def test_sym_vae(self):
        self.check([*SYM_VAE], "generate")
        self.check([*SYM_VAE, "--learn", "elbo", "--preset", "mnist-reverse", "--likelihood", "gaussian"], "generate")

    def test_shot_vae(self):
        self.check([*SHOT_VAE, "--dropout", "0.2", "--augment-validation", "true", "--partner", "nearest"], "sample")
        self.check([*SHOT_M2, "--ema", "0.9", "--reconstruction", "squared"], "sample")
        for classifier in (SHOT_CLASSIFIER, FIXMATCH):
            self.check([*classifier, "--augment-validation", "true"])
        self.check([*SMOOTH_ELBO, "--order", "shuffled"], "sample")

    def test_short_runs_with_a_warm_up(self):
        """The divergence has its last weight, not that of a model on which no step ran."""
        short = ["--data", "synth", "--synth-train", "200", "--synth-test", "50", "--epochs", "1"]
        self.check(["vae", "train", *short, "--iters-per-epoch", "100", "--hidden", "16"], "sample")
        self.check(["vae", "train", *short, "--iters-per-epoch", "1", "--hidden", "16", "--warmup", "3"], "sample")
        self.check(["adgm", "train", *short, "--iters-per-epoch", "7", "--hidden", "16", "--labels", "20"], "sample")


if __name__ == "__main__":
    unittest.main()
