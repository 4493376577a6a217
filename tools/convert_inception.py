#!/usr/bin/env python3
"""Turns the published weights of FID-Inception-v3 into the safetensors file that the tools read.

    pip install torch safetensors
    tools/convert_inception.py pt_inception-2015-12-05-6726825d.pth ~/.cache/vaekit/fid-inception.safetensors

The first argument may be an https:// address, which is then downloaded: the file is an asset of the release fid_weights of
github.com/mseitzer/pytorch-fid. The name of such a file ends with the first eight digits of its SHA-256: it is refused
where they differ. The file that is written notes the whole SHA-256, by which the tools know the published weights."""
import hashlib
import io
import pathlib
import re
import sys
import urllib.request

import torch
from safetensors.torch import save_file


def content_of(source):
    try:
        if source.startswith("https://"):
            return urllib.request.urlopen(source).read()
        return pathlib.Path(source).read_bytes()
    except OSError as error:
        sys.exit(f"error: {source}: {error}")


def state_of(source, content):
    try:
        state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        return {name: value.float().contiguous() for name, value in state.items() if "num_batches" not in name}
    except Exception as error:
        sys.exit(f"error: {source}: no state dict of PyTorch ({type(error).__name__})")


def main(source, target):
    content = content_of(source)
    digest = hashlib.sha256(content).hexdigest()
    promised = re.search(r"-([0-9a-f]{8})\.pth$", source)
    if promised and not digest.startswith(promised[1]):
        sys.exit(f"error: {source}: SHA-256 {digest}, its name says {promised[1]}...: damaged?")
    tensors = state_of(source, content)
    pathlib.Path(target).parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, target, metadata={"source_sha256": digest})
    numbers = hashlib.sha256()
    for name in sorted(name for name in tensors if not name.startswith("fc.")):
        numbers.update(name.encode() + tensors[name].numpy().tobytes())
    print(f"{target}: {len(tensors)} tensors, sha256 of their numbers {numbers.hexdigest()[:16]}, of {source} {digest}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(f"{__doc__}\n\nerror: expected a .pth file (or its address) and the file to write")
    main(*sys.argv[1:])
