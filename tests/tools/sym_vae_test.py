"""The tool sym_vae: resumed runs to the byte, inspections, bad input."""
import gzip
import json
import shutil
import struct
import unittest

from harness import EXACT, SYM_VAE, ToolTest, png_size

PICTURES = ["snapshot.png", "generated_sh.png", "generated_sta.png"]
WAYS = {"sym": ["--learn", "sym"], "elbo": ["--learn", "elbo", "--preset", "mnist-reverse"],
        "grey": ["--learn", "elbo", "--likelihood", "gaussian", "--decoder-activation", "relu"]}
COLUMNS = {"sym": ["len", "ploss1", "plossx", "qloss0", "qloss1", "pmi1", "qmi0", "qmi1"], "elbo": ["len", "dloss", "klloss"],
           "grey": ["len", "dloss", "kl0loss", "kl1loss", "pmi1", "qmi0", "qmi1"]}
EXACT = [name for name in EXACT if name != "reconstructed_x.png"]


def idx(shape, values):
    return struct.pack(f">I{len(shape)}I", 0x0800 | len(shape), *shape) + bytes(values)


class Resume(ToolTest):
    def test_killed_twice(self):
        """Before there is a checkpoint, and between two."""
        for name, options in WAYS.items():
            with self.subTest(way=name):
                train = [*SYM_VAE, *options, "--iters-per-epoch", "20", "--log-every", "5", "--checkpoint-every", "7"]
                self.succeed(*train, "--run", f"{name}/whole")
                self.kill_when(f"{name}/killed/config.json", *train, "--run", f"{name}/killed")
                again = ["sym_vae", "train", "--run", f"{name}/killed", "--resume"]
                self.kill_when(f"{name}/killed/checkpoint.safetensors", *again)
                self.succeed(*again)
                self.assert_same_files(f"{name}/whole", f"{name}/killed", [*EXACT, *PICTURES])
                rows = self.rows(f"{name}/whole")
                self.assertEqual([row["step"] for row in rows], list(range(5, 41, 5)))
                for row in rows:
                    self.assertLessEqual(set(COLUMNS[name]), set(row))

    def test_longer(self):
        self.succeed(*SYM_VAE, "--run", "r")
        self.succeed("sym_vae", "train", "--run", "r", "--resume", "--epochs", "3")
        self.succeed(*SYM_VAE, "--run", "long", "--epochs", "3")
        self.assert_same_files("long", "r", [*EXACT, *PICTURES, "config.json"])
        for option in ("--nz0", "--nz1"):
            self.refuse(2, f"--resume: {option} is", "sym_vae", "train", "--run", "r", "--resume", option, "5")
            self.refuse(3, "checkpoint", "sym_vae", "test", "--run", "r", option, "5")


class Benchmark(ToolTest):
    def test_line(self):
        line = json.loads(self.succeed(*SYM_VAE, "--benchmark", "2"))
        self.assertEqual(line["images_per_step"], 10)
        self.assertEqual(list(self.dir.iterdir()), [])


class Inspections(ToolTest):
    def test_of_one_run(self):
        self.succeed(*SYM_VAE, "--run", "r", "--log-every", "2")
        for check in (self.check_sets, self.check_log, self.check_figures, self.check_fid, self.check_load):
            with self.subTest(check=check.__name__):
                check()

    def check_sets(self):
        before = self.snapshot("r")
        for option, value, words in (("--images", "1", "--images"), ("--steps", "-1", "--steps"), ("--format", "gif", "gif")):
            self.refuse(2, words, "sym_vae", "generate-data", "--run", "r", f"{option}={value}")
        self.refuse(4, "absent", "sym_vae", "generate-data", "--run", "absent")
        self.assertEqual(self.snapshot("r"), before)
        generate = ["sym_vae", "generate-data", "--run", "r", "--images", "3", "--steps", "2"]
        folder = self.dir / "r/generated_data"
        folder.mkdir()
        (folder / "mine").write_text("mine")
        self.refuse(2, "generated_data is there, and this run did not write it", *generate)
        self.assertEqual([path.name for path in folder.iterdir()], ["mine"])
        shutil.rmtree(folder)
        self.succeed(*generate)
        for name, count in (("images", 80), ("sh_images", 3), ("lim_images", 3)):
            files = sorted(path.name for path in (folder / name).iterdir())
            self.assertEqual(files, [f"img_{i:05}.png" for i in range(count)])
            self.assertEqual(png_size((folder / name / files[-1]).read_bytes()), (28, 28))
        self.succeed(*generate, "--format", "idx")
        data = gzip.decompress((folder / "lim_images-idx3-ubyte.gz").read_bytes())
        self.assertEqual(struct.unpack(">IIII", data[:16]), (0x0803, 3, 28, 28))
        self.assertEqual(set(data[16:]) - {0, 255}, set())
        codes = (folder / "codes.safetensors").read_bytes()
        header = json.loads(codes[8:8 + struct.unpack("<Q", codes[:8])[0]])
        self.assertEqual({name: tensor["shape"] for name, tensor in header.items() if name != "__metadata__"},
                         {f"{z}_{kind}": [count, bits] for z, bits in (("z0", 4), ("z1", 6))
                          for kind, count in (("post", 80), ("prior", 3), ("lim", 3))})

    def check_log(self):
        """The rows of the run under the reference's names, and the information of each bit, sorted."""
        self.succeed("sym_vae", "log", "--run", "r")
        comment, *lines = self.read("r/logs/log-r.txt").decode().splitlines()
        self.assertTrue(comment.startswith("#"))
        rows = self.rows("r")
        self.assertEqual(len(lines), len(rows))
        for line, row in zip(lines, rows):
            words = line.split()
            self.assertEqual(words[::2], [name + ":" for name in ["time", "count", *COLUMNS["sym"]]])
            values = [float(word) for word in words[1::2]]
            self.assertEqual(values[1:], [row["step"] - 1, *(row[name] for name in COLUMNS["sym"])])
        for name, column, bits in (("statp1", "pmi1", 6), ("statq0", "qmi0", 4), ("statq1", "qmi1", 6)):
            numbers = [float(line) for line in self.read(f"r/logs/{name}-r.txt").split()]
            self.assertEqual((len(numbers), numbers), (bits, sorted(numbers)))
            self.assertAlmostEqual(sum(numbers) / bits, rows[-1][column], 7)

    def check_figures(self):
        shutil.copytree(self.dir / "r", self.dir / "another")
        self.assertRegex(self.succeed("sym_vae", "plot", "--run", "r", "--with", "another"), r"\Apicture: r/losses.png\n(.*\n)*r: 8 updates, .*\nanother: 8 ")
        for name in ("losses", "mutual_information"):
            self.assertGreater(min(png_size(self.read(f"r/{name}.png"))), 200)
            self.assertTrue(self.read(f"r/{name}.pdf").startswith(b"%PDF"))
        self.refuse(4, "absent", "sym_vae", "plot", "--run", "r", "--with", "absent")

    def check_fid(self):
        for options, words in ((["--features", "pixels", "--weights", "x"], "pixels has no weights"),
                               (["--features", "pixels", "--dims", "64"], "--dims"), (["--features", "eyes"], "eyes")):
            self.refuse(2, words, "sym_vae", "fid", "--run", "r", *options)
        self.refuse(4, "absent", "sym_vae", "fid", "--run", "r", "--weights", "absent")
        self.assertFalse((self.dir / "r/fid.json").exists())
        out = self.succeed("sym_vae", "fid", "--run", "r", "--features", "pixels", "--images", "10", "--steps", "1", "--quiet")
        json_file = self.load("r/fid.json")
        for name in ("random code", "limiting"):
            self.assertIn(f"{name}:\nFID(pixels) {json_file[name]['fid']['value']:.4f} ", out)

    def check_load(self):
        """A new run begins with the weights of another, and with moments and a counter of its own."""
        begun = [*SYM_VAE, "--lr", "1e-12", "--load", "r"]
        self.succeed(*begun, "--run", "loaded")
        self.assertAlmostEqual(self.rows("loaded")[0]["len"], self.rows("r")[-1]["len"], 9)
        self.assertEqual(self.rows("loaded")[-1]["step"], 8)
        self.assertNotIn("load", self.load("loaded/config.json"))
        self.refuse_new(3, '"nz0" is 4, here 5', *begun, "--nz0", "5")
        self.refuse_new(4, "absent", *SYM_VAE, "--load", "absent")


class BadInput(ToolTest):
    def test_values(self):
        for options, words in [
            (["--learn", "best"], "--learn: best"),
            (["--encoder", "best"], "--encoder: best"),
            (["--likelihood", "best"], "--likelihood: best"),
            (["--preset", "best"], "'best'"),
            (["--trained-on", "nothing"], "--trained-on: nothing"),
            (["--decoder-activation", "swish"], "'swish'"),
            (["--nz0", "0"], "--nz0"),
            (["--nz1", "0"], "--nz1"),
            (["--width", "0"], "--width"),
            (["--encoder-units", "0"], "--encoder-units"),
            (["--prior-units", "-1"], "--prior-units"),
            (["--code-units", "many"], "many"),
            (["--batch", "0"], "--batch"),
            (["--lr", "0"], "--lr"),
            (["--lr", "nan"], "--lr"),
            (["--flipped", "1.5"], "--flipped"),
            (["--flipped", "-0.1"], "--flipped"),
            (["--noise", "-1"], "--noise"),
        ]:
            with self.subTest(options=options):
                self.refuse_new(2, words, *SYM_VAE, *options)
        self.refuse_new(6, "out of memory", *SYM_VAE, "--encoder-units", "1000000000")

    def test_sizes_of_images(self):
        (self.dir / "set").mkdir()
        for height, width in ((28, 27), (32, 28), (1, 1)):
            for part, n in (("train", 4), ("t10k", 2)):
                images = idx((n, height, width), [i % 256 for i in range(n * height * width)])
                (self.dir / f"set/{part}-images-idx3-ubyte").write_bytes(images)
                (self.dir / f"set/{part}-labels-idx1-ubyte").write_bytes(idx((n,), [i % 2 for i in range(n)]))
            self.refuse_new(3, "28 x 28 grey", *SYM_VAE, "--data", "idx", "--data-dir", "set", "--classes", "2")


if __name__ == "__main__":
    unittest.main()
