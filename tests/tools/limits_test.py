"""Files that claim or unpack to more than their place allows: refused in one line, in a process of a gigabyte."""
import gzip
import json
import os
import resource
import struct
import unittest
import zlib

from harness import BIN, ENVIRONMENT, M2, ToolTest

MEMORY = 1 << 30  # of a process
SPARSE = 1 << 36  # bytes of files that take none of a disk
DEEP = 100000     # levels of JSON
SANITIZED = b"__asan_init" in (BIN / "datasets").read_bytes()  # its addresses alone are terabytes


def limit_memory():
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))  # without the vendors' libraries, which are large


def zeros(packer, megabytes):
    """A stream that unpacks to so many zeros, without its end."""
    start = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return start + block * megabytes


def idx(shape, values=b""):
    return struct.pack(f">I{len(shape)}I", 0x0800 | len(shape), *shape) + values


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width, height, stream):
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)) +
            chunk(b"IDAT", stream) + chunk(b"IEND", b""))


def bmp(width, height):
    return struct.pack("<2sIIIIiiHHIIIIII", b"BM", 54, 0, 54, 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)


def jpeg(width, height, frame):
    components = bytes([1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0])
    return (b"\xff\xd8\xff" + frame + struct.pack(">HBHHB", 17, 8, height, width, 3) + components +
            b"\xff\xda" + struct.pack(">H", 12) + bytes([3, 1, 0, 2, 0, 3, 0, 0, 0, 0]) + bytes(64))


class Limits(ToolTest):
    def limited(self, code, words, *arguments):
        environment = {**ENVIRONMENT, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        self.refuse(code, words, *arguments, env=environment, preexec_fn=None if SANITIZED else limit_memory)

    def write(self, name, content, sparse=0):
        path = self.dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        if sparse:
            os.truncate(path, sparse)

    def test_pictures(self):
        small = png(28, 28, zlib.compress(bytes(28 * 29)))
        for name in ("train/a/1.png", "train/b/1.png", "test/a/1.png", "test/b/1.png"):
            self.write(f"set/{name}", small)
        self.succeed("datasets", "verify", "subfolders", "--data-dir", "set")
        for name, content, sparse, words in [
            ("1.bmp", bmp(16384, 16384), 0, "16384x16384"),
            ("1.bmp", bmp(8192, 8192), 0, "ends early"),
            ("1.jpg", jpeg(16384, 16384, b"\xc0"), 0, "16384x16384"),
            ("1.jpg", jpeg(16384, 4096, b"\xc2"), 0, "16384x4096 pixels in"),
            ("1.jpg", jpeg(28, 28, b"\xc9"), 0, "arithmetic"),
            ("1.png", png(8192, 8192, zlib.compress(bytes(9))), 0, "fewer pixels"),
            ("2.png", png(28, 28, zeros(zlib.compressobj(9), 4096)), 0, "more pixels"),
            ("2.png", small, SPARSE, f"{SPARSE} bytes, expected"),
            ("2.bmp", bmp(28, 28), SPARSE, f"{SPARSE} bytes, expected"),
            ("2.png", png(8192, 8192, b""), 0, "8192x8192, expected 28x28"),
        ]:
            with self.subTest(name=name, words=words):
                self.write(f"set/train/a/{name}", content, sparse)
                self.limited(3, words, "datasets", "verify", "subfolders", "--data-dir", "set")
                (self.dir / "set/train/a" / name).unlink()
                self.write("set/train/a/1.png", small)
        large = png(4096, 4096, zlib.compress(bytes(4097 * 4096), 1))
        for i in range(100):  # like the first one they would take 1.6 GiB
            self.write(f"set/train/a/{i}.png", small if i else large)
        if not SANITIZED:
            self.limited(3, "101 pictures of 4096x4096", "datasets", "verify", "subfolders", "--data-dir", "set")

    def test_idx(self):
        images, labels = idx((10, 28, 28), bytes(7840)), idx((10,), bytes(range(10)))

        def write(images, labels, sparse=0, sparse_labels=0, suffix=""):
            for part in ("train", "t10k"):
                self.write(f"set/{part}-images-idx3-ubyte{suffix}", images, sparse)
                self.write(f"set/{part}-labels-idx1-ubyte", labels, sparse_labels)
        load = ("datasets", "export-images", "mnist", "--data-dir", "set", "--out", "exported")
        write(images, labels)
        self.succeed(*load)
        claims = idx((1 << 20, 28, 28))
        for arguments, words in [
            ((b"", labels, SPARSE), "element type 0x00"),
            ((images, labels, SPARSE), "bytes follow"),
            ((images, labels, 0, SPARSE), "bytes follow"),
            ((idx((10, 8192, 8192)), labels, 16 + 10 * 8192 * 8192), "8192x8192x1, expected 28x28x1"),
            ((images, idx((SPARSE // 64,)), 0, 8 + SPARSE // 64), "10 images, but 1073741824 labels"),
            ((idx((1 << 31, 1 << 31, 1 << 31, 0)), labels), "too short"),
            ((claims, labels), "too short"),
        ]:
            with self.subTest(words=words):
                write(*arguments)
                self.limited(3, words, *load)
        for path in (self.dir / "set").glob("*images*"):
            path.unlink()
        bomb = zlib.compressobj(9, zlib.DEFLATED, 31)
        stream = bomb.compress(images) + bomb.flush(zlib.Z_FULL_FLUSH)
        larger = zlib.compressobj(9, zlib.DEFLATED, 31)
        for content, sparse, words in [
            (stream + zeros(bomb, 64), 0, "unpacks to more than the expected 7856 bytes"),
            (gzip.compress(images), SPARSE, f"{SPARSE} bytes, expected"),
            (gzip.compress(claims), 0, "too short"),
            (larger.compress(idx((10, 8192, 8192))) + zeros(larger, 640), 0, "8192x8192x1, expected 28x28x1"),
        ]:
            with self.subTest(words=words):
                write(content, labels, sparse, suffix=".gz")
                self.limited(3, words, *load)

    def test_cifar_and_svhn(self):
        bomb = zlib.compressobj(9, zlib.DEFLATED, 31)
        self.write("packed/cifar-10-binary.tar.gz", zeros(bomb, 1024))
        self.limited(3, "unpacks to more", "datasets", "verify", "cifar10", "--data-dir", "packed")
        self.write("packed/cifar-10-binary.tar.gz", b"\x1f\x8b", SPARSE)
        self.limited(3, f"{SPARSE} bytes, expected", "datasets", "verify", "cifar10", "--data-dir", "packed")
        for i in (1, 2, 3, 4, 5):
            self.write(f"plain/data_batch_{i}.bin", b"", SPARSE)
        self.write("plain/test_batch.bin", b"", SPARSE)
        self.limited(3, f"{SPARSE} bytes, expected", "datasets", "verify", "cifar10", "--data-dir", "plain")

        def element(kind, content):
            return struct.pack("<II", kind, len(content)) + content + bytes(-len(content) % 8)
        head = element(6, struct.pack("<II", 9, 0)) + element(5, struct.pack("<4i", 32, 32, 3, 2)) + element(1, b"X")
        size = 1 << 31
        packer = zlib.compressobj(9)
        stream = packer.compress(struct.pack("<II", 14, size) + head + struct.pack("<II", 2, size - 100)) + zeros(packer, 2048)
        mat = b"MATLAB 5.0".ljust(124) + b"\0\1IM" + struct.pack("<II", 15, len(stream)) + stream
        for content, sparse, words in [(mat, 0, f"'X' claims {size + 8} bytes, expected"),
                                       (mat[:128], SPARSE, f"{SPARSE} bytes, expected")]:
            for part in ("train", "test"):
                self.write(f"svhn/{part}_32x32.mat", content, sparse)
            self.limited(3, words, "datasets", "verify", "svhn", "--data-dir", "svhn")

    def test_files_of_a_run(self):
        train = [*M2, "--run", "run", "--epochs", "1", "--iters-per-epoch", "2"]
        resume = [*train, "--resume", "--epochs", "2"]
        self.succeed(*train)
        deep = b"[" * DEEP
        nested = deep + b"]" * DEEP
        header = b'{"a":' + nested + b"}"
        config = json.loads(self.read("run/config.json"))

        def with_value(key, value):
            return json.dumps({**config, key: "VALUE"}).encode().replace(b'"VALUE"', value)
        for name, content, sparse, words, arguments in [
            ("config.json", nested, 0, "not a JSON object", resume),
            ("config.json", with_value("z", nested), 0, "'z' is not a plain value", resume),
            ("config.json", with_value("tool", nested), 0, "'tool' is not a plain value", resume),
            ("config.json", with_value("train_sha256", nested), 0, "nested too deeply", resume),
            ("config.json", with_value("seeds", nested), 0, "'seeds' is not a plain value", ["runs", "compare", "run", "run"]),
            ("config.json", b"{", SPARSE, f"{SPARSE} bytes, expected", resume),
            ("split.json", nested, 0, "not a stored split", resume),
            ("split.json", b'{"format":' + nested + b"}", 0, "not a stored split", resume),
            ("split.json", b"{", SPARSE, f"{SPARSE} bytes, expected", resume),
            ("checkpoint.safetensors", struct.pack("<Q", len(header)) + header, 0, "nested too deeply", resume),
            ("checkpoint.safetensors", b"", SPARSE, "header length 0", resume),
            ("checkpoint.safetensors", struct.pack("<Q", 2) + b"{}", SPARSE, "belong to no tensor", resume),
            ("metrics.jsonl", b'{"step":1,"a":' + nested + b"}\n", 0, "is no row of a log", resume),
            ("metrics.jsonl", b"{", SPARSE, f"{SPARSE} bytes, expected", resume),
            ("metrics.csv", b"", SPARSE, f"{SPARSE} bytes, expected", resume),
            ("run.files", b"", SPARSE, f"{SPARSE} bytes, expected", resume),
            ("results.json", nested, 0, "not the results of a run", ["runs", "compare", "run", "run"]),
            ("results.json", b"", SPARSE, f"{SPARSE} bytes, expected", ["runs", "compare", "run", "run"]),
        ]:
            with self.subTest(name=name, content=content[:20], sparse=sparse):
                whole = self.read(f"run/{name}")
                self.write(f"run/{name}", content, sparse)
                try:
                    self.limited(3, words, *arguments)
                finally:
                    (self.dir / "run" / name).write_bytes(whole)
        self.succeed(*resume)


if __name__ == "__main__":
    unittest.main()
