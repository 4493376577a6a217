"""`export`: what it writes and refuses; weights that are exported, imported and exported again are the same bytes. What the
ONNX files compute is tested beside test_export."""
import json
import re
import struct
import unittest

from harness import ADGM, M1_M2, M2, ML_VAE, SHOT_CLASSIFIER, SHOT_VAE, SMOOTH_ELBO, ToolTest


def header(content):
    return json.loads(content[8:8 + struct.unpack("<Q", content[:8])[0]])


def without(command, *options):
    """A command line without options that the weights decide."""
    return [word for i, word in enumerate(command) if word not in options and command[i - 1] not in options]


class Export(ToolTest):
    def export_onnx(self, *arguments):
        """Standard output; none where the tools were built without ONNX."""
        code, out, err = self.run_tool(*arguments)
        if "without ONNX" in err:
            self.refuse(2, "this build writes no ONNX files", *arguments)
            return None
        self.assertEqual((code, err), (0, ""))
        return out

    def test_files(self):
        self.succeed(*M2, "--run", "r")
        before = self.everything("r")
        out = self.export_onnx("m2", "export", "--run", "r", "--onnx", "a/o")
        if out is not None:
            self.assertEqual(out, "a/o/encoder.onnx: x [batch, 784], y [batch, 10] -> mean [batch, 4], log_var [batch, 4]\n"
                                  "a/o/decoder.onnx: z [batch, 4], y [batch, 10] -> logits [batch, 784]\n"
                                  "a/o/classifier.onnx: x [batch, 784] -> logits [batch, 10]\n")
            self.assertEqual(sorted(p.name for p in (self.dir / "a/o").iterdir()),
                             ["classifier.onnx", "decoder.onnx", "encoder.onnx"])
            for words in (b"1 for bytes from 128 on, else 0", b"one-hot classes", b"synthetic digits"):
                self.assertIn(words, self.read("a/o/encoder.onnx"))
            self.refuse(4, "a/o: exists already", "m2", "export", "--run", "r", "--onnx", "a/o")
        self.refuse(2, "name --onnx FOLDER, --torch-names FILE or both", "m2", "export", "--run", "r")
        self.assertRegex(self.succeed("m2", "export", "--run", "r", "--torch-names", "w"), r"\Aw: \d+ tensors\n\Z")
        self.refuse(4, "w: exists already", "m2", "export", "--run", "r", "--torch-names", "w", "--onnx", "new")
        self.assertFalse((self.dir / "new").exists())
        self.assertEqual(header(self.read("w"))["__metadata__"], {"format": "pt"})
        self.assertEqual(header(self.read("w"))["encoder_x_y.layer_0.weight"]["shape"], [32, 784])
        self.assertEqual(self.everything("r"), before)

    def test_stages(self):
        self.succeed(*M1_M2, "--run", "r")
        self.succeed("m1_m2", "export", "--run", "r", "--torch-names", "w")
        names = header(self.read("w"))
        for name in ("decoder.layer_merge_x.weight", "m1.encoder.layer_0.weight"):
            self.assertIn(name, names)

    def test_joined_weights(self):
        """Of a layer that sees several inputs, side by side, as the library has it."""
        self.succeed(*ADGM, "--run", "r")
        self.succeed("adgm", "export", "--run", "r", "--torch-names", "w")
        names = header(self.read("w"))
        self.assertEqual(names["encoder.hidden.0.weight"]["shape"], [16, 784 + 10 + 3])
        self.assertEqual([name for name in names if re.search(r"weight_\w", name)], [])

    def test_there_and_back(self):
        for command, decided in ((ML_VAE, ("--hidden", "--style-dim", "--class-dim")),
                                 (SHOT_VAE, ("--z", "--decoder-width")), (SHOT_CLASSIFIER, ()),
                                 (SMOOTH_ELBO, ("--hidden", "--z", "--conv", "--deconv"))):
            tool = command[0]
            with self.subTest(tool=tool):
                self.succeed(*command, "--epochs", "1", "--run", f"{tool}/r")
                self.succeed(tool, "export", "--run", f"{tool}/r", "--torch-names", f"{tool}/a")
                self.succeed(tool, "import", *without(command[2:], *decided), "--weights", f"{tool}/a", "--run", f"{tool}/i")
                self.succeed(tool, "export", "--run", f"{tool}/i", "--torch-names", f"{tool}/b")
                self.assertEqual(self.read(f"{tool}/a"), self.read(f"{tool}/b"))


if __name__ == "__main__":
    unittest.main()
