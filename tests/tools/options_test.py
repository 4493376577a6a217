"""Every option does what it says: presets, configuration files, seeds, variants of the models, pictures."""
import json
import re
import statistics
import unittest

from harness import ADGM, DATA, ENVIRONMENT, LENGTH, M1, M1_M2, M2, VAE, ToolTest, png_size

PICTURES = ["reconstructed_x.png", "latent_code.png", "latent_code.svg", "labeled_z.png", "labeled_z.svg"]


class Configuration(ToolTest):
    def test_configuration_of_a_run_repeats_it(self):
        for command in (M1, M2, M1_M2):
            tool = command[0]
            for preset in ("chainer19", "paper"):
                one, two = f"{tool}.{preset}", f"{tool}.{preset}.again"
                self.succeed(*command, "--preset", preset, "--seed", "3", "--lr", "0.00123456789", "--run", one)
                report = self.read(f"{one}/report.html").decode()
                again = re.search(rf"{tool} train --config (\S+) --run DIRECTORY", report)
                self.succeed(tool, "train", "--config", again[1], "--run", two)
                self.assert_same_files(one, two)
                self.assertEqual(self.load(f"{one}/config.json"), self.load(f"{two}/config.json"))
        for words in ("commit", "OpenBLAS", "CPU threads"):
            self.assertIn(words, report)
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
            text = self.help(tool, "train", "--help")
            for word in words:
                self.assertRegex(text, re.escape(word) + r"\s")
            chainer19 = self.help(tool, "train", "--preset", "chainer19", "--help")
            self.assertIn("--wscale FLOAT=0.316227766016837", chainer19)
            self.assertIn("130 interrupted", self.succeed(tool, "--help"))
            for command in ("test", "visualize") + (("analogy",) if tool != "m1" else ()):
                text = self.succeed(tool, command, "--help")
                self.assertIn("--run", text)
                self.assertNotIn("--lr", text)
        self.assertIn("--update TEXT:{separate,joint}=joint", self.help("m2", "train", "--preset", "paper", "-h"))
        for command in ("synth", "download", "verify", "export-images"):
            self.assertIn("Usage", self.succeed("datasets", command, "--help"))
        self.assertIn("Usage", self.succeed("bench_step", "--help"))
        self.assertEqual(list(self.dir.iterdir()), [])

    def test_weights_of_a_run(self):
        self.assertNotIn("--use-weights", self.succeed("m2", "train", "--help"))
        self.assertIn("--use-weights TEXT:{auto,last,best,average}=auto", self.help("m2", "test", "--help"))
        self.succeed(*M2, "--run", "r")
        self.assertEqual(self.succeed("m2", "test", "--run", "r", "--use-weights", "last"), self.succeed("m2", "test", "--run", "r"))
        self.refuse(2, "r has no best.safetensors: ", "m2", "test", "--run", "r", "--use-weights", "best")
        self.refuse(2, "r has no averaged weights: ", "m2", "visualize", "--run", "r", "--use-weights", "average")
        self.assertNotIn("best_epoch", self.load("r/results.json"))
        self.assertNotIn("use-weights", self.load("r/config.json"))

    def test_waiting_threads_spin_briefly(self):
        def spins(**variables):
            code, _, err = self.run_tool("m2", "--help", env={**ENVIRONMENT, "OMP_DISPLAY_ENV": "verbose", **variables})
            self.assertEqual(code, 0)
            return re.findall(r"GOMP_SPINCOUNT = '(\w+)'", err)[-1:]

        self.assertEqual(spins(), ["5000"])
        self.assertEqual(spins(GOMP_SPINCOUNT="77"), ["77"])
        self.assertNotEqual(spins(OMP_WAIT_POLICY="active"), ["5000"])

    def test_benchmark(self):
        for command in (M1, M2, M1_M2):
            out = self.succeed(*command, "--benchmark", "5")
            self.assertEqual(out.count("\n"), 1)
            line = json.loads(out)
            self.assertEqual(line["steps"], 5)
            self.assertGreater(line["steps_per_s"], 0)
            self.assertEqual(line["images_per_step"], 100 if command is M1 else 200)
            self.assertLessEqual(line["min_ms"], line["median_ms"])
            self.assertEqual((line["device"], line["threads"]), ("cpu", 1))
        line = json.loads(self.succeed("bench_step", "m2", "--steps", "1", "--batch", "10", "--threads", "1"))
        self.assertEqual((line["system"], line["threads"], line["batch"], line["steps"]), ("m2", 1, 10, 1))
        self.assertEqual((line["mode"], line["precision"]), ("eager", "fp32"))
        self.assertIn("m2", self.succeed("bench_step", "--list").split())
        line = json.loads(self.succeed("bench_inception", "--images", "2", "--threads", "1"))
        self.assertEqual((line["system"], line["threads"], line["images"]), ("inception", 1, 2))
        self.assertLessEqual(line["min_images_per_s"], line["images_per_s"])
        self.assertEqual(list(self.dir.iterdir()), [])

    def test_benchmark_of_a_run(self):
        """From its checkpoint on, where rows of classes are left out; the run stays as it is."""
        m2 = (*M2, "--lr", "0.03")
        run = ("--run", "r", "--resume")
        self.succeed(*m2, *run[:2])
        before = self.everything("r")
        def share(*options):
            return json.loads(self.succeed(*m2, *run, "--benchmark", "5", *options))["class_rows"]
        some = share("--class-threshold", "1e-3")
        self.assertTrue(0.1 <= some < 1, some)
        self.assertEqual(share("--class-threshold", "0"), 1)
        self.assertEqual(self.everything("r"), before)
        self.refuse(2, "--class-threshold: '0.01' is no number from 0 to 0.001", *M2, "--class-threshold", "0.01")
        self.refuse(4, "cannot read none/config.json", *M2, "--run", "none", "--resume", "--benchmark", "5")

    def test_run_beside(self):
        """Training on the tool's data set in turns with another program's rate."""
        def run(beside):
            return self.run_tool("bench_step", "m2", "--run", "5", "--every", "3", "--batch", "10", "--threads", "1", "--beside", beside)
        code, out, _ = run("""echo warming up; echo '{"steps_per_s": 4}'""")
        self.assertEqual(code, 0)
        first, last = map(json.loads, out.splitlines())
        self.assertEqual((first["iteration"], last["iteration"]), (3, 5))
        self.assertEqual((first["beside_seconds"], last["beside_seconds"]), (0.75, 1.25))
        self.assertAlmostEqual(last["ratio"], last["steps_per_s"] / 4)
        self.assertLess(first["seconds"], last["seconds"])
        for beside, words in (("exit 3", "'exit 3' failed"), ("echo soon", "'echo soon' prints no steps_per_s")):
            code, _, err = run(beside)
            self.assertEqual((code, err.splitlines()[-1]), (2, f"error: --beside: {words}"))

    def test_plan(self):
        """A step counted for a GPU: the rows add up, and a faster card is no slower."""
        def rows(*options):
            code, out, err = self.run_tool("bench_step", "ml_vae", "--batch", "20", "--plan", *options)
            if "no emulator" in err:
                self.skipTest("a build without the emulator")
            self.assertEqual((code, err), (0, ""))
            return {name: [float(number) for number in numbers]
                    for name, *numbers in (line.split() for line in out.strip().splitlines()[2:])}
        h100, h200 = rows(), rows("--card", "h200")
        step = h100.pop("step")
        for column, total in enumerate(step):
            self.assertAlmostEqual(sum(row[column] for row in h100.values()), total, delta=0.06 * len(h100))
        calls, nodes, flops, _, time = step
        self.assertEqual(h100["adam"][:2], [1, 1])
        self.assertGreaterEqual(nodes, calls)
        # Products of 20 rows: encoder, its four heads and the decoder forward, their weights and inputs backward.
        self.assertGreater(flops, 0.02)
        self.assertGreater(time, 1.3 * nodes)
        self.assertEqual(h200["step"][:4], step[:4])
        self.assertLess(h200["step"][4], time)

    def test_plan_of_ranks(self):
        """Ranks on paper: one is the plan itself, a slower link costs, more ranks do not compute more than one."""
        def tables(*options):
            code, out, err = self.run_tool("bench_step", "ml_vae", "--plan", "--ranks", "16", *options)
            if "no emulator" in err:
                self.skipTest("a build without the emulator")
            self.assertEqual((code, err), (0, ""))
            plan, scaling = out.strip().split("\n\n")
            rows = [[float(number) for number in line.split()] for line in scaling.splitlines()[2:]]
            return float(plan.splitlines()[-1].split()[-1]), {int(row[0]): row[1:] for row in rows}
        (plan, fast), (_, slow) = tables(), tables("--link", "1")
        self.assertEqual(sorted(fast), [1, 8, 16, 64, 512])
        self.assertAlmostEqual(fast[1][0], plan, delta=0.1)
        self.assertEqual(fast[1][1:], [0, 0, 1, 1])
        for ranks in (8, 16, 64, 512):
            step, link, waits, times, efficiency = fast[ranks]
            self.assertLess(step - waits, plan)
            self.assertLessEqual(waits, link)
            self.assertAlmostEqual(efficiency, times / ranks, delta=1e-3)
            self.assertGreater(slow[ranks][0], step)

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
        self.assertRegex(err, r"\Ano mnist at hand [^\n]*\n\Z")
        self.assertEqual(self.load("runs/m2/config.json")["data"], "synth")


class AdgmFamily(ToolTest):
    def test_models_and_presets(self):
        ladder = ["--hidden", "16,12,8", "--z", "4,3,2"]
        for model in ("adgm", "sdgm", "m2", "stacked", "ladder"):
            for preset in ("notebook", "script", "paper", "fixed"):
                run = f"{model}.{preset}"
                sizes = ladder if model == "ladder" else ["--classifier-hidden", "12,8"] if preset == "paper" else []
                self.succeed(*ADGM, "--model", model, "--preset", preset, "--lr", "0.003", "--features-epochs", "1",
                             "--features-hidden", "12", "--features-z", "5", "--predict-draws", "1", *sizes, "--run", run)
                rows = self.rows(run)
                self.assertLess(rows[1]["test_loss_labeled"], rows[0]["test_loss_labeled"], run)
                self.succeed("adgm", "test", "--run", run, "--nll", "0" if model == "stacked" else "2")
        for model in ("vae", "flow", "beta", "ladder", "gumbel"):
            for preset in ("notebook", "fixed"):
                run = f"{model}.{preset}.vae"
                rate = [] if model == "beta" else ["--lr", "0.003"]
                self.succeed(*VAE, "--model", model, "--preset", preset, *rate, *(ladder if model == "ladder" else []),
                             *(["--decoder-hidden", "12,16"] if model == "beta" else []), "--run", run)
                rows = self.rows(run)
                self.assertLess(rows[1]["loss"], rows[0]["loss"], run)
                estimate = not (model == "gumbel" or (model == "flow" and preset == "notebook"))
                self.succeed("vae", "test", "--run", run, "--nll", "2" if estimate else "0")

    def test_switches(self):
        self.succeed(*ADGM, "--run", "plain")
        for options in (["--logvar", "raw"], ["--share-a", "true"], ["--eps", "0.01"], ["--alpha", "examples"], ["--alpha", "3"],
                        ["--mc", "2", "--iw", "2"], ["--warmup", "0"], ["--beta", "0.1"], ["--clip", "0.1"], ["--clamp", "0.001"],
                        ["--weight-prior", "true"], ["--labeled-pixels", "step"], ["--scaling", "unit"], ["--scaling", "binary"],
                        ["--init", "glorot"], ["--optimizer", "adagrad"], ["--batch", "7"], ["--batch-labeled", "33"],
                        ["--lr-every", "1", "--lr-factor", "0.5"], ["--alpha-scale", "1"], ["--labels", "50"]):
            with self.subTest(options=options):
                run = "".join(options)
                self.succeed(*ADGM, *options, f"--run={run}")
                self.assertNotEqual(self.rows(run), self.rows("plain"))
        self.succeed(*ADGM, "--validation", "100", "--predict-draws", "3", "--run", "validation")
        self.assertIn("valid_accuracy", self.rows("validation")[0])

    def test_configuration_of_a_run_repeats_it(self):
        for command, options in ((ADGM, ["--preset", "paper", "--predict-draws", "2"]), (VAE, ["--model", "gumbel", "--z", "10"])):
            tool = command[0]
            self.succeed(*command, *options, "--seed", "3", "--lr", "0.00123456789", "--run", f"{tool}.one")
            self.succeed(tool, "train", "--config", f"{tool}.one/config.json", "--run", f"{tool}.two")
            self.assert_same_files(f"{tool}.one", f"{tool}.two")
            self.assertEqual(self.load(f"{tool}.one/config.json"), self.load(f"{tool}.two/config.json"))

    def test_help(self):
        notebook = self.help("adgm", "train", "--help")
        for word in ("--hidden TEXT=256,128", "--z TEXT=32", "--warmup INT=200", "--alpha TEXT=batches", "--epochs INT=10"):
            self.assertRegex(notebook, re.escape(word) + r"\s")
        paper = self.help("adgm", "train", "--preset", "paper", "--help")
        for word in ("--hidden TEXT=500,500", "--predict-draws INT=100", "--logvar TEXT:{softplus,raw}=raw", "--clamp FLOAT=1"):
            self.assertIn(word, paper)
        self.assertIn("--beta FLOAT=4", self.help("vae", "train", "--model", "beta", "--help"))
        for tool, commands in (("adgm", ("test", "sample")), ("vae", ("test", "sample", "interpolate"))):
            for command in commands:
                self.assertNotIn("--lr", self.succeed(tool, command, "--help"))

    def test_pictures(self):
        names = {"adgm": ["conditional.png", "analogy.png"],
                 "vae": ["samples.png", "traversals.png", "interpolation.png"]}
        for command in (ADGM, VAE):
            tool = command[0]
            self.succeed(*command, "--run", tool)
            before = self.snapshot(tool)
            for name in [*names[tool], "reconstructed_x.png", "codes.png", "codes.svg"]:
                if name.endswith(".png"):
                    self.assertGreater(min(png_size(before[name])), 200, name)
                (self.dir / tool / name).unlink()
            self.succeed(tool, "sample", "--run", tool)
            if tool == "vae":
                self.succeed("vae", "interpolate", "--run", tool)
            after = self.snapshot(tool)
            self.assertEqual({name: after.get(name) == before[name] for name in before}, dict.fromkeys(before, True))
        self.succeed("adgm", "sample", "--run", "adgm", "--digit", "5")
        width, height = png_size(self.read("adgm/conditional.png"))
        self.assertGreater(width, 10 * height)
        self.succeed("vae", "sample", "--run", "vae", "--span", "10")

    def test_features_of_a_run(self):
        stacked = [*ADGM, "--model", "stacked", "--features-epochs", "2", "--features-hidden", "12", "--features-z", "5"]
        self.succeed(*stacked, "--run", "r")
        self.assertIn("test loss", self.succeed("vae", "test", "--run", "r/features"))
        self.succeed(*stacked, "--features-run", "r/features", "--run", "given")
        self.assert_same_files("r", "given")

    def test_benchmark(self):
        line = json.loads(self.succeed(*ADGM, "--benchmark", "3"))
        self.assertEqual(line["images_per_step"], 40)
        line = json.loads(self.succeed("bench_step", "adgm", "--steps", "1", "--batch", "4", "--threads", "1"))
        self.assertEqual((line["system"], line["images_per_step"]), ("adgm", 8))
        self.assertEqual(list(self.dir.iterdir()), [])


class Pictures(ToolTest):
    def check(self, run, names):
        for name in names:
            data = self.read(f"{run}/{name}")
            if name.endswith(".png"):
                self.assertGreater(min(png_size(data)), 200)
            else:
                self.assertTrue(b"\n<svg" in data and data.rstrip().endswith(b"</svg>"), name)
        html = self.read(f"{run}/report.html").decode()
        figures = [name for name in names if name.endswith(".svg")]
        self.assertEqual(html.count("data:image/png;base64,"), len(names) - 2 * len(figures))
        self.assertGreater(html.count("data:image/svg+xml;base64,"), len(figures))  # and curves
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
