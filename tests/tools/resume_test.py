"""Runs that are killed or interrupted and resumed are, to the byte, the runs that were not."""
import json
import os
import shutil
import signal
import unittest

from harness import ADGM, EXACT, LENGTH, M1, M1_M2, M2, ML_VAE, SYM_VAE, VAE, ToolTest

LONG = ["--epochs", "2", "--iters-per-epoch", "100", "--log-every", "10"]


class Resume(ToolTest):
    def test_m2_killed_with_dropout(self):
        m2 = [*M2, *LONG, "--hidden", "32,16", "--dropout", "0.5"]
        self.succeed(*m2, "--run", "whole")
        self.kill_when("killed/checkpoint.safetensors", *m2, "--run", "killed")
        split = self.read("killed/split.json")
        self.succeed("m2", "train", "--run", "killed", "--resume")
        self.assert_same_files("whole", "killed", [*EXACT, "split.json", "config.json", "analogy.png", "labeled_z.svg", "confusion.pdf"])
        self.assertEqual(self.read("killed/split.json"), split)
        self.assertEqual([row["step"] for row in self.rows("killed")], list(range(10, 201, 10)))

    def test_m2_killed_between_checkpoints(self):
        m2 = [*M2, *LONG, "--checkpoint-every", "30", "--decoder", "gaussian", "--lr-decay", "cosine",
              "--lr-warmup", "20"]
        self.succeed(*m2, "--run", "whole")
        self.kill_when("killed/config.json", *m2, "--run", "killed")  # before any checkpoint
        self.kill_when("killed/checkpoint.safetensors", "m2", "train", "--run", "killed", "--resume")
        self.succeed("m2", "train", "--run", "killed", "--resume")
        self.assert_same_files("whole", "killed")

    def test_m2_killed_in_bf16(self):
        m2 = [*M2, *LONG]
        words = r"\A(--precision bf16: [^\n]+ takes longer than fp32\n)?\Z"  # where the processor has no instructions for it
        for command in ([*m2, "--precision", "bf16", "--run", "whole"], ["m2", "train", "--run", "killed", "--resume"]):
            code, _, err = self.run_tool(*command)
            self.assertEqual(code, 0, err)
            self.assertRegex(err, words)
            if "whole" in command:
                self.kill_when("killed/checkpoint.safetensors", *m2, "--precision", "bf16", "--run", "killed")
        self.assert_same_files("whole", "killed")
        self.succeed(*m2, "--run", "fp32")
        narrow, wide = self.rows("whole")[-1], self.rows("fp32")[-1]
        self.assertNotEqual(narrow, wide)
        for metric in wide:
            self.assertAlmostEqual(narrow[metric], wide[metric], delta=0.05 * abs(wide[metric]) + 0.05, msg=metric)

    def test_m1_killed(self):
        m1 = [*M1, *LONG, "--samples", "2", "--dropout", "0.1"]
        self.succeed(*m1, "--run", "whole")
        self.kill_when("killed/checkpoint.safetensors", *m1, "--run", "killed")
        self.succeed("m1", "train", "--run", "killed", "--resume")
        self.assert_same_files("whole", "killed")

    def test_m1_m2_killed_in_both_stages(self):
        m1_m2 = [*M1_M2, *LONG, "--m1-iters-per-epoch", "100"]
        self.succeed(*m1_m2, "--run", "whole")
        self.kill_when("killed/m1/checkpoint.safetensors", *m1_m2, "--run", "killed")
        self.assertFalse((self.dir / "killed/checkpoint.safetensors").exists())
        self.kill_when("killed/checkpoint.safetensors", "m1_m2", "train", "--run", "killed", "--resume")
        timing = self.read("killed/m1/timing.csv")
        self.succeed("m1_m2", "train", "--run", "killed", "--resume")
        self.assertEqual(self.read("killed/m1/timing.csv"), timing, "a finished stage is not trained again")
        self.assert_same_files("whole", "killed", [*EXACT, "split.json", "analogy.png"])
        self.assert_same_files("whole/m1", "killed/m1")

    def test_adgm_killed(self):
        for options in ([], ["--preset", "paper", "--predict-draws", "2"], ["--model", "sdgm", "--lr-factor", "0.5", "--lr-every", "1"],
                        ["--model", "ladder", "--hidden", "16,12,8", "--z", "4,3,2"]):
            run = "".join(options) or "adgm"
            adgm = [*ADGM, *LONG, *options]
            self.succeed(*adgm, "--run", "whole")
            self.kill_when(f"{run}/checkpoint.safetensors", *adgm, f"--run={run}")
            self.succeed("adgm", "train", f"--run={run}", "--resume")
            self.assert_same_files("whole", run, [*EXACT, "split.json", "conditional.png", "analogy.png", "codes.svg", "codes.pdf"])
            shutil.rmtree(self.dir / "whole")

    def test_adgm_killed_in_both_stages(self):
        stacked = [*ADGM, *LONG, "--model", "stacked", "--features-epochs", "2", "--features-hidden", "12", "--features-z", "5"]
        self.succeed(*stacked, "--run", "whole")
        self.kill_when("killed/features/checkpoint.safetensors", *stacked, "--run", "killed")
        self.kill_when("killed/checkpoint.safetensors", "adgm", "train", "--run", "killed", "--resume")
        self.succeed("adgm", "train", "--run", "killed", "--resume")
        self.assert_same_files("whole", "killed")
        self.assert_same_files("whole/features", "killed/features")

    def test_vae_killed(self):
        for options in (["--model", "gumbel", "--z", "10"], ["--model", "flow"], ["--model", "beta", "--iters-per-epoch", "100"],
                        ["--model", "ladder", "--hidden", "16,12,8", "--z", "4,3,2"]):
            run = "".join(options)
            vae = [*VAE, *LONG, *options]
            self.succeed(*vae, "--run", "whole")
            self.kill_when(f"{run}/checkpoint.safetensors", *vae, f"--run={run}")
            self.succeed("vae", "train", f"--run={run}", "--resume")
            self.assert_same_files("whole", run, [*EXACT, "samples.png", "interpolation.png", "traversals.png"])
            shutil.rmtree(self.dir / "whole")

    def test_finished_run_stays_and_grows(self):
        self.succeed(*M2, "--run", "short")
        before = self.snapshot("short")
        self.succeed("m2", "train", "--run", "short", "--resume")
        for name in [*EXACT, "split.json", "config.json", "timing.csv"]:
            self.assertTrue(self.read(f"short/{name}") == before[name], name)
        self.succeed(*M2, "--run", "long", "--epochs", "3")
        self.succeed("m2", "train", "--run", "short", "--resume", "--epochs", "3")
        self.assert_same_files("long", "short", [*EXACT, "config.json"])

    def test_default_run_directory_is_resumed_with_its_options(self):
        self.succeed(*M2)
        before = self.snapshot("runs/m2")
        self.succeed("m2", "train", "--resume")
        self.assertEqual(self.read("runs/m2/config.json"), before["config.json"])

    def test_seeds(self):
        m2 = [*M2, *LONG, "--seeds", "1,2"]
        self.succeed(*m2, "--run", "whole")
        self.kill_when("killed/seed_2/checkpoint.safetensors", *m2, "--run", "killed")
        self.assertFalse((self.dir / "killed/seeds.json").exists())
        self.succeed(*m2, "--run", "killed", "--resume")
        self.assert_same_files("whole", "killed", ["seeds.json", *(f"seed_{n}/{f}" for n in (1, 2) for f in EXACT)])


STOPPABLE = ["--epochs", "2", "--iters-per-epoch", "150", "--log-every", "1"]
STACKED = [*ADGM, "--model", "stacked", "--features-epochs", "2", "--features-hidden", "12", "--features-z", "5"]
# tool and stage: command, file that tells that the stage is on its way
STAGES = {
    "m1": (M1, "metrics.jsonl"),
    "m2": (M2, "metrics.jsonl"),
    "m1_m2 in M1": ([*M1_M2, "--m1-iters-per-epoch", "150"], "m1/metrics.jsonl"),
    "m1_m2 in M2": (M1_M2, "metrics.jsonl"),
    "adgm": (ADGM, "metrics.jsonl"),
    "stacked in its VAE": (STACKED, "features/metrics.jsonl"),
    "stacked": (STACKED, "metrics.jsonl"),
    "vae": (VAE, "metrics.jsonl"),
    "ml_vae": (ML_VAE, "metrics.jsonl"),
    "sym_vae": (SYM_VAE, "metrics.jsonl"),
    "seeds": ([*M2, "--seeds", "1,2"], "seed_2/metrics.jsonl"),
}


class Stopped(ToolTest):
    """SIGINT, then SIGTERM to the run that goes on: exit code 130 both times, and in the end the same bytes."""

    def stop_twice(self, file, first, again):
        self.assertEqual(self.stop_when(file, signal.SIGINT, *first), 130)
        timing = f"{file[:file.rindex('/')]}/timing.csv"
        before = self.read(timing)
        self.assertEqual(self.stop_when(file, signal.SIGTERM, *again), 130)
        self.succeed(*again)
        self.assertTrue(self.read(timing).startswith(before), "the run went on, rather than anew")

    def test_in_every_stage_of_every_tool(self):
        for name, (command, file) in STAGES.items():
            with self.subTest(stage=name):
                whole, stopped = f"{name}/whole", f"{name}/stopped"
                command = [*command, *STOPPABLE]
                self.succeed(*command, "--run", whole)
                again = [*command, "--run", stopped] if name == "seeds" else [command[0], "train", "--run", stopped]
                self.stop_twice(f"{stopped}/{file}", [*command, "--run", stopped], [*again, "--resume"])
                self.assert_same_runs(whole, stopped)

    def test_in_the_classifiers(self):
        for run in ("whole", "stopped"):
            self.succeed(*ML_VAE, "--run", run)
        classify = ["ml_vae", "classify", "--iterations", "400", "--log-every", "1"]
        self.succeed(*classify, "--run", "whole")
        stopped = [*classify, "--run", "stopped"]
        self.stop_twice("stopped/classifier/metrics.jsonl", stopped, [*stopped, "--resume"])
        self.assert_same_runs("whole", "stopped")


class Changes(ToolTest):
    """What a resumed run may change, and what it may not; tests of the options go through all of them."""

    def test_what_does_not_change_the_numbers(self):
        m2 = [*M2, *LONG]
        self.succeed(*m2, "--run", "whole")
        self.kill_when("killed/checkpoint.safetensors", *m2, "--run", "killed")
        self.succeed("m2", "train", "--run", "killed", "--resume", "--checkpoint-every", "7", "--graph", "off", "--data-dir", ".",
                     "--device", "cpu", "--quiet")
        self.assert_same_files("whole", "killed")
        self.assertEqual(self.load("killed/config.json")["checkpoint-every"], 7)
        for option, value in (("--log-every", 5), ("--seed", 2), ("--hidden", 16), ("--split-file", "killed/split.json"),
                              ("--preset", "paper"), ("--precision", "tf32")):
            self.refuse(2, f"--resume: {option}", "m2", "train", "--run", "killed", "--resume", option, value)

    def test_an_option_that_is_emptied(self):
        adgm = [*ADGM, "--classifier-hidden", "12,8", "--decoder-hidden", "9"]
        self.succeed(*adgm, "--run", "r")
        for option in ("--classifier-hidden", "--decoder-hidden"):
            self.refuse(2, f"{option} is absent here, but", "adgm", "train", "--run", "r", "--resume", option, "", "--epochs", "3")

    def test_a_data_folder_whose_name_is_no_text(self):
        folder = os.fsdecode(b"no\xffutf-8")
        self.succeed("datasets", "synth", "--out", folder, "--train", "1000", "--test", "200")
        train = ["m2", "train", "--threads", "1", *LENGTH]
        self.succeed(*train, "--data", "mnist", "--data-dir", folder, "--validation", "200", "--hidden", "32", "--z", "4")
        self.refuse(4, "say it again with --data-dir", *train, "--resume", "--epochs", "3")
        self.succeed(*train, "--resume", "--epochs", "3", "--data-dir", folder)
        self.assertEqual(self.rows("runs/m2")[-1]["epoch"], 3)

    def test_a_rate_that_falls_keeps_its_length(self):
        m2 = [*M2, "--lr-decay", "cosine"]
        words = r"\Athe learning rate falls in 2 epochs, though the run has 4; --lr-epochs changes that\n\Z"
        self.succeed(*m2, "--run", "resumed")
        code, _, err = self.run_tool("m2", "train", "--run", "resumed", "--resume", "--epochs", "4")
        self.assertEqual(code, 0)
        self.assertRegex(err, words)
        code, _, err = self.run_tool(*m2, "--epochs", "4", "--lr-epochs", "2", "--run", "asked")
        self.assertRegex(err, words)
        self.assert_same_runs("asked", "resumed")
        self.succeed(*m2, "--epochs", "4", "--run", "longer")
        self.assertNotEqual(self.rows("longer"), self.rows("asked"))
        self.succeed("m2", "train", "--run", "resumed", "--resume", "--epochs", "6", "--lr-epochs", "6")
        self.assertEqual(self.load("resumed/config.json")["lr-epochs"], 6)
        self.succeed(*m2, "--seeds", "1", "--run", "seeds")  # options of the call, not of a configuration
        code, _, err = self.run_tool(*m2, "--seeds", "1", "--run", "seeds", "--resume", "--epochs", "4")
        self.assertRegex(err, words)
        self.assert_same_files("asked", "seeds/seed_1", ["metrics.csv", "checkpoint.safetensors"])


class Split(ToolTest):
    def setUp(self):
        super().setUp()
        self.succeed(*M2, "--run", "r")
        self.split = self.dir / "r/split.json"

    def resume(self, code, words):
        before = self.snapshot("r")
        self.refuse(code, words, "m2", "train", "--run", "r", "--resume")
        self.assertEqual(self.snapshot("r"), before)

    def test_deleted(self):
        self.split.unlink()
        self.resume(4, "split.json")

    def test_edited(self):
        good = self.load("r/split.json")
        a, b = good["labeled"], good["unlabeled"]
        for labeled, unlabeled in [([b[0], *a[1:]], [a[0], *b[1:]]), (a[1:], [a[0], *b]), ([b[0], *a[1:]], b)]:
            self.split.write_text(json.dumps({**good, "labeled": labeled, "unlabeled": unlabeled}))
            self.resume(3, "split")

    def test_replaced_by_the_split_of_another_seed(self):
        self.succeed(*M2, "--run", "other", "--seed", "2")
        self.split.write_bytes(self.read("other/split.json"))
        self.resume(3, "split")

    def test_split_file(self):
        self.succeed(*M2, "--run", "other", "--seed", "2", "--split-file", "r/split.json")
        self.assertEqual(self.read("other/split.json"), self.read("r/split.json"))
        self.assertNotEqual(self.rows("other"), self.rows("r"))
        self.refuse_new(4, "absent.json", *M2, "--split-file", "absent.json")
        self.refuse_new(3, "another data set", *M2, "--split-file", "r/split.json", "--synth-seed", "2")


if __name__ == "__main__":
    unittest.main()
