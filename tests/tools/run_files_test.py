"""A run touches its own files alone: what users keep in its folder, links that others plant there, configurations of
strangers, and data that are no longer those it began with."""
import json
import shutil
import signal
import subprocess
import unittest

from harness import ADGM, ENVIRONMENT, M1, M1_M2, M2, ML_VAE, SYM_VAE, VAE, ToolTest

SHORT = ["--epochs", "1", "--iters-per-epoch", "5"]


class FilesOfTheUser(ToolTest):
    def keep(self, *names):
        for name in names:
            path = self.dir / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("mine")

    def assert_kept(self, *names):
        for name in names:
            self.assertEqual(self.read(name), b"mine", name)

    def test_a_folder_with_other_files_is_no_place_for_a_run(self):
        names = ("figure.png", "logo.svg", "results.json", "thesis.tex", "photos/a.jpg")
        for tool in (M1, M2, VAE, ADGM, ML_VAE, SYM_VAE):
            for name in names if tool is M2 else names[:1]:
                self.keep(f"mine/{name}")
                self.refuse(2, "which no run wrote there", *tool, *SHORT, "--run", "mine")
                self.refuse(2, "which no run wrote there", *tool, *SHORT, "--run", ".", "--fresh", cwd=self.dir / "mine")
                self.assertEqual([path.name for path in (self.dir / "mine").iterdir()], [name.split("/")[0]])
                self.assert_kept(f"mine/{name}")
                shutil.rmtree(self.dir / "mine")

    def test_what_lies_beside_a_run_stays(self):
        self.succeed(*M2, *SHORT, "--run", "r")
        self.keep("r/figure.png", "r/metrics.old.csv", "r/notes/a.txt", "r/codes.svg")
        self.succeed("m2", "train", "--run", "r", "--resume", "--epochs", "2")
        self.succeed(*M2, *SHORT, "--run", "r", "--fresh")
        self.assert_kept("r/figure.png", "r/metrics.old.csv", "r/notes/a.txt", "r/codes.svg")

    def test_a_picture_in_the_way_costs_itself(self):
        self.succeed(*M2, *SHORT, "--run", "r")
        (self.dir / "r/analogy.png").unlink()
        self.succeed(*M2, *SHORT, "--run", "new")
        self.succeed(*M1, *SHORT, "--run", "m1")
        self.keep("m1/analogy.png")
        self.assertRegex(self.succeed("m1", "visualize", "--run", "m1"), r"pictures: m1/\S+\.png, m1/")
        self.assert_kept("m1/analogy.png")
        text = (self.dir / "new/run.files").read_text().replace("analogy.png\n", "")
        (self.dir / "new/run.files").write_text(text)
        self.keep("new/analogy.png")
        code, out, err = self.run_tool("m2", "train", "--run", "new", "--resume", "--epochs", "2")
        self.assertEqual((code, err), (2, "error: new/analogy.png is there, and this run did not write it\n"))
        self.assertIn("report: new/report.html", out)
        self.assert_kept("new/analogy.png")

    def test_a_run_of_ones_own_below_is_not_a_stage(self):
        self.succeed(*M1, *SHORT, "--run", "e/m1")
        before = self.snapshot("e/m1")
        for fresh in ([], ["--fresh"]):
            self.refuse(2, "e holds m1, which no run wrote there", *M1_M2, *SHORT, "--run", "e", *fresh)
        self.succeed(*M2, *SHORT, "--run", "s/seed_2")
        self.refuse(2, "s holds seed_2", *M2, *SHORT, "--run", "s", "--seeds", "1,2")
        self.succeed(*ML_VAE, *SHORT, "--run", "v")
        self.succeed(*M1, *SHORT, "--run", "v/classifier")
        self.refuse(2, "v/classifier is there, and this run did not write it", "ml_vae", "classify", "--run", "v", "--iterations",
                    "2", "--fresh")
        self.assertEqual(self.snapshot("e/m1"), before)

    def test_stages_of_a_run_begin_anew_with_it(self):
        m1_m2 = [*M1_M2, *SHORT, "--m1-epochs", "1", "--m1-iters-per-epoch", "5"]
        self.succeed(*m1_m2, "--run", "r", "--m1-z", "3")
        self.keep("r/m1/mine.png")
        self.succeed(*m1_m2, "--run", "r", "--fresh")
        self.succeed(*m1_m2, "--run", "whole")
        self.assert_kept("r/m1/mine.png")
        self.assert_same_files("whole/m1", "r/m1")
        self.assert_same_files("whole", "r")


class Links(ToolTest):
    def test_planted_at_every_name(self):
        """A link at each name that runs and inspections write; what it leads to stays as it is."""
        cases = [([*M1_M2, *SHORT, "--m1-epochs", "1", "--m1-iters-per-epoch", "5"], []),
                 ([*VAE, *SHORT], ["sample", "interpolate"]),
                 ([*ML_VAE, *SHORT], ["swap", "probe", "classify --iterations 2", "tsne --iterations 2 --images 100"])]
        for command, inspections in cases:
            tool = command[0]
            shutil.rmtree(self.dir / "whole", ignore_errors=True)
            self.succeed(*command, "--run", "whole")
            for inspection in inspections:
                self.succeed(tool, *inspection.split(), "--run", "whole")
            for note in (self.dir / "whole/run.files").read_text().splitlines():
                name, folder = note.rstrip("/"), note.endswith("/")
                shutil.copytree(self.dir / "whole", self.dir / "r")
                victim = self.dir / "victim"
                victim.mkdir() if folder else victim.write_text("mine")
                planted = self.dir / "r" / name
                shutil.rmtree(planted) if folder else planted.unlink()
                planted.symlink_to(victim)
                self.run_tool(tool, "train", "--run", "r", "--resume", "--epochs", "2")
                for inspection in inspections:
                    self.run_tool(tool, *inspection.split(), "--run", "r")
                self.run_tool(*command, "--run", "r", "--fresh")
                if folder:
                    self.assertEqual(list(victim.iterdir()), [], name)
                    victim.rmdir()
                else:
                    self.assertEqual(victim.read_text(), "mine", name)
                    victim.unlink()
                shutil.rmtree(self.dir / "r")

    def test_the_report_shows_no_file_that_a_link_leads_to(self):
        (self.dir / "secret").write_bytes(b"\x89PNG\r\n\x1a\n" + b"secret" * 100)
        self.succeed(*VAE, *SHORT, "--run", "r")
        (self.dir / "r/samples.png").unlink()
        (self.dir / "r/samples.png").symlink_to(self.dir / "secret")
        self.refuse(2, "r/samples.png is not a file of this run", "vae", "train", "--run", "r", "--resume", "--epochs", "2")
        self.assertNotIn(b"c2VjcmV0", self.read("r/report.html"))  # "secret" in base 64


class Configurations(ToolTest):
    def test_of_strangers_wipe_nothing(self):
        self.succeed(*M2, *SHORT, "--run", "r")
        before = self.snapshot("r")
        self.succeed(*M2, *SHORT, "--run", "other")
        config = self.load("other/config.json")
        for name, value in {"fresh": True, "run": "../r", "resume": True, "config": "x", "benchmark": 5, "quiet": True}.items():
            (self.dir / "other/config.json").write_text(json.dumps({**config, name: value}))
            words = f"'{name}' is an option of the command line alone"
            self.refuse(3, words, "m2", "train", "--run", "other", "--resume")
            self.refuse(3, words, "m2", "test", "--run", "other")
            self.refuse(3, words, "m2", "train", "--config", "other/config.json", "--run", "r")
        self.assertEqual(self.snapshot("r"), before)


class OtherData(ToolTest):
    def test_is_noticed_on_resuming(self):
        synth = ["datasets", "synth", "--train", "300", "--test", "40"]
        self.succeed(*synth, "--out", "one")
        self.succeed(*synth, "--out", "other", "--seed", "2")
        for name in ("train", "t10k"):  # the same labels, other pixels
            shutil.copy(self.dir / f"one/{name}-labels-idx1-ubyte.gz", self.dir / f"other/{name}-labels-idx1-ubyte.gz")
        shutil.copytree(self.dir / "one", self.dir / "test_alone")
        shutil.copy(self.dir / "other/t10k-images-idx3-ubyte.gz", self.dir / "test_alone/t10k-images-idx3-ubyte.gz")
        data = ["--data", "idx", "--data-dir", "one"]
        for command in (M1, VAE, ML_VAE, [*M2, "--labels", "100", "--validation", "50"]):
            tool = command[0]
            self.succeed(*command, *SHORT, *data, "--run", tool)
            before = self.snapshot(tool)
            for there in ("other", "test_alone"):
                self.refuse(3, "these are not the images of the run", tool, "train", "--run", tool, "--resume", "--epochs", "2",
                            "--data-dir", there)
            self.assertEqual(self.snapshot(tool), before)
            shutil.copytree(self.dir / "one", self.dir / "moved", dirs_exist_ok=True)
            self.succeed(tool, "train", "--run", tool, "--resume", "--epochs", "2", "--data-dir", "moved")


class Stops(ToolTest):
    LONG = ["--epochs", "2", "--iters-per-epoch", "100", "--log-every", "10"]

    def test_every_request_saves_and_says_how_to_go_on(self):
        m2 = [*M2, *self.LONG]
        self.succeed(*m2, "--run", "whole")
        for first in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGINT):
            process = self.start(*m2, "--run", first.name)
            while not (self.dir / first.name / "metrics.jsonl").exists():
                self.assertIsNone(process.poll())
            for number in (first, first, signal.SIGTERM):  # within a second: one request
                process.send_signal(number)
            _, err = process.communicate(timeout=60)
            self.assertEqual(process.returncode, 130)
            self.assertRegex(err.decode(), r"\A[^:]+: saved at iteration \d+; continue with --resume\n\Z")
            self.succeed("m2", "train", "--run", first.name, "--resume")
            self.assert_same_runs("whole", first.name)

    def test_nohup(self):
        command = [*M2, "--epochs", "1", "--iters-per-epoch", "100", "--log-every", "10", "--run", "r"]
        process = self.start(*command, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        while not (self.dir / "r/metrics.jsonl").exists():
            self.assertIsNone(process.poll())
        process.send_signal(signal.SIGHUP)
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0)


class Seeds(ToolTest):
    def test_go_on_with_the_options_they_began_with(self):
        m2 = [*M2, "--alpha", "3", "--seeds", "1,2"]
        self.succeed(*m2, "--run", "whole")
        self.kill_when("r/seed_1/checkpoint.safetensors", *m2, "--run", "r")
        self.succeed("m2", "train", "--run", "r", "--resume")
        self.assert_same_runs("whole", "r")
        self.succeed("m2", "train", "--run", "r", "--resume", "--seeds", "1,2,5")
        self.assertEqual(self.load("r/seeds.json")["seeds"], [1, 2, 5])
        self.assertEqual(self.load("r/seed_5/config.json")["alpha"], 3)
        self.refuse(2, "--alpha is 2 here, but 3 in the run", "m2", "train", "--run", "r", "--resume", "--alpha", "2")
        self.refuse(2, "name one, such as r/seed_1", "m2", "test", "--run", "r")
        self.succeed("m2", "test", "--run", "r/seed_5")
        self.refuse(2, "r/seed_5 is a run of one seed", "m2", "train", "--run", "r/seed_5", "--resume", "--seeds", "1")

    def test_pass_over_one_that_diverged(self):
        m2 = [*M2, "--lr", "1e30", "--clip", "0", "--seeds", "1,2", "--run", "r"]
        for command in (m2, ["m2", "train", "--run", "r", "--resume"]):
            code, out, err = self.run_tool(*command)
            self.assertEqual(code, 5, err)
            self.assertEqual(out, "seed 1\nseed 2\n")
            self.assertRegex(err, r"(?m)^seed 1 diverged: .*\n(.*\n)*seed 2 diverged: .*\nerror: 2 of 2 seeds diverged")
            self.assertEqual(self.load("r/seeds.json"), {"seeds": [], "failed": [1, 2]})


class Threads(ToolTest):
    def test_that_cannot_be_created_are_an_error(self):
        command = " ".join(["ulimit -v 1500000; exec", *map(str, [self.binary("m1"), *M1[1:], "--threads", "1000"])])
        done = subprocess.run(["bash", "-c", command], cwd=self.dir, env=ENVIRONMENT, capture_output=True, text=True)
        self.assertEqual(done.returncode, 6, done.stderr)
        self.assertRegex(done.stderr, r"\Aerror: the system gives this process \d+ of 1000 threads [^\n]*\n\Z")


class Bounds(ToolTest):
    def test_the_elbo_stands_beside_an_objective_that_weighs_its_kl(self):
        for options in (["--warmup", "100"], ["--model", "beta", "--beta", "0.3"], ["--model", "ladder", "--z", "4,3"]):
            printed = self.succeed(*VAE, *options, "--run", "r", "--fresh")
            row = self.rows("r")[-1]
            self.assertLess(row["test_elbo"], -row["test_loss"], "a small weight flatters")
            line = f"test loss {row['test_loss']:.3f} nats per image (training objective); ELBO, of KL weight 1, {row['test_elbo']:.3f}\n"
            self.assertIn(line, printed)
            self.assertIn(line, self.succeed("vae", "test", "--run", "r"))
            self.assertIn(f"elbo {row['elbo']:.5g}", printed)
        printed = self.succeed(*ADGM, "--warmup", "200", "--run", "a")
        row = self.rows("a")[-1]
        self.assertLess(row["test_elbo_labeled"], -row["test_loss_labeled"])
        self.assertLess(row["test_elbo_unlabeled"], -row["test_loss_unlabeled"])
        self.assertIn(f"of log p(x) {row['test_elbo_unlabeled']:.3f}", printed)
        self.assertIn(f"of log p(x) {row['test_elbo_unlabeled']:.3f}", self.succeed("adgm", "test", "--run", "a"))

    def test_where_the_weight_is_one_the_loss_is_the_bound(self):
        self.succeed(*VAE, "--warmup", "0", "--run", "r")
        self.assertNotIn("elbo", self.rows("r")[-1])
        self.succeed(*VAE, "--model", "beta", "--beta", "1", "--warmup", "1", "--run", "one")  # weight 1 from the first step
        row = self.rows("one")[-1]
        self.assertAlmostEqual(row["test_elbo"], -row["test_loss"], delta=1e-3)


if __name__ == "__main__":
    unittest.main()
