"""onnxruntime runs the files of every family and gives what the models gave (test_export computes both). Skipped, with exit
code 77, where it cannot be imported; VAE_ONNXRUNTIME_PYTHON names an interpreter that can."""
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import unittest

try:
    import numpy
    import onnxruntime
except ImportError as missing:
    other = os.environ.pop("VAE_ONNXRUNTIME_PYTHON", None)
    if other:
        os.execv(other, [other, *sys.argv])
    print(f"skipped: {missing} (pip install onnxruntime)")
    sys.exit(77)

TOLERANCE = 1e-5  # of the largest value


def tensors(file):
    content = file.read_bytes()
    size = struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8:8 + size])
    return {name: numpy.frombuffer(content[8 + size:], "<f4")[entry["data_offsets"][0] // 4:entry["data_offsets"][1] // 4]
            .reshape(entry["shape"]) for name, entry in header.items() if name != "__metadata__"}


class OnnxRuntime(unittest.TestCase):
    def test_all_families(self):
        with tempfile.TemporaryDirectory(prefix="vaekit-onnx-") as folder:
            environment = {**os.environ, "VAE_EXPORT_SAMPLES": folder}
            subprocess.run([os.environ["VAE_TEST_EXPORT"], "--gtest_filter=Export.*", "--gtest_brief=1"], env=environment,
                           check=True, stdout=subprocess.DEVNULL, timeout=120)
            files = sorted(pathlib.Path(folder).glob("*.onnx"))
            self.assertGreater(len(files), 50)
            for file in files:
                with self.subTest(file=file.stem):
                    self.compare(file)

    def compare(self, file):
        session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
        sample = tensors(file.with_suffix(".safetensors"))
        outputs = [output.name for output in session.get_outputs()]
        results = session.run(outputs, {i.name: sample[f"inputs.{i.name}"] for i in session.get_inputs()})
        worst = 0
        for name, result in zip(outputs, results):
            expected = sample[f"outputs.{name}"]
            self.assertEqual(result.shape, expected.shape)
            worst = max(worst, abs(result - expected).max() / max(1, abs(expected).max()))
        print(f"{file.stem}: {worst:.1e}")
        self.assertLess(worst, TOLERANCE)


if __name__ == "__main__":
    unittest.main()
