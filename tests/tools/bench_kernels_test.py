"""bench_kernels: what its results hold, the user's shapes, and comparison. Times are never judged here: comparisons are of
files whose times the test has written."""
import copy
import json
import pathlib
import re
import unittest

from harness import ToolTest

KERNELS = pathlib.Path(__file__).parents[2] / "kernels" / "list.h"
QUICK = ["--seconds", "0.001", "--rounds", "3"]
PEAKS = ["peak read", "peak write", "peak copy", "peak update", "peak product"]


def name_of(case):
    return f"{case['kernel']} {case['shape']}"


class Measured(ToolTest):
    def measure(self, *arguments):
        out = self.succeed("bench_kernels", *arguments, *QUICK, "--json", "bench.json")
        return out, self.load("bench.json")

    def test_results(self):
        wanted = [name for name in self.succeed("bench_kernels", "--list").splitlines() if name.startswith("sum bias")]
        self.assertEqual(len(wanted), 1)
        out, results = self.measure("sum bias", "gemm m2 heads", "--threads", "2,1,1")
        self.assertLessEqual(max(map(len, out.splitlines())), 110)
        self.assertEqual(results["schema"], 1)
        self.assertRegex(results["date"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertRegex(self.succeed("bench_kernels", "--version"), f"(?m)^commit: {re.escape(results['commit'])}$")
        self.assertEqual(results["setting"]["device"], "cpu")
        self.assertEqual(results["setting"]["threads"], [1, 2])
        self.assertEqual(results["setting"]["precision"], "fp32")
        self.assertGreaterEqual(results["setting"]["cores"], 1)
        self.assertTrue(results["setting"]["processor"])
        self.assertEqual(results["setting"]["device_name"], results["setting"]["processor"])
        self.assertGreaterEqual(min(results["load_before"], results["load_after"]), 0)
        names = [name_of(case) for case in results["cases"]]
        self.assertEqual(names[:10:2], PEAKS)
        self.assertIn(wanted[0], names)
        self.assertEqual([case["threads"] for case in results["cases"]], [1, 2] * (len(names) // 2))
        for case in results["cases"]:
            rounds, work = case["rounds"], case["work"]
            self.assertEqual(len(rounds), 3)
            self.assertGreater(min(rounds), 0)
            self.assertEqual(case["seconds"], sorted(rounds)[1])
            self.assertAlmostEqual(case["spread"], (max(rounds) - min(rounds)) / (2 * case["seconds"]))
            self.assertAlmostEqual(case["rate"] * case["seconds"],
                                   work["flops"] or work["read"] + work["written"] + 2 * work["updated"], delta=1)
            self.assertEqual(case["dtype"], "f32")
            self.assertLess(case["error"], 1e-3)
            self.assertIn(case["shape"], out)
            if case["kernel"] == "peak":
                self.assertEqual(case["peak"], case["shape"])
                self.assertAlmostEqual(case["share"], min(rounds) / case["seconds"])

    def test_every_kernel_has_a_case(self):
        kernels = re.findall(r"^VAE_KERNEL\((\w+),", KERNELS.read_text(), re.MULTILINE)
        self.assertGreater(len(kernels), 50)
        names = self.succeed("bench_kernels", "--list").splitlines()
        self.assertEqual(len(names), len(set(names)))
        timed = {name.split()[0] for name in names}
        for kernel in kernels:
            with self.subTest(kernel):
                self.assertIn(kernel, timed, "has no case in tools/bench")
        self.assertLessEqual(timed, set(kernels))

    def test_kinds_of_peaks(self):
        kinds = {"gemm 10x20x30": "product", "conv2d_fwd 2x8x8x4 -> 4, 5/1": "product",
                 "conv2d_fwd 2x8x8x4 -> 4, 3/1": "direct", "conv2d_fwd 2x8x8x4 -> 4, 3/2": "direct",
                 "transpose 64x32": "copy", "sum 1x100x50": "read",
                 "random_normal 1000": "write", "batch_norm_fwd 100x50": "copy+read", "moving_average 99": "read+update",
                 "map_bwd exp 70": "copy+read", "map_bwd add 70": "copy"}
        out, results = self.measure(*kinds, "--shape", "gemm=10x20x30", "--shape", "conv2d=2x8x8x4x4x3x1", "--shape",
                                  "conv2d=2x8x8x4x4x5x1", "--shape", "conv2d=2x8x8x4x4x3x2", "--shape", "transpose=64x32", "--shape", "sum=1x100x50",
                                  "--shape", "random=1000", "--shape", "batch_norm=100x50", "--shape", "optimizer=99",
                                  "--shape", "map=70")
        cases = {name_of(case): case for case in results["cases"]}
        self.assertEqual({name: case["peak"] for name, case in cases.items() if name not in PEAKS}, kinds)
        self.assertEqual(cases["gemm 10x20x30"]["work"]["flops"], 2 * 10 * 20 * 30)
        self.assertEqual(cases["conv2d_fwd 2x8x8x4 -> 4, 3/1"]["work"]["direct"], True)
        for name, case in cases.items():  # convolutions say their way
            self.assertEqual("engine" in case, name.startswith("conv2d"), name)
            if "engine" in case:
                self.assertRegex(out, rf"(?m)^conv2d_fwd +{re.escape(case['shape'])} .*, {case['engine']}$")
        self.assertEqual(self.succeed("bench_kernels", "--from", "bench.json"), out)
        forward, moved = cases["batch_norm_fwd 100x50"], 4 * 100 * 50
        self.assertEqual((forward["work"]["read"], forward["work"]["written"]), (2 * moved, moved))
        best = {name: cases[name]["rate"] * cases[name]["seconds"] / min(cases[name]["rounds"]) for name in PEAKS}
        least = 2 * moved / best["peak copy"] + moved / best["peak read"]
        self.assertAlmostEqual(forward["share"], least / forward["seconds"], places=9)

    def test_bf16(self):
        code, _, err = self.run_tool("bench_kernels", "--shape", "gemm=33x20x70", "--shape", "conv2d=2x9x9x3x4x3x1", *QUICK,
                                     "--precision", "bf16", "--json", "bench.json")
        self.assertEqual(code, 0, err)
        self.assertRegex(err, r"\A(--precision bf16: [^\n]+ takes longer than fp32\n)?\Z")
        results = self.load("bench.json")
        self.assertEqual(results["setting"]["precision"], "bf16")
        products = {name_of(case): case for case in results["cases"] if case["kernel"] != "peak"}
        self.assertEqual(len(products), 7)
        for name, case in products.items():
            self.assertTrue(1e-4 < case["error"] < 1e-2, (name, case["error"]))
        self.assertEqual(products["gemm 33x20x70"]["work"]["read"], 2 * (33 * 70 + 70 * 20))

    def test_shapes(self):
        def listed(*shapes):
            options = [word for shape in shapes for word in ("--shape", shape)]
            return self.succeed("bench_kernels", "--list", *options).splitlines()

        self.assertEqual(listed("gemm=3x4x5"),
                         ["gemm 3x4x5", "linear_fwd 3x4x5", "gemm dx 3x5x4", "gemm dw 4x5x3"])
        self.assertEqual(listed("conv2d=2x9x8x3x4x5x2"),
                         [f"conv2d_{way} 2x9x8x3 -> 4, 5/2" for way in ("fwd", "bwd_input", "bwd_weight")])
        self.assertEqual(listed("transpose=3x4", "sum=2x3x4", "sum=2x3x4"), ["sum 2x3x4", "transpose 3x4"])
        self.assertEqual(self.succeed("bench_kernels", "dw", "--list", "--shape", "gemm=3x4x5"), "gemm dw 4x5x3\n")
        text = self.succeed("bench_kernels", "--help")
        kinds = re.findall(r"^  (\w+)=(\w+) ", text, re.MULTILINE)
        self.assertGreaterEqual(len(kinds), 10)
        for kind, sizes in kinds:
            self.assertNotEqual(listed(f"{kind}={'x'.join('3' * (sizes.count('x') + 1))}"), [])

    def test_bad_shapes(self):
        for shape in ("", "=", "gemm", "gemm=", "gemm=3x4", "gemm=3x4x5x6", "gemm=3x4x0", "gemm=3x4x-5", "gemm=3x4xx5",
                      "gemm=3x4x5x", "gemm=3 x4x5", "gemm=3x4x5.5", "gemm=1000000001x1x1", "gemm=99999x999999x999999",
                      "dance=3x4", "Gemm=3x4x5", "conv2d=3x4x5"):
            with self.subTest(shape):
                self.refuse(2, "--shape", "bench_kernels", "--list", "--shape", shape)
        self.refuse(2, "expected gemm=MxNxK", "bench_kernels", "--shape", "gemm=3x4")
        self.refuse(2, "expected map, ", "bench_kernels", "--shape", "dance=3")

    def test_bad_options(self):
        for options in (["--threads", "0"], ["--threads", "1;2"], ["--threads", "1,"], ["--rounds", "2"], ["--seconds", "0"]):
            self.refuse(2, options[0], "bench_kernels", "--list", *options)


class Compared(ToolTest):
    """Ten cases of a machine that never was."""

    def setUp(self):
        super().setUp()
        works = [(1e8, 0, 0, 0), (0, 1e8, 0, 0), (1e8, 1e8, 0, 0), (0, 0, 1e8, 0), (0, 0, 0, 1e10)]
        names = [("peak", name.split()[1], work) for name, work in zip(PEAKS, works)]
        names += [("transpose", f"{n}x{n}", (4 * n * n, 4 * n * n, 0, 0)) for n in range(10, 20)]
        self.made = {
            "schema": 1, "date": "2026-01-02T03:04:05Z", "commit": "abc", "seconds": 0.5, "load_before": 0.1,
            "load_after": 0.2, "setting": {"device": "cpu", "device_name": "Z3", "processor": "Z3", "cores": 2,
                                           "precision": "fp32", "threads": [2]},
            "cases": [{"kernel": kernel, "shape": shape, "threads": 2, "error": 0,
                       "work": {"read": work[0], "written": work[1], "updated": work[2], "flops": work[3],
                                "direct": False},
                       "rounds": [0.0100, 0.0104, 0.0098, 0.0101, 0.0102]} for kernel, shape, work in names]}
        self.save("old.json", self.made)

    def save(self, name, results):
        (self.dir / name).write_text(json.dumps(results))

    def compare(self, change, *arguments):
        """Lines of the comparison of a changed copy with old.json, by case; and all lines."""
        new = copy.deepcopy(self.made)
        change(new)
        self.save("new.json", new)
        out = self.succeed("bench_kernels", "--from", "new.json", "--compare", "old.json", *arguments)
        self.assertLessEqual(max(map(len, out.splitlines())), 110)
        lines = out[out.index("old.json:"):].splitlines()
        return {name_of(case): next((line for line in lines if line.startswith(case["kernel"]) and
                                     f" {case['shape']} " in line), "") for case in new["cases"]}, lines

    def scale(self, factor, *names):
        def change(results):
            for case in results["cases"]:
                if not names or name_of(case) in names:
                    case["rounds"] = [factor * seconds for seconds in case["rounds"]]
        return change

    def verdicts(self, change):
        by_case, lines = self.compare(change)
        return {name: line.split()[-1] for name, line in by_case.items()}, lines

    def test_with_itself(self):
        verdicts, lines = self.verdicts(lambda results: None)
        self.assertEqual(set(verdicts.values()), {"same"})
        self.assertEqual(lines[-1], "10 cases: 0 faster, 0 slower, 10 the same; median ratio 1.00")

    def test_planted_changes(self):
        for factor, word in ((1.2, "slower"), (0.8, "faster"), (1.03, "same"), (0.97, "same")):
            verdicts, lines = self.verdicts(self.scale(factor, "transpose 12x12"))
            self.assertEqual(verdicts.pop("transpose 12x12"), word)
            self.assertEqual(set(verdicts.values()), {"same"})
        by_case, _ = self.compare(self.scale(2, "transpose 12x12"))
        self.assertRegex(by_case["transpose 12x12"], r" 10100\.0 -> +20200\.0 us +0\.50 +0\.47 - 0\.53 +slower$")

    def test_a_wide_spread_decides_nothing(self):
        def change(results):
            results["cases"][6]["rounds"] = [0.0205, 0.0202, 0.0101, 0.0203, 0.0204]
        verdicts, _ = self.verdicts(change)
        self.assertEqual(set(verdicts.values()), {"same"})

    def test_a_machine_that_changed(self):
        verdicts, lines = self.verdicts(self.scale(1.5))
        self.assertEqual({verdicts.pop(name) for name in PEAKS}, {"slower"})
        self.assertEqual(set(verdicts.values()), {"same"})
        self.assertIn("median ratio 0.67", lines[-1])
        self.assertIn("the machine itself, 2 threads: 0.67 - 1.00", lines)
        # Faster than the machine's change alone explains.
        def change(results):
            self.scale(1.5)(results)
            self.scale(0.4, "transpose 12x12")(results)
        verdicts, _ = self.verdicts(change)
        self.assertEqual(verdicts["transpose 12x12"], "faster")

    def test_cases_of_one_alone(self):
        def change(results):
            results["cases"][5]["shape"] = "7x7"
        by_case, lines = self.compare(change)
        self.assertEqual(by_case["transpose 7x7"], "")
        self.assertIn("only here: transpose 7x7, 2 threads", lines)
        self.assertTrue(any(line.startswith("only in old.json: transpose 10x10,") for line in lines))
        self.assertTrue(lines[-1].startswith("9 cases: "))
        _, lines = self.compare(lambda results: None, "12x12", "13x13")
        self.assertTrue(lines[-1].startswith("2 cases: "))
        self.assertFalse(any(line.startswith("only") for line in lines))

    def test_what_cannot_be_compared(self):
        def refuse(code, words, change):
            new = copy.deepcopy(self.made)
            change(new)
            self.save("other.json", new)
            self.refuse(code, words, "bench_kernels", "--from", "old.json", "--compare", "other.json")

        for key, value, words in (("processor", "abacus", "processor is abacus there"), ("device", "cuda:0", "device"),
                                  ("device_name", "abacus", "device is abacus there, Z3 here"), ("cores", 1000, "cores is 1000 there"),
                                  ("precision", "tf32", "precision")):
            refuse(2, words, lambda results: results["setting"].update({key: value}))

        def other_threads(results):
            results["setting"]["threads"] = [7]
            for case in results["cases"]:
                case["threads"] = 7
        refuse(2, "threads is [7] there, [2] here", other_threads)

        def other_shapes(results):
            for case in results["cases"][5:]:
                case["shape"] += "0"
        refuse(2, "none of these cases", other_shapes)
        refuse(3, "schema", lambda results: results.update(schema=2))
        refuse(3, "rounds", lambda results: results["cases"][5].pop("rounds"))
        refuse(3, "lacks times", lambda results: results["cases"][5].update(rounds=[]))
        refuse(3, "lacks times", lambda results: results["cases"][5].update(rounds=[0.1, 0.0, 0.1]))
        refuse(3, "peak", lambda results: results["cases"].pop(0))
        refuse(3, "other.json", lambda results: results.update(cases="none"))
        for text in ("", "[]", "{}", "{", "null", "\x00"):
            (self.dir / "other.json").write_text(text)
            self.refuse(3, "other.json", "bench_kernels", "--from", "old.json", "--compare", "other.json")
        self.refuse(4, "absent.json", "bench_kernels", "--from", "old.json", "--compare", "absent.json")
        self.refuse(4, "absent.json", "bench_kernels", "--from", "absent.json")
        self.refuse(2, "no kernel matches", "bench_kernels", "dance", "--from", "old.json")
        # Before anything is measured.
        self.refuse(2, "the device is Z3 there", "bench_kernels", "--seconds", "1000000", "--compare", "old.json")


if __name__ == "__main__":
    unittest.main()
