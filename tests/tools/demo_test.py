"""tools/demo.sh in a tree of its own, with stand-ins for the packages, CMake and m2: which data it trains on."""
import os
import pathlib
import shutil
import subprocess
import unittest

from harness import ToolTest

SOURCE = pathlib.Path(__file__).parents[2]


class Demo(ToolTest):
    def setUp(self):
        super().setUp()
        (self.dir / "tree/tools").mkdir(parents=True)
        shutil.copy(SOURCE / "tools/demo.sh", self.dir / "tree/tools")
        (self.dir / "tree/tools/install_packages.sh").write_text("install_packages() { echo packages >> asked; }\n")
        self.stand_in("bin/cmake", "exit 0")
        self.stand_in("tree/build/bin/m2", 'printf "%s\\n" "$@" "VAE_DATA_DIR=${VAE_DATA_DIR:-}" > asked')
        for name in ("caller/mydata", "caller/-dash", "caller/with space"):
            (self.dir / name).mkdir(parents=True)

    def stand_in(self, name, text):
        (self.dir / name).parent.mkdir(parents=True, exist_ok=True)
        (self.dir / name).write_text(f"#!/bin/sh\n{text}\n")
        (self.dir / name).chmod(0o755)

    def demo(self, *arguments, script="../tree/tools/demo.sh", **variables):
        """Exit code, standard error and what m2 was asked, called from the folder "caller"."""
        environment = {name: value for name, value in os.environ.items() if name not in ("VAE_DATA_DIR", "CDPATH")}
        environment |= {"PATH": f"{self.dir}/bin:{environment['PATH']}", **variables}
        done = subprocess.run(["bash", script, *arguments], cwd=self.dir / "caller", env=environment,
                              capture_output=True, text=True)
        asked = self.dir / "tree/asked"
        return done.returncode, done.stderr, asked.read_text().splitlines() if asked.exists() else []

    def expect_data(self, folder, result, name="--data-dir"):
        self.assertEqual(result[:2], (0, ""))
        self.assertIn("--data=mnist", result[2])
        given = [word for word in result[2] if word.startswith(f"{name}=")]
        self.assertEqual(given, [f"{name}={folder.resolve()}"])

    def test_folders_are_those_of_the_caller(self):
        caller = self.dir / "caller"
        self.expect_data(caller / "mydata", self.demo("mydata"))
        self.expect_data(caller / "mydata", self.demo("mydata/"))
        self.expect_data(caller / "with space", self.demo("with space"))
        self.expect_data(caller / "-dash", self.demo("-dash"))
        self.expect_data(caller, self.demo("."))
        self.expect_data(self.dir / "tree", self.demo("../tree"))
        self.expect_data(caller / "mydata", self.demo(str(caller / "mydata"), script=str(self.dir / "tree/tools/demo.sh")))
        self.expect_data(caller / "mydata", self.demo("mydata", CDPATH=str(self.dir)))

    def test_folder_of_the_environment(self):
        self.expect_data(self.dir / "caller/mydata", self.demo(VAE_DATA_DIR="mydata"), "VAE_DATA_DIR")
        self.expect_data(self.dir / "caller/with space", self.demo("with space", VAE_DATA_DIR="mydata"))

    def test_without_a_folder(self):
        code, err, asked = self.demo()
        self.assertEqual((code, err), (0, ""))
        self.assertIn("--data=synth", asked)

    def test_a_folder_that_is_missing(self):
        for arguments, variables in [(["absent"], {}), ([""], {}), ([], {"VAE_DATA_DIR": "absent"})]:
            code, err, asked = self.demo(*arguments, **variables)
            self.assertEqual(code, 2)
            self.assertRegex(err, r"\Aerror: [^\n]*no such folder\n\Z")
            self.assertEqual(asked, [])  # nothing was installed or built


if __name__ == "__main__":
    unittest.main()
