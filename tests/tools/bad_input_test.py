"""Whatever a user may get wrong: one line, the documented exit code, nothing half-written.
Exit codes: 2 bad option, 3 bad data, 4 file system, 5 not a number, 6 device."""
import gzip
import json
import os
import resource
import shutil
import struct
import subprocess
import unittest

from harness import (ADGM, DATA, ENVIRONMENT, LENGTH, M1, M1_M2, M2, ML_VAE, SHOT_CLASSIFIER, SHOT_VAE, SYM_VAE, VAE,
                     ToolTest)

IDX = ["--data", "idx", "--data-dir", "set", "--validation", "10", "--labels", "20", "--threads", "1", *LENGTH]


def idx(shape, values):
    return struct.pack(f">I{len(shape)}I", 0x0800 | len(shape), *shape) + bytes(values)


class BadOptions(ToolTest):
    def test_values(self):
        for options, words in [
            (["--labels", "7"], "7 labels"),
            (["--labels", "1000"], "do not fit"),
            (["--labels", "0"], "--labels"),
            (["--validation", "-1"], "--validation"),
            (["--seeds", "1,x"], "'1,x'"),
            (["--seeds", "1,1"], "twice"),
            (["--seed", "-1"], "'-1'"),
            (["--preset", "best"], "'best'"),
            (["--epochs", "0"], "--epochs"),
            (["--epochs", "9223372036854775807"], "--epochs"),
            (["--epochs", "many"], "many"),
            (["--hidden", "0"], "0 units"),
            (["--hidden", "64,,64"], "'64,,64'"),
            (["--hidden", "18446744073709551615"], "units"),
            (["--z", "9223372036854775807"], "--z"),
            (["--activation", "swish"], "'swish'"),
            (["--lr", "0"], "--lr"),
            (["--lr", "nan"], "--lr"),
            (["--lr", "inf"], "--lr"),
            (["--alpha", "nan"], "--alpha"),
            (["--bn-eps", "-1"], "--bn-eps"),
            (["--dropout", "1"], "--dropout"),
            (["--synth-train", "0"], "--synth-train"),
            (["--classes", "5"], "'synth' has 10 classes, not 5"),
            (["--threads", "100000"], "--threads"),
            (["--device", "gpu"], "'gpu'"),
            (["--resume", "--fresh"], ""),
            (["--no-such-option"], "--no-such-option"),
            (["--two\nlines"], "--two lines"),
            (["--hiden", "32"], "no option '--hiden': is '--hidden' meant?"),
            (["--lables=3"], "no option '--lables': is '--labels' meant?"),
            (["--unlike-any-of-them"], "no option '--unlike-any-of-them' (see --help)"),
        ]:
            with self.subTest(options=options):
                code = 4 if options == ["--resume", "--fresh"] else 2
                self.refuse_new(code, words, *M2, *options)
        self.refuse_new(2, "--batch", *M1, "--batch", "0")
        self.refuse_new(2, "--m1-epochs", *M1_M2, "--m1-epochs", "0")
        self.refuse(2, "empty name", *M2, "--run", "")
        self.refuse(2, "no command 'trian': is 'train' meant?", "m2", "trian", "--epochs", "3")
        self.refuse(2, "no command 'verfiy': is 'verify' meant?", "datasets", "verfiy", "mnist")
        self.refuse(2, "A subcommand is required", "m2")
        self.refuse(2, "--lr", "m2", "analogy", "--lr", "x", "--config", self.write("options.json", "{}"))

    def test_adgm_family(self):
        for options, words in [
            (["--model", "best"], "'best'"),
            (["--preset", "best"], "'best'"),
            (["--model", "ladder"], "ladder of 2 hidden layers and 1"),
            (["--hidden", "0"], "0 units"),
            (["--z", "3,2"], "only ladders"),
            (["--alpha", "much"], "'much'"),
            (["--alpha", "nan"], "'nan'"),
            (["--alpha", "-1"], "'-1'"),
            (["--labels", "7"], "7 labels"),
            (["--labels", "5000"], "do not fit"),
            (["--mc", "0"], "--mc"),
            (["--batch", "0"], "--batch"),
            (["--eps", "-1"], "--eps"),
            (["--eps", "0.6"], "--eps"),
            (["--logvar", "exact"], "--logvar"),
            (["--decoder-activation", "swish"], "'swish'"),
        ]:
            with self.subTest(options=options):
                self.refuse_new(2, words, *ADGM, *options)
        self.refuse_new(4, "absent", *ADGM, "--model", "stacked", "--features-run", "absent")
        self.refuse_new(2, "--tau", *VAE, "--tau", "0")
        self.refuse_new(2, "'best'", *VAE, "--model", "best")
        self.refuse_new(6, "out of memory", *VAE, "--hidden", "1000000000")
        self.refuse(4, "config.json", "adgm", "test", "--run", "absent")
        self.succeed(*VAE, "--run", "vae")
        self.succeed(*VAE, "--model", "flow", "--run", "flow")
        self.refuse(2, "importance weights", "vae", "test", "--run", "flow", "--nll", "1")
        self.refuse(3, "checkpoint", "vae", "test", "--run", "vae", "--z", "5")
        self.succeed(*ADGM, "--run", "adgm")
        for digit in ("-1", "10"):
            self.refuse(2, "--digit", "adgm", "sample", "--run", "adgm", f"--digit={digit}")

    def test_commands(self):
        for tool in ("m1", "m2", "m1_m2", "adgm", "vae", "datasets"):
            self.refuse(2, "--help", tool)
            self.refuse(2, "--help", tool, "dance")
        self.refuse(2, "dance", "bench_step", "dance")
        self.refuse(2, "--steps", "bench_step", "m2", "--steps", "0")
        self.refuse(2, "--card", "bench_step", "m2", "--plan", "--card", "a100")
        self.refuse(2, "--ranks", "bench_step", "m2", "--ranks", "8")
        self.refuse(2, "--link", "bench_step", "m2", "--plan", "--ranks", "8", "--link", "0")
        self.refuse(2, "no kernel matches", "bench_kernels", "dance")
        self.refuse(2, "--images", "bench_inception", "--images", "0")

    def test_graphs_need_a_gpu(self):
        for command in (M1, M2, M1_M2):
            self.refuse_new(2, "device cpu", *command, "--graph", "on")
        self.refuse(2, "device cpu", "bench_step", "m2", "--graph", "on")

    def test_too_large_for_memory(self):
        self.refuse_new(6, "out of memory", *M2, "--hidden", "1000000000")

    def test_no_such_device(self):
        if shutil.which("nvidia-smi"):
            self.skipTest("this machine may have a GPU")
        for command in (M1, M2, M1_M2):
            self.refuse_new(6, "cuda", *command, "--device", "cuda:0")
        self.refuse(6, "cuda", "bench_step", "m2", "--device", "cuda:0")

    def write(self, name, text):
        (self.dir / name).write_text(text)
        return name

    def test_configuration_files(self):
        for text, code, words in [
            ("", 3, "not a JSON object"),
            ("{", 3, "not a JSON object"),
            ("[1]", 3, "not a JSON object"),
            ('{"lr": [1]}', 3, "'lr'"),
            ('{"lr": {"a": 1}}', 3, "'lr'"),
            ('{"learning-rate": 1}', 3, "'learning-rate'"),
            ('{"lr": null}', 2, "--lr"),
            ('{"lr": "fast"}', 2, "--lr"),
            ('{"preset": "best"}', 2, "'best'"),
            ("[" * 100000, 3, "not a JSON object"),
        ]:
            with self.subTest(text=text[:40]):
                self.refuse_new(code, words, *M2, "--config", self.write("config.json", text))
        self.refuse_new(4, "absent.json", *M2, "--config", "absent.json")
        self.refuse_new(4, "directory", *M2, "--config", ".")


class BadData(ToolTest):
    def setUp(self):
        super().setUp()
        (self.dir / "set").mkdir()
        pixels = bytes(range(250)) * 3136
        for part, n in (("train", 100), ("t10k", 20)):
            self.write(f"{part}-images-idx3-ubyte", idx((n, 28, 28), pixels[:n * 784]))
            self.write(f"{part}-labels-idx1-ubyte", idx((n,), [i % 10 for i in range(n)]))

    def write(self, name, content):
        (self.dir / "set" / name).write_bytes(content)

    def test_good_set(self):
        self.succeed("m2", "train", *IDX, "--hidden", "8")

    def test_files(self):
        images, labels = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
        good = {name: self.read(f"set/{name}") for name in (images, labels)}
        for name, content, words in [
            (images, b"", "empty"),
            (images, b"PK\3\4 and so on", "magic"),
            (images, good[images][:-1], "too short"),
            (images, good[images] + b"\0", "follow"),
            (images, gzip.compress(good[images])[:-9], images),
            (images, gzip.compress(good[images])[:20], images),
            (images, struct.pack(">IIII", 0x0803, 2**32 - 1, 2**32 - 1, 2**32 - 1), "too short"),
            (images, idx((0, 28, 28), b""), "images"),
            (images, idx((99, 28, 28), bytes(99 * 784)), "99 images"),
            (labels, idx((100,), [10] * 100), "label 10"),
            (labels, idx((100, 1), [1] * 100), "rank 1"),
            (labels, idx((100,), [1] * 100), "class"),
        ]:
            with self.subTest(name=name, words=words):
                self.write(name, content)
                self.refuse_new(3, words, "m2", "train", *IDX)
                self.write(name, good[name])
        (self.dir / "set" / labels).unlink()
        self.refuse_new(4, labels, "m2", "train", *IDX)

    def test_places(self):
        for command in (M1, M2, M1_M2):
            self.refuse_new(4, "nowhere", *command, "--data", "mnist", "--data-dir", "nowhere")
        self.refuse_new(4, "datasets download fashion-mnist", *M2, "--data", "fashion-mnist", "--data-dir", "set")
        self.refuse_new(4, "train_images", *M2, "--data", "folder", "--data-dir", "set")
        self.refuse(4, "nowhere", "datasets", "verify", "mnist", "--data-dir", "nowhere")

    def test_sizes_of_images(self):
        self.write("train-images-idx3-ubyte", idx((100, 5, 7), range(35)) + bytes(99 * 35))
        self.refuse_new(3, "28x28", "m2", "train", *IDX)  # the test images
        self.write("t10k-images-idx3-ubyte", idx((20, 5, 7), range(35)) + bytes(19 * 35))
        self.refuse_new(3, "expected 28x28", "m2", "train", *IDX, "--data", "mnist")
        self.succeed("m2", "train", *IDX, "--hidden", "8", "--run", "r")
        self.succeed("m2", "test", "--run", "r")
        self.refuse(3, "another model", "m2", "test", "--run", "r", "--data", "synth")


class BadRuns(ToolTest):
    def setUp(self):
        super().setUp()
        self.succeed(*M2, "--run", "r")

    def test_places(self):
        self.refuse(4, "r/config.json", *M2, "--run", "r/config.json")
        self.refuse(4, "r/config.json", *M2, "--run", "r/config.json/below")
        self.refuse(4, "/proc", *M2, "--run", "/proc/vaekit")
        self.refuse(4, "absent", "m2", "train", "--run", "absent", "--resume")
        for what in ("test", "visualize", "analogy"):
            self.refuse(4, "absent", "m2", what, "--run", "absent")
            self.refuse(4, "runs/m2", "m2", what)
        self.assertEqual(os.listdir(self.dir), ["r"])

    def test_existing_run(self):
        before = self.snapshot("r")
        self.refuse(2, "--fresh", *M2, "--run", "r")
        self.refuse(2, "--lr", "m2", "train", "--run", "r", "--resume", "--lr", "0.1")
        self.refuse(2, "exclude", "m2", "train", "--run", "r", "--resume", "--fresh")
        self.refuse(2, "7 labels", *M2, "--run", "r", "--fresh", "--labels", "7")  # --fresh removes nothing
        (self.dir / "mine").mkdir()
        (self.dir / "mine/config.json").write_text("{}")
        self.refuse(2, "another directory", *M2, "--run", "mine", "--fresh")
        self.assertEqual(self.snapshot("r"), before)
        self.assertEqual(self.read("mine/config.json"), b"{}")

    def test_two_processes(self):
        process = self.start(*M2, "--run", "busy", "--epochs", "1000", "--log-every", "1",
                             stdout=subprocess.DEVNULL)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        while not (self.dir / "busy/metrics.jsonl").exists():
            self.assertIsNone(process.poll())
        self.refuse(2, "another process", "m2", "train", "--run", "busy", "--resume")
        self.refuse(2, "another process", *M2, "--run", "busy", "--fresh")
        self.assertIsNone(process.poll())

    def test_damaged_configuration(self):
        config = self.load("r/config.json")
        for text, code in [("{", 3), ('{"x": 1}', 3), (json.dumps({**config, "lr": "x"}), 2)]:
            (self.dir / "r/config.json").write_text(text)
            self.refuse(code, "", "m2", "train", "--run", "r", "--resume")
            self.refuse(code, "", "m2", "test", "--run", "r")
            self.assertEqual(self.read("r/config.json").decode(), text)

    def damage(self, content):
        (self.dir / "r/checkpoint.safetensors").write_bytes(content)
        before = self.snapshot("r")
        for command in (["train", "--resume"], ["test"], ["visualize"], ["analogy"]):
            self.refuse(3, "checkpoint.safetensors", "m2", *command, "--run", "r")
        self.assertEqual(self.snapshot("r"), before)

    def test_damaged_checkpoint(self):
        good = self.read("r/checkpoint.safetensors")
        for content in (b"", good[:-1], good[:100], good + b"\0", b"\xff" * 8 + good[8:]):
            self.damage(content)

    def test_checkpoint_with_nan(self):
        good = self.read("r/checkpoint.safetensors")
        size = struct.unpack("<Q", good[:8])[0]
        header = json.loads(good[8:8 + size])
        name = next(n for n in header if n.startswith("decoder") and header[n]["dtype"] == "F32")
        begin = 8 + size + header[name]["data_offsets"][0]
        self.damage(good[:begin] + struct.pack("<f", float("nan")) + good[begin + 4:])
        self.refuse(3, name, "m2", "test", "--run", "r")

    def test_checkpoint_of_another_model(self):
        self.succeed(*M2, "--run", "other", "--hidden", "31")
        self.damage(self.read("other/checkpoint.safetensors"))
        self.succeed(*M1, "--run", "m1")
        self.damage(self.read("m1/checkpoint.safetensors"))
        self.refuse_new(3, "z_size", *M1_M2, "--m1-run", "m1")
        self.refuse_new(4, "absent", *M1_M2, "--m1-run", "absent")
        config = self.load("r/config.json")
        del config["tool"]
        (self.dir / "r/config.json").write_text(json.dumps(config))
        self.refuse_new(3, "another model", *M1_M2, "--m1-run", "r")
        self.refuse(3, "is no option of 'm1 test'", "m1", "test", "--run", "r")


class RunsOfOtherTools(ToolTest):
    """One line that names the tool of the run."""
    COMMANDS = {"m1": (M1, "visualize"), "m2": (M2, "analogy"), "m1_m2": (M1_M2, "test"), "adgm": (ADGM, "sample"),
                "vae": (VAE, "interpolate"), "ml_vae": (ML_VAE, "probe"), "sym_vae": (SYM_VAE, "test")}

    def test_in_all_pairs(self):
        for tool, (command, _) in self.COMMANDS.items():
            self.succeed(*command, "--run", tool)
            self.assertEqual(self.load(f"{tool}/config.json")["tool"], tool)
            before = self.snapshot(tool)
            others = [other for other in self.COMMANDS if other != tool]
            words = f"{tool}/config.json: a run of the tool '{tool}', not of '%s'"
            for other in others:
                self.refuse(3, words % other, other, self.COMMANDS[other][1], "--run", tool)
            self.refuse(3, words % others[0], others[0], "train", "--run", tool, "--resume")
            self.refuse_new(3, words % others[1], *self.COMMANDS[others[1]][0], "--config", f"{tool}/config.json")
            self.assertEqual(self.snapshot(tool), before)

    def test_as_a_stage(self):
        self.succeed(*M2, "--run", "m2")
        self.succeed(*M1, "--run", "m1")
        self.refuse_new(3, "a run of the tool 'm2', not of 'm1'", *M1_M2, "--m1-run", "m2")
        self.refuse_new(3, "a run of the tool 'm1', not of 'vae'", *ADGM, "--model", "stacked", "--features-run", "m1")

    def test_of_a_stage(self):
        self.succeed(*M1_M2, "--run", "r")
        self.assertEqual(self.load("r/m1/config.json")["tool"], "m1")
        self.refuse(3, "a run of the tool 'm1', not of 'm1_m2'", "m1_m2", "test", "--run", "r/m1")
        self.succeed(*M2, "--seeds", "1", "--run", "s")
        self.refuse(3, "a run of the tool 'm2', not of 'm1_m2'", *M1_M2, "--seeds", "1", "--run", "s", "--resume")

    def test_a_run_that_names_no_tool(self):
        for command, inspection in self.COMMANDS.values():
            run = command[0]
            self.succeed(*command, "--run", run)
            config = self.load(f"{run}/config.json")
            del config["tool"]
            (self.dir / run / "config.json").write_text(json.dumps(config))
            self.succeed(run, inspection, "--run", run)
            self.succeed(run, "train", "--run", run, "--resume", "--epochs", "3")
            self.assertEqual(self.load(f"{run}/config.json")["tool"], run)


class SplitFiles(ToolTest):
    """Splits of 1000 synthetic digits that a user wrote."""

    def setUp(self):
        super().setUp()
        self.succeed(*M2, "--run", "r", "--epochs", "1")
        self.split = self.load("r/split.json")

    def write(self, labeled, unlabeled, validation, changes={}):
        split = {**self.split, "labeled": labeled, "unlabeled": unlabeled, "validation": validation,
                 "num_labeled": len(labeled), "num_validation": len(validation)} | changes
        (self.dir / "split.json").write_text(json.dumps(split))
        return ["--split-file", "split.json"]

    def test_what_cannot_be_trained(self):
        a, b, c = (self.split[part] for part in ("labeled", "unlabeled", "validation"))
        for code, words, parts, changes in [
            (2, "no labelled images", ([], a + b, c), {}),
            (2, "no labelled images", ([], [], a + b + c), {}),
            (2, "no labelled image of class", (a[:1], a[1:] + b, c), {}),
            (3, "listed twice", ([*a, a[0]], b[1:], c), {}),
            (3, "listed twice", (a, [*b[1:], a[0]], c), {}),
            (3, "999 of 1000", (a, b[1:], c), {}),
            (3, "out of range", (a, [*b[1:], 1000], c), {}),
            (3, "out of range", (a, [*b[1:], -1], c), {}),
            (3, "claims", (a, b, c), {"num_labeled": 99}),
            (3, "not a stored split", (a, b, c), {"labeled": "all"}),
        ]:
            with self.subTest(words=words):
                file = self.write(*parts, changes)
                self.refuse_new(code, words, *M2, *file)
                if code == 2:
                    self.refuse_new(code, words, *M1_M2, *file)
                    self.refuse_new(code, words, *ADGM, *file)
                    self.refuse(code, words, *M2, *file, "--benchmark", "1")

    def test_empty_parts_that_are_no_fault(self):
        a, b, c = (self.split[part] for part in ("labeled", "unlabeled", "validation"))
        for parts in ((a, b + c, []), (a, [], b + c), (a + b + c, [], [])):
            file = self.write(*parts)
            for command in (M2, ADGM):
                run = f"{command[0]} {[len(part) for part in parts]}"
                self.succeed(*command, *file, "--run", run)
                self.assertEqual(self.load(f"{run}/split.json")["labeled"], parts[0])
                self.assertEqual("valid_accuracy" in self.rows(run)[-1], bool(parts[2]))


class BatchesOfOne(ToolTest):
    """Batch norm has no variance of one row."""

    def test_refused_by_the_name_of_the_option(self):
        ladder = ["--model", "ladder", "--hidden", "16,12,8", "--z", "4,3,2"]
        for option, command in [("batch", M1), ("batch-labeled", M2), ("batch-unlabeled", M2), ("m1-batch", M1_M2),
                                ("batch-labeled", M1_M2), ("batch", [*ADGM, *ladder]), ("batch-labeled", [*ADGM, *ladder]),
                                ("batch", [*VAE, *ladder]), ("batch", SHOT_VAE), ("batch-labeled", SHOT_VAE),
                                ("batch-labeled", SHOT_CLASSIFIER)]:
            self.refuse_new(2, f"--{option} 1, of", *command, f"--{option}", "1")
            self.refuse(2, f"--{option} 1, of", *command, f"--{option}", "1", "--benchmark", "1")
        self.refuse_new(2, "--batch 100, of 1 images", *M1, "--synth-train", "1")
        self.succeed(*ML_VAE, "--run", "r")
        self.refuse(2, "--classifier-batch 1, of", "ml_vae", "classify", "--run", "r", "--classifier-batch", "1")
        self.assertFalse((self.dir / "r/classifier").exists())

    def test_cut_to_one(self):
        self.succeed(*M2, "--run", "r", "--epochs", "1")
        split = self.load("r/split.json")
        rest = split["unlabeled"] + split["validation"]
        split.update(unlabeled=rest[:1], validation=rest[1:], num_validation=len(rest) - 1)
        (self.dir / "split.json").write_text(json.dumps(split))
        self.refuse_new(2, "--batch-unlabeled 100, of 1 images", *M2, "--split-file", "split.json")

    def test_where_there_is_no_batch_norm(self):
        for run, command in (("m1", [*M1, "--batch", "1"]), ("m2", [*M2, "--batch-labeled", "1", "--batch-unlabeled", "1"])):
            self.succeed(*command, "--preset", "paper", "--run", run)
        self.succeed(*ADGM, "--batch", "1", "--batch-labeled", "1", "--run", "adgm")
        self.succeed(*VAE, "--batch", "1", "--run", "vae")
        self.succeed(*ML_VAE, "--batch", "1", "--run", "ml_vae")


class BadLuck(ToolTest):
    def test_loss_is_not_a_number(self):
        self.refuse(5, "loss", *M2, "--run", "r", "--lr", "1e30")
        self.assertFalse((self.dir / "r/checkpoint.safetensors").exists())

    def test_last_good_checkpoint_stays(self):
        m2 = [*M2, "--lr", "1e15", "--checkpoint-every", "1", "--epochs", "100", "--clip", "0"]
        self.refuse(5, " is ", *m2, "--run", "r", "--log-every", "1")
        self.succeed("m2", "test", "--run", "r")
        self.refuse(5, " is ", "m2", "train", "--run", "r", "--resume")

    def test_full_disk(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (100000, 100000))

        # SIGXFSZ stays ignored, as Python has it: writing fails as on a full disk.
        self.refuse(4, "checkpoint.safetensors", *M2, "--run", "r", "--checkpoint-every", "5",
                    preexec_fn=limit, restore_signals=False)
        self.assertFalse([name for name in os.listdir(self.dir / "r") if "checkpoint" in name or "tmp" in name])
        self.succeed("m2", "train", "--run", "r", "--resume")
        self.succeed(*M2, "--run", "whole", "--checkpoint-every", "5")
        self.assert_same_files("whole", "r")

    def test_standard_output(self):
        with open("/dev/full", "w") as full:
            self.refuse(4, "", *M2, "--run", "full", stdout=full)
        self.refuse(4, "standard output", *M2, "--run", "closed", stdout=None, preexec_fn=lambda: os.close(1))
        self.succeed(*M2, "--run", "open")
        self.assert_same_files("open", "closed", ["metrics.csv", "split.json", "config.json", "checkpoint.safetensors"])
        code, _, err = self.run_tool("datasets", "verify", "synth", "--synth-train", "50", "--synth-test", "50",
                                     stdout=None, preexec_fn=lambda: os.close(1))
        self.assertEqual((code, err.count("\n")), (4, 1))

    def test_all_streams_closed(self):
        process = self.start(*M2, "--run", "r", stdin=None, stdout=None, stderr=None,
                             preexec_fn=lambda: [os.close(n) for n in range(3)], env=ENVIRONMENT)
        self.assertEqual(process.wait(60), 4)
        self.assertTrue(self.read("r/metrics.csv").startswith(b"step,epoch"))

    def test_odd_names(self):
        for run in ("with space", "\u00fcml\u00e4ut", os.fsdecode(b"no\xffutf-8"), "new\nline", "-dash"):
            self.succeed(*M2, f"--run={run}")
            self.refuse(2, "--resume", *M2, f"--run={run}")
            self.refuse(4, "vaekit", *M2, f"--run={run}", "--fresh", "--data", "idx", "--data-dir", self.dir / "vaekit")


if __name__ == "__main__":
    unittest.main()
