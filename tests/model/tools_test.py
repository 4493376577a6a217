"""Every tool that trains, with the model in place of CUDA's libraries: 20 iterations of a recorded step on cuda:0 give the
parameters of the CPU."""
import json
import pathlib
import struct
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tools"))
from harness import (ADGM, ENVIRONMENT, FIXMATCH, M1, M1_M2, M2, ML_VAE, SHOT_CLASSIFIER, SHOT_M2, SHOT_VAE, SMOOTH_ELBO, SYM_VAE,
                     VAE, ToolTest, products_keep_bits)

ITERATIONS = 20
# Of the largest number of a tensor, after as many updates; what rounding Adam makes whole steps of follows the processor.
TOLERANCE = 2e-3 if products_keep_bits() else 5e-3
# The bias of a layer in front of batch norm has no gradient but what rounding leaves, of which Adam makes whole steps; the
# running mean behind it moves along.
ROUNDING = 5e-3
# The bias of a first convolution in front of batch norm has no gradient at all, and SGD makes nothing of rounding.
NOTHING = 1e-6
# At the rates of deep nets twenty updates make a hundred thousand times as much of a difference of the last bit.
SLOWLY = {"--lr": "0.0001"}
# A unit at the kink of its activation is on or off by a last bit, which sums of gradients show.
KINKS = 1e-2


def with_options(command, options):
    """A command with some of its options replaced, or added."""
    command = list(command)
    for name, value in options.items():
        if name in command:
            command[command.index(name) + 1] = value
        else:
            command += [name, value]
    return command


def tensors(data):
    """Numbers of the f32 tensors of a safetensors file by their names."""
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    header.pop("__metadata__", None)
    found = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        if entry["dtype"] == "F32":
            found[name] = struct.unpack(f"<{(end - begin) // 4}f", data[8 + size + begin:8 + size + end])
    return found


class Tools(ToolTest):
    def short(self, command, few=True):
        """20 iterations over few small images."""
        options = {"--epochs": "1", "--iters-per-epoch": str(ITERATIONS)}
        if few:
            options |= {"--synth-train": "200", "--synth-test": "10"}
            if "--validation" in command:
                options["--validation"] = "20"
        return with_options(command, options)

    def train(self, command, run, device, **variables):
        graph = ["--graph", "on"] if device != "cpu" else []
        self.succeed(*command, "--quiet", "--run", run, "--device", device, *graph, env={**ENVIRONMENT, **variables})
        return tensors(self.read(f"{run}/checkpoint.safetensors"))

    def check(self, command):
        expected = self.train(command, "cpu", "cpu")
        got = self.train(command, "cuda", "cuda:0", VAE_MODEL_CALLS=str(self.dir / "calls.json"))
        calls = self.load("calls.json")
        self.assertGreaterEqual(calls["cudaGraphLaunch"], ITERATIONS - 2)
        self.assertEqual(sorted(got), sorted(expected))
        worst, apart, normalised = 0, [], any("batchnorm" in name for name in expected)
        for name, values in expected.items():
            largest = max(map(abs, values), default=0)
            distance = max((abs(a - b) for a, b in zip(values, got[name])), default=0)
            allowed = max((KINKS if name.endswith(".velocity") else TOLERANCE) * largest, NOTHING)
            if normalised and name.endswith((".bias", ".running_mean")):
                allowed = ROUNDING
            if not distance <= allowed:
                apart.append((name, distance, largest))
            worst = max(worst, distance / allowed)
        self.assertFalse(apart, "\n".join(map(str, apart)))
        print(f"{command[0]}: {len(expected)} tensors, at most {worst:.2f} of what is allowed apart; {calls['cudaLaunchKernel']} launches, "
              f"{calls['cudaGraphLaunch']} replays")

    def test_m1(self):
        self.check(self.short(M1))

    def test_m2(self):
        self.check(self.short(M2))

    def test_m1_m2(self):
        self.check(with_options(self.short(M1_M2), {"--m1-epochs": "1"}))

    def test_adgm(self):
        self.check(self.short(ADGM))

    def test_vae(self):
        self.check(self.short(VAE))

    def test_ml_vae(self):
        self.check(self.short(ML_VAE))

    def test_sym_vae(self):
        self.check(with_options(self.short(SYM_VAE, few=False), {"--synth-train": "8", "--synth-test": "4", "--batch": "4"}))

    def test_smooth_elbo(self):
        self.check(self.short(SMOOTH_ELBO, few=False))

    def test_shot_vae(self):
        self.check(with_options(self.short(SHOT_VAE, few=False), SLOWLY))

    def test_shot_m2(self):
        self.check(with_options(self.short(SHOT_M2, few=False), SLOWLY))

    def test_shot_classifier(self):
        self.check(with_options(self.short(SHOT_CLASSIFIER, few=False), SLOWLY))

    def test_fixmatch(self):
        self.check(with_options(self.short(FIXMATCH, few=False), SLOWLY))

    def test_the_second_device_gives_the_same_bytes(self):
        command = self.short(M2)
        first = self.train(command, "first", "cuda:0", VAE_MODEL_DEVICES="2")
        second = self.train(command, "second", "cuda:1", VAE_MODEL_DEVICES="2")
        self.assertEqual(first, second)

    def test_a_machine_without_a_driver_says_so(self):
        command = [*self.short(M2), "--device", "cuda:0", "--run", "r"]
        for driver in ("none", "old"):
            self.refuse(6, "cuda", *command, env={**ENVIRONMENT, "VAE_MODEL_DRIVER": driver})
        self.refuse(6, "cuda:1", *[*command[:-3], "cuda:1", "--run", "r"])


if __name__ == "__main__":
    unittest.main()
