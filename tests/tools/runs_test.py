"""runs compare: what trained runs hold, beside each other."""
import signal
import statistics
import unittest

from harness import M2, VAE, ToolTest


class Compare(ToolTest):
    def table(self, *arguments):
        """The cells of the table by row and column."""
        lines = self.succeed("runs", "compare", *arguments).splitlines()
        header, *rows = [[cell for cell in line.split("  ") if cell.strip()] for line in lines]
        return [{name.strip(): cell.strip() for name, cell in zip(header, row, strict=True)} for row in rows]

    def test_seeds_are_one_row(self):
        self.succeed(*M2, "--seeds", "1,2,3", "--run", "seeds")
        self.succeed(*M2, "--hidden", "16", "--lr", "0.002", "--threads", "2", "--run", "other")
        seeds, other = self.table("seeds", "other")
        self.assertEqual(list(seeds), ["run", "hidden", "lr", "seeds", "iterations", "test_accuracy"])
        accuracies = [self.load(f"seeds/seed_{k}/results.json")["test_accuracy"] for k in (1, 2, 3)]
        mean, spread = seeds["test_accuracy"].split(" ± ")
        self.assertAlmostEqual(float(mean), statistics.mean(accuracies), places=4)
        self.assertEqual(spread, f"{statistics.stdev(accuracies):.2g}")
        self.assertEqual((seeds["seeds"], seeds["hidden"], other["hidden"], other["lr"]), ("3", "32", "16", "0.002"))
        self.assertEqual(other["run"], "other")
        self.assertAlmostEqual(float(other["test_accuracy"]), self.load("other/results.json")["test_accuracy"], places=4)
        three = self.table("seeds/seed_1", "seeds/seed_2")
        self.assertEqual([row["run"] for row in three], ["seeds/seed_1, seeds/seed_2"])

    def test_results_by_name_and_a_report(self):
        for run, options in (("a", []), ("b", ["--model", "beta"])):
            self.succeed(*VAE, *options, "--run", run)
        row, _ = self.table("a", "b", "--results", "test_loss,loss")
        self.assertEqual(list(row)[-2:], ["test_loss", "loss"])
        self.assertIn("model", row)
        out = self.succeed("runs", "compare", "a", "b", "--html", "both.html")
        self.assertIn("report: both.html", out)
        html = self.read("both.html").decode()
        self.assertIn("test_loss", html)
        self.assertIn("data:image/svg+xml", html)
        out = self.succeed("runs", "compare", "a", "b", "--results", "test_loss,loss", "--figures", "for/paper")
        for result in ("test_loss", "loss"):
            self.assertIn(f"figure: for/paper/{result}.pdf\n", out)
            self.assertTrue(self.read(f"for/paper/{result}.pdf").startswith(b"%PDF"))
        (self.dir / "file").write_text("")
        self.refuse(4, "file/test_loss.pdf", "runs", "compare", "a", "--results", "test_loss", "--figures", "file")
        self.refuse(2, "--results: no run has a number 'accuracy'", "runs", "compare", "a", "--results", "accuracy")

    def test_unfinished_and_damaged(self):
        self.assertEqual(self.stop_when("r/checkpoint.safetensors", signal.SIGTERM, *M2, "--epochs", "50", "--run", "r"), 130)
        row, = self.table("r")
        self.assertEqual(row["run"], "r (unfinished)")
        self.assertEqual(float(row["iterations"]), self.rows("r")[-1]["step"])
        evaluated = [logged for logged in self.rows("r") if "test_accuracy" in logged]
        self.assertAlmostEqual(float(row["test_accuracy"]), evaluated[-1]["test_accuracy"], places=4)
        self.refuse(4, "absent/config.json", "runs", "compare", "absent")
        (self.dir / "r/results.json").write_text("[]")
        self.refuse(3, "r/results.json: not the results of a run", "runs", "compare", "r")
        self.refuse(2, "RUN is required", "runs", "compare")


if __name__ == "__main__":
    unittest.main()
