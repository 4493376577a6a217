"""Every option does what it says: presets, configuration files, seeds, variants of the models, pictures."""
import json
import re
import statistics
import unittest

from harness import DATA, ENVIRONMENT, LENGTH, M1, M1_M2, M2, ToolTest, png_size

PICTURES = ["reconstructed_x.png", "latent_code.png", "latent_code.svg", "labeled_z.png", "labeled_z.svg"]


class Configuration(ToolTest):
    def test_configuration_of_a_run_repeats_it(self):
        for command in (M1, M2, M1_M2):
            tool = command[0]
            for preset in ("chainer19", "paper"):
                one, two = f"{tool}.{preset}", f"{tool}.{preset}.again"
                self.succeed(*command, "--preset", preset, "--seed", "3", "--lr", "0.00123456789", "--run", one)
                self.succeed(tool, "train", "--config", f"{one}/config.json", "--run", two)
                self.assert_same_files(one, two)
                self.assertEqual(self.load(f"{one}/config.json"), self.load(f"{two}/config.json"))
        self.succeed("m2", "train", "--config", "m2.paper/config.json", "--seed", "4", "--run", "other")
        self.assertEqual(self.load("other/config.json")["seed"], 4)  # the command line wins
        self.assertNotEqual(self.rows("other"), self.rows("m2.paper"))

    def test_first_stage_is_a_run_of_m1(self):
        self.succeed(*M1_M2, "--m1-lr", "0.001", "--run", "r")
        self.assertIn("test loss", self.succeed("m1", "test", "--run", "r/m1"))
        self.succeed("m1", "train", "--config", "r/m1/config.json", "--run", "m1")
        self.assert_same_files("r/m1", "m1")
        self.succeed(*M1_M2, "--m1-lr", "0.001", "--m1-run", "m1", "--run", "given")
        self.assert_same_files("r", "given")

    def test_help(self):
        defaults = {"m1": ("--z INT=2", "--hidden TEXT=600,600", "--wscale FLOAT=0.1", "--clip FLOAT=0"),
                    "m2": ("--z INT=50", "--hidden TEXT=500", "--wscale FLOAT=0.1", "--clip FLOAT=5"),
                    "m1_m2": ("--z INT=50", "--m1-z INT=50", "--decoder TEXT:{bernoulli,gaussian}=gaussian")}
        for tool, words in defaults.items():
            text = self.succeed(tool, "train", "--help")
            for word in words:
                self.assertRegex(text, re.escape(word) + r"\s")
            chainer19 = self.succeed(tool, "train", "--preset", "chainer19", "--help")
            self.assertIn("--wscale FLOAT=0.316227766016837", chainer19)
            self.assertIn("130 interrupted", self.succeed(tool, "--help"))
            for command in ("test", "visualize") + (("analogy",) if tool != "m1" else ()):
                text = self.succeed(tool, command, "--help")
                self.assertIn("--run", text)
                self.assertNotIn("--lr", text)
        self.assertIn("--update TEXT:{separate,joint}=joint", self.succeed("m2", "train", "--preset", "paper", "-h"))
        for command in ("synth", "download", "verify", "export-images"):
            self.assertIn("Usage", self.succeed("datasets", command, "--help"))
        self.assertIn("Usage", self.succeed("bench_step", "--help"))
        self.assertEqual(list(self.dir.iterdir()), [])

    def test_benchmark(self):
        for command in (M1, M2, M1_M2):
            out = self.succeed(*command, "--benchmark", "5")
            self.assertEqual(out.count("\n"), 1)
            line = json.loads(out)
            self.assertGreater(line["steps_per_s"], 0)
            self.assertEqual(line["images_per_step"], 100 if command is M1 else 200)
            self.assertLessEqual(line["min_ms"], line["median_ms"])
            self.assertEqual((line["device"], line["threads"]), ("cpu", 1))
        line = json.loads(self.succeed("bench_step", "m2", "--steps", "1", "--batch", "10", "--threads", "1"))
        self.assertEqual((line["system"], line["threads"], line["batch"]), ("m2", 1, 10))
        self.assertEqual(list(self.dir.iterdir()), [])

    def test_seeds(self):
        for command, metric in ((M1, "test_loss"), (M2, "test_accuracy")):
            tool = command[0]
            out = self.succeed(*command, "--seeds", "1,2,5", "--run", tool)
            summary = self.load(f"{tool}/seeds.json")
            values = [self.load(f"{tool}/seed_{seed}/results.json")[metric] for seed in (1, 2, 5)]
            self.assertEqual((summary["seeds"], summary[metric]), ([1, 2, 5], values))
            self.assertAlmostEqual(summary["mean"], statistics.mean(values), places=12)
            self.assertAlmostEqual(summary["std"], statistics.stdev(values), places=12)
            self.assertIn("\u00b1", out)
            self.succeed(*command, "--seed", "2", "--run", f"{tool}/alone")
            self.assert_same_files(f"{tool}/seed_2", f"{tool}/alone")


class Variants(ToolTest):
    def test_presets(self):
        for tool, size in (("m1", ["--hidden", "64"]), ("m2", ["--hidden", "64", "--validation", "200"])):
            for preset in ("seed", "chainer19", "paper"):
                run = f"{tool}.{preset}"
                self.succeed(tool, "train", "--preset", preset, *DATA, *LENGTH, *size, "--run", run)
                self.assertEqual(self.load(f"{run}/config.json")["preset"], preset)
                rows = self.rows(run)
                loss = "loss" if tool == "m1" else "loss_labeled"
                self.assertLess(rows[1][loss], rows[0][loss])

    def test_m2(self):
        same = [*M2, "--hidden", "24,16"]
        self.succeed(*same, "--run", "plain")
        for options in (["--batchnorm-before-activation", "false"],
                        ["--batchnorm", "false", "--batchnorm-to-input", "false"],
                        ["--dropout", "0.3"], ["--decoder", "gaussian"], ["--scaling", "unit"],
                        ["--z-terms", "explicit", "--type-pz", "sampled", "--type-qz", "sampled"],
                        ["--update", "joint"], ["--weights", "counts"], ["--activation", "relu"], ["--z", "1"],
                        ["--alpha", "0.5"], ["--wscale", "1"], ["--batch-unlabeled", "0"], ["--batch-labeled", "7"]):
            with self.subTest(options=options):
                run = options[0] + options[1]
                self.succeed(*same, *options, f"--run={run}")
                self.succeed("m2", "test", f"--run={run}", "--nll", "2")
                self.assertNotEqual(self.rows(run), self.rows("plain"))
        self.succeed(*same, "--z-terms", "explicit", "--run", "explicit")  # the marginal terms are the KL divergence
        for one, other in zip(self.rows("explicit"), self.rows("plain")):
            self.assertAlmostEqual(one["loss_labeled"], other["loss_labeled"], delta=1e-3)

    def test_m1(self):
        for options in (["--batchnorm-before-activation", "false"], ["--decoder", "gaussian"], ["--z", "1"],
                        ["--decoder", "gaussian", "--type-qz", "sampled"], ["--samples", "3", "--clip", "1"]):
            run = "".join(options)
            self.succeed(*M1, *options, f"--run={run}")
            self.succeed("m1", "test", f"--run={run}")

    def test_all_images_labeled(self):
        for command in (M2, M1_M2):
            run = command[0]
            self.succeed(*command, "--labels", "800", "--weights", "counts", "--run", run)
            split = self.load(f"{run}/split.json")
            self.assertEqual((len(split["labeled"]), split["unlabeled"], len(split["validation"])), (800, [], 200))
            self.assertEqual(self.rows(run)[-1]["loss_unlabeled"], 0)
        self.succeed(*M2, "--validation", "0", "--run", "no validation")
        self.assertNotIn("valid_accuracy", self.rows("no validation")[0])

    def test_threads(self):
        m2 = [*M2, "--hidden", "300", "--seed", "2"]
        for run, threads in (("one", 1), ("two", 2), ("two again", 2)):
            self.succeed(*m2, "--threads", threads, "--run", run)
        self.assert_same_files("two", "two again")
        for one, two in zip(self.rows("one"), self.rows("two")):
            for name, value in one.items():  # products of matrices are summed in another order
                self.assertAlmostEqual(two[name], value, delta=1e-4 * abs(value) + 0.02)

    def test_without_mnist_the_synthetic_digits(self):
        code, _, err = self.run_tool(*M2, "--data", "auto", env={**ENVIRONMENT, "XDG_CACHE_HOME": str(self.dir)})
        self.assertEqual(code, 0)
        self.assertRegex(err, r"\Ano MNIST at hand [^\n]*\n\Z")
        self.assertEqual(self.load("runs/m2/config.json")["data"], "synth")


class Pictures(ToolTest):
    def check(self, run, names):
        for name in names:
            data = self.read(f"{run}/{name}")
            if name.endswith(".png"):
                self.assertGreater(min(png_size(data)), 200)
            else:
                self.assertTrue(data.startswith(b"<svg") and data.rstrip().endswith(b"</svg>"), name)
        html = self.read(f"{run}/report.html").decode()
        self.assertEqual(html.count("data:image/png;base64,"), sum(name.endswith(".png") for name in names))
        self.assertNotRegex(html, r'(src|href)="(?!data:|#)')

    def test_made_by_training_and_again(self):
        for command in (M1, M2, M1_M2):
            tool = command[0]
            with self.subTest(tool=tool):
                names = PICTURES + (["analogy.png"] if tool != "m1" else [])
                out = self.succeed(*command, "--run", tool)
                self.assertIn(f"report: {tool}/report.html", out)
                self.check(tool, names)
                before = self.snapshot(tool)
                for name in names:
                    (self.dir / tool / name).unlink()
                self.succeed(tool, "visualize", "--run", tool)
                if tool != "m1":
                    self.succeed(tool, "analogy", "--run", tool)
                after = self.snapshot(tool)
                self.assertEqual({name: after.get(name) == before[name] for name in before}, dict.fromkeys(before, True))
        self.succeed("m1_m2", "analogy", "--run", "m1_m2", "--means")
        self.assertNotEqual(self.read("m1_m2/analogy.png"), before["analogy.png"])

    def test_numbers_of_a_finished_run(self):
        self.succeed(*M1_M2, "--run", "r")
        accuracy = self.load("r/results.json")["test_accuracy"]
        self.assertEqual(accuracy, self.rows("r")[-1]["test_accuracy"])
        out = self.succeed("m1_m2", "test", "--run", "r")
        self.assertIn(f"test accuracy {accuracy:.4f} on 200 images", out)
        self.assertIn("precision", out)


if __name__ == "__main__":
    unittest.main()
