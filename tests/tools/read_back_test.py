"""TensorBoard's own reader reads the event file of a run, safetensors' own reader its checkpoint. Skipped, with exit
code 77, where these Python packages are not installed."""
import sys
import unittest

from harness import M2, ToolTest

try:
    from safetensors.numpy import load_file
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
except ImportError as missing:
    print(f"skipped: {missing} (pip install numpy safetensors tensorboard)")
    sys.exit(77)


class ReadBack(ToolTest):
    def setUp(self):
        super().setUp()
        self.succeed(*M2, "--run", "r", "--log-every", "10")
        self.succeed("m2", "train", "--run", "r", "--resume", "--epochs", "3")

    def test_events(self):
        files = sorted((self.dir / "r").glob("events.*"))
        self.assertEqual(len(files), 2)
        for file in files:  # this loader checks every CRC; EventAccumulator would only log a broken record
            self.assertEqual(next(iter(EventFileLoader(str(file)).Load())).file_version, "brain.Event:2")
        events = EventAccumulator(str(self.dir / "r"), size_guidance={"scalars": 0, "images": 0})
        events.Reload()
        rows = self.rows("r")
        for tag in ("loss_labeled", "loss_unlabeled", "loss_classifier", "valid_accuracy", "test_accuracy"):
            expected = [(row["step"], row[tag]) for row in rows if tag in row]
            got = [(event.step, event.value) for event in events.Scalars(tag)]
            self.assertEqual([step for step, _ in got], [step for step, _ in expected])
            for (_, value), (_, wanted) in zip(got, expected):
                self.assertAlmostEqual(value, wanted, delta=1e-6 * abs(wanted))
        self.assertEqual([image.step for image in events.Images("reconstructed_x")], [20, 40, 60])

    def test_checkpoint(self):
        tensors = load_file(self.dir / "r/checkpoint.safetensors")
        self.assertEqual(tensors["counter"], 60)
        weights = [t for name, t in tensors.items() if t.shape == (32, 784)]
        self.assertGreaterEqual(len(weights), 2)
        for name, tensor in tensors.items():
            self.assertTrue((tensor == tensor).all(), name)


if __name__ == "__main__":
    unittest.main()
