"""The tool ml_vae: resumed runs to the byte, every switch, pictures, the reference's weights, bad input."""
import json
import re
import struct
import unittest

from harness import DATA, EXACT, ML_VAE as TRAIN, ToolTest, png_size, products_keep_bits

SIZE = TRAIN[-8:]
LONG = ["--epochs", "2", "--iters-per-epoch", "100", "--log-every", "10"]
PICTURES = ["swap.png", "swap_evidence.png", "reconstructed_x.png"]


class Resume(ToolTest):
    def test_killed(self):
        for options in (["--preset", "reference"], ["--preset", "paper", "--reshuffle", "true"]):
            train = [*TRAIN, *LONG, *options]
            name = options[1]
            self.succeed(*train, "--run", f"{name}/whole")
            self.kill_when(f"{name}/killed/checkpoint.safetensors", *train, "--run", f"{name}/killed")
            self.succeed("ml_vae", "train", "--run", f"{name}/killed", "--resume")
            self.assert_same_files(f"{name}/whole", f"{name}/killed", [*EXACT, *PICTURES])

    def test_killed_between_checkpoints(self):
        train = [*TRAIN, *LONG, "--checkpoint-every", "30"]
        self.succeed(*train, "--run", "whole")
        self.kill_when("killed/config.json", *train, "--run", "killed")
        self.kill_when("killed/checkpoint.safetensors", "ml_vae", "train", "--run", "killed", "--resume")
        self.succeed("ml_vae", "train", "--run", "killed", "--resume")
        self.assert_same_files("whole", "killed")

    def test_longer(self):
        self.succeed(*TRAIN, "--run", "r")
        self.succeed("ml_vae", "train", "--run", "r", "--resume", "--epochs", "3")
        self.succeed(*TRAIN, "--run", "long", "--epochs", "3")
        self.assert_same_files("long", "r", [*EXACT, "config.json"])
        self.refuse(2, "--noise-std", "ml_vae", "train", "--run", "r", "--resume", "--noise-std", "1")

    def test_classifiers(self):
        for run in ("whole", "killed"):
            self.succeed(*TRAIN, "--run", run)
        out = self.succeed("ml_vae", "classify", "--run", "whole", "--iterations", "2000")
        self.kill_when("killed/classifier/checkpoint.safetensors", "ml_vae", "classify", "--run", "killed",
                       "--iterations", "2000")
        again = self.succeed("ml_vae", "classify", "--run", "killed", "--iterations", "2000", "--resume")
        self.assert_same_files("whole/classifier", "killed/classifier", EXACT[:4])
        self.assertEqual(out[out.index("accuracy"):], again[again.index("accuracy"):])
        self.refuse(2, "--resume", "ml_vae", "classify", "--run", "whole", "--iterations", "2000")
        self.succeed(*TRAIN, "--run", "killed", "--fresh", "--seed", "2")  # another encoder
        self.refuse(3, "another model", "ml_vae", "classify", "--run", "killed", "--iterations", "2000", "--resume",
                    "--seed", "1")


class Options(ToolTest):
    def test_presets(self):
        rows = set()
        for preset in ("reference", "reference-std1", "attached", "paper"):
            self.succeed(*TRAIN, "--preset", preset, "--run", preset)
            self.succeed("ml_vae", "train", "--config", f"{preset}/config.json", "--run", f"{preset} again")
            self.assert_same_files(preset, f"{preset} again")
            first, last = self.rows(preset)
            self.assertLess(last["loss_reconstruction"], first["loss_reconstruction"])
            rows.add(json.dumps(last))
        self.assertEqual(len(rows), 4)

    def test_switches(self):
        self.succeed(*TRAIN, "--preset", "attached", "--run", "plain")
        for options in (["--class-noise", "per_image"], ["--class-kl", "per_group"], ["--noise-std", "0"],
                        ["--class-gradient", "detached"], ["--kl-coef", "0"], ["--reconstruction-coef", "2"],
                        ["--divisor", "groups"], ["--beta-1", "0.5"], ["--beta-2", "0.99"], ["--lr", "0.01"],
                        ["--reshuffle", "true"], ["--style-dim", "1"], ["--class-dim", "1"]):
            run = "".join(options)
            self.succeed(*TRAIN, "--preset", "attached", *options, f"--run={run}")
            self.assertNotEqual(self.rows(run), self.rows("plain"), options)

    def test_an_epoch_is_a_pass(self):
        self.succeed("ml_vae", "train", *DATA, *SIZE, "--epochs", "2", "--run", "r")
        self.assertEqual([row["step"] for row in self.rows("r")], [20, 40])

    def test_help_and_benchmark(self):
        text = self.help("ml_vae", "train", "--preset", "paper", "--help")
        for word in ("--noise-std FLOAT=1", "--class-kl TEXT:{per_member,per_group}=per_group", "--epochs INT=400"):
            self.assertRegex(text, re.escape(word) + r"\s")
        for command, word in (("import", "--weights"), ("swap", "--references"), ("classify", "--iterations"),
                              ("tsne", "--perplexity"), ("probe", "--ridge")):
            text = self.succeed("ml_vae", command, "--help")
            self.assertIn(word, text)
            self.assertEqual("--lr" in text, command == "import")
        self.assertIn("130 interrupted", self.succeed("ml_vae", "--help"))
        line = json.loads(self.succeed(*TRAIN, "--benchmark", "3"))
        self.assertEqual(line["images_per_step"], 50)
        line = json.loads(self.succeed("bench_step", "ml_vae", "--steps", "1", "--batch", "10", "--threads", "1"))
        self.assertEqual((line["system"], line["batch"]), ("ml_vae", 10))
        self.assertEqual(list(self.dir.iterdir()), [])

    def test_seeds(self):
        self.succeed(*TRAIN, "--seeds", "1,2", "--run", "r")
        values = [self.load(f"r/seed_{n}/results.json")["test_mse_single"] for n in (1, 2)]
        self.assertEqual(self.load("r/seeds.json")["test_mse_single"], values)


class Inspection(ToolTest):
    def setUp(self):
        super().setUp()
        self.succeed(*TRAIN, "--run", "r")

    def test_pictures(self):
        before = self.snapshot("r")
        for name in PICTURES:
            self.assertGreater(min(png_size(before[name])), 200)
        self.assertEqual(before["report.html"].count(b"data:image/png;base64,"), 3)
        self.succeed("ml_vae", "swap", "--run", "r")
        self.assertEqual(self.snapshot("r"), before)
        self.succeed("ml_vae", "swap", "--run", "r", "--evidence-images", "100")
        self.assertNotEqual(self.read("r/swap_evidence.png"), before["swap_evidence.png"])
        self.assertEqual(self.read("r/swap.png"), before["swap.png"])
        self.succeed("ml_vae", "swap", "--run", "r", "--evidence-images", "3")  # of three digits or fewer
        self.assertLess(png_size(self.read("r/swap_evidence.png"))[0], png_size(before["swap_evidence.png"])[0])
        self.refuse(2, "MNIST", "ml_vae", "swap", "--run", "r", "--references", "fixed")

    def test_tsne(self):
        tsne = ["ml_vae", "tsne", "--run", "r", "--iterations", "20"]
        pictures = {}
        for options, name in ((["--code", "style"], "tsne_style"), (["--code", "class"], "tsne_class"),
                              (["--code", "class", "--evidence"], "tsne_class_evidence"),
                              (["--code", "pixels"], "tsne_pixels")):
            out = self.succeed(*tsne, *options)
            self.assertRegex(out, name + r": 200 images, trustworthiness \(k = 12\) [01]\.\d+")
            self.assertGreater(min(png_size(self.read(f"r/{name}.png"))), 200)
            pictures[name] = self.read(f"r/{name}.svg")
            same_bits = products_keep_bits() or "pixels" in options  # codes are products
            self.succeed(*tsne, *options, *(["--threads", "2"] if same_bits else []))
            self.assertEqual(self.read(f"r/{name}.svg"), pictures[name])
        self.succeed(*tsne, "--means")
        self.assertNotEqual(self.read("r/tsne_style.svg"), pictures["tsne_style"])
        code, _, err = self.run_tool(*tsne, "--images", "50")
        self.assertEqual((code, err), (0, "50 images are too few for perplexity 30: it is 16.3\n"))
        self.refuse(3, "four images", *tsne, "--images", "3")
        self.refuse(2, "--perplexity", *tsne, "--perplexity", "0")

    def test_probe(self):
        self.succeed("ml_vae", "probe", "--run", "r")
        numbers, results = self.load("r/probe.json"), self.load("r/results.json")
        for name, value in numbers.items():
            self.assertEqual(results[name], value)
        self.assertEqual(numbers["test_mse_single"], self.rows("r")[-1]["test_mse_single"])
        code, _, err = self.run_tool("ml_vae", "probe", "--run", "r", "--fit", "15")
        self.assertEqual(code, 0)
        self.assertIn("QDA predicts no class of fewer than two training images", err)

    def test_import(self):
        self.succeed("ml_vae", "import", *DATA, "--weights", "r/checkpoint.safetensors", "--run", "i")
        self.assert_same_files("r", "i", PICTURES)
        config = self.load("i/config.json")
        self.assertEqual([config[n] for n in ("hidden", "style-dim", "class-dim")], [32, 3, 4])
        self.succeed("ml_vae", "probe", "--run", "i")
        self.succeed("ml_vae", "train", "--run", "i", "--resume", "--epochs", "1")
        self.assertEqual(len(self.rows("i")), 1)

    def test_bad_weights(self):
        bad = ["ml_vae", "import", *DATA]
        self.refuse_new(2, "--weights", *bad)
        self.refuse_new(4, "absent", *bad, "--weights", "absent")
        self.refuse_new(3, "config.json", *bad, "--weights", "r/config.json")
        good = self.read("r/checkpoint.safetensors")
        size = struct.unpack("<Q", good[:8])[0]
        header = good[8:8 + size].replace(b"encoder.style_mu.bias", b"encoder.style_mu.bios")
        (self.dir / "w").write_bytes(good[:8] + header + good[8 + size:])
        self.refuse_new(3, "encoder.style_mu.bias", *bad, "--weights", "w")
        name = b'"encoder.class_logvar.bias":{"data_offsets":['
        begin = int(good[good.index(name) + len(name):].split(b",")[0]) + 8 + size
        (self.dir / "w").write_bytes(good[:begin] + struct.pack("<f", float("nan")) + good[begin + 4:])
        self.refuse_new(3, "encoder.class_logvar.bias", *bad, "--weights", "w")


class BadInput(ToolTest):
    def test_options(self):
        for options, words in [(["--preset", "best"], "'best'"), (["--noise-std", "-1"], "--noise-std"),
                               (["--style-dim", "0"], "--style-dim"), (["--class-kl", "never"], "--class-kl"),
                               (["--lr", "nan"], "--lr"), (["--beta-1", "1"], "--beta-1"), (["--batch", "0"], "--batch"),
                               (["--reshuffle", "perhaps"], "--reshuffle")]:
            self.refuse_new(2, words, *TRAIN, *options)
        self.refuse(2, "--help", "ml_vae")
        self.refuse(4, "runs/ml_vae", "ml_vae", "probe")
        self.refuse(5, "loss", *TRAIN, "--lr", "1e30", "--run", "r")
        self.refuse(2, "thousands", *self.trained(), "--iterations", "1500")

    def trained(self):
        self.succeed(*TRAIN, "--run", "good")
        return "ml_vae", "classify", "--run", "good"


if __name__ == "__main__":
    unittest.main()
