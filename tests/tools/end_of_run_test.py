"""The end of a run on data of every shape: results and report are always written, whatever cannot be drawn or probed is
left out with a line, and every inspection of the run says what it can."""
import html.parser
import json
import os
import pathlib
import struct
import unittest
import zlib

from harness import ToolTest, png_size

SHORT = ["--epochs", "1", "--iters-per-epoch", "3", "--threads", "1"]
SMALL = ["--hidden", "8", "--z", "3"]
LABELED = ["--batch-labeled", "10"]
DEEP_BATCHES = ["--batch-labeled", "10", "--batch", "7"]


def families(labels):
    """Training commands, and the inspections of the run."""
    split = ["--labels", labels, "--validation", "0"]
    return [
        (["m1", "train", *SMALL], ["test", "visualize"]),
        (["m2", "train", *SMALL, *split, *LABELED], ["test --nll 1", "visualize", "analogy"]),
        (["m1_m2", "train", *SMALL, *split, *LABELED, "--m1-epochs", "1", "--m1-iters-per-epoch", "3", "--m1-hidden", "8",
          "--m1-z", "3"], ["test", "visualize"]),
        (["adgm", "train", *SMALL, *split, *LABELED, "--a", "2"], ["test --nll 1", "sample", "sample --digit 0"]),
        (["adgm", "train", "--model", "ladder", "--hidden", "8,6", "--z", "3,2", *split, *LABELED], ["test", "sample"]),
        (["vae", "train", *SMALL], ["test --nll 1", "sample", "interpolate"]),
        (["ml_vae", "train", "--hidden", "8", "--style-dim", "2", "--class-dim", "2"],
         ["swap", "probe", "tsne --iterations 5", "tsne --iterations 5 --code class --evidence --images 30",
          "classify --iterations 3"]),
        (["shot_vae", "train", "--preset", "fast", "--resize", "32x32", "--decoder-width", "1", "--z", "3", *split, *DEEP_BATCHES],
         ["test", "sample"]),
        (["smooth_elbo", "train", "--hidden", "6", "--z", "2", "--conv", "2,3", "--deconv", "2", "--labels", labels, *DEEP_BATCHES],
         ["test", "sample"]),
    ]


def pixels(label, number, size):
    return bytes((37 * label + 11 * number + 5 * i) % 256 for i in range(size))


def png(width, height, data):
    rows = b"".join(b"\0" + data[y * width:(y + 1) * width] for y in range(height))
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks)


class Report(html.parser.HTMLParser):
    """Balanced elements, and the embedded pictures."""

    def __init__(self, text):
        super().__init__()
        self.open, self.images = [], 0
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.images += tag == "img"
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        """An element without content."""

    def handle_endtag(self, tag):
        if self.open.pop() != tag:
            raise AssertionError(f"</{tag}> out of place")


class EndOfRun(ToolTest):
    def write_idx(self, train, test, height=4, width=5):
        """Data sets of such labels, in that order."""
        for part, labels in (("train", train), ("t10k", test)):
            images = b"".join(pixels(label, i, height * width) for i, label in enumerate(labels))
            shape = (len(labels), height, width)
            (self.dir / f"{part}-images-idx3-ubyte").write_bytes(struct.pack(">IIII", 0x0803, *shape) + images)
            (self.dir / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">II", 0x0801, len(labels)) + bytes(labels))

    def check_finished(self, run, pictures=1):
        results, text = self.load(f"{run}/results.json"), self.read(f"{run}/report.html").decode()
        report = Report(text)
        self.assertEqual(report.open, [])
        self.assertGreaterEqual(report.images, pictures)
        self.assertLess(len(text), 8_000_000)
        self.assertEqual(results["iterations"], 3)
        for path in filter(pathlib.Path.is_file, (self.dir / run).glob("*.png")):
            self.assertLessEqual(max(png_size(path.read_bytes())), 4096, path)
        return results

    def check(self, classes, labels, but=()):
        """Every family trains, finishes and can be inspected; `but`: inspections that are refused, with the words."""
        data = ["--data", "idx", "--data-dir", ".", "--classes", classes]
        for number, (train, inspections) in enumerate(families(labels)):
            run = f"r{number}"
            with self.subTest(train=train):
                code, out, err = self.run_tool(*train, *data, *SHORT, "--run", run)
                self.assertEqual(code, 0, err)
                self.assertIn("report: ", out)
                results = self.check_finished(run)
                self.assertTrue({"test_loss", "test_accuracy", "test_mse_single"} & set(results))
                for inspection in inspections:
                    code, out, err = self.run_tool(train[0], *inspection.split(), "--run", run)
                    words = dict(but).get(inspection.split()[0])
                    if words and code:
                        self.assertIn(words, err)
                    else:
                        self.assertEqual(code, 0, (inspection, err))
                    self.assertNotIn("internal", err)

    def test_classes_that_lack_images(self):
        """The test images lack class 2, and hold one of class 1."""
        self.write_idx([0, 1, 2] * 30, [0] * 20 + [1])
        self.check(3, 9)
        self.assertNotIn("left_out", self.load("r6/results.json"))

    def test_one_training_image_of_a_class(self):
        self.write_idx([0] * 40 + [1] * 20 + [2], [0, 1, 2] * 10)
        self.check(3, 3)
        code, out, err = self.run_tool("ml_vae", "probe", "--run", "r6")
        self.assertEqual(code, 0)
        self.assertIn("QDA predicts no class of fewer than two training images: 1 classes, the first is 2", err)
        self.assertIn("qda_class_mean", self.load("r6/probe.json"))
        self.assertIn("QDA predicts no class", self.read("r6/report.html").decode())

    def test_one_training_image_of_each_class(self):
        """No class has a variance: the probe is left out, the rest is there."""
        self.write_idx([0, 1, 2], [0, 1, 2] * 10)
        self.check(3, 3)
        results = self.load("r6/results.json")
        self.assertNotIn("qda_class_mean", results)
        self.assertIn("test_mse_evidence", results)

    def test_sorted_by_class(self):
        """Samples that are smaller than the sets hold all classes."""
        self.write_idx([0] * 100 + [1] * 100 + [2] * 100, [0] * 60 + [1] * 60 + [2] * 60)
        self.check(3, 30)
        code, _, err = self.run_tool("ml_vae", "probe", "--run", "r6", "--fit", "90")
        self.assertEqual((code, err), (0, ""))
        self.succeed("ml_vae", "tsne", "--run", "r6", "--images", "40", "--perplexity", "5", "--iterations", "5")
        svg = self.read("r6/tsne_style.svg").decode()
        for color in (r"24\.70\d+%, ?56\.47\d+%", r"100%, ?66\.27\d+%", r"74\.11\d+%, ?12\.15\d+%"):  # of three classes
            self.assertRegex(svg, color)

    def test_one_and_two_test_images(self):
        self.write_idx([0, 1] * 30, [1])
        self.check(2, 10, [("interpolate", "two test images"), ("tsne", "four images")])
        for number in range(len(families(10))):
            (self.dir / f"r{number}").rename(self.dir / f"one{number}")
        self.write_idx([0, 1] * 30, [1, 0])
        self.check(2, 10, [("tsne", "four images")])

    def test_sizes_of_pictures(self):
        for height, width in ((1, 1), (2, 2), (1, 5000)):
            with self.subTest(size=(height, width)):
                self.write_idx([0, 1] * 20, [0, 1] * 6, height, width)
                for train, _ in families(4):
                    run = f"{height}x{width} {'-'.join(train[:4])}"
                    data = ["--data", "idx", "--data-dir", ".", "--classes", "2"]
                    code, _, err = self.run_tool(*train, *data, *SHORT, "--run", run)
                    self.assertEqual((code, err), (0, ""), train)
                    self.check_finished(run, 2)

    def test_binary_codes_of_few_images(self):
        """Sets smaller than a batch and than the rows of the snapshot, down to one image; labels do not matter."""
        small = ["--width", "1", "--encoder-units", "4", "--prior-units", "4", "--nz0", "2", "--nz1", "3"]
        data = ["--data", "idx", "--data-dir", ".", "--classes", "3"]
        for run, labels, options in (("one", [0], ["--trained-on", "train"]), ("three", [2, 0, 2], ["--likelihood", "gaussian"])):
            self.write_idx(labels, [1], 28, 28)
            out = self.succeed("sym_vae", "train", *small, *data, *SHORT, *options, "--run", run)
            self.assertIn("report: ", out)
            self.assertIn("test_loss", self.check_finished(run, 3))
            for inspection in ("test --nll 1", "generate-data --images 2 --steps 1", "log", "plot"):
                self.succeed("sym_vae", *inspection.split(), "--run", run)

    def test_hundred_classes(self):
        self.write_idx(list(range(100)) * 3, list(range(100)) * 2)
        self.check(100, 100)
        out = self.succeed("m2", "test", "--run", "r1")
        self.assertIn("mostly taken for", out)
        self.assertLess(max(map(len, out.splitlines())), 110)
        self.assertIn(r"81.56", self.read("r1/labeled_z.svg").decode())  # the pale grey of further classes
        self.assertIn("the first 30 of 100 classes", self.read("r1/report.html").decode())

    def write_folders(self, names, size=3):
        for part, count in (("train_images", 3), ("test_images", 1)):
            for label, name in enumerate(names):
                folder = os.fsencode(self.dir / part) + b"/" + name
                os.makedirs(folder)
                for i in range(count):
                    with open(folder + b"/%d.png" % i, "wb") as file:
                        file.write(png(size, size, pixels(label, i, size * size)))

    def test_two_thousand_classes(self):
        self.write_folders([b"c%04d" % k for k in range(2000)])
        data = ["--data", "subfolders", "--data-dir", "."]
        for number, train in ((1, families(2000)[1][0]), (6, families(2000)[6][0])):
            code, _, err = self.run_tool(*train, *data, *SHORT, "--run", f"r{number}")
            self.assertEqual(code, 0, err)
            self.check_finished(f"r{number}")
        out = self.succeed("m2", "test", "--run", "r1")
        self.assertIn("and 1900 further classes\n", out)
        self.assertLess(len(out.splitlines()), 110)

    def test_names_of_classes(self):
        names = [b"cat", b"<b>&amp;dog's", "\u732b\u00e9".encode(), b"a very long name of a class " * 8, b"not \xff UTF-8"]
        self.write_folders(names)
        data = ["--data", "subfolders", "--data-dir", "."]
        code, _, err = self.run_tool(*families(5)[1][0], *data, *SHORT, "--run", "r")
        self.assertEqual((code, err), (0, ""))
        self.check_finished("r", 3)
        self.assertEqual(len(self.load("r/results.json")["class_names"]), 5)
        out = self.succeed("m2", "test", "--run", "r")
        report = self.read("r/report.html").decode()
        for name in ("cat", "\u732b\u00e9", "not \\xff UTF-8"):
            self.assertIn(name, out)
            self.assertIn(name, report)
        self.assertIn("&lt;b&gt;&amp;amp;dog&#39;s", report)
        self.assertNotIn("<b>", report)
        self.assertLess(max(map(len, out.splitlines())), 110)

    def finished(self):
        self.write_idx([0, 1] * 20, [0, 1] * 10)
        data = ["--data", "idx", "--data-dir", ".", "--classes", "2"]
        self.succeed(*families(4)[1][0], *data, *SHORT, "--run", "r")
        images = Report(self.read("r/report.html").decode()).images
        for name in ("report.html", "results.json", "analogy.png"):
            (self.dir / "r" / name).unlink()
        return images

    def test_a_picture_that_cannot_be_written(self):
        """A folder in its place costs the exit code, nothing else."""
        images = self.finished()
        (self.dir / "r/analogy.png/x").mkdir(parents=True)
        code, _, err = self.run_tool("m2", "train", "--run", "r", "--resume")
        self.assertEqual(code, 2)  # it is not a file of the run
        self.assertRegex(err, r"\Aerror: [^\n]*analogy.png[^\n]*\n\Z")
        self.check_finished("r")
        self.assertEqual(Report(self.read("r/report.html").decode()).images, images - 1)

    def test_a_link_in_the_place_of_a_picture(self):
        """What it leads to is neither shown nor written."""
        images = self.finished()
        secret = self.dir / "secret"
        secret.write_bytes(b"a secret")
        (self.dir / "r/analogy.png").symlink_to(secret)
        code, _, err = self.run_tool("m2", "train", "--run", "r", "--resume")
        self.assertEqual(secret.read_bytes(), b"a secret")
        report = self.read("r/report.html").decode()
        self.assertNotIn("YSBzZWNyZXQ", report)  # in base64
        if code == 0:
            self.assertEqual(Report(report).images, images)
        else:
            self.assertIn("analogy.png", err)

    def test_seeds(self):
        self.write_idx([0, 1] * 20 + [2], [0, 1] * 10)
        train = [*families(4)[6][0], "--data", "idx", "--data-dir", ".", "--classes", "3", *SHORT]
        code, _, err = self.run_tool(*train, "--seeds", "1,2", "--run", "r")
        self.assertEqual(code, 0, err)
        self.assertEqual(len(self.load("r/seeds.json")["test_mse_single"]), 2)


if __name__ == "__main__":
    unittest.main()
