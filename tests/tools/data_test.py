"""Data of one's own, wherever they lie: folders that somebody named, labels from 1, any size and colour, class folders."""
import os
import pathlib
import struct
import tempfile
import unittest
import zlib

from harness import ENVIRONMENT, M2, ToolTest

SHORT = ["--validation", "0", "--hidden", "8", "--z", "2", "--epochs", "1", "--iters-per-epoch", "2", "--threads", "1"]
NO_CACHE = {name: value for name, value in ENVIRONMENT.items() if name not in ("HOME", "XDG_CACHE_HOME")}


def idx(shape, values):
    return struct.pack(f">I{len(shape)}I", 0x0800 | len(shape), *shape) + bytes(values)


def png(width, height, pixels):
    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    rows = b"".join(b"\0" + bytes(pixels[3 * width * y:3 * width * (y + 1)]) for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


class DataTest(ToolTest):
    def write_set(self, folder, labels, image=(2, 2)):
        place = self.dir / folder
        place.mkdir(parents=True, exist_ok=True)
        size = 1
        for extent in image:
            size *= extent
        for stem in ("train", "t10k"):
            pixels = [(37 * i + 91 * y + 13 * p) % 256 for i, y in enumerate(labels) for p in range(size)]
            (place / f"{stem}-images-idx3-ubyte").write_bytes(idx((len(labels), *image), pixels))
            (place / f"{stem}-labels-idx1-ubyte").write_bytes(idx((len(labels),), labels))

    def write_classes(self, folder, names):
        for part in ("train_images", "test_images"):
            for k, name in enumerate(names):
                for i in range(4):
                    path = self.dir / folder / part / name / f"{i}.png"
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(png(4, 3, [(60 * k + 20 * i + p) % 256 for p in range(36)]))


class NamedFolders(DataTest):
    def refuse_auto(self, words, folder):
        """As an option and in the environment, absolute and relative."""
        auto = [*M2, "--data", "auto"]
        self.refuse_new(4, words, *auto, "--data-dir", folder, env=NO_CACHE)
        for path in (folder, self.dir / folder):
            self.refuse_new(4, words, *auto, env={**NO_CACHE, "VAE_DATA_DIR": str(path)})

    def test_unusable(self):
        (self.dir / "file").write_text("no folder")
        (self.dir / "empty").mkdir()
        (self.dir / "begun" / "mnist").mkdir(parents=True)
        self.write_set("images only", [0, 1])
        for stem in ("train", "t10k"):
            (self.dir / "images only" / f"{stem}-labels-idx1-ubyte").unlink()
        self.write_set("half/mnist", [0, 1])
        (self.dir / "half/mnist/train-images-idx3-ubyte").unlink()
        self.write_set("other/fashion-mnist", [0, 1])
        self.write_classes("pictures", ["cat", "dog"])
        for folder, words in [
            ("mistyped", "mistyped: no such data folder"),
            ("file", "file: no such data folder"),
            ("empty", "empty: no mnist in this data folder"),
            ("other", "say with --data what it holds"),
            ("pictures", "say with --data what it holds"),
            ("begun", "datasets download mnist"),
            ("images only", "train-labels-idx1-ubyte[.gz] is missing"),
            ("half", "half/mnist: the data set is incomplete, train-images-idx3-ubyte[.gz] is missing"),
        ]:
            with self.subTest(folder=folder):
                self.refuse_auto(words, folder)

    @unittest.skipIf(os.geteuid() == 0, "root may read everything")
    def test_unreadable(self):
        (self.dir / "locked").mkdir(mode=0)
        self.refuse_auto("locked: cannot be read", "locked")

    def test_nobody_named_one(self):
        for variables in ({}, {"HOME": ""}, {"HOME": str(self.dir)}, {"VAE_DATA_DIR": "", "HOME": "nonsense"}):
            with self.subTest(variables=variables):
                code, out, err = self.run_tool(*M2, *SHORT, "--data", "auto", "--run", "r", "--fresh",
                                               env={**NO_CACHE, **variables})
                self.assertEqual(code, 0, err)
                self.assertRegex(err, r"\Ano mnist at hand [^\n]*: training on synthetic digits \(synth\)\n\Z")
                self.assertEqual(self.load("r/config.json")["data"], "synth")
        self.write_set(".cache/vaekit/mnist", [0, 1])
        (self.dir / ".cache/vaekit/mnist/t10k-labels-idx1-ubyte").unlink()
        self.refuse_new(3, "expected 28x28x1", *M2, "--data", "auto", env={**NO_CACHE, "HOME": str(self.dir)})

    def test_from_another_working_directory(self):
        self.write_set("in/x", [0, 1] * 8)
        train = ["m2", "train", "--data", "idx", "--classes", "2", "--labels", "2", *SHORT]
        with tempfile.TemporaryDirectory() as elsewhere:
            for run, options, variables in [("option", ["--data-dir", "in/x"], {}),
                                            ("below", ["--data-dir", "./in/../in/x/"], {}),
                                            ("variable", [], {"VAE_DATA_DIR": "in/x"})]:
                with self.subTest(run=run):
                    self.succeed(*train, *options, "--run", run, env={**NO_CACHE, **variables})
                    stored = pathlib.Path(self.load(f"{run}/config.json")["data-dir"])
                    self.assertTrue(stored.is_absolute() and stored.samefile(self.dir / "in/x"), stored)
                    self.succeed("m2", "test", "--run", self.dir / run, cwd=elsewhere, env=NO_CACHE)
                    self.succeed("m2", "train", "--resume", "--epochs", "2", "--run", self.dir / run, cwd=elsewhere,
                                 env=NO_CACHE)

    def test_other_stored_paths(self):
        self.write_set("set", [0, 1] * 8)
        self.succeed("m2", "train", "--data", "idx", "--data-dir", "set", "--classes", "2", "--labels", "2", *SHORT,
                     "--run", "first")
        self.succeed("m2", "train", "--data", "idx", "--data-dir", "set", "--classes", "2", *SHORT,
                     "--split-file", "first/split.json", "--run", "second")
        with tempfile.TemporaryDirectory() as elsewhere:
            self.succeed("m2", "train", "--resume", "--epochs", "2", "--run", self.dir / "second", cwd=elsewhere)


class OwnSets(DataTest):
    def test_sizes_and_colours(self):
        for name, image in [("2x2", (2, 2)), ("32x32", (32, 32)), ("colour", (5, 7, 3)), ("line", (1, 9))]:
            with self.subTest(name=name):
                self.write_set(name, [0, 1] * 8, image)
                own = ["--data-dir", name, "--classes", "2"]
                height, width, channels = (*image, 1)[:3]
                self.assertIn(f"16 images {height}x{width}x{channels}, 2 classes",
                              self.succeed("datasets", "verify", "idx", *own))
                self.succeed("datasets", "export-images", "idx", *own, "--out", f"{name}.pictures")
                self.assertIn(f"16 images {height}x{width}x{channels}, 2 classes",
                              self.succeed("datasets", "verify", "folder", "--data-dir", f"{name}.pictures",
                                           "--classes", "2"))
                self.succeed("m2", "train", "--data", "idx", *own, "--labels", "2", *SHORT, "--run", f"{name}.run")
                self.succeed("m2", "test", "--run", f"{name}.run")
        self.write_set("four", [0, 1] * 8, (5, 7, 4))
        self.refuse_new(3, "1 channel (grey) or 3 (RGB)", *M2, "--data", "idx", "--data-dir", "four", "--classes", "2")

    def test_resized(self):
        self.write_set("set", [0, 1] * 8, (2, 2))
        train = ["m2", "train", "--data", "idx", "--data-dir", "set", "--classes", "2", "--labels", "2", *SHORT]
        self.succeed(*train, "--resize", "3x5", "--run", "r")
        self.succeed(*train, "--run", "as_stored")
        config, as_stored = self.load("r/config.json"), self.load("as_stored/config.json")
        self.assertEqual(config["resize"], "3x5")
        self.assertNotIn("resize", as_stored)
        self.assertNotEqual(config["train_sha256"], as_stored["train_sha256"])
        self.succeed("m2", "test", "--run", "r")
        self.succeed("m2", "train", "--resume", "--epochs", "2", "--run", "r")
        self.refuse(2, '--resume: --resize is "5x3" here, but "3x5" in the run', "m2", "train", "--resume", "--run", "r",
                    "--resize", "5x3")
        for text in ("32", "32x", "x32", "0x32", "32x2000", "32x32x3", "3.2x32", "-1x3", " 3x3"):
            self.refuse(2, f"'{text}' is no size like 32x32", *train, f"--resize={text}", "--run", "no")

    def test_pictures_of_any_size_some_without_a_label(self):
        self.write_classes("pets", ["cat", "dog"])
        for i in range(12):
            path = self.dir / f"pets/unlabeled_images/photo {i}.png"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(png(9 + i, 7, [(i + p) % 256 for p in range(3 * 7 * (9 + i))]))
        verify = ["datasets", "verify", "subfolders", "--data-dir", "pets"]
        self.refuse(3, "(--resize brings all to one size)", *verify)
        out = self.succeed(*verify, "--resize", "5x5")
        self.assertIn("20 images 5x5x3, 2 classes\n  per class: cat 4, dog 4\n  without a label: 12\n", out)
        own = ["--data", "subfolders", "--data-dir", "pets", "--resize", "5x5"]
        train = ["m2", "train", *own, "--labels", "4", "--epochs", "1", "--iters-per-epoch", "2", "--threads", "1", "--hidden", "8",
                 "--z", "2"]
        self.refuse_new(2, "6 validation items do not fit into a set of 8", *train, "--validation", "6")
        self.succeed(*train, "--validation", "2", "--run", "r")
        split = self.load("r/split.json")
        self.assertEqual([len(split[part]) for part in ("labeled", "unlabeled", "validation")], [4, 14, 2])
        self.succeed("m2", "test", "--run", "r")
        self.refuse_new(3, "12 of 20 training images have no label", "ml_vae", "train", *own, "--epochs", "1", "--iters-per-epoch", "2")
        self.refuse(2, "no set of pictures", "datasets", "verify", "synth", "--resize", "5x5")

    def test_splits_by_rule(self):
        self.write_set("set", [0, 1] * 8)
        train = ["m2", "train", "--data", "idx", "--data-dir", "set", "--classes", "2", *SHORT]
        self.succeed(*train, "--labels", "4", "--validation", "6", "--split-rule", "shot", "--run", "r")
        split = self.load("r/split.json")
        self.assertEqual([len(split[part]) for part in ("labeled", "unlabeled", "validation")], [4, 10, 6])
        self.assertLess(set(split["labeled"]), set(split["unlabeled"]))
        self.assertEqual(sorted(split["unlabeled"] + split["validation"]), list(range(16)))
        self.succeed("m2", "train", "--resume", "--epochs", "2", "--run", "r")
        self.succeed("m2", "test", "--run", "r")
        self.succeed(*train, "--split-file", "r/split.json", "--run", "again")
        self.assertEqual(self.load("again/split.json"), split)
        self.refuse(2, '--resume: --split-rule is "smooth-elbo" here, but "shot" in the run', "m2", "train",
                    "--resume", "--run", "r", "--split-rule", "smooth-elbo")
        for words, options in [("5 validation items cannot be balanced", ["--split-rule", "shot", "--validation", "5"]),
                               ("holds nothing out", ["--split-rule", "smooth-elbo", "--validation", "2"]),
                               ("seeds of 32 bits", ["--split-rule", "shot", "--seed", "4294967296"]),
                               ("do not fit into a set of 16", ["--split-rule", "shot", "--validation", "14"]),
                               ("other not in {disjoint,shot,smooth-elbo}", ["--split-rule", "other"])]:
            with self.subTest(options=options):
                self.refuse_new(2, words, *train, "--labels", "4", *options)

    def test_labels_that_begin_at_1(self):
        self.write_set("letters", [1, 2] * 8)
        train = ["m2", "train", "--data", "idx", "--data-dir", "letters", *SHORT]
        self.refuse_new(3, "label 2 is out of range, 2 classes have the labels 0 to 1 (--classes, --label-offset)",
                        *train, "--classes", "2", "--labels", "2")
        self.refuse_new(3, "class 0 has 0 images", *train, "--classes", "3", "--labels", "3")
        self.refuse_new(3, "label 1 is out of range", *train, "--classes", "2", "--labels", "2", "--label-offset", "2")
        self.succeed(*train, "--classes", "2", "--labels", "2", "--label-offset", "1", "--run", "r")
        self.assertEqual(self.load("r/config.json")["label-offset"], 1)
        self.succeed("m2", "test", "--run", "r")
        self.refuse(2, "--label-offset", *train, "--classes", "2", "--label-offset", "-1")

    def test_class_folders(self):
        self.write_classes("set", ["1", "2", "10"])
        for path in ("train_images/.ipynb_checkpoints/0.png", "train_images/1/notes.txt", "train_images/10/.DS_Store"):
            (self.dir / "set" / path).parent.mkdir(exist_ok=True)
            (self.dir / "set" / path).write_text("anything")
        verify = ["datasets", "verify", "subfolders", "--data-dir", "set"]
        out = self.succeed(*verify)
        self.assertIn("  ignored: 2 entries whose names begin with a dot\n"
                      "  ignored: 1 files that are no pictures (.txt)\n", out)
        train = ["m2", "train", "--data", "subfolders", "--data-dir", "set", "--labels", "3", *SHORT]
        code, _, err = self.run_tool(*train, "--run", "r")
        self.assertEqual((code, len(err.splitlines())), (0, 2), err)
        self.assertRegex(err, r"\A\S+/train_images: ignored: 2 entries whose names begin with a dot\n")
        nested = self.dir / "set/train_images/2/more"
        nested.mkdir()
        (self.dir / "set/train_images/2/0.png").rename(nested / "0.png")
        self.refuse(3, "train_images/2/more: pictures within the folder of class '2'", *verify)
        (nested / "0.png").unlink()
        (self.dir / "set/test_images/2").rename(self.dir / "set/test_images/3")
        self.refuse_new(3, "test_images/3: not one of the 3 classes", *train)

    def test_names_are_bytes(self):
        self.write_classes("set", ["1", "2"])
        for part in ("train_images", "test_images"):
            folder = os.fsencode(self.dir / "set" / part)
            os.rename(folder + b"/2", folder + b"/caf\xe9")
            os.rename(folder + b"/1/0.png", folder + "/1/\u202e\n0.png".encode())
        data = ["--data", "subfolders", "--data-dir", "set"]
        out = self.succeed("datasets", "verify", *data[1:])
        self.assertIn("caf\\xe9", out)
        self.succeed("m2", "train", *data, "--labels", "2", *SHORT, "--run", "r")
        self.succeed("m2", "train", "--run", "r", "--resume", "--epochs", "2")
        self.assertIn("caf\\xe9", (self.dir / "r/report.html").read_text())
        (self.dir / "set/test_images/1/\u202e\n0.png").write_text("none")
        self.refuse(3, "/\\u202e 0.png: ", "m2", "test", "--run", "r")


if __name__ == "__main__":
    unittest.main()
