"""How a build finds cuBLAS, cuDNN and NCCL (cmake/VaeCudaLibraries.cmake): in the toolkit, in what pip installs, or not. The folders
are made up; nothing is compiled with them."""
import os
import pathlib
import subprocess
import sys
import unittest

from harness import ToolTest

MODULES = pathlib.Path(__file__).parents[2] / "cmake"
PROJECT = """cmake_minimum_required(VERSION 3.25)
project(probe LANGUAGES NONE)
set(CMAKE_FIND_LIBRARY_PREFIXES lib)
set(CMAKE_FIND_LIBRARY_SUFFIXES .so)
set(CMAKE_FIND_USE_CMAKE_SYSTEM_PATH OFF) # what this machine has is out of sight
set(CMAKE_FIND_USE_SYSTEM_ENVIRONMENT_PATH OFF)
set(CUDAToolkit_VERSION 13.0)
set(CUDAToolkit_LIBRARY_DIR ${CMAKE_SOURCE_DIR}/toolkit/lib)
set(CUDAToolkit_INCLUDE_DIRS ${CMAKE_SOURCE_DIR}/toolkit/include)
include(VaeCudaLibraries)
vae_find_cuda_libraries()
message(STATUS "cuDNN: ${VAE_HAS_CUDNN} ${VAE_CUDNN_LIBRARY} ${VAE_CUDNN_INCLUDE_DIR}")
message(STATUS "nccl: ${VAE_HAS_NCCL} ${VAE_NCCL_LIBRARY} ${VAE_NCCL_INCLUDE_DIR}")
message(STATUS "cuBLAS: ${VAE_CUBLAS_LIBRARIES} ${VAE_CUBLAS_INCLUDE_DIR}")
"""


class CudaLibraries(ToolTest):
    def setUp(self):
        super().setUp()
        self.write("CMakeLists.txt", PROJECT)
        self.write("toolkit/lib/keep")

    def write(self, name, text=""):
        path = self.dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def cublas(self, folder, suffix=""):
        for name in ("cublas", "cublasLt"):
            self.write(f"{folder}/lib/lib{name}.so{suffix}")
        for name in ("cublas_v2.h", "cublasLt.h"):
            self.write(f"{folder}/include/{name}")

    def cudnn(self, folder, suffix="", version=(9, 7, 3)):
        self.write(f"{folder}/lib/libcudnn.so{suffix}")
        self.write(f"{folder}/include/cudnn.h")
        self.write(f"{folder}/include/cudnn_version.h",
                   "#define CUDNN_MAJOR %d\n#define CUDNN_MINOR %d\n#define CUDNN_PATCHLEVEL %d\n" % version)

    def nccl(self, folder, suffix="", version=(2, 28, 9)):
        self.write(f"{folder}/lib/libnccl.so{suffix}")
        self.write(f"{folder}/include/nccl.h",
                   "#define NCCL_MAJOR %d\n#define NCCL_MINOR %d\n#define NCCL_PATCH %d\n" % version)

    def configure(self, *options):
        """Exit code and all output."""
        done = subprocess.run(["cmake", "-S", ".", "-B", "build", f"-DCMAKE_MODULE_PATH={MODULES}",
                               f"-DPython3_EXECUTABLE={sys.executable}", *options],
                              cwd=self.dir, env={**os.environ, "PYTHONPATH": str(self.dir / "site")}, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.returncode, done.stdout

    def summary(self, *options):
        """The one line of what was found, and the rest."""
        code, out = self.configure(*options)
        self.assertEqual(code, 0, out)
        lines = [line for line in out.splitlines() if "CUDA backend" in line]
        self.assertEqual(len(lines), 1, out)
        self.assertIn(f"toolkit 13.0 ({self.dir}/toolkit/lib)", lines[0])
        return lines[0], out

    def test_in_the_toolkit(self):
        self.cublas("toolkit")
        self.cudnn("toolkit")
        self.cublas("site/nvidia/cublas", ".13")
        self.cudnn("site/nvidia/cudnn", ".9", (9, 9, 9))
        line, out = self.summary("-DVAE_CUDNN=ON")
        self.assertIn(f"cuBLAS ({self.dir}/toolkit/lib/libcublas.so), cuDNN 9.7.3 ({self.dir}/toolkit/lib/libcudnn.so)", line)
        self.assertIn(f"cuDNN: ON {self.dir}/toolkit/lib/libcudnn.so {self.dir}/toolkit/include", out)

    def test_from_pip(self):
        site = f"{self.dir}/site/nvidia"
        self.cublas("site/nvidia/cublas", ".13")
        self.cudnn("site/nvidia/cudnn", ".9")
        line, out = self.summary("-DVAE_CUDNN=ON")
        self.assertIn(f"cuBLAS ({site}/cublas/lib/libcublas.so.13), cuDNN 9.7.3 ({site}/cudnn/lib/libcudnn.so.9)", line)
        self.assertIn(f"cuDNN: ON {site}/cudnn/lib/libcudnn.so.9 {site}/cudnn/include", out)
        self.assertIn(f"cuBLAS: {site}/cublas/lib/libcublas.so.13;{site}/cublas/lib/libcublasLt.so.13 {site}/cublas/include",
                      out)

    def test_without_cudnn(self):
        self.cublas("toolkit")
        line, out = self.summary()
        self.assertTrue(line.endswith("no cuDNN: convolutions go through columns"), line)
        self.assertIn("cuDNN: OFF", out)
        code, out = self.configure("-DVAE_CUDNN=ON")
        self.assertNotEqual(code, 0)
        self.assertIn("VAE_CUDNN=ON, but no cuDNN", out)
        self.cudnn("toolkit")  # found once it is there, and left out on request
        self.assertIn("cuDNN: ON", self.summary("-DVAE_CUDNN=AUTO")[1])
        self.assertIn("cuDNN: OFF", self.summary("-DVAE_CUDNN=OFF")[1])

    def test_a_library_without_headers_or_too_old(self):
        self.cublas("toolkit")
        self.write("toolkit/lib/libcudnn.so")
        self.assertIn("no cuDNN: convolutions", self.summary()[0])
        self.cudnn("toolkit", version=(8, 9, 7))
        self.assertIn(f"no cuDNN of version 9 ({self.dir}/toolkit/include has 8.9.7): convolutions", self.summary()[0])

    def test_nccl(self):
        self.cublas("toolkit")
        out = self.summary()[1]
        self.assertIn("NCCL: none, a training on CUDA devices is one process", out)
        code, out = self.configure("-DVAE_NCCL=ON")
        self.assertNotEqual(code, 0)
        self.assertIn("VAE_NCCL=ON, but NCCL: none", out)
        self.nccl("site/nvidia/nccl", ".2", (2, 17, 1))
        site = f"{self.dir}/site/nvidia/nccl"
        self.assertIn(f"NCCL: none of version 2.18 ({site}/include has 2.17.1), a training", self.summary("-DVAE_NCCL=AUTO")[1])
        self.nccl("site/nvidia/nccl", ".2")
        out = self.summary()[1]
        self.assertIn(f"NCCL: 2.28.9 ({site}/lib/libnccl.so.2)", out)
        self.assertIn(f"nccl: ON {site}/lib/libnccl.so.2 {site}/include", out)
        self.assertIn("nccl: OFF", self.summary("-DVAE_NCCL=OFF")[1])

    def test_without_cublas(self):
        code, out = self.configure()
        self.assertNotEqual(code, 0)
        self.assertIn("no cuBLAS", out)


if __name__ == "__main__":
    unittest.main()
