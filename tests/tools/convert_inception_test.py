"""The converter of the weights of FID-Inception-v3: what it writes, what it refuses. Skipped, with exit code 77, where the
Python packages that it needs are not installed."""
import hashlib
import pathlib
import subprocess
import sys
import tempfile
import unittest

try:
    import torch
    from safetensors import safe_open
except ImportError as missing:
    print(f"skipped: {missing} (pip install torch safetensors)")
    sys.exit(77)

CONVERTER = pathlib.Path(__file__).parents[2] / "tools/convert_inception.py"


class ConvertInception(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.dir = pathlib.Path(folder.name)
        self.state = {"a.conv.weight": torch.arange(24.0).reshape(2, 3, 2, 2).transpose(2, 3), "fc.bias": torch.ones(3),
                      "a.bn.weight": torch.tensor([0.5, 2], dtype=torch.float64), "a.bn.num_batches_tracked": torch.tensor(7)}
        torch.save(self.state, self.dir / "plain.pth")
        self.digest = hashlib.sha256((self.dir / "plain.pth").read_bytes()).hexdigest()

    def convert(self, *arguments):
        return subprocess.run([sys.executable, "-B", CONVERTER, *arguments], capture_output=True, text=True, cwd=self.dir)

    def refuse(self, words, *arguments):
        done = self.convert(*arguments)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr.strip().splitlines()[-1][:7], "error: ")
        self.assertIn(words, done.stderr)
        self.assertNotIn("Traceback", done.stderr)
        self.assertFalse((self.dir / "out").exists())

    def test_what_it_writes(self):
        done = self.convert("plain.pth", "new/out.safetensors")
        self.assertEqual(done.returncode, 0, done.stderr)
        with safe_open(self.dir / "new/out.safetensors", "pt") as file:
            self.assertEqual(file.metadata(), {"source_sha256": self.digest})
            self.assertEqual(sorted(file.keys()), ["a.bn.weight", "a.conv.weight", "fc.bias"])
            for name in file.keys():
                self.assertEqual(file.get_tensor(name).dtype, torch.float32)
                self.assertTrue(torch.equal(file.get_tensor(name), self.state[name].float()))
        numbers = b"".join(name.encode() + self.state[name].float().contiguous().numpy().tobytes()
                           for name in ("a.bn.weight", "a.conv.weight"))
        self.assertIn(hashlib.sha256(numbers).hexdigest()[:16], done.stdout)

    def test_a_name_that_promises_the_content(self):
        (self.dir / "plain.pth").rename(self.dir / f"w-{self.digest[:8]}.pth")
        self.assertEqual(self.convert(f"w-{self.digest[:8]}.pth", "out").returncode, 0)
        (self.dir / "out").unlink()
        (self.dir / f"w-{self.digest[:8]}.pth").rename(self.dir / "w-01234567.pth")
        self.refuse("its name says 01234567", "w-01234567.pth", "out")

    def test_what_it_refuses(self):
        (self.dir / "junk.pth").write_bytes(b"junk")
        torch.save([1, 2], self.dir / "list.pth")
        self.refuse("junk.pth: no state dict", "junk.pth", "out")
        self.refuse("list.pth: no state dict", "list.pth", "out")
        self.refuse("No such file", "absent.pth", "out")
        self.refuse("expected a .pth file", "plain.pth")


if __name__ == "__main__":
    unittest.main()
