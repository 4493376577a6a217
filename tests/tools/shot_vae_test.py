"""The tools shot_vae, shot_m2, shot_classifier and smooth_elbo: resumed runs to the byte, inspections, bad input."""
import json
import struct
import unittest

from harness import DEEP, FIXMATCH, SHOT_CLASSIFIER, SHOT_M2, SHOT_VAE, SMOOTH_ELBO, ToolTest, png_size

# What each program has of schedules, noise and states beside the weights.
WAYS = {"shot_vae": [*SHOT_VAE, "--dropout", "0.2", "--partner", "nearest", "--lr-drops", "0", "--beta-epochs", "3"],
        "shot_m2": [*SHOT_M2, "--ema", "0.9", "--labeled-stream", "fresh"],
        "shot_classifier": SHOT_CLASSIFIER,
        "fixmatch": [*FIXMATCH, "--threshold", "0.2", "--ema", "0.9"],
        "smooth_elbo": [*SMOOTH_ELBO, "--lr-patience", "0", "--order", "shuffled"]}


def iteration(checkpoint):
    """The iteration that a checkpoint is of."""
    header = json.loads(checkpoint[8:8 + struct.unpack("<Q", checkpoint[:8])[0]])
    return json.loads(header["__metadata__"]["meta"])["loop"]["iteration"]


def jpeg(components, side=32):
    """A picture of one grey, in so many components: differences of no bits, and ends of blocks."""
    def segment(marker, body):
        return struct.pack(">BBH", 0xff, marker, len(body) + 2) + body

    one_code = bytes([1] + [0] * 15 + [0])
    frame = struct.pack(">BHHB", 8, side, side, components) + b"".join(bytes([i, 0x11, 0]) for i in range(1, components + 1))
    scan = bytes([components]) + b"".join(bytes([i, 0]) for i in range(1, components + 1)) + bytes([0, 63, 0])
    bits = 2 * components * (side // 8) ** 2
    return (b"\xff\xd8" + segment(0xdb, bytes([0] + [1] * 64)) + segment(0xc0, frame) + segment(0xc4, b"\0" + one_code) +
            segment(0xc4, b"\x10" + one_code) + segment(0xda, scan) + bytes((bits + 7) // 8) + b"\xff\xd9")


def mat(*variables, text=b"MATLAB 5.0 MAT-file", version=0x0100):
    """A MATLAB file of bytes: names, extents and values."""
    def element(kind, body):
        return struct.pack("<II", kind, len(body)) + body + bytes(-len(body) % 8)

    matrices = [element(6, struct.pack("<II", 9, 0)) + element(5, struct.pack(f"<{len(shape)}i", *shape)) +
                element(1, name.encode()) + element(2, values) for name, shape, values in variables]
    return text.ljust(124) + struct.pack("<H", version) + b"IM" + b"".join(element(14, matrix) for matrix in matrices)


class Resume(ToolTest):
    def test_killed_within_an_epoch(self):
        for name, command in WAYS.items():
            with self.subTest(program=name):
                train = [*command, "--iters-per-epoch", "8", "--log-every", "1", "--checkpoint-every", "3"]
                self.succeed(*train, "--run", f"{name}/whole")
                self.kill_when(f"{name}/killed/checkpoint.safetensors", *train, "--run", f"{name}/killed")
                self.assertLess(iteration(self.read(f"{name}/killed/checkpoint.safetensors")), 16)
                self.succeed(command[0], "train", "--run", f"{name}/killed", "--resume")
                self.assert_same_runs(f"{name}/whole", f"{name}/killed")
                self.assertEqual("best.safetensors" in self.everything(f"{name}/whole"), name != "smooth_elbo")

    def test_longer(self):
        """Schedules stay those of the run that began, though those of the preset would be longer."""
        self.succeed(*SHOT_VAE, "--run", "r")
        before = self.load("r/config.json")
        self.succeed("shot_vae", "train", "--run", "r", "--resume", "--epochs", "3")
        self.assertEqual(self.load("r/config.json"), {**before, "epochs": 3})
        self.succeed(*SHOT_VAE, "--run", "long", "--epochs", "3", "--lr-drops", before["lr-drops"],
                     *(word for name in before if name.endswith("-epochs") for word in (f"--{name}", before[name])),
                     "--boost-after", before["boost-after"])
        self.assert_same_runs("r", "long")


class Inspections(ToolTest):
    def test_of_a_run(self):
        out = self.succeed(*SHOT_VAE, "--run", "r")
        for words in ("test accuracy", "top-5 accuracy", "expected calibration error", "best epoch"):
            self.assertIn(words, out)
        for name in ("reconstructions", "samples", "swaps"):
            size = png_size(self.read(f"r/{name}.png"))
            self.assertGreater(min(size), 300)
        self.succeed("shot_vae", "test", "--run", "r", "--use-weights", "best")
        code, out, err = self.run_tool("shot_vae", "test", "--run", "r", "--synth-train", "70")
        self.assertEqual(code, 0, err)
        self.assertIn("without the split of the run", err)
        self.assertIn("test accuracy", out)
        self.refuse(3, "a run of the tool 'shot_vae', not of 'shot_m2'", "shot_m2", "test", "--run", "r")
        self.refuse(3, "another model", "shot_vae", "test", "--run", "r", "--data", "synth", "--resize", "32x32")
        self.succeed(*SMOOTH_ELBO, "--run", "grey")
        self.refuse(3, "another model", "smooth_elbo", "test", "--run", "grey", "--data", "synth-color")

    def test_seeds_and_benchmark(self):
        self.succeed(*SHOT_CLASSIFIER, "--epochs", "1", "--seeds", "1,2", "--run", "r")
        self.assertEqual(len(self.load("r/seeds.json")["test_accuracy"]), 2)
        for command, images in ((SHOT_VAE, 24), (FIXMATCH, 24), (SMOOTH_ELBO, 20)):
            self.assertEqual(json.loads(self.succeed(*command, "--benchmark", "1"))["images_per_step"], images)
        for system in ("shot_wrn_28_2", "smooth_mnist"):
            line = json.loads(self.succeed("bench_step", system, "--batch", "2", "--steps", "1", "--threads", "1"))
            self.assertEqual((line["system"], line["images_per_step"]), (system, 4))

    def test_published_names_of_options(self):
        self.succeed("shot_m2", "train", *DEEP, "--epochs", "1", "--batch-size", "8", "--ldc", "3", "--cmi", "7", "--run", "r")
        config = self.load("r/config.json")
        self.assertEqual((config["batch"], config["z"], config["z-target"]), (8, 3, 7))
        self.assertNotIn("ldc", config)


class BadOptions(ToolTest):
    def test_values(self):
        for command in (SHOT_VAE, SHOT_M2, SHOT_CLASSIFIER):
            for options, words in [
                (["--net-name", "wideresnet-11-1"], "depth 11"),
                (["--net-name", "vgg16"], "vgg16"),
                (["--preset", "best"], "'best'"),
                (["--dropout", "1"], "--dropout"),
                (["--lr-drops", "1,2,3,4,5,6,7"], "six"),
                (["--lr-drops", "3,2"], "3,2"),
                (["--momentum", "1"], "--momentum"),
                (["--ema", "1"], "--ema"),
                (["--pad", "32"], "32"),
                (["--labels", "7"], "7 labels"),
                (["--labels", "200"], "do not fit"),
                (["--validation", "15"], "15"),
                (["--seed", "5000000000"], "5000000000"),
            ]:
                with self.subTest(tool=command[0], options=options):
                    self.refuse_new(2, words, *command, *options)
        for options, words in [(["--partner", "best"], "--partner"), (["--x-sigma", "0"], "--x-sigma"), (["--z", "0"], "--z"),
                               (["--epsilon", "-1"], "--epsilon"), (["--temperature", "0"], "--temperature"),
                               (["--boost-after", "-2"], "--boost-after"), (["--data", "synth"], "side 28")]:
            with self.subTest(options=options):
                self.refuse_new(2, words, *SHOT_VAE, *options)
        self.refuse_new(2, "--epsilon", *SHOT_M2, "--epsilon", "0.2")
        for options, words in [(["--method", "best"], "--method"), (["--threshold", "2"], "--threshold"), (["--operations", "0"], "--operations")]:
            self.refuse_new(2, words, *FIXMATCH, *options)
        for options, words in [(["--conv", "2,2,2,2,2,2"], "side 32"), (["--deconv", "3,3"], "transposed"), (["--preset", "fast"], "'fast'"),
                               (["--lr-patience", "1", "--lr-factor", "1"], "cannot fall by 1"), (["--validation", "10"], "10")]:
            with self.subTest(options=options):
                self.refuse_new(2, words, *SMOOTH_ELBO, *options)

    def test_a_last_batch_of_one_image(self):
        """Of a pass over 81 images; the decoder's first norm has one value of each."""
        last = ["--batch", "16", "--synth-train", "101"]
        for command in (SHOT_VAE, SHOT_M2, FIXMATCH):
            self.refuse_new(2, "--batch 16, of 81 images: the last batch of a pass has one", *command, *last)
        for command in (SHOT_VAE, SHOT_CLASSIFIER):
            self.refuse_new(2, "--batch-labeled 19, of 20 images: the last batch of a pass has one", *command, "--batch-labeled", "19")


    def test_a_split_without_unlabelled_images(self):
        for command in (SHOT_CLASSIFIER, SMOOTH_ELBO):
            self.succeed(*command, "--split-rule", "disjoint", "--validation", "20", "--epochs", "1", "--run", command[0])
            split = self.load(f"{command[0]}/split.json")
            split.update(unlabeled=[], validation=split["unlabeled"] + split["validation"], num_validation=80)
            (self.dir / f"{command[0]}.json").write_text(json.dumps(split))
        deep = ["--split-file", "shot_classifier.json"]
        for refused in ([*SHOT_VAE, *deep], [*FIXMATCH, *deep], [*SMOOTH_ELBO, "--split-file", "smooth_elbo.json"]):
            self.refuse_new(2, "--batch: the split leaves no images for it", *refused)
        self.succeed(*SHOT_CLASSIFIER, *deep, "--epochs", "1", "--run", "labels")


class BadImages(ToolTest):
    def refuse_data(self, words, data, tool=SHOT_VAE, code=3):
        self.refuse_new(code, words, *tool, "--data", data, "--data-dir", ".")

    def write(self, name, content):
        path = self.dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def test_cifar(self):
        record = bytes([3]) + bytes(3072)
        for i in range(1, 6):
            self.write(f"cifar10/data_batch_{i}.bin", 10 * record)
        self.write("cifar10/test_batch.bin", 10 * record)
        for name, content, words in [("data_batch_2.bin", 10 * record[:-1], "no whole number of records"),
                                     ("data_batch_3.bin", b"", "data_batch_3.bin"),
                                     ("data_batch_4.bin", bytes([10]) + record[1:], "label 10"),
                                     ("test_batch.bin", b"no pixels", "test_batch.bin")]:
            with self.subTest(words=words):
                before = self.read(f"cifar10/{name}")
                self.write(f"cifar10/{name}", content)
                self.refuse_data(words, "cifar10")
                self.write(f"cifar10/{name}", before)
        self.refuse_data("class", "cifar10")  # all of one class
        (self.dir / "cifar10/data_batch_5.bin").unlink()
        self.refuse_data("data_batch_5.bin", "cifar10", code=4)

    def test_svhn(self):
        x, y = ("X", (32, 32, 3, 20), bytes(3072 * 20)), ("y", (20, 1), bytes(range(1, 11)) * 2)
        self.write("svhn/test_32x32.mat", mat(x, y))
        for content, words in [(mat(x, ("z", *y[1:])), "'y'"),
                               (mat(x, ("y", (20, 1), bytes([11] * 20))), "label"),
                               (mat(x, ("y", (19, 1), bytes([1] * 19))), "19"),
                               (mat(x, y)[:-5], "train_32x32.mat"),
                               (mat(text=b"MATLAB 7.3 MAT-file", version=0x0200), "HDF5"),
                               (b"no MATLAB", "train_32x32.mat")]:
            with self.subTest(words=words):
                self.write("svhn/train_32x32.mat", content)
                self.refuse_data(words, "svhn")

    def test_pictures(self):
        for part, count in (("train_images", 8), ("test_images", 2)):
            for name in ("cat", "dog"):
                for i in range(count):
                    self.write(f"{part}/{name}/{i}.jpg", jpeg(3 if i % 2 else 1))  # grey ones are welcome
        data = ["--data", "subfolders", "--data-dir", ".", "--labels", "4", "--validation", "4"]
        self.succeed(*SHOT_CLASSIFIER, *data, "--channels", "3", "--epochs", "1", "--run", "r")
        self.assertEqual(self.load("r/config.json")["class_names"], ["cat", "dog"])
        for content, words in [(jpeg(4), "CMYK"), (b"this is a text", "not a readable JPEG"), (jpeg(3)[:-6], "8.jpg"),
                               (jpeg(3, 40), "40x40")]:
            with self.subTest(words=words):
                self.write("train_images/dog/8.jpg", content)
                self.refuse_new(3, words, *SHOT_VAE, *data)


if __name__ == "__main__":
    unittest.main()
