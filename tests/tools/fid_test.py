"""fid: two sets of images, however they are stored, and whatever may be wrong with one."""
import json
import random
import re
import struct
import unittest
import zlib

from harness import ENVIRONMENT, ToolTest

SMALL = ["--bootstrap", "3", "--kid-subsets", "5", "--threads", "1"]
PIXELS = ["--features", "pixels", *SMALL]
NUMBER = r"-?\d+\.\d+"


def idx(shape, values):
    return struct.pack(f">I{len(shape)}I", 0x0800 | len(shape), *shape) + bytes(values)


def png(width, height, pixels):
    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    rows = b"".join(b"\0" + bytes(pixels[width * y:width * (y + 1)]) for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def images(count, size, seed=0, most=255):
    numbers = random.Random(seed)
    return [[numbers.randint(0, most) for _ in range(size)] for _ in range(count)]


class FidTest(ToolTest):
    def setUp(self):
        super().setUp()
        self.env = {**ENVIRONMENT, "XDG_CACHE_HOME": str(self.dir / "cache")}

    def folder(self, name, pictures, width=4, height=3):
        (self.dir / name).mkdir()
        for i, pixels in enumerate(pictures):
            (self.dir / name / f"{i:03}.png").write_bytes(png(width, height, pixels))

    def fid(self, *arguments):
        """All numbers, as the file has them."""
        self.out = self.succeed("fid", *arguments, "--json", "numbers.json", env=self.env)
        return self.load("numbers.json")

    def bad(self, code, words, *arguments):
        self.refuse(code, words, "fid", *arguments, env=self.env)


class Numbers(FidTest):
    def test_a_set_against_itself_and_shuffled(self):
        one = images(30, 12)
        self.folder("one", one)
        self.folder("shuffled", random.Random(1).sample(one, 30))
        for other in ("one", "shuffled"):
            numbers = self.fid("one", other, *PIXELS)
            self.assertLess(abs(numbers["fid"]["value"]), 1e-9)
            self.assertIn("FID(pixels) 0.0000 [", self.out)
            for name in ("precision", "recall", "coverage"):
                self.assertEqual(numbers[name]["value"], 1)
            self.assertAlmostEqual(numbers["density"]["value"], 6 / 5)

    def test_what_is_printed(self):
        self.folder("one", images(40, 12))
        self.folder("two", images(30, 12, 1, most=200))
        numbers = self.fid("one", "two", *PIXELS)
        self.assertRegex(self.out, rf"""\AA: one, 40 images 3x4x1
B: two, 30 images 3x4x1
FID\(pixels\) {NUMBER} \[{NUMBER}, {NUMBER}\] 40 against 30 images, 3 half samples
KID\(pixels\) {NUMBER} \[{NUMBER}, {NUMBER}\] 40 against 30 images, 5 subsets of 15, spread {NUMBER}
precision\(pixels\) {NUMBER} \[{NUMBER}, {NUMBER}\] 40 against 30 images, k = 3, 3 half samples
recall\(pixels\) {NUMBER} \[{NUMBER}, {NUMBER}\] 40 against 30 images, k = 3, 3 half samples
density\(pixels\) {NUMBER} \[{NUMBER}, {NUMBER}\] 40 against 30 images, k = 5, 3 half samples
coverage\(pixels\) {NUMBER} \[{NUMBER}, {NUMBER}\] 40 against 30 images, k = 5, 3 half samples
\Z""")
        self.assertEqual(numbers["features"], "pixels")
        self.assertEqual(numbers["fid"]["images"], [40, 30])
        self.assertLess(numbers["fid"]["low"], numbers["fid"]["value"])
        self.assertEqual(numbers, self.fid("one", "two", *PIXELS))  # it repeats
        other = self.fid("one", "two", *PIXELS, "--seed", "2")
        self.assertEqual(other["fid"]["value"], numbers["fid"]["value"])
        self.assertNotEqual(other["fid"]["error"], numbers["fid"]["error"])
        self.assertNotIn("error", self.fid("one", "two", *PIXELS, "--bootstrap", "0")["fid"])

    def test_the_formula(self):
        """One pixel: (m1 - m2)^2 + (s1 - s2)^2."""
        one, two = [10, 20, 60, 90], [0, 200, 255]
        for name, values in (("one", one), ("two", two)):
            (self.dir / name).write_bytes(idx((len(values), 1, 1), values))

        def moments(values):
            mean = sum(values) / len(values) / 255
            return mean, (sum((v / 255 - mean) ** 2 for v in values) / (len(values) - 1)) ** 0.5

        (m1, s1), (m2, s2) = moments(one), moments(two)
        numbers = self.fid("one", "two", *PIXELS)
        self.assertAlmostEqual(numbers["fid"]["value"], (m1 - m2) ** 2 + (s1 - s2) ** 2, 6)  # features are f32
        self.assertIn("need more than 5 images", self.out)
        self.assertNotIn("precision", numbers)

    def test_every_kind_of_set(self):
        pixels = images(30, 12)
        self.folder("folder", pixels)  # the name of a kind of data set, too, which comes first
        (self.dir / "file").write_bytes(idx((30, 3, 4), sum(pixels, [])))
        for stem, part in (("train", pixels[:20]), ("t10k", pixels[20:])):
            (self.dir / f"{stem}-images-idx3-ubyte").write_bytes(idx((len(part), 3, 4), sum(part, [])))
            (self.dir / f"{stem}-labels-idx1-ubyte").write_bytes(idx((len(part),), [0] * len(part)))
        for name in ("file", "idx"):
            numbers = self.fid("./folder", name, *PIXELS, "--data-dir", ".")
            self.assertLess(abs(numbers["fid"]["value"]), 1e-9)
            self.assertEqual(numbers["fid"]["images"], [30, 30])
        self.assertEqual(self.fid("./folder", "file", *PIXELS, "--images", "10")["fid"]["images"], [10, 10])

    def test_statistics_in_place_of_a_set(self):
        self.folder("one", images(40, 12))
        self.folder("two", images(30, 12, 1, most=200))
        whole = self.fid("one", "two", *PIXELS)
        self.assertEqual(self.succeed("fid", "one", *PIXELS, "--save-stats", "one.safetensors", env=self.env),
                         "A: one, 40 images 3x4x1\n")
        stored = self.fid("one.safetensors", "two", *PIXELS)
        self.assertEqual(stored["fid"]["value"], whole["fid"]["value"])
        self.assertLess(stored["fid"]["error"], whole["fid"]["error"] * 1.5)
        self.assertNotIn("kid", stored)
        self.assertIn("need the images of both sets", self.out)
        both = self.fid("one.safetensors", "one.safetensors", *PIXELS)
        self.assertLess(abs(both["fid"]["value"]), 1e-9)
        self.assertNotIn("error", both["fid"])

        self.bad(3, "one.safetensors: statistics of the features 'pixels', not of 'inception'",
                 "one.safetensors", "one.safetensors", "--features", "inception")
        self.folder("large", images(5, 6 * 5), 6, 5)
        self.bad(3, "width 12 against those of width 30", "one.safetensors", "large", *PIXELS)
        whole = self.read("one.safetensors")
        (self.dir / "cut.safetensors").write_bytes(whole[:-8])
        self.bad(3, "cut.safetensors", "cut.safetensors", "two", *PIXELS)
        (self.dir / "nan.safetensors").write_bytes(whole[:-8] + struct.pack("<d", float("nan")))
        self.bad(3, "nan.safetensors: count, mean and covariance are no statistics", "nan.safetensors", "two", *PIXELS)
        (self.dir / "other.safetensors").write_bytes(whole.replace(b"statistics of features", b"statistics of pictures"))
        self.bad(3, "other.safetensors: no statistics of features", "other.safetensors", "two", *PIXELS)

    def test_features_of_a_classifier(self):
        """Trained on a tiny MNIST, once; statistics know its weights."""
        def write(most):
            pixels = images(40, 784, 3, most)
            for stem in ("train", "t10k"):
                (self.dir / f"{stem}-images-idx3-ubyte").write_bytes(idx((40, 28, 28), sum(pixels, [])))
                (self.dir / f"{stem}-labels-idx1-ubyte").write_bytes(idx((40,), [i % 10 for i in range(40)]))

        write(255)
        features = ["--features", "mnist-cnn", "--data-dir", ".", *SMALL]
        arguments = ["fid", "mnist", "mnist", *features, "--save-stats", "s.safetensors"]
        code, out, err = self.run_tool(*arguments, env=self.env)
        self.assertEqual(code, 0, err)
        self.assertIn("mnist-cnn: is trained once", out)
        self.assertRegex(out, r"(?m)^mnist-cnn of mnist \(train\), 128 features: .* % of the test images right")
        again = self.succeed(*arguments, env=self.env)
        self.assertNotIn("trained once", again)
        self.assertIn("\nFID(mnist-cnn) 0.0000 [", again)
        write(200)
        code, _, err = self.run_tool("fid", "mnist", "s.safetensors", *features, env=self.env)
        self.assertEqual(code, 3, err)
        self.assertIn("error: s.safetensors: statistics of 'mnist-cnn' with other weights\n", err)
        self.folder("small", images(8, 12))
        self.bad(3, "small: mnist-cnn: images are 3x4x1", "small", "small", *features)


class BadInput(FidTest):
    def test_sets(self):
        self.folder("good", images(8, 12))
        self.folder("one", images(1, 12))
        self.folder("mixed", images(8, 12))
        (self.dir / "mixed" / "b.png").write_bytes(png(3, 4, images(1, 12)[0]))
        self.folder("other", images(8, 20), 5, 4)
        self.folder("gif", images(2, 12))
        (self.dir / "gif" / "b.png").write_bytes(b"GIF89a" + bytes(40))
        (self.dir / "empty").mkdir()
        self.folder("deep", [])
        self.folder("deep/below", images(3, 12))
        (self.dir / "text").write_text("no images")
        (self.dir / "single").write_bytes(idx((1, 2, 2), [1, 2, 3, 4]))
        for code, name, words in [
            (3, "one", "one: 1 image, a distance needs two or more"),
            (3, "single", "single: 1 image"),
            (3, "mixed", "mixed/b.png: the picture is 3x4, expected 4x3"),
            (3, "other", "other: features: images of 4x5x1, expected 3x4x1"),
            (3, "gif", "gif/b.png: "),
            (3, "empty", "empty: no pictures found"),
            (3, "deep", "deep: no pictures found"),
            (3, "text", "text: "),
            (4, "missing", "missing: no such folder or file, nor a data set"),
            (4, "missing.safetensors", "missing.safetensors"),
        ]:
            with self.subTest(name=name):
                self.bad(code, words, "good", name, *PIXELS)
        self.bad(3, "one: 1 image", "one", "good", *PIXELS)

    def test_what_lies_beside_the_pictures_is_said(self):
        self.folder("good", images(8, 12))
        (self.dir / "good" / "notes.txt").write_text("anything")
        code, _, err = self.run_tool("fid", "good", "good", *PIXELS, env=self.env)
        self.assertEqual((code, set(err.splitlines())), (0, {"good: ignored: 1 files that are no pictures (.txt)"}))

    def test_weights(self):
        self.folder("good", images(8, 784), 28, 28)
        (self.dir / "damaged").write_text("no weights")
        self.bad(4, "fid-inception.safetensors", "good", "good", "--features", "inception")
        self.bad(4, "mnist", "good", "good", "--features", "mnist-cnn")
        for features in ("inception", "mnist-cnn"):
            self.bad(4, "absent", "good", "good", "--features", features, "--weights", "absent")
            self.bad(3, "damaged", "good", "good", "--features", features, "--weights", "damaged")
        self.bad(2, "pixels has no weights", "good", "good", *PIXELS, "--weights", "damaged")

    def test_options(self):
        self.folder("good", images(8, 12))
        for options, words in [([], "--features"), (["--features", "best"], "best"),
                               ([*PIXELS, "--bootstrap", "-1"], "--bootstrap"), ([*PIXELS, "--images", "1"], "--images"),
                               ([*PIXELS, "--dims", "64"], "--dims"), ([*PIXELS, "--save-stats", "x"], ".safetensors")]:
            with self.subTest(options=options):
                self.bad(2, words, "good", "good", *options)
        self.bad(2, "B is missing", "good", *PIXELS)
        self.bad(2, "A", *PIXELS)
        self.bad(4, "no/numbers.json", "good", "good", *PIXELS, "--json", "no/numbers.json")


if __name__ == "__main__":
    unittest.main()
