"""--version: what it says is what was built, from what, and which libraries are loaded."""
import ctypes
import os
import pathlib
import re
import shutil
import subprocess
import unittest

from harness import BIN, ToolTest

SOURCE = pathlib.Path(__file__).parents[2]
TOOLS = os.environ.get("VAE_TOOLS", "m2").split()
NUMBER = r"\d+(\.\d+)+"


def git(folder, *arguments):
    return subprocess.run(["git", "-C", folder, *arguments], capture_output=True, text=True, check=True).stdout.strip()


def loaded(tool, name):
    """A shared library that the tool loads."""
    listed = subprocess.run(["ldd", BIN / tool], capture_output=True, text=True, check=True).stdout
    return ctypes.CDLL(re.search(rf"^\s*lib{name}\.so\S* => (\S+)", listed, re.MULTILINE)[1])


class Version(ToolTest):
    def test_every_tool(self):
        project = re.search(r"VERSION (\S+)", re.search(r"project\(.*\)", (SOURCE / "CMakeLists.txt").read_text())[0])[1]
        tails = set()
        for tool in TOOLS:
            first, tail = self.succeed(tool, "--version").split("\n", 1)
            self.assertEqual(first, f"{tool} (vaekit) {project}")
            tails.add(tail)
        self.assertEqual(len(tails), 1)
        lines = dict(line.split(": ", 1) for line in tails.pop().splitlines())
        self.assertEqual(list(lines), ["commit", "compiler", "back ends", "libraries"])
        self.assertTrue(lines["commit"])
        self.assertRegex(lines["compiler"], rf"\A(GCC|Clang) {NUMBER}")
        self.assertRegex(lines["back ends"],
                         rf"\ACPU(, CUDA {NUMBER} \(architectures [^)]+\)(, cuDNN {NUMBER})?(, NCCL {NUMBER})?)?\Z")
        libraries = dict(item.split(" ") for item in lines["libraries"].split(", "))
        self.assertEqual(list(libraries),
                         ["OpenBLAS", "oneDNN", "zlib", "OpenSSL", "curl", "fmt", "nlohmann-json", "CLI11"])
        for name, version in libraries.items():
            self.assertRegex(version, rf"\A{NUMBER}", name)

    def test_libraries_are_those_that_are_loaded(self):
        text = self.succeed(TOOLS[0], "--version")
        zlib, curl = loaded(TOOLS[0], "z").zlibVersion, loaded(TOOLS[0], "curl").curl_version
        zlib.restype = curl.restype = ctypes.c_char_p
        self.assertIn(f" zlib {zlib().decode()},", text)
        self.assertEqual(re.search(r" curl (\S+),", text)[1], re.search(r"libcurl/(\S+)", curl().decode())[1])
        dnnl = loaded(TOOLS[0], "dnnl").dnnl_version
        dnnl.restype = ctypes.POINTER(ctypes.c_int * 3)
        self.assertIn(" oneDNN {}.{}.{},".format(*dnnl().contents), text)

    @unittest.skipUnless(shutil.which("git"), "needs git")
    def test_commit(self):
        header, checkout, inner = self.dir / "commit.h", self.dir / "checkout", self.dir / "checkout" / "inner"

        def written(source):
            subprocess.run(["cmake", f"-DSOURCE={source}", "-DGIT=git", f"-DOUTPUT={header}", "-P",
                            SOURCE / "cmake" / "WriteCommit.cmake"], check=True)
            return re.search(r'VAE_COMMIT "(.*)"', header.read_text())[1]

        inner.mkdir(parents=True)
        self.assertEqual(written(checkout), "unknown")
        git(checkout, "init", "--quiet")
        (checkout / "file").write_text("one")
        git(checkout, "add", "file")
        git(checkout, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--message=one")
        commit = git(checkout, "rev-parse", "--short=12", "HEAD")
        self.assertEqual(written(checkout), commit)
        os.utime(header, (1, 1))
        self.assertEqual(written(checkout), commit)
        self.assertEqual(header.stat().st_mtime, 1, "nothing is to be compiled again")
        (checkout / "file").write_text("two")
        self.assertEqual(written(checkout), commit + "-dirty")
        self.assertEqual(written(inner), "unknown")  # someone else's checkout


if __name__ == "__main__":
    unittest.main()
